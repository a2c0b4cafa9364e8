"""Allocation: how many of the ordered loops each memory level of each operand keeps."""

from __future__ import annotations

import numpy as np
from numba import njit

from carbonopt.arrays import Bools, Floats, Ints


@njit(cache=True)
def allocate_greedily(
    levels: Ints,
    memory: Ints,
    capacity: Floats,
    doubled: Bools,
    reduced: Bools,
    which: Ints,
    bits: Ints,
    dims: Ints,
    sizes: Ints,
    tiles: Floats,
) -> tuple[Ints, Bools]:
    """Fill the memories from the inside out, each as full as leaves the least to be moved.

    At each memory the loops kept per operand minimise the sum of (tile bits x loops left
    above) within one instance's capacity; a memory that is an operand's last keeps the rest.

    Parameters
    ----------
    levels, bits, dims, sizes, tiles
        As in `carbonopt.mapping.access.count_transfers`, tiles of fractional unrollings.
    memory
        Memory of each operand's levels (3, depth).
    capacity, which
        Capacity of each memory (u, m) [bit] under each unrolling, and each order's (n,).
    doubled
        Memories in which tiles that are replaced take twice their size (m,).
    reduced
        Whether outputs of a level are summed further over unrolled loops (u, depth).

    Returns
    -------
    cuts
        Loops at or below each level (n, 3, depth).
    legal
        Whether everything fits (n,).

    References
    ----------
    .. [1] LOMA, as in CarbonSpot, opt/temporal/loma/memory_allocator.py.
    """
    n = len(dims)
    cuts = np.zeros((n, 3, memory.shape[1]), np.int64)
    legal = np.ones(n, np.bool_)
    for row in range(n):
        level = np.zeros(3, np.int64)
        for m in range(capacity.shape[1]):
            if not _fill_memory(
                m, level, levels, memory, capacity[which[row], m], doubled[m],
                reduced[which[row]], bits, dims[row], sizes[row], tiles[row], cuts[row],
            ):  # fmt: skip
                legal[row] = False
                break
    return cuts, legal


@njit(cache=True)
def allocation_fits(
    levels: Ints,
    memory: Ints,
    capacity: Floats,
    doubled: Bools,
    reduced: Bools,
    which: Ints,
    bits: Ints,
    dims: Ints,
    cuts: Ints,
    tiles: Floats,
) -> Bools:
    """Tell whether given cuts (n, 3, depth) fit, by the rules of `allocate_greedily`."""
    n, loops = dims.shape
    legal = np.ones(n, np.bool_)
    for row in range(n):
        used = np.zeros(capacity.shape[1])
        for operand in range(3):
            for level in range(levels[operand]):
                below = cuts[row, operand, level - 1] if level > 0 else 0
                width = _width(operand, bits, dims[row], below, reduced[which[row], level])
                elements = tiles[row, operand, level]
                tile = elements[cuts[row, operand, level]]
                m = memory[operand, level]
                replaced = doubled[m] and tile < elements[loops]
                used[m] += tile * width * (2.0 if replaced else 1.0)
        legal[row] = (used <= capacity[which[row]]).all()
    return legal


@njit(cache=True)
def _fill_memory(
    m: int,
    level: Ints,
    levels: Ints,
    memory: Ints,
    capacity: float,
    doubled: bool,
    reduced: Bools,
    bits: Ints,
    dims: Ints,
    sizes: Ints,
    elements: Floats,
    cuts: Ints,
) -> bool:
    """Choose the loops that memory m keeps for each of its operands; False if nothing fits."""
    loops = len(dims)
    first = np.zeros(3, np.int64)
    last = np.full(3, -1, np.int64)
    tiles = np.zeros((3, loops + 1))
    costs = np.zeros((3, loops + 1))
    for operand in range(3):
        here = level[operand]
        if here >= levels[operand] or memory[operand, here] != m:
            last[operand] = 0
            continue
        below = cuts[operand, here - 1] if here > 0 else 0
        width = _width(operand, bits, dims, below, reduced[here])
        tiles[operand, : loops - below + 1] = elements[operand, here, below:] * width
        if doubled:
            whole = tiles[operand, loops - below]
            for kept in range(loops - below):
                tiles[operand, kept] *= 2.0 if tiles[operand, kept] < whole else 1.0
        last[operand] = -1
        for kept in range(loops - below + 1):
            if tiles[operand, kept] > capacity:
                break
            last[operand] = kept
        if last[operand] < 0:
            return False
        if here == levels[operand] - 1:
            if below + last[operand] < loops:
                return False
            first[operand] = last[operand]
        else:
            _moved_bits(sizes, below, last[operand], tiles[operand], costs[operand])
    best = _cheapest(first, last, tiles, costs, capacity)
    if best[0] < 0:
        return False
    for operand in range(3):
        here = level[operand]
        if here < levels[operand] and memory[operand, here] == m:
            below = cuts[operand, here - 1] if here > 0 else 0
            cuts[operand, here] = below + best[operand]
            level[operand] += 1
    return True


@njit(cache=True)
def _width(operand: int, bits: Ints, dims: Ints, below: int, reduced: bool) -> int:
    """Return the precision of an operand at a level with the loops from `below` on above it."""
    if operand < 2:
        return int(bits[operand])
    if reduced:
        return int(bits[2])
    for loop in range(below, len(dims)):
        if dims[loop] >= 5:
            return int(bits[2])
    return int(bits[3])


@njit(cache=True)
def _moved_bits(sizes: Ints, below: int, last: int, tiles: Floats, costs: Floats) -> None:
    """Fill the bits moved from above if a level keeps 0 … `last` further loops."""
    for kept in range(last + 1):
        left = 1.0
        for loop in range(below + kept, len(sizes)):
            left *= sizes[loop]
        costs[kept] = left * tiles[kept]


@njit(cache=True)
def _cheapest(
    first: Ints, last: Ints, tiles: Floats, costs: Floats, capacity: float
) -> tuple[int, int, int]:
    """Return the loops kept per operand at least cost, the last such choice on ties."""
    best = (-1, -1, -1)
    best_cost = np.inf
    for i in range(first[0], last[0] + 1):
        for w in range(first[1], last[1] + 1):
            for o in range(first[2], last[2] + 1):
                if tiles[0, i] + tiles[1, w] + tiles[2, o] > capacity:
                    continue
                cost = costs[0, i] + costs[1, w] + costs[2, o]
                if cost <= best_cost:
                    best, best_cost = (i, w, o), cost
    return best
