"""One look for all figures: palette, markers, SI-scaled axes and captions."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import fill
from typing import Any, Literal

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
    "COLUMN_IN",
    "DPI",
    "GREEN",
    "GREY",
    "INFEASIBLE",
    "LIMIT",
    "LOG_FROM_RATIO",
    "LOOK",
    "ORANGE",
    "PAGE_IN",
    "PINK",
    "SKY",
    "SPARE_COLOURS",
    "YELLOW",
    "caption",
    "head",
    "house_style",
    "panels",
    "part_colours",
    "printed_style",
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
    "legend.title_fontsize": 12,
    "figure.dpi": 100,
    "figure.facecolor": "white",
}

COLUMN_IN, PAGE_IN = 3.5, 7.16
"""Width of a column, and of a page of two, of a journal [in]."""
PRINTED = {
    "font.size": 7.5,
    "axes.titlesize": 8,
    "axes.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "legend.title_fontsize": 9,
    "hatch.linewidth": 0.5,
    "lines.linewidth": 1.2,
    "lines.markersize": 4.5,
}
"""What differs in figures that are printed as large as they are drawn."""

LOG_FROM_RATIO = 3.0
DPI, LEAST_PX = 160, 1050
"""Points of a picture per inch, and across at least."""
CAPTION_SHARE = 0.9
"""Size of a caption's type over that of the figure."""
MEAN_GLYPH = 0.56
"""Mean width of a letter over the size of the type."""


@contextmanager
def house_style() -> Iterator[None]:
    """Apply the look inside a ``with`` block and leave the caller's settings alone."""
    with mpl.rc_context(LOOK):
        yield


@contextmanager
def printed_style() -> Iterator[None]:
    """Apply the look of figures as wide as `COLUMN_IN` or `PAGE_IN` inside a ``with`` block."""
    with mpl.rc_context(LOOK | PRINTED):
        yield


def panels(
    figure: Figure,
    rows: int,
    columns: int,
    *,
    sharex: bool | Literal["col"] = False,
    sharey: bool | Literal["row"] = False,
    width_ratios: Sequence[float] | None = None,
    height_ratios: Sequence[float] | None = None,
) -> np.ndarray:
    """Return panels (rows, columns) whose ticks keep the size of the type wherever they are saved.

    Parameters
    ----------
    figure
        Where they are laid out.
    rows, columns
        How many.
    sharex, sharey, width_ratios, height_ratios
        As of `matplotlib.figure.Figure.subplots`.
    """
    found = np.asarray(
        figure.subplots(
            rows,
            columns,
            sharex=sharex,
            sharey=sharey,
            squeeze=False,
            width_ratios=width_ratios,
            height_ratios=height_ratios,
        )
    )
    for panel in found.flat:
        panel.tick_params(which="both", labelsize=mpl.rcParams["font.size"])
    return found


def scale_axis(axis: Axis, values: np.ndarray, dense_to: float = 100.0) -> None:
    """Make the axis logarithmic where the values span it, with plain numbers as ticks.

    Up to a ratio of `dense_to` between the ends with ticks at 2 and 5, too.
    """
    finite = values[np.isfinite(values)]
    if not finite.size or finite.min() <= 0 or finite.max() < LOG_FROM_RATIO * finite.min():
        return
    ratio = finite.max() / finite.min()
    panel = axis.axes
    panel.set_xscale("log") if axis is panel.xaxis else panel.set_yscale("log")
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if ratio < dense_to else (1.0,)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))


def caption(figure: Figure, text: str) -> None:
    """Write a caption under the panels, small and left-aligned, broken at the figure's width."""
    size_pt = CAPTION_SHARE * mpl.rcParams["font.size"]
    room = int(figure.get_figwidth() * 72.0 / (size_pt * MEAN_GLYPH))
    text = "\n".join(fill(line, room, break_long_words=False) for line in text.splitlines())
    figure.supxlabel(text, x=0.012, ha="left", fontsize=size_pt, color="#444444")


def save(figure: Figure, path: Path) -> Path:
    """Write the figure as its suffix says, the same bytes each time, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    undated = {"Date": None} if path.suffix == ".svg" else None
    with mpl.rc_context({"svg.hashsalt": path.stem}):
        dpi = max(DPI, LEAST_PX / figure.get_figwidth())
        figure.savefig(path, dpi=dpi, metadata=undated)
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
        alignment="left",
        handletextpad=0.5,
        columnspacing=1.4,
    )
