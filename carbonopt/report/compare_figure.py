"""Fronts of several runs drawn over each other."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

from matplotlib.figure import Figure

from carbonopt.front.compare import Comparison
from carbonopt.report import style
from carbonopt.report.figures import lay_axes, panel_pairs

RUN_LOOKS = (
    *((style.BLUE, "o"), (style.ORANGE, "s"), (style.GREEN, "^"), (style.PINK, "D")),
    *((style.SKY, "v"), (style.YELLOW, "P"), (style.BLACK, "X"), (style.GREY, "<")),
)
_SIZES = (44, 26)
"""The first run is drawn larger and below, so that equal designs show as one mark in another."""


def plot_comparison(comparison: Comparison, path: str | Path) -> Path:
    """Draw fronts over each other, one panel per pair of objectives, and return the file."""
    metrics = {m.name: m for m in comparison.metrics}
    names = list(metrics)
    pairs = panel_pairs(names) or [(names[0], names[0])]
    columns = {1: 1, 2: 2, 3: 3, 4: 2}[len(pairs)]
    rows = -(-len(pairs) // columns)
    designs = {name: front.to_pandas() for name, front in comparison.fronts.items()}
    with style.house_style():
        figure = Figure(figsize=(4.9 * columns + 0.4, 3.9 * rows + 1.1), layout="constrained")
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for panel, (first, second) in zip(panels, pairs, strict=True):
            points = lay_axes(panel, (metrics[first], metrics[second]), list(designs.values()))
            looks = cycle(RUN_LOOKS)
            for place, ((name, table), (colour, marker)) in enumerate(
                zip(designs.items(), looks, strict=False)
            ):
                panel.scatter(
                    *points(table), _SIZES[min(place, 1)], marker=marker, facecolors="none",
                    edgecolors=colour, linewidths=1.2, zorder=3 + place,
                    label=f"{name} ({len(table)})",
                )  # fmt: skip
        style.head(figure, "fronts, with their number of designs", panels)
        style.caption(figure, "\n".join(comparison.notices))
    return style.save(figure, Path(path))
