"""Loop orders and splits against all permutations."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbonopt.mapping.loops import FACTOR_LIMIT, loop_orders, prime_factors, split_loops
from carbonopt.workload.layer import DIMS

pytestmark = pytest.mark.property

loop = st.tuples(st.sampled_from(DIMS[:4]), st.sampled_from([2, 3, 4]))


@settings(max_examples=50)
@given(st.lists(loop, min_size=1, max_size=6).map(tuple))
def test_every_distinct_order_comes_once(loops):
    dims, sizes = loop_orders(loops)
    got = [
        tuple((DIMS[dim], int(size)) for dim, size in zip(*order, strict=True))
        for order in zip(dims, sizes, strict=True)
    ]
    assert len(got) == len(set(got))
    assert set(got) == set(itertools.permutations(loops))
    assert got[0] == tuple(sorted(loops, reverse=True))


def test_number_of_orders_of_six_distinct_loops():
    loops = tuple((dim, 2) for dim in DIMS[:6])
    assert len(loop_orders(loops)[0]) == math.factorial(6)


@given(st.integers(1, 10**6))
def test_prime_factors_multiply_back_and_are_prime(number):
    factors = prime_factors(number)
    assert math.prod(factors) == number
    assert list(factors) == sorted(factors)
    assert all(factor % d for factor in factors for d in range(2, math.isqrt(factor) + 1))


temporal = st.dictionaries(st.sampled_from(DIMS), st.integers(1, 500))


@given(temporal, st.integers(1, 8))
def test_split_keeps_each_dimension_and_the_limit(bounds, limit):
    loops = split_loops(bounds, limit)
    for dim, bound in bounds.items():
        assert math.prod(size for name, size in loops if name == dim) == bound
    dimensions = {dim for dim, bound in bounds.items() if bound > 1}
    assert {dim for dim, _ in loops} == dimensions
    assert len(loops) <= max(limit, len(dimensions))
    assert min((size for _, size in loops), default=2) > 1


@given(temporal)
def test_split_merges_no_more_than_it_must(bounds):
    primes = sum(len(prime_factors(bound)) for bound in bounds.values())
    dimensions = sum(bound > 1 for bound in bounds.values())
    assert len(split_loops(bounds)) == min(primes, max(FACTOR_LIMIT, dimensions))
