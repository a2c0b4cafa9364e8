"""A front and what it came from: the result of a search, an enumeration or a stored run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from carbonopt.errors import SearchError, SpecError
from carbonopt.front.choose import knee, least, nearest
from carbonopt.front.conditions import Condition, check_numeric, parse_conditions
from carbonopt.front.dominance import front_rows
from carbonopt.front.indicators import epsilon, hypervolume, share_found
from carbonopt.objectives import BUILDABLE, Metric


@dataclass(frozen=True, repr=False)
class Front:
    """The best designs among all that were evaluated.

    Parameters
    ----------
    name
        Name of the problem.
    evaluations
        Every distinct design that was evaluated.
    metrics
        The objectives.
    variables
        Names of the variables.
    constraint_names
        Columns that must be <= 0.
    reference_point
        Where hypervolume is measured from, None where the problem has none.
    history
        One row per batch of the search.
    reference
        The exact or best-known front, None where the problem has none.
    run_dir
        Directory of the run, None where it was not stored.
    notices
        What the search had to say, such as that it saw the whole space.
    choices
        Values that each variable can take, where that is known: conditions may name these, too.
    """

    name: str
    evaluations: pd.DataFrame
    metrics: tuple[Metric, ...]
    variables: tuple[str, ...]
    constraint_names: tuple[str, ...] = ()
    reference_point: Mapping[str, float] | None = None
    history: pd.DataFrame | None = None
    reference: pd.DataFrame | None = None
    run_dir: Path | None = None
    notices: tuple[str, ...] = ()
    choices: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    _rows: pd.DataFrame = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rows", front_rows(self.evaluations, self.objectives))

    @property
    def objectives(self) -> list[str]:
        """Names of the objectives."""
        return [m.name for m in self.metrics]

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """Objectives of the front (n, m)."""
        return self._rows[self.objectives].to_numpy(dtype=float)

    def __repr__(self) -> str:
        many = f"{len(self)} of {len(self.evaluations)} designs"
        measured = f", hypervolume {self.hypervolume():.4g}" if self.reference_point else ""
        return f"Front({self.name!r}, {many}{measured})"

    def __len__(self) -> int:
        return len(self._rows)

    def to_pandas(self) -> pd.DataFrame:
        """Front as a table: variables, metrics, breakdowns and constraints; sorted."""
        return self._rows.copy()

    def hypervolume(self, scale: str = "log") -> float:
        """Hypervolume from the problem's reference point, ``log`` (decades) or ``linear``.

        On the log scale NaN where an objective is 0 or below, which has no logarithm.

        Raises
        ------
        SpecError
            The problem has no reference point.
        """
        if self.reference_point is None:
            raise SpecError(
                f"problem {self.name}: reference_point: got nothing, allowed: one value"
            )
        point = [self.reference_point[name] for name in self.objectives]
        return hypervolume(self.values, point, scale=scale)

    def compared(self) -> dict[str, float]:
        """Measure this front against the reference front of the problem.

        Returns
        -------
        dict
            ``hypervolume_ratio``, ``hypervolume_log_ratio`` (with a reference point only),
            ``share_within_2_percent`` and ``epsilon``; empty where there is no reference front.
        """
        if self.reference is None:
            return {}
        best = self.reference[self.objectives].to_numpy(dtype=float)
        measures = {
            "share_within_2_percent": share_found(self.values, best),
            "epsilon": epsilon(self.values, best),
        }
        if self.reference_point is not None:
            point = [self.reference_point[name] for name in self.objectives]
            for key, scale in (("hypervolume_ratio", "linear"), ("hypervolume_log_ratio", "log")):
                whole = hypervolume(best, point, scale=scale)
                measures[key] = self.hypervolume(scale) / whole if whole else float("nan")
        return measures

    def knee(self) -> pd.Series[Any]:
        """Design nearest to the best of every objective at once.

        Raises
        ------
        SearchError
            No design is feasible.
        """
        if not len(self):
            raise SearchError(f"problem {self.name}: no feasible design, so there is no knee")
        return self._rows.iloc[knee(self.values)]

    def lowest(self, objective: str) -> pd.Series[Any]:
        """Design with the smallest value of an objective.

        Raises
        ------
        SpecError
            There is no such objective.
        SearchError
            No design is feasible.
        """
        if objective not in self.objectives:
            allowed = ", ".join(self.objectives)
            raise SpecError(f"objective: got {objective!r}, allowed: {allowed}")
        if not len(self):
            raise SearchError(f"problem {self.name}: no feasible design")
        return self._rows.iloc[int(np.argmin(self._rows[objective].to_numpy(dtype=float)))]

    def conditions(self, texts: Sequence[str | Condition], where: str = "where") -> list[Condition]:
        """Read conditions on the designs; see `carbonopt.front.conditions.parse_conditions`."""
        return parse_conditions(texts, self.evaluations, where, self.choices)

    def where(self, *conditions: str | Condition) -> Front:
        """Front among the designs that meet every condition, of all that were evaluated.

        An upper limit of an objective leaves the designs of the front that keep it; any other
        condition, such as a kind of accelerator, can bring designs in that others dominated.

        Parameters
        ----------
        conditions
            Such as ``"latency_s <= 5 ms"`` or ``"template = dimc, aimc"``.

        Raises
        ------
        SpecError
            With every condition that cannot be read.
        """
        read = self.conditions(conditions)
        if not read:
            return self
        met = np.logical_and.reduce([each.met(self.evaluations) for each in read])
        kept = self.evaluations[met].reset_index(drop=True)
        return replace(self, evaluations=kept, reference=None, history=None)

    def least(self, metric: str, *conditions: str | Condition) -> pd.Series[Any]:
        """Feasible design with the smallest value of a column among those that meet conditions.

        Parameters
        ----------
        metric
            Any column of numbers: an objective, another metric, a part such as ``energy_j.dram``.
        conditions
            As for `where`. All evaluated designs are looked at, so that limits on what is no
            objective are answered right.

        Raises
        ------
        SpecError
            There is no such column, or no feasible design meets all conditions; the message says
            by how much the nearest one misses.
        """
        return least(self.evaluations, metric, self.conditions(conditions))

    def judged_by(self, metrics: Sequence[Metric]) -> Front:
        """Front of the same designs in other objectives.

        Raises
        ------
        SpecError
            A metric is no column of numbers.
        """
        names = [m.name for m in metrics]
        check_numeric(names, self.evaluations, "objectives")
        point, best = self.reference_point or {}, self.reference
        if best is not None and set(names) <= set(self.objectives):
            best = front_rows(best.assign(feasible=True), names)
        else:
            best = None
        return replace(
            self,
            metrics=tuple(metrics),
            reference_point={n: point[n] for n in names} if set(names) <= set(point) else None,
            reference=best,
        )

    def nearest(self, *conditions: str | Condition, count: int = 1) -> pd.DataFrame:
        """Feasible designs that meet conditions, or come nearest to meeting them.

        Returns
        -------
        pandas.DataFrame
            With the columns ``misses`` (the condition that is missed most, '' where all are met)
            and ``by`` (the share of its limit, inf beyond compare).
        """
        return nearest(self.evaluations, self.conditions(conditions), count)

    def least_infeasible(self, count: int = 10) -> pd.DataFrame:
        """Infeasible designs that come nearest to meeting every constraint.

        Returns
        -------
        pandas.DataFrame
            With the columns ``binding`` (the constraint that is missed most; whether it can be
            built where it cannot, without other constraints then) and ``violation``.
        """
        names = list(self.constraint_names)
        table = self.evaluations[~self.evaluations["feasible"].astype(bool)].copy()
        missed = table[names].fillna(np.inf).clip(lower=0.0)
        if not names or table.empty:
            return table.assign(binding="", violation=np.inf).head(count)
        table["binding"] = missed.idxmax(axis=1)
        table["violation"] = missed.max(axis=1)
        if BUILDABLE in names:
            table.loc[missed[BUILDABLE] > 0.0, "binding"] = BUILDABLE
        return table.sort_values("violation", kind="stable").head(count).reset_index(drop=True)

    def plot(self, path: str | Path | None = None) -> Any:  # noqa: ANN401  matplotlib comes late
        """Draw the front as a matplotlib figure; writes a file where `path` is given."""
        from carbonopt.report.figures import plot_front

        return plot_front(self, path)
