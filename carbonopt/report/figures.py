"""Figures of one run: front, carbon in both scenarios, progress of the search."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure

from carbonopt.front.front import Front
from carbonopt.objectives import METRICS, Metric, metric
from carbonopt.report import style
from carbonopt.report.breakdown import BROKEN_DOWN, plot_breakdown
from carbonopt.report.columns import (
    exact_hypervolume,
    limit_of,
    mean_note,
    metrics_of,
    parts_of,
    short_label,
)
from carbonopt.report.scale import common_scale, quantity

FAVOURITE_PAIRS = (
    ("latency_s", "energy_j"),
    ("latency_s", "carbon_ca_g"),
    ("energy_j", "carbon_pa_g"),
    ("carbon_ca_g", "carbon_pa_g"),
)
CARBON = ("carbon_ca_g", "carbon_pa_g")
MAX_PANELS = 4

Points = Callable[[pd.DataFrame], tuple[np.ndarray, np.ndarray]]


def plot_run(front: Front, out_dir: Path) -> list[Path]:
    """Draw every figure that a run has data for and return the files written."""
    figures = {"front": plot_front(front)}
    if len(front) and set(CARBON) <= set(front.evaluations):
        figures["carbon"] = plot_carbon(front)
    if len(front) and any(parts_of(front.evaluations, name) for name in BROKEN_DOWN):
        figures["breakdown"] = plot_breakdown(front)
    if measured(front):
        figures["hypervolume"] = plot_hypervolume(front)
    return [style.save(figure, out_dir / f"{name}.png") for name, figure in figures.items()]


def measured(front: Front) -> bool:
    """Whether the logarithmic hypervolume of a search is known, over its designs."""
    if front.history is None or front.reference_point is None:
        return False
    return bool(front.history["hypervolume"].notna().any())


def panel_pairs(objectives: Sequence[str]) -> list[tuple[str, str]]:
    """Choose at most four pairs of objectives to draw, the telling ones first.

    Examples
    --------
    >>> panel_pairs(["latency_s", "area_mm2", "energy_j"])
    [('latency_s', 'energy_j'), ('latency_s', 'area_mm2'), ('area_mm2', 'energy_j')]
    """
    favourites = [pair for pair in FAVOURITE_PAIRS if set(pair) <= set(objectives)]
    others = [
        pair
        for pair in itertools.combinations(objectives, 2)
        if pair not in favourites and pair[::-1] not in favourites
    ]
    return [*favourites, *others][:MAX_PANELS]


def plot_front(front: Front, path: str | Path | None = None) -> Figure:
    """Draw the front over the dominated cloud, one panel per pair of objectives.

    Infeasible designs are small crosses, what lies beyond a limit is shaded, and the exact
    front, where the problem ships one, is drawn as rings with its outline. A single objective
    is drawn against another metric.

    Parameters
    ----------
    front
        Front of a run.
    path
        Where to write the figure; not written where there is none.
    """
    drawn = {m.name: m for m in front.metrics}
    if len(drawn) == 1:
        drawn = {m.name: m for m in metrics_of(front.evaluations, front.metrics, METRICS)[:2]}
    pairs = panel_pairs(list(drawn)) or [(front.objectives[0], front.objectives[0])]
    columns = {1: 1, 2: 2, 3: 3, 4: 2}[len(pairs)]
    rows = -(-len(pairs) // columns)
    with style.house_style():
        figure = Figure(figsize=(4.9 * columns + 0.4, 3.9 * rows + 1.1), layout="constrained")
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for panel, (first, second) in zip(panels, pairs, strict=True):
            draw_pair(panel, (drawn[first], drawn[second]), front)
        style.head(figure, f"{front.name}: front of {len(front)} designs", panels)
        style.caption(figure, front_caption(front))
    if path is not None:
        style.save(figure, Path(path))
    return figure


def draw_pair(panel: Axes, pair: tuple[Metric, Metric], front: Front) -> None:
    """Draw found front, cloud, crosses, limits and exact front of one pair of metrics."""
    best, evaluated = front.to_pandas(), front.evaluations
    exact = best.head(0) if front.reference is None else front.reference
    points = lay_axes(panel, pair, [best, evaluated, exact])
    feasible = evaluated["feasible"].astype(bool)
    draw_designs(panel, best, points)
    if feasible.sum() > len(best):
        panel.scatter(
            *points(evaluated[feasible]), 9, color=style.CLOUD, linewidths=0, label="dominated"
        )
    crosses = evaluated[~feasible].dropna(subset=[m.name for m in pair])
    if len(crosses):
        panel.scatter(
            *points(crosses), 9, marker="x", color=style.INFEASIBLE, linewidths=0.6, alpha=0.7,
            label="infeasible",
        )  # fmt: skip
    if len(exact):
        draw_reference(panel, *points(exact))
    shade_limits(panel, pair, evaluated, points)


def lay_axes(panel: Axes, pair: tuple[Metric, Metric], tables: Sequence[pd.DataFrame]) -> Points:
    """Scale and label both axes for all tables; return what maps a table onto them."""
    factors = []
    for axis, shown in zip((panel.xaxis, panel.yaxis), pair, strict=True):
        values = np.concatenate([table[shown.name].to_numpy(float) for table in tables])
        scale = common_scale(values, shown.unit)
        style.scale_axis(axis, values * scale.factor)
        axis.set_label_text(scale.label(short_label(shown)))
        factors.append(scale.factor)

    def points(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        first, second = (table[shown.name].to_numpy(float) for shown in pair)
        return first * factors[0], second * factors[1]

    return points


def draw_designs(panel: Axes, designs: pd.DataFrame, points: Points) -> None:
    """Mark the found front, one colour and marker per template."""
    templates = _templates(designs)
    for template, (colour, marker) in style.template_looks(templates).items():
        panel.scatter(
            *points(designs[templates == template]), 30, marker=marker, color=colour,
            edgecolors="white", linewidths=0.5, zorder=4, label=template or "front",
        )  # fmt: skip


def draw_reference(panel: Axes, first: np.ndarray, second: np.ndarray) -> None:
    """Ring the designs of the exact front and trace the best of them in this panel."""
    panel.scatter(
        first, second, 62, facecolors="none", edgecolors=style.GREY, linewidths=0.7, zorder=3,
        label="exact front",
    )  # fmt: skip
    order = np.lexsort((second, first))
    first, second = first[order], second[order]
    best = np.r_[True, second[1:] < np.minimum.accumulate(second)[:-1]]
    panel.step(
        first[best], second[best], where="post", color=style.BLACK, lw=0.8, alpha=0.6, zorder=3
    )


def shade_limits(
    panel: Axes, pair: tuple[Metric, Metric], evaluations: pd.DataFrame, points: Points
) -> None:
    """Shade what lies beyond the limit of an axis, as far as the panel reaches."""
    limits = pd.DataFrame([{shown.name: limit_of(evaluations, shown.name) for shown in pair}])
    spans: tuple[Callable[..., object], ...] = (panel.axvspan, panel.axhspan)
    ends = (panel.get_xlim(), panel.get_ylim())
    for limit, span, (low, high) in zip(points(limits), spans, ends, strict=True):
        if low < limit[0] < high:
            span(limit[0], high, color=style.LIMIT, zorder=0, label="beyond the limit")
    panel.set(xlim=ends[0], ylim=ends[1])


def front_caption(front: Front) -> str:
    """Say what was evaluated, what is feasible, and which exact front is drawn."""
    evaluated = front.evaluations
    feasible = int(evaluated["feasible"].astype(bool).sum())
    lines = [f"{len(evaluated)} designs evaluated, {feasible} within all limits."]
    if front.run_dir is None and len(front) == len(evaluated):
        lines = ["Only designs of the front are given."]
    lines += mean_note(evaluated)
    if front.reference is not None:
        lines.append(
            f"Rings: exact front, {len(front.reference)} designs; "
            "the line joins the best of them in each panel."
        )
    return "\n".join(lines)


def plot_carbon(front: Front) -> Figure:
    """Draw carbon CA against carbon PA, coloured by SRAM size and marked by template.

    The figure of CarbonSpot: accelerators that finish as fast as they can against
    accelerators that keep a frame period.
    """
    table = front.evaluations[front.evaluations["feasible"].astype(bool)]
    with style.house_style():
        figure = Figure(figsize=(7.6, 5.9), layout="constrained")
        panel = figure.subplots()
        points = lay_axes(panel, (metric(CARBON[0]), metric(CARBON[1])), [table])
        draw_capacities(figure, panel, table, points)
        panel.scatter(
            *points(front.to_pandas()), 70, facecolors="none", edgecolors=style.BLACK,
            linewidths=0.8, label="on the front",
        )  # fmt: skip
        style.head(figure, f"{front.name}: carbon of one task in both scenarios", [panel], 5)
        style.caption(
            figure,
            "CA charges a task its share of a life of back-to-back tasks, "
            f"PA a whole frame period.\n{len(table)} feasible designs.",
        )
    return figure


def draw_capacities(figure: Figure, panel: Axes, table: pd.DataFrame, points: Points) -> None:
    """Scatter the designs, coloured by SRAM capacity where the table has several."""
    templates = _templates(table)
    column = next((str(name) for name in table if str(name).startswith("sram")), "")
    sizes = np.sort(table[column].unique()) if column else np.array([])
    ramp = colormaps["viridis"](np.linspace(0.0, 0.92, len(sizes)))
    for template, (colour, marker) in style.template_looks(templates).items():
        here = table[templates == template]
        paint = ramp[np.searchsorted(sizes, here[column])] if len(sizes) > 1 else colour
        panel.scatter(
            *points(here), 26, marker=marker, color=paint, edgecolors="white", linewidths=0.3
        )
        legend_colour = style.GREY if len(sizes) > 1 else colour
        panel.scatter([], [], 30, marker=marker, color=legend_colour, label=template or "design")
    if len(sizes) > 1:
        draw_ramp(figure, panel, ramp, [quantity(size, "byte") for size in sizes])


def draw_ramp(figure: Figure, panel: Axes, ramp: np.ndarray, labels: list[str]) -> None:
    """Draw the bar that names the capacity of each colour; `ramp` is (n, 4)."""
    norm = BoundaryNorm(np.arange(len(ramp) + 1) - 0.5, len(ramp))
    bar = figure.colorbar(
        ScalarMappable(norm, ListedColormap(ramp)), ax=panel, label="SRAM", pad=0.02
    )
    bar.set_ticks(range(len(ramp)), labels=labels)
    bar.minorticks_off()
    bar.ax.tick_params(length=0)
    bar.outline.set_visible(False)


def plot_hypervolume(front: Front) -> Figure:
    """Draw hypervolume and feasible share over the number of designs evaluated."""
    history = front.history if front.history is not None else pd.DataFrame()
    evaluations = history["distinct"]
    with style.house_style():
        figure = Figure(figsize=(6.8, 5.2), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        upper.step(
            evaluations, history["hypervolume"], ".-", where="post", color=style.BLUE, lw=1.6,
            label="found",
        )  # fmt: skip
        whole = exact_hypervolume(front.reference, front.objectives, front.reference_point)
        if whole > 0:
            upper.axhline(whole, color=style.BLACK, lw=0.9, ls="--", label="exact front")
        lower.step(
            evaluations,
            100 * history["feasible_share"],
            ".-",
            where="post",
            color=style.GREEN,
            lw=1.4,
        )
        upper.set(ylabel=f"hypervolume [decades$^{len(front.metrics)}$]")
        lower.set(ylabel="feasible [%]", xlabel="designs evaluated", ylim=(-4, 104), xlim=(0, None))
        style.head(figure, f"{front.name}: progress of the search", [upper])
        style.caption(figure, progress_caption(front, history, whole))
    return figure


def progress_caption(front: Front, history: pd.DataFrame, whole: float) -> str:
    """Say what the hypervolume is measured against and how much of it was reached."""
    lines = []
    if whole > 0:
        share = history["hypervolume"].iloc[-1] / whole
        lines.append(f"Reached {share:.2%} of the exact front's hypervolume.")
    if front.reference_point is not None:
        point = [
            f"{short_label(m)} {quantity(front.reference_point[m.name], m.unit)}"
            for m in front.metrics
        ]
        lines.append(f"Logarithmic, from the reference point {', '.join(point)}.")
    return "\n".join(lines)


def _templates(table: pd.DataFrame) -> pd.Series[str]:
    if "template" in table:
        return table["template"].astype(str)
    return pd.Series("", index=table.index)
