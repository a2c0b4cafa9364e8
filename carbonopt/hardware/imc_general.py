"""Published chips as general macros, with one set of parameters for all of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from carbonopt.arrays import Floats, Number
from carbonopt.errors import ModelRangeError
from carbonopt.hardware.imc import Activity, ImcMacro
from carbonopt.hardware.imc_chips import MEASURES, measures
from carbonopt.hardware.imc_model import macro_peak
from carbonopt.hardware.scaling import scaled_technology
from carbonopt.hardware.technology import Technology

FITTED = MEASURES[:3]
"""Measures that have a factor on gates of their own: area, clock and energy per MAC."""

UNFITTED: Mapping[str, float] = dict.fromkeys(FITTED, 1.0)
"""Gates as they come."""

_FACTORS = np.geomspace(0.5, 2.0, 281)


def general_macro(chip: pd.Series[str]) -> ImcMacro:
    """Return a chip of `carbonopt.hardware.imc_chips.load_chips` in the default form."""
    counts = ("cols", "rows", "weight_bits", "input_bits", "bits_per_cycle")
    cols, rows, weight_bits, input_bits, applied = (int(chip[name]) for name in counts)
    analog = chip["kind"] == "aimc"
    return ImcMacro(
        "aimc" if analog else "dimc",
        *(cols, rows, weight_bits, input_bits, applied),
        adc_bits=float(chip["adc_bits"]) if analog else 0.0,
        macros=int(chip["macros"]),
        group_depth=int(chip["group_depth"]),
        booth=bool(chip["booth"]),
        input_slices=int(chip["input_slices"]),
        merged_columns=int(chip["merged_columns"]),
        adc_share=int(chip["adc_share"]),
        pipelined=bool(chip["pipelined"]),
    )


def general_measures(chip: pd.Series[str], gates: Mapping[str, Number]) -> dict[str, Number]:
    """Return `MEASURES` of a chip as a general macro.

    Parameters
    ----------
    chip
        Row of `carbonopt.hardware.imc_chips.load_chips`; input toggle times weight density is the
        activity of its multipliers and trees.
    gates
        Factors on area, delay and energy of gates by name of `FITTED`, scalars or (n,) [-].

    Raises
    ------
    ModelRangeError
        The chip's node or supply lies outside the model.
    """
    base = scaled_technology(float(chip["node_nm"]), float(chip["supply_v"]))
    both = float(chip["input_toggle"]) * float(chip["weight_density"])
    activity = Activity(both, both, converters=float(chip["converter_activity"]))
    peak = macro_peak(scaled_gates(base, gates), general_macro(chip), activity)
    return measures(peak["area_mm2"], peak["clock_ns"], peak["mac_fj"], peak["tops"])


def scaled_gates(technology: Technology, gates: Mapping[str, Number]) -> Technology:
    """Return a technology with area, delay and energy of gates multiplied.

    Cells and converters stay, as they were fitted to chips by themselves.
    """
    area, delay, energy = (gates[name] for name in FITTED)
    return technology.scaled(area, delay, energy)


def in_range(chip: pd.Series[str]) -> bool:
    """Whether the general model covers a chip's node and supply."""
    try:
        scaled_technology(float(chip["node_nm"]), float(chip["supply_v"]))
    except ModelRangeError:
        return False
    return True


def compared(chip: pd.Series[str]) -> dict[str, float]:
    """Return what a chip reports, for data as dense as the model is told where it says so."""
    reported = {name: float(chip[name]) for name in MEASURES}
    dense = float(chip["dense_mac_fj"])
    if np.isfinite(dense):
        efficiency = reported["tops_per_w"] * reported["mac_fj"] / dense
        reported |= {"mac_fj": dense, "tops_per_w": efficiency}
    return reported


def gate_errors(chips: pd.DataFrame) -> Floats:
    """Return |model / reported - 1| under every factor that `fit_gates` tries.

    Returns
    -------
    ndarray
        (factors, chips, `FITTED`), not a number where a chip does not report.
    """
    gates = dict.fromkeys(FITTED, _FACTORS)
    errors = []
    for _, chip in chips.iterrows():
        found, reported = general_measures(chip, gates), compared(chip)
        errors.append([np.abs(found[name] / reported[name] - 1.0) for name in FITTED])
    return np.moveaxis(np.array(errors), 2, 0)


def fit_gates(errors: Floats) -> dict[str, float]:
    """Return the factors on gates under which the median error over the chips is least.

    One factor each for area, delay and energy, the same for every chip: of 0.5 to 2 in steps of
    half a percent, and of equally good ones the nearest to 1.

    Parameters
    ----------
    errors
        What `gate_errors` returns, without the chips to be left out.

    References
    ----------
    .. [1] Rousseeuw, J. American Statistical Association 79, 1984 (least median).
    """
    medians = np.nanmedian(errors, axis=1)
    near = np.argsort(np.abs(np.log(_FACTORS)), kind="stable")
    best = near[np.argmin(medians[near], axis=0)]
    return {name: float(_FACTORS[at]) for name, at in zip(FITTED, best, strict=True)}
