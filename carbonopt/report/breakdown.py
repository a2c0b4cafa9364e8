"""Stacked bars: where the energy, the time and the carbon of chosen designs go."""

from __future__ import annotations

from string import ascii_uppercase

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from carbonopt.front.front import Front
from carbonopt.report import style
from carbonopt.report.columns import mean_note, parts_of, short_label
from carbonopt.report.scale import Scale, common_scale, quantity
from carbonopt.report.table import describe_design, telling_designs
from carbonopt.units import unit_of

BROKEN_DOWN = ("energy_j", "latency_s", "carbon_ca_g", "carbon_pa_g")
SHARES_FROM_RATIO = 8.0


def plot_breakdown(front: Front) -> Figure:
    """Draw where the telling designs of a front spend: a panel per metric, a bar per design."""
    chosen = telling_designs(front)
    metrics = [name for name in BROKEN_DOWN if parts_of(chosen, name)]
    with style.house_style():
        figure = Figure(figsize=(3.3 * len(metrics), 4.9), layout="constrained")
        for position, name in enumerate(metrics, start=1):
            draw_bars(figure.add_subplot(1, len(metrics), position), chosen, name)
        style.head(figure, f"{front.name}: where energy, time and carbon go", [])
        style.caption(figure, design_key(chosen, front))
    return figure


def draw_bars(panel: Axes, chosen: pd.DataFrame, metric: str) -> None:
    """Stack the parts of one metric, write each total on its bar, name the parts below.

    A part that no design has, such as a board that is not charged, is left out.
    Where the totals differ too much to share an axis, each bar shows shares of its own total.
    """
    present = [part for part in parts_of(chosen, metric) if chosen[f"{metric}.{part}"].any()]
    colours = style.part_colours(present)
    parts = list(colours)
    amounts = chosen[[f"{metric}.{part}" for part in parts]].to_numpy(float)
    totals = amounts.sum(axis=1)
    scale = common_scale(totals.max(keepdims=True), unit_of(metric))
    heights = amounts * scale.factor
    if totals.max() > SHARES_FROM_RATIO * totals.min():
        scale = Scale(1.0, "% of its total")
        heights = 100 * amounts / totals[:, None]
    letters = list(ascii_uppercase[: len(chosen)])
    bases = np.cumsum(heights, axis=1) - heights
    for i, (part, colour) in enumerate(colours.items()):
        panel.bar(
            letters, heights[:, i], 0.62, bottom=bases[:, i], color=colour, edgecolor="white",
            linewidth=0.3, label=part.replace("_", " "),
        )  # fmt: skip
    for letter, height, total in zip(letters, heights.sum(axis=1), totals, strict=True):
        panel.annotate(
            quantity(total, unit_of(metric), digits=3), (letter, height), (0, 3),
            textcoords="offset points", ha="center", fontsize=9,
        )  # fmt: skip
    panel.set(ylabel=scale.label(short_label(metric)))
    panel.grid(axis="x", visible=False)
    panel.margins(x=0.12, y=0.1)
    panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.07), ncols=2, fontsize=8.5)


def design_key(chosen: pd.DataFrame, front: Front) -> str:
    """Return one line per bar: its letter, why it was chosen, and the design itself."""
    lines = [
        f"{letter}  {design['role']}: {describe_design(design, front.variables)}"
        for letter, (_, design) in zip(ascii_uppercase, chosen.iterrows(), strict=False)
    ]
    return "\n".join([*lines, *mean_note(front.evaluations)])
