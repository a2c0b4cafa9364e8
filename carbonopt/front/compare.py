"""Several fronts in the same objectives: what each has found that the others have not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from carbonopt.arrays import Bools, Floats
from carbonopt.front.dominance import non_dominated
from carbonopt.front.front import Front
from carbonopt.front.indicators import epsilon, hypervolume
from carbonopt.objectives import Metric


@dataclass(frozen=True)
class Comparison:
    """Fronts side by side.

    Parameters
    ----------
    fronts
        The fronts by name, all in `metrics`.
    metrics
        The objectives that they are compared in.
    reference_point
        Where hypervolume is measured from, None where there is no common one.
    table
        One row per front: ``evaluated``, ``front``, ``hypervolume`` (logarithmic), ``epsilon``
        (factor to the joined front), ``in_joined`` (its designs that none of another front
        dominates), ``only_here`` (those of them that no other front has), ``share_of_joined``.
    coverage
        C-metric: share of the designs of the column's front that the row's front covers.
    notices
        What there is to know before reading the numbers.
    """

    fronts: Mapping[str, Front]
    metrics: tuple[Metric, ...]
    reference_point: Mapping[str, float] | None
    table: pd.DataFrame
    coverage: pd.DataFrame
    notices: tuple[str, ...] = ()


def compare_fronts(
    fronts: Mapping[str, Front],
    metrics: Sequence[Metric],
    reference_point: Mapping[str, float] | None,
    notices: Sequence[str] = (),
) -> Comparison:
    """Measure fronts against each other and against the front of all of them together.

    Parameters
    ----------
    fronts
        Fronts by name; each is judged by `metrics`.
    metrics
        Objectives that all have.
    reference_point
        One value per objective, None to measure no hypervolume.
    notices
        What to tell with the result.

    Raises
    ------
    SpecError
        A front has no column of an objective.

    References
    ----------
    Zitzler, Thiele: Multiobjective evolutionary algorithms, IEEE TEC 3(4), 1999 (C-metric).
    """
    judged = {name: front.judged_by(metrics) for name, front in fronts.items()}
    values = {name: front.values for name, front in judged.items()}
    told = list(notices)
    logarithmic = all(np.all(each > 0.0) for each in values.values())
    if not logarithmic:
        told.append("an objective is not above 0: epsilon and hypervolume are not measured")
    told += [f"{name}: no feasible design" for name, each in values.items() if not len(each)]
    table = _joined(values)
    table.insert(0, "front", [len(each) for each in values.values()])
    table.insert(0, "evaluated", [len(front.evaluations) for front in judged.values()])
    point = None
    if reference_point is not None and logarithmic:
        point = [reference_point[m.name] for m in metrics]
    joined = _distinct_front(np.vstack(list(values.values())))
    table.insert(2, "hypervolume", [_volume(each, point) for each in values.values()])
    factors = [epsilon(v, joined) if logarithmic else np.nan for v in values.values()]
    table.insert(3, "epsilon", factors)
    shares = [[coverage(first, second) for second in values.values()] for first in values.values()]
    covered = pd.DataFrame(shares, index=list(values), columns=list(values))
    return Comparison(judged, tuple(metrics), reference_point, table, covered, tuple(told))


def coverage(covering: npt.ArrayLike, covered: npt.ArrayLike) -> float:
    """Share of a front that another one covers: is at least as good in every objective.

    ``C(A, B) = |{b in B : some a in A with a <= b}| / |B|``; NaN for an empty B.

    Parameters
    ----------
    covering, covered
        Objectives of the fronts A (n, m) and B (k, m).

    References
    ----------
    Zitzler, Thiele: Multiobjective evolutionary algorithms, IEEE TEC 3(4), 1999.

    Examples
    --------
    >>> coverage([[1, 3], [3, 1]], [[1, 3], [2, 2]])
    0.5
    """
    first, second = np.asarray(covering, dtype=float), np.asarray(covered, dtype=float)
    if not len(second):
        return float("nan")
    return float(np.mean([bool(np.all(first <= each, axis=1).any()) for each in second]))


def _joined(values: Mapping[str, Floats]) -> pd.DataFrame:
    """Count what of each front stays when all compete, by name."""
    owner = np.repeat(np.arange(len(values)), [len(each) for each in values.values()])
    matrix = np.vstack(list(values.values()))
    kept: Bools = non_dominated(matrix)
    _, group = np.unique(matrix, axis=0, return_inverse=True)
    owners = pd.Series(owner).groupby(group).nunique().to_numpy()[group] if len(owner) else owner
    whole = len(np.unique(group[kept]))
    rows = []
    for place in range(len(values)):
        own = kept & (owner == place)
        found = len(np.unique(group[own]))
        rows.append(
            {
                "in_joined": int(own.sum()),
                "only_here": int((own & (owners == 1)).sum()),
                "share_of_joined": found / whole if whole else float("nan"),
            }
        )
    return pd.DataFrame(rows, index=list(values))


def _distinct_front(values: Floats) -> Floats:
    """Take the distinct objectives of the front of many (n, m)."""
    return np.unique(values[non_dominated(values)], axis=0)


def _volume(values: Floats, point: Sequence[float] | None) -> float:
    """Measure logarithmic hypervolume, NaN without a reference point."""
    return float("nan") if point is None else hypervolume(values, point)
