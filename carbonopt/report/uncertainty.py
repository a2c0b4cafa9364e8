"""Figure of uncertain carbon: the band of the front, who stays on it, and why."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from carbonopt.front.uncertainty import Uncertainty
from carbonopt.report import style
from carbonopt.report.columns import short_label
from carbonopt.report.scale import Scale, common_scale

LEAST_SHARE = 0.005
RAMP = "viridis_r"
MOST_SPANS = 12
BEYOND = 1.5


def plot_uncertainty(name: str, found: Sequence[Uncertainty], samples: int) -> Figure:
    """Draw a row per activity: the attainment band with the designs, and the variance shares.

    Parameters
    ----------
    name
        Name of the problem.
    found
        What `assess` found, one per activity.
    samples
        How many samples were drawn.
    """
    with style.house_style():
        figure = Figure(figsize=(10.4, 4.1 * len(found) + 1.0), layout="constrained")
        panels = figure.subplots(len(found), 2, squeeze=False, width_ratios=(3, 2))
        for row, each in zip(panels, found, strict=True):
            draw_band(row[0], each)
            draw_causes(row[1], each)
        ramp = ScalarMappable(Normalize(0, 100), RAMP)
        bar = figure.colorbar(ramp, ax=panels[:, 0], pad=0.02, aspect=30 * len(found))
        bar.set_label("samples in which the design is on the front [%]")
        bar.outline.set_visible(False)
        style.head(figure, f"{name}: how far the carbon is uncertain", panels[0])
        style.caption(figure, _caption(found, samples))
    return figure


def draw_band(panel: Axes, found: Uncertainty) -> None:
    """Draw the carbon that is reached over the latency, and the designs by their share."""
    band, designs = found.band, found.designs
    seconds = common_scale(band["latency_s"].to_numpy(float), "s")
    shown = designs[designs["nominal_front"] | (designs["share"] > LEAST_SHARE)]
    band = band[band["latency_s"] <= BEYOND * shown["latency_s"].max()]
    grams = common_scale(band[["low", "high"]].to_numpy(float).ravel(), "g")
    steps = band.drop_duplicates("latency_s")
    latency = steps["latency_s"].to_numpy(float) * seconds.factor
    panel.fill_between(
        latency, steps["low"] * grams.factor, steps["high"] * grams.factor, step="post",
        color=style.SKY, alpha=0.28, linewidth=0, label="reached in 5 to 95 % of the samples",
    )  # fmt: skip
    panel.step(
        latency, steps["middle"] * grams.factor, where="post", color=style.BLUE, lw=1.2,
        label="reached in half of the samples",
    )  # fmt: skip
    _draw_designs(panel, shown, (seconds, grams))
    for axis, values in ((panel.xaxis, latency), (panel.yaxis, band[["low", "high"]].to_numpy())):
        style.scale_axis(axis, values if axis is panel.xaxis else values.ravel() * grams.factor)
    panel.set(
        xlabel=seconds.label("latency"), ylabel=grams.label(short_label(found.scenario.metric))
    )


def _draw_designs(panel: Axes, shown: pd.DataFrame, scales: tuple[Scale, Scale]) -> None:
    """Mark every design at its nominal carbon; a few also with their own 5 to 95 % as a line."""
    x = shown["latency_s"].to_numpy(float) * scales[0].factor
    paint = colormaps[RAMP](shown["share"].to_numpy(float))
    if len(shown) <= MOST_SPANS:
        low, high = (shown[name] * scales[1].factor for name in ("low", "high"))
        panel.vlines(x, low, high, colors=paint, linewidths=1.0, alpha=0.7)
    panel.scatter(
        x, shown["nominal"] * scales[1].factor, 30, c=paint, edgecolors="white", linewidths=0.5,
        zorder=4, label="design, nominal",
    )  # fmt: skip


def draw_causes(panel: Axes, found: Uncertainty) -> None:
    """Draw the share of the variance by parameter, alone and with interactions."""
    causes = found.causes[found.causes["total"] >= LEAST_SHARE].iloc[::-1]
    names = causes["parameter"].tolist()
    panel.barh(
        names, 100 * causes["total"], 0.66, color=style.CLOUD, label="with interactions (total)"
    )
    panel.barh(
        names, 100 * causes["first"].clip(lower=0.0), 0.4, color=style.ORANGE,
        label="alone (first order)",
    )  # fmt: skip
    for place, total in enumerate(causes["total"]):
        panel.annotate(
            f"{total:.0%}" if total >= 0.01 else "<1%", (100 * total, place), (4, 0),
            textcoords="offset points", va="center", fontsize=8.5,
        )  # fmt: skip
    panel.set(xlabel=f"share of the variance, {short_label(found.scenario.metric)} [%]")
    panel.set(xlim=(0, 112), ylim=(-0.8, max(len(names), 3) - 0.2))
    panel.grid(axis="y", visible=False)


def _caption(found: Sequence[Uncertainty], samples: int) -> str:
    """Say what was sampled, what stays, and what the priors are."""
    lines = [
        f"{samples} samples of every parameter, the same for all designs; preset "
        f"{found[0].scenario.preset.name}. Priors are documented assumptions, not measurements."
    ]
    for each in found:
        nominal = each.designs[each.designs["nominal_front"]]
        stay = int(np.sum(nominal["share"] > 0.95))
        lines.append(
            f"{each.scenario.activity}: {stay} of {len(nominal)} designs of the nominal front of "
            "latency and carbon stay on it in more than 95 % of the samples."
        )
    return "\n".join([*lines, "Variance of the design with the least nominal carbon."])
