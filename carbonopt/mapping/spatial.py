"""Spatial unrolling: which loops run in parallel along which dimension of the array."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numba import njit

from carbonopt.arrays import Floats, Ints, Number
from carbonopt.hardware.machine import OPERANDS, Machine
from carbonopt.mapping.tiles import IRRELEVANT, RELEVANCE
from carbonopt.workload.layer import DIMS, Layer

_DECIMALS, _SCALE = 9, 1e9  # means come back as whole numbers only up to rounding
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
    layer: Layer, axis: int, kernel: Number, outputs: Number, *, unit_stride: bool
) -> Floats:
    """Count the inputs that output positions under a kernel touch along axis 0 (x) or 1 (y).

    As `input_positions`; outputs + kernel - 1 where stride and dilation are 1, or taken as 1.
    """
    stride, dilation = (1, 1) if unit_stride else (layer.stride[axis], layer.dilation[axis])
    divisor = math.gcd(stride, dilation)
    missed = np.maximum(0.0, kernel - np.float64(stride / divisor))
    touched: Floats = outputs * kernel - missed * np.maximum(0.0, outputs - dilation / divisor)
    return touched


def array_shape(machine: Machine, layer: Layer) -> ArrayShape:
    """Return the array of a machine as the unrollings of a layer see it."""
    bits = {"I": layer.input_bits, "W": layer.stored_weight_bits, "O": layer.psum_bits}
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


@dataclass(frozen=True, eq=False)
class Unrollings:
    """u unrollings of a layer along a array dimensions, as arrays.

    Parameters
    ----------
    names
        Array dimensions (a).
    asked
        Unrolled sizes before they were spread evenly over the passes (u, a, 8).
    mean, whole
        Unrolled sizes, means over the passes and whole units (u, a, 8).
    passes
        Temporal loops that remain (u, 8).
    """

    names: tuple[str, ...]
    asked: Ints
    mean: Floats
    whole: Floats
    passes: Ints
    _made: dict[int, Unrolling] = field(default_factory=dict)

    @classmethod
    def of(cls, unrollings: Sequence[Unrolling], names: Sequence[str]) -> Unrollings:
        """Return unrollings one by one as arrays."""
        axes = {name: a for a, name in enumerate(names)}
        sizes = np.ones((3, len(unrollings), len(axes), len(DIMS)))
        passes = np.ones((len(unrollings), len(DIMS)), dtype=np.int64)
        for u, each in enumerate(unrollings):
            for name, loops in each.asked.items():
                for dim, size in loops:
                    sizes[0, u, axes[name], DIMS.index(dim)] *= size
            for name, dim, mean, whole in each.loops:
                sizes[1:, u, axes[name], DIMS.index(dim)] *= mean, whole
            passes[u] = [each.temporal.get(dim, 1) for dim in DIMS]
        asked = sizes[0].astype(np.int64)
        made = dict(enumerate(unrollings))
        return cls(tuple(names), asked, sizes[1], sizes[2], passes, made)

    def __len__(self) -> int:
        """Count the unrollings."""
        return len(self.asked)

    def one(self, u: int) -> Unrolling:
        """Return one of the unrollings with its loops by name, made when it is first asked for."""
        if u not in self._made:
            loops = tuple(
                (self.names[a], DIMS[d], float(self.mean[u, a, d]), int(self.whole[u, a, d]))
                for a, d in zip(*np.nonzero(self.asked[u] > 1), strict=True)
            )
            temporal = dict(zip(DIMS, self.passes[u].tolist(), strict=True))
            named = named_loops(self.asked[u], self.names)
            self._made[u] = Unrolling(loops, temporal, named)
        return self._made[u]

    @cached_property
    def each(self) -> tuple[Unrolling, ...]:
        """The unrollings one by one."""
        return tuple(self.one(u) for u in range(len(self)))

    def take(self, rows: Ints) -> Unrollings:
        """Return some of the unrollings."""
        return Unrollings(
            self.names, self.asked[rows], self.mean[rows], self.whole[rows], self.passes[rows]
        )

    def with_more(self, others: Unrollings) -> Unrollings:
        """Return these unrollings and others behind them."""
        return Unrollings(
            self.names,
            np.concatenate([self.asked, others.asked]),
            np.concatenate([self.mean, others.mean]),
            np.concatenate([self.whole, others.whole]),
            np.concatenate([self.passes, others.passes]),
        )

    @property
    def as_asked(self) -> Unrollings:
        """The unrollings that keep the asked number of units busy in every pass."""
        busy = self.asked.astype(np.float64)
        return Unrollings(self.names, self.asked, busy, busy, self.passes)

    def along(self, array_dim: str, dims: Sequence[str] = DIMS) -> Floats:
        """Units filled along one array dimension, on average, by the given loops (u,)."""
        chosen = [DIMS.index(dim) for dim in dims]
        units: Floats = self.mean[:, self.names.index(array_dim), chosen].prod(axis=1)
        return units

    @property
    def positions(self) -> Floats:
        """Output positions unrolled along the columns (u,)."""
        columns: Floats = self.whole[:, 0, [DIMS.index("OX"), DIMS.index("OY")]].prod(axis=1)
        return columns


def named_loops(unrolled: Ints, names: Sequence[str]) -> dict[str, Loops]:
    """Name the loops of one unrolling (a, 8) along each array dimension.

    Examples
    --------
    >>> named_loops(np.array([[1, 8, 1, 4, 1, 1, 1, 1]]), ["D1"])
    {'D1': (('K', 8), ('OX', 4))}
    """
    return {
        name: tuple((dim, n) for dim, n in zip(DIMS, sizes, strict=True) if n > 1)
        for name, sizes in zip(names, unrolled.tolist(), strict=True)
    }


def unroll_all(layer: Layer, names: tuple[str, ...], asked: Ints, *, down: bool) -> Unrollings:
    """Unroll a layer in several ways (u, a, 8) along the named array dimensions, see `unroll`."""
    bounds = np.array(layer.sizes, dtype=np.int64)
    return Unrollings(names, asked, *_spread_evenly(bounds, asked, down))


@njit(cache=True)
def _spread_evenly(bounds: Ints, asked: Ints, down: bool) -> tuple[Floats, Floats, Ints]:
    """Return means over the passes, whole units (u, a, 8) and passes (u, 8) of asked sizes."""
    mean, whole = np.ones(asked.shape), np.ones(asked.shape)
    passes = np.empty((len(asked), 8), np.int64)
    for u in range(len(asked)):
        for d in range(8):
            early = 1.0
            for a in range(asked.shape[1]):
                size = asked[u, a, d]
                if size > 1:
                    least = np.ceil(np.rint(bounds[d] / (size * early) * _SCALE) / _SCALE)
                    even = bounds[d] / least
                    mean[u, a, d] = even / early
                    rounded = np.rint(mean[u, a, d] * _SCALE) / _SCALE
                    whole[u, a, d] = np.floor(rounded) if down else np.ceil(rounded)
                    early *= mean[u, a, d]
            passes[u, d] = np.rint(bounds[d] / early)
    return mean, whole, passes


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
            passes = math.ceil(round(bounds[dim] / (size * early[dim]), _DECIMALS))
            mean = bounds[dim] / passes / early[dim]
            whole = (
                math.floor(round(mean, _DECIMALS)) if down else math.ceil(round(mean, _DECIMALS))
            )
            loops.append((array_dim, dim, mean, whole))
            early[dim] *= mean
    temporal = {}
    for dim, bound in bounds.items():
        left = bound / early[dim]
        temporal[dim] = math.ceil(left) if float_passes else round(left)
    return Unrolling(tuple(loops), temporal, dict(chosen))
