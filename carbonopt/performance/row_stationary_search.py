"""What a row-stationary mapping moves and how long it takes, and the best mappings; compiled.

A mapping is x = (m, n, e, p, q, r, t) of JSSC 2017, table III: m output channels and n inputs of
a batch in the buffer, PE sets e output rows wide, p filters and q channels in each PE, r sets
over channels and t over filters.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from carbonopt.arrays import Floats, Ints

PARAMETERS = ("m", "n", "e", "p", "q", "r", "t")
COUNTED = 13
"""Words by level (DRAM, buffer, NoC, RF) and operand (W, I, O), then multiply-accumulates."""
CYCLES = ("compute", "stall", "fill", "load", "dram")
"""Parts of the latency, behind what is counted: the busiest PE computes; it waits for a bus;
filters and first windows reach the PEs; inputs come from DRAM; filters and outputs do, longer."""
_MOST_POINTS = 256
_MORE_PASSES = 2  # than the fewest, which shares out filters more evenly


@njit(cache=True)
def _folded(shape: Ints, array: Floats) -> tuple[int, int, int, int, int, int]:
    """Return rows and columns of a kernel piece, pieces, its height, padded and true width."""
    f, width, size = shape[3], shape[6], shape[7]
    row_pieces = math.ceil(size / array[0])
    column_pieces = math.ceil(width / min(array[2], array[3]))
    rows, columns = -(-size // row_pieces), -(-width // column_pieces)
    stride, dilation = shape[8], shape[10]
    padded = min((f - 1) * stride + (columns - 1) * dilation + 1, f * columns)
    true = min((f - 1) * stride + (width - 1) * dilation + 1, f * width, shape[12])
    return rows, columns, row_pieces, column_pieces, padded, true


@njit(cache=True)
def _height(shape: Ints, rows: int, e: int) -> int:
    """Return the input rows under e rows of outputs and so many rows of a kernel."""
    return min((e - 1) * shape[9] + (rows - 1) * shape[11] + 1, e * rows)


@njit(cache=True)
def _sets_beside(array: Floats, rows: int, e: int) -> int:
    """Count the PE sets that fit the array; one wider than it is folded."""
    slots, columns = int(array[0]) // rows, int(array[1])
    return int(slots // -(-e // columns) if e > columns else slots * (columns // e))


@njit(cache=True)
def fits(shape: Ints, array: Floats, x: Ints) -> bool:
    """Whether a mapping fits array, register files and buffer."""
    m, n, e, p, q, r, t = x
    rows, columns, _, _, padded, _ = _folded(shape, array)
    sets = _sets_beside(array, rows, e)
    words = n * (q * r * _height(shape, rows, e) * padded + m * e * shape[3])
    files = p <= array[4] and q * columns <= array[3] and p * q * columns <= array[2]
    return bool(r * t <= sets and files and words <= array[5])


@njit(cache=True)
def _account(shape: Ints, array: Floats, unit: Floats, x: Ints, out: Floats) -> None:
    """Write words and multiply-accumulates, then cycles by part, of a mapping to `out` (18,)."""
    b, k, g, f, outputs, c = shape[0], shape[1], shape[2], shape[3], shape[4], shape[5]
    m, n, e, p, q, r, t = x
    rows, columns, row_pieces, column_pieces, padded, true = _folded(shape, array)
    pieces = row_pieces * column_pieces
    batches, strips = math.ceil(b / n), math.ceil(outputs / e)
    blocks, last = math.ceil(k / m), k - (math.ceil(k / m) - 1) * m
    groups = (blocks - 1) * math.ceil(m / (p * t)) + math.ceil(last / (p * t))
    sets = (blocks - 1) * _sets(m, p, t) + _sets(last, p, t)
    channels = math.ceil(c / (q * r)) * pieces
    times = 1.0 if groups * channels == 1 else float(batches * strips)
    weights = unit[15] * k * g * c * shape[6] * shape[7]
    ofmap = float(b * g * k * f * outputs)
    macs = ofmap * c * shape[6] * shape[7]
    reach, stride = (rows - 1) * shape[11] + 1, shape[9]
    if stride <= reach:
        fetched = min(shape[13], (outputs - 1) * stride + reach) + (strips - 1) * (reach - stride)
    else:
        fetched = outputs * rows
    rest = outputs - (strips - 1) * e
    slid = (strips - 1) * _height(shape, rows, e) + _height(shape, rows, rest)
    ifmap = float(b * g * c * row_pieces)
    taken = ifmap * column_pieces * padded * slid * groups
    out[0], out[1], out[2] = weights * times, ifmap * true * fetched * blocks, ofmap
    out[3], out[4] = 2 * out[0], out[1] + taken
    out[5] = 2 * ofmap * channels
    out[6] = weights * outputs * (batches if times > 1 else 1)
    out[7] = ifmap * column_pieces * padded * rows * outputs * sets
    out[8] = ofmap * (pieces * rows * _sets(c, q, r) + channels)
    out[9], out[10] = out[6] + macs * unit[14], out[7] + macs
    out[11], out[12] = 2 * macs * unit[14], macs * unit[14]
    filled = k * g * c * shape[6] * shape[7] * times / array[6]
    filled += ifmap / b * column_pieces * batches * columns * slid * groups / array[7]
    computing, busy = 0.0, 0.0
    for strip, high in ((strips - 1, e), (1, rest)):
        for fill, many in _fillings(m, last, blocks, p * t):
            for here, often in ((q * r, c // (q * r)), (c % (q * r), 1)):
                if strip * many * often * here * fill == 0:
                    continue
                passes = float(strip * many * often * pieces * g * b)
                work = float(-(-fill // t) * -(-here // r) * columns * f)
                most = max(work, fill * high * f / array[8])
                most = max(most, here * _height(shape, rows, high) * padded / array[7])
                computing += passes * work
                busy += passes * most
    out[13], out[14], out[15] = computing, busy - computing, filled
    out[16] = out[1] * unit[17]
    out[17] = max(0.0, out[0] * unit[16] + out[2] * unit[18] - busy - filled)


@njit(cache=True)
def _sets(many: int, p: int, t: int) -> int:
    """Count the PE sets that filters (p, t) or channels (q, r) take, at once or in turn."""
    rest = many % (p * t)
    found = many // (p * t) * t
    if rest:
        found += math.ceil(rest / -(-rest // t))
    return int(found)


@njit(cache=True)
def _fillings(m: int, last: int, blocks: int, most: int) -> tuple[tuple[int, int], ...]:
    """Return how many filters a pass takes, and in how many passes."""
    return (
        (most, (blocks - 1) * (m // most) + last // most),
        (m % most, blocks - 1),
        (last % most, 1),
    )


@njit(cache=True)
def _price(unit: Floats, out: Floats) -> tuple[float, float]:
    """Return energy [pJ] and latency [cycles] of what was counted."""
    cycles = out[13] + out[14] + out[15] + out[16] + out[17]
    energy = unit[13] * cycles
    for i in range(13):
        energy += out[i] * unit[i]
    return energy, cycles


@njit(cache=True)
def account(shape: Ints, array: Floats, unit: Floats, x: Ints) -> Floats:
    """Return what a mapping counts, see `COUNTED` and `CYCLES` (18,)."""
    out = np.empty(18)
    _account(shape, array, unit, x, out)
    return out


@njit(cache=True)
def geometry(shape: Ints, array: Floats, e: int) -> Ints:
    """Return what PE sets of a width are (4,).

    Kernel rows and columns in a PE set, sets beside one another, words of inputs of a channel.
    """
    rows, columns, _, _, padded, _ = _folded(shape, array)
    words = _height(shape, rows, e) * padded
    return np.array([rows, columns, _sets_beside(array, rows, e), words], dtype=np.int64)


@njit(cache=True)
def _keep(points: Floats, chosen: Ints, count: int, energy: float, cycles: float, x: Ints) -> int:
    """Add a point to a lower hull, fastest first, unless it lies above it; return its size."""
    if _above(points, count, energy, cycles):
        return count
    first = 0
    while first < count and points[first, 1] < cycles:
        first += 1
    after = first
    while after < count and points[after, 0] >= energy:
        after += 1
    while after + 1 < count and _bends_down(points, after, after + 1, energy, cycles):
        after += 1
    while first > 1 and _bends_down(points, first - 1, first - 2, energy, cycles):
        first -= 1
    if first == after:
        if count == _MOST_POINTS:
            return count
        for i in range(count, first, -1):
            points[i], chosen[i] = points[i - 1], chosen[i - 1]
    else:
        for i in range(after, count):
            points[first + 1 + i - after], chosen[first + 1 + i - after] = points[i], chosen[i]
    points[first, 0], points[first, 1] = energy, cycles
    chosen[first] = x
    return first + 1 + count - after


@njit(cache=True)
def _bends_down(points: Floats, middle: int, end: int, energy: float, cycles: float) -> bool:
    """Whether a point lies on or above the line from a new one to the one beyond it."""
    rise = (points[middle, 0] - energy) * abs(points[end, 1] - cycles)
    return bool(rise >= (points[end, 0] - energy) * abs(points[middle, 1] - cycles))


@njit(cache=True)
def widest(shape: Ints, array: Floats) -> int:
    """Return how many rows of outputs a PE set can be wide, folded onto the array."""
    rows = _folded(shape, array)[0]
    return int(min(shape[4], int(array[0]) // rows * int(array[1])))


@njit(cache=True)
def _kept_beside(shape: Ints, array: Floats) -> int:
    """Return for how many filters the buffer keeps the partial sums of a whole PE set."""
    rows, _, _, _, padded, _ = _folded(shape, array)
    inputs = _height(shape, rows, shape[4]) * padded
    return int((array[5] - inputs) // (shape[4] * shape[3]))


@njit(cache=True)
def best_mappings(shape: Ints, array: Floats, unit: Floats) -> tuple[Floats, Ints]:
    """Return energy [pJ] and cycles (n, 2), and mappings (n, 7), with all on their lower hull.

    A PE set that fits the array is not cut into strips, unless the buffer cannot keep its partial
    sums for as many filters as a PE does.
    Given e, n, q, r and t, the most output channels m that the buffer has room for and the most
    filters p that the register files have room for save passes and cost nothing; filters are
    shared out evenly over the passes that they need.
    """
    points, chosen = np.empty((_MOST_POINTS, 2)), np.empty((_MOST_POINTS, 7), np.int64)
    outputs = shape[4]
    count = 0
    for e in range(widest(shape, array), 0, -1):
        if e < outputs and e > 1 and math.ceil(outputs / e) == math.ceil(outputs / (e - 1)):
            continue
        count = _best_of_width(shape, array, unit, e, points, chosen, count)
        if e == outputs and _kept_beside(shape, array) >= min(array[4], float(shape[1])):
            break
    return points[:count], chosen[:count]


@njit(cache=True)
def _best_of_width(
    shape: Ints, array: Floats, unit: Floats, e: int, points: Floats, chosen: Ints, count: int
) -> int:
    """Add the best mappings whose PE sets are e wide to a front; return its size.

    What no mapping with so many images, channels in a PE, or sets over channels can beat is left
    out, together with all that have fewer where these can only be worse.
    """
    x, base = np.empty(7, np.int64), _least_counts(shape, array, unit, e)
    b, k, f, c = shape[0], shape[1], shape[3], shape[5]
    rows, columns, row_pieces, column_pieces, padded, _ = _folded(shape, array)
    sets, pieces = _sets_beside(array, rows, e), row_pieces * column_pieces
    words, held = _height(shape, rows, e) * padded, int(array[4])
    steps, widest_q = k * c / sets, min(int(min(array[3], array[2])) // columns, c)
    for n in range(b, 0, -1):
        if n > 1 and math.ceil(b / n) == math.ceil(b / (n - 1)):
            continue
        space, batches = int(array[5]) // n, math.ceil(b / n)
        room = (space - words) // (e * f)
        if room < 1:
            continue
        least = math.ceil(k / room)
        groups = max(least, math.ceil(k / (held * sets)))
        for q in range(widest_q, 0, -1):
            filters = min(held, int(array[2]) // (q * columns))
            passes, beside = math.ceil(c / (q * sets)) * pieces, math.ceil(c / q)
            k_sets = math.ceil(k / held)
            if _beaten(base, batches, least, passes, groups, k_sets, beside, steps, points, count):
                break
            k_sets, fewest = math.ceil(k / filters), max(least, math.ceil(k / (filters * sets)))
            for r in range(min(sets, beside), 0, -1):
                if r > 1 and math.ceil(c / (q * r)) == math.ceil(c / (q * (r - 1))):
                    continue
                passes = math.ceil(c / (q * r)) * pieces
                if _beaten(
                    base, batches, least, passes, fewest, k_sets, beside, steps, points, count
                ):
                    break
                room = (space - q * r * words) // (e * f)
                if room > 0:
                    x[1], x[2], x[4], x[5] = n, e, q, r
                    count = _best_of_filters(
                        shape, array, unit, base, x, room, points, chosen, count
                    )
    return count


@njit(cache=True)
def _best_of_filters(
    shape: Ints, array: Floats, unit: Floats, base: Floats, x: Ints, room: int,
    points: Floats, chosen: Ints, count: int,
) -> int:  # fmt: skip
    """Add the best mappings with given n, e, q and r to a front; return its size."""
    out, k, c, q, r = np.empty(18), shape[1], shape[5], x[4], x[5]
    rows, columns, row_pieces, column_pieces, _, _ = _folded(shape, array)
    filters = min(int(array[4]), int(array[2]) // (q * columns))
    batches, passes = (
        math.ceil(shape[0] / x[1]),
        math.ceil(c / (q * r)) * row_pieces * column_pieces,
    )
    blocks, beside, k_sets = math.ceil(k / room), _sets(c, q, r), math.ceil(k / filters)
    for t in range(min(_sets_beside(array, rows, x[2]) // r, k), 0, -1):
        if t > 1 and math.ceil(k / t) == math.ceil(k / (t - 1)):
            continue
        steps, least = float(math.ceil(k / t) * -(-c // r)), math.ceil(k / (filters * t))
        fewest = max(blocks, least)
        if _beaten(base, batches, blocks, passes, fewest, k_sets, beside, steps, points, count):
            break
        x[6] = t
        for way in range(3 if blocks > 1 else 1):
            m = math.ceil(k / blocks) if way == 0 else room
            first = -(-m // (min(filters, -(-m // t)) * t))
            for groups in range(first, min(first + _MORE_PASSES, -(-m // t)) + 1):
                p = -(-m // (t * groups))
                x[0], x[3] = (room // (p * t) * p * t if way == 2 else m), p
                if x[0] < 1 or math.ceil(k / x[0]) > blocks:
                    continue
                many, last = math.ceil(k / x[0]), k - (math.ceil(k / x[0]) - 1) * x[0]
                all_groups = (many - 1) * -(-x[0] // (p * t)) + -(-last // (p * t))
                all_sets = (many - 1) * _sets(x[0], p, t) + _sets(last, p, t)
                if _beaten(
                    base, batches, many, passes, all_groups, all_sets, beside, steps, points, count
                ):
                    continue
                _account(shape, array, unit, x, out)
                energy, cycles = _price(unit, out)
                count = _keep(points, chosen, count, energy, cycles, x)
    return count


@njit(cache=True)
def _least_counts(shape: Ints, array: Floats, unit: Floats, e: int) -> Floats:
    """Return what the things that mappings with PE sets e wide differ in take at least (18,).

    Energy of what all have, of each fetch of the filters, batch, block, group, pass over channels,
    set over filters, set over channels [pJ]; cycles to load a block, to fill PEs for each fetch
    and each group of a batch, of passes and groups on their buses, of a step of computing, of
    each fetch and of all outputs at the DRAM; strips; energy of a cycle.
    """
    b, k, g, f, outputs, c = shape[0], shape[1], shape[2], shape[3], shape[4], shape[5]
    x, out, base = np.ones(7, np.int64), np.empty(18), np.empty(18)
    x[2] = e
    _account(shape, array, unit, x, out)
    rows, columns, row_pieces, column_pieces, padded, _ = _folded(shape, array)
    pieces, strips = row_pieces * column_pieces, math.ceil(outputs / e)
    rest = outputs - (strips - 1) * e
    slid = (strips - 1) * _height(shape, rows, e) + _height(shape, rows, rest)
    kernels = float(k) * g * c * shape[6] * shape[7]
    inputs, weights = float(b) * g * c * pieces, unit[15] * kernels
    macs = out[2] * c * shape[6] * shape[7]
    base[0] = out[2] * unit[2] + out[11] * unit[11] + out[12] * unit[12]
    base[0] += macs * (unit[14] * unit[9] + unit[10])
    base[1] = weights * (unit[0] + 2 * unit[3])
    base[2] = weights * outputs * (unit[6] + unit[9])
    base[3] = out[1] / k * (unit[1] + unit[4])
    base[4] = inputs * padded * slid * unit[4]
    base[5] = out[2] * (2 * unit[5] + unit[8])
    base[6] = inputs * padded * rows * outputs * (unit[7] + unit[10])
    base[7] = out[2] * pieces * rows * unit[8]
    base[8] = out[1] / k * unit[17]
    base[9] = kernels / array[6]
    base[10] = inputs / b * columns * slid / array[7]
    base[11], base[12] = out[2] / array[8], inputs * padded * slid / array[7]
    base[13] = float(b) * g * strips * pieces * columns * f
    base[14], base[15] = weights * unit[16], out[2] * unit[18]
    base[16], base[17] = strips, unit[13]
    return base


@njit(cache=True)
def _beaten(
    base: Floats, batches: int, blocks: int, passes: int, groups: int, filter_sets: int,
    channel_sets: int, steps: float, points: Floats, count: int,
) -> bool:  # fmt: skip
    """Whether what so many of each take at least is on or above the lower hull."""
    times = batches * base[16]
    if groups * passes == 1:
        times, batches = 1.0, 1
    cycles = base[9] * times + base[10] * batches * groups
    cycles += max(base[11] * passes, base[12] * groups, base[13] * steps)
    cycles = base[8] * blocks + max(cycles, base[14] * times + base[15])
    energy = base[0] + base[1] * times + base[2] * batches + base[3] * blocks + base[4] * groups
    energy += base[5] * passes + base[6] * filter_sets + base[7] * channel_sets
    return _above(points, count, energy + base[17] * cycles, cycles)


@njit(cache=True)
def _above(points: Floats, count: int, energy: float, cycles: float) -> bool:
    """Whether a point lies on or above a lower hull, fastest first."""
    after = 0
    while after < count and points[after, 1] <= cycles:
        after += 1
    if after == 0 or points[after - 1, 0] <= energy:
        return after > 0
    if after == count:
        return False
    saved = points[after - 1, 0] - points[after, 0]
    spent = points[after, 1] - points[after - 1, 1]
    here = (points[after - 1, 0] - energy) * spent
    return bool(here <= saved * (cycles - points[after - 1, 1]))
