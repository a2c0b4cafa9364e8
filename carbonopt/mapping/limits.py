"""Bounds that cut the search for chains short: least costs to go, and the time on each port."""

from __future__ import annotations

import numpy as np
from numba import njit

from carbonopt.arrays import Floats, Ints
from carbonopt.mapping.chains import Beside, Costs, Limits, Orders, Places, Tiles, Unrolled

_OUTPUT, _WEIGHTS = 2, 1


@njit(cache=True)
def cost_to_go(orders: Orders, lengths: Ints, cost: Floats) -> Floats:
    """Return the least cost of the nodes that a state lacks, from tile p on (s, p).

    h[s, T] = min over T' divisible by T and next nodes v of (cost[v, T'] + h[s + v, T']).
    """
    states, points = len(orders.node), cost.shape[1]
    least = np.zeros((states, points))
    for s in range(states - 2, -1, -1):
        here = least[s]
        here[:] = np.inf
        for o in range(3):
            v = orders.node[s, o]
            if v >= 0:
                after = least[orders.state[s, o]]
                for p in range(points):
                    here[p] = min(here[p], cost[v, p] + after[p])
        stride = 1
        for axis in range(len(lengths) - 1, -1, -1):
            block = stride * lengths[axis]
            for start in range(0, points, block):
                for p in range(start + block - stride - 1, start - 1, -1):
                    here[p] = min(here[p], here[p + stride])
            stride = block
    return least


@njit(cache=True)
def energies_to_go(
    orders: Orders, start: Ints, axes: Ints, lengths: Ints, energy: Floats
) -> Floats:
    """Return `cost_to_go` of the energy under each of u unrollings, blocks (s, p of u).

    Parameters
    ----------
    start, axes, lengths, energy
        As in `carbonopt.mapping.chains.Unrolled`.
    """
    states, nodes = len(orders.node), len(energy) // start[-1]
    least = np.empty(states * start[-1])
    for u in range(len(start) - 1):
        points = start[u + 1] - start[u]
        block = energy[nodes * start[u] : nodes * start[u + 1]].reshape((nodes, points))
        own = lengths[axes[u] : axes[u + 1]]
        least[states * start[u] : states * start[u + 1]] = cost_to_go(orders, own, block).ravel()
    return least


@njit(cache=True)
def _least_shares(
    places: Places, layer: Unrolled, u: int, v: int, least: Floats, none: int
) -> None:
    """Fill the least cycles of a node by port, busy or waiting, and input whose loads count.

    `least` (ports + 1, 2, 2), of first loads alone where there is no port (`none`).
    """
    start, points = layer.start[u], layer.start[u + 1] - layer.start[u]
    block, o = len(places.operand) * start + v * points, places.operand[v]
    size, passes = layer.size[start : start + points], layer.passes
    for p in range(points):
        if not np.isfinite(layer.energy[block + p]):
            continue
        again = size[-1] / size[p] - 1
        writes = o == _WEIGHTS and places.level[v] == 0
        written = layer.writing[start + p] if writes else 0.0
        for i in range(2):
            first = written
            if o in (i, _OUTPUT):
                first += layer.first[block + p]
            least[none, :, i] = np.minimum(least[none, :, i], first)
            for way in range(4 if layer.at_ports[o] else 0):
                q = places.ports[v, way]
                if q < 0:
                    continue
                busy = late = 0.0
                for other in range(4):
                    if places.ports[v, other] == q:
                        needed = layer.needed[4 * block + other * points + p]
                        busy += needed * again
                        late += max(0.0, needed - np.ceil(size[p] * passes)) * again
                least[q, 0, i] = min(least[q, 0, i], busy + first)
                least[q, 1, i] = min(least[q, 1, i], late + first)


@njit(cache=True)
def least_cycles(places: Places, layer: Unrolled) -> Floats:
    """Return cycles that no mapping of each unrolling undercuts (u,).

    The latency of `carbonopt.mapping.search.chain_latency`, with the best tile for each port at
    each node, whatever the others.
    """
    none = places.port_count
    cycles = np.empty(len(layer.start) - 1)
    for u in range(len(cycles)):
        computing = layer.size[layer.start[u + 1] - 1] * layer.passes
        spent = np.zeros((none + 1, 2, 2))
        spent[:, 1] = computing
        for v in range(len(places.operand)):
            least = np.full((none + 1, 2, 2), np.inf)
            _least_shares(places, layer, u, v, least, none)
            for q in range(none + 1):
                for i in range(2):
                    used = np.isfinite(least[q, 0, i])
                    spent[q, :, i] += least[q if used else none, :, i]
        cycles[u] = spent.max() + layer.drain[u]
    return cycles


@njit(cache=True)
def resource_limits(
    orders: Orders, tiles: Tiles, places: Places, costs: Costs, beside: Beside, active: Ints
) -> Limits:
    """Return the tables of some resources, rows of (port, waits, first) (r, 3), unlimited."""
    nodes, points = costs.energy.shape
    count = len(active)
    cycles, waits = np.zeros((count, nodes, points)), np.zeros((count, nodes, 4), np.bool_)
    to_go = np.zeros((count, len(orders.node), points))
    risky, waited = np.zeros((nodes, points), np.bool_), np.zeros(3, np.bool_)
    for r in range(count):
        for v in range(nodes):
            o = places.operand[v]
            writes = o == _WEIGHTS and places.level[v] == 0
            for p in range(points):
                again = tiles.size[-1] / tiles.size[p] - 1
                if not np.isfinite(costs.energy[v, p]):
                    cycles[r, v, p] = np.inf
                    continue
                if o == active[r, 2] or o == _OUTPUT:
                    cycles[r, v, p] += costs.first[v, p]
                if writes:
                    cycles[r, v, p] += costs.writing[p]
                for way in range(4 if beside.at_ports[o] else 0):
                    if places.ports[v, way] != active[r, 0] or active[r, 0] < 0:
                        continue
                    needed = costs.needed[v, way, p]
                    if active[r, 1]:
                        waits[r, v, way] = True
                        single = costs.single[v, p] and needed > np.ceil(beside.passes)
                        risky[v, p] = risky[v, p] or single
                        waited[o] = waited[o] or single
                        needed = max(0.0, needed - np.ceil(tiles.size[p] * beside.passes))
                    cycles[r, v, p] += needed * again
        to_go[r] = cost_to_go(orders, tiles.lengths, cycles[r])
    return Limits(cycles, to_go, waits, np.full(count, np.inf), risky, waited)
