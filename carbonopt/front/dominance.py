"""Which designs are not dominated: no other is at least as good everywhere and better somewhere."""

from __future__ import annotations

from collections.abc import Sequence

import moocore
import numpy as np
import numpy.typing as npt
import pandas as pd

_MANY, _FEW = 10_000, 8


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
    kept = ~_beaten_by_few(matrix)
    kept[kept] = moocore.is_nondominated(matrix[kept], keep_weakly=True)
    return kept


def _beaten_by_few(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Mark the rows (n,) that one of the few best by sum dominates: cheap, and most of many."""
    beaten = np.zeros(len(matrix), dtype=bool)
    if len(matrix) < _MANY:
        return beaten
    columns = np.ascontiguousarray(matrix.T)
    spans = np.abs(columns).mean(axis=1)
    score = sum(column / (span or 1.0) for column, span in zip(columns, spans, strict=True))
    for best in np.argpartition(score, _FEW)[:_FEW]:
        pairs = list(zip(columns, matrix[best], strict=True))
        no_better = np.logical_and.reduce([column >= value for column, value in pairs])
        beaten |= no_better & np.logical_or.reduce([column > value for column, value in pairs])
    return beaten


def front_rows(evaluations: pd.DataFrame, objectives: Sequence[str]) -> pd.DataFrame:
    """Take the feasible, non-dominated rows of an evaluation table, sorted by the objectives."""
    feasible = evaluations[evaluations["feasible"].astype(bool)]
    kept = feasible[non_dominated(feasible[list(objectives)].to_numpy(dtype=float))]
    return kept.sort_values(list(objectives), kind="stable").reset_index(drop=True)
