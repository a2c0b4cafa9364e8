"""The nodes of a mapping, where a tile is kept, and what each tile costs there.

A node is a memory level of an operand below its outermost one, or the latch of an input at the
multipliers (level -1). A level that keeps a tile T passes it up or down N / |T| times, with N
passes in all, so that whatever a mapping costs at a node depends on the tile there alone.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
from numba import njit

from carbonopt.arrays import Bools, Floats, Ints
from carbonopt.hardware.machine import OPERANDS
from carbonopt.mapping.access import FROM_ABOVE, FROM_BELOW, TO_ABOVE, TO_BELOW
from carbonopt.mapping.storage import Storage

OUTPUT = OPERANDS.index("O")
WAYS = np.array([FROM_ABOVE, TO_BELOW, FROM_BELOW, TO_ABOVE])
"""Ways across a node's upper boundary: into it, out of and into the level above, out of it."""
_UPPER = np.array([0, 1, 1, 0])  # levels above the node's own at which each way is an access


class Nodes:
    """The nodes of a memory hierarchy, operand by operand, innermost first."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        found = [
            (o, level)
            for o, levels in enumerate(storage.levels)
            for level in range(0 if o == OUTPUT else -1, int(levels) - 1)
        ]
        self.operand = np.array([o for o, _ in found], dtype=np.int64)
        self.level = np.array([level for _, level in found], dtype=np.int64)

    @cached_property
    def counts(self) -> Ints:
        """Nodes of each operand (3,)."""
        return np.bincount(self.operand, minlength=len(OPERANDS))

    @cached_property
    def inner(self) -> Ints:
        """Memory level of each node, 0 for a latch (v,)."""
        return np.maximum(self.level, 0)

    @cached_property
    def memory(self) -> Ints:
        """Memory of each node (v,); -1 for a latch."""
        return np.where(self.level < 0, -1, self.storage.memory[self.operand, self.inner])

    @cached_property
    def picked(self) -> tuple[Ints, Ints, Ints]:
        """Operand, level and direction of the access of each way, (v, 4) each."""
        level = np.maximum(self.level[:, None] + _UPPER, 0)
        operand = np.repeat(self.operand[:, None], len(WAYS), axis=1)
        return operand, level, np.repeat(WAYS[None], len(level), axis=0)

    @cached_property
    def ports(self) -> Ints:
        """Port of each way (v, 4); -1 where none, as for all ways but one of a latch."""
        ports: Ints = self.storage.ports[self.picked]
        ports[(self.level < 0)[:, None] & (WAYS != TO_BELOW)] = -1
        return ports

    @cached_property
    def pj(self) -> Floats:
        """Energy of an access of each way (v, 4) [pJ]."""
        operand, level, way = self.picked
        reading = (way == TO_BELOW) | (way == TO_ABOVE)
        read, write = self.storage.read_pj, self.storage.write_pj
        energy: Floats = np.where(reading, read[operand, level], write[operand, level])
        return energy


class Transfers(NamedTuple):
    """How the tiles of v nodes are moved under u unrollings.

    Parameters
    ----------
    operand, level
        Of each node (v,).
    grain, wide
        Narrowest and widest access (u, v, 4) [bit].
    pj
        Energy of an access (v, 4).
    boost
        Elements handed out above per element kept, with mean and with whole unrollings
        (2, u, v).
    instances
        Instances of the node's level and of the one above (2, u, v).
    width
        Of a partial sum (or input) and of a final element (v, 2) [bit].
    summed
        Whether loops unrolled above the boundary, and above the level, sum outputs (2, u, v).
    doubled, memory
        Whether tiles that are replaced take twice their size (v,); memory, -1 for a latch (v,).
    loads
        Whether the latency counts first loads, or last stores (v,).
    overlaps
        Whether a second tile may arrive while the first one is in use (v,).
    truncated
        Accesses count their whole part.
    """

    operand: Ints
    level: Ints
    grain: Floats
    wide: Floats
    pj: Floats
    boost: Floats
    instances: Floats
    width: Floats
    summed: Bools
    doubled: Bools
    memory: Ints
    loads: Bools
    overlaps: Bools
    truncated: bool


@njit(cache=True)
def _way_costs(
    transfers: Transfers, u: int, v: int, way: int, kept: Floats, asked: Floats, partial: Bools,
    again: Floats, energy: Floats, needed: Floats,
) -> None:  # fmt: skip
    """Add the energy of one way of all tiles (p,), and fill the cycles of one transfer (p,)."""
    output, down = transfers.operand[v] == 2, way < 2
    upper = 1 if way == 1 or way == 2 else 0
    more = transfers.boost[0, u, v] if upper else 1.0
    more_asked = transfers.boost[1, u, v] if upper else 1.0
    grain, wide = transfers.grain[u, v, way], transfers.wide[u, v, way]
    count, pj = transfers.instances[upper, u, v], transfers.pj[v, way]
    for p in range(len(kept)):
        if output and down and not partial[p]:
            continue
        width = transfers.width[v, 0 if partial[p] else 1]
        words = np.ceil(more * kept[p] * width / grain) * (grain / wide)
        words *= again[p] * count
        energy[p] += (np.trunc(words) if transfers.truncated else words) * pj
        needed[p] = np.ceil(more_asked * asked[p] * width / wide)


@njit(cache=True)
def _room_taken(transfers: Transfers, u: int, v: int, done: int, kept: Floats) -> Floats:
    """Bits that tiles take (p,), while final outputs come from below if `done`."""
    final = done == 1 and not transfers.summed[1, u, v]
    held = kept * transfers.width[v, 1 if final else 0]
    if transfers.doubled[v]:
        for p in range(len(kept)):
            held[p] *= 2.0 if kept[p] < kept[-1] else 1.0
    return held


@njit(cache=True)
def node_costs(
    relevance: Ints, extents: Floats, complete: Bools, size: Floats, offsets: Ints, mean: Floats,
    whole: Floats, free: Floats, capacity: Floats, transfers: Transfers,
) -> tuple[Floats, Floats, Floats, Bools, Floats]:  # fmt: skip
    """Return what each tile of u unrolled layers costs at each of v nodes.

    Parameters
    ----------
    relevance
        `carbonopt.mapping.tiles.RELEVANCE` (3, 8).
    extents, complete, size, offsets
        Passes of each dimension that a tile keeps (p, 8), whether these are all reductions, their
        product (p,); the tiles of layer u are [offsets[u], offsets[u + 1]).
    mean, whole
        Elements kept with mean and with whole unrollings, blocks (v, p of u).
    free, capacity
        Bits that each memory has to give, and has in all (u, m).

    Returns
    -------
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
    """
    nodes = len(transfers.operand)
    energy, room = np.zeros(len(mean)), np.zeros(2 * len(mean))
    needed, first = np.zeros(4 * len(mean)), np.zeros(len(mean))
    single = np.zeros(len(mean), np.bool_)
    for u in range(len(offsets) - 1):
        start, stop = offsets[u], offsets[u + 1]
        points = stop - start
        again = size[stop - 1] / size[start:stop]
        for v in range(nodes):
            here = slice(nodes * start + v * points, nodes * start + (v + 1) * points)
            o, latch = transfers.operand[v], transfers.level[v] < 0
            kept, asked = np.rint(mean[here]), np.rint(whole[here])
            partial = np.zeros(points, np.bool_)
            if o == 2:
                partial = transfers.summed[0, u, v] | ~complete[start:stop]
            if latch:
                kept[:], asked[:] = 1.0, 1.0
                for d in range(8):
                    if relevance[o, d] != 0:
                        for p in range(points):
                            if extents[start + p, d] > 1:
                                energy[nodes * start + v * points + p] = np.inf
            for way in range(4):
                if (way == 1) if latch else (o == 2 or way < 2):
                    place = 4 * nodes * start + (4 * v + way) * points
                    _way_costs(
                        transfers, u, v, way, kept, asked, partial, again, energy[here],
                        needed[place : place + points],
                    )  # fmt: skip
                    if transfers.loads[v] and (o != 2 or way >= 2):
                        first[here] = np.maximum(first[here], needed[place : place + points])
            for done in range(0 if latch else 2):
                place = 2 * nodes * start + (done * nodes + v) * points
                taken = _room_taken(transfers, u, v, done, mean[here])
                room[place : place + points] = taken
                held = capacity[u, transfers.memory[v]]
                single[here] = (taken > held / 2) | (not transfers.overlaps[v])
                counts = done == (0 if transfers.level[v] == 0 and not complete[start] else 1)
                for p in range(points if counts else 0):
                    if taken[p] > free[u, transfers.memory[v]]:
                        energy[nodes * start + v * points + p] = np.inf
    return energy, needed, room, single, first
