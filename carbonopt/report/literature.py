"""Figure of published accelerators: carbon per task over efficiency, split by pies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_letters

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.path import Path as Outline
from matplotlib.patheffects import withStroke

from carbonopt.arrays import Floats
from carbonopt.carbon.presets import CarbonPreset
from carbonopt.report import style
from carbonopt.report.columns import short_label
from carbonopt.report.palette import PART_COLOURS
from carbonopt.report.scale import common_scale

SCENARIOS = ("carbon_ca_g", "carbon_pa_g")
OPERATIONAL, EMBODIED = PART_COLOURS["operational"], PART_COLOURS["fab_energy"]
PIE_SIZE, RING_SIZE = 46, 58
KEY_COLUMNS = 5
_ARC_POINTS = 40
NEAR_PT = 8.0
RADII_PT = (8.4, 11.5, 15.0, 19.5, 24.5)
"""Least distance of a label from anything else, and how far from its pie it may be put."""


def plot_literature(suites: Mapping[str, pd.DataFrame], preset: CarbonPreset) -> Figure:
    """Draw carbon of one task over TOPS/W: a row per scenario, a column per suite.

    Parameters
    ----------
    suites
        Name of a suite to the table of `literature_carbon`.
    preset
        What the tables were computed with.
    """
    tables = {name: labelled(table) for name, table in suites.items()}
    with style.printed_style():
        figure = Figure(figsize=(style.PAGE_IN, 6.9), layout="constrained")
        panels = style.panels(figure, len(SCENARIOS), len(tables))
        for column, (name, table) in enumerate(tables.items()):
            for row, metric in enumerate(SCENARIOS):
                draw_suite(panels[row, column], table, metric)
            panels[0, column].set_title(name)
        draw_legend(panels[0, 0])
        title = f"Carbon of published accelerators per inference, preset {preset.name}"
        style.head(figure, title, [panels[0, 0]])
        style.caption(figure, _caption(tables, preset))
    return figure


def labelled(table: pd.DataFrame) -> pd.DataFrame:
    """Label every chip by its number in the paper, or else a letter that looks like none.

    In order of the labels.

    Examples
    --------
    >>> labelled(pd.DataFrame({"number_in_paper": [0.0, 2.0, 0.0]}))["label"].tolist()
    ['2', 'a', 'b']
    """
    letters = (each for each in ascii_letters if each not in "lIoO")
    labels = [f"{n:.0f}" if n else next(letters, "") for n in table["number_in_paper"]]
    order = sorted(range(len(labels)), key=lambda i: (not labels[i].isdigit(), labels[i].zfill(2)))
    return table.assign(label=labels).iloc[order].reset_index(drop=True)


def draw_suite(panel: Axes, table: pd.DataFrame, metric: str) -> None:
    """Draw one pie per chip: where it is late there is none under the rule ``infeasible``."""
    shown = table.dropna(subset=[metric])
    scale = common_scale(shown[metric].to_numpy(float), "g")
    carbon = shown[metric].to_numpy(float) * scale.factor
    efficiency = shown["tops_per_w"].to_numpy(float)
    style.scale_axis(panel.xaxis, efficiency)
    style.scale_axis(panel.yaxis, carbon)
    shares = (shown["operational_g"] / shown[metric]).to_numpy(float)
    analog = shown["type"].eq("aimc").to_numpy()
    panel.scatter(
        efficiency[analog], carbon[analog], RING_SIZE, facecolors="none",
        edgecolors=style.BLACK, linewidths=1.1, zorder=4,
    )  # fmt: skip
    for x, y, share in zip(efficiency, carbon, shares, strict=True):
        draw_pie(panel, (x, y), share)
    panel.margins(x=0.1, y=0.1)
    name_pies(panel, np.column_stack([efficiency, carbon]), shown["label"].tolist())
    panel.set(xlabel="efficiency [TOPS/W]", ylabel=scale.label(short_label(metric)))


def name_pies(panel: Axes, points: Floats, labels: Sequence[str]) -> None:
    """Write a label beside every pie, further away with a line where pies stand close."""
    panel.autoscale_view()
    seen_pt = panel.transData.transform(points) * (72.0 / panel.figure.dpi)
    offsets = label_offsets(seen_pt)
    for point, label, offset in zip(points, labels, offsets, strict=True):
        far = float(np.hypot(*offset)) > 1.5 * NEAR_PT
        panel.annotate(
            label, tuple(point), tuple(offset), textcoords="offset points", fontsize=7, zorder=5,
            ha="center", va="center",
            arrowprops={"arrowstyle": "-", "lw": 0.5, "color": style.BLACK} if far else None,
            path_effects=[withStroke(linewidth=1.6, foreground="white")],
        )  # fmt: skip


def label_offsets(points_pt: Floats) -> Floats:
    """Place a label beside every point so that it lies on no other point or label.

    Each takes the nearest free place of some around it, from the upper right on; the freest one
    where none is free.

    Parameters
    ----------
    points_pt
        Points (n, 2) [points of the figure].

    Returns
    -------
    Floats
        Offsets of the middle of the labels (n, 2) [points].

    Examples
    --------
    >>> label_offsets(np.array([[0.0, 0.0], [100.0, 0.0]])).round(1).tolist()
    [[5.9, 5.9], [5.9, 5.9]]
    """
    turns = np.pi * (0.25 + np.arange(16) * 0.125 * np.array([1, -1] * 8))
    places = np.array([r * np.array([np.cos(t), np.sin(t)]) for r in RADII_PT for t in turns])
    taken = [*points_pt]
    offsets = np.empty_like(points_pt)
    for i, point in enumerate(points_pt):
        others = np.array([place for place in taken if place is not taken[i]]).reshape(-1, 2)
        gaps = np.linalg.norm((point + places)[:, None, :] - others[None, :, :], axis=2)
        free = gaps.min(axis=1, initial=np.inf)
        chosen = int(np.argmax(free >= NEAR_PT)) if (free >= NEAR_PT).any() else int(free.argmax())
        offsets[i] = places[chosen]
        taken.append(point + places[chosen])
    return offsets


def draw_pie(panel: Axes, at: tuple[float, float], share: float) -> None:
    """Draw one pie at a point: `share` from twelve o'clock clockwise is operational."""
    for start, end, colour in ((0.0, share, OPERATIONAL), (share, 1.0, EMBODIED)):
        if end > start:
            panel.scatter(
                [at[0]], [at[1]], s=wedge_size(start, end), marker=wedge(start, end),
                facecolor=colour, linewidths=0, zorder=3,
            )  # fmt: skip


def wedge(start: float, end: float) -> Outline:
    """Return the outline of a slice of a circle between two shares of a turn."""
    angles = 2.0 * np.pi * np.linspace(start, end, _ARC_POINTS)
    arc = np.column_stack([np.sin(angles), np.cos(angles)])
    return Outline(np.vstack([[0.0, 0.0], arc, [0.0, 0.0]]))


def wedge_size(start: float, end: float) -> float:
    """Area that keeps a wedge to scale: a marker is blown up to its farthest coordinate."""
    return PIE_SIZE * float(np.abs(wedge(start, end).vertices).max()) ** 2


def draw_legend(panel: Axes) -> None:
    """Name the colours of the pies and the ring."""
    for colour, label in ((OPERATIONAL, "operational"), (EMBODIED, "embodied (silicon)")):
        panel.scatter([], [], 40, color=colour, label=label)
    panel.scatter(
        [], [], 44, facecolors="none", edgecolors=style.BLACK, linewidths=1.1,
        label="analog in-memory",
    )  # fmt: skip


def _caption(tables: Mapping[str, pd.DataFrame], preset: CarbonPreset) -> str:
    """Say what the areas are, which chips are missing where, and name the labels."""
    lines = ["Silicon of the stated area only: no package, no DRAM, no board."]
    for name, table in tables.items():
        late = table[table["carbon_pa_g"].isna()]
        if len(late):
            missing = ", ".join(late["label"])
            lines.append(f"{name}, PA: no figure for {missing}, which miss the period.")
    if preset.name == "carbonspot":
        lines.append("As published: a chip that misses its period is charged one period.")
    first = next(iter(tables.values()))
    names = [f"{label} {name}" for label, name in zip(first["label"], first["name"], strict=True)]
    rows = [names[start : start + KEY_COLUMNS] for start in range(0, len(names), KEY_COLUMNS)]
    return "\n".join([*lines, *("   ".join(row) for row in rows)])
