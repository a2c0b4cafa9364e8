"""Unrollings: within the array and the layer, and only where the registers permit them."""

from __future__ import annotations

import dataclasses
import math

import pytest
from designs import layer, machine
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from carbonopt.hardware.machine import OPERANDS
from carbonopt.mapping.parallel import fullest_unrollings, useful_sizes
from carbonopt.mapping.reference import reference_unrollings
from carbonopt.mapping.spatial import array_shape, spatial_arrays, unroll
from carbonopt.mapping.tiles import IRRELEVANT, RELEVANCE
from carbonopt.workload.layer import DIMS

pytestmark = pytest.mark.property

COUNT = 8
BOUND = st.integers(1, 40)
AXES = st.tuples(st.integers(1, 3), st.integers(1, 3))
plain_layers = st.builds(
    layer,
    B=st.integers(1, 2),
    K=BOUND,
    G=st.sampled_from([1, 1, 1, 6]),
    OX=st.integers(1, 14),
    OY=st.integers(1, 14),
    C=BOUND,
    FX=st.sampled_from([1, 3, 5]),
    FY=st.sampled_from([1, 3, 5]),
)
layers = st.builds(dataclasses.replace, plain_layers, stride=AXES, dilation=AXES)
machines = st.builds(
    machine,
    st.sampled_from(["digital_os", "digital_ws", "dimc", "aimc"]),
    rows=st.sampled_from([32, 64]),
    cols=st.integers(4, 70),
    macros=st.integers(1, 4),
    sram_byte=st.just(2**20),
)
SOURCES = {
    "reference": lambda each, built: reference_unrollings(each, array_shape(built, each)),
    "fullest": lambda each, built: fullest_unrollings(each, array_shape(built, each), COUNT),
}


def used(chosen, dim):
    return math.prod(size for loops in chosen.values() for name, size in loops if name == dim)


@pytest.mark.parametrize("source", SOURCES)
@settings(max_examples=60)
@given(each=layers, built=machines)
def test_unrollings_fit_the_array_and_the_layer(source, each, built):
    for chosen in SOURCES[source](each, built):
        for array_dim in built.shape:
            assert math.prod(size for _, size in chosen[array_dim]) <= built.shape[array_dim]
            for dim, size in chosen[array_dim]:
                elsewhere = used(chosen, dim) // size
                assert size <= math.ceil(each.loops[dim] / elsewhere)


@pytest.mark.parametrize("source", SOURCES)
@settings(max_examples=60)
@given(each=layers, built=machines)
def test_loops_along_a_shared_register_do_not_index_it(source, each, built):
    """Output positions along the columns are the exception: the input register is widened."""
    shared = {
        array_dim: {o for o in OPERANDS if array_dim in built.memories[built.levels(o)[0]].served}
        for array_dim in built.shape
    }
    for chosen in SOURCES[source](each, built):
        for array_dim, loops in chosen.items():
            for dim, _ in loops:
                if built.diagonal and array_dim == "D1" and dim in ("OX", "OY"):
                    continue
                assert dim in built.unrolled[array_dim]
                for operand in shared[array_dim]:
                    assert RELEVANCE[OPERANDS.index(operand), DIMS.index(dim)] == IRRELEVANT


@pytest.mark.parametrize("source", SOURCES)
@settings(max_examples=60)
@given(each=layers, built=machines)
def test_diagonal_kernels_fit_into_the_rows(source, each, built):
    """The rows hold every input that the positions of the kernel touch, counted one by one."""
    for chosen in SOURCES[source](each, built):
        columns, rows = dict(chosen["D1"]), dict(chosen["D2"])
        if not {"OX", "OY"} & set(columns):
            continue
        assert built.diagonal
        spread = math.prod(
            len(
                {
                    stride * output + dilation * kernel
                    for output in range(columns.get(out, 1))
                    for kernel in range(rows.get(ker, 1))
                }
            )
            for ker, out, stride, dilation in (
                ("FX", "OX", each.stride[0], each.dilation[0]),
                ("FY", "OY", each.stride[1], each.dilation[1]),
            )
        )
        assert rows.get("C", 1) * spread <= built.shape["D2"]


@pytest.mark.parametrize("source", SOURCES)
@settings(max_examples=60)
@given(each=layers, built=machines)
def test_passes_cover_every_bound(source, each, built):
    """Mean size x passes gives the bound back; whole size x passes never falls short of it."""
    for chosen in SOURCES[source](each, built):
        unrolling = unroll(each, chosen)
        for dim, bound in each.loops.items():
            mean = math.prod(u for _, d, u, _ in unrolling.loops if d == dim)
            whole = math.prod(n for _, d, _, n in unrolling.loops if d == dim)
            assert mean * unrolling.temporal[dim] == pytest.approx(bound)
            assert whole * unrolling.temporal[dim] >= bound
            assert mean <= whole


@settings(max_examples=60)
@given(each=layers, built=machines)
def test_fullest_unrollings_are_distinct_and_sorted_by_passes(each, built):
    found = fullest_unrollings(each, array_shape(built, each), COUNT)
    passes = [math.prod(unroll(each, chosen).temporal.values()) for chosen in found]
    assert 1 <= len(found) <= COUNT
    assert passes == sorted(passes)
    assert len({str(chosen) for chosen in found}) == len(found)


@settings(max_examples=60)
@given(each=layers, built=machines)
def test_fullest_has_no_more_passes_than_the_reference(each, built):
    theirs = reference_unrollings(each, array_shape(built, each))
    assume(theirs)
    ours = fullest_unrollings(each, array_shape(built, each), COUNT)
    best, other = (
        min(math.prod(unroll(each, chosen).temporal.values()) for chosen in some)
        for some in (ours, theirs)
    )
    assert best <= other


@given(st.integers(1, 300), st.integers(1, 300))
def test_useful_sizes_are_the_smallest_for_their_passes(bound, available):
    smallest = {}
    for size in range(min(bound, available), 0, -1):
        smallest[math.ceil(bound / size)] = size
    assert useful_sizes(bound, available) == sorted(smallest.values(), reverse=True)


@settings(max_examples=60)
@given(each=layers, built=machines)
def test_every_unrolled_loop_has_one_place_per_operand(each, built):
    """Between the multipliers and the lowest memory whose instances serve its dimension."""
    hierarchy = {operand: built.levels(operand) for operand in OPERANDS}
    for chosen in fullest_unrollings(each, array_shape(built, each), COUNT):
        unrolling = unroll(each, chosen)
        _, whole = spatial_arrays(unrolling, built, hierarchy)
        for o, operand in enumerate(OPERANDS):
            assert whole[o].prod() == math.prod(size for *_, size in unrolling.loops)
            for place, sizes in enumerate(whole[o]):
                for array_dim, dim, _, _ in unrolling.loops:
                    served = [array_dim in built.memories[m].served for m in hierarchy[operand]]
                    if place == served.index(True):
                        assert sizes[DIMS.index(dim)] > 1
