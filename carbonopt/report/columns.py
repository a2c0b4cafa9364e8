"""How the columns of an evaluation table are read: limits, parts, names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from carbonopt.errors import SpecError
from carbonopt.front.indicators import hypervolume
from carbonopt.objectives import Metric, metric
from carbonopt.workload.compression import is_network_knob


def metrics_of(
    table: pd.DataFrame, first: Sequence[Metric], further: Iterable[str]
) -> list[Metric]:
    """Return the objectives, then those of the further metrics that the table has.

    Examples
    --------
    >>> table = pd.DataFrame(columns=["energy_j", "area_mm2"])
    >>> [m.name for m in metrics_of(table, [metric("energy_j")], ["area_mm2", "latency_s"])]
    ['energy_j', 'area_mm2']
    """
    known = {m.name for m in first}
    return [*first, *(metric(name) for name in further if name in table and name not in known)]


def short_label(name: str | Metric) -> str:
    """Return the words that stand for a metric on an axis or in a table head.

    Examples
    --------
    >>> short_label("carbon_ca_g"), short_label("latency_s@resnet8"), short_label("noise")
    ('carbon CA', 'latency, resnet8', 'noise')
    """
    try:
        found = name if isinstance(name, Metric) else metric(name)
    except SpecError:
        return str(name)
    return found.label.replace(" per inference", "")


def limit_of(evaluations: pd.DataFrame, name: str) -> float:
    """Recover the limit of a metric from its constraint column, ``value/limit - 1``.

    A frame period limits the latency of one network; it is the limit of the aggregated
    latency only where there is a single network. NaN where the metric has no limit.

    Examples
    --------
    >>> limit_of(pd.DataFrame({"area_mm2": [3.0], "limit.area_mm2": [0.5]}), "area_mm2")
    2.0
    """
    periods = [str(column) for column in evaluations if str(column).startswith("limit.period@")]
    column = periods[0] if name == "latency_s" and len(periods) == 1 else f"limit.{name}"
    if column not in evaluations or name not in evaluations:
        return float("nan")
    ratio = evaluations[name].to_numpy(float) / (1.0 + evaluations[column].to_numpy(float))
    finite = ratio[np.isfinite(ratio)]
    return float(np.median(finite)) if len(finite) else float("nan")


def parts_of(table: pd.DataFrame, name: str) -> list[str]:
    """Return the names of the parts that add up to a metric, in the order of the table.

    Examples
    --------
    >>> parts_of(pd.DataFrame(columns=["energy_j", "energy_j.array", "energy_j.dram"]), "energy_j")
    ['array', 'dram']
    """
    prefix = f"{name}."
    return [str(column).removeprefix(prefix) for column in table if str(column).startswith(prefix)]


def mean_note(table: pd.DataFrame) -> list[str]:
    """Say what the metrics are a mean of; nothing to say for a single network.

    Examples
    --------
    >>> mean_note(pd.DataFrame(columns=["energy_j", "energy_j@a", "latency_s@a", "energy_j@b"]))
    ['Geometric mean over a, b.']
    """
    columns = (str(column) for column in table if not is_network_knob(str(column)))
    names = (column.partition("@")[2] for column in columns)
    networks = list(dict.fromkeys(name for name in names if name))
    return [f"Geometric mean over {', '.join(networks)}."] if len(networks) > 1 else []


def exact_hypervolume(
    reference: pd.DataFrame | None, objectives: Sequence[str], point: Mapping[str, float] | None
) -> float:
    """Return the log hypervolume of the exact front, NaN where it cannot be told.

    Parameters
    ----------
    reference
        The exact front.
    objectives
        Its objectives.
    point
        Reference point, by objective.

    Examples
    --------
    >>> exact_hypervolume(pd.DataFrame({"energy_j": [0.1]}), ["energy_j"], {"energy_j": 10.0})
    2.0
    """
    if reference is None or point is None:
        return float("nan")
    values = reference[list(objectives)].to_numpy(float)
    return hypervolume(values, [point[name] for name in objectives])
