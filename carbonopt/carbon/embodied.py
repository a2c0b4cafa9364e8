"""Carbon of making one device: die, package, memory and what else is charged."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from carbonopt.arrays import Floats
from carbonopt.carbon.checks import non_negative
from carbonopt.carbon.memory import memory_g
from carbonopt.carbon.packaging import carried_g, good_bonds, package_g
from carbonopt.carbon.presets import Activity, CarbonPreset
from carbonopt.carbon.wafer import charged_area_mm2

DEVICE_PARTS = ("fab_energy", "fab_gas", "fab_material", "package", "dram")
"""Parts of a device that every preset charges."""

FURTHER_PARTS = ("carrier", "bonding", "board", "design", "end_of_life")
"""Parts of a device that are 0 unless a preset or a user gives them; always listed."""


def embodied_g(
    area_mm2: ArrayLike, dram_gb: ArrayLike, preset: CarbonPreset, *, activity: Activity = "CA"
) -> dict[str, Floats]:
    """Carbon of making one device, by part; their sum is the total.

    ``M = (A* (CI_fab EPA + GPA + MPA) + C_carrier) / Y_bond^k + C_package
    + CPS M_dram / Y_memory + C_board + C_design / volume + C_end``, with the charged wafer area A*
    of `charged_area_mm2`. Of a chip that is cut into n dies, A* is n times that of a die of A / n;
    k bonds join them (`carbonopt.carbon.packaging`); bonding is what a failed bond loses.

    Parameters
    ----------
    area_mm2
        Area of the die, or of all dies together (n,) [mm2].
    dram_gb
        Capacity of the DRAM (n,) [GB].
    preset
        Numbers of the model, each one number or samples (m, 1).
    activity
        Scenario whose DRAM figure counts; it matters for the preset ``carbonspot`` only.

    Returns
    -------
    dict
        `DEVICE_PARTS` and `FURTHER_PARTS`: arrays (n,), or (m, n) [g CO2e per device].

    Raises
    ------
    ModelRangeError
        Area or capacity below 0 or not a number.

    Notes
    -----
    All dies at one node; of several nodes: `carbonopt.carbon.packaging.chiplets_g`. ACT-type
    models meet published life-cycle assessments within a factor of 1.05 to 2.2.

    Examples
    --------
    >>> from carbonopt.carbon.presets import load_preset
    >>> parts = embodied_g(10.0, 0.0, load_preset("carbonspot"))
    >>> round(float(sum(parts.values())), 3)
    241.674
    """
    return same_shape(embodied_parts_g(area_mm2, dram_gb, preset, activity))


def embodied_parts_g(
    area_mm2: ArrayLike, dram_gb: ArrayLike, preset: CarbonPreset, activity: Activity = "CA"
) -> dict[str, Floats]:
    """Carbon of making one device, as `embodied_g`, each part in its own shape [g CO2e].

    Faster where many designs are priced, of which most parts are one number for all.

    Examples
    --------
    >>> from carbonopt.carbon.presets import load_preset
    >>> parts = embodied_parts_g([1.0, 2.0], 0.0, load_preset("carbonspot"))
    >>> parts["fab_gas"].shape, parts["board"].shape
    ((2,), ())
    """
    per_mm2 = {
        "fab_energy": preset.fab_g_per_kwh * preset.fab_kwh_per_mm2,
        "fab_gas": preset.gas_g_per_mm2,
        "fab_material": preset.material_g_per_mm2,
    }
    charged, carrier = _charged_mm2(area_mm2, preset), carried_g(area_mm2, preset)
    die = {part: charged * grams for part, grams in per_mm2.items()}
    lost = (sum(die.values()) + carrier) * (1.0 / good_bonds(preset) - 1.0)
    joined: dict[str, ArrayLike] = {**die, "carrier": carrier, "bonding": lost}
    parts = joined | _beside_die_g(area_mm2, dram_gb, preset, activity)
    return {part: np.asarray(value, dtype=np.float64) for part, value in parts.items()}


def embodied_total_g(
    area_mm2: ArrayLike, dram_gb: ArrayLike, preset: CarbonPreset, *, activity: Activity = "CA"
) -> Floats:
    """Carbon of making one device, the sum over `embodied_g`, without its parts: [g CO2e].

    Faster where samples meet many designs; same arguments and errors as `embodied_g`.

    Examples
    --------
    >>> from carbonopt.carbon.presets import load_preset
    >>> float(embodied_total_g(10.0, 0.0, load_preset("carbonspot")).round(3))
    241.674
    """
    beside = _beside_die_g(area_mm2, dram_gb, preset, activity).values()
    rest = sum((np.asarray(part) for part in beside), start=np.zeros(()))
    joined = _charged_mm2(area_mm2, preset) * preset.fab_g_per_mm2 + carried_g(area_mm2, preset)
    return np.asarray(joined / good_bonds(preset) + rest)


def _charged_mm2(area_mm2: ArrayLike, preset: CarbonPreset) -> Floats:
    """Wafer area that all dies of a chip are charged [mm2]."""
    return preset.dies * charged_area_mm2(np.asarray(area_mm2) / preset.dies, preset)


def _beside_die_g(
    area_mm2: ArrayLike, dram_gb: ArrayLike, preset: CarbonPreset, activity: Activity
) -> dict[str, ArrayLike]:
    """Parts of a device beside its die, each in its own shape [g CO2e]."""
    area, capacity = non_negative("area_mm2", area_mm2), non_negative("dram_gb", dram_gb)
    return {
        "package": package_g(area, preset),
        "dram": memory_g(capacity, preset.dram_g_per_gb(activity)),
        "board": preset.board_g,
        "design": preset.design_g / preset.volume,
        "end_of_life": preset.end_of_life_g,
    }


def same_shape(parts: Mapping[str, ArrayLike]) -> dict[str, Floats]:
    """Give every part the common shape, each in an array of its own."""
    arrays = [np.asarray(part, dtype=np.float64) for part in parts.values()]
    shape = np.broadcast_shapes(*(array.shape for array in arrays))
    return {
        name: np.array(np.broadcast_to(array, shape))
        for name, array in zip(parts, arrays, strict=True)
    }
