"""Searchers that learn nothing: every design in order, or any at random."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from carbonopt.problem import Problem
from carbonopt.search.sampling import unseen
from carbonopt.space import IndexArray

_BATCH = 64


class Exhaustive:
    """Propose every design once, the last variable fastest."""

    def __init__(self, problem: Problem) -> None:
        self.space = problem.space
        self.start = 0

    def ask(self, seen: Collection[tuple[int, ...]]) -> IndexArray:
        """Propose the next designs (n, v)."""
        stop = min(self.start + _BATCH, self.space.size)
        return self.space.unravel(np.arange(self.start, stop))

    def tell(
        self,
        index: IndexArray,
        objectives: npt.NDArray[np.float64],
        violations: npt.NDArray[np.float64],
    ) -> None:
        """Go on."""
        self.start += len(index)


class RandomSearch:
    """Propose designs at random, none twice: the baseline that a searcher has to beat."""

    def __init__(self, problem: Problem, seed: int) -> None:
        self.space = problem.space
        self.rng = np.random.default_rng(seed)

    def ask(self, seen: Collection[tuple[int, ...]]) -> IndexArray:
        """Propose designs (n, v)."""
        return unseen(self.space, seen, _BATCH, self.rng)

    def tell(
        self,
        index: IndexArray,
        objectives: npt.NDArray[np.float64],
        violations: npt.NDArray[np.float64],
    ) -> None:
        """Learn nothing."""
