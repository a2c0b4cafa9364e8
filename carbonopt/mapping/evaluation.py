"""Energy, roofline latency and room of many chains of tiles of one unrolled layer at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from carbonopt.arrays import Bools, Floats, Ints
from carbonopt.mapping.chains import Beside, Costs, Tiles
from carbonopt.mapping.nodes import OUTPUT
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.tables import Tables

_CHUNK = 1024  # chains whose sums stay in the innermost cache
_ROOMS = 4  # sums before those of rooms: energy, first loads of I and W, last stores
_WEIGHTS = 1


class ChainTerms(NamedTuple):
    """What each tile adds to a chain: terms that are no zeros, sum by sum.

    The sums are energy, cycles of first loads of I, of those of W, of last stores, room in shared
    memories, time on ports.

    Parameters
    ----------
    table, node
        What each tile adds (t, p), and whose tile it is (t,).
    starts
        First term of each sum (sums + 1,).
    late, late_node, late_sum
        What tiles of outputs add more while partial sums come from below (l, p), their nodes and
        sums (l,); the node of the tile below stands before them.
    partial
        Whether a tile lacks some reductions (p,).
    free
        Bits that each shared memory has to give (shared,).
    beside_pj, computing, fixed
        Energy beside the transfers [pJ], cycles of computing and after it.
    """

    table: Floats
    node: Ints
    starts: Ints
    late: Floats
    late_node: Ints
    late_sum: Ints
    partial: Floats
    free: Floats
    beside_pj: float
    computing: float
    fixed: float


def chain_terms(tables: Tables, u: int) -> ChainTerms:
    """Return what `evaluate_chains` adds up, of a layer under one of its unrollings."""
    plan, (tiles, costs, beside) = tables.plan, tables.one(u)
    computing = float(tiles.size[-1] * beside.passes)
    partial, final = _rooms(plan, tiles, costs)
    ends, times = _ends(plan, costs), _port_times(plan, tiles, costs, beside)
    sums = [costs.energy, *ends, *final, *times]
    terms = [np.flatnonzero(each.any(axis=1)) for each in sums]
    late = np.argwhere((partial > final).any(axis=2))
    return ChainTerms(
        np.concatenate([each[nodes] for each, nodes in zip(sums, terms, strict=True)]),
        np.concatenate(terms),
        np.cumsum([0, *(len(nodes) for nodes in terms)]),
        (partial - final)[tuple(late.T)].reshape(-1, len(tiles.size)), late[:, 1],
        late[:, 0] + _ROOMS, np.where(tiles.complete, 0.0, 1.0), costs.free, beside.energy_pj,
        computing, beside.cycles,
    )  # fmt: skip


def _ends(plan: Plan, costs: Costs) -> Floats:
    """Cycles of first loads of I, of W, of last stores and writing rows of weights (3, v, p)."""
    nodes = plan.nodes
    own = nodes.operand == np.arange(OUTPUT + 1)[:, None]
    ends: Floats = costs.first * own[:, :, None]
    innermost = (nodes.operand == _WEIGHTS) & (nodes.level == 0)
    ends[OUTPUT] += innermost[:, None] * costs.writing
    return ends


def _rooms(plan: Plan, tiles: Tiles, costs: Costs) -> Floats:
    """Bits of shared memories that tiles take above partial or final sums (2, shared, v, p)."""
    room = np.zeros((2, len(plan.shared), len(plan.memory), len(tiles.size)))
    for v in np.flatnonzero(plan.memory >= 0):
        room[:, plan.memory[v], v] = costs.room[:, v]
        if plan.nodes.operand[v] == OUTPUT and plan.nodes.level[v] == 0:
            room[:, plan.memory[v], v] = costs.room[int(tiles.complete[0]), v]
    if plan.whole_memory >= 0:
        whole = costs.whole_room[tiles.complete.astype(np.int64)]
        room[:, plan.whole_memory, plan.last_output] += whole
    return room


def _port_times(plan: Plan, tiles: Tiles, costs: Costs, beside: Beside) -> list[Floats]:
    """Cycles on each port (v, p), of those that can take longer than computing."""
    times = port_cycles(plan, tiles, costs, beside)
    computing = tiles.size[-1] * beside.passes
    return [time for time in times if time.max(axis=1).sum() > computing]


def port_cycles(plan: Plan, tiles: Tiles, costs: Costs, beside: Beside) -> list[Floats]:
    """Return the cycles that tiles take on each port for which the array waits (v, p)."""
    nodes, again = plan.nodes, tiles.size[-1] / tiles.size - 1
    ports = np.where(beside.at_ports[nodes.operand][:, None], nodes.ports, -1)
    return [
        (costs.needed * (ports == port)[:, :, None]).sum(axis=1) * again
        for port in range(ports.max() + 1)
    ]


def random_chains(tables: Tables, u: int, count: int, rng: np.random.Generator) -> Ints:
    """Draw n chains of an unrolled layer: any order of the nodes, any loops between them (v, n)."""
    operand = tables.plan.nodes.operand
    place = rng.random((len(operand), count))
    for o in range(OUTPUT + 1):
        place[operand == o] = np.sort(place[operand == o], axis=0)
    rank = place.argsort(axis=0).argsort(axis=0)
    chains = np.zeros(rank.shape, dtype=np.int64)
    for length in tables.one(u)[0].lengths:
        digits = np.sort(rng.integers(0, length, rank.shape), axis=0)
        chains = chains * length + np.take_along_axis(digits, rank, axis=0)
    return chains


def evaluate_chains(terms: ChainTerms, chains: Ints) -> tuple[Floats, Floats, Bools]:
    """Evaluate n chains of one layer under one unrolling.

    E = sum of the nodes' energies; L = max(C, time on the busiest port) + first loads + last
    stores.

    Parameters
    ----------
    terms
        From `chain_terms`.
    chains
        The tile of each node, in the order of `carbonopt.mapping.nodes.Nodes` (v, n); those of a
        chain must be divisors of each other in some order that puts inner levels first.

    Returns
    -------
    energy_pj, cycles, legal
        Energy [pJ], roofline latency without stalls [cycles], and whether all tiles fit (n,).

    Notes
    -----
    The energy is exact, and inf where a tile fits nowhere. The latency is a lower bound, never
    above that of `carbonopt.mapping.search.chain_latency`.
    """
    return _evaluated(terms, chains)


@njit(cache=True)
def _add_terms(terms: ChainTerms, chains: Ints, start: int, column: int, into: Floats) -> None:
    """Add the terms of one sum for chains [start, start + len(into)), three at a time."""
    stop, count = start + len(into), terms.starts[column + 1]
    t = terms.starts[column]
    while t < count:
        first, here = terms.table[t], chains[terms.node[t], start:stop]
        if t + 2 < count:
            second, there = terms.table[t + 1], chains[terms.node[t + 1], start:stop]
            third, yonder = terms.table[t + 2], chains[terms.node[t + 2], start:stop]
            for i in range(len(into)):
                two = first[np.uint32(here[i])] + second[np.uint32(there[i])]
                into[i] += two + third[np.uint32(yonder[i])]
            t += 3
        elif t + 1 < count:
            second, there = terms.table[t + 1], chains[terms.node[t + 1], start:stop]
            for i in range(len(into)):
                into[i] += first[np.uint32(here[i])] + second[np.uint32(there[i])]
            t += 2
        else:
            for i in range(len(into)):
                into[i] += first[np.uint32(here[i])]
            t += 1


@njit(cache=True)
def _add_late(terms: ChainTerms, chains: Ints, start: int, column: int, into: Floats) -> None:
    """Add the room that tiles of outputs take more above partial sums."""
    for which in range(len(terms.late)):
        if terms.late_sum[which] == column:
            v, more = terms.late_node[which], terms.late[which]
            below, here = chains[v - 1, start:], chains[v, start:]
            for i in range(len(into)):
                into[i] += terms.partial[np.uint32(below[i])] * more[np.uint32(here[i])]


@njit(cache=True)
def _evaluated(terms: ChainTerms, chains: Ints) -> tuple[Floats, Floats, Bools]:
    """See `evaluate_chains`."""
    count, first_port = chains.shape[1], 4 + len(terms.free)
    energy, cycles, legal = np.empty(count), np.empty(count), np.empty(count, np.bool_)
    chunk = np.empty((2, _CHUNK))
    for start in range(0, count, _CHUNK):
        stop = min(start + _CHUNK, count)
        pj, latency, fits = energy[start:stop], cycles[start:stop], legal[start:stop]
        one, other = chunk[0, : len(pj)], chunk[1, : len(pj)]
        pj[:] = terms.beside_pj
        _add_terms(terms, chains, start, 0, pj)
        for i in range(len(pj)):
            fits[i] = pj[i] < np.inf
        for column in range(4, first_port):
            one[:] = 0.0
            _add_terms(terms, chains, start, column, one)
            _add_late(terms, chains, start, column, one)
            for i in range(len(one)):
                fits[i] &= one[i] <= terms.free[column - 4]
        latency[:] = terms.computing
        for column in range(first_port, len(terms.starts) - 1):
            one[:] = 0.0
            _add_terms(terms, chains, start, column, one)
            for i in range(len(one)):
                latency[i] = one[i] if one[i] > latency[i] else latency[i]
        one[:] = terms.fixed
        other[:] = terms.fixed
        _add_terms(terms, chains, start, 1, one)
        _add_terms(terms, chains, start, 2, other)
        for i in range(len(one)):
            latency[i] += one[i] if one[i] > other[i] else other[i]
        _add_terms(terms, chains, start, 3, latency)
    return energy, cycles, legal
