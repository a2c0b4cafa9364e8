"""Searchers by name; each library is imported when one of its searchers is made."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from types import MappingProxyType

from carbonopt.errors import SpecError
from carbonopt.search.base import Searcher, SearchTask
from carbonopt.units import format_count

_ENUMERABLE = 10**12
"""Designs that anybody would wait for, on however many cores."""


def make_searcher(name: str, task: SearchTask) -> Searcher:
    """Make the searcher of a name.

    Raises
    ------
    SpecError
        There is no such searcher, it needs a library that is not installed, or it cannot do
        with this space or budget.
    """
    check_searcher(name)
    return SEARCHERS[name](task)


def check_searcher(name: str) -> None:
    """Refuse a name that no searcher has.

    Raises
    ------
    SpecError
        There is no such searcher.
    """
    if name not in SEARCHERS:
        near = get_close_matches(str(name), SEARCHERS, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise SpecError(f"searcher: got {name!r}, allowed: {', '.join(SEARCHERS)}{hint}")


def searcher_names() -> list[str]:
    """List the searchers."""
    return list(SEARCHERS)


def _evolution(algorithm: str, task: SearchTask, *, screened: bool = True) -> Searcher:
    from carbonopt.search.evolution import EvolutionarySearcher

    return EvolutionarySearcher(task, algorithm, screened=screened)


def _optuna(sampler: str, task: SearchTask) -> Searcher:
    from carbonopt.search.optuna_sampler import OptunaSearcher

    return OptunaSearcher(task, sampler)


def _sobol(task: SearchTask) -> Searcher:
    from carbonopt.search.plain import SobolSearch

    return SobolSearch(task)


def _random(task: SearchTask) -> Searcher:
    from carbonopt.search.plain import RandomSearch

    return RandomSearch(task)


def _exhaustive(task: SearchTask) -> Searcher:
    from carbonopt.search.plain import Exhaustive

    size = task.problem.size
    if size > _ENUMERABLE:
        fault = f"got exhaustive for a space of {format_count(size)} designs"
        raise SpecError(f"searcher: {fault}, allowed: up to {format_count(_ENUMERABLE)}")
    if task.budget < size:
        allowed = f"at least the {size} designs of the space"
        raise SpecError(
            f"budget: got {task.budget} for the exhaustive searcher, allowed: {allowed}"
        )
    return Exhaustive(task)


SEARCHERS: MappingProxyType[str, Callable[[SearchTask], Searcher]] = MappingProxyType(
    {
        "nsga2": partial(_evolution, "nsga2"),
        "nsga2-plain": partial(_evolution, "nsga2", screened=False),
        "nsga3": partial(_evolution, "nsga3"),
        "smsemoa": partial(_evolution, "smsemoa"),
        "spea2": partial(_evolution, "spea2"),
        "tpe": partial(_optuna, "tpe"),
        "gp": partial(_optuna, "gp"),
        "optuna-nsga2": partial(_optuna, "nsga2"),
        "optuna-nsga3": partial(_optuna, "nsga3"),
        "optuna-qmc": partial(_optuna, "qmc"),
        "sobol": _sobol,
        "random": _random,
        "exhaustive": _exhaustive,
    }
)
