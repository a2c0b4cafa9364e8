"""What the tasks and devices of a table of designs cost in carbon, over all networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from carbonopt.arrays import Bools, Floats, Number
from carbonopt.carbon.design_node import preset_of_designs
from carbonopt.carbon.embodied import embodied_parts_g, embodied_total_g
from carbonopt.carbon.memory import memory_g
from carbonopt.carbon.metrics import OPERATIONS_PER_EOP, task_metrics
from carbonopt.carbon.presets import Activity, CarbonPreset
from carbonopt.carbon.task import Deployment, Task
from carbonopt.errors import ModelRangeError

_CCI = "cci_ca_g_per_eop"


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


@dataclass(frozen=True)
class Device:
    """Carbon of making devices (n,) without their DRAM, which depends on the network.

    Parameters
    ----------
    parts
        Carbon by part, each in its own shape [g].
    total
        Their sum (n,) [g].
    """

    parts: Mapping[str, Floats]
    total: Floats

    @classmethod
    def of(cls, table: pd.DataFrame, preset: CarbonPreset) -> Device:
        """Price the devices of a table."""
        area_mm2, own = table["area_mm2"].to_numpy(dtype=float), preset_of_designs(preset, table)
        parts = embodied_parts_g(area_mm2, 0.0, own)
        return cls(parts, np.asarray(sum(parts.values(), start=np.zeros(()))))


@dataclass(frozen=True)
class PricedTask:
    """Carbon of one network's task on every design (n,) [g], and the life that shares making out.

    Parameters
    ----------
    lifetime_s
        Of the preset, or of cells that are worn out before [s].
    running, waiting, share, dram, making
        Carbon of running and waiting [g]; share of a device that is used up [-]; carbon of the
        device's DRAM and of making, as far as the task uses it up [g].
    """

    lifetime_s: Number
    running: Floats
    waiting: Floats
    share: Floats
    dram: Floats
    making: Floats

    @classmethod
    def of(cls, task: Task, device: Device, scenario: Scenario) -> PricedTask:
        """Price a task on devices."""
        own = task.worn(scenario.activity, scenario.preset)
        terms = task.terms(scenario.activity, own)
        per_gb = scenario.preset.dram_g_per_gb(scenario.activity)
        dram = np.asarray(memory_g(task.deployment.dram_gb, per_gb))
        return cls(own.lifetime_s, *terms, dram, terms[2] * (device.total + dram))

    @property
    def total(self) -> Floats:
        """Their sum."""
        return self.running + self.waiting + self.making


def price(
    table: pd.DataFrame,
    deployments: Sequence[Deployment],
    scenario: Scenario,
    device: Device | None = None,
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
    device
        What `Device.of` gives for the table and the preset, where it is known.

    Returns
    -------
    dict
        ``carbon_*_g``, ``carbon_*_g@network`` and ``carbon_*_g.part``, arrays (n,) [g per task];
        the parts sum to the mean, each by its mean share. Where the table has metrics that follow
        from them, such as ``break_even_ca_s``, those as well; where it has cells that wear out,
        ``lifetime_*_s@network`` of the devices that they end before the preset's lifetime [s], not
        a number of others.

    Notes
    -----
    As `carbonopt.evaluate.evaluate_row` does it.
    """
    device = device or Device.of(table, scenario.preset)
    tasks = [PricedTask.of(task_of(table, d), device, scenario) for d in deployments]
    totals = [task.total for task in tasks]
    names = [f"@{deployment.network}" for deployment in deployments]
    columns = {f"{scenario.metric}{name}": t for name, t in zip(names, totals, strict=True)}
    mean = _geometric_mean(totals)
    weights = [mean / total / len(totals) for total in totals]
    pairs = list(zip(weights, tasks, strict=True))
    used_up = sum((weight * task.share for weight, task in pairs), start=np.zeros(()))
    parts = {
        part: value * used_up if np.any(value) else value for part, value in device.parts.items()
    }
    for part, values in {
        "operational": (weight * task.running for weight, task in pairs),
        "dram": (weight * (task.share * task.dram) for weight, task in pairs),
        "idle": (weight * task.waiting for weight, task in pairs),
    }.items():
        parts[part] = sum(values, start=np.zeros(()))
    columns |= _named(scenario.metric, mean, parts)
    columns |= _lifetimes(table, deployments, tasks, scenario)
    return columns | _followers(table, deployments, tasks, scenario)


def _geometric_mean(values: Sequence[Floats]) -> Floats:
    """Geometric mean over networks; 0 where one of them is 0."""
    if len(values) == 1:
        return values[0]
    with np.errstate(divide="ignore"):
        return np.asarray(np.exp(sum(np.log(value) for value in values) / len(values)))


def _named(name: str, mean: Floats, parts: Mapping[str, Floats]) -> dict[str, Floats]:
    """Name the mean and its parts, every one in the mean's shape."""
    whole = {f"{name}.{part}": np.broadcast_to(value, mean.shape) for part, value in parts.items()}
    return {name: mean, **whole}


def _lifetimes(
    table: pd.DataFrame,
    deployments: Sequence[Deployment],
    tasks: Sequence[PricedTask],
    scenario: Scenario,
) -> dict[str, Floats]:
    """Time in use of the devices whose cells end it, by network with such cells (n,) [s]."""
    columns = {}
    for deployment, task in zip(deployments, tasks, strict=True):
        if f"cell_inferences@{deployment.network}" in table:
            shape = np.broadcast_shapes(np.shape(task.lifetime_s), (len(table),))
            life = np.broadcast_to(task.lifetime_s, shape)
            name = f"lifetime_{scenario.activity.lower()}_s@{deployment.network}"
            columns[name] = np.where(life < scenario.preset.lifetime_s, life, np.nan)
    return columns


def _followers(
    table: pd.DataFrame,
    deployments: Sequence[Deployment],
    tasks: Sequence[PricedTask],
    scenario: Scenario,
) -> dict[str, Floats]:
    """Price what a table holds of metrics that follow from a task's carbon and its parts."""
    columns: dict[str, Floats] = {}
    found: dict[str, list[Floats]] = {}
    for deployment, task in zip(deployments, tasks, strict=True):
        suffix = f"@{deployment.network}"
        if f"{_CCI}{suffix}" not in table:
            return {}
        carbon, cci = (table[f"{name}{suffix}"].to_numpy() for name in ("carbon_ca_g", _CCI))
        parts = {"operational": task.running, "idle": task.waiting, "making": task.making}
        operations = carbon / cci * OPERATIONS_PER_EOP
        own = replace(scenario.preset, lifetime_s=task.lifetime_s)
        for name, values in task_metrics(scenario.activity, parts, own, operations).items():
            columns[f"{name}{suffix}"] = values
            found.setdefault(name, []).append(values)
    return columns | {name: _geometric_mean(values) for name, values in found.items()}


def price_device(
    table: pd.DataFrame,
    deployments: Sequence[Deployment],
    preset: CarbonPreset,
    device: Device | None = None,
) -> dict[str, Floats]:
    """Embodied carbon of every device and its parts, geometric mean over the networks' memories.

    Parameters
    ----------
    table, deployments, preset, device
        As in `price`.

    Returns
    -------
    dict
        ``embodied_g`` and ``embodied_g.part``, arrays (n,) [g].
    """
    device = device or Device.of(table, preset)
    drams = [np.asarray(memory_g(d.dram_gb, preset.dram_g_per_gb("CA"))) for d in deployments]
    totals = [device.total + dram for dram in drams]
    mean = _geometric_mean(totals)
    weights = [mean / total / len(totals) for total in totals]
    whole = sum(weights, start=np.zeros(()))
    parts = {part: value * whole for part, value in device.parts.items()}
    pairs = zip(weights, drams, strict=True)
    parts["dram"] = sum((weight * dram for weight, dram in pairs), start=np.zeros(()))
    return _named("embodied_g", mean, parts)


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
