"""Carbon of one task: operation plus the share of the device's making that the task uses up."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from carbonopt.arrays import Floats
from carbonopt.carbon.checks import positive
from carbonopt.carbon.embodied import embodied_g
from carbonopt.carbon.operational import operational_g
from carbonopt.carbon.presets import Activity, CarbonPreset

PARTS = ("operational", "fab_energy", "fab_gas", "fab_material", "package", "dram")
"""Parts of a task's carbon, in the order in which they are shown; the total is their sum."""


def carbon_ca(
    energy_j: ArrayLike,
    latency_s: ArrayLike,
    area_mm2: ArrayLike,
    dram_gb: ArrayLike,
    preset: CarbonPreset,
) -> dict[str, Floats]:
    """Carbon per task under continuous activity: tasks run back to back for a lifetime.

    ``C = CI_use PUE E + (t / L) M``

    Parameters
    ----------
    energy_j, latency_s
        Energy and latency t of one task (n,) [J], [s].
    area_mm2, dram_gb
        Area of the die and capacity of the DRAM (n,) [mm2], [GB].
    preset
        Numbers of the model.

    Returns
    -------
    dict
        One array (n,) for each of `PARTS` [g CO2e per task].

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
    share = positive("latency_s", latency_s) / preset.lifetime_s
    return _task_g(energy_j, share, area_mm2, dram_gb, preset, activity="CA")


def carbon_pa(
    energy_j: ArrayLike,
    latency_s: ArrayLike,
    area_mm2: ArrayLike,
    period_s: ArrayLike,
    dram_gb: ArrayLike,
    preset: CarbonPreset,
) -> dict[str, Floats]:
    """Carbon per task under periodic activity: one task per period, the device waits between.

    ``C = CI_use PUE E + (P / L) M``; with the late rule ``fractional``
    ``C = CI_use PUE E + (max(P, t) / L) M``. A late task, t > P, is for the caller to mark
    infeasible under the rule ``infeasible``: its carbon here stays that of a full period.

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
        Numbers of the model.

    Returns
    -------
    dict
        One array (n,) for each of `PARTS` [g CO2e per task].

    Raises
    ------
    ModelRangeError
        A value that is not a number, negative, or a latency or period of 0.

    Notes
    -----
    Power that the device draws while it waits is left out.

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
    latency = positive("latency_s", latency_s)
    period = positive("period_s", period_s)
    taken = np.maximum(period, latency) if preset.late_rule == "fractional" else period
    share = np.broadcast_to(taken, np.broadcast_shapes(latency.shape, period.shape))
    return _task_g(energy_j, share / preset.lifetime_s, area_mm2, dram_gb, preset, activity="PA")


def _task_g(
    energy_j: ArrayLike,
    share: Floats,
    area_mm2: ArrayLike,
    dram_gb: ArrayLike,
    preset: CarbonPreset,
    *,
    activity: Activity,
) -> dict[str, Floats]:
    """Operation plus a share of the device's lifetime, every part in the common shape."""
    device = embodied_g(area_mm2, dram_gb, preset, activity=activity)
    task = {"operational": operational_g(energy_j, preset.use_g_per_kwh, preset.pue)}
    task |= {part: value * share for part, value in device.items()}
    arrays = np.broadcast_arrays(*(task[part] for part in PARTS))
    return {part: array.copy() for part, array in zip(PARTS, arrays, strict=True)}
