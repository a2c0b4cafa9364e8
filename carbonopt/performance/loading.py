"""First loads and last stores of mapped layers, some of them beside the computing."""

from __future__ import annotations

import numpy as np
from numba import njit

from carbonopt.arrays import Floats, Ints

_FROM_ABOVE, _TO_BELOW, _FROM_BELOW, _TO_ABOVE = range(4)
_OUTPUT = 2


@njit(cache=True)
def _average_bits(
    operand: int, level: int, direction: int, amount: Floats, period: Floats, width: Floats,
    tile: Floats,
) -> float:  # fmt: skip
    """Average bits per cycle that a transfer needs, one instance above all those below."""
    here = (operand, level, direction)
    if direction in (_FROM_ABOVE, _TO_ABOVE):
        return np.floor(tile[operand, level] * width[here] / period[here])
    below = tile[operand, level - 1] if level > 0 else 1.0
    return np.floor(below * width[here] / period[here] * (amount[here] / below))


@njit(cache=True)
def _use_free_cycles(cycles: Floats, least: Floats, free: float) -> None:
    """Shorten one port's transfers (k,), longest first, by the cycles it has free, in place."""
    done = np.zeros(len(cycles))
    order = np.argsort(-cycles, kind="mergesort")
    for i in order:
        done[i] = min(max(0.0, cycles[i] - least[i]), max(0.0, free))
        free -= done[i]
    cycles -= done


@njit(cache=True)
def _shortened(
    links: Ints, wide: Floats, passes: float, total: float, busy: float, cycles: Floats,
    amount: Floats, period: Floats, width: Floats, tile: Floats,
) -> None:  # fmt: skip
    """Shorten transfers that happen once by the time their port is free, in place.

    A port of width w that needs b bits per cycle on average for repeated transfers is free for
    (1 - b / w) of the running time; a transfer keeps the cycles of one innermost tile.
    `cycles` (3, depth, 4), `total` multiply-accumulate cycles, `busy` running cycles.
    """
    for port in range(links[:, 0].max() + 1):
        members = np.zeros((len(links), 3), np.int64)
        k = 0
        needed = 0.0
        port_bits = 1.0
        for link in range(len(links)):
            number, operand, level, direction = links[link]
            here = (operand, level, direction)
            back = operand == _OUTPUT and direction in (_TO_BELOW, _FROM_ABOVE)
            if number != port or amount[here] == 0 or back:
                continue
            port_bits = wide[here]
            if total // period[here] > 1:
                average = _average_bits(operand, level, direction, amount, period, width, tile)
                needed += np.ceil(average / passes)
            else:
                members[k] = operand, level, direction
                k += 1
        least, once = np.zeros(k), np.zeros(k)
        for i in range(k):
            operand, level, direction = members[i]
            up = 3 if operand == _OUTPUT else 0
            least[i] = np.ceil(tile[operand, 0] * width[operand, 0, up] / port_bits)
            once[i] = cycles[operand, level, direction]
        _use_free_cycles(once, least, max(0.0, (port_bits - needed) / port_bits * busy))
        for i in range(k):
            operand, level, direction = members[i]
            cycles[operand, level, direction] = once[i]


@njit(cache=True)
def _onload(levels: Ints, ports: Ints, inputs: int, cycles: Floats, replaced: bool) -> float:
    """First loads of the inputs, boundary by boundary, around ports that both of them need.

    Each boundary takes the slower of its two sides. Boundaries whose ports serve one input
    alone run beside those of the other; those whose ports serve both run one after the other.
    """
    alone, half, shared = np.zeros(2), np.zeros(2), np.zeros(2)
    for operand in range(inputs):
        for level in range(levels[operand] - 1):
            inner, outer = (operand, level, _FROM_ABOVE), (operand, level + 1, _TO_BELOW)
            sides = 0
            for side in (inner, outer):
                sides += (ports[1 - operand] == ports[side]).any()
            longest = max(cycles[inner], cycles[outer])
            if sides == 0:
                alone[operand] += longest
            elif sides == 2:
                shared[operand] += longest
            else:
                half[operand] = longest + (0.0 if replaced else half[operand])
    own = alone + half
    return min(
        shared[0] + max(shared[1] + own[1], own[0]), shared[1] + max(shared[0] + own[0], own[1])
    )


@njit(cache=True)
def loading_cycles(
    levels: Ints,
    ports: Ints,
    links: Ints,
    inputs: int,
    overlapped: bool,
    wide: Floats,
    which: Ints,
    passes: float,
    total: Floats,
    stall: Floats,
    needed: Floats,
    amount: Floats,
    period: Floats,
    width: Floats,
    tile: Floats,
) -> tuple[Floats, Floats]:
    """First loads of inputs and weights, and the last store of outputs, of n mappings.

    Parameters
    ----------
    levels, ports, links
        Memory levels of each operand (3,), port of each transfer (3, depth, 4), transfers in
        the order in which the ports serve them (t, 4).
    inputs
        2, or 1 where the first weights are counted elsewhere.
    overlapped
        Transfers that happen once use port time that computing leaves free.
    wide, which
        Widest access (u, 3, depth, 4) [bit] under each unrolling, each mapping's (n,).
    passes, total, stall
        Cycles per multiply-accumulate; product of the loops and waiting cycles (n,).
    needed, amount, period, width, tile
        As in `stall_cycles` and `count_transfers`.

    Returns
    -------
    onload, offload
        Cycles (n,).

    References
    ----------
    .. [1] zigzag-dse 3.9.1, cost_model/cost_model.py: calc_data_loading_latency.
    """
    n = len(total)
    onload, offload = np.zeros(n), np.zeros(n)
    for row in range(n):
        cycles = needed[row].copy()
        if overlapped:
            busy = np.ceil(total[row] * passes) + stall[row]
            _shortened(
                links, wide[which[row]], passes, total[row], busy, cycles,
                amount[row], period[row], width[row], tile[row],
            )  # fmt: skip
        onload[row] = _onload(levels, ports, inputs, cycles, overlapped)
        for level in range(levels[_OUTPUT] - 1):
            inner, outer = (_OUTPUT, level, _TO_ABOVE), (_OUTPUT, level + 1, _FROM_BELOW)
            offload[row] += max(cycles[inner], cycles[outer])
    return onload, offload
