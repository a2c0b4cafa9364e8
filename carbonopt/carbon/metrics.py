"""Published carbon metrics that are no plain products of others; those are in the registry."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from carbonopt.arrays import Floats
from carbonopt.carbon.checks import non_negative, positive
from carbonopt.errors import ModelRangeError

_OPERATIONS_PER_EOP = 1e18


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
        non_negative("carbon_g", carbon_g)
        / positive("operations", operations)
        * (_OPERATIONS_PER_EOP)
    )


def break_even_s(embodied_g: ArrayLike, operational_g: ArrayLike, interval_s: ArrayLike) -> Floats:
    """Time in use after which operation has cost as much carbon as making, ``L = M tau / C_op``.

    Parameters
    ----------
    embodied_g
        Carbon of making a device M (n,) [g CO2e].
    operational_g
        Carbon of a task's electricity (n,) [g CO2e].
    interval_s
        Time from one task's start to the next one's (n,) [s].

    Returns
    -------
    Floats
        Time of use (n,) [s]; longer-lived devices are governed by operation, others by making.

    References
    ----------
    U. Gupta et al., Chasing Carbon, HPCA 2021.

    Examples
    --------
    >>> float(break_even_s(100.0, 1e-6, 0.1))
    10000000.0
    """
    drawn = positive("operational_g", operational_g)
    return non_negative("embodied_g", embodied_g) * positive("interval_s", interval_s) / drawn


def task_metrics(
    metrics: Mapping[str, float], operational_g: float, operations: int
) -> dict[str, float]:
    """Derive operational_g, cci_g_per_eop and break_even_s of a task that runs back to back.

    On a grid without carbon there is no break-even.

    Parameters
    ----------
    metrics
        carbon_ca_g, embodied_g and latency_s of the task.
    operational_g
        Carbon of its electricity [g CO2e].
    operations
        Operations that it does [-].
    """
    carbon = cci_g_per_eop(metrics["carbon_ca_g"], operations)
    derived = {"operational_g": operational_g, "cci_g_per_eop": float(carbon)}
    if operational_g > 0:
        even = break_even_s(metrics["embodied_g"], operational_g, metrics["latency_s"])
        derived["break_even_s"] = float(even)
    return derived


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
