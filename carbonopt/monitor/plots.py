"""Figures of a run in progress, as objects of plotly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from carbonopt.report.columns import parts_of, short_label
from carbonopt.report.palette import BLUE, GREY, part_colours
from carbonopt.report.scale import common_scale
from carbonopt.report.table import describe_design
from carbonopt.units import unit_of

BROKEN_DOWN = ("carbon_ca_g", "carbon_pa_g", "energy_j")
_MOST_BARS = 40
_MOST_POINTS = 400


def breakdown_figure(front: pd.DataFrame, name: str, variables: Sequence[str]) -> go.Figure:
    """Stack the parts of a metric for the designs of a front, the least first.

    Of more than 40 designs, 40 are drawn, evenly picked.
    """
    ordered = front.sort_values(name, kind="stable").reset_index(drop=True)
    shown = evenly(ordered, _MOST_BARS)
    parts = [part for part in parts_of(shown, name) if shown[f"{name}.{part}"].any()]
    scale = common_scale(shown[name].to_numpy(float), unit_of(name))
    places = [str(place + 1) for place in shown.index]
    texts = [describe_design(design, variables) for _, design in shown.iterrows()]
    bars = [
        {
            "type": "bar",
            "name": part.replace("_", " "),
            "x": places,
            "y": (shown[f"{name}.{part}"].to_numpy(float) * scale.factor).tolist(),
            "marker": {"color": colour},
            "hovertext": texts,
        }
        for part, colour in part_colours(parts).items()
    ]
    label = short_label(name)
    of_all = "" if len(shown) == len(front) else f" ({len(shown)} of {len(front)})"
    layout = {
        "barmode": "stack",
        "xaxis": {"title": {"text": f"design of the front, least first{of_all}"},
                  "type": "category"},
        "yaxis": {"title": {"text": scale.label(label)}},
    }  # fmt: skip
    return _figure(f"Where the {label} of the front goes", bars, layout)


def hypervolume_figure(history: pd.DataFrame, exact: float) -> go.Figure:
    """Draw the log hypervolume over the designs evaluated, with that of the exact front."""
    shown = evenly(history, _MOST_POINTS)
    designs = shown["distinct"].tolist()
    lines = [
        {
            "type": "scatter",
            "name": "this run",
            "x": designs,
            "y": shown["hypervolume"].tolist(),
            "mode": "lines+markers",
            "line": {"color": BLUE, "shape": "hv"},
            "marker": {"size": 4},
        }
    ]
    if math.isfinite(exact):
        lines.append(
            {
                "type": "scatter",
                "name": "exact front",
                "x": [0, designs[-1]],
                "y": [exact, exact],
                "mode": "lines",
                "line": {"color": GREY, "dash": "dash"},
            }
        )
    layout = {
        "xaxis": {"title": {"text": "distinct designs evaluated"}},
        "yaxis": {"title": {"text": "log hypervolume [decades to the power of objectives]"}},
    }
    return _figure("Hypervolume of the front so far", lines, layout)


def evenly(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """Pick up to so many rows of a table, evenly, the first and the last among them.

    Examples
    --------
    >>> evenly(pd.DataFrame({"a": range(9)}), 3)["a"].tolist()
    [0, 4, 8]
    """
    places = np.unique(np.linspace(0, len(table) - 1, min(len(table), most)).round().astype(int))
    return table.iloc[places]


def _figure(title: str, traces: list[dict[str, Any]], layout: dict[str, Any]) -> go.Figure:
    """Make a figure as it is: checking each field takes plotly a hundred times longer."""
    shared = {"title": {"text": title}, "plot_bgcolor": "white", "legend": {"traceorder": "normal"},
              "margin": {"l": 70, "r": 20, "t": 60, "b": 60}}  # fmt: skip
    for axis in ("xaxis", "yaxis"):
        layout[axis] |= {"gridcolor": "#E6E8EB", "linecolor": "#555555"}
    figure = {"data": traces, "layout": {**shared, **layout}, "frames": []}
    return go.Figure(figure, _validate=False)
