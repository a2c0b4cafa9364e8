"""Traffic against a simulation that walks every iteration of small loop nests.

The simulator below lists, iteration by iteration, which tile lies below each boundary of each
operand, and counts how often it changes. Where the model departs from what hardware could do
at best, the simulator follows the model by an explicit rule:

1. A tile is moved whole whenever the loops above it that index it advance: inputs which
   neighbouring tiles share (halo) are loaded again, and a tile that other loop values would
   describe as well is not recognised.
2. Every partial sum that is written to a level is read from it once, the first one included.
3. Multipliers write their output every cycle, whether or not it changes.
4. The multipliers below one instance of a level read the distinct elements of its unrolled
   loops times the tile below: overlaps between the two count twice.
5. The copy of a level that different unrolled loops use counts as often as there are loops
   outside it, whether or not the copies hold the same elements.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbonopt.mapping.access import (
    FROM_ABOVE,
    FROM_BELOW,
    TO_ABOVE,
    TO_BELOW,
    count_transfers,
    instance_counts,
    merge_stationary,
)
from carbonopt.mapping.tiles import IRRELEVANT, RELEVANCE, prefix_tiles
from carbonopt.workload.layer import DIMS

pytestmark = pytest.mark.property

BITS = (8, 7, 16, 9)  # input, weight, partial sum, final output: all different
INPUT, WEIGHT, OUTPUT = range(3)
REDUCTION = tuple(DIMS.index(dim) for dim in ("C", "FX", "FY"))


class Nest:
    """A loop nest on any number of memory levels per operand.

    `temporal` are (dim, size), innermost first; `cuts[operand][level]` of them lie at or below
    a level. `spatial` are ((dim, size), places): below level `places[operand]`.
    """

    def __init__(self, temporal, spatial, cuts, geometry):
        self.temporal, self.spatial = temporal, spatial
        self.cuts, self.geometry = cuts, geometry

    def levels(self, operand):
        return len(self.cuts[operand])

    def outside(self, operand, boundary):
        """Temporal loops above a boundary (boundary b lies below level b), by position."""
        first = self.cuts[operand][boundary - 1] if boundary else 0
        return range(first, len(self.temporal))

    def walk(self):
        """Visit every iteration as the value of each loop, the innermost running fastest."""
        ranges = [range(size) for _, size in reversed(self.temporal)]
        for values in itertools.product(*ranges):
            yield values[::-1]

    def tile_index(self, operand, boundary, values):
        """What tells one tile below a boundary from another: the loops above that index it."""
        return tuple(
            values[loop]
            for loop in self.outside(operand, boundary)
            if RELEVANCE[operand, self.temporal[loop][0]] != IRRELEVANT
        )

    def visits(self, operand, boundary):
        """The tiles that lie below a boundary one after the other, a stay counted once."""
        indices = [self.tile_index(operand, boundary, values) for values in self.walk()]
        return [index for index, _ in itertools.groupby(indices)]

    def elements(self, operand, boundary, *, unrolled_only=False):
        """Count the elements of an operand below a boundary, in one instance above it."""
        bounds = [1] * len(DIMS)
        for (dim, size), places in self.spatial:
            if places[operand] < boundary:
                bounds[dim] *= size
        if boundary and not unrolled_only:
            for dim, size in self.temporal[: self.cuts[operand][boundary - 1]]:
                bounds[dim] *= size
        b, k, g, ox, oy, c, fx, fy = bounds
        if operand == WEIGHT:
            return k * g * c * fx * fy
        if operand == OUTPUT:
            return b * k * g * ox * oy
        along = []
        for outputs, kernel, (stride, dilation, limit) in zip(
            (ox, oy), (fx, fy), self.geometry, strict=True
        ):
            pairs = itertools.product(range(outputs), range(kernel))
            along.append(min(limit, len({stride * o + dilation * f for o, f in pairs})))
        return b * g * c * along[0] * along[1]

    def fan_out(self, operand, level):
        """Distinct elements side by side below a level, per element below the next one."""
        wide, narrow = (
            self.elements(operand, boundary, unrolled_only=True) for boundary in (level + 1, level)
        )
        return round(wide / narrow)

    def copies(self, operand, level):
        """Instances of a level: all values of the loops unrolled outside it (rule 5)."""
        return math.prod(size for (_, size), places in self.spatial if places[operand] > level)

    def is_partial(self, boundary):
        """Whether an output that crosses a boundary upwards still lacks summands."""
        if boundary == self.levels(OUTPUT):
            return False
        if any(
            dim in REDUCTION and size > 1 and places[OUTPUT] > boundary
            for (dim, size), places in self.spatial
        ):
            return True  # another instance sums the rest
        visits = self.visits(OUTPUT, boundary)
        if boundary == 0:
            visits = [self.tile_index(OUTPUT, 0, values) for values in self.walk()]  # rule 3
        return len(visits) > len(set(visits))

    def traffic(self):
        """Elements per transfer, number of transfers and bits of all that move."""
        moved = {}
        for operand in range(3):
            for level in range(self.levels(operand)):
                tile = self.elements(operand, level + 1)
                below = self.fan_out(operand, level) * self.elements(operand, level)  # rule 4
                loads = {side: len(self.visits(operand, level + side)) for side in (0, 1)}
                top = level == self.levels(operand) - 1
                if operand != OUTPUT:
                    bits = BITS[operand]
                    moved[operand, level, TO_BELOW] = (below, loads[0], bits)
                    if not top:
                        moved[operand, level, FROM_ABOVE] = (tile, loads[1], bits)
                    continue
                if level == 0:
                    loads[0] = sum(1 for _ in self.walk())  # rule 3
                bits = {side: BITS[2 if self.is_partial(level + side) else 3] for side in (0, 1)}
                moved[operand, level, FROM_BELOW] = (below, loads[0], bits[0])
                if self.is_partial(level):
                    moved[operand, level, TO_BELOW] = (below, loads[0], bits[0])  # rule 2
                if not top:
                    moved[operand, level, TO_ABOVE] = (tile, loads[1], bits[1])
                    if self.is_partial(level + 1):
                        moved[operand, level, FROM_ABOVE] = (tile, loads[1], bits[1])
        return moved


def modelled(nest):
    """The same by the package, with the copies of each level."""
    levels = np.array([nest.levels(operand) for operand in range(3)])
    spatial = np.ones((1, 3, levels.max() + 1, len(DIMS)))
    for (dim, size), places in nest.spatial:
        for operand, place in enumerate(places):
            spatial[0, operand, place, dim] *= size
    loops = np.array(nest.temporal, dtype=np.int64).reshape(-1, 2)
    dims, sizes = loops[None, :, 0].copy(), loops[None, :, 1].copy()
    cuts = np.zeros((1, 3, levels.max()), dtype=np.int64)
    for operand, own in enumerate(nest.cuts):
        cuts[0, operand, : len(own)] = own
    merge_stationary(RELEVANCE, levels, dims, cuts)
    which = np.zeros(1, dtype=np.int64)
    geometry = np.array([(*axis, 0.0) for axis in nest.geometry])
    tiles = prefix_tiles(levels, spatial, which, geometry, dims, sizes)
    bits = np.array(BITS)
    traffic = count_transfers(RELEVANCE, levels, spatial, which, bits, dims, sizes, cuts, tiles)
    amount, count = traffic.amount[0], sizes.prod() / traffic.period[0]
    moved = {
        tuple(int(i) for i in where): (amount[tuple(where)], count[tuple(where)], width)
        for where in np.argwhere(amount > 0)
        for width in [traffic.width[0][tuple(where)]]
    }
    return moved, instance_counts(levels, spatial)[0]


def nested_cuts(loops, levels, draw):
    """Draw rising cuts of the loops for a number of levels; the last level keeps all."""
    inner = sorted(draw(st.integers(0, loops)) for _ in range(levels - 1))
    return (*inner, loops)


@st.composite
def nests(draw):
    loop = st.tuples(st.integers(0, len(DIMS) - 1), st.sampled_from([2, 2, 3]))
    temporal = draw(st.lists(loop, max_size=5))
    temporal += [(0, 1)] * draw(st.integers(0, 1))  # as shorter orders are filled up
    levels = [draw(st.integers(1, 6)) for _ in range(3)]
    cuts = [nested_cuts(len(temporal), each, draw) for each in levels]
    places = st.tuples(*(st.integers(0, each) for each in levels))
    spatial = draw(st.lists(st.tuples(loop, places), max_size=3))
    axis = st.tuples(st.integers(1, 3), st.integers(1, 2), st.sampled_from([2, 5, 1000]))
    return Nest(temporal, spatial, cuts, (draw(axis), draw(axis)))


@settings(max_examples=400)
@given(nests())
def test_transfers_are_those_of_a_walk_through_the_loops(nest):
    moved, copies = modelled(nest)
    assert moved == nest.traffic()
    for operand in range(3):
        for level in range(nest.levels(operand)):
            assert copies[operand, level] == nest.copies(operand, level)


@given(nests())
def test_what_a_level_writes_up_the_next_one_takes(nest):
    """Per boundary, all instances below send as much as all above receive, unless shared."""
    moved, copies = modelled(nest)
    for operand in range(3):
        for level in range(nest.levels(operand) - 1):
            shared = any(
                RELEVANCE[operand, dim] != 1 and places[operand] == level + 1
                for (dim, _), places in nest.spatial
            )
            if shared:
                continue
            low, high = (TO_ABOVE, FROM_BELOW) if operand == OUTPUT else (FROM_ABOVE, TO_BELOW)
            below, above = moved[operand, level, low], moved[operand, level + 1, high]
            sent = below[0] * below[1] * copies[operand, level]
            received = above[0] * above[1] * copies[operand, level + 1]
            assert sent == received
            assert below[2] == above[2]


def test_a_convolution_by_hand():
    """Two output positions x three kernel elements, weights kept: the simulator itself.

    Inner loop FX 3, outer loop OX 2. The register of weights holds one element and is loaded
    at each step; with the kernel's loop below the cut it holds all three and is loaded once.
    """
    loops = [(DIMS.index("FX"), 3), (DIMS.index("OX"), 2)]
    geometry = ((1, 1, 1000), (1, 1, 1000))
    every_step = Nest(loops, [], [(0, 2)] * 3, geometry).traffic()
    kept = Nest(loops, [], [(1, 2)] * 3, geometry).traffic()
    assert every_step[WEIGHT, 0, FROM_ABOVE] == (1, 6, 7)
    assert kept[WEIGHT, 0, FROM_ABOVE] == (3, 1, 7)
    assert kept[INPUT, 0, FROM_ABOVE] == (3, 2, 8)  # the two shared ones are loaded again
    assert every_step[OUTPUT, 0, TO_ABOVE] == (1, 2, 9)  # sums rest while FX runs
    assert every_step[OUTPUT, 0, FROM_BELOW] == (1, 6, 16)
    assert (OUTPUT, 0, FROM_ABOVE) not in every_step
