"""The same problem in pymoo and in Optuna."""

import numpy as np
import optuna
import pytest
import toy
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.operators.repair.rounding import RoundingRepair
from pymoo.operators.sampling.rnd import IntegerRandomSampling
from pymoo.optimize import minimize

from carbonopt.encoding.optuna_objective import (
    constraint_keys,
    distributions,
    optuna_objective,
    to_index,
    to_params,
)
from carbonopt.encoding.pymoo_problem import PymooProblem, pymoo_shell


def test_pymoo_gets_the_numbers_of_the_problem():
    problem = toy.small()
    index = np.concatenate(list(problem.space.blocks()))
    out = PymooProblem(problem).evaluate(index, return_as_dictionary=True)
    rows = problem.rows(index)
    assert np.array_equal(out["F"], problem.objective_values(rows))
    assert np.array_equal(out["G"], problem.violations(rows))


def test_pymoo_minimises_a_problem():
    problem = toy.small()
    algorithm = NSGA2(12, sampling=IntegerRandomSampling(), repair=RoundingRepair())
    result = minimize(PymooProblem(problem), algorithm, ("n_gen", 10), seed=1)
    assert problem.evaluate(result.X)["feasible"].all()


def test_the_shell_has_sizes_but_no_problem():
    shell = pymoo_shell(toy.small())
    assert (shell.n_var, shell.n_obj, shell.n_ieq_constr) == (5, 4, 4)
    assert shell.xu.tolist() == [3, 2, 1, 1, 1]


def test_optuna_has_names_for_choices_and_an_index_for_numbers():
    kinds = distributions(toy.small().space)
    assert kinds["template"].choices == tuple(toy.TEMPLATES)
    assert (kinds["rows"].low, kinds["rows"].high) == (0, 2)


def test_parameters_and_index_vectors_are_the_same_design():
    space = toy.small().space
    for block in space.blocks():
        for row in block:
            assert np.array_equal(to_index(space, to_params(space, row)), [row])


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_optuna_sees_constraints_by_name():
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    problem = toy.small()
    study = optuna.create_study(
        directions=["minimize"] * 4, sampler=optuna.samplers.RandomSampler(seed=1)
    )
    study.optimize(optuna_objective(problem), n_trials=40)
    trial = study.trials[0]
    assert set(trial.constraints) == set(constraint_keys(problem))
    for trial in study.best_trials:
        assert problem.evaluate(to_index(problem.space, trial.params))["feasible"].all()
