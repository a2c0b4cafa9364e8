"""Traffic of mapped layers: which tile crosses which memory boundary, how often, how wide.

Each of the n mappings of a batch has its unrolling, its loop order and its cuts. All
functions here are compiled and know elements and cycles only, never joules or seconds.
Transfers at a level have a direction: 0 = written from the level above, 1 = read to the level
below, 2 = written from below, 3 = read to above.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from carbonopt.arrays import Floats, Ints

FROM_ABOVE, TO_BELOW, FROM_BELOW, TO_ABOVE = range(4)
_IRRELEVANT = 0
_OUTPUT = 2
_REDUCTION = 5  # DIMS from here on (C, FX, FY) sum into one output


class Traffic(NamedTuple):
    """Transfers of n mappings, each array (n, 3 operands, depth, 4 directions).

    Parameters
    ----------
    amount
        Elements per transfer and instance; 0 where there is no transfer.
    period
        Cycles from one transfer to the next.
    width
        Bits per element.
    tile
        Elements that one instance of a level holds (n, 3, depth).
    """

    amount: Floats
    period: Floats
    width: Floats
    tile: Floats


@njit(cache=True)
def merge_stationary(relevance: Ints, levels: Ints, dims: Ints, cuts: Ints) -> None:
    """Move the innermost irrelevant loops of each level down to the level below, in place.

    A loop that does not index an operand leaves its tile where it is, so it may count for the
    level below at no cost. `dims` (n, loops) are loop orders, `cuts` (n, 3, depth) count
    the loops at or below each level.
    """
    n, loops = dims.shape
    for row in range(n):
        for operand in range(3):
            for level in range(levels[operand] - 2, -1, -1):
                cut = cuts[row, operand, level]
                while cut < loops and relevance[operand, dims[row, cut]] == _IRRELEVANT:
                    cut += 1
                cuts[row, operand, level] = cut


@njit(cache=True)
def instance_counts(levels: Ints, spatial: Floats) -> Floats:
    """Count the instances that take part in a transfer at each level (u, 3, depth).

    `spatial` as in `carbonopt.mapping.tiles.prefix_tiles`.
    """
    counts = np.ones((len(spatial), 3, spatial.shape[2] - 1))
    for each in range(len(spatial)):
        for operand in range(3):
            product = 1.0
            for level in range(levels[operand] - 1, -1, -1):
                product *= spatial[each, operand, level + 1].prod()
                counts[each, operand, level] = round(round(product, 3))
    return counts


@njit(cache=True)
def _loop_products(
    levels: int, relevance: Ints, dims: Ints, sizes: Ints, cuts: Ints
) -> tuple[Floats, Floats, float]:
    """Cycles below each boundary, reduction loops above it, and cycles at rest at level 0."""
    cycles = np.ones(levels + 1)
    reduction = np.ones(levels + 1)
    resting, leading = 1.0, True
    start = 0
    for level in range(levels):
        cycles[level + 1] = cycles[level]
        for loop in range(start, cuts[level]):
            cycles[level + 1] *= sizes[loop]
            leading = leading and level == 0 and relevance[dims[loop]] == _IRRELEVANT
            if leading:
                resting *= sizes[loop]
            if dims[loop] >= _REDUCTION:
                reduction[: level + 1] *= sizes[loop]
        start = cuts[level]
    return cycles, reduction, resting


@njit(cache=True)
def _input_transfers(
    levels: int, cycles: Floats, resting: float, held: Floats, boost: Floats, traffic: Traffic
) -> None:
    """Fill the reads to below and writes from above of I or W, (depth, 4) each."""
    for level in range(levels):
        traffic.amount[level, 1] = boost[level] * (held[level - 1] if level > 0 else 1.0)
        traffic.period[level, 1] = cycles[level] if level > 0 else resting
        traffic.period[level, 0] = cycles[level + 1]
        if level < levels - 1:
            traffic.amount[level, 0] = held[level]


@njit(cache=True)
def _output_transfers(
    levels: int, cycles: Floats, partial: Floats, held: Floats, boost: Floats, bits: Floats,
    traffic: Traffic,
) -> None:  # fmt: skip
    """Fill the four transfers of O; those down happen for partial sums only."""
    for level in range(levels):
        below = boost[level] * (held[level - 1] if level > 0 else 1.0)
        for direction in range(4):
            above = direction in (FROM_ABOVE, TO_ABOVE)
            is_partial = partial[level + 1 if above else level] > 0
            up = direction in (FROM_BELOW, TO_ABOVE)
            traffic.width[level, direction] = bits[2] if is_partial else bits[3]
            traffic.period[level, direction] = cycles[level + 1] if above else cycles[level]
            if (up or is_partial) and not (above and level == levels - 1):
                traffic.amount[level, direction] = held[level] if above else below


@njit(cache=True)
def count_transfers(
    relevance: Ints,
    levels: Ints,
    spatial: Floats,
    which: Ints,
    bits: Floats,
    dims: Ints,
    sizes: Ints,
    cuts: Ints,
    tiles: Floats,
) -> Traffic:
    """Count the transfers of n mappings.

    Each tile moves whenever a loop that indexes its operand advances above it: amount D,
    period P = product of the loops below. Every partial sum that is written is read once.

    Parameters
    ----------
    relevance
        `carbonopt.mapping.tiles.RELEVANCE` (3, 8).
    levels
        Memory levels of each operand (3,).
    spatial, which
        Unrolled sizes (u, 3, depth + 1, 8), each mapping's unrolling (n,).
    bits
        Precision of I, W, partial sum, final output (4,) [bit].
    dims, sizes
        Temporal loops (n, loops).
    cuts
        Loops at or below each level (n, 3, depth), after `merge_stationary`.
    tiles
        From `prefix_tiles`.

    References
    ----------
    .. [1] ZigZag, as in CarbonSpot, mapping/combined_mapping.py.
    """
    shape = (*cuts.shape, 4)
    traffic = Traffic(np.zeros(shape), np.ones(shape), np.zeros(shape), np.zeros(cuts.shape))
    for row in range(len(dims)):
        for operand in range(3):
            count = levels[operand]
            cycles, reduction, resting = _loop_products(
                count, relevance[operand], dims[row], sizes[row], cuts[row, operand]
            )
            held = traffic.tile[row, operand]
            boost = np.ones(count)
            unrolled = tiles[row, operand, :, 0]
            for level in range(count):
                held[level] = round(tiles[row, operand, level, cuts[row, operand, level]])
                inside = unrolled[level - 1] if level > 0 else 1.0
                boost[level] = round(unrolled[level] / inside)
            here = Traffic(
                traffic.amount[row, operand], traffic.period[row, operand],
                traffic.width[row, operand], held,
            )  # fmt: skip
            if operand == _OUTPUT:
                partial = np.zeros(count + 1)
                above = 1.0
                for level in range(count - 1, -1, -1):
                    above *= spatial[which[row], operand, level + 1, _REDUCTION:].prod()
                    partial[level] = reduction[level] * above > 1
                _output_transfers(count, cycles, partial, held, boost, bits, here)
            else:
                here.width[:] = bits[operand]
                _input_transfers(count, cycles, resting, held, boost, here)
    return traffic
