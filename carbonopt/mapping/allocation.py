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
    bits: Floats,
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
    bits: Floats,
    dims: Ints,
    cuts: Ints,
    tiles: Floats,
) -> Bools:
    """Tell whether given cuts (n, 3, depth) fit, by the rules of `allocate_greedily`."""
    n = len(dims)
    legal = np.ones(n, np.bool_)
    for row in range(n):
        held = _held_bits(
            levels, memory, doubled, reduced[which[row]], bits, dims[row], cuts[row], tiles[row]
        )
        room = capacity[which[row]]
        legal[row] = (_used_bits(levels, memory, held, len(room)) <= room).all()
    return legal


@njit(cache=True)
def repair_cuts(
    levels: Ints,
    memory: Ints,
    capacity: Floats,
    doubled: Bools,
    reduced: Bools,
    which: Ints,
    bits: Floats,
    dims: Ints,
    cuts: Ints,
    tiles: Floats,
) -> Bools:
    """Turn wished cuts (n, 3, depth) into legal ones, in place; tell which cannot be (n,).

    No level keeps fewer loops than the one below, and an operand's last keeps all. Then, as long
    as a memory is too small, the largest tile in it that can shrink loses its outermost loop, at
    the levels below too where they keep that loop. Legal cuts stay as they are.

    Parameters are those of `allocate_greedily`.
    """
    n, loops = dims.shape
    legal = np.ones(n, np.bool_)
    for row in range(n):
        here, room = cuts[row], capacity[which[row]]
        for operand in range(3):
            here[operand, levels[operand] - 1] = loops
            for level in range(1, levels[operand]):
                here[operand, level] = max(here[operand, level - 1], here[operand, level])
        while True:
            held = _held_bits(
                levels, memory, doubled, reduced[which[row]], bits, dims[row], here, tiles[row]
            )
            over = np.flatnonzero(_used_bits(levels, memory, held, len(room)) > room)
            if len(over) == 0:
                break
            if not _shrink(over[0], levels, memory, held, here):
                legal[row] = False
                break
    return legal


@njit(cache=True)
def _shrink(m: int, levels: Ints, memory: Ints, held: Floats, cuts: Ints) -> bool:
    """Take one loop from the largest tile in memory m that can shrink; False if none can."""
    largest, operand, level = -1.0, 0, 0
    for o in range(3):
        for lower in range(levels[o] - 1):
            if memory[o, lower] == m and cuts[o, lower] > 0 and held[o, lower] > largest:
                largest, operand, level = held[o, lower], o, lower
    kept = cuts[operand, level] - 1
    for lower in range(level + 1):
        cuts[operand, lower] = min(cuts[operand, lower], kept)
    return largest >= 0


@njit(cache=True)
def _held_bits(
    levels: Ints,
    memory: Ints,
    doubled: Bools,
    reduced: Bools,
    bits: Floats,
    dims: Ints,
    cuts: Ints,
    tiles: Floats,
) -> Floats:
    """Room that each operand takes at each level of one mapping (3, depth) [bit]."""
    held = np.zeros(cuts.shape)
    for operand in range(3):
        for level in range(levels[operand]):
            below = cuts[operand, level - 1] if level > 0 else 0
            width = _width(operand, bits, dims, below, reduced[level])
            elements = tiles[operand, level]
            tile = elements[cuts[operand, level]]
            replaced = doubled[memory[operand, level]] and tile < elements[len(dims)]
            held[operand, level] = tile * width * (2.0 if replaced else 1.0)
    return held


@njit(cache=True)
def _used_bits(levels: Ints, memory: Ints, held: Floats, memories: int) -> Floats:
    """Room that a mapping takes in each memory (m,) [bit]."""
    used = np.zeros(memories)
    for operand in range(3):
        for level in range(levels[operand]):
            used[memory[operand, level]] += held[operand, level]
    return used


@njit(cache=True)
def _fill_memory(
    m: int,
    level: Ints,
    levels: Ints,
    memory: Ints,
    capacity: float,
    doubled: bool,
    reduced: Bools,
    bits: Floats,
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
def _width(operand: int, bits: Floats, dims: Ints, below: int, reduced: bool) -> float:
    """Return the bits per element of an operand at a level, loops from `below` on above it."""
    if operand < 2:
        return float(bits[operand])
    if reduced:
        return float(bits[2])
    for loop in range(below, len(dims)):
        if dims[loop] >= 5:
            return float(bits[2])
    return float(bits[3])


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
