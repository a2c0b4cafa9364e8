"""Shipped problems: the front beside each is exact for the model as it is today."""

import numpy as np
import pytest

import carbonopt as co
from carbonopt.front.dominance import non_dominated
from carbonopt.run.session import reference_of

WITH_FRONT = [name for name in co.problem_names() if co.load_problem(name).reference_front]
LONG = {"edge_mobile": pytest.mark.slow}  # large networks: seconds a design


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=LONG.get(name, ())) for name in WITH_FRONT]
)
def shipped(request):
    problem = co.load_problem(request.param)
    return problem, reference_of(problem)


def test_the_front_is_a_front_inside_the_reference_point(shipped):
    problem, front = shipped
    values = front[problem.objectives].to_numpy()
    assert front["feasible"].all()
    assert non_dominated(values).all()
    point = np.array([problem.reference_point[name] for name in problem.objectives])
    assert np.all(values < point)
    assert np.all(values.max(axis=0) > 0.7 * point), "the reference point is needlessly far"


@pytest.mark.golden
def test_the_model_still_gives_the_numbers_of_the_front(shipped):
    problem, front = shipped
    some = front.iloc[:: max(1, len(front) // 8)]
    again = problem.evaluate(problem.space.encode(some))
    expected = some[problem.objectives].to_numpy()
    assert again[problem.objectives].to_numpy() == pytest.approx(expected, rel=1e-9)


@pytest.mark.slow
@pytest.mark.study
def test_searchers_reach_98_percent_of_the_exact_front_in_a_quarter_of_the_space():
    """On the problem of the quickstart; the others would take an hour."""
    problem = co.load_problem("mlperf_tiny")
    for searcher in ("nsga2", "tpe"):
        ratios = []
        for seed in (1, 2, 3):
            found = co.search(problem, searcher, problem.size // 4, seed, workers=2).compared()
            ratios.append([found["hypervolume_ratio"], found["hypervolume_log_ratio"]])
        assert np.median(ratios, axis=0).min() >= 0.98, searcher
