"""What each tile of unrolled layers costs at each node of a memory hierarchy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from carbonopt.arrays import Bools, Floats, Ints, Number
from carbonopt.mapping.lattice import Lattices
from carbonopt.mapping.tiles import LayerTiles
from carbonopt.mapping.transfers import Rooms, Transfers

_OUTPUT = 2
_SENT = 1  # the way from the memory above


class NodeCosts(NamedTuple):
    """What the tiles of u unrolled layers cost at v nodes.

    Parameters
    ----------
    energy
        Of all transfers [pJ], blocks (v, p of u); inf where the tile does not fit, or where a
        loop indexes the operand of a latch.
    needed
        Cycles of one transfer by way, blocks (v, 4, p of u).
    room
        Bits taken while partial sums or while final outputs come from below, blocks (2, v, p of u).
    single
        Whether there is no room, or no way, for a second tile, blocks (v, p of u).
    first
        Cycles of the first load, or the last store, where the latency counts it, blocks as single.
    writing
        Cycles that an in-memory macro waits for new weights, by the tile in its cells (p,).
    free, whole_room
        Bits that each shared memory has to give (u, shared), and bits of all outputs while partial
        sums or final outputs come from below (u, 2).
    fits
        Whether the whole operands fit (u,).
    sums_pj
        Energy of each partial sum's way to the multipliers and back (u,) [pJ].
    """

    energy: Floats
    needed: Floats
    room: Floats
    single: Bools
    first: Floats
    writing: Floats
    free: Floats
    whole_room: Floats
    fits: Bools
    sums_pj: Floats


@njit(cache=True)
def writing_cycles(rows: Number, arriving: Number, loads: Number, computing: Number) -> Number:
    """Cycles that an in-memory macro waits for all of its weights.

    max(rows, bits / bandwidth) for each load; what the array computes from one load to the next
    is taken off all but the first one.

    Parameters
    ----------
    rows, arriving
        Cycles of one load: rows to be written, and the port that sends them (n,).
    loads
        How often the cells are written (n,).
    computing
        Cycles of computing on other weights meanwhile (n,), 0 if the array stands still.

    Examples
    --------
    >>> args = np.array([[64.0], [100.0], [4.0]])
    >>> writing_cycles(*args, 0.0), writing_cycles(*args, 70.0)
    (array([400.]), array([190.]))
    """
    one = np.maximum(rows, arriving)
    return one + (loads - 1) * np.maximum(one - computing, 0.0)


@njit(cache=True)
def _way_costs(
    moved: Transfers, v: int, way: int, widened: float, boost: Floats, count: float, kept: Floats,
    asked: Floats, partial: Bools, again: Floats, energy: Floats, needed: Floats,
) -> None:  # fmt: skip
    """Add the energy of one way of all tiles (p,), and fill the cycles of one transfer (p,)."""
    back = moved.operand[v] == _OUTPUT and way < 2
    wider = widened if moved.widened[v, way] else 1.0
    grain, wide, pj = moved.grain[v, way] * wider, moved.wide[v, way] * wider, moved.pj[v, way]
    for p in range(len(kept)):
        if back and not partial[p]:
            continue
        width = moved.width[v, 0 if partial[p] else 1]
        words = np.ceil(boost[0] * kept[p] * width / grain) * (grain / wide)
        words *= again[p] * count
        energy[p] += (np.trunc(words) if moved.truncated else words) * pj
        needed[p] = np.ceil(boost[1] * asked[p] * width / wide)


@njit(cache=True)
def _fill_rooms(
    moved: Transfers, v: int, summed: bool, kept: Floats, half: float, room: Floats, single: Bools
) -> None:
    """Fill the bits that tiles take by what comes from below (2, p), and what has no second one."""
    for done in range(2):
        width = moved.width[v, 1 if done == 1 and not summed else 0]
        for p in range(len(kept)):
            twice = moved.doubled[v] and kept[p] < kept[-1]
            room[done, p] = kept[p] * width * (2.0 if twice else 1.0)
            single[p] = room[done, p] > half or not moved.overlaps[v]


@njit(cache=True)
def _take_whole(
    rooms: Rooms, copies: float, all_of: Floats, begun: bool, summed: bool, whole_room: Floats
) -> tuple[Floats, Floats]:
    """Return capacities and the bits beside whole operands of each memory (m,) [bit]."""
    capacity = rooms.size_bits.copy()
    capacity[rooms.widened] *= copies
    free = capacity.copy()
    wide, narrow = rooms.bits[2], rooms.bits[3]
    whole_room[0] = all_of[_OUTPUT] * wide
    whole_room[1] = all_of[_OUTPUT] * (wide if summed else narrow)
    for o in range(_OUTPUT):
        free[rooms.top[o]] -= all_of[o] * rooms.bits[o]
    if rooms.whole_memory < 0:
        partial = rooms.last_output < 0 and begun
        free[rooms.top[_OUTPUT]] -= whole_room[0 if partial else 1]
    return capacity, free


@njit(cache=True)
def _sums_pj(
    moved: Transfers, widened: float, sums: float, units: float, partial: bool, passes: float
) -> float:
    """Energy of each partial sum's way to the multipliers and back [pJ]."""
    v, energy = len(moved.operand) - 1, 0.0
    width = moved.width[v, 0 if partial else 1]
    for way in range(1, 3):
        wider = widened if moved.widened[v, way] else 1.0
        grain, wide = moved.grain[v, way] * wider, moved.wide[v, way] * wider
        words = np.ceil(np.rint(sums) * width / grain) * (grain / wide)
        words = words * passes * units
        if partial or way == 2:
            energy += (np.trunc(words) if moved.truncated else words) * moved.pj[v, way]
    return energy


@njit(cache=True)
def _close(
    moved: Transfers, relevance: Ints, v: int, extents: Floats, complete: Bools, room: Floats,
    free: float, sums_stay: bool, energy: Floats,
) -> None:  # fmt: skip
    """Close a node to tiles that do not fit, or whose loops index the operand of a latch."""
    narrow = 0 if moved.level[v] == 0 and not complete[0] else 1
    for p in range(len(energy)):
        if moved.level[v] < 0:
            for d in range(8):
                if relevance[moved.operand[v], d] != 0 and extents[p, d] > 1:
                    energy[p] = np.inf
        elif room[narrow, p] > free or (sums_stay and not complete[p]):
            energy[p] = np.inf


@njit(cache=True)
def _fill_moves(
    moved: Transfers, v: int, widened: float, boost: Floats, units: Floats, mean: Floats,
    whole: Floats, partial: Bools, again: Floats, energy: Floats, needed: Floats, first: Floats,
) -> None:  # fmt: skip
    """Fill energy, cycles of transfers (4, p) and first loads of the tiles of a node (p,)."""
    output, latch = moved.operand[v] == _OUTPUT, moved.level[v] < 0
    kept, asked = np.rint(mean), np.rint(whole)
    if latch:
        kept[:], asked[:] = 1.0, 1.0
    alone = np.ones(2)
    for way in range(4):
        if (way == 1) if latch else (output or way < 2):
            upper = way == 1 or way == 2
            _way_costs(
                moved, v, way, widened, boost if upper else alone, units[1 if upper else 0], kept,
                asked, partial, again, energy, needed[way],
            )  # fmt: skip
            if moved.loads[v] and (not output or way >= 2):
                for p in range(len(first)):
                    first[p] = max(first[p], needed[way, p])


@njit(cache=True)
def _fill_writing(
    moved: Transfers, widened: float, rows: float, boost: float, mean: Floats, size: Floats,
    writing: Floats,
) -> None:  # fmt: skip
    """Fill the cycles that a macro waits for new weights, rows and bits of units on average."""
    v = moved.cells
    wide = moved.wide[v, _SENT] * (widened if moved.widened[v, _SENT] else 1.0)
    for p in range(len(mean)):
        kept = np.rint(mean[p])
        bits = kept * np.rint(boost) * moved.width[v, 0]
        computing = np.ceil(size[p] * moved.passes) if moved.overlapped_writing else 0.0
        writing[p] = writing_cycles(
            rows * kept, np.ceil(bits / wide), size[-1] / size[p], computing
        )


@njit(cache=True)
def _fill_nodes(
    moved: Transfers, rooms: Rooms, relevance: Ints, lattices: Lattices, tiles: LayerTiles, u: int,
    units: Floats, summed: Bools, widths: tuple[float, float], capacity: Floats, free: Floats,
    sums_stay: bool, found: NodeCosts,
) -> None:  # fmt: skip
    """Fill what the tiles of one unrolling cost at its nodes."""
    nodes, (copies, rows) = len(moved.operand) - 1, widths
    start, stop = lattices.start[u], lattices.start[u + 1]
    size, complete = lattices.size[start:stop], lattices.complete[start:stop]
    needed = found.needed[4 * nodes * start : 4 * nodes * stop].reshape((nodes, 4, len(size)))
    room = found.room[2 * nodes * start : 2 * nodes * stop].reshape((2, nodes, len(size)))
    for v in range(nodes):
        place, m = nodes * start + v * len(size), moved.memory[v]
        here = slice(place, place + len(size))
        energy, mean = found.energy[here], tiles.mean[here]
        boost = np.rint(tiles.above[:, u, v] / tiles.inside[:, u, v])
        partial = np.zeros(len(size), np.bool_)
        if moved.operand[v] == _OUTPUT:
            partial = summed[1, v] | ~complete
        _fill_moves(
            moved, v, copies, boost, units[:, v], mean, tiles.whole[here], partial,
            size[-1] / size, energy, needed[v], found.first[here],
        )  # fmt: skip
        if m >= 0:
            half, own = capacity[m] / 2, found.single[here]
            _fill_rooms(moved, v, summed[0, v], mean, half, room[:, v], own)
        _close(
            moved, relevance, v, lattices.extents[start:stop], complete, room[:, v], free[m],
            sums_stay and v == rooms.last_output, energy,
        )  # fmt: skip
        if v == moved.cells:
            _fill_writing(moved, copies, rows, boost[0], mean, size, found.writing[start:stop])


@njit(cache=True)
def node_costs(
    moved: Transfers, rooms: Rooms, relevance: Ints, lattices: Lattices, tiles: LayerTiles,
    units: Floats, summed: Bools, copies: Floats, rows: Floats,
) -> NodeCosts:  # fmt: skip
    """Return what each tile of u unrolled layers costs at each of v nodes.

    Parameters
    ----------
    moved, rooms
        From `carbonopt.mapping.transfers.transfers`.
    relevance
        `carbonopt.mapping.tiles.RELEVANCE` (3, 8).
    lattices, tiles
        Tiles, and how many elements they have.
    units, summed
        From `carbonopt.mapping.transfers.instances`.
    copies
        How often innermost input memories are widened (u,).
    rows
        Cycles to write one weight of each group of a macro (u,).
    """
    nodes, points, count = len(moved.operand) - 1, len(lattices.size), len(copies)
    found = NodeCosts(
        np.zeros(nodes * points), np.zeros(4 * nodes * points), np.zeros(2 * nodes * points),
        np.zeros(nodes * points, np.bool_), np.zeros(nodes * points), np.zeros(points),
        np.empty((count, len(rooms.shared))), np.empty((count, 2)), np.empty(count, np.bool_),
        np.empty(count),
    )  # fmt: skip
    for u in range(count):
        start, stop = lattices.start[u], lattices.start[u + 1]
        size, complete = lattices.size[start:stop], lattices.complete[start:stop]
        whole_room = found.whole_room[u]
        capacity, free = _take_whole(
            rooms, copies[u], tiles.all_of[u], not complete[0], summed[1, u, rooms.last_output],
            whole_room,
        )  # fmt: skip
        found.free[u], found.fits[u] = free[rooms.shared], (free >= 0).all()
        stays = rooms.last_output >= 0 and rooms.whole_memory < 0
        stays = stays and free[rooms.top[_OUTPUT]] < whole_room[0] - whole_room[1]
        begun = summed[0, u, nodes] or not complete[0]
        found.sums_pj[u] = _sums_pj(
            moved, copies[u], tiles.summed_at[u], units[0, u, nodes], begun, size[-1]
        )
        _fill_nodes(
            moved, rooms, relevance, lattices, tiles, u, units[:, u], summed[:, u],
            (copies[u], rows[u]), capacity, free, stays, found,
        )  # fmt: skip
    return found
