"""Least latency of a chain of tiles: computing, waiting for ports, first loads, last stores."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from carbonopt.arrays import Bools, Floats, Ints


class Timing(NamedTuple):
    """What the latency of an unrolled layer's chains depends on.

    Parameters
    ----------
    operand, level, ports
        Of each node (v,), (v,), and port of each way or -1 (v, 4).
    packed, guard, digits, size
        Points of the lattice (p,) and digits of loops that do not index an operand (3,), see
        `carbonopt.mapping.chains.Chains`.
    needed, first
        Cycles of a transfer by way (v, 4, p); of the first one, or the last of the output, where
        the latency counts it (v, p).
    single
        Whether there is no room for a second tile (v, p).
    passes
        Cycles of the array per multiply-accumulate.
    rows
        Cycles to write the weights of an in-memory macro, if the array waits for nothing else;
        negative if it waits for its ports.
    fixed
        Cycles until the last results have left the array.
    """

    operand: Ints
    level: Ints
    ports: Ints
    packed: Ints
    guard: int
    digits: Ints
    size: Floats
    needed: Floats
    first: Floats
    single: Bools
    passes: float
    rows: float
    fixed: float


@njit(cache=True)
def chain_latency(timing: Timing, chain: Ints, ports: int) -> tuple[float, int, bool, int]:
    """Least latency of a chain (v, 2) of nodes and tiles [cycles], and what sets it.

    L = max(C + sum of (needed - window) (n - 1), sum of needed (n - 1)) + first loads + last
    stores, the largest over all ports, with n = N / |T| transfers, compute cycles C, and a window
    of |T| cycles, or |T| // r where no second tile fits: r are the outermost loops of the tile
    that do not index its operand, as few as an order of the loops allows.

    Returns
    -------
    latency, port, waits, first
        Cycles; the port (-1: none), whether waiting for single tiles sets it, and the input
        whose first loads take longer.

    References
    ----------
    .. [1] ZigZag's latency model, of which it is a lower bound.
    """
    busy, late = np.zeros(ports), np.zeros(ports)
    first, run = np.zeros(3), np.ones(3)
    total, last, writes = timing.size[-1], 0, 0.0
    for k in range(len(chain)):
        v, p = chain[k]
        more = ((timing.packed[p] | timing.guard) - timing.packed[last]) ^ timing.guard
        for q in range(3):
            rests = more & ~timing.digits[q] == 0
            run[q] = run[q] * timing.size[p] / timing.size[last] if rests else 1.0
        o = timing.operand[v]
        again = total / timing.size[p] - 1
        window = timing.size[p] // run[o] if timing.single[v, p] else timing.size[p]
        window = np.ceil(window * timing.passes)
        if timing.level[v] >= 0:
            run[o] = 1.0
        first[o] += timing.first[v, p]
        if o == 1 and timing.level[v] == 0:
            writes = again + 1
        for way in range(4):
            port, needed = timing.ports[v, way], timing.needed[v, way, p]
            if port >= 0:
                busy[port] += needed * again
                late[port] += max(0.0, needed - window) * again
        last = p
    slower = 1 if first[1] > first[0] else 0
    ends = first[slower] + first[2] + timing.fixed
    computing = total * timing.passes
    if timing.rows >= 0:
        return computing + timing.rows * writes + ends, 0, False, slower
    latency, port, waits = computing, -1, False
    for q in range(ports):
        if computing + late[q] > latency:
            latency, port, waits = computing + late[q], q, True
        if busy[q] > latency:
            latency, port, waits = busy[q], q, False
    return latency + ends, port, waits, slower
