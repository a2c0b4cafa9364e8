"""Spatial unrolling: which loops run in parallel along which dimension of the array."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from carbonopt.arrays import Floats
from carbonopt.hardware.machine import OPERANDS, Machine
from carbonopt.mapping.residency import Hierarchy
from carbonopt.mapping.tiles import IRRELEVANT, RELEVANCE, input_positions
from carbonopt.workload.layer import DIMS, Layer

Loops = tuple[tuple[str, int], ...]
"""Unrolled loops along one array dimension: (loop dimension, size)."""


@dataclass(frozen=True)
class ArrayShape:
    """What a spatial unrolling must respect: sizes of the array, and what may run along them.

    Parameters
    ----------
    names, sizes
        Array dimensions: columns, rows, further ones.
    hints
        Loop dimensions meant for each array dimension, in order of preference.
    allowed
        Those of them that the innermost memories permit: one that serves several multipliers
        but holds a single word hands all of them the same, so only loops that do not index its
        operand may be unrolled there.
    most
        Loop dimensions that may fill only so many units of each array dimension.
    diagonal, unit_stride
        Output positions may share the columns; they take rows as if stride and dilation were 1.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    hints: tuple[tuple[str, ...], ...]
    allowed: tuple[tuple[str, ...], ...]
    most: tuple[tuple[tuple[str, int], ...], ...]
    diagonal: bool
    unit_stride: bool


def positions_spanned(
    layer: Layer, axis: int, kernel: float, outputs: float, *, unit_stride: bool
) -> float:
    """Count the inputs that output positions under a kernel touch along axis 0 (x) or 1 (y).

    As `input_positions`; outputs + kernel - 1 where stride and dilation are 1, or taken as 1.
    """
    stride, dilation = (1, 1) if unit_stride else (layer.stride[axis], layer.dilation[axis])
    return float(input_positions(outputs, kernel, stride, dilation))


def array_shape(machine: Machine, layer: Layer) -> ArrayShape:
    """Return the array of a machine as the unrollings of a layer see it."""
    bits = {"I": layer.input_bits, "W": layer.weight_bits, "O": layer.psum_bits}
    allowed = []
    for array_dim in machine.shape:
        dims = machine.unrolled[array_dim]
        for o, operand in enumerate(OPERANDS):
            innermost = machine.memories[machine.levels(operand)[0]]
            if array_dim in innermost.served and innermost.size_bits < 2 * bits[operand]:
                free = RELEVANCE[o] == IRRELEVANT
                dims = tuple(dim for dim in dims if free[DIMS.index(dim)])
        allowed.append(tuple(dims))
    hints = tuple(tuple(machine.unrolled[array_dim]) for array_dim in machine.shape)
    names, sizes = tuple(machine.shape), tuple(machine.shape.values())
    most = tuple(tuple(machine.most.get(name, {}).items()) for name in names)
    unit_stride = machine.variant.unit_stride_rows
    return ArrayShape(names, sizes, hints, tuple(allowed), most, machine.diagonal, unit_stride)


@dataclass(frozen=True)
class Unrolling:
    """Loops unrolled along each array dimension, as integers and as means over the passes.

    A bound L unrolled by u takes t = ceil(L / u) passes and fills u_f = L / t units on
    average; energy counts u_f, latency counts ceil(u_f) (or its floor, see `ModelVariant`).

    Parameters
    ----------
    loops
        Array dimension, loop dimension, fractional size u_f, whole size; in array order.
    temporal
        Loop dimension to the passes that remain.
    asked
        Array dimension to its loops before they were spread evenly over the passes.
    """

    loops: tuple[tuple[str, str, float, int], ...]
    temporal: dict[str, int]
    asked: Mapping[str, Loops] = field(default_factory=dict, compare=False)

    def product(self, array_dim: str, dims: Sequence[str] = DIMS) -> float:
        """Units filled along one array dimension, on average, by the given loops."""
        return math.prod(u for a, d, u, _ in self.loops if a == array_dim and d in dims)

    @property
    def units(self) -> float:
        """Multipliers filled on average."""
        return math.prod(u for _, _, u, _ in self.loops)

    @property
    def as_asked(self) -> Unrolling:
        """The unrolling that keeps the asked number of units busy in every pass."""
        loops = tuple(
            (array_dim, dim, float(size), size)
            for array_dim, unrolled in self.asked.items()
            for dim, size in unrolled
        )
        return Unrolling(loops, self.temporal, self.asked)

    def positions(self, array_dim: str) -> int:
        """Output positions unrolled along one array dimension."""
        return math.prod(n for a, d, _, n in self.loops if a == array_dim and d in ("OX", "OY"))


def unroll(
    layer: Layer, chosen: Mapping[str, Loops], *, float_passes: bool = False, down: bool = False
) -> Unrolling:
    """Turn chosen integer unrollings into fractional ones and the passes that remain.

    Parameters
    ----------
    layer
        What is unrolled.
    chosen
        Array dimension to its loops.
    float_passes
        Count passes as ceil(L / u_f) in floating point, which rounds up to one pass too many
        for about 1 % of (L, u), as the reference does (loma/engine.py:105).
    down
        Count floor(u_f) whole units instead of ceil(u_f).
    """
    bounds = layer.loops
    early = dict.fromkeys(DIMS, 1.0)
    loops = []
    for array_dim, unrolled in chosen.items():
        for dim, size in unrolled:
            passes = math.ceil(round(bounds[dim] / (size * early[dim]), 9))
            mean = bounds[dim] / passes / early[dim]
            whole = math.floor(round(mean, 9)) if down else math.ceil(round(mean, 9))
            loops.append((array_dim, dim, mean, whole))
            early[dim] *= mean
    temporal = {}
    for dim, bound in bounds.items():
        left = bound / early[dim]
        temporal[dim] = math.ceil(left) if float_passes else round(left)
    return Unrolling(tuple(loops), temporal, dict(chosen))


def spatial_arrays(
    unrolling: Unrolling, machine: Machine, hierarchy: Hierarchy
) -> tuple[Floats, Floats]:
    """Place the unrolled loops between each operand's memory levels.

    A loop lies below the lowest level whose instances serve its array dimension.

    Returns
    -------
    fractional, whole
        Unrolled sizes (3, depth + 1, 8) as `count_transfers` takes them.
    """
    depth = max(len(levels) for levels in hierarchy.values())
    fractional = np.ones((len(OPERANDS), depth + 1, len(DIMS)))
    whole = fractional.copy()
    for position, operand in enumerate(OPERANDS):
        levels = [machine.memories[m] for m in hierarchy[operand]]
        for array_dim, dim, mean, size in unrolling.loops:
            below = [i for i, memory in enumerate(levels) if array_dim in memory.served]
            place = (position, below[0] if below else len(levels), DIMS.index(dim))
            fractional[place] *= mean
            whole[place] *= size
    return fractional, whole
