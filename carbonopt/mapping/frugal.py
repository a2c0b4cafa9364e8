"""Chains of tiles that no other beats in any of several costs, whatever these weigh.

The set to go of a state and a tile, all sums of costs of the nodes that the state lacks that no
other is below in everything, follows from the sets of the states after it and of the multiples of
the tile. Room in shared memories is one more cost to be low in, until all of a memory is placed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from carbonopt.arrays import Bools, Floats, Ints
from carbonopt.mapping.chains import Orders
from carbonopt.mapping.nodes import OUTPUT
from carbonopt.mapping.tables import Tables

_MOST = 256  # sums kept per state and tile
_PLACES = 4096  # sums to begin with


class Frugal(NamedTuple):
    """What the search needs to know of an unrolled layer.

    Parameters
    ----------
    orders, lengths
        Orders of the nodes, and axes of the lattice (a,).
    cost
        Of each tile at each node (p, v, k); inf in all where it does not fit.
    complete
        Whether a tile keeps all reductions (p,).
    room, memory, whole_room, whole_memory, free
        As in `carbonopt.mapping.plan.Plan` and `carbonopt.mapping.chains.Costs`.
    output, last_output
        Whether a node is the output's (v,), and its outermost one.
    begun
        Whether a state has the tile of an output (s,).
    untouched
        Whether a state lacks all tiles of a shared memory (s, shared).
    """

    orders: Orders
    lengths: Ints
    cost: Floats
    complete: Ints
    room: Floats
    memory: Ints
    whole_room: Floats
    whole_memory: int
    free: Floats
    output: Bools
    last_output: int
    begun: Bools
    untouched: Bools


class Sums(NamedTuple):
    """Partial chains from outside inwards: their sums, what they placed last, what before.

    Parameters
    ----------
    total
        Costs and rooms (n, k + shared).
    node, tile, after
        Innermost node, its tile, and the partial chain beyond; -1 where none (n,).
    """

    total: Floats
    node: Ints
    tile: Ints
    after: Ints


@njit(cache=True)
def _grown(sums: Sums) -> Sums:
    """Return the same sums with room for as many more."""
    n = len(sums.node)
    return Sums(
        np.concatenate((sums.total, np.empty(sums.total.shape))),
        np.concatenate((sums.node, np.empty(n, np.int64))),
        np.concatenate((sums.tile, np.empty(n, np.int64))),
        np.concatenate((sums.after, np.empty(n, np.int64))),
    )


@njit(cache=True)
def _entered(sums: Sums, new: int, kept: Ints, count: int) -> int:
    """Put a sum among kept ones unless one of them is as good; drop those it makes needless."""
    width = sums.total.shape[1]
    for i in range(count):
        old = kept[i]
        if old == new:
            return count
        worse = False
        for c in range(width):
            if sums.total[old, c] > sums.total[new, c]:
                worse = True
                break
        if not worse:
            return count
    left = 0
    for i in range(count):
        old = kept[i]
        better = False
        for c in range(width):
            if sums.total[old, c] < sums.total[new, c]:
                better = True
                break
        if better:
            kept[left] = old
            left += 1
    kept[left] = new
    return left + 1


@njit(cache=True)
def _placed(
    frugal: Frugal, sums: Sums, new: int, beyond: int, state: int, done: int, v: int, p: int
) -> bool:
    """Fill a sum with node v placed at tile p below a partial chain; tell whether it fits."""
    k = frugal.cost.shape[2]
    for c in range(k):
        sums.total[new, c] = sums.total[beyond, c] + frugal.cost[p, v, c]
    if not sums.total[new, 0] < np.inf:
        return False
    for m in range(len(frugal.free)):
        taken = sums.total[beyond, k + m]
        if frugal.memory[v] == m:
            taken += frugal.room[done, v, p]
        if frugal.whole_memory == m and v == frugal.last_output:
            taken += frugal.whole_room[frugal.complete[p]]
        if taken > frugal.free[m]:
            return False
        sums.total[new, k + m] = 0.0 if frugal.untouched[state, m] else taken
    sums.node[new], sums.tile[new], sums.after[new] = v, p, beyond
    return True


@njit(cache=True)
def _frugal_sums(frugal: Frugal, most: int) -> tuple[Sums, Ints, bool]:
    """Return all sums, those that are whole chains, and whether no set had more than `most`."""
    states, points = len(frugal.orders.node), len(frugal.complete)
    shape = (states, 2, points)
    first, counts = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    kept = np.zeros(_PLACES, np.int64)
    total = np.zeros((_PLACES, frugal.cost.shape[2] + len(frugal.free)))
    sums = Sums(total, np.full(_PLACES, -1), np.full(_PLACES, -1), np.full(_PLACES, -1))
    counts[states - 1] = 1  # the empty sum, for which the first place of `kept` stands
    end, used, complete = 1, 1, True
    local = np.empty(most + 1, np.int64)
    for state in range(states - 2, -1, -1):
        for done in range(2):
            if not frugal.begun[state] and done != frugal.complete[0]:
                continue
            for p in range(points - 1, -1, -1):
                count, stride = 0, 1
                for axis in range(len(frugal.lengths) - 1, -1, -1):
                    length = frugal.lengths[axis]
                    if p // stride % length < length - 1:
                        begin = first[state, done, p + stride]
                        for old in kept[begin : begin + counts[state, done, p + stride]]:
                            count = _entered(sums, old, local, count)
                            complete &= count <= most
                            count = min(count, most)
                    stride *= length
                for o in range(3):
                    v = frugal.orders.node[state, o]
                    if v < 0 or not frugal.cost[p, v, 0] < np.inf:
                        continue
                    after = frugal.orders.state[state, o]
                    beyond_done = frugal.complete[p] if frugal.output[v] else done
                    begin = first[after, beyond_done, p]
                    for beyond in kept[begin : begin + counts[after, beyond_done, p]]:
                        if end == len(sums.node):
                            sums = _grown(sums)
                        if _placed(frugal, sums, end, beyond, state, done, v, p):
                            count = _entered(sums, end, local, count)
                            end += 1 if local[count - 1] == end else 0
                            complete &= count <= most
                            count = min(count, most)
                if used + count > len(kept):
                    kept = np.concatenate((kept, np.empty(len(kept) + count, np.int64)))
                kept[used : used + count] = local[:count]
                first[state, done, p], counts[state, done, p] = used, count
                used += count
    start = frugal.complete[0]
    begin = first[0, start, 0]
    return sums, kept[begin : begin + counts[0, start, 0]].copy(), complete


def frugal_chains(tables: Tables, u: int, cost: Floats) -> tuple[list[Ints], bool]:
    """Return the chains of a layer under one unrolling that no other beats in all costs.

    Parameters
    ----------
    tables, u
        The layer, and which of its unrollings.
    cost
        Of each tile at each node (k, v, p), nowhere negative.

    Returns
    -------
    chains, complete
        Nodes and tiles (v, 2): for every weighting of the costs one that has the least sum is
        among them, if complete.
    """
    plan, (tiles, costs, _) = tables.plan, tables.one(u)
    nodes = plan.nodes
    fits = np.isfinite(costs.energy)
    counted = np.where(fits, cost, 0.0)
    counted = counted[_distinct(counted.reshape(len(counted), -1))]
    frugal = Frugal(
        plan.orders, tiles.lengths,
        np.ascontiguousarray(np.where(fits, counted, np.inf).transpose(2, 1, 0)),
        tiles.complete.astype(np.int64), costs.room, plan.memory, costs.whole_room,
        plan.whole_memory, costs.free, nodes.operand == OUTPUT, plan.last_output,
        plan.placed[:, OUTPUT] > 0, plan.untouched,
    )  # fmt: skip
    sums, whole, complete = _frugal_sums(frugal, _MOST)
    return [_chain(sums, int(each)) for each in whole], complete


def _distinct(values: Floats) -> list[int]:
    """Return the rows that are neither zero nor multiples of a row before them."""
    found: dict[bytes, int] = {}
    for row, each in enumerate(values):
        if each.any():
            found.setdefault((each / each.max()).round(12).tobytes(), row)
    return list(found.values())


def _chain(sums: Sums, position: int) -> Ints:
    """Trace a whole chain from its first node to its last."""
    found = []
    while sums.node[position] >= 0:
        found.append((int(sums.node[position]), int(sums.tile[position])))
        position = int(sums.after[position])
    return np.array(found, dtype=np.int64)
