"""Every way to unroll a layer on an array: mixed loops, any sizes, none of them left out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from designs import unrolled_as

from carbonopt.hardware.machine import Machine
from carbonopt.mapping.parallel import useful_sizes
from carbonopt.mapping.spatial import ArrayShape, Loops, Unrollings, array_shape, positions_spanned
from carbonopt.workload.layer import Layer


def every_unrolling(layer: Layer, machine: Machine) -> Unrollings:
    """All legal unrollings, but for those that another one with fewer units equals in passes.

    Two sizes of a loop that take as many passes fill as many units on average: the same mapping.
    """
    array = array_shape(machine, layer)
    axes = (*range(2, len(array.sizes)), *range(min(2, len(array.sizes))))
    chosen = [
        {name: each[name] for name in array.names} for each in _along(layer.loops, array, axes)
    ]
    if array.diagonal:
        chosen += [more for each in chosen for more in _diagonal(layer, array, each)]
    down = machine.variant.whole_units_down
    return unrolled_as(layer, array.names, chosen, down=down)


def _along(
    bounds: Mapping[str, int], array: ArrayShape, axes: tuple[int, ...]
) -> Iterator[dict[str, Loops]]:
    """Visit all unrollings of some array dimensions, one after the other."""
    if not axes:
        yield {}
        return
    here, *others = axes
    most = dict(array.most[here])
    for loops in _filled(bounds, array.allowed[here], array.sizes[here], most):
        for more in _along(_left(bounds, loops), array, tuple(others)):
            yield {array.names[here]: loops, **more}


def _filled(
    bounds: Mapping[str, int], dims: tuple[str, ...], room: int, most: Mapping[str, int]
) -> Iterator[Loops]:
    """Visit all ways to fill up to `room` units of an array dimension."""
    if not dims:
        yield ()
        return
    dim, *others = dims
    for size in useful_sizes(bounds[dim], min(room, most.get(dim, room))):
        for more in _filled(bounds, tuple(others), room // size, most):
            yield ((dim, size), *more) if size > 1 else more


def _left(bounds: Mapping[str, int], loops: Loops) -> dict[str, int]:
    return {dim: math.ceil(bound / dict(loops).get(dim, 1)) for dim, bound in bounds.items()}


def _diagonal(
    layer: Layer, array: ArrayShape, chosen: dict[str, Loops]
) -> Iterator[dict[str, Loops]]:
    """Visit the output positions that can share the columns besides, as far as the rows allow."""
    columns, rows, *others = array.names
    left = layer.loops
    for name in others:
        left = _left(left, chosen[name])
    free = array.sizes[0] // math.prod(size for _, size in chosen[columns])
    unrolled = dict(chosen[rows])
    for x in useful_sizes(left["OX"], free):
        for y in useful_sizes(left["OY"], free // x):
            spans = (
                positions_spanned(layer, axis, kernel, outputs, unit_stride=array.unit_stride)
                for axis, kernel, outputs in (
                    (0, unrolled.get("FX", 1), x), (1, unrolled.get("FY", 1), y),
                )
            )  # fmt: skip
            occupied = unrolled.get("C", 1) * math.prod(spans)
            if x * y > 1 and occupied <= array.sizes[1]:
                loops = tuple((dim, n) for dim, n in (("OX", x), ("OY", y)) if n > 1)
                yield {**chosen, columns: chosen[columns] + loops}
