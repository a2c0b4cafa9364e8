"""A design problem, from Python or from a file."""

from carbonopt.problem.base import Problem
from carbonopt.problem.load import load_problem
from carbonopt.problem.rows import OnRows, Row

__all__ = ["OnRows", "Problem", "Row", "load_problem"]
