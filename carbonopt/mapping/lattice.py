"""The lattices of tiles of unrolled layers.

A temporal tile T of a layer keeps T_d passes of every loop dimension d; all tiles are the points
of a lattice, a product of chains, one per dimension and prime factor. A memory level of an operand
that keeps T moves it N / |T| times, with N passes in all: whatever a mapping costs at a level
depends on the tile there alone. A mapping is a chain of tiles, each a divisor of the next.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from carbonopt.arrays import Bools, Floats, Ints

_REDUCTION = 5  # DIMS from here on (C, FX, FY) sum into one output
_IRRELEVANT = 0
_AXES = 64  # more prime factors than eight loops of any layer have


class Lattices(NamedTuple):
    """All tiles of u temporal loop nests, those of each in order of mixed-radix digits.

    The digits of the last axis run fastest.

    Parameters
    ----------
    start, axes
        Where the tiles and the axes of each nest begin, and where the last ones end (u + 1,).
    lengths, fields, kept
        Of each axis: number of digits, its bits in a tile's number, whether it is a reduction.
    extents
        Passes of each dimension that a tile keeps (p, 8).
    packed
        Digits of each tile in one number (p,).
    size
        Passes that a tile keeps, the product of its extents (p,).
    complete
        Tiles that keep all passes over C, FX and FY (p,).
    guard
        A bit above each axis: T divides T' if (T' | guard) - T keeps them all (u,).
    resting
        Bits of the loops that do not index an operand (u, 3).
    """

    start: Ints
    axes: Ints
    lengths: Ints
    fields: Ints
    kept: Bools
    extents: Floats
    packed: Ints
    size: Floats
    complete: Bools
    guard: Ints
    resting: Ints

    def one(self, u: int) -> Floats:
        """Return the extents of the tiles of one nest (p, 8)."""
        return self.extents[self.start[u] : self.start[u + 1]]


@njit(cache=True)
def _axes(bounds: Ints, dims: Ints, primes: Ints, lengths: Ints) -> int:
    """Fill in the axes of loop bounds, a prime factor of a dimension each; return their number."""
    count = 0
    for d in range(len(bounds)):
        left, prime = bounds[d], 2
        while left > 1:
            if prime * prime > left:
                prime = left
            digits = 1
            while left % prime == 0:
                left //= prime
                digits += 1
            if digits > 1:
                dims[count], primes[count], lengths[count] = d, prime, digits
                count += 1
            prime += 1
    if count == 0:
        dims[0], primes[0], lengths[0] = 0, 2, 1
        count = 1
    return count


@njit(cache=True)
def _fill(
    dims: Ints, primes: Ints, lengths: Ints, extents: Floats, packed: Ints, fields: Ints
) -> int:
    """Fill in extents, digits and bits of all tiles of one nest; return its guard bits."""
    guard = below = 0
    count = 1
    extents[0], packed[0] = 1.0, 0
    for axis in range(len(dims)):
        above = below
        while 1 << (above - below) < lengths[axis]:
            above += 1
        fields[axis] = (1 << above) - (1 << below)
        guard |= 1 << above
        for p in range(count - 1, -1, -1):
            factor = 1.0
            place = p * lengths[axis]
            own, bits = extents[p].copy(), packed[p]
            for digit in range(lengths[axis]):
                extents[place + digit] = own
                extents[place + digit, dims[axis]] *= factor
                packed[place + digit] = bits | digit << below
                factor *= primes[axis]
        count *= lengths[axis]
        below = above + 1
    return guard


@njit(cache=True)
def lattices(bounds: Ints, relevance: Ints) -> Lattices:
    """Return the lattices of tiles of u temporal loop bounds (u, 8).

    `relevance` is `carbonopt.mapping.tiles.RELEVANCE` (3, 8).
    """
    count = len(bounds)
    start, axes = np.zeros(count + 1, np.int64), np.zeros(count + 1, np.int64)
    dims, primes, lengths = np.empty((3, count * _AXES), np.int64)
    for u in range(count):
        here = axes[u]
        axes[u + 1] = here + _axes(bounds[u], dims[here:], primes[here:], lengths[here:])
        start[u + 1] = start[u] + lengths[here : axes[u + 1]].prod()
    points, used = start[count], axes[count]
    extents, packed = np.empty((points, 8)), np.empty(points, np.int64)
    fields, guard = np.empty(used, np.int64), np.empty(count, np.int64)
    size, complete = np.empty(points), np.empty(points, np.bool_)
    resting = np.zeros((count, 3), np.int64)
    for u in range(count):
        own, tiles = slice(axes[u], axes[u + 1]), slice(start[u], start[u + 1])
        guard[u] = _fill(
            dims[own], primes[own], lengths[own], extents[tiles], packed[tiles], fields[own]
        )
        for p in range(start[u], start[u + 1]):
            size[p], complete[p] = 1.0, True
            for d in range(8):
                size[p] *= extents[p, d]
                complete[p] &= d < _REDUCTION or extents[p, d] == bounds[u, d]
        for axis in range(axes[u], axes[u + 1]):
            for o in range(3):
                if relevance[o, dims[axis]] == _IRRELEVANT:
                    resting[u, o] |= fields[axis]
    return Lattices(
        start, axes, lengths[:used], fields, dims[:used] >= _REDUCTION, extents, packed, size,
        complete, guard, resting,
    )  # fmt: skip
