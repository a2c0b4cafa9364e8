"""One look for all figures: palette, markers, SI-scaled axes and captions."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from carbonopt.report.palette import (
    BLACK,
    BLUE,
    CLOUD,
    GREEN,
    GREY,
    INFEASIBLE,
    LIMIT,
    ORANGE,
    PINK,
    SKY,
    SPARE_COLOURS,
    YELLOW,
    part_colours,
    template_looks,
)

__all__ = [
    "BLACK",
    "BLUE",
    "CLOUD",
    "DPI",
    "GREEN",
    "GREY",
    "INFEASIBLE",
    "LIMIT",
    "LOG_FROM_RATIO",
    "LOOK",
    "ORANGE",
    "PINK",
    "SKY",
    "SPARE_COLOURS",
    "YELLOW",
    "caption",
    "head",
    "house_style",
    "part_colours",
    "save",
    "scale_axis",
    "svg",
    "template_looks",
]

LOOK: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.formatter.useoffset": False,
    "axes.axisbelow": True,
    "grid.color": "#E6E8EB",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.dpi": 100,
    "figure.facecolor": "white",
}

LOG_FROM_RATIO = 3.0
DPI = 160
CAPTION_PT = 8.5
MEAN_GLYPH = 0.56
"""Mean width of a letter over the size of the type."""


@contextmanager
def house_style() -> Iterator[None]:
    """Apply the look inside a ``with`` block and leave the caller's settings alone."""
    with mpl.rc_context(LOOK):
        yield


def scale_axis(axis: Axis, values: np.ndarray) -> None:
    """Make the axis logarithmic where the values span it, with plain numbers as ticks."""
    finite = values[np.isfinite(values)]
    if not finite.size or finite.min() <= 0 or finite.max() < LOG_FROM_RATIO * finite.min():
        return
    ratio = finite.max() / finite.min()
    panel = axis.axes
    panel.set_xscale("log") if axis is panel.xaxis else panel.set_yscale("log")
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if ratio < 100 else (1.0,)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))


def caption(figure: Figure, text: str) -> None:
    """Write a caption under the panels, small and left-aligned, broken at the figure's width."""
    room = int(figure.get_figwidth() * 72.0 / (CAPTION_PT * MEAN_GLYPH))
    text = "\n".join(fill(line, room, break_long_words=False) for line in text.splitlines())
    figure.supxlabel(text, x=0.012, ha="left", fontsize=CAPTION_PT, color="#444444")


def save(figure: Figure, path: Path) -> Path:
    """Write the figure as its suffix says, the same bytes each time, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    undated = {"Date": None} if path.suffix == ".svg" else None
    with mpl.rc_context({"svg.hashsalt": path.stem}):
        figure.savefig(path, dpi=DPI, metadata=undated)
    return path


def svg(figure: Figure, salt: str) -> str:
    """Return the figure as SVG text, the same each time for the same salt."""
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": salt}):
        figure.savefig(buffer, format="svg", dpi=DPI, metadata={"Date": None})
    return buffer.getvalue()


def head(figure: Figure, title: str, panels: Iterable[Axes], columns: int = 4) -> None:
    """Write the title and, under it, the labels of all panels, each once, row by row."""
    entries: dict[str, Artist] = {}
    for panel in panels:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    rows = -(-len(entries) // columns)
    columns = -(-len(entries) // max(rows, 1)) or 1
    labels = [label for first in range(columns) for label in list(entries)[first::columns]]
    figure.legend(
        [entries[label] for label in labels],
        labels,
        loc="outside upper left",
        ncols=columns,
        title=title,
        title_fontsize=12,
        alignment="left",
        handletextpad=0.5,
        columnspacing=1.4,
    )
