"""The model that screens children: what it goes through, and what it prefers."""

import numpy as np
import pytest

from carbonopt.search.screen import Screen, features, interpolated, left_out
from carbonopt.space import Space
from carbonopt.variable import Variable

SPACE = Space([Variable.integer("a", 0, 20), Variable.integer("b", 0, 20)])


def taught(designs, *, broken=()):
    """A screen that knows a + b^2 and its opposite slope; where a > 10, a limit is exceeded."""
    index = np.array(designs)
    a, b = index.T
    objectives = np.column_stack([a + b / 5, 20.0 - a + b / 5])
    result = np.where([tuple(row) in broken for row in index.tolist()], 1.0, -1.0)
    objectives[result > 0.0] = 138.0
    screen = Screen(SPACE)
    screen.learn(index, objectives, np.column_stack([(a - 10) / 10, result]))
    return screen


GRID = [(a, b) for a in range(0, 21, 5) for b in range(5, 21, 5)]


def test_the_model_goes_through_what_it_knows_and_follows_a_line_beyond():
    rng = np.random.default_rng(1)
    known = rng.random((30, 3))
    values = np.column_stack([np.sin(3 * known[:, 0]), known @ [1.0, 2.0, 3.0]])
    assert interpolated(known, values, known) == pytest.approx(values, abs=2e-5)
    line = interpolated(known, values, np.array([[1.2, -0.2, 0.5]]))
    assert line[0, 1] == pytest.approx(1.2 - 0.4 + 1.5, abs=1e-4)


def test_the_error_of_a_design_left_out_is_that_of_the_model_without_it():
    rng = np.random.default_rng(2)
    known = rng.random((12, 2))
    values = np.column_stack([np.sin(5 * known[:, 0]), known[:, 1] ** 2])
    for place, error in enumerate(left_out(known, values)):
        others = np.delete(np.arange(12), place)
        expected = interpolated(known[others], values[others], known[place : place + 1])[0]
        assert values[place] - expected == pytest.approx(error, abs=1e-4)


def test_a_variable_that_decides_counts_more_in_the_distance():
    space = Space([Variable.integer("a", 0, 20), Variable.choice("b", list("xyz"))])
    index = np.stack(np.unravel_index(np.random.default_rng(3).permutation(63)[:40], (21, 3)), 1)
    screen = Screen(space)
    wave = np.sin(index[:, :1] / 2.0)
    screen.learn(index, np.hstack([wave, -wave]), np.full((40, 1), -1.0))
    for _ in range(4):
        screen.best(np.array([[3, 1]]), 1)
    stretch_of_a, *stretch_of_b = screen.stretch.tolist()
    assert stretch_of_b == [stretch_of_b[0]] * 3
    assert stretch_of_a > 3.0 * stretch_of_b[0]


def test_unordered_values_are_all_equally_far_apart():
    space = Space([Variable.choice("a", ["x", "y", "z"])])
    placed = features(space, np.array([[0], [1], [2]]))
    apart = np.linalg.norm(placed[:, None] - placed[None], axis=2)
    assert apart[~np.eye(3, dtype=bool)] == pytest.approx(1.0)


def test_designs_beyond_the_front_come_before_those_behind_it():
    chosen = taught(GRID).best(np.array([[3, 18], [3, 0], [7, 0]]), 3)
    assert {tuple(row) for row in chosen[:2].tolist()} == {(3, 0), (7, 0)}
    assert chosen[2].tolist() == [3, 18]


def test_a_design_over_a_limit_has_to_promise_more():
    screen = taught(GRID)
    gains = [tuple(screen.best(np.array([[7, 0], [a, 0]]), 1)[0].tolist()) for a in (12, 20)]
    assert gains == [(7, 0), (20, 0)]


def test_a_batch_spreads_over_the_front():
    near = [[3, 0], [3, 1], [2, 0], [9, 0]]
    assert taught(GRID).best(np.array(near), 2)[:, 0].tolist() in ([9, 3], [3, 9], [9, 2], [2, 9])


def test_where_nothing_is_feasible_the_least_violation_comes_first():
    screen = taught([(a, b) for a, b in GRID if a > 10])
    chosen = screen.best(np.array([[20, 3], [12, 3], [16, 3]]), 3)
    assert chosen[:, 0].tolist() == [12, 16, 20]


def test_designs_without_a_result_do_not_bend_the_objectives():
    screen = taught(GRID, broken={(0, 5), (0, 10)})
    candidates = np.array([[6, 0], [0, 6], [6, 18]])
    assert screen.best(candidates, 1).tolist() == [[6, 0]]


def test_a_space_of_too_many_variables_is_not_modelled():
    wide = Space([Variable.choice(f"v{i}", ["x", "y", "z"]) for i in range(22)])
    assert not Screen(wide).can_learn
    assert Screen(SPACE).can_learn


def test_a_model_of_many_designs_keeps_the_front():
    rng = np.random.default_rng(1)
    front = [(0, 0), (5, 0), (10, 0)]
    others = [tuple(row) for row in rng.integers([0, 5], [21, 21], (700, 2)).tolist()]
    screen = taught([*front, *others])
    rows = screen._rows_to_learn(np.all(screen.violations <= 0.0, axis=1))
    assert {0, 1, 2} <= set(rows.tolist())
    assert 500 <= len(rows) <= 510
