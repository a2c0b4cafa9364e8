"""What several runs of the same search say together: spread, attainment, and which is better."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import moocore
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import mannwhitneyu

from carbonopt.front.dominance import non_dominated
from carbonopt.objectives import Metric

Values = npt.NDArray[np.float64]

HYPERVOLUME, SHARE, EPSILON = "hypervolume_log_ratio", "share_within_2_percent", "epsilon"
MEASURES = (HYPERVOLUME, SHARE, EPSILON)
"""Of a run, against the reference front: `carbonopt.front.Front.compared`."""
SIGNIFICANT = 0.05
_QUANTILES = {"low": 0.0, "q1": 0.25, "median": 0.5, "q3": 0.75, "high": 1.0}


@dataclass(frozen=True)
class Surface:
    """Median attainment surfaces of one problem in two of its objectives.

    Parameters
    ----------
    problem
        Name of the problem.
    pair
        The two objectives.
    rows
        Corners: ``searcher``, ``budget`` and a column for each of the pair.
    reference
        The reference front in the two objectives (n, 2), what is dominated there left out.
    """

    problem: str
    pair: tuple[Metric, Metric]
    rows: pd.DataFrame
    reference: Values


@dataclass(frozen=True)
class SeedStatistics:
    """What the seeds of many searches say.

    Parameters
    ----------
    name, question
        Of the study.
    runs
        One row per run: ``problem``, ``searcher``, ``budget``, ``seed`` and its measures.
    groups
        One row per problem, budget and searcher, see `group_table`.
    comparisons
        One row per pair of searchers, see `comparison_table`.
    surfaces
        Attainment of each problem.
    notices
        What the measures are relative to.
    """

    name: str
    question: str
    runs: pd.DataFrame
    groups: pd.DataFrame
    comparisons: pd.DataFrame
    surfaces: tuple[Surface, ...]
    notices: tuple[str, ...]


def group_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Sum up the seeds of each problem, budget and searcher.

    Returns
    -------
    pandas.DataFrame
        ``seeds``, and of each measure ``<measure>_low``, ``_q1``, ``_median``, ``_q3`` and
        ``_high``.
    """
    rows = []
    for (problem, budget, searcher), group in _groups(runs, ["problem", "budget", "searcher"]):
        row = {"problem": problem, "budget": budget, "searcher": searcher, "seeds": len(group)}
        for measure in MEASURES:
            values = group[measure].to_numpy(float)
            for name, quantile in _QUANTILES.items():
                row[f"{measure}_{name}"] = _quantile(values, quantile)
        rows.append(row)
    return pd.DataFrame(rows)


def comparison_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Compare each two searchers at the same budget of a problem, over their seeds.

    By the logarithmic hypervolume ratio; by epsilon where a problem has no reference point.

    Returns
    -------
    pandas.DataFrame
        ``measure``; ``a12``, the probability that a run of ``first`` is better than one of
        ``second``, ties half (Vargha, Delaney: 0.5 none, 0.56 small, 0.64 medium, 0.71 large);
        ``u`` and ``p`` of the two-sided Mann-Whitney test; ``p_holm``, corrected for all
        comparisons of the problem at this budget; ``better``, the one that is significantly better.

    References
    ----------
    Mann, Whitney, Ann. Math. Stat. 18(1), 1947. Holm, Scand. J. Statistics 6(2), 1979. Vargha,
    Delaney, J. Educational and Behavioral Statistics 25(2), 2000.
    """
    rows = []
    keys = ["problem", "budget"]
    for (problem, budget), group in _groups(runs, keys):
        measure = EPSILON if group[HYPERVOLUME].isna().any() else HYPERVOLUME
        sign = -1.0 if measure == EPSILON else 1.0
        samples = {
            name: sign * part[measure].to_numpy(float)
            for name, part in group.groupby("searcher", sort=False)
        }
        for first, second in itertools.combinations(samples, 2):
            u, p = _mann_whitney(samples[first], samples[second])
            a12 = u / (len(samples[first]) * len(samples[second]))
            key = {"problem": problem, "budget": budget, "measure": measure}
            rows.append({**key, "first": first, "second": second, "a12": a12, "u": u, "p": p})
    table = pd.DataFrame(
        rows, columns=["problem", "budget", "measure", "first", "second", "a12", "u", "p"]
    )
    corrected = [holm(part["p"].to_numpy(float)) for _, part in _groups(table, keys)]
    table["p_holm"] = np.concatenate([*corrected, []])
    wins = np.where(table["a12"] > 0.5, table["first"], table["second"])
    table["better"] = np.where(table["p_holm"] < SIGNIFICANT, wins, "")
    return table


def holm(p: npt.ArrayLike) -> Values:
    """Correct p-values (n,) for their number, step by step.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, dtype=float)
    order = np.argsort(values, kind="stable")
    factors = len(values) - np.arange(len(values))
    corrected = np.minimum(np.maximum.accumulate(values[order] * factors), 1.0)
    result = np.empty_like(values)
    result[order] = corrected
    return result


def median_attainment(fronts: Sequence[npt.ArrayLike]) -> Values:
    """Corners (k, 2) of what at least half of some fronts (n, 2) each dominate or equal.

    A front without a point attains nothing, and counts.

    References
    ----------
    Fonseca, Guerreiro, López-Ibáñez, Paquete: On the computation of the empirical attainment
    function, EMO 2011, as in moocore.

    Examples
    --------
    >>> median_attainment([[[1, 3]], [[2, 2]], [[3, 1]]]).tolist()
    [[2.0, 3.0], [3.0, 2.0]]
    """
    sets = [points for f in fronts if len(points := np.asarray(f, float).reshape(-1, 2))]
    level = math.ceil(len(fronts) / 2)
    if not fronts or len(sets) < level:
        return np.empty((0, 2))
    owner = np.repeat(np.arange(len(sets), dtype=float), [len(points) for points in sets])
    surfaces = moocore.eaf(np.vstack(sets), owner)
    of_level = np.isclose(surfaces[:, 2], 100.0 * level / len(sets))
    corners: Values = surfaces[of_level, :2]
    return corners[np.lexsort((corners[:, 1], corners[:, 0]))]


def flat_front(values: npt.ArrayLike) -> Values:
    """Non-dominated points (k, 2) of some (n, 2), sorted."""
    points = np.asarray(values, dtype=float).reshape(-1, 2)
    kept: Values = np.unique(points[non_dominated(points)], axis=0)
    return kept


def _mann_whitney(first: Values, second: Values) -> tuple[float, float]:
    """U of the first sample and the two-sided p-value."""
    result = mannwhitneyu(first, second, alternative="two-sided")
    return float(result.statistic), float(result.pvalue)


def _quantile(values: Values, quantile: float) -> float:
    """Quantile of some values; infinite ones, of runs without a feasible design, are large."""
    if not np.all(np.isfinite(values)):
        ordered = np.sort(values)
        return float(ordered[math.ceil(quantile * (len(values) - 1))])
    return float(np.quantile(values, quantile))


def _groups(
    table: pd.DataFrame, names: list[str]
) -> Iterator[tuple[tuple[object, ...], pd.DataFrame]]:
    """Parts of a table by some columns, in the order in which they first stand there."""
    for key, part in table.groupby(names, sort=False):
        yield (key if isinstance(key, tuple) else (key,)), part
