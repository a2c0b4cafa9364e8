"""Fronts side by side: numbers that can be counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from carbonopt.front.compare import compare_fronts, coverage
from carbonopt.front.front import Front
from carbonopt.objectives import metric

METRICS = (metric("latency_s"), metric("energy_j"))


def front_of(points):
    table = pd.DataFrame(points, columns=["latency_s", "energy_j"], dtype=float)
    return Front("demo", table.assign(feasible=True), METRICS, ())


def compared(first, second, point=None):
    return compare_fronts({"a": front_of(first), "b": front_of(second)}, METRICS, point)


def test_two_fronts_counted_by_hand():
    point = {"latency_s": 10.0, "energy_j": 10.0}
    found = compared([(1, 4), (2, 2), (4, 1)], [(1, 4), (3, 3), (5, 0.5)], point)
    table = found.table
    assert table["front"].tolist() == [3, 3]
    assert table["in_joined"].tolist() == [3, 2]
    assert table["only_here"].tolist() == [2, 1]
    assert table["share_of_joined"].tolist() == [0.75, 0.5]
    assert table["epsilon"].tolist() == [2.0, 1.5]
    assert found.coverage.loc["a", "b"] == pytest.approx(2 / 3)
    assert found.coverage.loc["b", "a"] == pytest.approx(1 / 3)
    low, high = math.log10(2.5), math.log10(5)
    by_hand = low * 1.0 + (high - low) * high + (1.0 - high) * low
    assert table["hypervolume"].iloc[0] == pytest.approx(by_hand)


def test_a_front_equals_itself():
    points = [(1, 4), (2, 2), (2, 2), (4, 1)]
    found = compared(points, points)
    assert found.table["epsilon"].tolist() == [1.0, 1.0]
    assert found.table["only_here"].tolist() == [0, 0]
    assert found.table["share_of_joined"].tolist() == [1.0, 1.0]
    assert (found.coverage.to_numpy() == 1.0).all()
    assert found.table["hypervolume"].isna().all()


def test_an_empty_front_is_told():
    found = compared([(1, 1)], [])
    assert "b: no feasible design" in found.notices
    assert found.table["epsilon"].tolist() == [1.0, float("inf")]
    assert math.isnan(found.coverage.loc["a", "b"])
    assert found.coverage.loc["b", "a"] == 0.0


def test_values_without_a_logarithm_are_told():
    found = compared([(0, 1)], [(1, 0)], {"latency_s": 2.0, "energy_j": 2.0})
    assert found.table["epsilon"].isna().all()
    assert "an objective is not above 0" in found.notices[0]


@pytest.mark.property
def test_the_joined_front_is_covered_by_its_parts(rng):
    for _ in range(20):
        first, second = (np.exp(rng.normal(size=(30, 2))) for _ in range(2))
        found = compared(first, second, {"latency_s": 99.0, "energy_j": 99.0})
        shares = found.table["share_of_joined"]
        assert shares.sum() == pytest.approx(1.0), "random fronts share no point"
        whole = compared(np.vstack([first, second]), first).table.iloc[0]
        assert whole["share_of_joined"] == 1.0
        assert whole["hypervolume"] != whole["hypervolume"] or whole["hypervolume"] >= 0.0
        assert (found.table["epsilon"] >= 1.0).all()
        other = front_of(second).values
        assert coverage(front_of(first).values, other) == np.mean(
            [any(np.all(a <= b) for a in front_of(first).values) for b in other]
        )
