"""Carbon of making one device: die, package, memory and what else is charged."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from carbonopt.arrays import Floats
from carbonopt.carbon.checks import non_negative
from carbonopt.carbon.die import die_yield, dies_per_wafer
from carbonopt.carbon.memory import memory_g
from carbonopt.carbon.presets import Activity, CarbonPreset

DEVICE_PARTS = ("fab_energy", "fab_gas", "fab_material", "package", "dram")
"""Parts of a device that every preset charges."""

FURTHER_PARTS = ("board", "design", "end_of_life")
"""Parts of a device that are 0 unless a preset or a user gives them; always listed."""


def charged_area_mm2(area_mm2: ArrayLike, preset: CarbonPreset) -> Floats:
    """Wafer area that is processed for one good die, which is what a die is charged.

    By area ``A / (Y Y_line)``; by wafer ``A_wafer / (N Y Y_line)`` with N dies per wafer: the
    edge and the scribe lines are charged too.

    Parameters
    ----------
    area_mm2
        Area A of the die (n,) [mm2].
    preset
        Numbers of the model.

    Returns
    -------
    Floats
        Area (n,), or (m, n) with samples [mm2].

    Raises
    ------
    ModelRangeError
        Area below 0 or not a number, or a die of which less than one fits on a wafer.

    References
    ----------
    ACT, ISCA 2022, eq. 4-5 (by area). ECO-CHIP, HPCA 2024 (by wafer).

    Examples
    --------
    >>> from carbonopt.carbon.presets import load_preset
    >>> charged_area_mm2(9.5, load_preset("carbonspot"))
    np.float64(10.0)
    """
    area = non_negative("area_mm2", area_mm2)
    good = preset.line_yield * die_yield(
        area,
        preset.yield_model,
        defects_per_mm2=preset.defects_per_mm2,
        clustering=preset.clustering,
        fraction=preset.yield_fraction,
    )
    if preset.accounting == "area":
        return np.asarray(area / good)[()]
    count = dies_per_wafer(
        area, wafer_mm=preset.wafer_mm, edge_mm=preset.edge_mm, scribe_mm=preset.scribe_mm
    )
    return np.asarray(np.pi / 4.0 * preset.wafer_mm**2 / (count * good))[()]


def embodied_g(
    area_mm2: ArrayLike, dram_gb: ArrayLike, preset: CarbonPreset, *, activity: Activity = "CA"
) -> dict[str, Floats]:
    """Carbon of making one device, by part; their sum is the total.

    ``M = A* (CI_fab EPA + GPA + MPA) + C_package + A c_package + CPS M_dram / Y_memory + C_board
    + C_design / volume + C_end``, with the charged wafer area A* of `charged_area_mm2`.

    Parameters
    ----------
    area_mm2
        Area of the die (n,) [mm2].
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
    One die at one node in one package; several dies: `carbonopt.carbon.packaging`. ACT-type
    models meet published life-cycle assessments within a factor of 1.05 to 2.2.

    Examples
    --------
    >>> from carbonopt.carbon.presets import load_preset
    >>> parts = embodied_g(10.0, 0.0, load_preset("carbonspot"))
    >>> round(float(sum(parts.values())), 3)
    241.674
    """
    per_mm2 = {
        "fab_energy": preset.fab_g_per_kwh * preset.fab_kwh_per_mm2,
        "fab_gas": preset.gas_g_per_mm2,
        "fab_material": preset.material_g_per_mm2,
    }
    charged = charged_area_mm2(area_mm2, preset)
    die: dict[str, ArrayLike] = {part: charged * grams for part, grams in per_mm2.items()}
    return same_shape(die | _beside_die_g(area_mm2, dram_gb, preset, activity))


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
    return charged_area_mm2(area_mm2, preset) * preset.fab_g_per_mm2 + rest


def _beside_die_g(
    area_mm2: ArrayLike, dram_gb: ArrayLike, preset: CarbonPreset, activity: Activity
) -> dict[str, ArrayLike]:
    """Parts of a device beside its die, each in its own shape [g CO2e]."""
    area, capacity = non_negative("area_mm2", area_mm2), non_negative("dram_gb", dram_gb)
    return {
        "package": preset.package_g + area * preset.package_g_per_mm2,
        "dram": memory_g(capacity, preset.dram_g_per_gb(activity)),
        "board": preset.board_g,
        "design": preset.design_g / preset.volume,
        "end_of_life": preset.end_of_life_g,
    }


def same_shape(parts: dict[str, ArrayLike]) -> dict[str, Floats]:
    """Give every part the common shape, each in an array of its own."""
    arrays = [np.asarray(part, dtype=np.float64) for part in parts.values()]
    shape = np.broadcast_shapes(*(array.shape for array in arrays))
    return {
        name: np.array(np.broadcast_to(array, shape))
        for name, array in zip(parts, arrays, strict=True)
    }
