"""Rows of the evaluation table: one design in, one flat row out, whatever goes wrong."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Row = dict[str, Any]
Evaluate = Callable[[Row], Mapping[str, Any]]
OnRows = Callable[[list[Row]], None]


def safe_row(evaluate_row: Evaluate, design: Row) -> Row:
    """Evaluate one design; whatever goes wrong becomes a row that says so."""
    try:
        result = {
            key: value if type(value) is float else _plain(value)
            for key, value in evaluate_row(dict(design)).items()
        }
    except Exception as error:  # any fault of a row function is data of this design
        result = {"status": "error", "message": _plain(f"{type(error).__name__}: {error}")}
    return {"status": "ok", "message": "", **result, **design}


def refuse_text(row: Row, names: Iterable[str]) -> None:
    """Make a row that has text where a number decides one that says so.

    Examples
    --------
    >>> row = {"energy_j": "5 mJ", "status": "ok", "message": ""}
    >>> refuse_text(row, ["energy_j"])
    >>> row["status"], row["message"]
    ('error', "column energy_j: got '5 mJ', allowed: a number")
    """
    for name in names:
        if isinstance(row.get(name), str):
            fault = f"column {name}: got {row[name]!r}, allowed: a number"
            row.update({"status": "error", "message": row["message"] or fault, name: float("nan")})


def numbers_of(rows: Sequence[Row], names: Sequence[str]) -> npt.NDArray[np.float64]:
    """Take some columns (n, k) of rows, NaN where a row has none.

    Examples
    --------
    >>> numbers_of([{"energy_j": 1.0}, {}], ["energy_j"]).tolist()
    [[1.0], [nan]]
    """
    listed = [[row.get(name, math.nan) for name in names] for row in rows]
    return np.array(listed, dtype=float).reshape(len(rows), len(names))


def _plain(value: object) -> float | str:
    """Make a value one that a table keeps to the last bit: a float, or text of one line."""
    if value is None or isinstance(value, str):
        return float("nan") if value is None else " ".join(value.split())
    return float(value)  # type: ignore[arg-type]


@lru_cache(maxsize=2)
def _unpickled(payload: bytes) -> Evaluate:
    """Unpickle a row function once per worker, so that what it remembers lives on."""
    function: Evaluate = pickle.loads(payload)
    return function


def run_chunk(payload: bytes, designs: list[Row]) -> list[Row]:
    """Evaluate some designs in a worker."""
    evaluate_row = _unpickled(payload)
    return [safe_row(evaluate_row, design) for design in designs]
