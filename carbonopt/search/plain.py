"""Searchers that learn nothing: every design in order, or any at random."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
from scipy.stats import qmc

from carbonopt.search.base import Key, SearchTask
from carbonopt.search.sampling import designs_at, unseen
from carbonopt.space import IndexArray

_SMALLEST_BATCH = 64
_LARGEST_BATCH = 512
_BATCHES = 32
_DRAWS = 16


def batch_size(budget: int) -> int:
    """Size a batch: 1/32 of a budget, 64 to 512, a power of two as Sobol' points need it.

    Examples
    --------
    >>> batch_size(500), batch_size(10_000), batch_size(1_000_000)
    (64, 256, 512)
    """
    share = max(budget // _BATCHES, 1)
    return min(max(1 << (share.bit_length() - 1), _SMALLEST_BATCH), _LARGEST_BATCH)


class _Plain:
    """Propose the designs to start from, then others that `_next` draws, whatever the results."""

    def __init__(self, task: SearchTask) -> None:
        self.space = task.problem.space
        self.start = task.start
        self.rng = np.random.default_rng(task.seed)
        self.batch = batch_size(task.budget)

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
        return unseen(self.space, seen, self.batch, self.rng)


class Exhaustive(_Plain):
    """Propose every design once, the last variable fastest."""

    def __init__(self, task: SearchTask) -> None:
        super().__init__(task)
        self.place = 0

    def _next(self, seen: Collection[Key]) -> IndexArray:
        fresh: list[Key] = []
        while not fresh and self.place < self.space.size:
            stop = min(self.place + self.batch, self.space.size)
            block = self.space.unravel(np.arange(self.place, stop))
            fresh = [key for key in map(tuple, block.tolist()) if key not in seen]
            self.place = stop
        return np.array(fresh, dtype=np.int64).reshape(-1, len(self.space.shape))


class SobolSearch(_Plain):
    """Propose the points of a scrambled Sobol' sequence, which fill the space evenly.

    Points that fall on a design that was seen are skipped; at the end, random ones fill up.

    References
    ----------
    Owen: Scrambling Sobol' and Niederreiter-Xing points, J. Complexity 14(4), 1998.
    """

    def __init__(self, task: SearchTask) -> None:
        super().__init__(task)
        self.points = qmc.Sobol(len(task.problem.space.shape), scramble=True, rng=task.seed)

    def _next(self, seen: Collection[Key]) -> IndexArray:
        for _ in range(_DRAWS):
            drawn = designs_at(self.space, self.points.random(self.batch))
            fresh = [key for key in dict.fromkeys(map(tuple, drawn.tolist())) if key not in seen]
            if fresh:
                return np.array(fresh, dtype=np.int64)
        return unseen(self.space, seen, self.batch, self.rng)
