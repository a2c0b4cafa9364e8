"""Tables for the terminal: the telling designs of a front, aligned and with units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from carbonopt.front.front import Front
from carbonopt.objectives import Metric
from carbonopt.report.columns import short_label
from carbonopt.report.scale import common_scale, quantity
from carbonopt.units import unit_of
from carbonopt.variable import is_mapping_variable
from carbonopt.workload.compression import is_network_knob

TELLING_METRICS = ("carbon_ca_g", "carbon_pa_g")
CAPACITY_NAMES = ("sram", "dram", "buffer")
_MOST_APART = 3  # variables of one knob with a column of their own


def telling_designs(front: Front) -> pd.DataFrame:
    """Pick the designs of a front that say most: the best in two objectives, and the knee.

    The two are carbon in both scenarios; where it is no objective, the first of the others
    stand in, since a front need not hold the lowest of what it was not made for. A design that
    earns several roles is listed once.

    Returns
    -------
    pandas.DataFrame
        The chosen rows of the front, preceded by a column ``role``; empty for an empty front.
    """
    rows = front.to_pandas()
    roles: dict[object, list[str]] = {}
    if len(rows):
        carbon = [name for name in TELLING_METRICS if name in front.objectives]
        for name in list(dict.fromkeys([*carbon, *front.objectives]))[:2]:
            roles.setdefault(rows[name].idxmin(), []).append(f"lowest {short_label(name)}")
        roles.setdefault(front.knee().name, []).append("knee")
    chosen = rows.loc[list(roles)].reset_index(drop=True)
    chosen.insert(0, "role", [", ".join(earned) for earned in roles.values()])
    return chosen


def shown_variables(names: Sequence[str]) -> list[str]:
    """Return the variables that fit a table: all but the hundreds that map layers.

    Examples
    --------
    >>> shown_variables(["rows", "layer0.unrolling", "layer0.cut.I.0"])
    ['rows']
    """
    return [name for name in names if not is_mapping_variable(name)]


def hidden_note(names: Sequence[str]) -> list[str]:
    """Say where the variables are that a table leaves out; nothing to say where it has all.

    Examples
    --------
    >>> hidden_note(["rows", "layer0.unrolling", "layer0.cut.I.0"])
    ['2 variables that map layers are left out here: front.csv has them.']
    """
    hidden = len(names) - len(shown_variables(names))
    return [f"{hidden} variables that map layers are left out here: front.csv has them."][:hidden]


def variable_text(name: str, value: object) -> str:
    """Return one design variable as text; capacities and times with their unit.

    Examples
    --------
    >>> variable_text("sram", 524288), variable_text("rows", 64), variable_text("node", None)
    ('512 KiB', '64', '-')
    >>> variable_text("dram_bandwidth_byte_per_s", 1e9)
    '1 GB/s'
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if not isinstance(value, int | float | np.number):
        return str(value)
    unit = unit_of(name) or ("byte" if name.startswith(CAPACITY_NAMES) else "")
    return quantity(float(value), unit, digits=6)


def plain_name(name: str) -> str:
    """Return the name of a variable without its unit, which its text says.

    Examples
    --------
    >>> plain_name("sram_byte"), plain_name("dram_bandwidth_byte_per_s"), plain_name("supply_v")
    ('sram', 'dram_bandwidth', 'supply')
    """
    for suffix in ("_byte_per_s", "_byte", "_nm", "_v"):
        name = name.removesuffix(suffix)
    return name


def describe_design(design: Mapping[str, object] | pd.Series[Any], variables: Sequence[str]) -> str:
    """Return a design in one line: the template, then each variable that it has.

    Examples
    --------
    >>> describe_design({"rows": 64, "sram_byte": 8192, "supply_v": 0.8}, ["rows", "supply_v"])
    'rows 64, supply 0.8 V'
    """
    texts = {name: variable_text(name, design[name]) for name in shown_variables(variables)}
    template = [texts.pop("template")] if "template" in texts else []
    named = (f"{plain_name(name)} {text}" for name, text in texts.items())
    return ", ".join([*template, *named])


def designs_table(
    designs: pd.DataFrame, variables: Sequence[str], metrics: Sequence[Metric]
) -> str:
    """Return designs as an aligned table, each metric under one unit.

    Parameters
    ----------
    designs
        Rows of an evaluation table.
    variables
        Columns to show first, as they are: the design variables, ``role``.
    metrics
        Columns to show after them, scaled.
    """
    shown: dict[str, list[str]] = {}
    for head, names in _folded(shown_variables(variables)).items():
        texts = ([variable_text(name, v) for v in designs[name].tolist()] for name in names)
        shown[head] = [" ".join(each) for each in zip(*texts, strict=True)]
    for metric in metrics:
        values = designs[metric.name].to_numpy(float)
        scale = common_scale(values, metric.unit)
        cells = [f"{v * scale.factor:.4g}" if math.isfinite(v) else "-" for v in values]
        shown[scale.label(short_label(metric))] = cells
    return aligned(shown)


def _folded(names: Sequence[str]) -> dict[str, list[str]]:
    """Return columns with the variables of each: one for all layers of a network.

    Examples
    --------
    >>> _folded(["sram_byte", *(f"weight_bits@{layer}" for layer in "abcd")])["weight_bits@..."]
    ['weight_bits@a', 'weight_bits@b', 'weight_bits@c', 'weight_bits@d']
    """
    columns: dict[str, list[str]] = {}
    for name in names:
        knob = name.partition("@")[0]
        alike = [other for other in names if other.startswith(f"{knob}@")]
        if is_network_knob(name) and len(alike) > _MOST_APART:
            columns[f"{knob}@..."] = alike
        else:
            columns[plain_name(name)] = [name]
    return columns


def aligned(columns: Mapping[str, Sequence[str]]) -> str:
    """Return columns of text as lines; numbers to the right, words to the left.

    Examples
    --------
    >>> print(aligned({"name": ["a", "bcd"], "value": ["1.5", "22"]}))
    name  value
    ----  -----
    a       1.5
    bcd      22
    """
    laid = []
    for head, cells in columns.items():
        width = max(len(head), *(len(cell) for cell in cells), 0)
        pad = str.rjust if all(cell[:1] in "-.0123456789" for cell in cells) else str.ljust
        laid.append([pad(head, width), "-" * width, *(pad(cell, width) for cell in cells)])
    return "\n".join("  ".join(line).rstrip() for line in zip(*laid, strict=True))
