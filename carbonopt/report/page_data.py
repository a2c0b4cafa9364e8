"""What the plots of a page are drawn from: the designs of a front in the units that are shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from carbonopt.arrays import Floats
from carbonopt.front.front import Front
from carbonopt.objectives import Metric
from carbonopt.report import style
from carbonopt.report.breakdown import BROKEN_DOWN
from carbonopt.report.columns import metrics_of, parts_of, short_label
from carbonopt.report.figures import panel_pairs
from carbonopt.report.scale import common_scale
from carbonopt.report.table import plain_name, shown_variables, variable_text
from carbonopt.units import unit_of

SHOWN_DESIGNS = 2000
CLOUD = 3000
FURTHER = ("latency_s", "energy_j", "carbon_ca_g", "carbon_pa_g", "area_mm2", "embodied_g")
_DIGITS = 6
_AXES = 8


def page_data(front: Front, designs: pd.DataFrame) -> dict[str, Any]:
    """Collect everything that the plots of a page need; plain lists and numbers.

    Parameters
    ----------
    front
        The front.
    designs
        Its designs that are shown (n), see `shown_designs`.
    """
    metrics = metrics_of(designs, front.metrics, FURTHER)
    scales = {m.name: common_scale(_numbers(designs, m.name), m.unit) for m in metrics}
    others = {"cloud": _cloud(front), "exact": _exact(front)}
    tables = [designs, *others.values()]
    columns = []
    for m in metrics:
        factor = scales[m.name].factor
        entry = {
            "name": m.name,
            "label": short_label(m),
            "unit": scales[m.name].unit,
            "objective": m.name in front.objectives,
            "log": _is_log(np.concatenate([_numbers(t, m.name) for t in tables if m.name in t])),
            "values": _rounded(_numbers(designs, m.name) * factor),
        }
        entry |= {
            k: _rounded(_numbers(t, m.name) * factor) for k, t in others.items() if m.name in t
        }
        columns.append(entry)
    looks = style.template_looks(_kinds(designs))
    return {
        "name": front.name,
        "metrics": columns,
        "variables": [
            _variable(designs, name) for name in shown_variables(front.variables)[:_AXES]
        ],
        "looks": [{"label": k, "colour": c, "marker": m} for k, (c, m) in looks.items()],
        "look": [list(looks).index(kind) for kind in _kinds(designs)],
        "pairs": _pairs(front, metrics),
        "breakdowns": [_breakdown(designs, name) for name in BROKEN_DOWN if _parts(designs, name)],
        "knee": _place(designs, front) if len(designs) else -1,
    }


def shown_designs(front: Front) -> pd.DataFrame:
    """Take the designs of a front that a page shows: all, or evenly some with best and knee."""
    rows = front.to_pandas()
    if len(rows) <= SHOWN_DESIGNS:
        return rows
    best = [int(rows[name].to_numpy(dtype=float).argmin()) for name in front.objectives]
    evenly = np.linspace(0, len(rows) - 1, SHOWN_DESIGNS - len(best) - 1).astype(int)
    kept = sorted({*evenly.tolist(), *best, _place(rows, front)})
    return rows.iloc[kept].reset_index(drop=True)


def _place(designs: pd.DataFrame, front: Front) -> int:
    """Position of the knee among designs."""
    names = list(front.objectives)
    knee = front.knee()[names].to_numpy(dtype=float)
    away = np.abs(designs[names].to_numpy(dtype=float) - knee).sum(axis=1)
    return int(away.argmin())


def _cloud(front: Front) -> pd.DataFrame:
    """Take the feasible designs that are dominated, evenly some of many."""
    feasible = front.evaluations[front.evaluations["feasible"].astype(bool)]
    best = feasible[front.objectives].merge(front.to_pandas()[front.objectives].drop_duplicates(),
                                            how="left", indicator=True)["_merge"]  # fmt: skip
    dominated = feasible[(best == "left_only").to_numpy()]
    every = np.linspace(0, len(dominated) - 1, min(len(dominated), CLOUD)).astype(int)
    return dominated.iloc[every]


def _exact(front: Front) -> pd.DataFrame:
    """Take the exact or best-known front, empty where there is none."""
    known = front.reference
    return pd.DataFrame() if known is None else known.head(SHOWN_DESIGNS)


def _kinds(designs: pd.DataFrame) -> list[str]:
    """Kind of each design: what gives it colour and marker."""
    if "template" not in designs:
        return ["design"] * len(designs)
    return [str(kind) for kind in designs["template"]]


def _pairs(front: Front, metrics: list[Metric]) -> list[list[int]]:
    """Positions of the metrics that are drawn against each other; another one beside a single."""
    names = [m.name for m in metrics]
    drawn = front.objectives
    if len(drawn) == 1:
        drawn = names[:2] if len(names) > 1 else names * 2
    pairs = panel_pairs(drawn) or [(drawn[0], drawn[-1])]
    return [[names.index(first), names.index(second)] for first, second in pairs]


def _variable(designs: pd.DataFrame, name: str) -> dict[str, Any]:
    """Code one variable: its distinct values in order, and which one each design has."""
    values = designs[name].tolist()
    texts = [variable_text(name, value) for value in values]
    pairs = dict(zip(texts, values, strict=True))
    order = sorted(pairs, key=lambda text: (_rank(pairs[text]), text))
    return {
        "name": name,
        "label": plain_name(name),
        "values": order,
        "codes": [order.index(text) for text in texts],
    }


def _rank(value: object) -> float:
    """Where a value stands in order: numbers by size, texts and gaps first."""
    number = isinstance(value, int | float | np.number) and value == value
    return float(str(value)) if number else -np.inf


def _parts(designs: pd.DataFrame, name: str) -> list[str]:
    """Parts of a metric that some design has."""
    return [part for part in parts_of(designs, name) if designs[f"{name}.{part}"].fillna(0).any()]


def _breakdown(designs: pd.DataFrame, name: str) -> dict[str, Any]:
    """Parts of one metric of every design, under one unit."""
    colours = style.part_colours(_parts(designs, name))
    scale = common_scale(_numbers(designs, name), unit_of(name))
    return {
        "label": short_label(name),
        "unit": scale.unit,
        "parts": [{"label": p.replace("_", " "), "colour": c} for p, c in colours.items()],
        "values": [_rounded(_numbers(designs, f"{name}.{p}") * scale.factor) for p in colours],
    }


def _is_log(values: Floats) -> bool:
    """Whether values span a logarithmic axis, by the rule of the figures."""
    finite = values[np.isfinite(values)]
    return bool(
        finite.size and finite.min() > 0 and finite.max() >= style.LOG_FROM_RATIO * finite.min()
    )


def _numbers(table: pd.DataFrame, name: str) -> Floats:
    """Return a column as floats."""
    return table[name].to_numpy(dtype=float)


def _rounded(values: Floats) -> list[float | None]:
    """Shorten numbers to what a screen can tell apart; None for what is no number."""
    return [float(f"{v:.{_DIGITS}g}") if np.isfinite(v) else None for v in values]
