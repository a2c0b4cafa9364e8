"""Where the energy of a network goes: by layer, level of the memory and type of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from carbonopt.arrays import Floats
from carbonopt.performance.eyeriss_estimator import Estimate
from carbonopt.report import style

_COLOURS = {
    "compute": style.GREY,
    "RF": style.SKY, "NoC": style.YELLOW, "buffer": style.GREEN, "DRAM": style.PINK,
    "weights": style.BLUE, "ifmap": style.ORANGE, "psum": style.GREEN,
}  # fmt: skip
_HATCHES = {"NoC": "..", "buffer": "//", "DRAM": "\\\\", "ifmap": "//", "psum": ".."}
_SUFFIXES = (".png", ".pdf")
_MOST_LABELS, _LONGEST, _WIDEST = 40, 22, 18.4
_TITLES = {
    "level": "by level of the memory",
    "type": "by type of the data",
}


def plot_estimate(found: Estimate, title: str, folder: Path) -> list[Path]:
    """Draw the five figures of an estimate, each as PNG and PDF, and return the files.

    Stacked bars per layer by data type and by level; shares by level, by type and by layer.
    """
    parts = {"type": found.by_type, "level": found.by_level}
    figures = {
        f"layers_by_{kind}": plot_layers(found.names, each, f"{title}, {_TITLES[kind]}")
        for kind, each in parts.items()
    }
    for kind, each in parts.items():
        totals = {name: float(values.sum()) for name, values in each.items()}
        figures[f"shares_by_{kind}"] = plot_shares(totals, f"{title}, {_TITLES[kind]}")
    by_layer = dict(zip(found.names, map(float, found.by_layer), strict=True))
    figures["shares_by_layer"] = plot_shares(by_layer, f"{title}, by layer")
    return [
        style.save(figure, folder / f"{name}{suffix}")
        for name, figure in figures.items()
        for suffix in _SUFFIXES
    ]


def plot_layers(names: Sequence[str], parts: Mapping[str, Floats], title: str) -> Figure:
    """Draw a stacked bar per layer; the height is its energy.

    Parameters
    ----------
    names
        Of the layers (n,).
    parts
        Name of a part to its energy in every layer (n,), in units of one 16-bit MAC.
    title
        Of the figure.
    """
    factor, word = _magnitude(float(np.sum(list(parts.values()), axis=0).max()))
    with style.house_style():
        figure = Figure(
            figsize=(min(max(6.4, 1.6 + 0.42 * len(names)), _WIDEST), 4.6), layout="constrained"
        )
        panel = figure.subplots()
        base = np.zeros(len(names))
        for part in _ordered(parts):
            heights = parts[part] / factor
            panel.bar(
                range(len(names)), heights, 0.72, bottom=base, label=part,
                color=_COLOURS[part], hatch=_HATCHES.get(part), edgecolor="white", linewidth=0.4,
            )  # fmt: skip
            base += heights
        _name_layers(panel, names)
        _total_bars(panel, base)
        panel.set_ylabel(f"energy [{word} 16-bit MACs]")
        panel.grid(visible=False, axis="x")
        panel.margins(x=0.01, y=0.1)
        style.head(figure, f"Energy of {title}", [panel], 5)
    return figure


def plot_shares(totals: Mapping[str, float], title: str) -> Figure:
    """Draw shares of the whole as horizontal bars, each with its share written beside it.

    Of more than 40 parts those with the largest shares have a bar, in falling order.
    """
    whole, drawn = sum(totals.values()), _largest(totals)
    names = [part for part in _ordered(drawn) if totals[part] > 0][::-1]
    shares = [100 * totals[part] / whole for part in names]
    with style.house_style():
        figure = Figure(figsize=(6.4, 1.3 + 0.3 * len(names)), layout="constrained")
        panel = figure.subplots()
        panel.barh(
            range(len(names)), shares, 0.68,
            color=[_COLOURS.get(part, style.BLUE) for part in names],
        )  # fmt: skip
        for place, share in enumerate(shares):
            panel.annotate(
                f"{share:.1f} %", (share, place), (4, 0), textcoords="offset points", va="center",
            )  # fmt: skip
        panel.set_yticks(range(len(names)), [_short(part) for part in names])
        panel.set_xlim(0, max(shares) * 1.14)
        panel.set_ylim(-0.6, len(names) - 0.4)
        panel.set_xlabel("share of the energy [%]")
        panel.grid(visible=False, axis="y")
        style.head(figure, f"Energy of {title}", [])
        if len(drawn) < len(totals):
            rest = 100 - sum(shares)
            others = len(totals) - len(drawn)
            style.caption(figure, f"{others} others, none with more, have {rest:.1f} % together.")
    return figure


def _largest(totals: Mapping[str, float]) -> dict[str, float]:
    """Return the parts that a figure has room for, the largest first where it has not for all."""
    if len(totals) <= _MOST_LABELS:
        return dict(totals)
    ranked = sorted(totals, key=lambda part: -totals[part])[:_MOST_LABELS]
    return {part: totals[part] for part in ranked}


def _ordered(parts: Mapping[str, object]) -> list[str]:
    """Return the parts in the order of the colours, any others as they come."""
    known = [part for part in _COLOURS if part in parts]
    return [*known, *(part for part in parts if part not in known)]


def _magnitude(most: float) -> tuple[float, str]:
    """Return a power of ten for an axis, and how it is read."""
    words = {1e9: "billion", 1e6: "million", 1e3: "thousand"}
    return next(((size, word) for size, word in words.items() if most >= size), (1.0, "single"))


def _name_layers(panel: Axes, names: Sequence[str]) -> None:
    """Write the names under the bars, every second or third where there are many."""
    step = -(-len(names) // _MOST_LABELS)
    short = [_short(name) for name in names]
    turned = max(map(len, short)) > 7 or len(names) > 14
    places = range(0, len(names), step)
    panel.set_xticks(places, [short[i] for i in places], rotation=90 if turned else 0)


def _total_bars(panel: Axes, totals: Floats) -> None:
    """Write the share of the whole over each bar, where there is room for it."""
    if len(totals) > _MOST_LABELS:
        return
    for place, total in enumerate(totals):
        panel.annotate(
            f"{100 * total / totals.sum():.0f} %", (place, total), (0, 2),
            textcoords="offset points", ha="center", fontsize=8,
        )  # fmt: skip


def _short(name: str) -> str:
    """Return the end of a long name."""
    return name if len(name) <= _LONGEST else "…" + name[1 - _LONGEST :]
