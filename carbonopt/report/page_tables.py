"""The tables of a page, as HTML that reads without scripts and prints."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from carbonopt.carbon.design_node import COLUMN
from carbonopt.front.front import Front
from carbonopt.objectives import BUILDABLE
from carbonopt.report.columns import metrics_of, short_label
from carbonopt.report.page_data import FURTHER
from carbonopt.report.scale import common_scale, quantity, spelled
from carbonopt.report.table import (
    describe_design,
    plain_name,
    shown_variables,
    telling_designs,
    variable_text,
)
from carbonopt.units import format_named

_HASHES = {"spec_hash": "problem", "data_hash": "shipped data", "model_hash": "models"}
_SHOWN_DIGITS = 16


def front_table(front: Front, designs: pd.DataFrame) -> str:
    """Return the designs shown as a table that scripts can sort: a row each, a head per column."""
    variables = shown_variables(front.variables)
    metrics = metrics_of(designs, front.metrics, FURTHER)
    heads = ["<th scope='col' data-key='row'>#</th>"]
    columns = [[str(number + 1) for number in range(len(designs))]]
    for place, name in enumerate(variables):
        heads.append(f"<th scope='col' data-key='v{place}'>{_broken(plain_name(name))}</th>")
        columns.append([variable_text(name, value) for value in designs[name].tolist()])
    for place, metric in enumerate(metrics):
        values = designs[metric.name].to_numpy(dtype=float)
        scale = common_scale(values, metric.unit)
        unit = f" <span class='unit'>[{escape(scale.unit)}]</span>" if scale.unit else ""
        label = escape(short_label(metric)) + unit
        heads.append(f"<th scope='col' class='number' data-key='m{place}'>{label}</th>")
        columns.append([f"{v * scale.factor:.4g}" if np.isfinite(v) else "-" for v in values])
    kinds = ["number", *_kinds(designs, variables), *["number"] * len(metrics)]
    body = "\n".join(
        f"<tr data-row='{place}'>"
        + "".join(f"<td class='{k}'>{escape(t)}</td>" for k, t in zip(kinds, row, strict=True))
        + "</tr>"
        for place, row in enumerate(zip(*columns, strict=True))
    )
    return (
        "<table id='designs' class='wide'><caption class='hidden'>Designs of the front</caption>"
        f"<thead><tr>{''.join(heads)}</tr></thead><tbody>{body}</tbody></table>"
    )


def _broken(name: str) -> str:
    """Escape a name that may be broken behind its underscores, so that columns stay narrow.

    Examples
    --------
    >>> _broken("weight_bits")
    'weight_<wbr>bits'
    """
    return escape(name).replace("_", "_<wbr>")


def telling_table(front: Front) -> str:
    """Return the telling designs side by side, one line per variable and metric."""
    chosen = telling_designs(front)
    metrics = metrics_of(chosen, front.metrics, FURTHER)
    variables = shown_variables(front.variables)
    columns = {"": [*map(plain_name, variables), *(short_label(m) for m in metrics)]}
    for _, design in chosen.iterrows():
        cells = [variable_text(name, design[name]) for name in variables]
        cells += [quantity(design[m.name], m.unit) for m in metrics]
        columns[str(design["role"])] = cells
    return html_table(columns)


def nearest_table(front: Front) -> str:
    """Return the designs that come nearest to meeting every limit, and what each misses."""
    nearest = front.least_infeasible(5)
    unbuilt = (nearest["binding"] == BUILDABLE).tolist()
    columns = {
        "design": [describe_design(row, front.variables) for _, row in nearest.iterrows()],
        "misses": [str(name).removeprefix("limit.") for name in nearest["binding"]],
        "by": [
            "cannot be built or mapped" if never else f"{violation:.1%}"
            for never, violation in zip(unbuilt, nearest["violation"], strict=True)
        ],
    }
    return html_table(columns)


def scenario_table(front: Front, manifest: Mapping[str, Any]) -> str:
    """Return what the designs were evaluated for: networks, prices, limits, reference point."""
    content = manifest.get("content", {})
    rows: dict[str, str] = {}
    for network in content.get("workloads", []):
        period = network["period_s"]
        every = f"every {quantity(period, 's')}" if period else "no period"
        memory = quantity(network["dram_byte"], "byte") if network["dram_byte"] else "none"
        rows[f"network {network['name']}"] = f"{every}, DRAM {memory}"
    if "evaluate_row" in content:
        rows["evaluated by"] = str(content["evaluate_row"])
    for key in ("mapping", "mapping_objective"):
        if key in content:
            rows[key.replace("_", " ")] = str(content[key])
    for name, limit in manifest.get("limits", {}).items():
        rows[f"limit of {short_label(name)}"] = _value(name, limit)
    for metric in front.metrics if front.reference_point else ():
        point = (front.reference_point or {})[metric.name]
        rows[f"reference point, {short_label(metric)}"] = quantity(point, metric.unit)
    preset = {key: _value(key, value) for key, value in content.get("preset", {}).items()}
    if preset and (own := _own_nodes(front.evaluations)):
        preset[COLUMN] += f", for dies without a node of their own; others {own}"
    prices = f"<h3>Carbon numbers</h3>{pairs_table(preset)}" if preset else ""
    return pairs_table(rows) + prices if rows else ""


def _own_nodes(evaluations: pd.DataFrame) -> str:
    """Name the nodes of designs that have one of their own, '' where none has.

    Examples
    --------
    >>> _own_nodes(pd.DataFrame({"node_nm": [65.0, 22.0, float("nan"), 65.0]}))
    '22, 65 nm'
    """
    if COLUMN not in evaluations:
        return ""
    nodes = sorted(set(pd.to_numeric(evaluations[COLUMN]).dropna()))
    return f"{', '.join(f'{node:g}' for node in nodes)} nm" if nodes else ""


def provenance_table(manifest: Mapping[str, Any], source: str) -> str:
    """Return what a run was made by: search, seed, command, versions, hashes, machine, time."""
    rows = {"source": source}
    if "searcher" in manifest:
        rows |= _search_rows(manifest)
    rows |= {f"hash of the {w}": str(manifest.get(k, "")) for k, w in _HASHES.items()}
    return pairs_table({key: text for key, text in rows.items() if text})


def _search_rows(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Name what a run was made by, and when and where."""
    command = [str(word) for word in manifest.get("command", [])]
    program = Path(command[0]).name if command else ""
    return {
        "searcher": f"{manifest['searcher']}, seed {manifest['seed']}",
        "budget": f"{manifest['budget']:,} designs",
        "command": shlex.join(["carbonopt" if program == "cli.py" else program, *command[1:]]),
        "started": str(manifest["started"]),
        "finished": str(manifest["finished"] or "not yet"),
        "machine": str(manifest.get("platform", "")),
        "commit": str(manifest.get("git_commit", "")),
        "versions": ", ".join(
            f"{name} {v}" for name, v in manifest.get("versions", {}).items() if v
        ),
    }


def html_table(columns: Mapping[str, Sequence[str]]) -> str:
    """Return columns of text as a table whose first column heads the rows.

    Examples
    --------
    >>> html_table({"": ["rows"], "knee": ["<64"]})[-71:]
    "<tr><th scope='row'>rows</th><td>&lt;64</td></tr></tbody></table></div>"
    """
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in columns)
    lines = []
    for first, *cells in zip(*columns.values(), strict=True):
        rest = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        lines.append(f"<tr><th scope='row'>{escape(first)}</th>{rest}</tr>")
    table = f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody>"
    return f"<div class='scroll'><table>{table}</table></div>"


def pairs_table(rows: Mapping[str, str]) -> str:
    """Return names and values as a table without a head."""
    lines = (
        f"<tr><th scope='row'>{escape(name)}</th><td>{escape(text)}</td></tr>"
        for name, text in rows.items()
    )
    return f"<table class='pairs'><tbody>{''.join(lines)}</tbody></table>"


def _kinds(designs: pd.DataFrame, variables: Sequence[str]) -> list[str]:
    """Whether the column of each variable holds numbers, which stand to the right."""
    numeric = pd.api.types.is_numeric_dtype
    return ["number" if numeric(designs[name]) else "text" for name in variables]


def _value(name: str, value: object) -> str:
    """Print a value of a scenario in the unit that its name tells."""
    return value if isinstance(value, str) else spelled(format_named(name, value))
