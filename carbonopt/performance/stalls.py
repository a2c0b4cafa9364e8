"""Cycles that a mapped layer waits: shared ports, double buffers, first loads, last stores."""

from __future__ import annotations

import numpy as np
from numba import njit

from carbonopt.arrays import Floats, Ints

_IRRELEVANT, _RELEVANT = 0, 1


@njit(cache=True)
def _outermost_run(
    wanted: int, relevance: Ints, dims: Ints, sizes: Ints, start: int, stop: int
) -> float:
    """Multiply the outermost consecutive loops of one relevance in loops [start, stop)."""
    product = 1.0
    for loop in range(stop - 1, start - 1, -1):
        if sizes[loop] > 1 and relevance[dims[loop]] != wanted:
            break
        product *= sizes[loop]
    return product


@njit(cache=True)
def _double_buffered(
    levels: Ints, memory: Ints, held_bits: Floats, runs: Floats, capacity: Floats, claims: Ints
) -> Floats:
    """Tell which levels hold a second tile while the first is used: (3, depth + 1).

    Operands claim the room for it in the order of `claims`; others are never double-buffered.
    """
    effective = np.zeros(held_bits.shape)
    shared = np.zeros(len(capacity))
    for operand in range(3):
        for level in range(levels[operand]):
            where = memory[operand, level]
            tile = held_bits[operand, level]
            effective[operand, level] = (tile // runs[operand, level]) / capacity[where]
            shared[where] += effective[operand, level]
    flags = np.zeros((3, held_bits.shape[1] + 1))
    for operand in claims:
        for level in range(levels[operand]):
            where = memory[operand, level]
            if shared[where] <= 0.5:
                flags[operand, level + 1] = 1.0
            elif effective[operand, level] <= 1 - shared[where]:
                flags[operand, level + 1] = 1.0
                shared[where] += effective[operand, level]
    return flags


@njit(cache=True)
def _open_cycles(period: Floats, window: Floats, count: Floats) -> float:
    """Count cycles in which at least one periodic window is open, over all repetitions."""
    longest = np.argmax(period)
    horizon = period[longest]
    k = len(period)
    following = np.zeros(k)
    covered_until = 0.0
    total = 0.0
    while True:
        first = np.argmin(following)
        start = following[first]
        if start >= horizon:
            return total * count[longest]
        stop = min(start + window[first], horizon)
        if stop > covered_until:
            total += stop - max(start, covered_until)
            covered_until = stop
        following[first] += period[first]


@njit(cache=True)
def _port_stall(needed: Floats, period: Floats, window: Floats, count: Floats) -> float:
    """Stall of one port that serves k periodic transfers (k,) [cycles]."""
    slack = (needed - window) * (count - 1)
    if len(needed) == 1:
        return float(slack[0])
    stall = 0.0
    spare = 0.0
    for i in range(len(needed)):
        if slack[i] > 0:
            stall += slack[i]
        else:
            spare += slack[i]
        spare += window[i] * (count[i] - 1)
    for i in range(len(needed)):
        if window[i] == period[i]:
            return stall + max(0.0, spare - period[i] * count[i])
    longest = np.argmax(period)
    certain = (window * (period[longest] // period)).max() * count[longest]
    if spare <= certain:
        return stall
    return stall + max(0.0, spare - _open_cycles(period, window, count))


@njit(cache=True)
def _port_windows(
    relevance: Ints,
    levels: Ints,
    memory: Ints,
    capacity: Floats,
    claims: Ints,
    passes: float,
    dims: Ints,
    sizes: Ints,
    cuts: Ints,
    period: Floats,
    width: Floats,
    tile: Floats,
) -> tuple[Floats, Floats]:
    """Return the allowed window and count of each transfer, (3, depth, 4) each."""
    shape = period.shape
    total = 1.0
    for loop in range(len(sizes)):
        total *= sizes[loop]
    resting = np.ones((3, shape[1] + 1))
    runs = np.ones((3, shape[1]))
    held = np.zeros((3, shape[1]))
    for operand in range(3):
        start = 0
        for level in range(levels[operand]):
            stop = cuts[operand, level]
            resting[operand, level + 1] = _outermost_run(
                _IRRELEVANT, relevance[operand], dims, sizes, start, stop
            )
            runs[operand, level] = _outermost_run(
                _RELEVANT, relevance[operand], dims, sizes, start, stop
            )
            held[operand, level] = tile[operand, level] * width[operand, level, 3]
            start = stop
    doubled = _double_buffered(levels, memory, held, runs, capacity, claims)
    window, count = np.zeros(shape), np.zeros(shape)
    for operand in range(3):
        for level in range(levels[operand]):
            for direction in range(4):
                here = (operand, level, direction)
                side = level if direction == 1 or direction == 2 else level + 1
                window[here] = period[here]
                if not doubled[operand, side]:
                    window[here] = period[here] // resting[operand, side]
                window[here] = np.ceil(window[here] * passes)
                count[here] = total // period[here]
    return window, count


@njit(cache=True)
def stall_cycles(
    relevance: Ints,
    levels: Ints,
    memory: Ints,
    capacity: Floats,
    which: Ints,
    ports: Ints,
    claims: Ints,
    passes: float,
    dims: Ints,
    sizes: Ints,
    cuts: Ints,
    amount: Floats,
    needed: Floats,
    period: Floats,
    width: Floats,
    tile: Floats,
) -> Floats:
    """Stall cycles (or slack, if negative) of each physical port for n mappings.

    Per port with transfers i of real length ceil(bits / bandwidth), period P_i, window a_i and
    count N / P_i: SS_i = (real_i - a_i)(count_i - 1); several transfers share the port's time.

    Parameters
    ----------
    relevance, levels, dims, sizes, cuts, amount, period, width
        As in `carbonopt.mapping.access.count_transfers`, with whole unrollings.
    memory, ports
        Memory of each operand and level (3, depth); physical port of each transfer
        (3, depth, 4), -1 where there is none.
    capacity, which
        Of each memory under each unrolling (u, m) [bit]; each mapping's unrolling (n,).
    claims
        Operands in the order in which they claim room for a second tile.
    passes
        Cycles of the array per multiply-accumulate.
    needed
        Cycles each transfer takes, ceil(amount width / bandwidth) (n, 3, depth, 4).
    tile
        Elements held, counted with fractional unrollings (n, 3, depth).

    Returns
    -------
    ndarray
        Stall or slack (n, ports) [cycles].

    References
    ----------
    .. [1] ZigZag, latency model (combined_mapping, cost_model), as used in CarbonSpot.
    .. [2] zigzag-dse 3.9.1, cost_model/cost_model.py: combine_data_transfer_rate_per_physical_port.
    """
    n = len(dims)
    stall = np.zeros((n, ports.max() + 1))
    members = np.empty((4, 12))
    for row in range(n):
        window, count = _port_windows(
            relevance, levels, memory, capacity[which[row]], claims, passes, dims[row], sizes[row],
            cuts[row], period[row], width[row], tile[row],
        )  # fmt: skip
        for port in range(ports.max() + 1):
            k = 0
            for operand in range(3):
                for level in range(levels[operand]):
                    for direction in range(4):
                        here = (operand, level, direction)
                        if ports[here] == port and amount[row][here] > 0:
                            members[0, k] = needed[row][here]
                            members[1, k] = np.ceil(period[row][here] * passes)
                            members[2, k] = window[here]
                            members[3, k] = count[here]
                            k += 1
            if k > 0:
                stall[row, port] = _port_stall(
                    members[0, :k], members[1, :k], members[2, :k], members[3, :k]
                )
    return stall
