"""Fronts against brute force, and what a front can tell."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonopt.cli_text import summary_lines
from carbonopt.errors import SearchError, SpecError
from carbonopt.front.choose import knee
from carbonopt.front.dominance import front_rows, non_dominated
from carbonopt.front.front import Front
from carbonopt.front.indicators import epsilon, hypervolume, share_found
from carbonopt.objectives import metric
from carbonopt.problem import Problem
from carbonopt.report.figures import plot_run
from carbonopt.run import search
from carbonopt.variable import Variable

POINT = {"latency_s": 10.0, "energy_j": 10.0}


def table(rows, feasible=True):
    frame = pd.DataFrame(rows, columns=["latency_s", "energy_j"], dtype=float)
    return frame.assign(feasible=feasible, limit=0.0)


def make(rows, **changes):
    arguments = {
        "name": "toy",
        "evaluations": table(rows),
        "metrics": (metric("latency_s"), metric("energy_j")),
        "variables": (),
        "reference_point": POINT,
    }
    return Front(**{**arguments, **changes})


def dominated_by_hand(values):
    def beats(a, b):
        return np.all(a <= b) and np.any(a < b)

    return np.array([any(beats(other, row) for other in values) for row in values])


@pytest.mark.property
@given(st.lists(st.tuples(*[st.integers(0, 5)] * 3), min_size=1, max_size=30))
def test_dominance_agrees_with_the_definition(rows):
    values = np.array(rows, dtype=float)
    assert np.array_equal(non_dominated(values), ~dominated_by_hand(values))


def test_no_rows_no_front():
    assert len(non_dominated(np.empty((0, 2)))) == 0


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
@pytest.mark.parametrize("step", [0.0, 0.05])
def test_dominance_of_many_rows_agrees_with_that_of_blocks(rng, objectives, step):
    """Fronts of blocks hold the front of the whole: far fewer rows, for the definition."""
    values = rng.lognormal(0.0, 1.0, (20_000, objectives))
    values = np.round(values / step) * step if step else values
    kept = non_dominated(values)
    blocks = [np.flatnonzero(non_dominated(part)) for part in np.split(values, 4)]
    rows = np.concatenate([5_000 * place + found for place, found in enumerate(blocks)])
    assert set(np.flatnonzero(kept)) <= set(rows)
    assert np.array_equal(kept[rows], ~dominated_by_hand(values[rows]))


def test_an_infeasible_design_neither_stays_nor_dominates():
    frame = table([[1, 1], [2, 3], [3, 2], [3, 3]])
    frame.loc[0, "feasible"] = False
    assert front_rows(frame, list(POINT))["latency_s"].tolist() == [2.0, 3.0]


def count_boxes(values, reference):
    grid = itertools.product(*(range(int(r)) for r in reference))
    return sum(
        any(all(v <= c for v, c in zip(row, cell, strict=True)) for row in values) for cell in grid
    )


@pytest.mark.property
@given(st.lists(st.tuples(*[st.integers(0, 6)] * 3), min_size=1, max_size=8))
def test_linear_hypervolume_counts_the_boxes(rows):
    expected = count_boxes(rows, (6, 6, 6)) / 6**3
    assert hypervolume(rows, (6, 6, 6), scale="linear") == pytest.approx(expected)


def test_log_hypervolume_is_in_decades():
    assert hypervolume([[1.0, 0.1]], [10.0, 100.0]) == pytest.approx(1.0 * 3.0)


def test_a_point_beyond_the_reference_adds_nothing():
    assert hypervolume([[11.0, 1.0]], [10.0, 10.0]) == 0.0
    assert hypervolume([[11.0, 0.01], [1, 1]], [10.0, 10.0]) == pytest.approx(1.0)


def test_scales_that_cannot_be_are_refused():
    with pytest.raises(SpecError, match="allowed: log, linear"):
        hypervolume([[1.0]], [2.0], scale="cubic")


def test_what_has_no_logarithm_has_no_logarithmic_hypervolume():
    assert np.isnan(hypervolume([[0.0]], [2.0]))
    assert hypervolume([[0.0]], [2.0], scale="linear") == 1.0


def test_a_front_measures_one_against_itself():
    best = [[1.0, 4.0], [2.0, 2.0]]
    assert share_found(best, best) == 1.0
    assert epsilon(best, best) == 1.0
    assert share_found([[1.0, 4.2]], best) == 0.0
    assert epsilon([[1.0, 4.2]], best) == pytest.approx(2.1)
    assert epsilon(np.empty((0, 2)), best) == np.inf
    assert np.isnan(epsilon([[0.0, 4.2]], best))
    assert share_found(np.empty((0, 2)), best) == 0.0


def test_knee_is_near_all_the_best():
    assert knee([[1.0, 1000.0], [10.0, 10.0], [1000.0, 1.0]]) == 1
    assert knee([[-1.0, 0.0], [-0.9, 0.0]]) == 0


def test_front_is_sorted_and_keeps_equal_designs():
    front = make([[3, 1], [1, 3], [1, 3], [3, 3]])
    assert front.to_pandas()["latency_s"].tolist() == [1.0, 1.0, 3.0]
    assert len(front) == 3


def test_lowest_and_knee():
    front = make([[1, 9], [2, 2], [9, 1]])
    assert front.lowest("energy_j")["latency_s"] == 9.0
    assert front.knee()["latency_s"] == 2.0
    with pytest.raises(SpecError, match="allowed: latency_s, energy_j"):
        front.lowest("area_mm2")


def test_a_front_prints_short():
    front = make([[1, 9], [2, 2], [3, 3]])
    assert repr(front) == "Front('toy', 2 of 3 designs, hypervolume 0.5023)"
    assert repr(make([[1, 9]], reference_point=None)) == "Front('toy', 1 of 1 designs)"


def test_compared_with_the_reference_front():
    best = table([[1, 9], [2, 2], [9, 1]])
    assert make([[1, 9], [2, 2], [9, 1]], reference=best).compared() == {
        "share_within_2_percent": 1.0,
        "epsilon": 1.0,
        "hypervolume_ratio": 1.0,
        "hypervolume_log_ratio": 1.0,
    }
    assert make([[2, 2]]).compared() == {}
    assert set(make([[2, 2]], reference=best, reference_point=None).compared()) == {
        "share_within_2_percent",
        "epsilon",
    }


def test_without_a_reference_point_there_is_no_hypervolume():
    with pytest.raises(SpecError, match="reference_point"):
        make([[1, 1]], reference_point=None).hypervolume()


def test_nothing_feasible_names_the_binding_limit():
    rows = table([[1, 1], [2, 2], [3, 3]], feasible=False)
    rows = rows.assign(**{"limit.area": [0.5, 0.1, -1.0], "limit.period": [0.1, 0.3, np.nan]})
    front = make([], evaluations=rows, constraint_names=("limit.area", "limit.period"))
    nearest = front.least_infeasible(2)
    assert nearest["binding"].tolist() == ["limit.period", "limit.area"]
    assert nearest["violation"].tolist() == [0.3, 0.5]
    unbuilt = rows.assign(
        **{"limit.buildable": [0.0, 1.0, 1.0], "limit.period": [0.1, np.nan, 0.3]}
    )
    names = ("limit.buildable", "limit.area", "limit.period")
    nearest = make([], evaluations=unbuilt, constraint_names=names).least_infeasible(3)
    assert nearest["binding"].tolist() == ["limit.area", "limit.buildable", "limit.buildable"]
    assert nearest["violation"].tolist() == [0.5, 1.0, np.inf]
    with pytest.raises(SearchError, match="no feasible design"):
        front.knee()
    with pytest.raises(SearchError, match="no feasible design"):
        front.lowest("energy_j")


def test_losses_of_0_and_below_are_values_without_a_logarithm(tmp_path):
    """As an Optuna user expects: a compressed network may be better than the plain one."""
    problem = Problem(
        "losses",
        [Variable.integer("bits", 1, 5)],
        lambda design: {"energy_j": float(design["bits"]), "quality_loss": 3.0 - design["bits"]},
        ["energy_j", "quality_loss"],
        reference_point={"energy_j": 10.0, "quality_loss": 10.0},
    )
    front = search(problem, budget=5)
    assert sorted(front.values[:, 1]) == [-2.0, -1.0, 0.0, 1.0, 2.0]
    assert np.isnan(front.hypervolume())
    assert front.hypervolume("linear") == pytest.approx(0.1 * (0.8 + 0.9 + 1.0 + 1.1) + 0.5 * 1.2)
    assert "no logarithmic hypervolume: an objective is 0 or below" in summary_lines(front)
    assert "hypervolume.png" not in {file.name for file in plot_run(front, tmp_path)}
