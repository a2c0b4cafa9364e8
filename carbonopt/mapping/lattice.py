"""The lattice of tiles of an unrolled layer.

A temporal tile T of a layer keeps T_d passes of every loop dimension d; all tiles are the points
of a lattice, a product of chains, one per dimension and prime factor. A memory level of an operand
that keeps T moves it N / |T| times, with N passes in all: whatever a mapping costs at a level
depends on the tile there alone. A mapping is a chain of tiles, each a divisor of the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from carbonopt.arrays import Bools, Floats, Ints
from carbonopt.mapping.loops import prime_factors
from carbonopt.mapping.tiles import IRRELEVANT, RELEVANCE
from carbonopt.workload.layer import DIMS

_REDUCTION = DIMS.index("C")


@dataclass(frozen=True)
class Lattice:
    """All tiles of a temporal loop nest, in order of mixed-radix digits, the last axis fastest.

    Parameters
    ----------
    dims, primes, lengths
        Loop dimension, prime factor and number of digits of each axis (a,).
    extents
        Passes of each dimension that a tile keeps (p, 8).
    packed, fields
        Digits of each point in one number (p,), and the bits of each axis in it (a,).
    guard
        A bit above each axis: T divides T' if (T' | guard) - T keeps them all.
    complete
        Tiles that keep all passes over C, FX and FY (p,).
    size
        Passes that a tile keeps, the product of its extents (p,).
    """

    dims: Ints
    primes: Ints
    lengths: Ints
    extents: Floats
    packed: Ints
    fields: Ints
    guard: int
    complete: Bools
    size: Floats

    @cached_property
    def resting(self) -> Ints:
        """Bits of the loops that do not index an operand (3,)."""
        rests = RELEVANCE[:, self.dims] == IRRELEVANT
        bits: Ints = (rests * self.fields).sum(axis=1)
        return bits

    @cached_property
    def reductions(self) -> Bools:
        """Axes of reductions (a,)."""
        return self.dims >= _REDUCTION


@lru_cache(maxsize=4096)
def lattice(bounds: tuple[int, ...]) -> Lattice:
    """Return the lattice of tiles of temporal loop bounds, in the order of `DIMS`."""
    axes = [
        (d, prime, prime_factors(bound).count(prime) + 1)
        for d, bound in enumerate(bounds)
        for prime in sorted(set(prime_factors(bound)))
    ] or [(0, 2, 1)]
    dims, primes, lengths = (np.array(column, dtype=np.int64) for column in zip(*axes, strict=True))
    digits = np.indices(tuple(int(n) for n in lengths)).reshape(len(axes), -1).T
    extents = np.ones((len(digits), len(DIMS)))
    packed = np.zeros(len(digits), dtype=np.int64)
    fields = np.zeros(len(axes), dtype=np.int64)
    guard = below = 0
    for axis, (d, prime, length) in enumerate(axes):
        extents[:, d] *= float(prime) ** digits[:, axis]
        packed |= digits[:, axis] << below
        above = below + (length - 1).bit_length()
        fields[axis] = (1 << above) - (1 << below)
        guard |= 1 << above
        below = above + 1
    complete = (extents[:, _REDUCTION:] == extents[-1, _REDUCTION:]).all(axis=1)
    return Lattice(
        dims, primes, lengths, extents, packed, fields, guard, complete, extents.prod(axis=1)
    )
