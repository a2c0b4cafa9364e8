"""Bounds for the search of chains: least costs to go, and loops that no tile needs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from carbonopt.arrays import Bools, Floats, Ints


class Orders(NamedTuple):
    """All orders in which the nodes of three operands can follow each other.

    Parameters
    ----------
    node, state
        Next node of each operand and the state after it; -1 where none is left (s, 3).
    """

    node: Ints
    state: Ints


@njit(cache=True)
def chain_orders(counts: Ints) -> Orders:
    """Return the states of operands with so many nodes each (3,); the last state has them all."""
    a, b, c = counts[0] + 1, counts[1] + 1, counts[2] + 1
    strides = (b * c, c, 1)
    first = (0, counts[0], counts[0] + counts[1])
    node = np.full((a * b * c, 3), -1)
    state = np.full((a * b * c, 3), -1)
    for s in range(a * b * c):
        done = (s // (b * c), s // c % b, s % c)
        for o in range(3):
            if done[o] < counts[o]:
                node[s, o] = first[o] + done[o]
                state[s, o] = s + strides[o]
    return Orders(node, state)


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
            length = lengths[axis]
            block = stride * length
            for start in range(0, points, block):
                for p in range(start + block - stride - 1, start - 1, -1):
                    here[p] = min(here[p], here[p + stride])
            stride = block
    return least


@njit(cache=True)
def costs_to_go(
    orders: Orders, lengths: Ints, axes: Ints, offsets: Ints, memory: Ints, first: Bools,
    complete: Bools, free: Floats, room: Floats, energy: Floats,
) -> Floats:  # fmt: skip
    """Least energy to go of u unrolled layers; tiles that do not fit alone cost inf, in place.

    Parameters
    ----------
    lengths, axes
        Axes of all lattices one after the other, and where each lattice's begin (u + 1,).
    offsets, complete
        Where each lattice's tiles begin (u + 1,), and whether they keep all reductions (p,).
    memory, first
        Memory of each node or -1, and whether it is an innermost level (v,).
    free
        Bits of each memory (u, m).
    room, energy
        Blocks as in `carbonopt.mapping.nodes.node_costs`.

    Returns
    -------
    ndarray
        Blocks (s, p of u) of `cost_to_go`.
    """
    nodes, states = len(memory), len(orders.node)
    least = np.empty(states * len(complete))
    for u in range(len(offsets) - 1):
        start, stop = offsets[u], offsets[u + 1]
        points = stop - start
        here = energy[nodes * start : nodes * stop].reshape(nodes, points)
        taken = room[2 * nodes * start : 2 * nodes * stop].reshape(2, nodes, points)
        fits = (free[u] >= 0).all()
        for v in range(nodes):
            done = 0 if first[v] and not complete[start] else 1
            for p in range(points):
                if not fits or (memory[v] >= 0 and taken[done, v, p] > free[u, memory[v]]):
                    here[v, p] = np.inf
        found = cost_to_go(orders, lengths[axes[u] : axes[u + 1]], here)
        least[states * start : states * stop] = found.ravel()
        if not fits:
            least[states * start : states * stop] = np.inf
    return least


@njit(cache=True)
def needless_loops(
    lengths: Ints, fields: Ints, kept: Bools, energy: Floats, cycles: Floats, risky: Bools
) -> Ints:
    """Mark loops without which a smaller tile is no worse at a node: digit masks (v, p).

    Parameters
    ----------
    lengths, fields
        Of each axis of the lattice (a,).
    kept
        Axes that are never marked (v, a).
    energy, cycles
        Costs of each node (v, p), (r, v, p).
    risky
        Tiles that the array may have to wait for, depending on the order of loops (v, p).
    """
    nodes, points = energy.shape
    masks = np.zeros((nodes, points), np.int64)
    stride = 1
    for axis in range(len(lengths) - 1, -1, -1):
        for v in range(nodes):
            for p in range(0 if kept[v, axis] else stride, points if not kept[v, axis] else 0):
                if p // stride % lengths[axis] == 0:
                    continue
                worse = risky[v, p - stride] or not energy[v, p - stride] <= energy[v, p]
                for r in range(len(cycles)):
                    worse = worse or not cycles[r, v, p - stride] <= cycles[r, v, p]
                if not worse:
                    masks[v, p] |= fields[axis]
        stride *= lengths[axis]
    return masks
