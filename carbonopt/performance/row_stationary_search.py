"""What a row-stationary mapping moves and how long it takes, and the best mappings; compiled.

A mapping is x = (m, n, e, p, q, r, t) of JSSC 2017, table III: m output channels and n inputs of
a batch in the buffer, PE sets e output rows wide, p filters and q channels in each PE, r sets
over channels and t over filters.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from carbonopt.arrays import Floats, Ints

PARAMETERS = ("m", "n", "e", "p", "q", "r", "t")
COUNTED = 13
"""Words by level (DRAM, buffer, NoC, RF) and operand (W, I, O), then multiply-accumulates."""
CYCLES = ("compute", "stall", "fill", "load", "dram")
"""Parts of the latency, behind what is counted: the busiest PE computes; it waits for a bus;
filters and first windows reach the PEs; inputs come from DRAM; filters and outputs do, longer."""
_MOST_POINTS = 255
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
def geometry(shape: Ints, array: Floats, e: int) -> tuple[int, int, int, int, int]:
    """Return what PE sets e wide are.

    Kernel rows and columns in a set, pieces of a kernel, sets beside one another, and words of
    inputs of a channel.
    """
    rows, columns, row_pieces, column_pieces, padded, _ = _folded(shape, array)
    words = _height(shape, rows, e) * padded
    return rows, columns, row_pieces * column_pieces, _sets_beside(array, rows, e), words


@njit(cache=True)
def fits(shape: Ints, array: Floats, x: Ints) -> bool:
    """Whether a mapping fits array, register files and buffer."""
    m, n, e, p, q, r, t = x
    _, columns, _, sets, words = geometry(shape, array, e)
    files = p <= array[4] and q * columns <= array[3] and p * q * columns <= array[2]
    return bool(r * t <= sets and files and n * (q * r * words + m * e * shape[3]) <= array[5])


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
    fetched, overlap = outputs * rows, (rows - 1) * shape[11] + 1 - shape[9]
    if overlap >= 0:
        fetched = min(shape[13], outputs * shape[9] + overlap) + (strips - 1) * overlap
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
    computing, busy = _busy(shape, array, x, rows, columns, padded)
    out[13], out[14], out[15] = computing * pieces, (busy - computing) * pieces, filled
    out[16] = out[1] * unit[17]
    out[17] = max(0.0, out[0] * unit[16] + out[2] * unit[18] - busy * pieces - filled)


@njit(cache=True)
def _busy(
    shape: Ints, array: Floats, x: Ints, rows: int, columns: int, padded: int
) -> tuple[float, float]:
    """Return the cycles of all passes over a piece of the kernel: computing, and with waits."""
    b, k, g, f, outputs, c = shape[0], shape[1], shape[2], shape[3], shape[4], shape[5]
    m, _, e, p, q, r, t = x
    strips, blocks = math.ceil(outputs / e), math.ceil(k / m)
    last, rest = k - (blocks - 1) * m, outputs - (strips - 1) * e
    computing, busy, full = 0.0, 0.0, p * t
    fillings = (
        (full, (blocks - 1) * (m // full) + last // full), (m % full, blocks - 1), (last % full, 1)
    )  # fmt: skip
    for strip, high in ((strips - 1, e), (1, rest)):
        for fill, many in fillings:
            for here, often in ((q * r, c // (q * r)), (c % (q * r), 1)):
                if strip * many * often * here * fill == 0:
                    continue
                passes = float(strip * many * often * g * b)
                work = float(-(-fill // t) * -(-here // r) * columns * f)
                most = max(work, fill * high * f / array[8])
                most = max(most, here * _height(shape, rows, high) * padded / array[7])
                computing += passes * work
                busy += passes * most
    return computing, busy


@njit(cache=True)
def _sets(many: int, p: int, t: int) -> int:
    """Count the PE sets that filters (p, t) or channels (q, r) take, at once or in turn."""
    rest = many % (p * t)
    found = many // (p * t) * t
    return int(found + math.ceil(rest / -(-rest // t)) if rest else found)


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
def _keep(points: Floats, chosen: Ints, count: int, energy: float, cycles: float, x: Ints) -> int:
    """Add a point to a lower hull, fastest first, unless it lies above it; return its size."""
    if _above(points, count, energy, cycles):
        return count
    place, kept = count, 0
    while place > 0 and points[place - 1, 1] >= cycles:
        points[place], chosen[place] = points[place - 1], chosen[place - 1]
        place -= 1
    points[place, 0], points[place, 1], chosen[place] = energy, cycles, x
    for i in range(count + 1):
        energy, cycles = points[i]
        if kept > 0 and energy >= points[kept - 1, 0]:
            continue
        while kept > 1 and _bends_down(points, kept - 1, energy, cycles):
            kept -= 1
        points[kept, 0], points[kept, 1], chosen[kept] = energy, cycles, chosen[i]
        kept += 1
    return min(kept, _MOST_POINTS)


@njit(cache=True)
def _bends_down(points: Floats, last: int, energy: float, cycles: float) -> bool:
    """Whether a point lies on or above the line from the one before it to a slower one."""
    before, rise = points[last - 1], points[last, 0] - energy
    return bool(rise * (cycles - before[1]) >= (before[0] - energy) * (cycles - points[last, 1]))


@njit(cache=True)
def widest(shape: Ints, array: Floats) -> int:
    """Return how many rows of outputs a PE set can be wide, folded onto the array."""
    return int(min(shape[4], int(array[0]) // _folded(shape, array)[0] * int(array[1])))


@njit(cache=True)
def _shares(whole: int, most: int) -> Ints:
    """Return, largest first, the sizes up to `most` that no smaller one equals in parts."""
    found = np.empty(max(min(most, 2 * int(math.sqrt(whole)) + 2), 0), np.int64)
    size, count = most, 0
    while size > 0:
        found[count] = -(-whole // -(-whole // size))
        size = found[count] - 1
        count += 1
    return found[:count]


@njit(cache=True)
def best_mappings(shape: Ints, array: Floats, unit: Floats) -> tuple[Floats, Ints]:
    """Return energy [pJ] and cycles (n, 2), and mappings (n, 7), with all on their lower hull.

    Covered are mappings that share channels, filters and images out evenly. A PE set that fits the
    array is not cut into strips, unless the buffer cannot keep its partial sums for as many filters
    as a PE does.
    Given e, n, q, r and t, the most output channels m that the buffer has room for and the most
    filters p that the register files have room for save passes and cost nothing; filters are
    shared out evenly over the passes that they need.
    """
    points, chosen = np.empty((_MOST_POINTS + 1, 2)), np.empty((_MOST_POINTS + 1, 7), np.int64)
    outputs, count = shape[4], 0
    kept = (array[5] - geometry(shape, array, outputs)[4]) // (outputs * shape[3])
    for e in _shares(outputs, widest(shape, array)):
        count = _best_of_width(shape, array, unit, e, points, chosen, count)
        if e == outputs and kept >= min(array[4], float(shape[1])):
            break
    return points[:count], chosen[:count]


class _Width(NamedTuple):
    """A layer on an array with PE sets of one width, and the lower hull of its mappings."""

    shape: Ints
    array: Floats
    unit: Floats
    base: Floats
    sets: int
    words: int
    points: Floats
    chosen: Ints


@njit(cache=True)
def _best_of_width(
    shape: Ints, array: Floats, unit: Floats, e: int, points: Floats, chosen: Ints, count: int
) -> int:
    """Add the best mappings whose PE sets are e wide to a front; return its size.

    What no mapping with so many images, channels in a PE, or sets over channels can beat is left
    out, together with all that have fewer where these can only be worse.
    """
    _, columns, pieces, sets, words = geometry(shape, array, e)
    base = _least_counts(shape, array, unit, e)
    at = _Width(shape, array, unit, base, sets, words, points, chosen)
    x, out, k, c = np.empty(7, np.int64), np.empty(18), shape[1], shape[5]
    x[2], most = e, min(int(min(array[3], array[2])) // columns, c)
    images = _images(at, e)
    for q in range(most, 0, -1):
        filters, beside = min(int(array[4]), int(array[2]) // (q * columns)), math.ceil(c / q)
        groups, k_sets = math.ceil(k / (filters * sets)), math.ceil(k / filters)
        for n in images:
            batches, blocks = math.ceil(shape[0] / n), math.ceil(k / _room(at, e, n, 1))
            for r in _shares(beside, min(sets, beside)):
                passes, x[1], x[4], x[5] = math.ceil(c / (q * r)) * pieces, n, q, r
                if _above(points, count, *_least(
                    base, batches, blocks, passes, max(blocks, groups), k_sets, beside, k * c / sets
                )):  # fmt: skip
                    break
                count = _best_of_filters(at, x, out, passes, filters, count)
    return count


@njit(cache=True)
def _room(at: _Width, e: int, n: int, channels: int) -> int:
    """Return for how many output channels the buffer has room."""
    return int((int(at.array[5]) // n - channels * at.words) // (e * at.shape[3]))


@njit(cache=True)
def _images(at: _Width, e: int) -> Ints:
    """Return how many images the buffer can have room for, least energy at the DRAM first."""
    b, k, base = at.shape[0], at.shape[1], at.base
    images = [n for n in _shares(b, b) if _room(at, e, n, 1) > 0]
    spent = [
        base[1] * base[16] * math.ceil(b / n) + base[3] * math.ceil(k / _room(at, e, n, 1))
        for n in images
    ]
    return np.array(images, dtype=np.int64)[np.argsort(np.array(spent))]


@njit(cache=True)
def _best_of_filters(
    at: _Width, x: Ints, out: Floats, passes: int, filters: int, count: int
) -> int:
    """Add the best mappings with given n, e, q and r to a front; return its size."""
    k, c, n, e, q, r = at.shape[1], at.shape[5], x[1], x[2], x[4], x[5]
    room = _room(at, e, n, q * r)
    if room < 1:
        return count
    batches, blocks = math.ceil(at.shape[0] / n), math.ceil(k / room)
    beside, k_sets = _sets(c, q, r), math.ceil(k / filters)
    for t in _shares(k, min(at.sets // r, k)):
        x[6], steps = t, float(math.ceil(k / t) * -(-c // r))
        groups = max(blocks, math.ceil(k / (filters * t)))
        if _above(at.points, count, *_least(
            at.base, batches, blocks, passes, groups, k_sets, beside, steps
        )):  # fmt: skip
            break
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
                if not _above(at.points, count, *_least(
                    at.base, batches, many, passes, all_groups, all_sets, beside, steps
                )):  # fmt: skip
                    _account(at.shape, at.array, at.unit, x, out)
                    count = _keep(at.points, at.chosen, count, *_price(at.unit, out), x)
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
    base[9], base[10] = kernels / array[6], inputs / b * columns * slid / array[7]
    base[11], base[12] = out[2] / array[8], inputs * padded * slid / array[7]
    base[13] = float(b) * g * strips * pieces * columns * f
    base[14], base[15] = weights * unit[16], out[2] * unit[18]
    base[16], base[17] = strips, unit[13]
    return base


@njit(cache=True)
def _least(
    base: Floats, batches: int, blocks: int, passes: int, groups: int, filter_sets: int,
    channel_sets: int, steps: float,
) -> tuple[float, float]:  # fmt: skip
    """Return energy [pJ] and latency [cycles] that so many of each take at least."""
    times, fetches = batches * base[16], batches
    if groups * passes == 1:
        times, fetches = 1.0, 1
    cycles = base[9] * times + base[10] * batches * groups
    cycles += max(base[11] * passes, base[12] * groups, base[13] * steps)
    cycles = base[8] * blocks + max(cycles, base[14] * times + base[15])
    energy = base[0] + base[1] * times + base[2] * fetches + base[3] * blocks + base[4] * groups
    energy += base[5] * passes + base[6] * filter_sets + base[7] * channel_sets
    return energy + base[17] * cycles, cycles


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
