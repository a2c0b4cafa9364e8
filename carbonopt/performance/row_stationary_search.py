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
def _room(shape: Ints, array: Floats, x: Ints) -> bool:
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
def fits(shape: Ints, array: Floats, x: Ints) -> bool:
    """Whether a mapping fits array, register files and buffer."""
    return _room(shape, array, x)


@njit(cache=True)
def _keep(points: Floats, chosen: Ints, count: int, energy: float, cycles: float, x: Ints) -> int:
    """Add a point unless it lies above the lower hull of the others; return their number."""
    if _above(points, count, energy, cycles):
        return count
    left = 0
    for i in range(count):
        if points[i, 0] < energy or points[i, 1] < cycles:
            points[left], chosen[left] = points[i], chosen[i]
            left += 1
    if left == _MOST_POINTS:
        return left
    points[left, 0], points[left, 1] = energy, cycles
    chosen[left] = x
    return left + 1


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
    """Add the best mappings whose PE sets are e wide to a front; return its size."""
    x, out, base = np.empty(7, np.int64), np.empty(18), np.empty(8)
    b, k, f, c = shape[0], shape[1], shape[3], shape[5]
    rows, columns, _, _, padded, _ = _folded(shape, array)
    sets = _sets_beside(array, rows, e)
    high = _height(shape, rows, e)
    widest = min(int(min(array[3], array[2])) // columns, c)
    for n in range(b, 0, -1):
        if n > 1 and math.ceil(b / n) == math.ceil(b / (n - 1)):
            continue
        for q in range(widest, 0, -1):
            filters = min(int(array[4]), int(array[2]) // (q * columns))
            for r in range(min(sets, -(-c // q)), 0, -1):
                if r > 1 and math.ceil(c / (q * r)) == math.ceil(c / (q * (r - 1))):
                    continue
                room = (int(array[5]) // n - q * r * high * padded) // (e * f)
                if room < 1:
                    continue
                blocks = math.ceil(k / room)
                most = min(sets // r, k)
                _bounds(shape, array, unit, n, e, q, r, blocks, base)
                if _beaten(unit, base, k, filters, most, blocks, points, count):
                    continue
                for t in range(most, 0, -1):
                    if t > 1 and math.ceil(k / t) == math.ceil(k / (t - 1)):
                        continue
                    if _beaten(unit, base, k, filters, t, blocks, points, count):
                        continue
                    x[1], x[2], x[4], x[5], x[6] = n, e, q, r, t
                    for way in range(3 if blocks > 1 else 1):
                        m = math.ceil(k / blocks) if way == 0 else room
                        fewest = -(-m // (min(filters, -(-m // t)) * t))
                        for groups in range(fewest, min(fewest + _MORE_PASSES, -(-m // t)) + 1):
                            least = (blocks - 1) * groups + 1
                            if _beaten(unit, base, k, filters, t, least, points, count):
                                break
                            p = -(-m // (t * groups))
                            x[0], x[3] = (room // (p * t) * p * t if way == 2 else m), p
                            if x[0] < 1 or math.ceil(k / x[0]) > blocks:
                                continue
                            _account(shape, array, unit, x, out)
                            energy, cycles = _price(unit, out)
                            count = _keep(points, chosen, count, energy, cycles, x)
    return count


@njit(cache=True)
def _bounds(
    shape: Ints,
    array: Floats,
    unit: Floats,
    n: int,
    e: int,
    q: int,
    r: int,
    blocks: int,
    base: Floats,
) -> None:
    """Write what every t has in common to `base` (8,): the least that it can take.

    Energy without what depends on t [pJ], cycles in which only DRAM works, in which partial sums
    move and in which a filter is computed; input words that PEs take from the buffer in a pass
    over all channels, and that register files take; cycles to fill PEs, and of DRAM beside them.
    """
    x, out = np.empty(7, np.int64), np.empty(18)
    filters = max(1, min(int(array[4]), int(array[2]) // q))
    most = -(-shape[1] // blocks)
    x[0], x[1], x[2], x[3], x[4], x[5], x[6] = most, n, e, filters, q, r, most
    _account(shape, array, unit, x, out)
    rows, columns, row_pieces, column_pieces, padded, _ = _folded(shape, array)
    strips = math.ceil(shape[4] / e)
    pieces = row_pieces * column_pieces
    # Of inputs that t changes: those that passes take from the buffer, and those that PEs take.
    taken = out[4] - out[1]
    groups = taken / max(1.0, float(blocks))
    passes = shape[0] * shape[2] * strips * pieces
    energy = 0.0
    for i in range(13):
        energy += out[i] * unit[i]
    energy -= taken * unit[4] + out[7] * (unit[7] + unit[10])
    base[0], base[1] = energy, out[16]
    base[6], base[7] = out[15], out[0] * unit[16] + out[2] * unit[18]
    base[2] = out[2] * pieces * math.ceil(shape[5] / (q * r)) / array[8]
    base[3] = float(passes * -(-shape[5] // r) * columns * shape[3])
    base[4] = groups
    base[5] = float(shape[0] * shape[2] * shape[5] * pieces * padded * rows * shape[4])


@njit(cache=True)
def _beaten(
    unit: Floats,
    base: Floats,
    k: int,
    filters: int,
    t: int,
    groups: int,
    points: Floats,
    count: int,
) -> bool:
    """Whether the least that t and so many passes can take is on or above the lower hull."""
    busy = max(base[2], base[3] * math.ceil(k / t))
    cycles = base[1] + max(base[6] + busy, base[7])
    energy = base[0] + unit[13] * cycles
    energy += base[5] * math.ceil(k / filters) * (unit[7] + unit[10])
    energy += base[4] * max(groups, math.ceil(k / (filters * t))) * unit[4]
    return _above(points, count, energy, cycles)


@njit(cache=True)
def _above(points: Floats, count: int, energy: float, cycles: float) -> bool:
    """Whether some weighting of two points, or one of them, is as good in both."""
    for i in range(count):
        if points[i, 1] > cycles:
            continue
        if points[i, 0] <= energy:
            return True
        for j in range(count):
            saved, spent = points[i, 0] - points[j, 0], points[j, 1] - points[i, 1]
            between = spent > 0 and saved > 0 and points[j, 1] > cycles
            if between and (points[i, 0] - energy) * spent <= saved * (cycles - points[i, 1]):
                return True
    return False
