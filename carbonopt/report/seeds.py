"""Statistics over seeds as table, files and figure."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from carbonopt.front.seeds import EPSILON, HYPERVOLUME, SHARE, SeedStatistics, Surface
from carbonopt.report import style
from carbonopt.report.columns import short_label
from carbonopt.report.scale import common_scale
from carbonopt.report.table import aligned
from carbonopt.store import replace, table_bytes
from carbonopt.store.files import unwritable

DODGE = 1.03
"""Factor between the places of two searchers at one budget, so that their ranges stand apart."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
_LEGEND = (
    "median (worst to best) of the seeds",
    "log-HV: logarithmic hypervolume relative to the reference front, with its quartiles",
    "within 2 %: share of the reference front reached; eps: factor by which its worst is missed",
    "better than: Mann-Whitney, Holm-corrected p < 0.05; with A12, how often a run is better",
)


def write_statistics(found: SeedStatistics, folder: Path) -> list[Path]:
    """Write tables, figure (PNG, SVG) and a page in Markdown; return the files.

    Raises
    ------
    StoreError
        The folder cannot be written.
    """
    figure = plot_seeds(found)
    try:
        files = [style.save(figure, folder / f"statistics.{kind}") for kind in ("png", "svg")]
    except OSError as error:
        raise unwritable(folder, error) from error
    tables = {"runs": found.runs, "groups": found.groups, "comparisons": found.comparisons}
    surfaces = [surface.rows.assign(problem=surface.problem) for surface in found.surfaces]
    if surfaces:
        attained = pd.concat(surfaces, ignore_index=True)
        tables["attainment"] = attained[["problem", *attained.columns.drop("problem")]]
    for name, table in tables.items():
        replace(folder / f"{name}.csv", table_bytes(table))
        files.append(folder / f"{name}.csv")
    replace(folder / "statistics.md", statistics_page(found).encode())
    return [*files, folder / "statistics.md"]


def statistics_columns(found: SeedStatistics) -> dict[str, list[str]]:
    """Return the one table of a campaign as columns of text, a line per group of seeds."""
    groups = found.groups.to_dict("records")
    problems = {row["problem"] for row in groups}
    columns = {"problem": [str(row["problem"]) for row in groups]} if len(problems) > 1 else {}
    return {
        **columns,
        "budget": [f"{row['budget']:,}" for row in groups],
        "searcher": [str(row["searcher"]) for row in groups],
        "seeds": [str(row["seeds"]) for row in groups],
        "log-HV": [_spread(row, HYPERVOLUME, "{:.3f}") for row in groups],
        "quartiles": [_quartiles(row) for row in groups],
        "within 2 %": [_spread(row, SHARE, "{:.0%}") for row in groups],
        "eps": [_spread(row, EPSILON, "{:.2f}") for row in groups],
        "better than": [_better_than(row, found.comparisons) for row in groups],
    }


def statistics_text(found: SeedStatistics) -> str:
    """Return the table for a terminal, with what its columns mean."""
    return "\n".join([aligned(statistics_columns(found)), "", *_LEGEND, *found.notices])


def statistics_page(found: SeedStatistics) -> str:
    """Return the table and the figure as a page in Markdown."""
    columns = statistics_columns(found)
    lines = [f"# {found.name}", "", *([found.question, ""] if found.question else [])]
    lines += [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    lines += [f"| {' | '.join(cells)} |" for cells in zip(*columns.values(), strict=True)]
    lines += ["", *(f"- {told}" for told in (*_LEGEND, *found.notices))]
    return "\n".join([*lines, "", "![statistics](statistics.svg)", ""])


def plot_seeds(found: SeedStatistics) -> Figure:
    """Draw, for each problem, quality over the budget and the median attainment surfaces.

    Left: median of the logarithmic hypervolume ratio with the range of the seeds. Right: what
    half of the seeds attain with the largest budget, in two objectives, over the reference front.
    """
    surfaces = {surface.problem: surface for surface in found.surfaces}
    problems = list(dict.fromkeys(found.groups["problem"]))
    searchers = list(dict.fromkeys(found.groups["searcher"]))
    looks = dict(zip(searchers, _looks(len(searchers)), strict=True))
    with style.printed_style():
        figure = Figure(figsize=(style.PAGE_IN, 2.5 * len(problems) + 0.9), layout="constrained")
        panels = style.panels(figure, len(problems), 2)
        for (left, right), problem in zip(panels, problems, strict=True):
            groups = found.groups[found.groups["problem"] == problem]
            _draw_quality(left, groups, looks)
            left.set_title(problem)
            if problem in surfaces:
                _draw_surface(right, surfaces[problem], looks)
            else:
                right.set_axis_off()
        style.head(figure, f"{found.name}: {_seeds_text(found)}", panels.ravel(), columns=6)
        style.caption(figure, "\n".join(found.notices))
    return figure


def _draw_quality(panel: Axes, groups: pd.DataFrame, looks: Mapping[str, tuple[str, str]]) -> None:
    """Draw median and range of the best measure that a problem has over the budget."""
    has_volume = bool(groups[f"{HYPERVOLUME}_median"].notna().all())
    measure = HYPERVOLUME if has_volume else EPSILON
    budgets = sorted(set(groups["budget"]))
    for searcher, part in groups.groupby("searcher", sort=False):
        line = part.sort_values("budget")
        colour, marker = looks[str(searcher)]
        place = list(looks).index(str(searcher))
        at = line["budget"].to_numpy(float) * DODGE**place if len(budgets) > 1 else [float(place)]
        low, median, high = (
            line[f"{measure}_{q}"].to_numpy(float) for q in ("low", "median", "high")
        )
        panel.errorbar(
            at, median, [median - low, high - median], marker=marker, color=colour, capsize=2,
            elinewidth=0.8, label=str(searcher),
        )  # fmt: skip
    _label_budgets(panel, budgets, list(looks))
    panel.set_ylabel("log hypervolume / reference front's" if has_volume else "epsilon")


def _label_budgets(panel: Axes, budgets: Sequence[int], searchers: Sequence[str]) -> None:
    """Lay the axis of budgets; a single budget leaves room to name the searchers instead."""
    if len(budgets) == 1:
        panel.set_xticks(range(len(searchers)), searchers)
        panel.set_xlim(-0.6, len(searchers) - 0.4)
        panel.set_xlabel(f"{budgets[0]:,} designs evaluated")
        return
    panel.set_xscale("log")
    panel.xaxis.set_major_locator(FixedLocator(budgets))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    panel.set_xlabel("designs evaluated")


def _draw_surface(panel: Axes, surface: Surface, looks: Mapping[str, tuple[str, str]]) -> None:
    """Draw what half of the seeds attain with the largest budget, and the reference front."""
    names = [metric.name for metric in surface.pair]
    budget = surface.rows["budget"].max() if len(surface.rows) else 0
    drawn = surface.rows[surface.rows["budget"] == budget]
    every = np.vstack([drawn[names].to_numpy(float), surface.reference])
    factors = []
    for axis, metric, values in zip((panel.xaxis, panel.yaxis), surface.pair, every.T, strict=True):
        scale = common_scale(values, metric.unit)
        style.scale_axis(axis, values * scale.factor)
        axis.set_label_text(scale.label(short_label(metric)))
        factors.append(scale.factor)
    for searcher, part in drawn.groupby("searcher", sort=False):
        points = part[names].to_numpy(float) * factors
        panel.step(*points.T, where="post", color=looks[str(searcher)][0], linewidth=1.3)
    reference = surface.reference * factors
    panel.scatter(
        reference[:, 0], reference[:, 1], 14, facecolors="none", edgecolors=style.BLACK,
        linewidths=0.7, label="reference front", zorder=4,
    )  # fmt: skip
    panel.set_title(f"median attainment after {budget:,} designs")


def _looks(count: int) -> list[tuple[str, str]]:
    """Colour and marker of so many searchers."""
    colours = style.SPARE_COLOURS
    return [(colours[i % len(colours)], MARKERS[i % len(MARKERS)]) for i in range(count)]


def _seeds_text(found: SeedStatistics) -> str:
    """Say how many seeds a line stands for."""
    low, high = found.groups["seeds"].min(), found.groups["seeds"].max()
    many = str(low) if low == high else f"{low} to {high}"
    return f"median and range of {many} seeds" if high > 1 else "one seed"


def _spread(row: Mapping[Hashable, Any], measure: str, form: str) -> str:
    """Return median and range of a measure, '-' where there is none."""
    values = [row[f"{measure}_{name}"] for name in ("median", "low", "high")]
    if np.isnan(values[0]):
        return "-"
    median, low, high = (form.format(value) for value in values)
    if row["seeds"] == 1:
        return median
    worst, best = (high, low) if measure == EPSILON else (low, high)
    return f"{median} ({worst}-{best})"


def _quartiles(row: Mapping[Hashable, Any]) -> str:
    """Return the quartiles of the hypervolume ratio, '-' where there is none."""
    first, third = (row[f"{HYPERVOLUME}_{name}"] for name in ("q1", "q3"))
    return "-" if np.isnan(first) or row["seeds"] == 1 else f"{first:.3f}-{third:.3f}"


def _better_than(row: Mapping[Hashable, Any], comparisons: pd.DataFrame) -> str:
    """Return the searchers that one beats significantly, each with the probability A12."""
    key = (comparisons["problem"] == row["problem"]) & (comparisons["budget"] == row["budget"])
    won = comparisons[key & (comparisons["better"] == row["searcher"])]
    told = []
    for pair in won.to_dict("records"):
        is_first = pair["first"] == row["searcher"]
        other, a12 = (pair["second"], pair["a12"]) if is_first else (pair["first"], 1 - pair["a12"])
        told.append(f"{other} {a12:.2f}")
    return ", ".join(told) or "-"
