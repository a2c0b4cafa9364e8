"""Figure of designs in both activities: carbon PA over carbon CA, a column per network."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from carbonopt.carbon.presets import Activity
from carbonopt.report import style
from carbonopt.report.scale import common_scale, quantity

ACTIVITIES: tuple[Activity, ...] = ("CA", "PA")
RINGS = ("o", "s")
LEAST_PT2, STEP_PT2 = 6.0, 6.0
"""Area of the marker with the smallest buffer, and what each larger one adds."""
LEGEND_COLUMNS = 6
DENSE_TO = 30.0
"""Ratio between the ends of an axis up to which a narrow panel has room for many ticks."""


def carbon_column(activity: Activity, network: str) -> str:
    """Name the column of a network's carbon.

    Examples
    --------
    >>> carbon_column("PA", "resnet8")
    'carbon_pa_g@resnet8'
    """
    return f"carbon_{activity.lower()}_g@{network}"


def plot_activities(tables: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Draw carbon PA over CA: a row per table, a column per network, the least of both ringed.

    Parameters
    ----------
    tables
        What is said over a row, to designs with ``template``, ``sram_byte`` and, for every
        network, the columns ``carbon_ca_g@network`` and ``carbon_pa_g@network``: not a number
        where a design is not allowed.
    title
        What is drawn.
    """
    first = next(iter(tables.values()))
    prefix = carbon_column("PA", "")
    networks = [name.removeprefix(prefix) for name in map(str, first) if name.startswith(prefix)]
    with style.printed_style():
        size = (style.PAGE_IN, 1.9 * len(tables) + 0.8)
        figure = Figure(figsize=size, layout="constrained")
        panels = style.panels(figure, len(tables), len(networks))
        for row, (said, table) in zip(panels, tables.items(), strict=True):
            for panel, network in zip(row, networks, strict=True):
                draw_network(panel, table, network)
            row[0].set_title(f"{said}\n{networks[0]}")
        style.head(figure, title, panels.flat, LEGEND_COLUMNS)
    return figure


def draw_network(panel: Axes, table: pd.DataFrame, network: str) -> None:
    """Draw the designs of a network, one colour per template, larger with the buffer."""
    columns = [carbon_column(activity, network) for activity in ACTIVITIES]
    shown = table.dropna(subset=columns, how="any")
    scales = [common_scale(shown[name].to_numpy(float), "g") for name in columns]
    x, y = (
        shown[name].to_numpy(float) * scale.factor
        for name, scale in zip(columns, scales, strict=True)
    )
    sizes = np.unique(table["sram_byte"])
    areas = LEAST_PT2 + STEP_PT2 * np.searchsorted(sizes, shown["sram_byte"])
    looks = style.template_looks(table["template"])
    for template, (colour, marker) in looks.items():
        here = (shown["template"] == template).to_numpy()
        panel.scatter(
            x[here], y[here], areas[here], color=colour, marker=marker,
            edgecolors="white", linewidths=0.4, label=template,
        )  # fmt: skip
    for values, activity, marker in zip((x, y), ACTIVITIES, RINGS, strict=True):
        best = int(values.argmin())
        colour, own = looks[str(shown["template"].iloc[best])]
        panel.scatter(
            x[best], y[best], areas[best], color=colour, marker=own, edgecolors="white",
            linewidths=0.4, zorder=4,
        )  # fmt: skip
        panel.plot(
            x[best], y[best], marker, ms=8.5, mfc="none", mec=style.BLACK, mew=0.9, zorder=5,
            label=f"least carbon {activity}",
        )  # fmt: skip
    for rank, size in enumerate(sizes):
        panel.scatter(
            [], [], LEAST_PT2 + STEP_PT2 * rank, color=style.GREY, linewidths=0,
            label=f"SRAM {quantity(size, 'byte')}",
        )  # fmt: skip
    style.scale_axis(panel.xaxis, x, DENSE_TO)
    style.scale_axis(panel.yaxis, y)
    panel.margins(0.08)
    panel.set(
        title=network, xlabel=scales[0].label("carbon CA"), ylabel=scales[1].label("carbon PA")
    )
