"""The carbon of designs that were evaluated before, under other scenarios: nothing is mapped again.

A task's carbon grows with the energy and the latency of every network and with the embodied
carbon of the device, whatever grid, lifetime, period or preset: so the best design of every
scenario lies on the front of these quantities, and one search serves all scenarios.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from carbonopt.arrays import Bools, Floats
from carbonopt.carbon.presets import Activity
from carbonopt.carbon.task import Deployment
from carbonopt.carbon.uncertainty import STATISTICS, mean_carbon_g, shared_sample
from carbonopt.carbon.wafer import over_reticle
from carbonopt.errors import SpecError
from carbonopt.front.front import Front
from carbonopt.front.notices import device_notices
from carbonopt.front.pricing import Device, Scenario, can_be_made, price, price_device, task_of
from carbonopt.objectives import GIVEN, Metric, metric, uncertain

_CHUNK = 10_000
_PRICED = (
    "carbon_ca_",
    "carbon_pa_",
    "embodied_g",
    "operational_",
    "cci_",
    "break_even_",
    "lifetime_",
)
PERIOD_LIMIT = "limit.period@"
"""How the constraints begin that a network's period makes."""


def reprice(
    front: Front,
    deployments: Sequence[Deployment],
    scenario: Scenario,
    limits: Mapping[str, float] | None = None,
) -> Front:
    """Price all designs of a run again and take their front.

    Parameters
    ----------
    front
        What a run found; all its evaluated designs are priced.
    deployments
        Its networks, each with the period that shall hold.
    scenario
        Activity and preset. In PA, unless the preset says otherwise, a design must keep every
        period. A die that does not fit the preset's wafer is infeasible.
    limits
        Largest allowed values of columns, as the problem has them.

    Returns
    -------
    Front
        Over latency, energy and the scenario's carbon, and what of the run's objectives the user
        gave; it says what becomes of devices.

    Raises
    ------
    SpecError
        The run has no columns of a network, or PA lacks a period.
    """
    table = front.evaluations
    _check_columns(table, deployments)
    made = can_be_made(table["area_mm2"].to_numpy(dtype=float), scenario.preset)
    sound = (table["status"] == "ok").to_numpy()
    priced = made & sound
    designs = table if priced.all() else table[priced]
    known = set.intersection(*(set(each.activities) for each in deployments))
    device = Device.of(designs, scenario.preset)
    columns: dict[str, Floats] = {}
    for activity in sorted({scenario.activity, *known}):
        columns |= price(designs, deployments, replace(scenario, activity=activity), device)
    columns |= price_device(designs, deployments, scenario.preset, device)
    columns |= _statistics(designs, deployments, scenario)
    columns |= {
        f"{PERIOD_LIMIT}{d.network}": designs[f"latency_s@{d.network}"].to_numpy() / d.period_s - 1
        for d in deployments
        if d.period_s is not None
    }
    columns["limit.reticle"] = over_reticle(designs["area_mm2"].to_numpy(float), scenario.preset)
    names = _constraints(front, deployments, scenario)
    given = [each.name for each in front.metrics if each in GIVEN]
    metrics = tuple(metric(name) for name in ("latency_s", "energy_j", scenario.metric, *given))
    updated = _judged(_updated(table, columns, priced), names, limits or {}, metrics, sound)
    return replace(
        front,
        evaluations=updated,
        metrics=metrics,
        constraint_names=tuple(names),
        reference_point=None,
        reference=None,
        history=None,
        notices=tuple(device_notices(updated)),
    )


def _statistics(
    table: pd.DataFrame, deployments: Sequence[Deployment], scenario: Scenario
) -> dict[str, Floats]:
    """Price again what a table holds of uncertain carbon, some designs at a time."""
    tables = [table.iloc[start : start + _CHUNK] for start in range(0, len(table), _CHUNK)]
    columns: dict[str, Floats] = {}
    for name in uncertain(map(str, table)):
        _, activity, statistic, _ = name.split("_")
        if activity == "pa" and any(d.period_s is None for d in deployments):
            continue
        found: dict[str, list[Floats]] = {}
        for part in tables:
            tasks = [task_of(part, deployment) for deployment in deployments]
            judged: Activity = "CA" if activity == "ca" else "PA"
            mean, each = mean_carbon_g(tasks, judged, shared_sample(scenario.preset))
            found.setdefault(name, []).append(STATISTICS[statistic](mean))
            for task, carbon in zip(tasks, each, strict=True):
                found.setdefault(f"{name}@{task.deployment.network}", []).append(
                    STATISTICS[statistic](carbon)
                )
        columns |= {column: np.concatenate(values) for column, values in found.items()}
    return columns


def _check_columns(table: pd.DataFrame, deployments: Sequence[Deployment]) -> None:
    """Refuse a table that cannot be priced."""
    wanted = [
        "area_mm2",
        *(f"{m}@{d.network}" for d in deployments for m in ("energy_j", "latency_s")),
    ]
    missing = [name for name in wanted if name not in table]
    if missing:
        raise SpecError(f"reprice: got designs without {', '.join(missing)}, required: all of them")


def _updated(table: pd.DataFrame, columns: Mapping[str, Floats], priced: Bools) -> pd.DataFrame:
    """Put new columns into a table, NaN where a design has no result; derived ones follow."""
    if not priced.all():
        whole = {name: np.full(len(table), np.nan) for name in columns}
        for name, values in columns.items():
            whole[name][priced] = values
        columns = whole
    stale = [name for name in map(str, table) if name.startswith(_PRICED)]
    kept = table.drop(columns=[name for name in [*stale, *columns] if name in table])
    updated = pd.concat([kept, pd.DataFrame(columns, index=table.index)], axis=1)
    derived = {}
    for name in map(str, updated):
        factors = _factors(name)
        if factors and all(factor in updated for factor in factors):
            derived[name] = np.prod([updated[factor].to_numpy() for factor in factors], axis=0)
    return updated.assign(**derived)


def _factors(name: str) -> tuple[str, ...]:
    """Columns whose product a column is; none for a column that is no metric."""
    try:
        return metric(name).factors
    except SpecError:
        return ()


def _constraints(front: Front, deployments: Sequence[Deployment], scenario: Scenario) -> list[str]:
    """Constraints of a run; in PA under the rule ``infeasible`` every period is one."""
    names = [name for name in front.constraint_names if name != "limit.reticle"]
    names += ["limit.reticle"] if scenario.preset.reticle_rule == "met" else []
    if scenario.activity == "PA" and scenario.preset.late_rule == "infeasible":
        names += [f"{PERIOD_LIMIT}{d.network}" for d in deployments]
    return list(dict.fromkeys(names))


def _judged(
    table: pd.DataFrame,
    names: Sequence[str],
    limits: Mapping[str, float],
    metrics: Sequence[Metric],
    sound: Bools,
) -> pd.DataFrame:
    """Say again which designs are feasible, of those whose evaluation did not fail."""
    limited = {f"limit.{name}": table[name] / limit - 1 for name, limit in limits.items()}
    table = table.assign(**limited) if limited else table
    met = (table[list(names)].to_numpy(dtype=float) <= 0.0).all(axis=1)
    numbers = np.isfinite(table[[m.name for m in metrics]].to_numpy(dtype=float)).all(axis=1)
    return table.assign(feasible=met & numbers & sound)
