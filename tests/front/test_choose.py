"""One design within a budget: the least of a metric, or how near the nearest comes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from carbonopt.errors import SpecError
from carbonopt.front.front import Front
from carbonopt.objectives import metric


def front_of(rows, objectives=("latency_s", "carbon_ca_g")):
    columns = ["template", "latency_s", "carbon_ca_g", "area_mm2", "feasible"]
    table = pd.DataFrame(rows, columns=columns)
    return Front("demo", table, tuple(map(metric, objectives)), ("template",))


@pytest.fixture
def found():
    return front_of(
        [
            ("dimc", 0.001, 9.0, 8.0, True),
            ("dimc", 0.004, 4.0, 8.0, True),
            ("aimc", 0.006, 2.0, 6.0, True),
            ("aimc", 0.007, 3.0, 1.0, True),  # dominated, but the smallest
            ("dimc", 0.0005, 0.1, 0.1, False),
        ]
    )


def test_the_least_within_a_budget(found):
    assert found.least("carbon_ca_g", "latency_s <= 5 ms")["latency_s"] == 0.004
    assert found.least("carbon_ca_g")["carbon_ca_g"] == 2.0
    assert found.least("latency_s", "template = aimc")["latency_s"] == 0.006


def test_a_limit_on_what_is_no_objective_looks_beyond_the_front(found):
    assert found.least("carbon_ca_g", "area_mm2 <= 2 mm2")["carbon_ca_g"] == 3.0
    assert found.least("area_mm2")["area_mm2"] == 1.0


def test_an_infeasible_design_is_never_the_least(found):
    with pytest.raises(SpecError) as caught:
        found.least("carbon_ca_g", "latency_s <= 800 us")
    assert str(caught.value) == (
        "least carbon_ca_g: no design meets latency_s <= 800 us; "
        "the nearest has latency_s 1 ms, 25 % above"
    )


@pytest.mark.parametrize(
    ("conditions", "told"),
    [
        (["latency_s <= 100 us"], "latency_s 1 ms, 10 times as much"),
        (["latency_s >= 10 ms"], "latency_s 7 ms, 30 % below"),
        (["latency_s <= 2 ms", "template = aimc"], "the nearest has latency_s 6 ms, 3 times as"),
        (["area_mm2 <= 0.8 mm2", "latency_s <= 8ms"], "nearest has area_mm2 1 mm2, 25 % above"),
    ],
)
def test_when_none_fits_the_nearest_says_by_how_much(found, conditions, told):
    with pytest.raises(SpecError, match="no design meets") as caught:
        found.least("carbon_ca_g", *conditions)
    assert told in str(caught.value)


def test_nearest_ranks_by_the_worst_miss(found):
    near = found.nearest("latency_s <= 2 ms", "area_mm2 <= 4 mm2", count=9)
    assert len(near) == 4
    assert near["by"].tolist() == pytest.approx([1.0, 1.0, 2.0, 2.5])
    assert near["misses"].tolist()[:2] == ["area_mm2 <= 4 mm2", "latency_s <= 2 ms"]
    assert near["latency_s"].iloc[0] == 0.001, "of two with the same worst miss the one less off"
    assert found.nearest("latency_s <= 5 ms")["misses"].tolist() == [""]


def test_where_takes_the_front_of_what_is_left(found):
    kept = found.where("latency_s <= 5 ms")
    assert kept.to_pandas()["latency_s"].tolist() == [0.001, 0.004]
    assert kept.to_pandas().equals(found.where("latency_s <= 5ms", "latency_s > 0 s").to_pandas())
    small = found.where("area_mm2 <= 2 mm2")
    assert small.to_pandas()["carbon_ca_g"].tolist() == [3.0], "a design that others dominated"
    assert len(found.where("template = aimc")) == 1
    assert found.where() is found


def test_a_front_in_other_objectives(found):
    point = {"latency_s": 1.0, "carbon_ca_g": 10.0}
    judged = Front(
        "demo", found.evaluations, found.metrics, ("template",), reference_point=point,
        reference=found.to_pandas(),
    ).judged_by([metric("carbon_ca_g")])  # fmt: skip
    assert judged.to_pandas()["carbon_ca_g"].tolist() == [2.0]
    assert judged.reference_point == {"carbon_ca_g": 10.0}
    assert judged.compared()["epsilon"] == 1.0
    area = found.judged_by([metric("area_mm2")])
    assert (area.reference_point, area.reference) == (None, None)
    with pytest.raises(SpecError, match="objectives: got energy_j, allowed: "):
        found.judged_by([metric("energy_j")])


def test_without_any_feasible_design_there_is_no_least():
    nothing = front_of([("dimc", 0.001, 1.0, 1.0, False)])
    with pytest.raises(SpecError, match="no design keeps every limit of the problem"):
        nothing.least("carbon_ca_g")
    assert nothing.nearest("latency_s <= 1 s").empty


def test_a_design_without_a_number_is_never_the_least():
    found = front_of([("dimc", 0.001, np.nan, 1.0, True), ("dimc", 0.002, 5.0, 1.0, True)])
    assert found.least("carbon_ca_g")["latency_s"] == 0.002
    with pytest.raises(SpecError, match="got a column without a number in any feasible design"):
        front_of([("dimc", 0.001, np.nan, 1.0, True)], ("latency_s",)).least("carbon_ca_g")
