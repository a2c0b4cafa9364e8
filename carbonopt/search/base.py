"""The loop around every searcher: ask, evaluate, tell, until the budget of designs is spent."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from carbonopt.problem import OnRows, Problem, Row
from carbonopt.space import IndexArray

Key = tuple[int, ...]
_MAX_IDLE = 50
_SMALLEST = 1e-30


@dataclass(frozen=True)
class SearchTask:
    """What a searcher is made for.

    Parameters
    ----------
    problem
        What is searched.
    budget
        Distinct designs to evaluate.
    seed
        Same seed, same designs in the same order.
    start
        Index vectors (n, v) of designs to propose first, such as known chips.
    """

    problem: Problem
    budget: int
    seed: int
    start: IndexArray = field(default_factory=lambda: np.empty((0, 0), dtype=np.int64))


class Searcher(Protocol):
    """What proposes designs; must be picklable, and repeat itself for the same seed."""

    def ask(self, seen: Collection[Key]) -> IndexArray:
        """Propose designs (n, v), given those that were evaluated; none when it has no more."""

    def tell(
        self,
        index: IndexArray,
        objectives: npt.NDArray[np.float64],
        violations: npt.NDArray[np.float64],
    ) -> None:
        """Take the results (n, m) and (n, c) of the designs that it proposed."""


@dataclass(frozen=True)
class SearchState:
    """How far a search is, for whoever shows its progress.

    Parameters
    ----------
    evaluations
        Designs proposed, repeats included.
    distinct
        Distinct designs evaluated: what the budget counts.
    budget
        Distinct designs at which the search ends.
    generation
        Batches so far.
    hypervolume
        Log hypervolume of all that was found, NaN where the problem has no reference point.
    feasible_share
        Share of the distinct designs that meet every constraint.
    front_size
        Non-dominated feasible designs so far.
    elapsed_s
        Wall time, summed over the legs of a resumed run [s].
    finished
        Whether this was the last batch.
    """

    evaluations: int
    distinct: int
    budget: int
    generation: int
    hypervolume: float
    feasible_share: float
    front_size: int
    elapsed_s: float
    finished: bool


@dataclass
class SearchLoop:
    """The state of a search: everything that a checkpoint must hold.

    Parameters
    ----------
    searcher
        What proposes the designs.
    budget
        Distinct designs to evaluate; a smaller space ends the search before.
    """

    searcher: Searcher
    budget: int
    generation: int = 0
    evaluations: int = 0
    finished: bool = False
    notices: list[str] = field(default_factory=list)
    seen: dict[Key, None] = field(default_factory=dict)
    idle: int = 0

    def step(self, problem: Problem, executor: Executor | None, on_rows: OnRows) -> list[Row]:
        """Run one batch and return the rows of the designs that are new."""
        asked = self.searcher.ask(self.seen.keys())
        keys = [tuple(row) for row in asked.tolist()]
        fresh = [key for key in dict.fromkeys(keys) if key not in self.seen]
        room = min(self.budget, problem.size) - len(self.seen)
        whole = len(fresh) <= room
        new = problem.rows(_matrix(fresh[:room], problem), executor, on_rows)
        self.seen.update(dict.fromkeys(fresh[:room]))
        self.generation += 1
        self.evaluations += len(keys) if whole else len(new)
        if whole and keys:
            rows = new if len(fresh) == len(keys) else problem.rows(asked)
            values = sign_log(problem.objective_values(rows))
            self.searcher.tell(asked, values, problem.violations(rows))
        self.idle = 0 if fresh else self.idle + 1
        self._end(problem, nothing_asked=not keys)
        return new

    def stop(self, notice: str) -> None:
        """End the search after the last batch, and say why."""
        self.notices.append(notice)
        self.finished = True

    def _end(self, problem: Problem, *, nothing_asked: bool) -> None:
        """Decide whether this was the last batch, and say why where that is worth a word."""
        if len(self.seen) >= problem.size:
            self.stop(f"all {problem.size} designs were evaluated: the front is exact")
        elif nothing_asked or self.idle >= _MAX_IDLE:
            self.stop(f"the searcher has no new design after {len(self.seen)} of {self.budget}")
        self.finished = self.finished or len(self.seen) >= self.budget


def sign_log(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Compress objectives to a log scale that keeps their order, for any sign.

    A searcher then spreads designs evenly by ratio, over decades of latency and carbon alike.

    Examples
    --------
    >>> scaled = sign_log(np.array([-1.0, 0.0, 1e-6, 1.0]))
    >>> bool(np.all(np.diff(scaled) > 0))
    True
    """
    compressed: npt.NDArray[np.float64] = np.sign(values) * np.log1p(np.abs(values) / _SMALLEST)
    return compressed


def _matrix(keys: list[Key], problem: Problem) -> IndexArray:
    """Stack keys as an index array (n, v), also when there is none."""
    return np.array(keys, dtype=np.int64).reshape(-1, len(problem.space.variables))
