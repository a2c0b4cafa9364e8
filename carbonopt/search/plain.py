"""Searchers that learn nothing: every design in order, or any at random."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from carbonopt.search.base import Key, SearchTask
from carbonopt.search.sampling import sobol, unseen
from carbonopt.space import IndexArray

_BATCH = 64
_DRAWS = 16


class _Plain:
    """Propose the designs to start from, then others that `_next` draws, whatever the results."""

    def __init__(self, task: SearchTask) -> None:
        self.space = task.problem.space
        self.start = task.start
        self.rng = np.random.default_rng(task.seed)

    def ask(self, seen: Collection[Key]) -> IndexArray:
        """Propose designs (n, v)."""
        return self._next(seen) if len(seen) or not len(self.start) else self.start

    def tell(
        self,
        index: IndexArray,
        objectives: npt.NDArray[np.float64],
        violations: npt.NDArray[np.float64],
    ) -> None:
        """Learn nothing."""

    def _next(self, seen: Collection[Key]) -> IndexArray:
        """Draw the next designs (n, v)."""
        raise NotImplementedError


class RandomSearch(_Plain):
    """Propose designs at random, none twice: the baseline that a searcher has to beat."""

    def _next(self, seen: Collection[Key]) -> IndexArray:
        return unseen(self.space, seen, _BATCH, self.rng)


class Exhaustive(_Plain):
    """Propose every design once, the last variable fastest."""

    def __init__(self, task: SearchTask) -> None:
        super().__init__(task)
        self.place = 0

    def _next(self, seen: Collection[Key]) -> IndexArray:
        fresh: list[Key] = []
        while not fresh and self.place < self.space.size:
            stop = min(self.place + _BATCH, self.space.size)
            block = self.space.unravel(np.arange(self.place, stop))
            fresh = [key for key in map(tuple, block.tolist()) if key not in seen]
            self.place = stop
        return np.array(fresh, dtype=np.int64).reshape(-1, len(self.space.shape))


class SobolSearch(_Plain):
    """Propose the points of a scrambled Sobol' sequence, which fill the space evenly.

    Points that fall on a design that was seen are skipped; at the end, random ones fill up.
    """

    def __init__(self, task: SearchTask) -> None:
        super().__init__(task)
        self.seed = task.seed
        self.place = 0

    def _next(self, seen: Collection[Key]) -> IndexArray:
        for _ in range(_DRAWS):
            drawn = sobol(self.space, self.place, _BATCH, self.seed)
            self.place += _BATCH
            fresh = [key for key in dict.fromkeys(map(tuple, drawn.tolist())) if key not in seen]
            if fresh:
                return np.array(fresh, dtype=np.int64)
        return unseen(self.space, seen, _BATCH, self.rng)
