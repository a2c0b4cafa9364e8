"""Which designs are not dominated: no other is at least as good everywhere and better somewhere."""

from __future__ import annotations

from collections.abc import Sequence

import moocore
import numpy as np
import numpy.typing as npt
import pandas as pd


def non_dominated(values: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Mark the rows (n,) of objectives (n, m) that no other row dominates; equal rows all stay.

    In O(n log n) for two and three objectives.

    References
    ----------
    H. T. Kung, F. Luccio, F. P. Preparata, J. ACM 22(4), 1975, as in moocore.

    Examples
    --------
    >>> non_dominated([[1, 3], [2, 2], [2, 3], [1, 3]]).tolist()
    [True, True, False, True]
    """
    matrix = np.asarray(values, dtype=float)
    if len(matrix) == 0:
        return np.zeros(0, dtype=bool)
    kept: npt.NDArray[np.bool_] = moocore.is_nondominated(matrix, keep_weakly=True)
    return kept


def front_rows(evaluations: pd.DataFrame, objectives: Sequence[str]) -> pd.DataFrame:
    """Take the feasible, non-dominated rows of an evaluation table, sorted by the objectives."""
    feasible = evaluations[evaluations["feasible"].astype(bool)]
    kept = feasible[non_dominated(feasible[list(objectives)].to_numpy(dtype=float))]
    return kept.sort_values(list(objectives), kind="stable").reset_index(drop=True)
