"""Genes of a mapping: each vector names a legal mapping, every mapping has one, none is cheaper."""

from __future__ import annotations

import copy
import itertools
from functools import cache

import numpy as np
import pytest
import yaml
from designs import layer, machine, of_layers
from every_mapping import every_mapping, fits, front_of
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from machine_files import SMALL

from carbonopt.errors import MappingError
from carbonopt.hardware.file import load_machine
from carbonopt.hardware.machine import OPERANDS
from carbonopt.mapping.allocation import allocation_fits, repair_cuts
from carbonopt.mapping.candidates import reduced_above
from carbonopt.mapping.genes import UNROLLINGS, GeneMap, LayerGenes
from carbonopt.mapping.given import given_mapping
from carbonopt.mapping.loops import prime_factors
from carbonopt.mapping.residency import residency
from carbonopt.mapping.task import MappingTask
from carbonopt.mapping.tiles import prefix_tiles
from carbonopt.performance.cost import mapped_cost

LEVELS = dict.fromkeys(OPERANDS, 3)
SIZES = {
    **{dim: [1, 3, 8, 10, 20, 48] for dim in ("K", "C")},
    **{dim: [1, 7, 12] for dim in ("OX", "OY")},
    **{dim: [1, 3] for dim in ("FX", "FY")},
    **{"G": [1, 6], "B": [1, 2]},
}
layers = st.builds(layer, **{dim: st.sampled_from(sizes) for dim, sizes in SIZES.items()})
machines = st.builds(
    machine,
    st.sampled_from(["digital_os", "digital_ws", "dimc", "aimc"]),
    rows=st.sampled_from([32, 64]),
    cols=st.sampled_from([5, 24]),
    macros=st.sampled_from([1, 2]),
    sram_byte=st.sampled_from([2**12, 2**16]),
    resident_byte=st.sampled_from([2**11, 2**20]),
)
draws = st.lists(st.floats(0, 1, exclude_max=True), min_size=64, max_size=64)


def task_of(each, built):
    return MappingTask(each, built, residency(of_layers(each), built)[0])


def gene_map(each, built, levels=LEVELS):
    try:
        return GeneMap(task_of(each, built), LayerGenes(each, levels))
    except MappingError:
        assume(False)


def values_of(mapped, shares):
    """Genes, each at a share of its range."""
    sizes = mapped.genes.sizes.values()
    return [int(size * share) for size, share in zip(sizes, itertools.cycle(shares))]


def same(one, other):
    alike = one.unrollings[one.which[0]] == other.unrollings[other.which[0]]
    names = ("dims", "sizes", "cuts")
    return alike and all(np.array_equal(getattr(one, n), getattr(other, n)) for n in names)


def values_for(mapped, mappings):
    """Genes that name a given mapping: every loop at its place, every cut as a share."""
    ways = [way.unrolling for way in mapped.ways]
    rank = ways.index(mappings.unrollings[mappings.which[0]])
    values = [0] * len(mapped.genes.sizes)
    values[0] = -(-rank * UNROLLINGS // len(ways))
    way = mapped.ways[rank]
    free = list(zip(way.dims.tolist(), way.sizes.tolist(), way.genes, strict=True))
    ends = [0]
    for dim, size in zip(mappings.dims[0].tolist(), mappings.sizes[0].tolist(), strict=True):
        for place, factor in enumerate(prime_factors(size), ends[-1]):
            slot = next(slot for slot in free if slot[:2] == (dim, factor))
            free.remove(slot)
            values[slot[2]] = place
        ends.append(ends[-1] + len(prime_factors(size)))
    first_cut = len(values) - len(mapped.genes.cuts)
    for gene, (operand, level) in enumerate(mapped.genes.cuts, first_cut):
        if level < mapped.task.levels[operand] - 1:
            kept = ends[mappings.cuts[0, operand, level]]
            values[gene] = -(-kept * (mapped.genes.places + 1) // (ends[-1] + 1))
    return values


def rebuilt(task, mappings):
    """The mapping that a description gives, read by other code."""
    told = mappings.describe(task)
    nest = {
        operand: [[(dim, size) for dim, size in loops] for loops in memories.values()]
        for operand, memories in told["temporal"].items()
    }
    return given_mapping(task, mappings.unrollings[0].asked, nest)


@pytest.mark.property
@settings(max_examples=150, deadline=None)
@given(each=layers, built=machines, shares=draws)
def test_any_genes_name_a_legal_mapping_that_costs_what_its_description_costs(each, built, shares):
    mapped = gene_map(each, built)
    found = mapped.mapping(values_of(mapped, shares))
    task = mapped.task
    assert fits(task, found).all()
    for o, depth in enumerate(task.levels):
        cuts = found.cuts[0, o, :depth]
        assert np.all(np.diff(cuts) >= 0)
        assert cuts[-1] == found.dims.shape[1]
    cost, again = mapped_cost(task, found), mapped_cost(task, rebuilt(task, found))
    assert again.energy_pj == pytest.approx(cost.energy_pj, rel=1e-12)
    assert again.cycles(loading=True) == pytest.approx(cost.cycles(loading=True), rel=1e-12)


@pytest.mark.property
@settings(max_examples=100, deadline=None)
@given(each=layers, built=machines, shares=draws)
def test_the_genes_of_a_repaired_mapping_name_it_again(each, built, shares):
    mapped = gene_map(each, built)
    values = values_of(mapped, shares)
    found = mapped.mapping(values)
    assert same(found, mapped.mapping(values))
    canonical = values_for(mapped, found)
    assert same(found, mapped.mapping(canonical))
    assert canonical == values_for(mapped, mapped.mapping(canonical))


@pytest.mark.property
@settings(max_examples=100, deadline=None)
@given(each=layers, built=machines, shares=draws, data=st.data())
def test_repair_keeps_legal_cuts_and_only_shrinks_others(each, built, shares, data):
    mapped = gene_map(each, built)
    found = mapped.mapping(values_of(mapped, shares))
    task, loops = mapped.task, found.dims.shape[1]
    used = task.arrays(found.unrollings)
    spatial = task.storage.spread(used.mean)
    tiles = prefix_tiles(task.levels, spatial, found.which, task.geometry, found.dims, found.sizes)
    room = (
        task.levels, task.memory, task.storage.capacity(used), task.storage.doubled,
        reduced_above(spatial), found.which, task.bits, found.dims,
    )  # fmt: skip
    cuts = found.cuts.copy()
    assert repair_cuts(*room, cuts, tiles).all()
    assert np.array_equal(cuts, found.cuts)
    wished = found.cuts.copy()
    for o, depth in enumerate(task.levels):
        for level in range(depth - 1):
            wished[0, o, level] = data.draw(st.integers(0, loops))
    cuts = wished.copy()
    assert repair_cuts(*room, cuts, tiles).all()
    assert np.all(cuts <= np.maximum.accumulate(wished, axis=2))
    assert allocation_fits(*room, cuts, tiles).all()


@pytest.fixture
def file_machine(tmp_path):
    def make(rows, buffer):
        content = copy.deepcopy(SMALL)
        content["array"]["dimensions"]["rows"] = rows
        content["memories"]["buffer"]["size"] = buffer
        file = tmp_path / "small.yaml"
        file.write_text(yaml.safe_dump(content, sort_keys=False))
        return load_machine(file)

    return make


def test_a_machine_of_a_file_with_bypass_and_double_buffers_takes_any_genes(file_machine):
    built = file_machine(4, "64 KiB")
    levels = {operand: len(built.levels(operand)) for operand in OPERANDS}
    mapped = gene_map(layer(K=24, C=10, OX=14, OY=7, FX=3, FY=3), built, levels)
    rng = np.random.default_rng(1)
    for _ in range(200):
        found = mapped.mapping([int(rng.integers(size)) for size in mapped.genes.sizes.values()])
        assert fits(mapped.task, found).all()
    assert list(mapped.genes.sizes)[-3:] == ["cut.I.0", "cut.W.0", "cut.O.0"]


def test_a_double_buffer_that_holds_no_part_twice_can_hold_the_whole(file_machine):
    each, built = layer(OX=4, FX=7), file_machine(8, "15 byte")
    levels = {operand: built.levels(operand) for operand in OPERANDS}
    task = MappingTask(each, built, levels)
    mapped = GeneMap(task, LayerGenes(each, {"I": 2, "W": 2, "O": 2}))
    alone = [way for way in mapped.ways if way.unrolling.temporal["OX"] == 2]
    assert alone, "two positions at a time: 8 inputs twice are too many, all 10 are not"
    for way in range(len(mapped.ways)):
        values = [-(-way * UNROLLINGS // len(mapped.ways)), *[0] * (len(mapped.genes.sizes) - 1)]
        assert fits(task, mapped.mapping(values)).all()


@cache
def brute_force():
    """A small layer on three memory levels, and all its mappings."""
    each, built = layer(K=4, C=6, OX=4), machine("digital_os", 2, 2, 1, 2**12)
    task = MappingTask(each, built, {operand: built.levels(operand) for operand in OPERANDS})
    return GeneMap(task, LayerGenes(each, LEVELS)), every_mapping(task)


def test_every_mapping_of_the_exact_front_has_genes():
    mapped, parts = brute_force()
    for legal, energy_pj, cycles in parts:
        for row in front_of(energy_pj, cycles).tolist():
            wanted = legal.take(slice(row, row + 1))
            assert same(wanted, mapped.mapping(values_for(mapped, wanted)))


@pytest.mark.property
@settings(max_examples=200, deadline=None)
@given(shares=draws)
def test_no_genes_beat_the_exact_front(shares):
    mapped, parts = brute_force()
    energy_pj, cycles = (np.concatenate([part[i] for part in parts]) for i in (1, 2))
    cost = mapped_cost(mapped.task, mapped.mapping(values_of(mapped, shares)))
    as_fast = cycles <= cost.cycles(loading=True)[0]
    assert energy_pj[as_fast].min() <= cost.energy_pj[0] * (1 + 1e-12)


def test_every_bound_has_as_many_places_as_prime_factors_it_can_have_left():
    for bound in range(1, 200):
        genes = LayerGenes(layer(K=bound), {"I": 1, "W": 1, "O": 1})
        most = max(len(prime_factors(left)) for left in range(1, bound + 1))
        assert len(genes.sizes) == 1 + most
        assert all(size == most for name, size in genes.sizes.items() if name != "unrolling")


def test_a_single_product_has_a_mapping():
    mapped = gene_map(layer(), machine("dimc"))
    assert mapped.mapping([0] * len(mapped.genes.sizes)).dims.shape == (1, 0)


def test_a_layer_that_cannot_be_mapped_says_why():
    built = machine("dimc", variant="carbonspot", dram_byte=512)
    levels = {operand: built.levels(operand) for operand in OPERANDS}
    task = MappingTask(layer("stem", K=16, OX=32, OY=32), built, levels)
    with pytest.raises(MappingError, match=r"layer 'stem' cannot be .*: dram needs \d+ B, has 512"):
        GeneMap(task, LayerGenes(task.layer, LEVELS))
