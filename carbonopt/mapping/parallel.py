"""The fullest spatial unrollings of a layer, with mixed loops and sizes that divide nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from carbonopt.mapping.spatial import ArrayShape, Loops, positions_spanned
from carbonopt.workload.layer import Layer

_WIDEST = 256  # unrollings of one array dimension that are combined with those of others
_KERNEL_OF = {"OX": "FX", "OY": "FY"}


@lru_cache(maxsize=16384)
def fullest_unrollings(layer: Layer, array: ArrayShape, count: int) -> tuple[dict[str, Loops], ...]:
    """Return the `count` unrollings that leave the fewest passes, the fewest units on ties.

    Along each array dimension loops fill what is available until none can grow; a size u is
    considered only if fewer units would need more passes, u = ceil(L / ceil(L / u)).
    """
    ranked: list[tuple[int, int, int, dict[str, Loops]]] = []
    columns, rows = 0, min(1, len(array.sizes) - 1)
    for filled in _filled(layer.loops, array, (*range(2, len(array.sizes)), *range(rows + 1))):
        chosen = {name: filled[position] for position, name in enumerate(array.names)}
        across = [loop for position in range(2, len(array.sizes)) for loop in filled[position]]
        for spread in _diagonals(layer, array, _remaining(layer.loops, across), filled):
            with_spread = {**chosen, array.names[columns]: filled[columns] + spread}
            ranked.append((*_passes_and_units(layer, with_spread), len(ranked), with_spread))
    ranked.sort(key=lambda entry: entry[:3])
    return tuple(chosen for *_, chosen in ranked[:count])


def with_halves(layer: Layer, unrollings: Sequence[dict[str, Loops]]) -> list[dict[str, Loops]]:
    """Return unrollings, and each of them with one of its loops unrolled half as far.

    An array that is half idle can still be as fast, where memories cannot feed a full one.
    """
    found = list(unrollings)
    for chosen in unrollings:
        for array_dim, loops in chosen.items():
            for position, (dim, size) in enumerate(loops):
                half = useful_sizes(layer.loops[dim], math.ceil(size / 2))[0]
                less = (*loops[:position], (dim, half), *loops[position + 1 :])
                kept = tuple(loop for loop in less if loop[1] > 1)
                found.append({**chosen, array_dim: kept})
    return [chosen for i, chosen in enumerate(found) if chosen not in found[:i]]


def _filled(
    bounds: dict[str, int], array: ArrayShape, positions: tuple[int, ...]
) -> Iterator[dict[int, Loops]]:
    """Visit the unrollings of the given array dimensions, one after the other."""
    if not positions:
        yield {}
        return
    here, *others = positions
    left = _bounds(bounds, array.allowed[here])
    for loops in _fill(left, array.sizes[here], dict(array.most[here])):
        for further in _filled(_remaining(bounds, loops), array, tuple(others)):
            yield {here: loops, **further}


def _bounds(sizes: dict[str, int], allowed: tuple[str, ...]) -> list[tuple[str, int]]:
    """Return the loops that may be unrolled along an array dimension, with their bounds."""
    return [(dim, sizes[dim]) for dim in allowed if sizes[dim] > 1]


def _remaining(bounds: dict[str, int], taken: Sequence[tuple[str, int]]) -> dict[str, int]:
    """Return the loop bounds left after some unrolling."""
    left = dict(bounds)
    for dim, size in taken:
        left[dim] = math.ceil(left[dim] / size)
    return left


def useful_sizes(bound: int, available: int) -> list[int]:
    """Return the sizes up to `available` that no smaller one matches in passes, descending.

    Examples
    --------
    >>> useful_sizes(10, 7)
    [5, 4, 3, 2, 1]
    """
    sizes = []
    size = min(bound, available)
    while size > 0:
        size = math.ceil(bound / math.ceil(bound / size))
        sizes.append(size)
        size -= 1
    return sizes


def _fill(
    bounds: Sequence[tuple[str, int]], available: int, most: Mapping[str, int]
) -> list[Loops]:
    """Return the unrollings of some loops in which none can grow within what is available.

    Loops in `most` fill so many units at most.

    Of more than `_WIDEST` of them only the largest are kept.
    """
    options = [useful_sizes(n, min(available, most.get(dim, n))) for dim, n in bounds]
    found = [
        _named(bounds, sizes)
        for sizes in _sizes(options, available)
        if not any(
            math.prod(sizes) // size * larger <= available
            for size, choices in zip(sizes, options, strict=True)
            for larger in choices
            if larger > size
        )
    ]
    if len(found) > _WIDEST:
        found.sort(key=lambda loops: -math.prod(size for _, size in loops))
    return found[:_WIDEST]


def _sizes(options: list[list[int]], available: int) -> Iterator[tuple[int, ...]]:
    """Visit the combinations of sizes whose product is available, the last as large as can be."""
    if not options:
        yield ()
        return
    for size in options[0]:
        if size > available:
            continue
        for others in _sizes(options[1:], available // size):
            yield (size, *others)
        if len(options) == 1:
            return


def _named(bounds: Sequence[tuple[str, int]], sizes: Sequence[int]) -> Loops:
    """Pair loops with their sizes, without those of size 1."""
    pairs = zip(bounds, sizes, strict=True)
    return tuple((dim, size) for (dim, _), size in pairs if size > 1)


def _diagonals(
    layer: Layer, array: ArrayShape, left: dict[str, int], filled: dict[int, Loops]
) -> Iterator[Loops]:
    """Visit the largest unrollings of output positions along free columns, or none.

    The rows hold every input that the positions of a column's kernel touch.
    """
    free = array.sizes[0] // math.prod(size for _, size in filled[0])
    if not array.diagonal or free < 2:
        yield ()
        return
    kernel = {**dict.fromkeys(_KERNEL_OF.values(), 1), **dict(filled[1])}
    rows_available = array.sizes[1]
    available = rows_available // kernel.get("C", 1)
    bounds = [(d, left[d]) for d in _KERNEL_OF]
    legal = [
        (x, y)
        for x in useful_sizes(left["OX"], free)
        for y in useful_sizes(left["OY"], free // x)
        if _rows(layer, array, kernel, (x, y)) <= available
    ]
    for sizes in legal:
        if not any(o != sizes and o[0] >= sizes[0] and o[1] >= sizes[1] for o in legal):
            yield _named(bounds, sizes)


def _rows(
    layer: Layer, array: ArrayShape, kernel: dict[str, int], outputs: tuple[int, int]
) -> float:
    """Count the rows per channel that output positions take along the columns."""
    sizes = zip(_KERNEL_OF.values(), outputs, strict=True)
    return math.prod(
        positions_spanned(layer, axis, kernel[dim], size, unit_stride=array.unit_stride)
        for axis, (dim, size) in enumerate(sizes)
    )


def _passes_and_units(layer: Layer, chosen: dict[str, Loops]) -> tuple[int, int]:
    """Count the passes that an unrolling leaves, and the units it occupies."""
    taken: dict[str, int] = {}
    for loops in chosen.values():
        for dim, size in loops:
            taken[dim] = taken.get(dim, 1) * size
    passes = math.prod(math.ceil(bound / taken.get(dim, 1)) for dim, bound in layer.loops.items())
    return passes, math.prod(taken.values())
