"""The carbon of designs that were evaluated before, under other scenarios: nothing is mapped again.

A task's carbon grows with the energy and the latency of every network and with the embodied
carbon of the device, whatever grid, lifetime, period or preset: so the best design of every
scenario lies on the front of these quantities, and one search serves all scenarios.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from carbonopt.arrays import Bools, Floats
from carbonopt.carbon.design_node import preset_of_designs
from carbonopt.carbon.embodied import embodied_g, embodied_total_g
from carbonopt.carbon.metrics import break_even_s
from carbonopt.carbon.presets import Activity, CarbonPreset
from carbonopt.carbon.task import Deployment, Task
from carbonopt.carbon.uncertainty import STATISTICS, mean_carbon_g, shared_sample
from carbonopt.carbon.wafer import over_reticle
from carbonopt.errors import ModelRangeError, SpecError
from carbonopt.front.front import Front
from carbonopt.objectives import Metric, metric, uncertain

_CHUNK = 10_000
_PRICED = (
    "carbon_ca_",
    "carbon_pa_",
    "embodied_g",
    "operational_g",
    "cci_",
    "break_even_",
    "lifetime_",
)
IN_USE = ("operational", "idle")
"""Parts of a task's carbon that scale with the grid; all others scale with 1 / lifetime."""


@dataclass(frozen=True)
class Scenario:
    """How devices are made and used, and which activity is judged.

    Parameters
    ----------
    activity
        ``CA`` (tasks back to back) or ``PA`` (one task per period).
    preset
        Numbers of the carbon model.
    """

    activity: Activity
    preset: CarbonPreset

    @property
    def metric(self) -> str:
        """Column that the scenario judges by."""
        return f"carbon_{self.activity.lower()}_g"


def task_parts(
    table: pd.DataFrame, deployment: Deployment, scenario: Scenario
) -> dict[str, Floats]:
    """Carbon of one network's task for every design, by part [g].

    Parameters
    ----------
    table
        Designs (n) with ``energy_j@network``, ``latency_s@network`` and ``area_mm2``, every one
        a number; ``idle_w``, where it is there, leaks while a task runs and, in PA, between tasks.
    deployment
        The network.
    scenario
        Activity and preset; samples (m, 1) in the preset give parts (m, n).

    Raises
    ------
    SpecError
        PA is asked for and the period of the network is not known.
    """
    return task_of(table, deployment).parts_g(scenario.activity, scenario.preset)


def task_of(table: pd.DataFrame, deployment: Deployment) -> Task:
    """Take the task of a network on every design (n) out of a table."""
    return Task.of(deployment, table, f"@{deployment.network}")


def price(
    table: pd.DataFrame, deployments: Sequence[Deployment], scenario: Scenario
) -> dict[str, Floats]:
    """Price every design: each network, their geometric mean, and the parts of the mean.

    Parameters
    ----------
    table
        Designs (n), as for `task_parts`.
    deployments
        The networks.
    scenario
        Activity and preset.

    Returns
    -------
    dict
        ``carbon_*_g``, ``carbon_*_g@network`` and ``carbon_*_g.part``, arrays (n,) [g per task];
        the parts sum to the mean, each by its mean share.

    Notes
    -----
    As `carbonopt.evaluate.evaluate_row` does it.
    """
    parts = [task_parts(table, deployment, scenario) for deployment in deployments]
    totals = {
        f"{scenario.metric}@{deployment.network}": np.sum(list(each.values()), axis=0)
        for deployment, each in zip(deployments, parts, strict=True)
    }
    return totals | _mean(scenario.metric, parts)


def _mean(name: str, parts: Sequence[Mapping[str, Floats]]) -> dict[str, Floats]:
    """Geometric mean over the networks of the sum over the parts, and the parts of the mean."""
    logarithms, shares = 0.0, dict[str, Floats]()
    for each in parts:
        total = np.sum(list(each.values()), axis=0)
        logarithms = logarithms + np.log(total)
        for part, value in each.items():
            shares[part] = shares.get(part, 0.0) + value / total
    mean = np.exp(logarithms / len(parts))
    return {
        name: mean,
        **{f"{name}.{part}": share * (mean / len(parts)) for part, share in shares.items()},
    }


def price_device(
    table: pd.DataFrame, deployments: Sequence[Deployment], preset: CarbonPreset
) -> dict[str, Floats]:
    """Embodied carbon of every device and its parts, geometric mean over the networks' memories.

    Returns
    -------
    dict
        ``embodied_g`` and ``embodied_g.part``, arrays (n,) [g].
    """
    area_mm2, own = table["area_mm2"].to_numpy(dtype=float), preset_of_designs(preset, table)
    parts = [embodied_g(area_mm2, d.dram_gb, own) for d in deployments]
    return _mean("embodied_g", parts)


def lifetimes(
    table: pd.DataFrame, deployments: Sequence[Deployment], scenario: Scenario
) -> dict[str, Floats]:
    """Time in use of every device (n,) whose cells wear out before the preset's lifetime [s].

    Returns
    -------
    dict
        ``lifetime_*_s@network`` for each network with such cells in the table; not a number
        where they outlive the device.
    """
    name = f"lifetime_{scenario.activity.lower()}_s"
    columns = {}
    for deployment in deployments:
        if f"cell_inferences@{deployment.network}" in table:
            task = task_of(table, deployment)
            wear = task.wear(scenario.activity, scenario.preset)
            ended = np.where(wear.binds, wear.wear_s, np.nan)
            columns[f"{name}@{deployment.network}"] = ended
    return columns


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
        Over latency, energy and the scenario's carbon.

    Raises
    ------
    SpecError
        The run has no columns of a network, or PA lacks a period.
    """
    table = front.evaluations
    _check_columns(table, deployments)
    made = can_be_made(table["area_mm2"].to_numpy(dtype=float), scenario.preset)
    priced = made & (table["status"] == "ok").to_numpy()
    designs = table if priced.all() else table[priced]
    activities: list[Activity] = ["CA"] if scenario.activity == "CA" else ["PA"]
    if all(d.period_s is not None for d in deployments):
        activities = ["CA", "PA"]
    columns: dict[str, Floats] = {}
    for activity in activities:
        columns |= price(designs, deployments, replace(scenario, activity=activity))
        columns |= lifetimes(designs, deployments, replace(scenario, activity=activity))
    columns |= price_device(designs, deployments, scenario.preset)
    columns |= _statistics(designs, deployments, scenario)
    columns |= _derived(designs, deployments, columns, scenario)
    columns |= {
        f"limit.period@{d.network}": designs[f"latency_s@{d.network}"].to_numpy() / d.period_s - 1
        for d in deployments
        if d.period_s is not None
    }
    columns["limit.reticle"] = over_reticle(designs["area_mm2"].to_numpy(float), scenario.preset)
    names = _constraints(front, deployments, scenario)
    metrics = tuple(metric(name) for name in ("latency_s", "energy_j", scenario.metric))
    return replace(
        front,
        evaluations=_judged(_updated(table, columns, priced), names, limits or {}, metrics),
        metrics=metrics,
        constraint_names=tuple(names),
        reference_point=None,
        reference=None,
        history=None,
        notices=(),
    )


def can_be_made(area_mm2: Floats, preset: CarbonPreset) -> Bools:
    """Mark the chips (n,) whose dies and carrier fit the preset's wafer; others have no price.

    Examples
    --------
    >>> from carbonopt.carbon.presets import load_preset
    >>> can_be_made(np.array([1e5, 10.0, np.nan]), load_preset("default"))
    array([False,  True, False])
    """
    finite = np.isfinite(area_mm2)
    if not finite.any() or _fits(float(area_mm2[finite].max()), preset):
        return finite
    areas = np.unique(area_mm2[finite])
    fit, unfit = 0, len(areas)
    while fit < unfit:
        middle = (fit + unfit) // 2
        fit, unfit = (middle + 1, unfit) if _fits(areas[middle], preset) else (fit, middle)
    return np.asarray(area_mm2 < areas[fit])


def _fits(area_mm2: float, preset: CarbonPreset) -> bool:
    """Whether the dies and the carrier of a chip fit the wafer."""
    try:
        embodied_total_g(area_mm2, 0.0, preset)
    except ModelRangeError:
        return False
    return True


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


def _derived(
    table: pd.DataFrame,
    deployments: Sequence[Deployment],
    priced: Mapping[str, Floats],
    scenario: Scenario,
) -> dict[str, Floats]:
    """Price again what a table holds of metrics that follow from carbon CA and its parts."""
    columns: dict[str, Floats] = {}
    for deployment in deployments if "operational_g" in table else ():
        suffix = f"@{deployment.network}"
        used = task_parts(table, deployment, replace(scenario, activity="CA"))["operational"]
        made = price_device(table, [deployment], scenario.preset)["embodied_g"]
        change = priced[f"carbon_ca_g{suffix}"] / table[f"carbon_ca_g{suffix}"].to_numpy()
        columns[f"operational_g{suffix}"] = used
        columns[f"cci_g_per_eop{suffix}"] = table[f"cci_g_per_eop{suffix}"].to_numpy() * change
        if (used > 0).all():
            latency_s = table[f"latency_s{suffix}"].to_numpy()
            columns[f"break_even_s{suffix}"] = break_even_s(made, used, latency_s)
    for name in {column.partition("@")[0] for column in columns}:
        each = [
            columns.get(f"{name}@{d.network}", np.full(len(table), np.nan)) for d in deployments
        ]
        columns[name] = np.exp(np.mean(np.log(each), axis=0))
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
        names += [f"limit.period@{d.network}" for d in deployments]
    return list(dict.fromkeys(names))


def _judged(
    table: pd.DataFrame,
    names: Sequence[str],
    limits: Mapping[str, float],
    metrics: Sequence[Metric],
) -> pd.DataFrame:
    """Say again which designs are feasible."""
    table = table.assign(
        **{f"limit.{name}": table[name] / limit - 1 for name, limit in limits.items()}
    )
    met = (table[list(names)].to_numpy(dtype=float) <= 0.0).all(axis=1)
    numbers = np.isfinite(table[[m.name for m in metrics]].to_numpy(dtype=float)).all(axis=1)
    return table.assign(feasible=met & numbers & (table["status"] == "ok").to_numpy())
