"""Traffic of mapped layers: which tile crosses which memory boundary, how often, how wide.

A batch of n mappings of one layer shares its spatial unrolling; each has its own loop order
and its own cuts. All functions here are compiled and know elements and cycles only, never
joules or seconds.

Index conventions (all arrays): operand I = 0, W = 1, O = 2; loop dimension as in
`carbonopt.workload.layer.DIMS`; direction of a transfer at a level: 0 = written from the
level above, 1 = read to the level below, 2 = written from below, 3 = read to above.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from carbonopt.arrays import Floats, Ints

IRRELEVANT, RELEVANT, PARTIAL = 0, 1, 2
RELEVANCE = np.array(
    [  # B  K  G OX OY  C FX FY
        [1, 0, 1, 2, 2, 1, 2, 2],  # I
        [0, 1, 1, 0, 0, 1, 1, 1],  # W
        [1, 1, 1, 1, 1, 0, 0, 0],  # O
    ],
    dtype=np.int64,
)
"""Whether a loop dimension indexes an operand: (3 operands, 8 dimensions)."""

MAX_LEVELS = 4
FROM_ABOVE, TO_BELOW, FROM_BELOW, TO_ABOVE = range(4)


@njit(cache=True)
def input_extent(
    outputs: float, kernel: float, stride: float, dilation: float, limit: float
) -> float:
    """Count distinct input positions under `outputs` x `kernel` positions along one axis.

    extent = floor(A B − max(0, B − s/g) (A − d/g)) with g = gcd(s, d), at most `limit`, the
    true size of the tensor [elements]; A output and B kernel positions may be fractional.
    """
    divisor = math.gcd(int(stride), int(dilation))
    reuse = max(0.0, kernel - stride / divisor) * (outputs - dilation / divisor)
    return min(math.floor(outputs * kernel - reuse), limit)


@njit(cache=True)
def tile_elements(operand: int, sizes: Floats, geometry: Floats) -> float:
    """Count elements of an operand under loops of the given `sizes` (8,) [elements].

    `geometry` (2 axes, 3) holds stride, dilation and input size along x and y.
    """
    if operand == 1:
        return sizes[1] * sizes[2] * sizes[5] * sizes[6] * sizes[7]
    if operand == 2:
        return sizes[0] * sizes[1] * sizes[2] * sizes[3] * sizes[4]
    along_x = input_extent(sizes[3], sizes[6], geometry[0, 0], geometry[0, 1], geometry[0, 2])
    along_y = input_extent(sizes[4], sizes[7], geometry[1, 0], geometry[1, 1], geometry[1, 2])
    return sizes[0] * sizes[2] * sizes[5] * along_x * along_y


@njit(cache=True)
def merge_stationary(
    relevance: Ints, levels: Ints, dims: Ints, cuts: Ints
) -> None:
    """Move the innermost irrelevant loops of each level down to the level below, in place.

    A loop that does not index an operand leaves its tile where it is, so it may count for the
    level below at no cost. `dims` (n, loops) are loop orders, innermost first; `cuts`
    (n, 3, MAX_LEVELS) counts the loops at or below each level.
    """
    n, loops = dims.shape
    for row in range(n):
        for operand in range(3):
            for level in range(levels[operand] - 2, -1, -1):
                cut = cuts[row, operand, level]
                while cut < loops and relevance[operand, dims[row, cut]] == IRRELEVANT:
                    cut += 1
                cuts[row, operand, level] = cut


@njit(cache=True)
def _spatial_counts(
    operand: int, level_count: int, spatial: Floats, geometry: Floats
) -> tuple[Floats, Floats]:
    """Unique elements and instances above each level of one operand: (levels + 1,) each."""
    unique = np.ones(MAX_LEVELS + 1)
    instances = np.ones(MAX_LEVELS + 1)
    below = np.ones(8)
    whole = np.ones(8)
    for level in range(level_count + 1):
        whole *= spatial[operand, level]
    everything = tile_elements(operand, whole, geometry)
    for level in range(level_count + 1):
        unique[level] = everything / tile_elements(operand, below, geometry)
        product = 1.0
        for dim in range(8):
            product *= whole[dim] / below[dim]
        instances[level] = round(round(product, 3))
        below *= spatial[operand, level]
    return unique, instances


@njit(cache=True)
def _loop_products(
    operand: int, level_count: int, relevance: Ints, dims: Ints, sizes: Ints, cuts: Ints
) -> tuple[Floats, Floats, float]:
    """Cycles below each boundary, reduction loops above it, and the stationary cycles."""
    cycles = np.ones(MAX_LEVELS + 1)
    reduction = np.ones(MAX_LEVELS + 1)
    stationary = 1.0
    start = 0
    leading = True
    for level in range(level_count):
        cycles[level + 1] = cycles[level]
        for loop in range(start, cuts[level]):
            cycles[level + 1] *= sizes[loop]
            leading = leading and level == 0 and relevance[dims[loop]] == IRRELEVANT
            if leading:
                stationary *= sizes[loop]
            if dims[loop] >= 5:
                for boundary in range(level + 1):
                    reduction[boundary] *= sizes[loop]
        start = cuts[level]
    return cycles, reduction, stationary if operand != 2 else 1.0


@njit(cache=True)
def _transfers_of_operand(
    operand: int,
    level_count: int,
    spatial: Floats,
    geometry: Floats,
    bits: Ints,
    dims: Ints,
    sizes: Ints,
    cuts: Ints,
    boost: Floats,
    reduced_above: Floats,
    relevance: Ints,
    amount: Floats,
    period: Floats,
    width: Floats,
    tile: Floats,
) -> None:
    """Fill the transfers of one operand of one mapping, (MAX_LEVELS, 4) each."""
    cycles, reduction, stationary = _loop_products(
        operand, level_count, relevance, dims, sizes, cuts
    )
    bounds = np.ones(8)
    held = 1.0
    start = 0
    for level in range(level_count):
        bounds *= spatial[level]
        for loop in range(start, cuts[level]):
            bounds[dims[loop]] *= sizes[loop]
        start = cuts[level]
        held_below, held = held, float(round(tile_elements(operand, bounds, geometry)))
        tile[level] = held
        period_below = cycles[level] if level > 0 else stationary
        psum_below = psum_above = False
        if operand == 2:
            psum_below = reduction[level] * reduced_above[level] > 1
            psum_above = level + 1 < level_count and (
                reduction[level + 1] * reduced_above[level + 1] > 1
            )
        for direction in range(4):
            above = direction == FROM_ABOVE or direction == TO_ABOVE
            partial = psum_above if above else psum_below
            if operand == 2:
                used = direction == FROM_BELOW or direction == TO_ABOVE or partial
                width[level, direction] = bits[2] if partial else bits[3]
            else:
                used = direction == FROM_ABOVE or direction == TO_BELOW
                width[level, direction] = bits[operand]
            if used and not (above and level == level_count - 1):
                amount[level, direction] = held if above else held_below * boost[level]
            period[level, direction] = cycles[level + 1] if above else period_below


@njit(cache=True)
def count_transfers(
    relevance: Ints,
    levels: Ints,
    spatial: Floats,
    geometry: Floats,
    bits: Ints,
    dims: Ints,
    sizes: Ints,
    cuts: Ints,
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Count the transfers of n mappings that share one spatial unrolling.

    Parameters
    ----------
    relevance
        `RELEVANCE` (3, 8).
    levels
        Memory levels of each operand (3,).
    spatial
        Unrolled sizes (3, MAX_LEVELS + 1, 8): entry [o, a] lies between level a − 1 and level
        a of operand o (a = 0: between the multipliers and level 0).
    geometry
        Stride, dilation, input size along x and y (2, 3).
    bits
        Precision of I, W, partial sum, final output (4,) [bit].
    dims, sizes
        Temporal loops, innermost first (n, loops).
    cuts
        Loops at or below each level (n, 3, MAX_LEVELS), after `merge_stationary`.

    Returns
    -------
    amount, period, width
        Elements per transfer, cycles between transfers, bits per element:
        (n, 3, MAX_LEVELS, 4 directions); amount 0 where there is no transfer.
    tile
        Elements that one instance of a level holds (n, 3, MAX_LEVELS).
    instances
        Instances that take part in a transfer at a level (3, MAX_LEVELS).
    """
    n, loops = dims.shape
    shape = (n, 3, MAX_LEVELS, 4)
    amount, period, width = np.zeros(shape), np.ones(shape), np.zeros(shape)
    tile = np.zeros(shape[:3])
    instances = np.ones((3, MAX_LEVELS))
    boost = np.ones((3, MAX_LEVELS))
    reduced_above = np.ones((3, MAX_LEVELS + 1))
    for operand in range(3):
        unique, count = _spatial_counts(operand, levels[operand], spatial, geometry)
        for level in range(levels[operand]):
            instances[operand, level] = count[level + 1]
            boost[operand, level] = round(unique[level] / unique[level + 1])
    for level in range(levels[2] - 1, -1, -1):
        unrolled = spatial[2, level + 1]
        reduced_above[2, level] = reduced_above[2, level + 1] * unrolled[5] * unrolled[6] * unrolled[7]
    for row in range(n):
        for operand in range(3):
            _transfers_of_operand(
                operand, levels[operand], spatial[operand], geometry, bits, dims[row], sizes[row],
                cuts[row, operand], boost[operand], reduced_above[2], relevance[operand],
                amount[row, operand], period[row, operand], width[row, operand],
                tile[row, operand],
            )
    return amount, period, width, tile, instances
