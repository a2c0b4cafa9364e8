"""Many unrollings of one layer as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from carbonopt.arrays import Floats, Ints
from carbonopt.mapping.parallel import fullest_unrollings, with_halves
from carbonopt.mapping.reference import reference_unrollings
from carbonopt.mapping.spatial import ArrayShape, Loops, Unrolling, unroll
from carbonopt.workload.layer import DIMS, Layer

FULLEST = 8
"""Fullest unrollings that are tried, each with its halves."""


@dataclass(frozen=True)
class Unrollings:
    """u unrollings of a layer along a array dimensions.

    Parameters
    ----------
    each
        The unrollings one by one.
    mean, whole
        Unrolled sizes, means over the passes and whole units (u, a, 8).
    passes
        Temporal loops that remain (u, 8).
    """

    each: tuple[Unrolling, ...]
    mean: Floats
    whole: Floats
    passes: Ints

    def __len__(self) -> int:
        """Count the unrollings."""
        return len(self.each)


def unrolled_all(
    layer: Layer, names: Sequence[str], chosen: Sequence[Mapping[str, Loops]], *, down: bool
) -> Unrollings:
    """Unroll a layer in several ways along the named array dimensions, see `unroll`."""
    each = tuple(unroll(layer, loops, down=down) for loops in chosen)
    mean = np.ones((len(each), len(names), len(DIMS)))
    whole = mean.copy()
    for u, unrolling in enumerate(each):
        for array_dim, dim, size, units in unrolling.loops:
            place = (u, names.index(array_dim), DIMS.index(dim))
            mean[place] *= size
            whole[place] *= units
    passes = [[unrolling.temporal[dim] for dim in DIMS] for unrolling in each]
    return Unrollings(each, mean, whole, np.array(passes, dtype=np.int64))


@lru_cache(maxsize=4096)
def promising_unrollings(
    layer: Layer, array: ArrayShape, *, carbonspot_rules: bool, down: bool
) -> Unrollings:
    """Return the fullest unrollings of a layer and their halves, least passes first.

    Those that CarbonSpot's rules give are among them if asked for.
    """
    chosen = [dict(each) for each in reference_unrollings(layer, array) if carbonspot_rules]
    chosen += with_halves(layer, fullest_unrollings(layer, array, FULLEST))
    distinct = [each for i, each in enumerate(chosen) if each not in chosen[:i]]
    found = unrolled_all(layer, array.names, distinct, down=down)
    order = np.argsort(found.passes.prod(axis=1), kind="stable")
    each = tuple(found.each[i] for i in order)
    return Unrollings(each, found.mean[order], found.whole[order], found.passes[order])


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
