"""A problem as pymoo sees it: integer index vectors, evaluated a batch at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pymoo.core.problem import Problem as PymooBase

from carbonopt.problem import Problem
from carbonopt.space import Space


class PymooProblem(PymooBase):  # type: ignore[misc]
    """A carbonopt problem for any algorithm of pymoo.

    The variables are indices: give the algorithm ``RoundingRepair``.
    F is always finite, G has a column for each constraint and one for designs without a result.

    Parameters
    ----------
    problem
        The problem to encode.

    Examples
    --------
    >>> from pymoo.algorithms.moo.nsga2 import NSGA2
    >>> from pymoo.operators.repair.rounding import RoundingRepair
    >>> from pymoo.optimize import minimize
    >>> from carbonopt.variable import Variable
    >>> def row(design):
    ...     return {"latency_s": 1.0 / design["rows"], "area_mm2": design["rows"] / 100}
    >>> toy = Problem("toy", [Variable.integer("rows", 1, 99)], row, ["latency_s", "area_mm2"])
    >>> algorithm = NSGA2(8, repair=RoundingRepair())
    >>> len(minimize(PymooProblem(toy), algorithm, ("n_gen", 5), seed=1).X)
    8
    """

    def __init__(self, problem: Problem) -> None:
        self.carbonopt_problem = problem
        super().__init__(**bounds(problem.space), **sizes(problem))

    def _evaluate(
        self,
        x: npt.NDArray[Any],
        out: dict[str, npt.NDArray[np.float64]],
        *args: object,
        **kwargs: object,
    ) -> None:
        rows = self.carbonopt_problem.rows(np.round(x).astype(int))
        out["F"] = self.carbonopt_problem.objective_values(rows)
        out["G"] = self.carbonopt_problem.violations(rows)


def pymoo_shell(problem: Problem) -> PymooBase:
    """Make a pymoo problem that has bounds and sizes but cannot evaluate: light to pickle."""
    return PymooBase(**bounds(problem.space), **sizes(problem))


def bounds(space: Space) -> dict[str, Any]:
    """Bounds of the index vector, as pymoo names them."""
    high = np.array(space.shape) - 1
    return {"n_var": len(high), "xl": np.zeros(len(high), dtype=int), "xu": high, "vtype": int}


def sizes(problem: Problem) -> dict[str, int]:
    """Numbers of objectives and constraints, as pymoo names them."""
    return {"n_obj": len(problem.metrics), "n_ieq_constr": len(problem.constraint_names) + 1}
