"""Many chains at once against the cost model, one mapping at a time."""

from __future__ import annotations

import numpy as np
import pytest
import yaml
from designs import layer, machine
from machine_files import SMALL

from carbonopt.hardware.file import load_machine
from carbonopt.hardware.machine import OPERANDS
from carbonopt.mapping.access import FROM_BELOW, merge_stationary
from carbonopt.mapping.evaluation import chain_terms, evaluate_chains, random_chains
from carbonopt.mapping.nest import chain_mappings
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.task import MappingTask
from carbonopt.mapping.tiles import IRRELEVANT, RELEVANCE
from carbonopt.performance.cost import layer_traffic, mapped_cost
from carbonopt.performance.mapper import unrolled_tables

pytestmark = pytest.mark.property

LAYERS = [
    layer("conv", K=24, OX=6, OY=8, C=12, FX=3, FY=3),
    layer("depthwise", G=16, OX=8, OY=8, FX=3, FY=3),
    layer("dense", kind="gemm", B=6, K=60, C=90),
]


@pytest.fixture(params=["file", "digital_ws", "digital_os", "aimc"])
def built(request, tmp_path):
    if request.param != "file":
        return machine(request.param, sram_byte=2048)
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(SMALL, sort_keys=False), encoding="utf-8")
    return load_machine(path)


def tables_of(built, each):
    task = MappingTask(each, built, {operand: built.levels(operand) for operand in OPERANDS})
    return task, unrolled_tables(task, Plan(task.storage))


def mapped(task, tables, tiles):
    """Mappings of a chain of which no loop counts for a lower level than the chain says."""
    plan, size = tables.plan, tables.lattices.one(0).prod(axis=1)
    order = sorted(range(len(tiles)), key=lambda v: (size[tiles[v]], v))
    chain = np.array([(v, int(tiles[v])) for v in order])
    mappings = chain_mappings(plan, tables.unrollings.one(0), tables.lattices.one(0), chain)
    merged = mappings.cuts.copy()
    merge_stationary(RELEVANCE, task.levels, mappings.dims, merged)
    same = (merged == mappings.cuts).all(axis=(1, 2))
    for v in np.flatnonzero(plan.nodes.level < 0):
        rests = RELEVANCE[plan.nodes.operand[v], mappings.dims] == IRRELEVANT
        leading = np.logical_and.accumulate(rests, axis=1)
        same &= np.where(leading, mappings.sizes, 1).prod(axis=1) == size[tiles[v]]
    return mappings.take(same)


def fits(task, mappings):
    """Whether tiles fit into the memories, outputs as wide as they come from below."""
    used = task.arrays(mappings.unrollings)
    traffic = layer_traffic(task, mappings, task.storage.spread(used.mean))
    capacity = task.storage.capacity(used)[0]
    taken = np.zeros(len(capacity))
    for o, levels in enumerate(task.levels):
        for level in range(levels):
            bits = task.bits[o] if o < 2 else traffic.width[0, o, level, FROM_BELOW]
            twice = task.storage.doubled[task.memory[o, level]] and level < levels - 1
            whole = traffic.tile[0, o, level] == traffic.tile[0, o, levels - 1]
            factor = 2 if twice and not whole else 1
            taken[task.memory[o, level]] += traffic.tile[0, o, level] * bits * factor
    return (taken <= capacity).all()


@pytest.mark.parametrize("each", LAYERS, ids=lambda each: each.name)
def test_chains_cost_what_their_mappings_cost(built, each):
    task, tables = tables_of(built, each)
    loading = task.machine.variant.loading_in_latency
    chains = random_chains(tables, 0, 200_000, np.random.default_rng(7))
    energy, cycles, legal = evaluate_chains(chain_terms(tables, 0), chains)
    compared = {True: 0, False: 0}
    for i in (*np.flatnonzero(legal)[:800], *np.flatnonzero(~legal)[:800]):
        mappings = mapped(task, tables, chains[:, i])
        if len(mappings.dims) == 0:
            continue
        compared[bool(legal[i])] += 1
        assert legal[i] == fits(task, mappings)
        if legal[i]:
            cost = mapped_cost(task, mappings)
            assert energy[i] == pytest.approx(cost.energy_pj, rel=1e-9)
            assert (cycles[i] <= cost.cycles(loading=loading) * (1 + 1e-9)).all()
    assert compared[True] >= 3
    assert sum(compared.values()) > 10
