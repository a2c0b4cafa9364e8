"""Chains of tiles of least cost: an exact search on the lattice of tiles.

A state is how many nodes of each operand have their tile, innermost first, and the last tile. The
cost to go of a state without regard to other tiles in a memory is exact and cheap (a suffix
minimum along each axis of the lattice); it bounds the labels of a search that keeps the room
taken in shared memories, and the time taken on ports that limit the latency.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from carbonopt.arrays import Bools, Floats, Ints
from carbonopt.mapping.bounds import Orders

Step = tuple[int, int, int, int]
"""Operand, its next node, the tile placed there, and the state after it."""


class Labels(NamedTuple):
    """Partial chains, stage by stage.

    Parameters
    ----------
    energy, cycles, room
        Sums so far (n,), (n, resources), (n, shared memories).
    run
        Product of the outermost loops since an operand's last level that do not index it, as few
        as an order of the loops between two nodes allows (n, 3).
    state, point, node, parent
        Where a chain is, which node it placed last, and what it continues (n,).
    done
        Whether the last output node keeps all reductions (n,).
    """

    energy: Floats
    cycles: Floats
    room: Floats
    run: Floats
    state: Ints
    point: Ints
    node: Ints
    parent: Ints
    done: Ints


@njit(cache=True)
def _grown(labels: Labels) -> Labels:
    """Return the same labels with twice the room for more."""
    n = len(labels.energy)
    return Labels(
        np.concatenate((labels.energy, np.empty(n))),
        np.concatenate((labels.cycles, np.empty((n, labels.cycles.shape[1])))),
        np.concatenate((labels.room, np.empty((n, labels.room.shape[1])))),
        np.concatenate((labels.run, np.empty((n, 3)))),
        np.concatenate((labels.state, np.empty(n, np.int64))),
        np.concatenate((labels.point, np.empty(n, np.int64))),
        np.concatenate((labels.node, np.empty(n, np.int64))),
        np.concatenate((labels.parent, np.empty(n, np.int64))),
        np.concatenate((labels.done, np.empty(n, np.int64))),
    )


@njit(cache=True)
def _copy(labels: Labels, source: int, target: int) -> None:
    """Overwrite one label with another."""
    labels.energy[target] = labels.energy[source]
    labels.cycles[target] = labels.cycles[source]
    labels.room[target] = labels.room[source]
    labels.run[target] = labels.run[source]
    labels.state[target] = labels.state[source]
    labels.point[target] = labels.point[source]
    labels.node[target] = labels.node[source]
    labels.parent[target] = labels.parent[source]
    labels.done[target] = labels.done[source]


@njit(cache=True)
def _no_worse(labels: Labels, a: int, b: int) -> bool:
    """Tell whether label a makes label b of the same state and point needless."""
    if labels.energy[a] > labels.energy[b] or labels.done[a] < labels.done[b]:
        return False
    if (labels.run[a] > labels.run[b]).any():
        return False
    return bool(
        (labels.cycles[a] <= labels.cycles[b]).all() and (labels.room[a] <= labels.room[b]).all()
    )


class Chains(NamedTuple):
    """What a search for chains needs to know of an unrolled layer.

    Parameters
    ----------
    orders
        See `carbonopt.mapping.bounds.chain_orders`.
    packed, guard, digits
        Points of the lattice (p,), see `carbonopt.mapping.lattice.Lattice`; digits of loops that
        do not index an operand, in a packed point (3,).
    size, complete
        Passes that a tile keeps, and whether it keeps all reductions (p,).
    energy, cycles
        Of each node (v, p), and for each resource (r, v, p).
    waits, needed, single
        Whether resource r counts the waiting for the transfers of a node's four ways (r, v, 4);
        cycles of each (v, 4, p); whether there is no room for a second tile (v, p).
    waited, level
        Operands for which that can make the array wait (3,); nodes that are no latches (v,).
    passes
        Cycles of the array per multiply-accumulate.
    room
        Bits taken in shared memories (2, v, p).
    memory, closed, free
        Shared memory of each node or -1 (v,); whether all nodes of one have their tiles in a
        state (s, shared); bits that each has to give (shared,).
    output, last_output
        Whether a node is the output's (v,); the output's outermost node, or -1.
    whole_memory, whole_room
        Shared memory that keeps all outputs, or -1, and the bits they take (2,).
    needless
        See `carbonopt.mapping.bounds.needless_loops` (v, p).
    energy_to_go, cycles_to_go
        See `carbonopt.mapping.bounds.cost_to_go` (s, p), (r, s, p).
    """

    orders: Orders
    packed: Ints
    guard: int
    digits: Ints
    size: Floats
    complete: Bools
    energy: Floats
    cycles: Floats
    waits: Bools
    needed: Floats
    single: Bools
    waited: Bools
    level: Bools
    passes: float
    room: Floats
    memory: Ints
    closed: Bools
    free: Floats
    output: Bools
    last_output: int
    whole_memory: int
    whole_room: Floats
    needless: Ints
    energy_to_go: Floats
    cycles_to_go: Floats


@njit(cache=True)
def _waiting(chains: Chains, r: int, v: int, p: int, run: float) -> float:
    """Cycles that the array at least waits more for tiles that nothing can replace in use.

    These arrive within period // run cycles instead of the period.
    """
    full = np.ceil(chains.size[p] * chains.passes)
    window = np.ceil(chains.size[p] // run * chains.passes)
    late = 0.0
    for way in range(4):
        if chains.waits[r, v, way]:
            needed = chains.needed[v, way, p]
            late += max(0.0, needed - window) - max(0.0, needed - full)
    return float(late * (chains.size[-1] / chains.size[p] - 1))


@njit(cache=True)
def _run(chains: Chains, labels: Labels, label: int, o: int, p: int, more: int) -> float:
    """Loops at rest for an operand under tile p, `more` digits above a label's tile."""
    if more & ~chains.digits[o] != 0:
        return 1.0
    return float(labels.run[label, o] * chains.size[p] / chains.size[labels.point[label]])


@njit(cache=True)
def _in_time(
    chains: Chains, labels: Labels, label: int, step: Step, more: int, most: Floats, spent: Floats
) -> bool:  # fmt: skip
    """Fill the cycles that a label has spent after a step (r,); tell whether they can suffice."""
    o, v, p, after = step
    run = _run(chains, labels, label, o, p, more)
    for r in range(len(spent)):
        spent[r] = labels.cycles[label, r] + chains.cycles[r, v, p]
        if run > 1 and chains.single[v, p]:
            spent[r] += _waiting(chains, r, v, p, run)
        if spent[r] + chains.cycles_to_go[r, after, p] > most[r]:
            return False
    return True


@njit(cache=True)
def _placed(chains: Chains, labels: Labels, label: int, step: Step, more: int, target: int) -> bool:
    """Fill label `target` with a label after a step, but for its cycles; tell whether it fits."""
    o, v, p, after = step
    memory, done = chains.memory[v], labels.done[label]
    labels.room[target] = labels.room[label]
    if memory >= 0:
        labels.room[target, memory] += chains.room[done, v, p]
    if chains.output[v]:
        done = 1 if chains.complete[p] else 0
    if v == chains.last_output and chains.whole_memory >= 0:
        labels.room[target, chains.whole_memory] += chains.whole_room[done]
    for m in range(len(chains.free)):
        if labels.room[target, m] > chains.free[m]:
            return False
        if chains.closed[after, m]:
            labels.room[target, m] = 0.0
    for q in range(3):
        labels.run[target, q] = 1.0
        if chains.waited[q]:
            labels.run[target, q] = _run(chains, labels, label, q, p, more)
    if chains.level[v]:
        labels.run[target, o] = 1.0
    labels.energy[target] = labels.energy[label] + chains.energy[v, p]
    labels.state[target], labels.point[target], labels.done[target] = after, p, done
    labels.node[target], labels.parent[target] = v, label
    return True


@njit(cache=True)
def _expand(
    chains: Chains, labels: Labels, start: int, stop: int, most_energy: float, most_cycles: Floats
) -> tuple[Labels, int]:
    """Append every way to place one more node, of labels [start, stop), within the bounds."""
    count = stop
    spent = np.empty(len(most_cycles))
    for label in range(start, stop):
        state, point = labels.state[label], labels.point[label]
        for o in range(3):
            v = chains.orders.node[state, o]
            if v < 0:
                continue
            after = chains.orders.state[state, o]
            left = most_energy - labels.energy[label]
            for p in range(point, len(chains.packed)):
                if chains.energy[v, p] + chains.energy_to_go[after, p] > left:
                    continue
                more = (chains.packed[p] | chains.guard) - chains.packed[point]
                if more & chains.guard != chains.guard or more & chains.needless[v, p] != 0:
                    continue
                more ^= chains.guard
                step = (o, v, p, after)
                if not _in_time(chains, labels, label, step, more, most_cycles, spent):
                    continue
                if count == len(labels.energy):
                    labels = _grown(labels)
                if _placed(chains, labels, label, step, more, count):
                    labels.cycles[count] = spent
                    count += 1
    return labels, count


@njit(cache=True)
def _pruned(chains: Chains, labels: Labels, start: int, stop: int, most: int) -> tuple[int, float]:
    """Keep the labels [start, stop) that no other makes needless, at most `most` of them.

    Returns the new end, and the least bound of what was dropped only for want of places.
    """
    points = len(chains.packed)
    bound = np.empty(stop - start)
    key = np.empty(stop - start, np.int64)
    for i in range(start, stop):
        bound[i - start] = labels.energy[i] + chains.energy_to_go[labels.state[i], labels.point[i]]
        key[i - start] = labels.state[i] * points + labels.point[i]
    order = np.argsort(labels.energy[start:stop], kind="mergesort")
    order = order[np.argsort(key[order], kind="mergesort")]
    keep = np.zeros(stop - start, np.bool_)
    first = 0
    for i in range(len(order)):
        if i > 0 and key[order[i]] != key[order[i - 1]]:
            first = i
        keep[order[i]] = True
        for j in range(first, i):
            if keep[order[j]] and _no_worse(labels, start + order[j], start + order[i]):
                keep[order[i]] = False
                break
    dropped = np.inf
    if keep.sum() > most:
        limit = np.sort(bound[keep])[most]
        dropped = limit
        keep &= bound < limit
    end = start
    for i in range(stop - start):
        if keep[i]:
            _copy(labels, start + i, end)
            end += 1
    return end, dropped


@njit(cache=True)
def search_chains(
    chains: Chains, most_energy: float, most_cycles: Floats, most: int
) -> tuple[Labels, int, int, float]:
    """Find the chains that no other beats, with energy and cycles within bounds.

    Parameters
    ----------
    most_energy, most_cycles
        Largest energy, and cycles of each resource that counts (r,).
    most
        Labels kept per stage; fewer are faster, and drop chains.

    Returns
    -------
    labels, start, stop
        All labels; those in [start, stop) are whole chains.
    bound
        Least energy that a chain dropped for want of places could have had; inf if none was.
    """
    resources, shared = len(most_cycles), len(chains.free)
    room = 1024
    labels = Labels(
        np.zeros(room), np.zeros((room, resources)), np.zeros((room, shared)), np.ones((room, 3)),
        np.zeros(room, np.int64), np.zeros(room, np.int64), np.full(room, -1), np.full(room, -1),
        np.zeros(room, np.int64),
    )  # fmt: skip
    if chains.complete[0]:
        labels.done[0] = 1
    start, stop = 0, 1
    bound = np.inf
    for _ in range(len(chains.energy)):
        labels, end = _expand(chains, labels, start, stop, most_energy, most_cycles)
        end, dropped = _pruned(chains, labels, stop, end, most)
        bound = min(bound, dropped)
        start, stop = stop, end
    return labels, start, stop, bound
