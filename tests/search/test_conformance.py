"""What every searcher keeps: budget, distinct designs, seed, resume, start, any space."""

from __future__ import annotations

import pickle
from importlib.util import find_spec

import numpy as np
import pytest
import toy

from carbonopt.problem import Problem
from carbonopt.search.base import SearchLoop, SearchTask
from carbonopt.search.registry import make_searcher, searcher_names
from carbonopt.variable import Variable

EXTRAS = {"gp": "torch"}
"""Searchers that need a library beyond what carbonopt installs."""


def parameter(name):
    absent = name in EXTRAS and find_spec(EXTRAS[name]) is None
    marks = pytest.mark.skipif(absent, reason=f"{name} needs {EXTRAS.get(name)}")
    return pytest.param(name, marks=marks)


EVERY = [parameter(name) for name in searcher_names()]
LIMITED = [parameter(name) for name in searcher_names() if name != "exhaustive"]


def budget_of(name):
    """So many designs that a searcher gets past its first ones; few where each takes a second."""
    return 26 if name in EXTRAS else 48


def small(name):
    """96 designs, or 24 where each takes a second."""
    if name not in EXTRAS:
        return toy.small()
    fixed = {"macros": Variable.choice("macros", [1]), "cols": Variable.choice("cols", [64])}
    return toy.small(variables=[fixed.get(v.name, v) for v in toy.small().space.variables])


def searched(problem, name, budget, seed=1, *, start=(), pickled=False):
    """Run a search to its end, pickled after every batch where that is asked."""
    space = problem.space
    first = np.array(start, dtype=np.int64).reshape(-1, len(space.shape))
    task = SearchTask(problem, budget, seed, first)
    loop = SearchLoop(make_searcher(name, task), min(budget, problem.size))
    while not loop.finished:
        loop.step(problem, None, lambda rows: None)
        assert len(loop.seen) <= budget
        if pickled:
            loop = pickle.loads(pickle.dumps(loop))
    return loop


def broken(design):
    raise RuntimeError("no model today")


@pytest.mark.parametrize("name", LIMITED)
def test_the_budget_is_spent_on_distinct_designs_to_the_last(name):
    problem = toy.large()
    budget = budget_of(name) + 1
    loop = searched(problem, name, budget)
    assert len(loop.seen) == budget
    assert loop.evaluations >= budget
    assert len(problem.evaluate(list(loop.seen))) == budget
    assert loop.notices == []


@pytest.mark.parametrize("name", LIMITED)
def test_same_seed_same_designs_in_the_same_order(name):
    first, second = (list(searched(toy.large(), name, budget_of(name), 5).seen) for _ in range(2))
    assert first == second
    assert first != list(searched(toy.large(), name, budget_of(name), 6).seen)


@pytest.mark.parametrize("name", LIMITED)
def test_same_seed_same_designs_where_all_violations_tie(name):
    first, second = (
        list(searched(toy.large(evaluate_row=broken), name, budget_of(name), 5).seen)
        for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize("name", EVERY)
def test_a_searcher_pickled_after_every_batch_goes_on_as_if_nothing_was(name):
    straight = searched(small(name), name, 96, 2)
    assert list(searched(small(name), name, 96, 2, pickled=True).seen) == list(straight.seen)


@pytest.mark.parametrize("name", EVERY)
def test_a_small_space_is_exhausted_and_the_search_says_so(name):
    size = small(name).size
    loop = searched(small(name), name, 10_000)
    assert len(loop.seen) == size
    assert loop.notices == [f"all {size} designs were evaluated: the front is exact"]


@pytest.mark.parametrize("name", EVERY)
def test_a_space_of_one_design_ends(name):
    problem = toy.small(variables=[Variable.choice("a", [1])], evaluate_row=toy.constant)
    assert len(searched(problem, name, 5).seen) == 1


@pytest.mark.parametrize("name", LIMITED)
@pytest.mark.parametrize(
    "changes",
    [{"limits": {"area_mm2": 1e-9}}, {"evaluate_row": broken}, {"evaluate_row": toy.constant}],
    ids=["nothing feasible", "nothing works", "all the same"],
)
def test_what_a_problem_answers_does_not_stop_a_search(name, changes):
    problem = toy.large(**changes)
    assert len(searched(problem, name, budget_of(name)).seen) == budget_of(name)
    assert len(problem.evaluate(list(searched(problem, name, budget_of(name)).seen))) == budget_of(
        name
    )


@pytest.mark.parametrize("name", LIMITED)
def test_designs_that_fail_now_and_then_do_not_stop_a_search(name):
    problem = toy.small(variables=[Variable.integer("a", 1, 200)], evaluate_row=toy.failing)
    rows = problem.evaluate(list(searched(problem, name, budget_of(name)).seen))
    assert len(rows) == budget_of(name)
    assert set(rows["status"]) == {"error", "ok"}


@pytest.mark.parametrize("name", LIMITED)
def test_mixed_and_conditional_spaces_are_legal(name):
    problem = toy.mixed()
    assert problem.size == 2 * 12 * 3 * 4 * 2 * (1 + 5)
    rows = problem.evaluate(list(searched(problem, name, budget_of(name)).seen))
    assert len(rows) == budget_of(name) == len(rows[problem.space.names].drop_duplicates())
    assert (rows["status"] == "ok").all()
    assert set(rows["coding"]) == {"serial", "parallel"}
    assert set(rows["depth"]) == {None, 1, 2, 3, 4, 8}


@pytest.mark.parametrize("name", LIMITED)
@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_any_number_of_objectives_can_be_searched(name, count):
    every = ["latency_s", "energy_j", "carbon_ca_g", "carbon_pa_g", "area_mm2", "embodied_g"]
    problem = toy.large(objectives=every[:count], reference_point=None)
    assert len(searched(problem, name, budget_of(name)).seen) == budget_of(name)


@pytest.mark.parametrize("name", LIMITED)
def test_a_search_starts_from_the_designs_that_it_is_given(name):
    start = [(3, 1, 4, 0, 2), (0, 5, 5, 3, 4), (2, 2, 2, 2, 2)]
    loop = searched(toy.large(), name, budget_of(name), start=start)
    assert list(loop.seen)[:3] == start
    assert len(loop.seen) == budget_of(name)


@pytest.mark.parametrize("name", EVERY)
def test_a_start_with_more_designs_than_a_population_is_kept_whole(name):
    space = small(name).space
    start = [tuple(row) for row in space.unravel(np.arange(0, space.size, 3)).tolist()]
    loop = searched(small(name), name, 96, start=start)
    assert list(loop.seen)[: len(start)] == start
    assert len(loop.seen) == space.size


@pytest.mark.parametrize("name", LIMITED)
def test_a_space_too_wide_to_list_can_be_searched(name):
    wide = Problem(
        "wide",
        [Variable.integer(f"a{i}", 0, 7) for i in range(30)],
        total,
        ["latency_s", "energy_j"],
    )
    assert len(searched(wide, name, budget_of(name)).seen) == budget_of(name)


def total(design):
    """Two objectives that pull apart."""
    up = sum(design.values())
    return {"latency_s": 1.0 + up, "energy_j": 400.0 - up}
