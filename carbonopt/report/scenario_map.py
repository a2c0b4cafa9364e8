"""Figure of winners: which design has the least carbon over lifetime and grid intensity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from string import ascii_uppercase

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.figure import Figure

from carbonopt.arrays import Floats, Ints
from carbonopt.carbon.operational import mean_over_lifetime
from carbonopt.carbon.task import Deployment
from carbonopt.front.front import Front
from carbonopt.front.pricing import Scenario
from carbonopt.front.winners import keeps_periods, winners
from carbonopt.report import style
from carbonopt.report.table import describe_design
from carbonopt.units import UNITS

POINTS = 120
LIFETIMES_Y, INTENSITIES = (0.5, 20.0), (5.0, 1200.0)
MOST_NAMED = 8
LEAST_LABELLED = 0.012
_S_PER_Y = UNITS["s"]["y"]


def plot_scenario_map(
    front: Front, deployments: Sequence[Deployment], scenario: Scenario
) -> Figure:
    """Draw the winner for every lifetime and grid, in CA and, where periods are known, in PA.

    Parameters
    ----------
    front
        Designs of a run, feasible ones compete.
    deployments, scenario
        Networks and preset; its own lifetime and intensity are marked.
    """
    lifetimes, intensities = (
        np.geomspace(low, high, POINTS) for low, high in (LIFETIMES_Y, INTENSITIES)
    )
    designs = front.evaluations[front.evaluations["feasible"].astype(bool)].reset_index(drop=True)
    maps: dict[str, Ints] = {}
    for activity in ("CA", "PA") if all(d.period_s for d in deployments) else ("CA",):
        judged = replace(scenario, activity=activity)
        rows = np.flatnonzero(keeps_periods(designs, deployments, judged))
        if len(rows):
            won = winners(
                designs.iloc[rows], deployments, judged, lifetimes * _S_PER_Y, intensities
            )
            maps[activity] = rows[won]
    order = _by_area(np.concatenate([won.ravel() for won in maps.values()]))
    letters = dict(zip(order, ascii_uppercase, strict=False))
    colours = _design_colours(designs, order)
    with style.house_style():
        figure = Figure(figsize=(5.0 * len(maps) + 0.4, 5.6), layout="constrained")
        panels = figure.subplots(1, len(maps), squeeze=False)[0]
        for panel, (activity, won) in zip(panels, maps.items(), strict=True):
            draw_map(panel, won, (intensities, lifetimes), letters, colours)
            mark(panel, scenario)
            panel.set_title(
                {"CA": "CA: tasks back to back", "PA": "PA: one task per period"}[activity]
            )
        title = f"{front.name}: least carbon per inference, preset {scenario.preset.name}"
        _name_templates(panels[0], designs, order)
        style.head(figure, title, panels[:1])
        style.caption(figure, _caption(designs, front.variables, maps, letters))
    return figure


def draw_map(
    panel: Axes,
    won: Ints,
    axes: tuple[Floats, Floats],
    letters: dict[int, str],
    colours: dict[int, tuple[float, ...]],
) -> None:
    """Paint the winner of every point, draw the borders and write letters into the regions."""
    present = np.unique(won)
    codes = np.searchsorted(present, won)
    paint = ListedColormap([colours[int(design)] for design in present])
    panel.pcolormesh(
        *axes, codes, cmap=paint, vmin=-0.5, vmax=len(present) - 0.5, shading="nearest"
    )
    for code, design in enumerate(present):
        here = codes == code
        if not here.all():
            panel.contour(*axes, here, levels=[0.5], colors="white", linewidths=0.8)
        if here.mean() >= LEAST_LABELLED and int(design) in letters:
            row, column = _inmost(here)
            panel.annotate(
                letters[int(design)], (axes[0][column], axes[1][row]), ha="center", va="center",
                fontsize=10, color=style.BLACK,
            )  # fmt: skip
    panel.set(
        xscale="log", yscale="log", xlabel="grid intensity in use, mean over the life [g/kWh]"
    )
    panel.set(ylabel="lifetime [y]")
    panel.set_xticks([5, 10, 50, 100, 500, 1000], ["5", "10", "50", "100", "500", "1,000"])
    panel.set_yticks([0.5, 1, 2, 5, 10, 20], ["0.5", "1", "2", "5", "10", "20"])
    panel.minorticks_off()
    panel.grid(visible=False)


def mark(panel: Axes, scenario: Scenario) -> None:
    """Mark the scenario's own lifetime and intensity."""
    preset = scenario.preset
    fall = mean_over_lifetime(preset.decarbonisation_per_year, preset.lifetime_s)
    panel.plot(
        float(np.mean(preset.drawn_g_per_kwh * fall)),
        float(np.mean(preset.lifetime_s)) / _S_PER_Y,
        "+", color=style.BLACK, ms=11, mew=1.6, ls="none", label="this scenario",
    )  # fmt: skip


def _inmost(here: np.ndarray) -> tuple[int, int]:
    """Point of a region that lies near its middle, for a letter."""
    rows, columns = np.nonzero(here)
    middle = (rows - np.median(rows)) ** 2 + (columns - np.median(columns)) ** 2
    nearest = int(middle.argmin())
    return int(rows[nearest]), int(columns[nearest])


def _by_area(won: Ints) -> list[int]:
    """Designs that win somewhere, the one that wins most first."""
    designs, counts = np.unique(won, return_counts=True)
    return [int(design) for design in designs[np.argsort(-counts, kind="stable")]]


def _design_colours(designs: pd.DataFrame, order: Sequence[int]) -> dict[int, tuple[float, ...]]:
    """Colour of every winner: its template's, paler from winner to winner."""
    templates = _templates(designs)
    looks = style.template_looks(templates)
    seen: dict[str, int] = {}
    colours = {}
    for design in order:
        template = templates[design]
        shade = (0.30, 0.45, 0.58, 0.68)[seen.get(template, 0) % 4]
        seen[template] = seen.get(template, 0) + 1
        strong = np.array(to_rgb(looks[template][0]))
        colours[design] = tuple(strong + (1.0 - strong) * shade)
    return colours


def _templates(designs: pd.DataFrame) -> list[str]:
    """Template of every design, '' where there is none."""
    if "template" not in designs:
        return [""] * len(designs)
    return designs["template"].astype(str).tolist()


def _name_templates(panel: Axes, designs: pd.DataFrame, order: Sequence[int]) -> None:
    """Put the templates that win somewhere into the legend."""
    templates = _templates(designs)
    for template, (colour, _) in style.template_looks(templates[i] for i in order).items():
        strong = np.array(to_rgb(colour))
        panel.scatter(
            [], [], 70, marker="s", color=[strong + (1.0 - strong) * 0.30],
            label=template or "design",
        )  # fmt: skip


def _caption(
    designs: pd.DataFrame, variables: Sequence[str], maps: dict[str, Ints], letters: dict[int, str]
) -> str:
    """Name the winners, with the share of each map that they hold."""
    lines = []
    for design, letter in list(letters.items())[:MOST_NAMED]:
        shares = ", ".join(f"{name} {np.mean(won == design):.0%}" for name, won in maps.items())
        lines.append(f"{letter}  {describe_design(designs.iloc[design], variables)} ({shares})")
    more = len({int(i) for won in maps.values() for i in np.unique(won)}) - len(lines)
    lines += [f"and {more} more."] if more > 0 else []
    return "\n".join([*lines, "Shades of one colour are designs of one template."])
