"""One table of traffic against a fresh search in every context."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import yaml
from designs import layer, machine, of_layers
from machine_files import SMALL

from carbonopt.hardware.file import load_machine
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.residency import residency
from carbonopt.mapping.storage import Storage
from carbonopt.mapping.task import MappingTask
from carbonopt.performance.cache import FOLDER
from carbonopt.performance.mapper import solve_layer
from carbonopt.performance.network import network_cost
from carbonopt.performance.traffic import traffic_table
from carbonopt.performance.weighing import Contexts, own_context

pytestmark = pytest.mark.property

CONTEXTS, SPREAD = 12, 4.0
NETWORK = of_layers(
    layer("conv", K=24, OX=6, OY=8, C=12, FX=3, FY=3),
    layer("again", K=24, OX=6, OY=8, C=12, FX=3, FY=3),
    layer("depthwise", G=16, OX=8, OY=8, FX=3, FY=3),
    layer("dense", kind="gemm", B=6, K=60, C=90),
)


@pytest.fixture(scope="module", params=["file", "digital_ws", "digital_os", "aimc"])
def built(request, tmp_path_factory):
    if request.param != "file":
        return machine(request.param, sram_byte=2048)
    path = tmp_path_factory.mktemp("machine") / "small.yaml"
    path.write_text(yaml.safe_dump(SMALL, sort_keys=False), encoding="utf-8")
    return load_machine(path)


@pytest.fixture(scope="module")
def table(built, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(FOLDER, str(tmp_path_factory.mktemp("cache")))
        table, again = traffic_table(NETWORK, built), traffic_table(NETWORK, built)
    assert (table.traffic == again.traffic).all()
    return table


def random_contexts(built, seed):
    """Every energy of an access, and the clock, up to four times less or more."""
    rng = np.random.default_rng(seed)
    own, count = own_context(built), len(built.memories)
    return Contexts(
        own.read_pj * SPREAD ** rng.uniform(-1, 1, (CONTEXTS, count)),
        own.write_pj * SPREAD ** rng.uniform(-1, 1, (CONTEXTS, count)),
        np.ones(CONTEXTS),
        own.clock_ns * SPREAD ** rng.uniform(-1, 1, CONTEXTS),
    )


def costly(built, contexts, i):
    """The machine with the energies of one context."""
    memories = zip(built.memories, contexts.read_pj[i], contexts.write_pj[i], strict=True)
    return dataclasses.replace(
        built,
        memories=tuple(
            dataclasses.replace(memory, read_pj=float(read), write_pj=float(write))
            for memory, read, write in memories
        ),
    )


def solved(built):
    """Proven fronts of all layers: exact energies, latencies that none can undercut."""
    for each, hierarchy in zip(NETWORK.layers, residency(NETWORK, built), strict=True):
        task = MappingTask(each, built, hierarchy)
        yield solve_layer(task, Plan(Storage(built, hierarchy)))


def least_pj(built):
    """Least energy of the network, layer by layer."""
    return sum(float(each.energy_pj.min()) for each in solved(built))


def product_bound(built):
    """No choice of mappings has less energy x latency."""
    energy, cycles = np.zeros(1), np.zeros(1)
    for each in solved(built):
        energy = np.add.outer(energy, each.energy_pj).ravel()
        cycles = np.add.outer(cycles, each.cycles).ravel()
    return (energy * cycles).min() * built.clock_ns


def test_own_costs_give_what_a_search_gives(built, table):
    fresh = network_cost(NETWORK, built, "optimal")
    assert table.complete
    assert table.count.sum() == len(NETWORK.layers)
    energy, latency = table.least_product(own_context(built))
    product = fresh.energy_pj * fresh.cycles * built.clock_ns
    assert energy * latency <= product * (1 + 1e-9)
    assert energy * latency >= product_bound(built) * (1 - 1e-9)


def test_least_energy_is_exact_whatever_accesses_cost(built, table):
    contexts = random_contexts(built, 3)
    energy, _ = table.least(contexts, 1.0, 0.0)
    fresh = [least_pj(costly(built, contexts, i)) for i in range(CONTEXTS)]
    assert energy == pytest.approx(fresh, rel=1e-9)


def test_products_are_near_those_of_a_fresh_search(built, table):
    """At most 2 % above; below where the fresh search waits longer than its bound says."""
    contexts = random_contexts(built, 4)
    energy, latency = table.least_product(contexts)
    for i in range(CONTEXTS):
        fresh = network_cost(NETWORK, costly(built, contexts, i), "optimal")
        product = energy[i] * latency[i] / contexts.clock_ns[i]
        assert product <= fresh.energy_pj * fresh.cycles * 1.02
        bound = product_bound(costly(built, contexts, i)) / built.clock_ns
        assert product >= bound * (1 - 1e-9)


def test_weights_choose_between_energy_and_latency(built, table):
    contexts = random_contexts(built, 5)
    frugal, fast = table.least(contexts, 1.0, 0.0), table.least(contexts, 0.0, 1.0)
    between = table.least_product(contexts)
    assert (frugal[0] <= between[0] * (1 + 1e-12)).all()
    assert (fast[1] <= between[1] * (1 + 1e-12)).all()
    rate = frugal[0] / frugal[1]
    for i in range(CONTEXTS):
        one = table.least(contexts, 1.0, float(rate[i]))
        score = one[0][i] + rate[i] * one[1][i]
        for other in (frugal, fast, between):
            assert score <= (other[0][i] + rate[i] * other[1][i]) * (1 + 1e-12)


def test_bandwidths_of_one_are_the_machines_own(built, table):
    contexts = random_contexts(built, 6)
    same = dataclasses.replace(contexts, bandwidth=np.ones((CONTEXTS, len(table.ports))))
    for weights in ((1.0, 0.0), (0.0, 1.0), (1.0, 3.0)):
        once, again = table.least(contexts, *weights), table.least(same, *weights)
        score = [weights[0] * energy + weights[1] * time for energy, time in (once, again)]
        assert score[0] == pytest.approx(score[1], rel=1e-9)
    slow = dataclasses.replace(contexts, bandwidth=np.full((CONTEXTS, len(table.ports)), 0.25))
    assert (table.least(slow, 0.0, 1.0)[1] >= table.least(contexts, 0.0, 1.0)[1]).all()
