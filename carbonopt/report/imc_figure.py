"""Grouped bars: what chips report, what their structure and the general macro give."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from carbonopt.report import style
from carbonopt.report.imc_page import LABELS
from carbonopt.report.imc_validation import ImcValidation

SHOWN = ("area_mm2", "clock_ns", "mac_fj")
_WIDTH = 0.27
_LOOKS = {
    "reported": ("#B4B9C0", -1.0),
    "chip-specific structure": (style.BLUE, 0.0),
    "general macro, fitted gates": (style.ORANGE, 1.0),
}


def plot_imc_validation(found: ImcValidation) -> Figure:
    """Draw one panel per measure; the ratio to the reported value stands above each bar."""
    chips = list(found.notes)
    with style.house_style():
        figure = Figure(figsize=(13.0, 10.0), layout="constrained")
        panels = figure.subplots(len(SHOWN), 1, sharex=True)
        for panel, measure in zip(panels, SHOWN, strict=True):
            draw_measure(panel, found, chips, measure)
        panels[-1].set_xticks(range(len(chips)), [chip.replace(" ", "\n") for chip in chips])
        style.head(figure, "Published in-memory-computing chips, reported and modelled", panels)
        style.caption(
            figure,
            "Numbers: model over the grey bar. The structure of a chip is known for the first "
            "seven. General macro: one set of factors on gates for all chips; no value outside "
            f"its range of nodes ({', '.join(found.outside)}).\n"
            "Energy of DIMC4: the dense end of its range (118.3 fJ/MAC); its best case with "
            "sparse data is 7.3 fJ/MAC.",
        )
    return figure


def draw_measure(panel: Axes, found: ImcValidation, chips: list[str], measure: str) -> None:
    """Draw the bars of one measure."""
    general = _of(found.general, measure)
    reported = found.reported[measure]
    bars = {
        "reported": reported,
        "chip-specific structure": _of(found.structure, measure)["model"],
        "general macro, fitted gates": general["fitted"] * general["reported"],
    }
    for name, values in bars.items():
        colour, place = _LOOKS[name]
        heights = values.reindex(chips).to_numpy(float)
        x = np.arange(len(chips)) + place * _WIDTH
        panel.bar(x, heights, _WIDTH * 0.94, color=colour, label=name)
        for at, height, chip in zip(x, heights, chips, strict=True):
            if place >= 0 and np.isfinite(height):
                ratio = height / float(reported[chip])
                label = f"{ratio:.2f}" if ratio < 2 else f"{ratio:.1f}"
                panel.annotate(
                    label, (at, height), (0, 2), fontsize=7.5,
                    textcoords="offset points", ha="center", color=colour,
                )  # fmt: skip
    style.scale_axis(panel.yaxis, reported.to_numpy(float))
    panel.margins(x=0.01, y=0.12)
    panel.set_ylabel(LABELS[measure])
    panel.grid(visible=False, axis="x")


def _of(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return the rows of a measure by chip."""
    return table[table["measure"] == measure].set_index("chip")
