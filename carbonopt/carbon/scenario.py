"""Carbon of one task: operation plus the share of the device's making that the task uses up."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from carbonopt.arrays import Floats
from carbonopt.carbon.checks import non_negative, positive
from carbonopt.carbon.embodied import (
    DEVICE_PARTS,
    FURTHER_PARTS,
    embodied_g,
    embodied_total_g,
    same_shape,
)
from carbonopt.carbon.operational import mean_over_lifetime, operational_g
from carbonopt.carbon.presets import CarbonPreset

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
    share = share_ca(latency_s, interval_s, preset)
    made = embodied_g(area_mm2, dram_gb, preset, activity="CA")
    return _task_g(energy_j, 0.0, share, made, preset)


def total_ca(
    energy_j: ArrayLike,
    latency_s: ArrayLike,
    area_mm2: ArrayLike,
    dram_gb: ArrayLike,
    preset: CarbonPreset,
    *,
    interval_s: ArrayLike | None = None,
) -> Floats:
    """Carbon per task under continuous activity, the sum over `carbon_ca` [g CO2e per task].

    Faster where samples (m, 1) meet many designs (n,); same arguments and errors.

    Examples
    --------
    >>> from carbonopt.carbon.presets import load_preset
    >>> float(total_ca(1e-6, 1e-5, 1.0, 0.0, load_preset("carbonspot")))
    1.0043e-10
    """
    share = share_ca(latency_s, interval_s, preset)
    made = embodied_total_g(area_mm2, dram_gb, preset, activity="CA")
    return _operation_g(energy_j, preset) + share * made


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

    ``C = CI_use PUE (E + f P_idle (N P - t)) + (N P / L) M`` with N = 1 device and the preset's
    factor f on leakage. A late task, t > P, under the rule ``infeasible`` is for the caller to
    mark: its carbon here stays that of a full period. Under ``replicate`` N = ceil(tau / P)
    devices take turns. Under ``fractional`` max(P, t) takes the place of N P. Idle time is never
    below 0.

    Parameters
    ----------
    energy_j, latency_s, area_mm2, dram_gb, preset, interval_s
        As `carbon_ca`. E holds what the device leaks while it computes: `carbonopt.carbon.task`.
    period_s
        Period P (n,) [s].
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
    share, idle_j = share_pa(latency_s, period_s, interval_s, idle_w, preset)
    made = embodied_g(area_mm2, dram_gb, preset, activity="PA")
    return _task_g(energy_j, idle_j, share, made, preset)


def total_pa(
    energy_j: ArrayLike,
    latency_s: ArrayLike,
    area_mm2: ArrayLike,
    period_s: ArrayLike,
    dram_gb: ArrayLike,
    preset: CarbonPreset,
    *,
    interval_s: ArrayLike | None = None,
    idle_w: ArrayLike = 0.0,
) -> Floats:
    """Carbon per task under periodic activity, the sum over `carbon_pa` [g CO2e per task].

    Faster where samples (m, 1) meet many designs (n,); same arguments and errors.

    Examples
    --------
    >>> from carbonopt.carbon.presets import load_preset
    >>> float(total_pa(1e-6, 1e-5, 1.0, 4e-3, 0.0, load_preset("carbonspot")))
    6.8132e-09
    """
    share, idle_j = share_pa(latency_s, period_s, interval_s, idle_w, preset)
    made = embodied_total_g(area_mm2, dram_gb, preset, activity="PA")
    drawn_j = non_negative("energy_j", energy_j) + idle_j
    return _operation_g(drawn_j, preset) + share * made


def share_ca(latency_s: ArrayLike, interval_s: ArrayLike | None, preset: CarbonPreset) -> Floats:
    """Share of a device's lifetime that a task takes up, tau / (u L) [-]."""
    latency = positive("latency_s", latency_s)
    interval = latency if interval_s is None else positive("interval_s", interval_s)
    return interval / (preset.lifetime_s * preset.utilisation)


def share_pa(
    latency_s: ArrayLike,
    period_s: ArrayLike,
    interval_s: ArrayLike | None,
    idle_w: ArrayLike,
    preset: CarbonPreset,
) -> tuple[Floats, Floats]:
    """Share of a device's lifetime that a period takes up [-]; energy of the idle time [J]."""
    latency, period = positive("latency_s", latency_s), positive("period_s", period_s)
    interval = latency if interval_s is None else positive("interval_s", interval_s)
    taken = _taken_s(latency, period, interval, preset)
    waiting_w = non_negative("idle_w", idle_w) * preset.leakage_factor
    idle_j = waiting_w * np.maximum(taken - latency, 0.0)
    return taken / preset.lifetime_s, idle_j


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
    made: dict[str, Floats],
    preset: CarbonPreset,
) -> dict[str, Floats]:
    """Operation plus a share of the device's lifetime, every part in the common shape."""
    task: dict[str, ArrayLike] = {part: value * share for part, value in made.items()}
    task |= {"operational": _operation_g(energy_j, preset), "idle": _operation_g(idle_j, preset)}
    return same_shape({part: task[part] for part in ALL_PARTS})


def _operation_g(energy_j: ArrayLike, preset: CarbonPreset) -> Floats:
    """Carbon of energy that is drawn over the lifetime [g CO2e]."""
    fall = mean_over_lifetime(preset.decarbonisation_per_year, preset.lifetime_s)
    return operational_g(energy_j, preset.use_g_per_kwh * fall, preset.pue)
