"""How much of a processed wafer one good die stands for under a preset."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from carbonopt.arrays import Floats
from carbonopt.carbon.checks import non_negative
from carbonopt.carbon.die import die_yield, dies_per_wafer
from carbonopt.carbon.presets import CarbonPreset


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


def over_reticle(area_mm2: ArrayLike, preset: CarbonPreset) -> Floats:
    """How far the dies of a chip exceed what a scanner exposes, ``A / (n A_reticle) - 1`` [-].

    Parameters
    ----------
    area_mm2
        Area of all dies together (n,) [mm2].
    preset
        Number of dies n and reticle.

    Examples
    --------
    >>> from carbonopt.carbon.presets import load_preset
    >>> float(over_reticle(1716.0, load_preset("default").with_values(dies=4)))
    -0.5
    """
    die_mm2 = non_negative("area_mm2", area_mm2) / preset.dies
    return np.asarray(die_mm2 / preset.reticle_mm2 - 1.0)[()]
