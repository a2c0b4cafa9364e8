"""Many unrollings of one layer as arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np

from carbonopt.arrays import Floats, Ints
from carbonopt.mapping.parallel import (
    distinct,
    fullest_unrollings,
    loop_sizes,
    named_loops,
    with_halves,
)
from carbonopt.mapping.reference import reference_unrollings
from carbonopt.mapping.spatial import ArrayShape, Unrolling
from carbonopt.workload.layer import DIMS, Layer

FULLEST = 8
"""Fullest unrollings that are tried, each with its halves."""

_DECIMALS = 9  # means come back as whole numbers only up to rounding


@dataclass(frozen=True)
class Unrollings:
    """u unrollings of a layer along a array dimensions.

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
    _made: dict[int, Unrolling] = field(default_factory=dict, compare=False)

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


def unrolled_all(layer: Layer, names: tuple[str, ...], asked: Ints, *, down: bool) -> Unrollings:
    """Unroll a layer in several ways (u, a, 8) along the named array dimensions, see `unroll`."""
    bounds = np.array(layer.sizes, dtype=np.int64)
    early = np.ones((len(asked), len(DIMS)))
    mean = np.ones(asked.shape)
    for a in range(len(names)):
        passes = np.ceil(np.round(bounds / (asked[:, a] * early), _DECIMALS))
        mean[:, a] = np.where(asked[:, a] > 1, bounds / passes / early, 1.0)
        early *= mean[:, a]
    whole = np.round(mean, _DECIMALS)
    whole = np.floor(whole) if down else np.ceil(whole)
    return Unrollings(names, asked, mean, whole, np.rint(bounds / early).astype(np.int64))


@lru_cache(maxsize=4096)
def promising_unrollings(
    layer: Layer, array: ArrayShape, *, carbonspot_rules: bool, down: bool
) -> Unrollings:
    """Return the fullest unrollings of a layer and their halves, least passes first.

    Those that CarbonSpot's rules give are among them if asked for.
    """
    asked = with_halves(layer, fullest_unrollings(layer, array, FULLEST))
    if carbonspot_rules:
        rules = [loop_sizes(each, array.names) for each in reference_unrollings(layer, array)]
        asked = distinct(np.concatenate([*(each[None] for each in rules), asked]))
    found = unrolled_all(layer, array.names, asked, down=down)
    order = np.argsort(found.passes.prod(axis=1), kind="stable")
    return Unrollings(
        array.names, asked[order], found.mean[order], found.whole[order], found.passes[order]
    )


def spread(sizes: Floats, places: Ints, depth: int) -> Floats:
    """Place unrolled sizes (u, a, 8) between the levels of three operands.

    Parameters
    ----------
    places
        Level below which each array dimension lies (3, a), see `Storage.places`.
    depth
        Levels of the operand that has the most.

    Returns
    -------
    ndarray
        (u, 3, depth + 1, 8), as `carbonopt.mapping.tiles.prefix_tiles` takes them.
    """
    placed = np.ones((len(sizes), len(places), depth + 1, len(DIMS)))
    for o, levels in enumerate(places):
        for a, level in enumerate(levels):
            placed[:, o, level] *= sizes[:, a]
    return placed
