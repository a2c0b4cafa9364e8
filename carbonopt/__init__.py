"""carbonopt: trade speed, energy and carbon of AI accelerators.

>>> import carbonopt as co
>>> sorted(co.problem_names())  # doctest: +ELLIPSIS
['edge_mobile'...]

The public names are listed in ``__all__``; each is imported when it is first used.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from carbonopt.errors import CarbonoptError

if TYPE_CHECKING:
    from carbonopt.catalog import problem_names, study_names
    from carbonopt.front.front import Front
    from carbonopt.objectives import Metric
    from carbonopt.problem import Problem, load_problem
    from carbonopt.run import enumerate_all, evaluate, load_run, load_study, resume, search
    from carbonopt.run.compare import compare
    from carbonopt.run.sources import load_front
    from carbonopt.variable import Variable

_HOMES = {
    "Front": "carbonopt.front.front",
    "Metric": "carbonopt.objectives",
    "Problem": "carbonopt.problem",
    "StopRules": "carbonopt.search.stop",
    "Variable": "carbonopt.variable",
    "compare": "carbonopt.run.compare",
    "enumerate_all": "carbonopt.run",
    "evaluate": "carbonopt.run",
    "load_front": "carbonopt.run.sources",
    "load_problem": "carbonopt.problem",
    "load_run": "carbonopt.run",
    "load_study": "carbonopt.run",
    "problem_names": "carbonopt.catalog",
    "resume": "carbonopt.run",
    "search": "carbonopt.run",
    "study_names": "carbonopt.catalog",
}

__all__ = [
    "CarbonoptError",
    "Front",
    "Metric",
    "Problem",
    "StopRules",
    "Variable",
    "compare",
    "enumerate_all",
    "evaluate",
    "load_front",
    "load_problem",
    "load_run",
    "load_study",
    "problem_names",
    "resume",
    "search",
    "study_names",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401  whatever the name stands for
    if name not in _HOMES:
        raise AttributeError(f"module 'carbonopt' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(ModuleType):
    """Keeps `search` and `evaluate` functions when the modules of these names are imported."""

    def __setattr__(self, name: str, value: object) -> None:
        if name not in _HOMES or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
