"""The fullest spatial unrollings of a layer, with mixed loops and sizes that divide nothing."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numba import njit

from carbonopt.arrays import Floats, Ints
from carbonopt.mapping.spatial import ArrayShape, Loops, positions_spanned
from carbonopt.workload.layer import DIMS, Layer

_WIDEST = 512  # unrollings of some array dimensions that are combined with those of others
_OUTPUTS, _KERNEL = DIMS.index("OX"), DIMS.index("FX")  # along x; those along y follow
_CHANNELS = DIMS.index("C")
_ROWS = 1
_HALF = 0.5
_NEVER = np.int64(-(2**62))
_WEIGHTS = np.array([(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1)])
_Rank = tuple[np.int64, ...]
"""Passes, units, elements handed over, and which unrolling it is; all negative."""


@lru_cache(maxsize=16384)
def fullest_unrollings(layer: Layer, array: ArrayShape, count: int) -> Ints:
    """Return `count` unrollings that leave the fewest passes, the fewest units on ties.

    Along each array dimension loops fill what is available until none can grow; a size u is
    considered only if fewer units would need more passes, u = ceil(L / ceil(L / u)). Of equals,
    those come first that hand the array the least: in turn least inputs, weights, outputs, and
    two of them, as the others may rest in the array.

    Returns
    -------
    ndarray
        Unrolled sizes (u, array dimensions, 8), 1 where a loop is not unrolled.
    """
    bounds = np.array(layer.sizes, dtype=np.int64)
    limits = unrolled_limits(layer, array)
    axes = len(array.names)
    found = np.ones((1, axes, len(DIMS)), dtype=np.int64)
    *before, last = (*range(2, axes), *range(min(2, axes)))
    for a in before:
        found = _extended(bounds, found, (a, array.sizes[a], limits[a]), _WEIGHTS[:1], _WIDEST)
    along = (last, array.sizes[last], limits[last])
    if array.diagonal:
        found = _extended(bounds, found, along, _WEIGHTS[:1], _WIDEST)
    else:
        found = _extended(bounds, found, along, _WEIGHTS, count)
    if array.diagonal:
        spans = kernel_spans(layer, array, limits)
        which, spread = _diagonals(bounds, found, np.array(array.sizes), spans)
        found = found[which]
        found[:, 0, _OUTPUTS : _OUTPUTS + 2] *= spread
    found = _in_turn(bounds, found, count)
    found.flags.writeable = False
    return found


def _extended(
    bounds: Ints, found: Ints, along: tuple[int, int, Ints], weights: Ints, count: int
) -> Ints:
    """Extend unrollings (n, a, 8) along a dimension, given its position, size and limits."""
    a, size, limits = along
    fillings = _fillings(bounds, limits, size)
    found = found[np.argsort(_passes(bounds, found.prod(axis=1)), kind="stable")]
    used = found.prod(axis=1)
    pairs = np.unique(_combined(bounds, used, fillings, limits, size, weights, count))
    which, last = np.divmod(pairs, len(fillings))
    left = -(-bounds // used[which])
    longer = found[which]
    longer[:, a] = -(-left // -(-left // fillings[last]))
    return longer


def _in_turn(bounds: Ints, unrolled: Ints, count: int) -> Ints:
    """Return the `count` best: in turn those that hand over the least by each of `_WEIGHTS`.

    Which of many unrollings with as few passes is best is up to the memories: operands that
    rest in them need not be handed over in every pass.
    """
    used = unrolled.prod(axis=1)
    passes, units = _passes(bounds, used), used.prod(axis=1)
    handed = _handed_all(used) @ _WEIGHTS.T
    orders = np.stack([np.lexsort((each, units, passes)) for each in handed.T])
    first = np.unique(orders.T.ravel(), return_index=True)[1]
    return unrolled[np.lexsort((first, units, passes))[:count]]


def with_halves(layer: Layer, unrolled: Ints) -> Ints:
    """Return unrollings (u, a, 8), and each of them with one of its loops unrolled half as far.

    An array that is half idle can still be as fast, where memories cannot feed a full one.
    """
    bounds = np.array(layer.sizes, dtype=np.int64)
    which, axis, dim = np.nonzero(unrolled > 1)
    half = -(-unrolled[which, axis, dim] // 2)
    less = unrolled[which]
    less[np.arange(len(which)), axis, dim] = -(-bounds[dim] // -(-bounds[dim] // half))
    return distinct(np.concatenate([unrolled, less]))


def distinct(unrolled: Ints) -> Ints:
    """Drop unrollings that came before."""
    first = {each.tobytes(): i for i, each in reversed([*enumerate(unrolled)])}
    return unrolled[sorted(first.values())]


def loop_sizes(chosen: Mapping[str, Loops], names: Sequence[str]) -> Ints:
    """Return named loops as sizes (a, 8)."""
    sizes = np.ones((len(names), len(DIMS)), dtype=np.int64)
    for a, name in enumerate(names):
        for dim, size in chosen.get(name, ()):
            sizes[a, DIMS.index(dim)] *= size
    return sizes


@njit(cache=True)
def useful_sizes(bound: int, available: int) -> Ints:
    """Return the sizes up to `available` that no smaller one matches in passes, descending.

    Examples
    --------
    >>> useful_sizes(10, 7).tolist()
    [5, 4, 3, 2, 1]
    """
    sizes = np.empty(min(bound, available), dtype=np.int64)
    n = 0
    size = min(bound, available)
    while size > 0:
        size = -(-bound // -(-bound // size))
        sizes[n] = size
        n += 1
        size -= 1
    return sizes[:n]


def unrolled_limits(layer: Layer, array: ArrayShape) -> Ints:
    """Return how far each loop may be unrolled along each array dimension (a, 8)."""
    limits = np.ones((len(array.names), len(DIMS)), dtype=np.int64)
    for a, allowed in enumerate(array.allowed):
        most = dict(array.most[a])
        for dim in allowed:
            d = DIMS.index(dim)
            limits[a, d] = min(layer.sizes[d], array.sizes[a], most.get(dim, layer.sizes[d]))
    return limits


@njit(cache=True)
def _fillings(bounds: Ints, limits: Ints, size: int) -> Ints:
    """Return the unrollings of some loops in which none can grow within `size` (n, 8).

    Fewest passes first.
    """
    dims = np.argsort(limits)[np.sum(limits < 2) :]
    options = [useful_sizes(bounds[d], limits[d]) for d in dims]
    depth = len(dims)
    reach = np.ones(depth + 1)  # of the loops that are left
    for k in range(depth - 1, -1, -1):
        reach[k] = reach[k + 1] * options[k][0]
    at = np.full(depth + 1, -1)
    products, growths = np.ones(depth + 1), np.full(depth + 1, np.inf)
    found = np.ones((64, 8), dtype=np.int64)
    n = 0 if depth else 1
    k = 0 if depth else -1
    while k >= 0:
        at[k] += 1
        if at[k] == len(options[k]):
            k -= 1
            continue
        products[k + 1], growths[k + 1] = _grown(products[k], growths[k], options[k], at[k])
        most = min(products[k + 1] * reach[k + 1], size)
        if products[k + 1] > size or most * growths[k + 1] < size + _HALF:
            continue
        k += 1
        at[k] = -1
        if k == depth:
            if n == len(found):
                found = np.concatenate((found, np.ones_like(found)))
            for each in range(depth):
                found[n, dims[each]] = options[each][at[each]]
            n += 1
            k -= 1
    return found[np.argsort(_passes(bounds, found[:n]), kind="mergesort")]


@njit(cache=True)
def _grown(product: float, growth: float, options: Ints, i: int) -> tuple[float, float]:
    """Return the product with one more size, and the least factor by which a size could grow."""
    if i > 0:
        growth = min(growth, options[i - 1] / options[i])
    return product * options[i], growth


@njit(cache=True)
def _passes(bounds: Ints, used: Ints) -> Ints:
    """Count the passes that unrolled sizes (n, 8) leave."""
    passes = np.ones(len(used), dtype=np.int64)
    for i in range(len(used)):
        for d in range(8):
            passes[i] *= -(-bounds[d] // used[i, d])
    return passes


@njit(cache=True)
def _clipped(left: Ints, sizes: Ints) -> tuple[Ints, np.int64]:
    """Return the least sizes with the same passes of the loops left, and a number for them."""
    clipped = np.empty_like(sizes)
    code = np.int64(0)
    for d in range(8):
        clipped[d] = -(-left[d] // -(-left[d] // sizes[d]))
        code = code * (left[d] + 1) + clipped[d]
    return clipped, code


@njit(cache=True)
def _can_grow(left: Ints, sizes: Ints, limits: Ints, available: int) -> bool:
    """Tell whether one of some sizes could be larger within what is available."""
    product = np.prod(sizes)
    for d in range(8):
        fewer = -(-left[d] // sizes[d]) - 1
        if fewer > 0:
            larger = -(-left[d] // fewer)
            if larger <= limits[d] and product // sizes[d] * larger <= available:
                return True
    return False


@njit(cache=True)
def _handed(used: Ints) -> tuple[int, int, int]:
    """Count the elements of I, W and O that a pass is handed, as if strides were 1."""
    b, k, g, ox, oy, c, fx, fy = used
    inputs = b * g * c * (ox + fx - 1) * (oy + fy - 1)
    return inputs, k * g * c * fx * fy, b * k * g * ox * oy


@njit(cache=True)
def _handed_all(used: Ints) -> Ints:
    """Count the elements that a pass is handed for many unrolled sizes (n, 3)."""
    counts = np.empty((len(used), 3), dtype=np.int64)
    for i in range(len(used)):
        counts[i] = _handed(used[i])
    return counts


@njit(cache=True)
def _offer(heap: list[_Rank], entry: _Rank) -> None:
    """Take an unrolling in among the best, where it is one and not among them yet."""
    if entry < heap[0]:
        return
    for other in heap:
        if other[:5] == entry[:5]:
            return
    heapq.heapreplace(heap, entry)


@njit(cache=True)
def _combined(
    bounds: Ints, used: Ints, along: Ints, limits: Ints, available: int, weights: Ints, count: int
) -> Ints:
    """Combine unrollings along some array dimensions with those along a further one.

    Sizes `used` so far (n, 8) and those `along` it (m, 8), within its `limits` (8,) and what is
    `available` in all, both with the fewest passes first. Returns i m + j of `count` pairs by each
    of `weights` (w, 3): the fewest passes first, then the fewest units, then the fewest elements
    of I, W and O.
    """
    before, further = _passes(bounds, used), _passes(bounds, along)
    one = np.int64(1)
    none = (_NEVER, one, one, one, one, one)
    heaps: list[list[_Rank]] = [[none for _ in range(count)] for _ in weights]
    for i in range(len(used)):
        if before[i] / available > -heaps[0][0][0]:
            break
        left, units = -(-bounds // used[i]), np.prod(used[i])
        for j in range(len(along)):
            if further[j] / units > -heaps[0][0][0]:
                break
            passes = one
            for d in range(8):
                passes *= -(-left[d] // along[j, d])
            if passes > -heaps[0][0][0]:
                continue
            sizes, code = _clipped(left, along[j])
            if _can_grow(left, sizes, limits, available):
                continue
            counts = _handed(used[i] * sizes)
            fewest = (-passes, -units * np.prod(sizes))
            for w, heap in enumerate(heaps):
                handed = np.int64(0)
                for o in range(3):
                    handed += weights[w, o] * counts[o]
                _offer(heap, (*fewest, -handed, np.int64(-i), -code, one * i * len(along) + j))
    return np.array([entry[5] for heap in heaps for entry in heap if entry[0] > _NEVER])


def kernel_spans(layer: Layer, array: ArrayShape, limits: Ints) -> Floats:
    """Count the inputs that useful output positions touch along x and y (2, kernel, outputs).

    0 where the sizes of a kernel along the rows and of outputs along the columns have no use.
    """
    kernels = limits[_ROWS, _KERNEL : _KERNEL + 2]
    spans = np.zeros((2, kernels.max() + 1, array.sizes[0] + 1))
    for axis, (bound, limit) in enumerate(zip(layer.sizes[_KERNEL:], kernels, strict=True)):
        for kernel in useful_sizes(bound, limit):
            for outputs in useful_sizes(layer.sizes[_OUTPUTS + axis], array.sizes[0]):
                spans[axis, kernel, outputs] = positions_spanned(
                    layer, axis, kernel, outputs, unit_stride=array.unit_stride
                )
    return spans


@njit(cache=True)
def _diagonals(bounds: Ints, found: Ints, sizes: Ints, spans: Floats) -> tuple[Ints, Ints]:
    """Extend unrollings (n, a, 8) by the largest ones of output positions along free columns.

    The rows hold every input that the positions of a column's kernel touch.

    Returns
    -------
    which, spread
        Position in `found` and the sizes of OX and OY along the columns (m, 2).
    """
    which = [np.int64(0) for _ in range(0)]
    spread = [(np.int64(0), np.int64(0)) for _ in range(0)]
    for i in range(len(found)):
        free = sizes[0] // np.prod(found[i, 0])
        available = sizes[_ROWS] // found[i, _ROWS, _CHANNELS]
        left = bounds.copy()
        for a in range(len(sizes)):
            left = -(-left // found[i, a])
        kx, ky = found[i, _ROWS, _KERNEL], found[i, _ROWS, _KERNEL + 1]
        tallest = np.int64(0)
        for x in useful_sizes(left[_OUTPUTS], free):
            for y in useful_sizes(left[_OUTPUTS + 1], free // x):
                if y > tallest and spans[0, kx, x] * spans[1, ky, y] <= available:
                    which.append(np.int64(i))
                    spread.append((x, y))
                    tallest = y
                    break
    return np.array(which), np.array(spread)
