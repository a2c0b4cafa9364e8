"""Unrollings: within the array and the layer, and only where the registers permit them."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
from designs import layer, machine
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from carbonopt.hardware.machine import OPERANDS
from carbonopt.mapping.parallel import (
    fullest_unrollings,
    loop_sizes,
    useful_sizes,
    with_halves,
)
from carbonopt.mapping.reference import reference_unrollings
from carbonopt.mapping.spatial import (
    ArrayShape,
    Unrollings,
    array_shape,
    named_loops,
    unroll,
    unroll_all,
)
from carbonopt.mapping.storage import Storage
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


def fullest(each, built):
    shape = array_shape(built, each)
    return [named_loops(sizes, shape.names) for sizes in fullest_unrollings(each, shape, COUNT)]


SOURCES = {
    "reference": lambda each, built: reference_unrollings(each, array_shape(built, each)),
    "fullest": fullest,
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
    found = fullest(each, built)
    passes = [math.prod(unroll(each, chosen).temporal.values()) for chosen in found]
    assert 1 <= len(found) <= COUNT
    assert passes == sorted(passes)
    assert len({str(chosen) for chosen in found}) == len(found)


@settings(max_examples=60)
@given(each=layers, built=machines)
def test_fullest_has_no_more_passes_than_the_reference(each, built):
    theirs = reference_unrollings(each, array_shape(built, each))
    assume(theirs)
    ours = fullest(each, built)
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
    assert useful_sizes(bound, available).tolist() == sorted(smallest.values(), reverse=True)


@settings(max_examples=60)
@given(each=layers, built=machines)
def test_every_unrolled_loop_has_one_place_per_operand(each, built):
    """Between the multipliers and the lowest memory whose instances serve its dimension."""
    hierarchy = {operand: built.levels(operand) for operand in OPERANDS}
    for chosen in fullest(each, built):
        unrolling = unroll(each, chosen)
        used = Unrollings.of([unrolling], tuple(built.shape))
        whole = Storage(built, hierarchy).spread(used.whole)[0]
        for o, operand in enumerate(OPERANDS):
            assert whole[o].prod() == math.prod(size for *_, size in unrolling.loops)
            for place, sizes in enumerate(whole[o]):
                for array_dim, dim, _, _ in unrolling.loops:
                    served = [array_dim in built.memories[m].served for m in hierarchy[operand]]
                    if place == served.index(True):
                        assert sizes[DIMS.index(dim)] > 1


def test_many_unrollings_at_once_are_what_each_is_alone():
    each, built = layer(K=40, OX=14, OY=7, C=25, FX=5), machine("digital_ws", 64, 48, 3)
    shape = array_shape(built, each)
    asked = with_halves(each, fullest_unrollings(each, shape, COUNT))
    for down in (False, True):
        found = unroll_all(each, shape.names, asked, down=down)
        for u, sizes in enumerate(asked):
            alone = unroll(each, named_loops(sizes, shape.names), down=down)
            assert found.one(u).temporal == alone.temporal
            assert found.one(u).asked == alone.asked
            for ours, theirs in zip(found.one(u).loops, alone.loops, strict=True):
                assert ours == (*theirs[:2], pytest.approx(theirs[2]), theirs[3])


def test_halves_leave_one_loop_half_as_far():
    """Of 10 columns 5 are half, of 5 rows 3: as many as the passes need that they leave."""
    asked = loop_sizes({"D1": (("K", 10),), "D2": (("C", 5),)}, ("D1", "D2"))[None]
    found = with_halves(layer(K=10, C=5), asked)
    assert [named_loops(each, ("D1", "D2")) for each in found] == [
        {"D1": (("K", 10),), "D2": (("C", 5),)},
        {"D1": (("K", 5),), "D2": (("C", 5),)},
        {"D1": (("K", 10),), "D2": (("C", 3),)},
    ]


SMALL = st.integers(1, 7)
SMALL_ARRAYS = st.lists(
    st.tuples(st.integers(1, 9), st.sets(st.sampled_from(DIMS), min_size=1)),
    min_size=1,
    max_size=3,
)


def fewest_passes(bounds, axes):
    """Passes of the best of all legal unrollings, one loop after the other."""
    if not bounds:
        return 1
    (dim, bound), *others = bounds
    best = math.inf
    ranges = (range(1, (size if dim in allowed else 1) + 1) for size, allowed in axes)
    for sizes in itertools.product(*ranges):
        left = [(size // n, allowed) for n, (size, allowed) in zip(sizes, axes, strict=True)]
        best = min(best, -(-bound // math.prod(sizes)) * fewest_passes(others, left))
    return best


@settings(max_examples=100, deadline=None)
@given(
    each=st.builds(layer, K=SMALL, G=SMALL, OX=SMALL, C=SMALL, FX=st.integers(1, 3)),
    axes=SMALL_ARRAYS,
)
def test_the_first_has_the_fewest_passes_of_all_unrollings(each, axes):
    names = tuple(f"D{a}" for a, _ in enumerate(axes))
    allowed = tuple(tuple(sorted(dims)) for _, dims in axes)
    shape = ArrayShape(
        names, tuple(size for size, _ in axes), allowed, allowed, ((),) * len(axes),
        diagonal=False, unit_stride=False,
    )  # fmt: skip
    first = fullest_unrollings(each, shape, 1)[0]
    assert (first.prod(axis=1) <= shape.sizes).all()
    passes = math.prod(-(-np.array(each.sizes) // first.prod(axis=0)))
    bounds = [(dim, bound) for dim, bound in each.loops.items() if bound > 1]
    assert passes == fewest_passes(bounds, axes)
