"""Chains of tiles of least energy within a latency: an exact search on the lattice of tiles.

The cost to go of a state without regard to other tiles in a memory is exact and cheap, a suffix
minimum along each axis of the lattice; it bounds the labels of a search that keeps the room taken
in shared memories, and the time taken on ports that limit the latency.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from carbonopt.arrays import Bools, Floats, Ints
from carbonopt.mapping.chains import (
    DONE,
    NODE,
    PARENT,
    POINT,
    STATE,
    Beside,
    Costs,
    Labels,
    Limits,
    Orders,
    Places,
    Tiles,
    Unrolled,
)

_OUTPUT, _WEIGHTS = 2, 1
_ROUNDING = 1e-9
_LABELS, _LIMITED_LABELS = 3000, 500  # kept at most per stage, without and with limits
_PLACES = 128  # labels to begin with
_SLACKS = (1e-12, 0.01, 0.1, 1.0, np.inf)


@njit(cache=True)
def _needless(tiles: Tiles, places: Places, costs: Costs, limits: Limits, v: int, p: int) -> int:
    """Return the digits of the loops without which a smaller tile is no worse at a node."""
    mask, stride = 0, 1
    for axis in range(len(tiles.lengths) - 1, -1, -1):
        field, q = tiles.fields[axis], p - stride
        worse = p // stride % tiles.lengths[axis] == 0
        worse = worse or (tiles.kept[axis] and places.operand[v] == _OUTPUT)
        for o in range(3):
            worse = worse or (limits.waited[o] and tiles.digits[o] & field != 0)
        worse = worse or not costs.energy[v, q] <= costs.energy[v, p]
        worse = worse or (len(limits.cycles) > 0 and limits.risky[v, q])
        for r in range(len(limits.cycles)):
            worse = worse or not limits.cycles[r, v, q] <= limits.cycles[r, v, p]
        if not worse:
            mask |= field
        stride *= tiles.lengths[axis]
    return mask


@njit(cache=True)
def chain_latency(
    tiles: Tiles, places: Places, costs: Costs, beside: Beside, chain: Ints
) -> tuple[float, int, int, int]:
    """Return the least latency of a chain of nodes and tiles (v, 2) and the resource that sets it.

    L = max(C + sum of (needed - window) (n - 1), sum of needed (n - 1)) + first loads + last
    stores + writing of a macro's weights, the largest over all ports, with n = N / |T| transfers,
    compute cycles C, and a window of |T| cycles, or |T| // r where no second tile fits: r are the
    outermost loops of the tile that do not index its operand, as few as an order of the loops
    allows.

    Returns
    -------
    latency, port, waits, first
        Cycles; the port (-1: none), whether waiting for single tiles sets it, and the input
        whose first loads take longer.

    References
    ----------
    .. [1] ZigZag's latency model, of which it is a lower bound.
    """
    busy, late = np.zeros(places.port_count), np.zeros(places.port_count)
    first, run = np.zeros(3), np.ones(3)
    last, writes = 0, 0.0
    for k in range(len(chain)):
        v, p = chain[k]
        more = ((tiles.packed[p] | tiles.guard) - tiles.packed[last]) ^ tiles.guard
        for q in range(3):
            grown = run[q] * tiles.size[p] / tiles.size[last]
            run[q] = grown if more & ~tiles.digits[q] == 0 else 1.0
        o = places.operand[v]
        again = tiles.size[-1] / tiles.size[p] - 1
        window = tiles.size[p] // run[o] if costs.single[v, p] else tiles.size[p]
        window = np.ceil(window * beside.passes)
        if places.level[v] >= 0:
            run[o] = 1.0
        first[o] += costs.first[v, p]
        if o == _WEIGHTS and places.level[v] == 0:
            writes = costs.writing[p]
        for way in range(4 if beside.at_ports[o] else 0):
            port, needed = places.ports[v, way], costs.needed[v, way, p]
            if port >= 0:
                busy[port] += needed * again
                late[port] += max(0.0, needed - window) * again
        last = p
    slower = 1 if first[1] > first[0] else 0
    ends = first[slower] + first[_OUTPUT] + beside.cycles
    computing = tiles.size[-1] * beside.passes
    latency, port, waits = computing, -1, 0
    for q in range(places.port_count):
        if computing + late[q] > latency:
            latency, port, waits = computing + late[q], q, 1
        if busy[q] > latency:
            latency, port, waits = busy[q], q, 0
    return latency + writes + ends, port, waits, slower


@njit(cache=True)
def _run(tiles: Tiles, labels: Labels, label: int, o: int, p: int, more: int) -> float:
    """Loops at rest for an operand under tile p, `more` digits above a label's tile."""
    if more & ~tiles.digits[o] != 0:
        return 1.0
    here = tiles.size[labels.steps[label, POINT]]
    return float(labels.sums[label, o - 3] * tiles.size[p] / here)


@njit(cache=True)
def _in_time(
    tiles: Tiles, costs: Costs, beside: Beside, limits: Limits, labels: Labels, label: int,
    step: tuple[int, int, int, int], more: int, sums: Floats,
) -> bool:  # fmt: skip
    """Fill the cycles that a label has spent after a step; tell whether they can suffice.

    A single tile arrives within |T| // r cycles, see `chain_latency`.
    """
    o, v, p, after = step
    run = _run(tiles, labels, label, o, p, more) if costs.single[v, p] else 1.0
    again = tiles.size[-1] / tiles.size[p] - 1
    for r in range(len(limits.most)):
        spent = labels.sums[label, 1 + r] + limits.cycles[r, v, p]
        for way in range(4 if run > 1 else 0):
            if limits.waits[r, v, way]:
                needed = costs.needed[v, way, p]
                full = np.ceil(tiles.size[p] * beside.passes)
                window = np.ceil(tiles.size[p] // run * beside.passes)
                spent += (max(0.0, needed - window) - max(0.0, needed - full)) * again
        if spent + limits.to_go[r, after, p] > limits.most[r]:
            return False
        sums[1 + r] = spent
    return True


@njit(cache=True)
def _placed(
    tiles: Tiles, places: Places, costs: Costs, limits: Limits, labels: Labels, label: int,
    step: tuple[int, int, int, int], more: int, sums: Floats,
) -> int:  # fmt: skip
    """Fill the room taken after a step; tell whether all reductions are kept (-1: no room)."""
    o, v, p, after = step
    done, first = labels.steps[label, DONE], 1 + len(limits.most)
    for m in range(len(costs.free)):
        taken = labels.sums[label, first + m]
        taken += costs.room[done, v, p] if places.memory[v] == m else 0.0
        if v == places.last_output and places.whole_memory == m:
            taken += costs.whole_room[1 if tiles.complete[p] else 0]
        if taken > costs.free[m]:
            return -1
        sums[first + m] = 0.0 if places.closed[after, m] else taken
    for q in range(3):
        sums[q - 3] = 1.0
        if limits.waited[q] and not (q == o and places.level[v] >= 0):
            sums[q - 3] = _run(tiles, labels, label, q, p, more)
    if o == _OUTPUT:
        return 1 if tiles.complete[p] else 0
    return int(done)


@njit(cache=True)
def _multiples(lengths: Ints, point: int, found: Ints) -> int:
    """Fill in the tiles that a tile divides, itself first, in order; return their number."""
    found[0] = point
    count = stride = 1
    for axis in range(len(lengths) - 1, -1, -1):
        before = count
        for more in range(1, lengths[axis] - point // stride % lengths[axis]):
            for i in range(before):
                found[count] = found[i] + more * stride
                count += 1
        stride *= lengths[axis]
    return count


@njit(cache=True)
def _doubled(labels: Labels) -> Labels:
    """Make room for as many labels again."""
    return Labels(
        np.concatenate((labels.sums, np.empty_like(labels.sums))),
        np.concatenate((labels.steps, np.empty_like(labels.steps))),
    )


@njit(cache=True)
def _expand(
    orders: Orders, tiles: Tiles, places: Places, costs: Costs, beside: Beside, limits: Limits,
    needless: Ints, labels: Labels, start: int, stop: int, most: float,
) -> tuple[Labels, int]:  # fmt: skip
    """Append every way to place one more node, of labels [start, stop), within the bounds."""
    count = stop
    sums, reach = np.empty(labels.sums.shape[1]), np.empty(len(tiles.packed), np.int64)
    for label in range(start, stop):
        state, point = labels.steps[label, STATE], labels.steps[label, POINT]
        left = most - labels.sums[label, 0]
        reached = _multiples(tiles.lengths, point, reach)
        for o in range(3):
            v = orders.node[state, o]
            if v < 0:
                continue
            after = orders.state[state, o]
            for p in reach[:reached]:
                if costs.energy[v, p] + costs.energy_to_go[after, p] > left:
                    continue
                more = ((tiles.packed[p] | tiles.guard) - tiles.packed[point]) ^ tiles.guard
                if needless[v, p] < 0:
                    needless[v, p] = _needless(tiles, places, costs, limits, v, p)
                if more & needless[v, p] != 0:
                    continue
                step = (o, v, p, after)
                if not _in_time(tiles, costs, beside, limits, labels, label, step, more, sums):
                    continue
                done = _placed(tiles, places, costs, limits, labels, label, step, more, sums)
                if done < 0:
                    continue
                if count == len(labels.sums):
                    labels = _doubled(labels)
                labels.sums[count] = sums
                labels.sums[count, 0] = labels.sums[label, 0] + costs.energy[v, p]
                labels.steps[count, STATE], labels.steps[count, POINT] = after, p
                labels.steps[count, NODE], labels.steps[count, PARENT] = v, label
                labels.steps[count, DONE] = done
                count += 1
    return labels, count


@njit(cache=True)
def _beats(labels: Labels, b: int, a: int) -> bool:
    """Whether whatever continues label a is no worse if it continues label b."""
    if labels.steps[b, DONE] < labels.steps[a, DONE]:
        return False
    for column in range(labels.sums.shape[1]):
        if labels.sums[b, column] > labels.sums[a, column]:
            return False
    return True


@njit(cache=True)
def _mark_needless(labels: Labels, points: int, start: int, stop: int, keep: Bools) -> None:
    """Unmark the labels [start, stop) that another one of their state and tile makes needless.

    Those that are kept of a state and tile follow each other from `last` on, by `before`.
    """
    states = labels.steps[start:stop, STATE].max() + 1
    last, before = np.full(states * points, -1), np.empty(stop - start, np.int64)
    for i in range(stop - start):
        a = start + i
        place = labels.steps[a, STATE] * points + labels.steps[a, POINT]
        j, behind = last[place], -1
        while j >= 0 and keep[i]:
            b, following = start + j, before[j]
            if _beats(labels, b, a):
                keep[i] = False
            elif labels.sums[a, 0] < labels.sums[b, 0] and _beats(labels, a, b):
                keep[j] = False
                if behind < 0:
                    last[place] = following
                else:
                    before[behind] = following
            else:
                behind = j
            j = following
        if keep[i]:
            before[i], last[place] = last[place], i


@njit(cache=True)
def _pruned(costs: Costs, labels: Labels, start: int, stop: int, most: int) -> tuple[int, float]:
    """Keep the labels [start, stop) that no other makes needless, at most `most` of them.

    Returns the new end, and the energy that no chain undercuts which goes on from a label that was
    dropped for want of places [pJ], inf if none was.
    """
    if stop - start < 2:
        return stop, np.inf
    keep = np.ones(stop - start, np.bool_)
    _mark_needless(labels, costs.energy.shape[1], start, stop, keep)
    left = np.inf
    if keep.sum() > most:
        bound = np.empty(stop - start)
        for i in range(len(bound)):
            state, point = labels.steps[start + i, STATE], labels.steps[start + i, POINT]
            bound[i] = labels.sums[start + i, 0] + costs.energy_to_go[state, point]
        left = np.sort(bound[keep])[most]
        keep &= bound < left
    end = start
    for i in range(stop - start):
        if keep[i]:
            if end < start + i:
                labels.sums[end], labels.steps[end] = (
                    labels.sums[start + i],
                    labels.steps[start + i],
                )
            end += 1
    return end, left


@njit(cache=True)
def one_unrolling(layer: Unrolled, places: Places, u: int) -> tuple[Tiles, Costs, Beside]:
    """Return the tiles and the costs of one unrolling."""
    nodes = len(places.operand)
    start, stop = layer.start[u], layer.start[u + 1]
    points, axes = stop - start, slice(layer.axes[u], layer.axes[u + 1])
    block = slice(nodes * start, nodes * stop)
    tiles = Tiles(
        layer.lengths[axes], layer.fields[axes], layer.packed[start:stop], layer.guard[u],
        layer.size[start:stop], layer.complete[start:stop], layer.digits[u], layer.kept[axes],
    )  # fmt: skip
    costs = Costs(
        layer.energy[block].reshape((nodes, points)),
        layer.needed[4 * block.start : 4 * block.stop].reshape((nodes, 4, points)),
        layer.room[2 * block.start : 2 * block.stop].reshape((2, nodes, points)),
        layer.single[block].reshape((nodes, points)),
        layer.first[block].reshape((nodes, points)),
        layer.free[u], layer.whole_room[u],
        layer.energy_to_go[len(places.closed) * start : len(places.closed) * stop].reshape(
            (len(places.closed), points)
        ),
        layer.writing[start:stop],
    )  # fmt: skip
    beside = Beside(layer.beside_pj[u], layer.drain[u], layer.at_ports, layer.passes)
    return tiles, costs, beside


@njit(cache=True)
def cheapest_chain(
    orders: Orders, places: Places, layer: Unrolled, u: int, limits: Limits, least: float,
    bound: float,
) -> tuple[float, float, tuple[int, int, int], Ints, float]:  # fmt: skip
    """Return a chain of least energy within limits, the fastest of those.

    Parameters
    ----------
    u
        Which unrolling.
    least, bound
        Energies that no chain undercuts, and that are of no interest [pJ].

    Returns
    -------
    energy, latency, resource, chain, left
        Energy [pJ], inf if there is none; least latency [cycles] and the resource (3,) that sets
        it; nodes and tiles (v, 2); energy that no chain undercuts which was left out for want of
        places [pJ], inf where none was.
    """
    tiles, costs, beside = one_unrolling(layer, places, u)
    needless = np.full(costs.energy.shape, -1)
    columns = 1 + len(limits.most) + len(costs.free) + 3
    left = np.inf
    places_left = _LIMITED_LABELS if len(limits.most) else _LABELS
    labels = Labels(np.empty((_PLACES, columns)), np.empty((_PLACES, 5), np.int64))
    for slack in _SLACKS:
        most = min(bound, least * (1 + slack)) if least > 0 else bound
        labels.sums[0] = 0.0
        labels.sums[0, -3:] = 1.0
        labels.steps[0], labels.steps[0, NODE:DONE] = 0, -1
        labels.steps[0, DONE] = 1 if tiles.complete[0] else 0
        start, stop, left = 0, 1, np.inf
        for _ in range(len(places.operand)):
            labels, end = _expand(
                orders, tiles, places, costs, beside, limits, needless, labels, start, stop, most
            )
            end, dropped = _pruned(costs, labels, stop, end, places_left)
            left = min(left, dropped)
            start, stop = stop, end
        if stop > start or most >= bound:
            break
    energy, latency, resource = np.inf, np.inf, (-1, 0, 0)
    chain = np.zeros((len(places.operand), 2), np.int64)
    best = chain.copy()
    if stop > start:
        energy = labels.sums[start:stop, 0].min()
    for label in range(start, stop):
        if labels.sums[label, 0] <= energy * (1 + 1e-12):
            here = label
            for k in range(len(chain) - 1, -1, -1):
                chain[k] = labels.steps[here, NODE], labels.steps[here, POINT]
                here = labels.steps[here, PARENT]
            found, port, waits, first = chain_latency(tiles, places, costs, beside, chain)
            if found < latency:
                latency, best = found, chain.copy()
                resource = (port, waits, first)
    return energy, latency, resource, best, left
