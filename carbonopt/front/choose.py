"""One design out of many: the knee, the least of a metric within a budget, the nearest to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from carbonopt.errors import SpecError
from carbonopt.front.conditions import Condition, check_numeric
from carbonopt.units import format_quantity, unit_of


def knee(values: npt.ArrayLike) -> int:
    """Row of the design that is nearest to the best of every objective at once.

    Each objective is brought to [0, 1] between its best and its worst on the front, on a log scale
    where all values are > 0; the row with the smallest Euclidean distance to 0 is the knee.

    Parameters
    ----------
    values
        Objectives (n, m), n >= 1.

    Examples
    --------
    >>> knee([[1, 100], [3, 3], [100, 1]])
    1
    """
    matrix = np.asarray(values, dtype=float)
    scaled = np.log(matrix) if np.all(matrix > 0.0) else matrix
    low, high = scaled.min(axis=0), scaled.max(axis=0)
    unit = (scaled - low) / np.where(high > low, high - low, 1.0)
    return int(np.argmin(np.linalg.norm(unit, axis=1)))


def least(table: pd.DataFrame, metric: str, conditions: Sequence[Condition]) -> pd.Series[Any]:
    """Take the feasible design with the smallest value of a metric within some conditions.

    Raises
    ------
    SpecError
        The metric is no column of numbers, or no feasible design meets all conditions.
    """
    check_numeric([metric], table, "least")
    feasible = table[table["feasible"].astype(bool)]
    if len(feasible) and feasible[metric].isna().all():
        raise SpecError(f"least {metric}: got a column without a number in any feasible design")
    feasible = feasible[feasible[metric].notna()]
    met = np.ones(len(feasible), dtype=bool)
    for condition in conditions:
        met &= condition.met(feasible)
    if met.any():
        candidates = feasible[met]
        return candidates.iloc[int(candidates[metric].to_numpy(dtype=float).argmin())]
    raise SpecError(f"least {metric}: {miss_text(feasible, conditions)}")


def nearest(table: pd.DataFrame, conditions: Sequence[Condition], count: int = 1) -> pd.DataFrame:
    """Rank the feasible designs by the condition that each misses most, with that condition.

    Returns
    -------
    pandas.DataFrame
        The first of them, with the columns ``misses`` and ``by``.
    """
    feasible = table[table["feasible"].astype(bool)]
    shape = (len(conditions), len(feasible))
    missed = np.reshape([each.missed(feasible) for each in conditions], shape)
    names = np.array([str(each) for each in conditions] or [""])
    worst = missed.argmax(axis=0) if len(conditions) else np.zeros(len(feasible), dtype=int)
    by = missed.max(axis=0, initial=0.0)
    ranked = feasible.assign(misses=np.where(by > 0.0, names[worst], ""), by=by)
    order = np.lexsort((np.minimum(missed, 1e9).sum(axis=0), by))
    return ranked.iloc[order[:count]].reset_index(drop=True)


def miss_text(table: pd.DataFrame, conditions: Sequence[Condition]) -> str:
    """Say that no design meets some conditions, and by how much the nearest misses each.

    Examples
    --------
    >>> designs = pd.DataFrame({"latency_s": [0.006, 0.008], "feasible": True})
    >>> miss_text(designs, [Condition("latency_s", "<=", (0.005,))])
    'no design meets latency_s <= 5 ms; the nearest has latency_s 6 ms, 20 % above'
    """
    near = nearest(table, conditions)
    if near.empty:
        return "no design keeps every limit of the problem"
    asked = " and ".join(map(str, conditions))
    told = []
    for condition in conditions:
        by = float(condition.missed(near)[0])
        if by > 0.0:
            value = near[condition.column].iloc[0]
            told.append(f"{condition.column} {_shown(value, condition)}{_off(by, condition)}")
    return f"no design meets {asked}; the nearest has {' and '.join(told)}"


def _shown(value: object, condition: Condition) -> str:
    """Print a value of the column of a condition."""
    if isinstance(value, str | bool | np.bool_):
        return str(value)
    return format_quantity(float(str(value)), unit_of(condition.column))


def _off(by: float, condition: Condition) -> str:
    """Say by which share of its limit a condition is missed, '' beyond compare."""
    if not np.isfinite(by):
        return ""
    if "<" in condition.relation and by >= 1.0:
        return f", {1.0 + by:.3g} times as much"
    side = "above" if "<" in condition.relation else "below" if ">" in condition.relation else "off"
    return f", {100.0 * by:.3g} % {side}"
