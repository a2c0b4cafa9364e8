"""All legal spatial unrollings of a layer: any loops along any array dimension, of any size."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from carbonopt.arrays import Bools, Floats, Ints
from carbonopt.mapping.parallel import kernel_spans, unrolled_limits
from carbonopt.mapping.spatial import ArrayShape
from carbonopt.workload.layer import DIMS, Layer

_OUTPUTS, _KERNEL = DIMS.index("OX"), DIMS.index("FX")  # along x; those along y follow
_CHANNELS = DIMS.index("C")


def every_unrolling(layer: Layer, array: ArrayShape, most: int, passes: float = math.inf) -> Ints:
    """Return all unrollings, but for those that one with fewer units equals in passes.

    Two sizes of a loop that take as many passes fill as many units on average: the same mappings.

    Parameters
    ----------
    layer, array
        What is unrolled along what.
    most
        How many there may be.
    passes
        Leave out those that take more than so many; some of these may be returned as well.

    Returns
    -------
    ndarray
        Unrolled sizes (u, array dimensions, 8), 1 where a loop is not unrolled; none where there
        are more than `most`.
    """
    bounds, limits = np.array(layer.sizes, dtype=np.int64), unrolled_limits(layer, array)
    axes = len(array.names)
    found: Ints = np.ones((1, axes, len(DIMS)), dtype=np.int64)
    left = bounds[None].copy()
    order = (*range(2, axes), *range(min(2, axes)))
    for i, a in enumerate(order):
        room = np.full(len(found), array.sizes[a], dtype=np.int64)
        later = math.prod(array.sizes[after] for after in order[i + 1 :])
        columns = array.sizes[0] if array.diagonal and a == 1 else 0
        for d in np.flatnonzero(limits[a] > 1):
            few = float(passes * later), columns
            found, left, room = _extended(found, left, room, a, int(d), int(limits[a, d]), few)
            if len(found) > most:
                return found[:0]
    if array.diagonal:
        spans = kernel_spans(layer, array, limits)
        found = _with_positions(found, left, np.array(array.sizes), spans, passes)
    return found if len(found) <= most else found[:0]


@njit(cache=True)
def _sizes(bound: int, available: int) -> int:
    """Count the sizes up to `available` that no smaller one matches in passes."""
    count, size = 0, min(bound, available)
    while size > 0:
        size = -(-bound // -(-bound // size)) - 1
        count += 1
    return count


@njit(cache=True)
def _hopeful(found: Ints, left: Ints, room: Ints, most: tuple[float, int]) -> Bools:
    """Tell which unrollings may come to so few passes, if all units that are left are filled.

    `most` is that number times the units of array dimensions that are still to come, and the
    columns that positions may fill as well, 0 for none.
    """
    hopeful = np.ones(len(found), np.bool_)
    for i in range(len(found)):
        passes, units = 1.0, float(room[i])
        for d in range(8):
            passes *= left[i, d]
        if most[1] > 0:
            units *= most[1] // found[i, 0].prod()
        hopeful[i] = passes <= most[0] * units
    return hopeful


@njit(cache=True)
def _extended(
    found: Ints, left: Ints, room: Ints, a: int, d: int, limit: int, most: tuple[float, int]
) -> tuple[Ints, Ints, Ints]:
    """Unroll one more loop along an array dimension, in all sizes, where it is hopeful.

    Unrolled sizes (n, a, 8), passes that remain (n, 8), units that are left there (n,).
    """
    hopeful = _hopeful(found, left, room, most)
    found, left, room = found[hopeful], left[hopeful], room[hopeful]
    count = 0
    for i in range(len(found)):
        count += _sizes(left[i, d], min(room[i], limit))
    longer = np.empty((count, *found.shape[1:]), found.dtype)
    passes, free = np.empty((count, 8), np.int64), np.empty(count, np.int64)
    n = 0
    for i in range(len(found)):
        bound = left[i, d]
        size = min(bound, min(room[i], limit))
        while size > 0:
            size = -(-bound // -(-bound // size))
            longer[n], passes[n] = found[i], left[i]
            longer[n, a, d] = size
            passes[n, d] = -(-bound // size)
            free[n] = room[i] // size
            n += 1
            size -= 1
    return longer, passes, free


@njit(cache=True)
def _with_positions(found: Ints, left: Ints, sizes: Ints, spans: Floats, passes: float) -> Ints:
    """Add output positions along free columns, in all sizes for which the rows suffice.

    Those that take more than so many passes are left out.
    """
    which, spread = [np.int64(0) for _ in range(0)], [(1, 1) for _ in range(0)]
    for i in range(len(found)):
        free = sizes[0]
        for d in range(8):
            free //= found[i, 0, d]
        available = sizes[1] // found[i, 1, _CHANNELS]
        kx, ky = found[i, 1, _KERNEL], found[i, 1, _KERNEL + 1]
        across, down = left[i, _OUTPUTS], left[i, _OUTPUTS + 1]
        others = 1.0
        for d in range(8):
            others *= 1 if d == _OUTPUTS or d == _OUTPUTS + 1 else left[i, d]
        x = min(across, free)
        while x > 0:
            x = -(-across // -(-across // x))
            y = min(down, free // x)
            while y > 0:
                y = -(-down // -(-down // y))
                if others * -(-across // x) * -(-down // y) > passes:
                    break
                if x * y == 1 or spans[0, kx, x] * spans[1, ky, y] <= available:
                    which.append(np.int64(i))
                    spread.append((x, y))
                y -= 1
            x -= 1
    longer = np.empty((len(which), *found.shape[1:]), found.dtype)
    for n in range(len(which)):
        longer[n] = found[which[n]]
        longer[n, 0, _OUTPUTS] *= spread[n][0]
        longer[n, 0, _OUTPUTS + 1] *= spread[n][1]
    return longer
