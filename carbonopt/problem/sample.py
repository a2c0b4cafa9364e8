"""Whether the designs of a problem can be built, told from a sample without mapping anything."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from carbonopt.errors import ModelRangeError
from carbonopt.problem.base import Problem
from carbonopt.space import IndexArray, Space

_MOST = 300
_MORE = 900  # where none of the first ones can be built


@dataclass(frozen=True)
class BuildSample:
    """How many designs of a sample could not be built, and why most often.

    Parameters
    ----------
    tried, whole
        Number of designs of the sample, and whether these are all of the problem.
    failed
        How many of them could not be built.
    reason
        Most frequent message, '' where all could be built.
    """

    tried: int
    whole: bool
    failed: int
    reason: str

    @property
    def told(self) -> str:
        """The sample in words, '' where all could be built.

        Examples
        --------
        >>> BuildSample(4, True, 1, "dimc: rows: got 48").told
        '1 of 4 designs cannot be built, most often: dimc: rows: got 48'
        """
        if not self.failed:
            return ""
        drawn = "" if self.whole else " drawn"
        many = f"{self.failed:,} of {self.tried:,} designs{drawn}"
        return f"{many} cannot be built, most often: {self.reason}"


def build_sample(problem: Problem) -> BuildSample:
    """Build every design of a small problem, some hundred of a large one, evenly drawn.

    Of a problem without templates, whose machine is a file, no design fails.
    """
    if problem.build is None:
        return BuildSample(0, False, 0, "")
    generator = np.random.default_rng(0)
    whole = problem.size <= _MOST
    index = problem.space.unravel(np.arange(problem.size)) if whole else _drawn(
        problem.space, _MOST, generator
    )  # fmt: skip
    reasons, tried = _faults(problem, index), len(index)
    if len(reasons) == tried and not whole:
        reasons += _faults(problem, _drawn(problem.space, _MORE, generator))
        tried += _MORE
    often = Counter(reasons).most_common(1)
    return BuildSample(tried, whole, len(reasons), often[0][0] if often else "")


def _drawn(space: Space, count: int, generator: np.random.Generator) -> IndexArray:
    """Draw designs (count, v), each value of a variable as likely as any other."""
    columns = [generator.integers(size, size=count) for size in space.shape]
    return np.stack(columns, axis=1).astype(np.int64)


def _faults(problem: Problem, index: IndexArray) -> list[str]:
    """Return why designs cannot be built, one line for each that cannot."""
    faults = []
    for design in problem.space.decode(index):
        try:
            if problem.build is not None:
                problem.build(design)
        except ModelRangeError as error:
            faults.append("; ".join(str(error).splitlines()))
    return faults
