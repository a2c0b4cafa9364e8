"""The (energy, latency) front of one layer on one machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from carbonopt.performance.explain import LayerPoint
from carbonopt.report import style
from carbonopt.report.scale import Scale, common_scale, quantity

_LOOKS = (
    *((style.BLUE, "o"), (style.ORANGE, "s"), (style.GREEN, "^"), (style.PINK, "D")),
    *((style.SKY, "P"), (style.YELLOW, "v")),
)
_OTHER, _OTHERS = (style.GREY, "X"), "other unrollings"


def best_product(points: Sequence[LayerPoint]) -> int:
    """Return the position of the point with the least energy x latency, the first on ties."""
    return min(range(len(points)), key=lambda i: points[i].energy_j * points[i].latency_s)


def unrolling_text(explanation: Mapping[str, Any]) -> str:
    """Return which loops run side by side on each dimension of the array.

    Examples
    --------
    >>> rows = {"dimension": "rows", "loops": {"C": 3.0, "FX": 2.5}}
    >>> unrolling_text({"in_parallel": [rows, {"dimension": "cols", "loops": {}}]})
    'rows C3 FX2.5 | cols -'
    """
    return " | ".join(
        f"{each['dimension']} "
        + (" ".join(f"{loop}{mean:.4g}" for loop, mean in each["loops"].items()) or "-")
        for each in explanation["in_parallel"]
    )


def plot_layer_front(points: Sequence[LayerPoint]) -> Figure:
    """Draw the front of a layer, coloured by unrolling, above the share of the array in use.

    The point of least energy x latency is ringed; the dotted curve joins all that equal it.

    Parameters
    ----------
    points
        Points of which none beats another, fastest first; at least one.
    """
    told = points[0].explanation
    title = f"{told['layer']} on {told['machine']}: energy against latency"
    with style.house_style():
        figure = Figure(figsize=(7.4, 6.4), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        _draw_points(upper, lower, points)
        style.head(figure, title, [upper], 2)
        style.caption(figure, _caption(points))
    return figure


def _caption(points: Sequence[LayerPoint]) -> str:
    """Say what was mapped, and what the lines are."""
    told = points[0].explanation
    loops = " ".join(f"{dim}{size}" for dim, size in told["loops"].items() if size > 1)
    many = f"{len(points)} mappings" if len(points) > 1 else "1 mapping"
    return (
        f"{loops or 'One product'}, {told['macs']:,} MACs; {told['model']} model; {many}: "
        "none found has less of both.\nDotted: the same energy x latency. Busy multipliers: "
        "black, over the whole latency; grey, while computing."
    )


def _draw_points(upper: Axes, lower: Axes, points: Sequence[LayerPoint]) -> None:
    """Draw energy and utilisation of all points over their latency."""
    latency, energy = _columns(points)
    across, up = common_scale(latency, "s"), common_scale(energy, "J")
    x, y = latency * across.factor, energy * up.factor
    style.scale_axis(upper.xaxis, x)
    style.scale_axis(upper.yaxis, y)
    upper.step(x, y, where="post", color=style.GREY, lw=0.9, zorder=2)
    unrollings = [unrolling_text(point.explanation) for point in points]
    shown = dict(zip(dict.fromkeys(unrollings), _LOOKS, strict=False))
    labels = np.array([name if name in shown else _OTHERS for name in unrollings])
    for name in dict.fromkeys(labels):
        colour, marker = shown.get(name, _OTHER)
        here = labels == name
        upper.scatter(
            x[here], y[here], 42, marker=marker, color=colour, edgecolors="white", linewidths=0.5,
            zorder=4, label=name,
        )  # fmt: skip
    _mark_best(upper, points, (x, y))
    upper.set_ylabel(up.label("energy"))
    _draw_utilisation(lower, points, x, across)


def _mark_best(panel: Axes, points: Sequence[LayerPoint], places: tuple[np.ndarray, ...]) -> None:
    """Ring the point of least energy x latency and trace its product over the panel."""
    x, y = places
    best = best_product(points)
    limits = panel.get_xlim(), panel.get_ylim()
    point = points[best]
    text = f"{quantity(point.energy_j, 'J', 3)}, {quantity(point.latency_s, 's', 3)}"
    panel.scatter(
        x[best], y[best], 150, facecolors="none", edgecolors=style.BLACK, linewidths=1.2, zorder=5,
        label=f"least energy x latency: {text}",
    )  # fmt: skip
    curve = np.geomspace(max(limits[0][0], x.min() / 2), limits[0][1], 200)
    panel.plot(curve, x[best] * y[best] / curve, ":", color=style.BLACK, lw=0.8, zorder=1)
    panel.set(xlim=limits[0], ylim=limits[1])


def _draw_utilisation(
    panel: Axes, points: Sequence[LayerPoint], x: np.ndarray, across: Scale
) -> None:
    """Draw the share of the multipliers that work, over all cycles and over those of computing."""
    used = [point.explanation["utilisation"] for point in points]
    busy, computing = (
        np.array([100 * each[name] for each in used]) for name in ("with_waiting", "array")
    )
    panel.plot(x, computing, ".-", color=style.GREY, lw=0.8, ms=4)
    panel.plot(x, busy, ".-", color=style.BLACK, lw=1.4)
    panel.set(ylim=(0, 104), ylabel="busy [%]", xlabel=across.label("latency"))


def _columns(points: Sequence[LayerPoint]) -> tuple[np.ndarray, np.ndarray]:
    """Return latency [s] and energy [J] of all points."""
    latency = np.array([point.latency_s for point in points])
    return latency, np.array([point.energy_j for point in points])
