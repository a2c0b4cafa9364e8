"""Bounds that cut the search for chains short: least costs to go, and the time on each port."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from carbonopt.arrays import Bools, Floats, Ints
from carbonopt.mapping.chains import Limits, Orders, Places, Unrolled

_OUTPUT, _WEIGHTS = 2, 1
_ROUNDING = 1e-9


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
def _least_shares(
    places: Places, layer: Unrolled, u: int, v: int, least: Floats, none: int
) -> None:
    """Fill the least cycles of a node by port, busy or waiting, and input whose loads count.

    `least` (ports + 1, 2, 2), of first loads alone where there is no port (`none`).
    """
    start, points = layer.start[u], layer.start[u + 1] - layer.start[u]
    block, o = len(places.operand) * start + v * points, places.operand[v]
    writes = o == _WEIGHTS and places.level[v] == 0
    served = np.zeros(4, np.bool_)  # the first way of each port
    for way in range(4 if layer.at_ports[o] else 0):
        q = places.ports[v, way]
        served[way] = q >= 0 and not (places.ports[v, :way] == q).any()
    for p in range(points):
        if not layer.energy[block + p] < np.inf:
            continue
        size = layer.size[start + p]
        again, window = layer.size[start + points - 1] / size - 1, np.ceil(size * layer.passes)
        written = layer.writing[start + p] if writes else 0.0
        loads = written + layer.first[block + p]
        first = (loads if o != 1 else written, loads if o != 0 else written)
        for i in range(2):
            for late in range(2):
                least[none, late, i] = min(least[none, late, i], first[i])
        for way in range(4):
            if not served[way]:
                continue
            q = places.ports[v, way]
            busy = late_by = 0.0
            for other in range(way, 4):
                if places.ports[v, other] == q:
                    needed = layer.needed[4 * block + other * points + p]
                    busy += needed * again
                    late_by += max(0.0, needed - window) * again
            for i in range(2):
                least[q, 0, i] = min(least[q, 0, i], busy + first[i])
                least[q, 1, i] = min(least[q, 1, i], late_by + first[i])


class Bounds(NamedTuple):
    """What a layer takes under each of u unrollings.

    Parameters
    ----------
    least_pj, most_pj
        Energy at least [pJ], inf where nothing fits, and energy at most beside that of the array
        (u,) [pJ].
    cycles
        Cycles at least (u,).
    """

    least_pj: Floats
    most_pj: Floats
    cycles: Floats


@njit(cache=True)
def _least_cycles(places: Places, layer: Unrolled, u: int) -> float:
    """Return cycles that no mapping of an unrolling undercuts.

    The latency of `carbonopt.mapping.search.chain_latency`, with the best tile for each port at
    each node, whatever the others.
    """
    none = places.port_count
    spent, least = np.zeros((none + 1, 2, 2)), np.empty((none + 1, 2, 2))
    spent[:, 1] = layer.size[layer.start[u + 1] - 1] * layer.passes
    for v in range(len(places.operand)):
        least[:] = np.inf
        _least_shares(places, layer, u, v, least, none)
        for q in range(none + 1):
            for i in range(2):
                used = np.isfinite(least[q, 0, i])
                spent[q, :, i] += least[q if used else none, :, i]
    return spent.max() + layer.drain[u]


@njit(cache=True)
def fill_bounds(orders: Orders, places: Places, layer: Unrolled, fits: Bools) -> Bounds:
    """Fill in the least energies to go of unrolled layers; return what they take at least.

    `fits` tells for which unrollings the whole operands fit (u,).
    """
    states, nodes, count = len(orders.node), len(places.operand), len(fits)
    found = Bounds(np.full(count, np.inf), np.zeros(count), np.empty(count))
    for u in range(count):
        start, stop = layer.start[u], layer.start[u + 1]
        block = layer.energy[nodes * start : nodes * stop].reshape((nodes, stop - start))
        to_go = cost_to_go(orders, layer.lengths[layer.axes[u] : layer.axes[u + 1]], block)
        layer.energy_to_go[states * start : states * stop] = to_go.ravel()
        if fits[u]:
            found.least_pj[u] = to_go[0, 0] + layer.beside_pj[u]
        for v in range(nodes):
            most = 0.0
            for p in range(stop - start):
                most = max(most, block[v, p] if block[v, p] < np.inf else 0.0)
            found.most_pj[u] += most
        found.most_pj[u] *= 1 + _ROUNDING
        found.cycles[u] = _least_cycles(places, layer, u)
    return found


@njit(cache=True)
def resource_limits(
    orders: Orders, places: Places, layer: Unrolled, u: int, active: Ints
) -> Limits:
    """Return the tables of some resources of an unrolled layer, unlimited.

    `active` are rows of (port, waits, first) (r, 3).
    """
    start, points = layer.start[u], layer.start[u + 1] - layer.start[u]
    nodes, count, passes = len(places.operand), len(active), layer.passes
    size = layer.size[start : start + points]
    cycles, waits = np.zeros((count, nodes, points)), np.zeros((count, nodes, 4), np.bool_)
    to_go = np.zeros((count, len(orders.node), points))
    risky, waited = np.zeros((nodes, points), np.bool_), np.zeros(3, np.bool_)
    for r in range(count):
        for v in range(nodes):
            o, first = places.operand[v], nodes * start + v * points
            writes = o == _WEIGHTS and places.level[v] == 0
            for p in range(points):
                again = size[-1] / size[p] - 1
                if not np.isfinite(layer.energy[first + p]):
                    cycles[r, v, p] = np.inf
                    continue
                if o == active[r, 2] or o == _OUTPUT:
                    cycles[r, v, p] += layer.first[first + p]
                if writes:
                    cycles[r, v, p] += layer.writing[start + p]
                for way in range(4 if layer.at_ports[o] else 0):
                    if places.ports[v, way] != active[r, 0] or active[r, 0] < 0:
                        continue
                    needed = layer.needed[4 * first + way * points + p]
                    if active[r, 1]:
                        waits[r, v, way] = True
                        single = layer.single[first + p] and needed > np.ceil(passes)
                        risky[v, p] = risky[v, p] or single
                        waited[o] = waited[o] or single
                        needed = max(0.0, needed - np.ceil(size[p] * passes))
                    cycles[r, v, p] += needed * again
        to_go[r] = cost_to_go(orders, layer.lengths[layer.axes[u] : layer.axes[u + 1]], cycles[r])
    return Limits(cycles, to_go, waits, np.full(count, np.inf), risky, waited)
