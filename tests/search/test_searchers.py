"""Searchers: how good they are, and the parts that they are made of."""

import numpy as np
import pytest
import toy
from pymoo.core.population import Population

from carbonopt.errors import SpecError
from carbonopt.front.front import Front
from carbonopt.search.base import SearchLoop, SearchTask, sign_log
from carbonopt.search.evolution import (
    dominating,
    less_violating,
    population_size,
    reference_directions,
    reflected,
)
from carbonopt.search.registry import make_searcher
from carbonopt.search.sampling import neighbour, spread, unseen
from carbonopt.space import Space
from carbonopt.variable import Variable

LEARNING = ["nsga2", "nsga3", "smsemoa", "spea2", "tpe"]


def run(problem, name, budget, seed):
    loop = SearchLoop(make_searcher(name, SearchTask(problem, budget, seed)), budget)
    while not loop.finished:
        loop.step(problem, None, lambda rows: None)
    return loop


def front_of(problem, designs):
    return Front(
        name=problem.name,
        evaluations=problem.evaluate(designs),
        metrics=problem.metrics,
        variables=tuple(problem.space.names),
        reference_point=problem.reference_point,
    )


@pytest.fixture(scope="module")
def large():
    problem = toy.large()
    return problem, front_of(problem, np.concatenate(list(problem.space.blocks())))


@pytest.mark.parametrize(("name", "budget"), [("nsga2", 720), ("tpe", 200)])
def test_a_quarter_of_the_space_is_enough(large, name, budget):
    problem, exact = large
    front = front_of(problem, list(run(problem, name, budget, 1).seen))
    assert front.hypervolume("linear") >= 0.98 * exact.hypervolume("linear")
    assert front.hypervolume("log") >= 0.95 * exact.hypervolume("log")


@pytest.mark.slow
@pytest.mark.parametrize("name", LEARNING)
def test_a_quarter_of_the_space_reaches_98_percent_at_the_median_of_five_seeds(large, name):
    problem, exact = large
    ratios = []
    for seed in range(1, 6):
        front = front_of(problem, list(run(problem, name, problem.size // 4, seed).seen))
        scales = ("linear", "log")
        ratios.append([front.hypervolume(s) / exact.hypervolume(s) for s in scales])
    assert np.median(ratios, axis=0).min() >= 0.98


def test_nsga2_beats_random_search(large):
    problem, exact = large
    log = {
        name: np.mean(
            [front_of(problem, list(run(problem, name, 300, s).seen)).hypervolume() for s in (1, 2)]
        )
        for name in ("random", "nsga2")
    }
    assert log["random"] < log["nsga2"] <= exact.hypervolume()


def test_a_searcher_without_ideas_ends_with_a_notice():
    class Stubborn:
        def ask(self, seen):
            return np.zeros((2, 5), dtype=np.int64)

        def tell(self, index, objectives, violations):
            pass

    loop = SearchLoop(Stubborn(), 10)
    problem = toy.small()
    while not loop.finished:
        loop.step(problem, None, lambda rows: None)
    assert loop.notices == ["the searcher has no new design after 1 of 10"]


def test_an_unknown_searcher_is_refused_with_all_that_are_known():
    with pytest.raises(
        SpecError, match=r"got 'nsga', allowed: nsga2, nsga2-plain, .*did you mean nsga"
    ):
        make_searcher("nsga", SearchTask(toy.small(), 10, 1))


def test_the_exhaustive_searcher_needs_a_budget_for_the_whole_space():
    with pytest.raises(SpecError, match="allowed: at least the 96 designs"):
        make_searcher("exhaustive", SearchTask(toy.small(), 95, 1))


def test_spread_covers_each_value_evenly():
    space = Space([Variable.integer("a", 1, 4), Variable.choice("b", ["x", "y", "z"])])
    drawn = spread(space, 12, np.random.default_rng(1))
    assert np.bincount(drawn[:, 0]).tolist() == [3] * 4
    assert np.bincount(drawn[:, 1]).tolist() == [4] * 3


@pytest.mark.parametrize("size", [10, 1000])
def test_unseen_designs_are_new_and_end_with_the_space(size):
    space = Space([Variable.integer("a", 1, size), Variable.integer("b", 1, size)])
    rng = np.random.default_rng(1)
    seen = {tuple(row) for row in unseen(space, set(), 90, rng).tolist()}
    more = {tuple(row) for row in unseen(space, seen, 50, rng).tolist()}
    assert len(seen) == 90
    assert not seen & more
    assert len(more) == min(50, size * size - 90)


def test_population_follows_the_budget():
    assert [population_size(n) for n in (1, 2, 30, 500, 10**6)] == [2, 2, 16, 24, 100]


def test_a_neighbour_is_new_and_one_step_away():
    space = toy.small().space
    rng = np.random.default_rng(1)
    near = neighbour(space, (0, 1, 0, 0, 0), {(0, 1, 0, 0, 0)}, rng)[0]
    assert np.count_nonzero(near != [0, 1, 0, 0, 0]) == 1
    every = {tuple(row) for row in space.unravel(np.arange(space.size)).tolist()}
    assert neighbour(space, (0, 1, 0, 0, 0), every - {(3, 2, 1, 1, 1)}, rng).tolist() == [
        [3, 2, 1, 1, 1]
    ]
    assert len(neighbour(space, (0, 1, 0, 0, 0), every, rng)) == 0


def test_steps_over_a_bound_are_mirrored():
    shape = np.array([4, 1])
    index = np.array([[-1, -1], [4, 1], [3, 0], [9, 5]])
    assert reflected(index, shape).tolist() == [[1, 0], [2, 0], [3, 0], [3, 0]]


def test_sign_log_keeps_the_order():
    values = np.array([-1e30, -1.0, -1e-12, 0.0, 1e-12, 1.0, 1e30])
    assert np.all(np.diff(sign_log(values)) > 0)


def test_pairs_are_decided_by_violation_then_dominance_then_a_seeded_coin():
    values = np.array([[1.0, 1.0], [2.0, 2.0], [0.0, 3.0], [0.0, 0.0]])
    population = Population.new("F", values, "G", np.array([[-1.0], [-1.0], [-1.0], [0.5]]))
    pairs = np.array([[3, 1], [1, 0], [0, 1]])
    rng = np.random.default_rng(1)
    assert dominating(population, pairs, random_state=rng)[:, 0].tolist() == [1, 0, 0]
    assert less_violating(population, pairs, random_state=rng)[0, 0] == 1
    ties = np.array([[0, 2]] * 100)
    for choose in (dominating, less_violating):
        first, second = (
            choose(population, ties, random_state=np.random.default_rng(7))[:, 0] for _ in range(2)
        )
        assert np.array_equal(first, second)
        assert 30 < np.count_nonzero(first == 0) < 70


@pytest.mark.parametrize(("size", "objectives", "count"), [(16, 4, 10), (100, 2, 100), (5, 8, 8)])
def test_reference_directions_fill_a_population(size, objectives, count):
    directions = reference_directions(size, objectives)
    assert directions.shape == (count, objectives)
    assert directions.sum(axis=1) == pytest.approx(1.0)


def test_screening_finds_in_a_tenth_of_the_budget_what_evolution_alone_does_not(large):
    problem, exact = large
    plain, screened = (
        np.median([front_of(problem, list(run(problem, name, 60, s).seen)).hypervolume()
                   for s in (1, 2, 3)])
        for name in ("nsga2-plain", "nsga2")
    )  # fmt: skip
    assert plain < 0.8 * exact.hypervolume()
    assert screened > 0.9 * exact.hypervolume()
