"""What an evaluation table says about itself: designs that failed, columns without a number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from carbonopt.carbon.design_node import COLUMN
from carbonopt.carbon.die import across_literatures
from carbonopt.objectives import GAP
from carbonopt.units import format_quantity

_CLOSE = 0.01
"""Gap of mappings from which on a table says so."""


def table_notices(evaluations: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Say what is wrong with a table, given the columns that decide; nothing where all is well."""
    return [
        *error_notices(evaluations), *column_notices(evaluations, names),
        *device_notices(evaluations), *mapping_notices(evaluations),
    ]  # fmt: skip


def errors_of(evaluations: pd.DataFrame) -> pd.DataFrame:
    """Take the designs whose evaluation failed."""
    if "status" not in evaluations:
        return evaluations.head(0)
    return evaluations[evaluations["status"] == "error"]


def most_frequent_error(evaluations: pd.DataFrame) -> str:
    """Return the message that most failed designs share, '' where none failed."""
    messages = errors_of(evaluations).get("message", pd.Series(dtype=str)).value_counts(sort=True)
    return str(messages.index[0]) if len(messages) else ""


def error_notices(evaluations: pd.DataFrame) -> list[str]:
    """Count the designs that failed, with the most frequent reason.

    Examples
    --------
    >>> rows = {"status": ["ok", "error", "error"], "message": ["", "no table", "no table"]}
    >>> error_notices(pd.DataFrame(rows))
    ['2 of 3 designs could not be evaluated, most often (2): no table']
    """
    failed = errors_of(evaluations)
    if failed.empty:
        return []
    message = most_frequent_error(evaluations)
    count = int((failed["message"] == message).sum())
    unbuildable = "limit.buildable" in failed and bool((failed["limit.buildable"] == 1.0).all())
    fate = "built or mapped" if unbuildable else "evaluated"
    many = f"{len(failed):,} of {len(evaluations):,} designs"
    return [f"{many} could not be {fate}, most often ({count:,}): {message}"]


def column_notices(evaluations: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Name the columns that decide and have no number in any design that did not fail.

    Examples
    --------
    >>> column_notices(pd.DataFrame({"energy_j": [1.0], "status": ["ok"]}), ["energy_j", "nope"])
    ['column nope: missing in all rows']
    """
    sound = evaluations.drop(index=errors_of(evaluations).index)
    if sound.empty:
        return []
    missing = [name for name in names if name not in sound or sound[name].isna().all()]
    limited = [name.removeprefix("limit.") for name in missing]
    columns = [
        column if name != column and (column not in sound or sound[column].isna().all()) else name
        for name, column in zip(missing, limited, strict=True)
    ]
    return [f"column {name}: missing in all rows" for name in dict.fromkeys(columns)]


def device_notices(evaluations: pd.DataFrame) -> list[str]:
    """Say what becomes of devices: cells that end their life, nodes that are hard to compare."""
    return [*wear_notices(evaluations), *node_notices(evaluations)]


def node_notices(evaluations: pd.DataFrame) -> list[str]:
    """Say once that designs with a node of their own are of nodes of two literatures.

    Examples
    --------
    >>> [notice[:32] for notice in node_notices(pd.DataFrame({"node_nm": [65.0, 22.0, 65.0]}))]
    ['nodes of 22, 65 nm: a comparison']
    >>> node_notices(pd.DataFrame({"node_nm": [22.0, 28.0]}))
    []
    """
    if COLUMN not in evaluations:
        return []
    nodes = pd.to_numeric(evaluations[COLUMN]).dropna()
    said = across_literatures(nodes.unique().tolist())
    return [*_other_nodes(evaluations, nodes), *([said] if said else [])]


def _other_nodes(evaluations: pd.DataFrame, nodes: pd.Series[float]) -> list[str]:
    """Say how many designs are made at a node of their own, where others are not."""
    built = evaluations.drop(index=errors_of(evaluations).index)
    own = nodes[nodes.index.isin(built.index)]
    if own.empty or len(own) == len(built):
        return []
    which = ", ".join(f"{node:g}" for node in sorted(own.unique()))
    many = f"{len(own):,} of {len(built):,} designs are made at a node of their own ({which} nm)"
    return [f"{many}, the others at the scenario's: with the variable node_nm all are comparable"]


def wear_notices(evaluations: pd.DataFrame) -> list[str]:
    """Count the designs whose cells are worn out before their lifetime ends, by activity.

    Examples
    --------
    >>> wear_notices(pd.DataFrame({"lifetime_pa_s@resnet8": [126489.6, float("nan")]}))
    ['endurance binds in PA in 1 of 2 designs: cells are worn out after 1.46 d and more']
    """
    told = []
    for activity in ("ca", "pa"):
        names = [name for name in evaluations if str(name).startswith(f"lifetime_{activity}_s@")]
        lives = [evaluations[name].to_numpy(dtype=float) for name in names]
        ended = np.fmin.reduce(lives) if lives else np.empty(0)
        ended = ended[np.isfinite(ended)]
        if len(ended):
            many = f"in {len(ended):,} of {len(evaluations):,} designs"
            after = format_quantity(float(ended.min()), "s")
            told.append(
                f"endurance binds in {activity.upper()} {many}: cells are worn out after {after} "
                "and more"
            )
    return told


def mapping_gaps(evaluations: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Return how far the mappings of each design are at most above the least (n,), inf: unproven.

    That of the network where it is largest; designs without mappings that are searched for the
    least are left out.
    """
    names = [name for name in evaluations if str(name).startswith(GAP)]
    gaps = [evaluations[name].to_numpy(dtype=float) for name in names]
    worst = np.fmax.reduce(gaps) if gaps else np.empty(0)
    return worst[~np.isnan(worst)]


def mapping_notices(evaluations: pd.DataFrame) -> list[str]:
    """Count the designs whose mappings may be more than 1 % above the least, or are unproven.

    Examples
    --------
    >>> gaps = {"mapping_gap@resnet8": [0.0, 0.004, 0.023, float("inf")]}
    >>> for notice in mapping_notices(pd.DataFrame(gaps)):
    ...     print(notice)
    mappings of 1 of 4 designs are proven to 2.3 % of the least only
    mappings of 1 of 4 designs are not proven to be the least
    """
    gaps, told = mapping_gaps(evaluations), []
    loose = np.isfinite(gaps) & (gaps > _CLOSE)
    many = f"of {len(evaluations):,} designs are"
    if loose.any():
        proven = f"proven to {100 * gaps[loose].max():.2g} % of the least only"
        told.append(f"mappings of {loose.sum():,} {many} {proven}")
    if np.isinf(gaps).any():
        told.append(f"mappings of {np.isinf(gaps).sum():,} {many} not proven to be the least")
    return told
