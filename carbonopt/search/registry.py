"""Searchers by name; each library is imported when one of its searchers is made."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from types import MappingProxyType

from carbonopt.errors import SpecError
from carbonopt.problem import Problem
from carbonopt.search.base import Searcher
from carbonopt.units import format_count

_ENUMERABLE = 10**12
"""Designs that anybody would wait for, on however many cores."""


def make_searcher(name: str, problem: Problem, budget: int, seed: int) -> Searcher:
    """Make the searcher of a name.

    Raises
    ------
    SpecError
        There is no such searcher.
    """
    maker = SEARCHERS.get(name)
    if maker is None:
        near = get_close_matches(str(name), SEARCHERS, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise SpecError(f"searcher: got {name!r}, allowed: {', '.join(SEARCHERS)}{hint}")
    return maker(problem, budget, seed)


def searcher_names() -> list[str]:
    """List the searchers."""
    return list(SEARCHERS)


def _nsga2(problem: Problem, budget: int, seed: int) -> Searcher:
    from carbonopt.search.nsga2 import Nsga2Searcher

    return Nsga2Searcher(problem, budget, seed)


def _tpe(problem: Problem, budget: int, seed: int) -> Searcher:
    from carbonopt.search.tpe import TpeSearcher

    return TpeSearcher(problem, seed)


def _random(problem: Problem, budget: int, seed: int) -> Searcher:
    from carbonopt.search.plain import RandomSearch

    return RandomSearch(problem, seed)


def _exhaustive(problem: Problem, budget: int, seed: int) -> Searcher:
    from carbonopt.search.plain import Exhaustive

    if problem.size > _ENUMERABLE:
        fault = f"got exhaustive for a space of {format_count(problem.size)} designs"
        raise SpecError(f"searcher: {fault}, allowed: up to {format_count(_ENUMERABLE)}")
    if budget < problem.size:
        allowed = f"at least the {problem.size} designs of the space"
        raise SpecError(f"budget: got {budget} for the exhaustive searcher, allowed: {allowed}")
    return Exhaustive(problem)


SEARCHERS: MappingProxyType[str, Callable[[Problem, int, int], Searcher]] = MappingProxyType(
    {
        "nsga2": _nsga2,
        "tpe": _tpe,
        "random": _random,
        "exhaustive": _exhaustive,
    }
)
