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
    pool = [(dim, factor) for dim, size in single for factor in prime_factors(size)]
    hints = array.hints[position]
    for count in range(2, len(hints) + 1):
        for subset in itertools.combinations(hints, count):
            _add_mixed([loop for loop in pool if loop[0] in subset], available, found)
    return found


def _add_mixed(pool: list[tuple[str, int]], available: int, found: list[Loops]) -> None:
    """Append mixed unrollings from a pool of prime factors, with the reference's deletions.

    When factors merge, the first mixed entry with as many loops is deleted if its dimensions
    differ or if it is nowhere larger (generator.py:514-536).
    """
    for length in range(2, len(pool) + 1):
        for picked in itertools.combinations(pool, length):
            if len({dim for dim, _ in picked}) == 1 or _size(picked) > available:
                continue
            merged: dict[str, int] = {}
            for dim, factor in picked:
                merged[dim] = merged.get(dim, 1) * factor
            loops = tuple(merged.items())
            if len(loops) < len(picked):
                for entry in found:
                    if len(entry) > 1 and len(entry) == len(loops) and _gives_way(entry, loops):
                        found.remove(entry)
                        break
            if loops not in found:
                found.append(loops)


def _gives_way(entry: Loops, loops: Loops) -> bool:
    """Tell whether the reference deletes `entry` in favour of `loops`."""
    if tuple(dim for dim, _ in entry) != tuple(dim for dim, _ in loops):
        return True
    return all(old <= new for (_, old), (_, new) in zip(entry, loops, strict=True))


def _with_diagonal(
    layer: Layer, array: ArrayShape, unrolling: dict[str, Loops]
) -> dict[str, Loops]:
    """Add the last legal unrolling of OX, OY along the columns (generator.py:611-868)."""
    if not array.diagonal or 2 * _size(unrolling["D1"]) > array.sizes[0]:
        return unrolling
    last = next(reversed([*diagonal_unrollings(layer, array, unrolling)]), ())
    return {**unrolling, "D1": (*unrolling["D1"], *last)}


def diagonal_unrollings(
    layer: Layer, array: ArrayShape, unrolling: dict[str, Loops]
) -> Iterator[Loops]:
    """Visit the legal unrollings of OX, OY along the columns, in the reference's order.

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
    for subset in (("OX",), ("OY",), ("OX", "OY")):
        pool = [(d, factor) for d in subset for factor in factors[d]]
        for length in range(1, len(pool) + 1):
            for picked in itertools.combinations(pool, length):
                spread = dict.fromkeys(kernel, 1)
                for d, factor in picked:
                    spread[d] *= factor
                rows = channels * math.prod(
                    positions_spanned(
                        layer, axis, kernel[d], spread[d], unit_stride=array.unit_stride
                    )
                    for axis, d in enumerate(kernel)
                )
                if (
                    all(1 < spread[d] <= left[d] for d in subset)
                    and columns * math.prod(spread.values()) <= cols
                    and rows <= rows_available
                ):
                    yield tuple((d, spread[d]) for d in subset)
