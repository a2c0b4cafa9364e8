"""CarbonSpot's choice of spatial unrollings, rule by rule, so that its results reproduce.

References
----------
.. [1] CarbonSpot, opt/spatial/generator.py at commit 0839b49.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numba import njit

from carbonopt.arrays import Bools, Ints
from carbonopt.mapping.loops import prime_factors
from carbonopt.mapping.spatial import ArrayShape, Loops, positions_spanned
from carbonopt.workload.layer import DIMS, Layer


@lru_cache(maxsize=16384)
def reference_unrollings(layer: Layer, array: ArrayShape) -> tuple[dict[str, Loops], ...]:
    """Return the one or two unrollings that CarbonSpot evaluates for a layer.

    The largest combination over the array dimensions, and the next one if it has the same
    size; weight-stationary arrays then take output positions along free columns.
    """
    order = _loop_order(layer)
    per_dim = [
        sorted(_candidates(layer, array, position, order), key=_size, reverse=True) or [()]
        for position in range(len(array.names))
    ]
    chosen: list[dict[str, Loops]] = []
    counter = last = 0
    for combination in itertools.product(*per_dim):
        size = math.prod(_size(loops) for loops in combination)
        if size != last:
            counter, last = counter + 1, size
        if counter >= 3:
            break
        used = dict.fromkeys(DIMS, 1)
        for dim, factor in itertools.chain(*combination):
            used[dim] *= factor
        if any(used[dim] > bound for dim, bound in layer.loops.items()):
            continue
        counter += 1
        unrolling = dict(zip(array.names, combination, strict=True))
        chosen.append(_with_diagonal(layer, array, unrolling))
    return tuple(chosen)


def _loop_order(layer: Layer) -> tuple[str, ...]:
    """Return the dimensions in the order in which the reference keeps them."""
    return DIMS if layer.kind == "conv" else ("K", "C", "B", "G", "OX", "OY", "FX", "FY")


def _size(loops: Loops) -> int:
    return math.prod(size for _, size in loops)


def _candidates(
    layer: Layer, array: ArrayShape, position: int, order: tuple[str, ...]
) -> list[Loops]:
    """Return the unrollings along one array dimension: single loops, then mixed ones."""
    available, allowed = array.sizes[position], array.allowed[position]
    single = [
        (dim, min(layer.loops[dim], available))
        for dim in order
        if dim in allowed and min(layer.loops[dim], available) > 1
    ]
    found: list[Loops] = [(loop,) for loop in single]
    pool = [(DIMS.index(dim), factor) for dim, size in single for factor in prime_factors(size)]
    hints = [DIMS.index(dim) for dim in array.hints[position]]
    subsets = [
        subset
        for count in range(2, len(hints) + 1)
        for subset in itertools.combinations(hints, count)
    ]
    if not pool or not subsets:
        return found
    wanted = np.zeros((len(subsets), len(DIMS)), dtype=np.bool_)
    for row, subset in enumerate(subsets):
        wanted[row, list(subset)] = True
    turn = [DIMS.index(dim) for dim, _ in single]
    for sizes in _mixed(np.array(pool), wanted, available).tolist():
        found.append(tuple((DIMS[d], sizes[d]) for d in turn if sizes[d] > 1))
    return found


@njit(cache=True)
def _mixed(pool: Ints, wanted: Bools, available: int) -> Ints:
    """Return the mixed unrollings (n, 8) from prime factors (p, 2), by sets of dimensions (s, 8).

    When factors merge, the first mixed entry with as many loops is deleted if its dimensions
    differ or if it is nowhere larger (generator.py:514-536).
    """
    found, count = np.ones((64, 8), np.int64), 0
    for s in range(len(wanted)):
        own = pool[np.array([wanted[s, d] for d in pool[:, 0]])]
        for length in range(2, len(own) + 1):
            picked, depth, sizes = np.full(length, -1), 0, np.ones((length + 1, 8), np.int64)
            while depth >= 0:
                picked[depth] += 1
                if picked[depth] > len(own) - length + depth:
                    depth -= 1
                    continue
                d, factor = own[picked[depth]]
                sizes[depth + 1] = sizes[depth]
                sizes[depth + 1, d] *= factor
                if sizes[depth + 1].prod() > available:
                    continue
                depth += 1
                if depth < length:
                    picked[depth] = picked[depth - 1]
                    continue
                loops = (sizes[length] > 1).sum()
                if loops > 1:
                    if count == len(found):
                        found = np.concatenate((found, np.ones_like(found)))
                    count = _entered(found, count, sizes[length], loops < length)
                depth -= 1
    return found[:count]


@njit(cache=True)
def _entered(found: Ints, count: int, sizes: Ints, merged: bool) -> int:
    """Enter an unrolling (8,) where it is new, after what it deletes; return how many there are."""
    loops = (sizes > 1).sum()
    for i in range(count if merged else 0):
        if (found[i] > 1).sum() != loops:
            continue
        if ((found[i] > 1) != (sizes > 1)).any() or (found[i] <= sizes).all():
            found[i : count - 1] = found[i + 1 : count].copy()
            count -= 1
            break
    for i in range(count):
        if (found[i] == sizes).all():
            return count
    found[count] = sizes
    return count + 1


def _with_diagonal(
    layer: Layer, array: ArrayShape, unrolling: dict[str, Loops]
) -> dict[str, Loops]:
    """Add the last legal unrolling of OX, OY along the columns (generator.py:611-868)."""
    if not array.diagonal or 2 * _size(unrolling["D1"]) > array.sizes[0]:
        return unrolling
    last = next(_diagonal_unrollings(layer, array, unrolling), ())
    return {**unrolling, "D1": (*unrolling["D1"], *last)}


def _diagonal_unrollings(
    layer: Layer, array: ArrayShape, unrolling: dict[str, Loops]
) -> Iterator[Loops]:
    """Visit the legal unrollings of OX, OY along the columns, against the reference's order.

    Columns a prod(o) <= D1; the rows hold c channels of every input that the positions touch.
    """
    cols, rows_available, _ = array.sizes
    columns = _size(unrolling["D1"])
    kernel = {"OX": 1, "OY": 1}
    channels = 1
    for dim, size in unrolling["D2"]:
        axis = {"FX": "OX", "FY": "OY"}.get(dim)
        if axis:
            kernel[axis] *= size
        else:
            channels *= size
    taken = dict(unrolling["D3"])
    left = {d: layer.loops[d] // taken.get(d, 1) for d in kernel}
    factors = {
        d: [
            factor
            for factor in prime_factors(layer.loops[d])
            if factor <= left[d]
            and factor
            <= min(
                cols // columns,
                rows_available // (channels * kernel[{"OX": "OY", "OY": "OX"}[d]])
                - (kernel[d] - 1),
            )
        ]
        for d in kernel
    }
    for subset in (("OX", "OY"), ("OY",), ("OX",)):
        pool = [(d, factor) for d in subset for factor in factors[d]]
        for picked in dict.fromkeys(_products(pool, subset)):
            spread = {**dict.fromkeys(kernel, 1), **dict(zip(subset, picked, strict=True))}
            if columns * math.prod(picked) > cols or any(
                not 1 < spread[d] <= left[d] for d in subset
            ):
                continue
            rows = channels * math.prod(
                positions_spanned(layer, axis, kernel[d], spread[d], unit_stride=array.unit_stride)
                for axis, d in enumerate(kernel)
            )
            if rows <= rows_available:
                yield tuple(zip(subset, picked, strict=True))


def _products(pool: list[tuple[str, int]], subset: tuple[str, ...]) -> Iterator[tuple[int, ...]]:
    """Visit the products by dimension of some prime factors, most and last ones first."""
    for length in range(len(pool), 0, -1):
        for picked in reversed([*itertools.combinations(pool, length)]):
            yield tuple(math.prod(factor for d, factor in picked if d == dim) for dim in subset)
