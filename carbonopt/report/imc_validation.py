"""Reported against modelled values of published in-memory-computing chips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from carbonopt.data.tables import load_table
from carbonopt.hardware.imc_chips import MEASURES, chip_structure, load_blocks, load_chips
from carbonopt.hardware.imc_general import (
    FITTED,
    UNFITTED,
    compared,
    fit_gates,
    gate_errors,
    general_measures,
    in_range,
)

GENERAL = ("as they come", "fitted", "left out")
"""Gates of the general macro: of the table, fitted to all chips, fitted to all other chips."""

_SHIPPED_DENSITY = 0.9
"""Weight density of DIMC2 in zigzag-imc's dimc_validation.py:50, where the figure has 0.5."""

_MAC = FITTED.index("mac_fj")

PLOTTED = {"area_mm2": "plotted_area", "clock_ns": "plotted_clock", "mac_fj": "plotted_mac"}


@dataclass(frozen=True)
class ImcValidation:
    """What `carbonopt validate imc` shows.

    Parameters
    ----------
    reported
        `MEASURES` by chip, for data as dense as the general macro is told.
    structure
        Chip-specific structure: a row per chip and measure with ``reported``, ``model`` and
        ``ratio``; and where the figure of zigzag-imc has it, ``drawn``, our ratio to what the
        figure divides by, and ``plotted``, its own.
    general
        General macro: a row per chip and measure with ``reported`` and the ratios of `GENERAL`.
    differences
        Where code and figure of zigzag-imc part: ``chip``, ``measure``, our ratios with the
        settings of the ``code`` and of the ``figure``, and the one ``plotted``.
    trends
        Chips measured under other conditions: ``chip``, ``condition``, and how clock and energy
        change from the condition of `general`, ``_reported`` and ``_model``.
    gates
        Factors on gates, fitted to all chips.
    notes
        Chip to what keeps it outside, or makes it special.
    sparse_mac_error
        Median error of the energy with fitted gates if every chip is compared with what it
        reports, however sparse its data.
    outside
        Chips that the general model does not cover.
    """

    reported: pd.DataFrame
    structure: pd.DataFrame
    general: pd.DataFrame
    differences: pd.DataFrame
    trends: pd.DataFrame
    gates: Mapping[str, float]
    notes: Mapping[str, str]
    sparse_mac_error: float
    outside: tuple[str, ...]

    def errors(self, gates: str) -> pd.DataFrame:
        """Return median and worst |ratio - 1| of the general macro by measure.

        Parameters
        ----------
        gates
            One of `GENERAL`.
        """
        table = self.general.dropna(subset=[gates])
        error = (table[gates] - 1.0).abs().rename("error")
        worst = error.groupby(table["measure"]).idxmax()
        median = error.groupby(table["measure"]).median()
        return pd.DataFrame(
            {
                "median": median,
                "worst": error.loc[worst].to_numpy(),
                "worst_chip": table.loc[worst, "chip"].to_numpy(),
            },
            index=median.index,
        ).loc[list(MEASURES)]


def validate_imc() -> ImcValidation:
    """Compare every chip with its own structure and with the general macro.

    Examples
    --------
    >>> found = validate_imc()
    >>> len(found.structure), len(found.general)
    (35, 50)
    """
    chips = load_chips()
    covered = pd.Series([in_range(chip) for _, chip in chips.iterrows()], index=chips.index)
    errors = gate_errors(chips[covered])
    sparse = gate_errors(chips[covered].assign(dense_mac_fj=np.nan))
    return ImcValidation(
        reported=pd.DataFrame([compared(chip) for _, chip in chips.iterrows()], chips.index),
        structure=_structure(chips[chips["figure"] == "paper"]),
        general=_general(chips[covered], errors),
        differences=_differences(chips),
        trends=_trends(chips, fit_gates(errors)),
        gates=fit_gates(errors),
        notes={str(chip): str(note) for chip, note in chips["note"].items()},
        sparse_mac_error=float(np.nanmedian(sparse, axis=1)[:, _MAC].min()),
        outside=tuple(str(chip) for chip in chips.index[~covered]),
    )


def _structure(chips: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for name, chip in chips.iterrows():
        model = chip_structure(chip, load_blocks(str(name)))
        for measure in MEASURES:
            values = (float(chip[measure]), float(model[measure]))
            shown = [np.nan, np.nan]
            if measure in PLOTTED:
                drawn = values[1] / _divisor(chip, measure)
                shown = [drawn, float(chip[PLOTTED[measure]])]
            rows.append((name, measure, *values, values[1] / values[0], *shown))
    return pd.DataFrame(
        rows, columns=["chip", "measure", "reported", "model", "ratio", "drawn", "plotted"]
    )


def _general(chips: pd.DataFrame, errors: np.ndarray) -> pd.DataFrame:
    fitted, rows = fit_gates(errors), []
    for i, (name, chip) in enumerate(chips.iterrows()):
        others = fit_gates(np.delete(errors, i, axis=1))
        models = [general_measures(chip, gates) for gates in (UNFITTED, fitted, others)]
        reported = compared(chip)
        for measure in MEASURES:
            ratios = (float(model[measure]) / reported[measure] for model in models)
            rows.append((name, measure, reported[measure], *ratios))
    return pd.DataFrame(rows, columns=["chip", "measure", "reported", *GENERAL])


def _differences(chips: pd.DataFrame) -> pd.DataFrame:
    """Return where code and figure of zigzag-imc part, each over what it is compared with."""
    rows = []
    for name, measure, in_code, dense in (
        ("AIMC1", "area_mm2", _changed("AIMC1", "cells", "area_count", 2.0), None),
        ("DIMC2", "clock_ns", _changed("DIMC2", "accumulators", "grown", 0.0), None),
        ("DIMC2", "mac_fj", load_blocks("DIMC2"), _SHIPPED_DENSITY),
    ):
        chip = _of(chips, name)
        code = chip_structure(chip, in_code, weight_density=dense)
        figure = chip_structure(chip, load_blocks(name))
        ratios = (
            float(code[measure]) / float(chip[measure]),
            float(figure[measure]) / _divisor(chip, measure),
        )
        rows.append((name, measure, *ratios, float(chip[PLOTTED[measure]])))
    sparse = _of(chips, "DIMC4")
    ratio = float(chip_structure(sparse, load_blocks("DIMC4"))["mac_fj"]) / float(sparse["mac_fj"])
    rows.append(("DIMC4", "mac_fj", ratio, ratio, float(sparse["plotted_mac"])))
    return pd.DataFrame(rows, columns=["chip", "measure", "code", "figure", "plotted"])


def _trends(chips: pd.DataFrame, gates: Mapping[str, float]) -> pd.DataFrame:
    """Return changes of clock and energy with supply and precision."""
    rows = []
    for other in load_table("imc_chip_trends.csv").to_dict("records"):
        name = str(other["chip"])
        chip = _of(chips, name)
        changed = chip.copy()
        for column in ("supply_v", "weight_bits", "input_bits", "cols"):
            changed[column] = other[column]
        here = general_measures(changed, gates)
        there = general_measures(chip, gates)
        bits = (
            f", {other['weight_bits']:.0f} bit"
            if other["weight_bits"] != chip["weight_bits"]
            else ""
        )
        rows.append(
            {
                "chip": name,
                "condition": f"{other['supply_v']:g} V{bits}",
                "clock_reported": float(chip["tops"]) / float(other["tops"]),
                "clock_model": float(here["clock_ns"] / there["clock_ns"]),
                "energy_reported": float(other["mac_fj"]) / float(chip["mac_fj"]),
                "energy_model": float(here["mac_fj"] / there["mac_fj"]),
            }
        )
    return pd.DataFrame(rows)


def _of(chips: pd.DataFrame, name: str) -> pd.Series[str]:
    """Return the row of a chip."""
    return next(chip for own, chip in chips.iterrows() if own == name)


def _divisor(chip: pd.Series[str], measure: str) -> float:
    """Return what the figure of zigzag-imc divides by: the reported value, in one case another."""
    other = float(chip["plotted_mac_fj"])
    return other if measure == "mac_fj" and np.isfinite(other) else float(chip[measure])


def _changed(chip: str, part: str, column: str, value: float) -> pd.DataFrame:
    """Return the blocks of a chip with one number of a part as the shipped code has it."""
    blocks = load_blocks(chip)
    return blocks.assign(**{column: blocks[column].mask(blocks["part"] == part, value)})
