"""Temporal loops: which loops remain after unrolling, and every order they can take."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from carbonopt.arrays import Ints
from carbonopt.workload.layer import DIMS

FACTOR_LIMIT = 6
"""Loops that are ordered at most, unless a layer has more dimensions (CarbonSpot lpf_limit)."""


@lru_cache(maxsize=65536)
def prime_factors(number: int) -> tuple[int, ...]:
    """Return the prime factors of a positive number, ascending.

    Examples
    --------
    >>> prime_factors(60)
    (2, 2, 3, 5)
    """
    factors = []
    divisor = 2
    while divisor * divisor <= number:
        while number % divisor == 0:
            factors.append(divisor)
            number //= divisor
        divisor += 1
    if number > 1:
        factors.append(number)
    return tuple(factors)


def split_loops(temporal: dict[str, int], limit: int = FACTOR_LIMIT) -> tuple[tuple[str, int], ...]:
    """Split temporal loop bounds into at most `limit` factors, but one per dimension.

    Bounds are factored into primes; then the dimension with the most factors (the first on
    ties) has its two smallest merged, until few enough are left.

    Examples
    --------
    >>> split_loops({"OX": 16, "C": 9})
    (('OX', 2), ('OX', 2), ('OX', 2), ('OX', 2), ('C', 3), ('C', 3))
    """
    factors = {d: list(prime_factors(size)) for d, size in temporal.items() if size > 1}
    limit = max(limit, len(factors))
    while sum(map(len, factors.values())) > limit:
        most = max(factors, key=lambda d: len(factors[d]))
        smallest, second, *rest = sorted(factors[most])
        factors[most] = sorted([smallest * second, *rest])
    return tuple((d, size) for d, sizes in factors.items() for size in sizes)


@lru_cache(maxsize=4096)
def loop_orders(loops: tuple[tuple[str, int], ...]) -> tuple[Ints, Ints]:
    """Return every distinct order of the loops as dimensions and sizes, (n, loops) each.

    Dimensions are positions in `DIMS`, the innermost loop comes first. Orders come in prefix
    shifts from the non-increasing one, which decides between equally good mappings.

    References
    ----------
    .. [1] A. Williams, "Loopless generation of multiset permutations using a constant number
       of variables by prefix shifts", SODA 2009.
    """
    distinct = sorted(set(loops), reverse=True)
    ranks = tuple(sorted(distinct.index(loop) for loop in loops))
    orders = _distinct_orders(ranks)
    dims = np.array([DIMS.index(d) for d, _ in distinct], dtype=np.int64)
    sizes = np.array([size for _, size in distinct], dtype=np.int64)
    return dims[orders], sizes[orders]


@lru_cache(maxsize=1024)
def _distinct_orders(ranks: tuple[int, ...]) -> Ints:
    """Return the distinct orders of ranks as an array (n, loops); rank 0 is the largest loop."""
    return np.array(list(_prefix_shifts(ranks)), dtype=np.int64).reshape(-1, len(ranks))


def _prefix_shifts(ranks: tuple[int, ...]) -> Iterator[list[int]]:
    """Visit the distinct orders of ascending ranks by prefix shifts."""
    order = list(ranks)
    yield order.copy()
    count = len(order)
    position = count - 2
    while count > 1 and (position + 2 < count or order[position + 1] > order[0]):
        after = position + 1
        beyond = after + 1
        source = beyond if beyond < count and order[position] <= order[beyond] else after
        moved = order.pop(source)
        position = 0 if moved > order[0] else position + 1
        order.insert(0, moved)
        yield order.copy()
