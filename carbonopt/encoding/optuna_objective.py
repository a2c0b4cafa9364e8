"""A problem as Optuna sees it: a choice of names is categorical, numbers are an ordered index."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.trial import Trial

from carbonopt.problem import Problem
from carbonopt.space import IndexArray, Space


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """Distribution of each variable: the index of ordered values, else the values themselves."""
    return {
        variable.name: IntDistribution(0, len(variable.values) - 1)
        if variable.ordered
        else CategoricalDistribution(variable.values)
        for variable in space.variables
    }


def to_index(space: Space, params: Mapping[str, Any]) -> IndexArray:
    """Turn the parameters of a trial into an index vector (1, v)."""
    places = [
        int(params[variable.name]) if variable.ordered else variable.position(params[variable.name])
        for variable in space.variables
    ]
    return space.canonical(np.array([places], dtype=np.int64))


def to_params(space: Space, index: npt.ArrayLike) -> dict[str, Any]:
    """Turn an index vector (v,) into the parameters of a trial."""
    places = np.asarray(index, dtype=int).tolist()
    return {
        variable.name: place if variable.ordered else variable.values[place]
        for variable, place in zip(space.variables, places, strict=True)
    }


def constraint_keys(problem: Problem) -> list[str]:
    """Names of the columns of `Problem.violations`."""
    return [*problem.constraint_names, "limit.result"]


def suggested(trial: Trial, space: Space) -> IndexArray:
    """Let a trial suggest a value for each variable; returns the index vector (1, v)."""
    for variable in space.variables:
        if variable.ordered:
            trial.suggest_int(variable.name, 0, len(variable.values) - 1)
        else:
            trial.suggest_categorical(variable.name, variable.values)
    return to_index(space, trial.params)


def optuna_objective(problem: Problem) -> Callable[[Trial], Sequence[float]]:
    """Make an objective function for ``optuna.Study.optimize``.

    The study must minimise each of ``problem.objectives``. Constraints are set by name on the
    trial, so that Optuna's samplers and its best trials respect them. Parameters of a trial are
    positions where values are ordered; its user attribute ``design`` has the values themselves.

    Examples
    --------
    >>> import optuna
    >>> from carbonopt.variable import Variable
    >>> def row(design):
    ...     return {"latency_s": 1.0 / design["rows"], "area_mm2": design["rows"] / 100}
    >>> toy = Problem("toy", [Variable.integer("rows", 1, 9)], row, ["latency_s", "area_mm2"])
    >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
    >>> study = optuna.create_study(directions=["minimize"] * 2)
    >>> study.optimize(optuna_objective(toy), n_trials=5)
    >>> sorted(study.trials[0].user_attrs["design"])
    ['rows']
    """
    space = problem.space
    keys = constraint_keys(problem)

    def objective(trial: Trial) -> Sequence[float]:
        index = suggested(trial, space)
        trial.set_user_attr("design", space.decode(index)[0])
        rows = problem.rows(index)
        for key, value in zip(keys, problem.violations(rows)[0].tolist(), strict=True):
            trial.set_constraint(key, value)
        values: list[float] = problem.objective_values(rows)[0].tolist()
        return values

    return objective
