"""Carbon of one task: operation plus the share of the device's making that the task uses up."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from carbonopt.arrays import Floats
from carbonopt.carbon.checks import non_negative, positive
from carbonopt.carbon.embodied import DEVICE_PARTS, FURTHER_PARTS, embodied_g, same_shape
from carbonopt.carbon.operational import mean_over_lifetime, operational_g
from carbonopt.carbon.presets import Activity, CarbonPreset

PARTS = ("operational", *DEVICE_PARTS)
"""Parts of a task's carbon that every preset charges, in the order in which they are shown."""

ALL_PARTS = (*PARTS, *FURTHER_PARTS, "idle")
"""`PARTS` and those that are 0 unless something is given for them; the total is their sum."""


def carbon_ca(
    energy_j: ArrayLike,
    latency_s: ArrayLike,
    area_mm2: ArrayLike,
    dram_gb: ArrayLike,
    preset: CarbonPreset,
    *,
    interval_s: ArrayLike | None = None,
) -> dict[str, Floats]:
    """Carbon per task under continuous activity: tasks run back to back for a lifetime.

    ``C = CI_use PUE E + tau / (u L) M``

    Parameters
    ----------
    energy_j, latency_s
        Energy and latency t of one task (n,) [J], [s].
    area_mm2, dram_gb
        Area of the die and capacity of the DRAM (n,) [mm2], [GB].
    preset
        Numbers of the model, each one number or samples (m, 1).
    interval_s
        Initiation interval tau: time from one task's start to the next one's (n,) [s]. The
        latency, unless the device is pipelined.

    Returns
    -------
    dict
        One array (n,), or (m, n), for each of `ALL_PARTS` [g CO2e per task].

    Raises
    ------
    ModelRangeError
        A value that is not a number, negative, or a latency of 0.

    References
    ----------
    CarbonSpot, IEEE TCAD 2025, doi 10.1109/TCAD.2025.3602746.

    Examples
    --------
    >>> from carbonopt.carbon.presets import load_preset
    >>> parts = carbon_ca([1e-6], [1e-5], [1.0], [0.0], load_preset("carbonspot"))
    >>> float(parts["operational"][0])
    8.3611e-11
    """
    latency = positive("latency_s", latency_s)
    interval = latency if interval_s is None else positive("interval_s", interval_s)
    share = interval / (preset.lifetime_s * preset.utilisation)
    return _task_g(energy_j, 0.0, share, (area_mm2, dram_gb), preset, "CA")


def carbon_pa(
    energy_j: ArrayLike,
    latency_s: ArrayLike,
    area_mm2: ArrayLike,
    period_s: ArrayLike,
    dram_gb: ArrayLike,
    preset: CarbonPreset,
    *,
    interval_s: ArrayLike | None = None,
    idle_w: ArrayLike = 0.0,
) -> dict[str, Floats]:
    """Carbon per task under periodic activity: one task per period, the device waits between.

    ``C = CI_use PUE (E + P_idle (N P - t)) + (N P / L) M`` with N = 1 device. A late task,
    t > P, under the rule ``infeasible`` is for the caller to mark: its carbon here stays that
    of a full period. Under ``replicate`` N = ceil(tau / P) devices take turns. Under
    ``fractional`` max(P, t) takes the place of N P. Idle time is never below 0.

    Parameters
    ----------
    energy_j, latency_s
        Energy and latency t of one task (n,) [J], [s].
    area_mm2
        Area of the die (n,) [mm2].
    period_s
        Period P (n,) [s].
    dram_gb
        Capacity of the DRAM (n,) [GB].
    preset
        Numbers of the model, each one number or samples (m, 1).
    interval_s
        Initiation interval tau (n,) [s]. The latency, unless the device is pipelined.
    idle_w
        Power that a device draws while it waits (n,) [W].

    Returns
    -------
    dict
        One array (n,), or (m, n), for each of `ALL_PARTS` [g CO2e per task].

    Raises
    ------
    ModelRangeError
        A value that is not a number, negative, or a latency or period of 0.

    References
    ----------
    CarbonSpot, IEEE TCAD 2025, doi 10.1109/TCAD.2025.3602746.

    Examples
    --------
    >>> from carbonopt.carbon.presets import load_preset
    >>> parts = carbon_pa([1e-6], [1e-5], [1.0], [4e-3], [0.0], load_preset("carbonspot"))
    >>> float(parts["package"][0])
    6.3420e-09
    """
    latency, period = positive("latency_s", latency_s), positive("period_s", period_s)
    interval = latency if interval_s is None else positive("interval_s", interval_s)
    taken = _taken_s(latency, period, interval, preset)
    idle_j = non_negative("idle_w", idle_w) * np.maximum(taken - latency, 0.0)
    return _task_g(energy_j, idle_j, taken / preset.lifetime_s, (area_mm2, dram_gb), preset, "PA")


def _taken_s(latency: Floats, period: Floats, interval: Floats, preset: CarbonPreset) -> Floats:
    """Device time that one period takes up [s]."""
    if preset.late_rule == "fractional":
        return np.maximum(period, latency)
    if preset.late_rule == "replicate":
        return np.asarray(period * np.ceil(interval / period))
    return np.broadcast_to(period, np.broadcast_shapes(latency.shape, period.shape))


def _task_g(
    energy_j: ArrayLike,
    idle_j: ArrayLike,
    share: Floats,
    device: tuple[ArrayLike, ArrayLike],
    preset: CarbonPreset,
    activity: Activity,
) -> dict[str, Floats]:
    """Operation plus a share of the device's lifetime, every part in the common shape."""
    made = embodied_g(*device, preset, activity=activity)
    fall = mean_over_lifetime(preset.decarbonisation_per_year, preset.lifetime_s)
    intensity = preset.use_g_per_kwh * fall
    used = {
        "operational": operational_g(energy_j, intensity, preset.pue),
        "idle": operational_g(idle_j, intensity, preset.pue),
    }
    task = used | {part: value * share for part, value in made.items()}
    return same_shape({part: task[part] for part in ALL_PARTS})
