"""Published carbon metrics that are no plain products of others; those are in the registry."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from carbonopt.arrays import Floats, Number
from carbonopt.carbon.checks import non_negative, positive
from carbonopt.carbon.operational import S_PER_YEAR, mean_over_lifetime
from carbonopt.carbon.presets import Activity, CarbonPreset
from carbonopt.carbon.scenario import IN_USE
from carbonopt.errors import ModelRangeError

OPERATIONS_PER_EOP = 1e18


def cci_g_per_eop(carbon_g: ArrayLike, operations: ArrayLike) -> Floats:
    """Compute carbon intensity, ``CCI = C / operations``, [g CO2e per 1e18 operations].

    Parameters
    ----------
    carbon_g
        Carbon of a task, operation and making together (n,) [g CO2e].
    operations
        Operations that it does (n,), a multiply-accumulate is two [-].

    References
    ----------
    I. Schneider et al., Life-Cycle Emissions of AI Hardware, arXiv:2502.01671.

    Examples
    --------
    >>> float(cci_g_per_eop(1e-6, 1e9))
    1000.0
    """
    return (
        non_negative("carbon_g", carbon_g) / positive("operations", operations) * OPERATIONS_PER_EOP
    )


def break_even_s(
    making_g: ArrayLike,
    operational_g: ArrayLike,
    lifetime_s: Number,
    decarbonisation_per_year: Number = 0.0,
) -> Floats:
    """Time in use after which electricity has cost as much carbon as making.

    Of a device that is made for M g and draws ``r_0 e^(-l s)`` g/s at age s, on a grid that falls
    by a share d a year, ``l = -ln(1 - d) / year``:
    ``M = r_0 (1 - e^(-l T)) / l``, so ``T = -ln(1 - l M / r_0) / l``; ``M / r_0`` for d = 0. A
    task's share of making over its electricity is ``M / (r_0 f L)`` with the lifetime L and the
    mean f of the fall over it, in CA and in PA, so that utilisation, idle power and devices that
    take turns count.

    Parameters
    ----------
    making_g, operational_g
        Carbon of a task for making, and for the electricity that it draws running and waiting,
        both under the lifetime (n,) [g CO2e].
    lifetime_s
        Lifetime L that shares out the making [s].
    decarbonisation_per_year
        Fall d of the intensity in use [1/yr].

    Returns
    -------
    Floats
        Time in use (n,) [s], whether or not a device lasts so long: longer-lived devices are
        governed by operation, others by making.
        Infinite where electricity never costs as much: on a grid without carbon, or on one that
        gets clean too fast.

    Raises
    ------
    ModelRangeError
        Carbon below 0 or not a number, a lifetime not above 0, a fall outside [0, 1).

    References
    ----------
    U. Gupta et al., Chasing Carbon, HPCA 2021 (a constant grid).

    Examples
    --------
    >>> float(break_even_s(2e-6, 1e-6, 1e7))
    20000000.0
    >>> float(break_even_s(2e-6, 0.0, 1e7))
    inf
    """
    making = non_negative("making_g", making_g) * positive("lifetime_s", lifetime_s)
    drawn = non_negative("operational_g", operational_g)
    fall = mean_over_lifetime(decarbonisation_per_year, lifetime_s)
    decay = -np.log1p(-np.asarray(decarbonisation_per_year, dtype=np.float64)) / S_PER_YEAR
    with np.errstate(divide="ignore", invalid="ignore"):
        constant_s = np.where(making > 0.0, making * fall / drawn, 0.0)
        if not np.any(decay):
            return constant_s[()]
        spent = np.where(decay > 0.0, np.minimum(decay * constant_s, 1.0), 0.0)
        return np.where(decay > 0.0, -np.log1p(-spent) / decay, constant_s)[()]


def task_metrics(
    activity: Activity,
    parts: Mapping[str, ArrayLike],
    preset: CarbonPreset,
    operations: ArrayLike,
) -> dict[str, Floats]:
    """Derive the metrics of a task that follow from its carbon by part.

    Parameters
    ----------
    activity
        ``CA`` or ``PA``.
    parts
        Carbon of the task by part (n,), as of `carbonopt.carbon.scenario` [g CO2e].
    preset
        Lifetime and decarbonisation that the parts were computed with: those of a device whose
        cells wear out are `carbonopt.carbon.task.Task.worn`.
    operations
        Operations that the task does (n,) [-].

    Returns
    -------
    dict
        ``operational_*_g``, ``cci_*_g_per_eop`` and ``break_even_*_s`` of the activity (n,).

    Examples
    --------
    >>> from carbonopt.carbon.presets import load_preset
    >>> from carbonopt.carbon.scenario import carbon_pa
    >>> preset = load_preset("default").with_values(lifetime_s=1e8)
    >>> parts = carbon_pa(1e-6, 1e-5, 1.0, 4e-3, 0.0, preset)
    >>> {name: f"{float(value):.3g}" for name, value in task_metrics("PA", parts, preset, 1e6).items()}
    {'operational_pa_g': '1.31e-10', 'cci_pa_g_per_eop': '6.78e+03', 'break_even_pa_s': '5.06e+09'}
    """  # noqa: E501
    suffix = activity.lower()
    used = sum((np.asarray(parts[part]) for part in IN_USE), start=np.zeros(()))
    made = [np.asarray(value) for part, value in parts.items() if part not in IN_USE]
    making = sum(made, start=np.zeros(()))
    numbers = (preset.lifetime_s, preset.decarbonisation_per_year)
    return {
        f"operational_{suffix}_g": used,
        f"cci_{suffix}_g_per_eop": cci_g_per_eop(used + making, operations),
        f"break_even_{suffix}_s": break_even_s(making, used, *numbers),
    }


def sci_g(
    energy_kwh: ArrayLike, g_per_kwh: ArrayLike, embodied_g: ArrayLike, units: ArrayLike
) -> Floats:
    """Software carbon intensity, ``SCI = (E I + M) / R``, [g CO2e per functional unit].

    Parameters
    ----------
    energy_kwh, g_per_kwh
        Energy E (n,) [kWh] and carbon intensity of electricity I [g/kWh].
    embodied_g
        Share of the carbon of making that falls to this time of use, M (n,) [g CO2e].
    units
        Functional units R that are served with it, such as inferences (n,) [-].

    References
    ----------
    ISO/IEC 21031:2024, Software Carbon Intensity.

    Examples
    --------
    >>> float(sci_g(2.0, 400.0, 200.0, 1000.0))
    1.0
    """
    drawn = non_negative("energy_kwh", energy_kwh) * non_negative("g_per_kwh", g_per_kwh)
    return (drawn + non_negative("embodied_g", embodied_g)) / positive("units", units)


def ncf(area_ratio: ArrayLike, use_ratio: ArrayLike, embodied_weight: float) -> Floats:
    """Normalised carbon footprint against a baseline, ``NCF = a A/A0 + (1 - a) U/U0``.

    Parameters
    ----------
    area_ratio
        Die area over that of the baseline (n,) [-].
    use_ratio
        Energy over that of the baseline for fixed work, power for fixed time (n,) [-].
    embodied_weight
        Share a of making in the footprint of the baseline, 0 to 1 [-].

    Raises
    ------
    ModelRangeError
        A weight outside 0 to 1.

    References
    ----------
    L. Eeckhout, FOCAL, ASPLOS 2024.

    Examples
    --------
    >>> float(ncf(1.2, 0.5, 0.5))
    0.85
    """
    if not 0.0 <= embodied_weight <= 1.0:
        raise ModelRangeError(f"embodied_weight: got {embodied_weight}, allowed: 0 to 1")
    area = non_negative("area_ratio", area_ratio)
    use = non_negative("use_ratio", use_ratio)
    return np.asarray(embodied_weight * area + (1.0 - embodied_weight) * use)
