"""What a campaign runs: every problem with every searcher, budget and seed."""

from __future__ import annotations

import itertools
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from carbonopt.errors import SpecError
from carbonopt.problem import Problem, load_problem
from carbonopt.run.start import start_designs
from carbonopt.search.stop import StopRules
from carbonopt.spec.study import StudySpec

_SHARE = re.compile(r"([1-9]\d*)/([1-9]\d*)")


@dataclass(frozen=True)
class Cell:
    """One run of a campaign.

    Parameters
    ----------
    problem, searcher, budget, seed
        What is searched, with what, for how many distinct designs, from which seed.

    Examples
    --------
    >>> Cell("mlperf_tiny", "tpe", 50, 3).name
    'mlperf_tiny-tpe-b50-s3'
    """

    problem: str
    searcher: str
    budget: int
    seed: int

    @property
    def group(self) -> str:
        """Name of what this cell has in common with those of other seeds."""
        return f"{self.problem}-{self.searcher}-b{self.budget}"

    @property
    def name(self) -> str:
        """Name of the cell's run directory."""
        return f"{self.group}-s{self.seed}"


@dataclass(frozen=True)
class Share:
    """One of several parts of a campaign, such as a task of a job array.

    A cell belongs to a part by its own name alone, so that cells which are added move no other;
    neighbouring seeds go to neighbouring parts, so that parts cost about the same.

    Parameters
    ----------
    part
        Which one, from 1.
    parts
        How many there are.

    Examples
    --------
    >>> [Share(k, 3).holds(Cell("p", "tpe", 50, 7)) for k in (1, 2, 3)]
    [False, False, True]
    """

    part: int = 1
    parts: int = 1

    @classmethod
    def of(cls, text: str) -> Share:
        """Read ``K/N``.

        Raises
        ------
        SpecError
            It is none, or K is larger than N.
        """
        found = _SHARE.fullmatch(text)
        part, parts = map(int, found.groups()) if found else (1, 0)
        if part > parts:
            raise SpecError(f"--only: got {text}, allowed: K/N with K from 1 to N, such as 2/4")
        return cls(part, parts)

    def holds(self, cell: Cell) -> bool:
        """Whether a cell belongs to this part."""
        return (zlib.crc32(cell.group.encode()) + cell.seed) % self.parts == self.part - 1


@dataclass(frozen=True)
class Campaign:
    """Every combination of problems, searchers, budgets and seeds.

    Parameters
    ----------
    name, question
        Of the study.
    problems
        Each with a name of its own.
    searchers, budgets, seeds
        The other axes.
    start
        Designs to evaluate first, as named values, by problem.
    rules
        What ends a run before its budget is spent.

    Raises
    ------
    SpecError
        Two problems have one name, or an axis is empty.
    """

    name: str
    problems: Sequence[Problem]
    searchers: Sequence[str]
    budgets: Sequence[int]
    seeds: Sequence[int]
    question: str = ""
    start: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    rules: StopRules = field(default_factory=StopRules)

    def __post_init__(self) -> None:
        names = [problem.name for problem in self.problems]
        twice = [name for place, name in enumerate(names) if name in names[:place]]
        faults = [f"problem: got two of the name {name}, allowed: one" for name in twice]
        axes = {"problem": names, "searcher": self.searchers, "budget": self.budgets}
        for axis, values in {**axes, "seed": self.seeds}.items():
            if not values:
                faults.append(f"{axis}: got none, allowed: at least one")
        if faults:
            raise SpecError(faults)

    @property
    def cells(self) -> list[Cell]:
        """All runs: seed after seed, so that early ones already compare everything."""
        names = [problem.name for problem in self.problems]
        axes = itertools.product(self.seeds, names, self.budgets, self.searchers)
        return [Cell(problem, searcher, budget, seed) for seed, problem, budget, searcher in axes]

    def problem(self, name: str) -> Problem:
        """Find a problem by its name."""
        return next(problem for problem in self.problems if problem.name == name)

    def designs(self, cell: Cell) -> int:
        """Count the distinct designs that a cell evaluates at most."""
        return min(cell.budget, self.problem(cell.problem).size)


def campaign_of(study: StudySpec, rules: StopRules) -> Campaign:
    """Load what a study names.

    Raises
    ------
    SpecError
        A problem is wrong, or does not know the designs to start from.
    """
    problems = [load_problem(name) for name in study.problem]
    start: dict[str, list[dict[str, Any]]] = {}
    for problem in problems if study.start_from else ():
        index = start_designs(Path(study.start_from), problem.space)
        start[problem.name] = problem.space.decode(index)
    return Campaign(
        name=study.name,
        problems=problems,
        searchers=study.searcher,
        budgets=study.budget,
        seeds=study.seed,
        question=study.question.strip(),
        start=start,
        rules=rules,
    )
