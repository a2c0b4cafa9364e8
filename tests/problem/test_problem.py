"""A problem from Python: rows, cache, chunks, limits, faults."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import toy

from carbonopt.errors import SearchError, SpecError
from carbonopt.objectives import Metric
from carbonopt.problem import Problem
from carbonopt.search.pool import process_pool
from carbonopt.variable import Variable


def counting(calls):
    def row(design):
        calls.append(design["a"])
        return {"latency_s": float(design["a"]), "area_mm2": 10.0 / design["a"]}

    return row


def simple(row, **changes):
    return Problem(
        "simple",
        [Variable.integer("a", 1, 9)],
        row,
        **{"objectives": ["latency_s", "area_mm2"], **changes},
    )


def test_a_table_has_one_row_per_design_variables_first():
    problem = toy.small()
    frame = problem.evaluate([[0, 0, 0, 0, 0], [3, 2, 1, 1, 1], [0, 0, 0, 0, 0]])
    assert list(frame.columns[:9]) == [*problem.space.names, *problem.objectives]
    assert list(frame.columns[-3:]) == ["status", "message", "feasible"]
    assert frame["template"].tolist() == ["digital_os", "aimc", "digital_os"]
    assert frame.iloc[0].equals(frame.iloc[2])


def test_a_design_is_evaluated_once():
    calls = []
    problem = simple(counting(calls))
    problem.evaluate([[0], [1], [0]])
    problem.evaluate([[1], [2]])
    assert calls == [1, 2, 3]


def test_rows_arrive_once_each_cached_ones_too():
    problem = simple(counting([]))
    problem.evaluate([[0]])
    arrived = []
    problem.evaluate([[0], [1], [1]], on_rows=lambda rows: arrived.extend(r["a"] for r in rows))
    assert arrived == [1, 2]


def test_a_remembered_row_is_not_computed_again():
    first = simple(counting([]))
    table = first.evaluate([[3], [4]])
    calls = []
    second = simple(counting(calls))
    second.remember(table)
    pd.testing.assert_frame_equal(second.evaluate([[4], [3]]), first.evaluate([[4], [3]]))
    assert calls == []


def test_limits_become_constraints_and_verdicts():
    problem = simple(counting([]), limits={"area_mm2": 4.0})
    frame = problem.evaluate([[0], [4]])
    assert frame["limit.area_mm2"].tolist() == [1.5, -0.5]
    assert frame["feasible"].tolist() == [False, True]
    assert problem.constraint_names == ["limit.area_mm2"]


def test_products_are_derived_for_objectives_and_limits():
    def row(design):
        return {"latency_s": 2.0, "energy_j": float(design["a"]), "energy_j@kws": 1.0}

    problem = simple(row, objectives=["edp_js", "energy_j"], limits={"edp_js@kws": 1.0})
    frame = problem.evaluate([[2]])
    assert frame["edp_js"].tolist() == [6.0]
    assert np.isnan(frame["limit.edp_js@kws"][0])
    assert not frame["feasible"][0]


def test_a_metric_of_ones_own():
    noise = Metric("noise_w", "noise")
    problem = simple(lambda design: {"noise_w": -1.0 * design["a"]}, objectives=[noise])
    assert problem.evaluate([[0]])["noise_w"].tolist() == [-1.0]


def test_an_unexpected_fault_is_data_and_names_the_reason():
    def row(design):
        if design["a"] == 2:
            raise RuntimeError("no\nluck")
        return {"latency_s": 1.0, "area_mm2": None if design["a"] == 3 else 1.0}

    frame = simple(row).evaluate([[0], [1], [2]])
    assert frame["status"].tolist() == ["ok", "error", "ok"]
    assert frame["message"].tolist() == ["", "RuntimeError: no luck", ""]
    assert frame["feasible"].tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({}, "area_mm2"),
        ({"objectives": ["latency_s"], "limits": {"area_mm2": 1.0}}, "area_mm2"),
        ({"objectives": ["latency_s"], "constraints": ["area_mm2"]}, "area_mm2"),
        ({"objectives": [Metric("own", "own", ("area_mm2", "latency_s"))]}, "area_mm2"),
    ],
)
def test_text_where_a_number_decides_is_a_fault_of_the_design(changes, column):
    frame = simple(lambda _: {"latency_s": 1.0, "area_mm2": "big"}, **changes).evaluate([[0]])
    assert frame["status"].tolist() == ["error"]
    assert frame["message"].tolist() == [f"column {column}: got 'big', allowed: a number"]
    assert not frame["feasible"][0]


def test_text_that_decides_nothing_is_kept():
    row = {"latency_s": 1.0, "area_mm2": 1.0, "note": "fine"}
    assert simple(lambda _: row).evaluate([[0]])["note"].tolist() == ["fine"]


def test_searchers_see_finite_numbers_and_graded_violations():
    problem = toy.small()
    frame = pd.DataFrame(
        {
            **{name: [1.0, 1.0, 1.0, np.nan] for name in problem.objectives},
            "limit.period": [-0.5, 1.0, 3.0, np.nan],
            "limit.buildable": [0.0, 0.0, 0.0, 1.0],
            "limit.area_mm2": [-0.1, -0.1, -0.1, np.nan],
            "status": ["ok", "ok", "ok", "error"],
        }
    )
    rows = frame.to_dict("records")
    objectives, violations = problem.objective_values(rows), problem.violations(rows)
    assert np.all(np.isfinite(objectives))
    assert np.all(np.isfinite(violations))
    total = np.maximum(violations, 0.0).sum(axis=1)
    assert total[0] == 0.0
    assert np.all(np.diff(total) > 0)
    assert violations[:, 0].tolist() == [-0.5, 0.5, 0.75, 1.0]


@pytest.mark.parametrize("pool", [lambda: ThreadPoolExecutor(3), lambda: process_pool(2)])
def test_any_executor_gives_the_same_table(pool):
    index = toy.small().space.unravel(np.arange(96))
    arrived = []
    with pool() as executor:
        there = toy.small().evaluate(index, executor, arrived.extend)
    pd.testing.assert_frame_equal(there, toy.small().evaluate(index))
    assert len(arrived) == 96


def test_a_worker_that_dies_is_told_apart_from_a_bad_design():
    problem = simple(toy.die)
    with process_pool(2) as executor, pytest.raises(SearchError, match="worker process died"):
        problem.evaluate([[0], [1]], executor)


def test_a_function_that_cannot_travel_is_told():
    with process_pool(2) as executor, pytest.raises(SpecError, match="cannot be pickled"):
        simple(counting([])).evaluate([[0]], executor)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"objectives": []}, "objectives: got"),
        ({"objectives": ["latency_s", "latency_s"]}, "each once"),
        ({"objectives": ["lateness"]}, "allowed: latency_s"),
        ({"reference_point": {"latency_s": 1.0}}, "a value for each of"),
        ({"reference_point": {"latency_s": 1.0, "area_mm2": -1.0}}, "area_mm2: got -1.0"),
        ({"limits": {"area_mm2": 0.0}}, "limits.area_mm2: got 0.0, allowed: a number > 0"),
    ],
)
def test_a_problem_that_cannot_be_is_refused(changes, fault):
    with pytest.raises(SpecError, match=fault):
        simple(counting([]), **changes)


def test_the_hash_follows_what_decides_the_result_and_nothing_else():
    base = toy.small()
    assert base.hash == toy.small(question="why?").hash
    assert base.hash != toy.large().hash
    assert base.hash != toy.small(limits={"area_mm2": 1.0}).hash
    assert base.hash != toy.small(objectives=["latency_s"], reference_point=None).hash
    assert base.hash != toy.small(content={"lifetime_s": 1}).hash
