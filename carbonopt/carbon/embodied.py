"""Carbon of making one device: die, package and DRAM."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from carbonopt.arrays import Floats
from carbonopt.carbon.checks import non_negative
from carbonopt.carbon.presets import Activity, CarbonPreset


def die_part_g(area_mm2: ArrayLike, g_per_mm2: float, yield_fraction: float) -> Floats:
    """Carbon of one contribution to a die, ``C = A c / Y``.

    Parameters
    ----------
    area_mm2
        Area of the good die (n,) [mm2].
    g_per_mm2
        Carbon of the contribution per processed wafer area [g/mm2].
    yield_fraction
        Share of the processed area that ends in good dies [-].

    Returns
    -------
    Floats
        Carbon (n,) [g CO2e].

    Notes
    -----
    Charges the area of good dies; leaves out the wafer's edge and the scribe lines.

    References
    ----------
    ACT, ISCA 2022, eq. 4-5: CPA = (CI_fab EPA + GPA + MPA) / Y.

    Examples
    --------
    >>> die_part_g(10.0, g_per_mm2=4.75, yield_fraction=0.95)
    np.float64(50.0)
    """
    return non_negative("area_mm2", area_mm2) * (g_per_mm2 / yield_fraction)


def dram_g(dram_gb: ArrayLike, g_per_gb: float) -> Floats:
    """Carbon of DRAM by capacity, ``C = CPS M``, shape (n,) [g CO2e].

    References
    ----------
    ACT, ISCA 2022, eq. 6.
    """
    return non_negative("dram_gb", dram_gb) * g_per_gb


def embodied_g(
    area_mm2: ArrayLike, dram_gb: ArrayLike, preset: CarbonPreset, *, activity: Activity = "CA"
) -> dict[str, Floats]:
    """Carbon of making one device, by part; their sum is the total.

    ``M = A (CI_fab EPA + GPA + MPA) / Y + C_package + CPS M_dram``

    Parameters
    ----------
    area_mm2
        Area of the die (n,) [mm2].
    dram_gb
        Capacity of the DRAM (n,) [GB].
    preset
        Numbers of the model.
    activity
        Scenario whose DRAM figure counts; it matters for the preset ``carbonspot`` only.

    Returns
    -------
    dict
        fab_energy, fab_gas, fab_material, package, dram: arrays (n,) [g CO2e per device].

    Raises
    ------
    ModelRangeError
        Area or capacity below 0 or not a number.

    Notes
    -----
    One die at one node in one package. ACT-type models meet published life-cycle
    assessments within a factor of 1.05 to 2.2.

    Examples
    --------
    >>> from carbonopt.carbon.presets import load_preset
    >>> parts = embodied_g(10.0, 0.0, load_preset("carbonspot"))
    >>> round(float(sum(parts.values())), 3)
    241.674
    """
    area = non_negative("area_mm2", area_mm2)
    capacity = non_negative("dram_gb", dram_gb)
    area, capacity = np.broadcast_arrays(area, capacity)
    per_mm2 = {
        "fab_energy": preset.fab_g_per_kwh * preset.fab_kwh_per_mm2,
        "fab_gas": preset.gas_g_per_mm2,
        "fab_material": preset.material_g_per_mm2,
    }
    parts = {part: die_part_g(area, g, preset.yield_fraction) for part, g in per_mm2.items()}
    package = np.full_like(area, preset.package_g)
    return parts | {"package": package, "dram": dram_g(capacity, preset.dram_g_per_gb(activity))}
