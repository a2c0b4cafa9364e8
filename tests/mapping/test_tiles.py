"""Tiles against listing their elements."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbonopt.mapping.tiles import input_extent, prefix_tiles
from carbonopt.workload.layer import DIMS

pytestmark = pytest.mark.property

UNLIMITED = 10.0**9
counts = st.integers(1, 9)
steps = st.integers(1, 5)


def positions(outputs, kernel, stride, dilation):
    """Every input position that some output reads through some kernel element."""
    pairs = itertools.product(range(outputs), range(kernel))
    return {stride * output + dilation * element for output, element in pairs}


@given(counts, counts, steps, steps)
def test_input_extent_counts_the_distinct_positions(outputs, kernel, stride, dilation):
    listed = positions(outputs, kernel, stride, dilation)
    assert input_extent(outputs, kernel, stride, dilation, UNLIMITED, 0.0) == len(listed)


@given(counts, counts, steps, steps, st.integers(1, 40))
def test_input_extent_is_clipped_to_the_tensor(outputs, kernel, stride, dilation, limit):
    listed = positions(outputs, kernel, stride, dilation)
    assert input_extent(outputs, kernel, stride, dilation, limit, 0.0) == min(len(listed), limit)


@given(st.integers(1, 600), st.integers(1, 64))
def test_means_over_the_passes_add_up_to_whole_positions(bound, size):
    passes = math.ceil(bound / size)
    mean = bound / passes
    assert input_extent(mean * passes, 1.0, 1.0, 1.0, UNLIMITED, 0.0) == bound


def of_positions(geometry):
    """The geometry with the switch for broken positions left off."""
    return np.array([(*axis, 0.0) for axis in geometry])


def elements(operand, bounds, geometry):
    """List the elements of an operand under loop bounds as tuples of coordinates."""
    b, k, g, ox, oy, c, fx, fy = (range(bound) for bound in bounds)
    if operand == 1:
        return set(itertools.product(g, k, c, fx, fy))
    if operand == 2:
        return set(itertools.product(b, g, k, ox, oy))
    along = []
    for outputs, kernel, (stride, dilation, limit) in zip(
        (ox, oy), (fx, fy), geometry, strict=True
    ):
        listed = positions(len(outputs), len(kernel), int(stride), int(dilation))
        along.append(sorted(listed)[: int(limit)])
    return set(itertools.product(b, g, c, *along))


loops = st.tuples(st.integers(0, len(DIMS) - 1), st.integers(1, 3))


@settings(max_examples=50)
@given(
    levels=st.tuples(*[st.integers(1, 3)] * 3),
    temporal=st.lists(loops, max_size=4),
    spatial=st.lists(st.tuples(loops, st.tuples(*[st.integers(0, 3)] * 3)), max_size=2),
    geometry=st.tuples(*[st.tuples(steps, steps, st.integers(1, 30))] * 2),
)
def test_prefix_tiles_count_the_listed_elements(levels, temporal, spatial, geometry):
    unrolled = np.ones((1, 3, max(levels) + 1, len(DIMS)))
    for (dim, size), places in spatial:
        for operand, place in enumerate(places):
            unrolled[0, operand, min(place, levels[operand]), dim] *= size
    order = np.array(temporal, dtype=np.int64).reshape(-1, 2)
    tiles = prefix_tiles(
        np.array(levels), unrolled, np.zeros(1, np.int64), of_positions(geometry),
        order[None, :, 0], order[None, :, 1],
    )  # fmt: skip
    for operand in range(3):
        for level in range(levels[operand] + 1):
            for inside in range(len(temporal) + 1):
                bounds = unrolled[0, operand, : level + 1].prod(axis=0).astype(int)
                for dim, size in temporal[:inside]:
                    bounds[dim] *= size
                listed = elements(operand, bounds, geometry)
                assert tiles[0, operand, level, inside] == len(listed)
