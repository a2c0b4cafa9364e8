"""Shipped tables of published numbers: read, check, look up, interpolate, hash."""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from carbonopt.arrays import Floats
from carbonopt.errors import ModelRangeError, SpecError

FOLDER = Path(__file__).parent
FACT_COLUMNS = (
    *("key", "value", "unit", "low", "high", "source", "locator", "licence", "year", "note"),
)
NOT_GIVEN = "not given"
"""What stands for a number that its source does not state; the column ``range`` says why."""
LICENCES = ("BSD-3-Clause", "MIT", "Apache-2.0", "CC-BY-4.0", "CC0-1.0", "public-domain")
"""Licences under which numbers may travel in this package; its own choices are BSD-3-Clause."""


@dataclass(frozen=True)
class Fact:
    """One published number with its unit, range and source.

    Parameters
    ----------
    key
        Name within its table.
    value, low, high
        The number and, where known, the range that sources span [unit].
    unit
        Unit of the three, ``-`` where there is none.
    source, locator, licence, year
        Who says so, where in the source, under which licence, and when (None where undated).
    note
        What a user of the number should know.
    """

    key: str
    value: float
    unit: str
    low: float | None
    high: float | None
    source: str
    locator: str
    licence: str
    year: int | None
    note: str


def load_table(name: str) -> pd.DataFrame:
    """Read a table, numbers to the last bit, and refuse rows that name no source or licence.

    A column is float where every text in it is a number, empty or `NOT_GIVEN`, else it stays
    text.

    Parameters
    ----------
    name
        File name of a shipped table, or the full path of any other CSV file.

    Raises
    ------
    SpecError
        Missing file, missing column ``source``, ragged rows, rows without source; of a shipped
        table also a row without a licence of `LICENCES`, without a year where the table has
        years, or without the reason for a range that is not given; all at once.

    Examples
    --------
    >>> sorted(load_table("carbon_presets.csv")["unit"].unique())
    ['%', '-', '1/mm2', '1/yr', 'g', 'g/GB', 'g/kWh', 'g/mm2', 'kWh/mm2', 'mm', 'mm2', 'nm', 's']
    """
    table = pd.DataFrame([row for _, row in _read_rows(name)])
    return table.apply(_numbers)


def _numbers(texts: pd.Series[str]) -> pd.Series[str] | pd.Series[float]:
    try:
        numbers = [float("nan" if text in ("", NOT_GIVEN) else text) for text in texts]
        return pd.Series(numbers, dtype=np.float64)
    except ValueError:
        return texts


@cache
def load_facts(name: str) -> Mapping[str, float]:
    """Read the numbers of a table with one number per row, by key; `describe_facts` says more.

    Examples
    --------
    >>> load_facts("carbon_presets.csv")["default.package_g"]
    150.0
    """
    return MappingProxyType({key: fact.value for key, fact in describe_facts(name).items()})


def describe_facts(name: str) -> dict[str, Fact]:
    """Read a table with one number per row, each with its unit, range and source.

    Parameters
    ----------
    name
        File name of a shipped table, or the full path of any other CSV file.

    Raises
    ------
    SpecError
        All faults of the table: no source, no unit, a doubled key, text where a number belongs,
        a value outside its own range.

    Examples
    --------
    >>> describe_facts("carbon_presets.csv")["default.package_g"].high
    300.0
    """
    facts: dict[str, Fact] = {}
    faults = []
    for line, row in _read_rows(name):
        where = f"{FOLDER / name}:{line}"
        missing = [column for column in FACT_COLUMNS if column not in row]
        if missing:
            raise SpecError(f"{where}: missing columns {missing}, required: {list(FACT_COLUMNS)}")
        try:
            fact = _fact(row)
        except ValueError as error:
            faults.append(f"{where}: {row['key']}: {error}")
            continue
        if fact.key in facts:
            faults.append(f"{where}: {fact.key}: got the key twice, allowed: once")
        facts[fact.key] = fact
    if faults:
        raise SpecError(faults)
    return facts


def _read_rows(name: str) -> list[tuple[int, dict[str, str]]]:
    """Rows of a table as text with the line where each ends, checked for source and licence."""
    file = FOLDER / name
    if not file.is_file():
        shipped = ", ".join(sorted(table.name for table in FOLDER.glob("*.csv")))
        raise SpecError(f"{file}: no such table, shipped: {shipped}")
    rows, faults = [], []
    with file.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        required = ("source", "licence") if file.parent == FOLDER else ("source",)
        for column in required:
            if column not in (reader.fieldnames or ()):
                raise SpecError(f"{file}:1: got columns {reader.fieldnames}, required: {column}")
        for row in reader:
            where = f"{file}:{reader.line_num}"
            if None in row or None in row.values():
                faults.append(f"{where}: got a row that does not fit the header's columns")
            elif not row["source"].strip():
                faults.append(f"{where}: source: got nothing, required: where the number is from")
            elif file.parent == FOLDER and row["licence"] not in LICENCES:
                allowed = ", ".join(LICENCES)
                faults.append(f"{where}: licence: got {row['licence']!r}, allowed: {allowed}")
            else:
                faults += [f"{where}: {fault}" for fault in _shipped_faults(row, file.parent)]
            rows.append((reader.line_num, row))
    if faults:
        raise SpecError(faults)
    return rows


def _shipped_faults(row: Mapping[str, str], folder: Path) -> list[str]:
    """Say what a row of a shipped table lacks beside source and licence."""
    if folder != FOLDER:
        return []
    faults = []
    if not row.get("year", "-").strip():
        faults.append("year: got nothing, required: when the source says so")
    if "range" not in row:
        return faults
    if not row["range"].strip():
        faults.append("range: got nothing, required: what low and high span, or why there are none")
    faults += [
        f"{end}: got nothing, required: a number, or {NOT_GIVEN}"
        for end in ("low", "high")
        if not row[end].strip()
    ]
    return faults


def _fact(row: Mapping[str, str]) -> Fact:
    low, high = (
        float(row[end]) if row[end] not in ("", NOT_GIVEN) else None for end in ("low", "high")
    )
    year = int(row["year"]) if row["year"] else None
    value = float(row["value"])
    if not math.isfinite(value):
        raise ValueError(f"value: got {value}, required: a finite number")
    if not row["unit"]:
        raise ValueError("unit: got nothing, required: a unit, or - where there is none")
    if (low is not None and value < low) or (high is not None and value > high):
        raise ValueError(f"value: got {value}, allowed by its own row: {low} to {high}")
    texts = (row["source"], row["locator"], row["licence"])
    return Fact(row["key"], value, row["unit"], low, high, *texts, year, row["note"])


def data_hash() -> str:
    """Fingerprint of every shipped table, for manifests: a changed number changes it.

    SHA-256 over names and contents of all CSV files in this folder, in order of name.
    """
    digest = hashlib.sha256()
    for file in sorted(FOLDER.glob("*.csv")):
        content = file.read_bytes()
        digest.update(f"{file.name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def interpolate_log_log(
    x: ArrayLike,
    xs: ArrayLike,
    ys: ArrayLike,
    *,
    name: str,
    unit: str,
) -> Floats:
    """Interpolate a table linearly in log x and log y, inside its range only.

    ``log y = log y_i + (log x - log x_i) (log y_i+1 - log y_i) / (log x_i+1 - log x_i)``;
    at a point of the table the value is the table's own, to the last bit.

    Parameters
    ----------
    x
        Where to look (n,) [unit].
    xs, ys
        Points of the table (m,), x strictly rising, both positive.
    name, unit
        Table and unit of `x`, for the message.

    Raises
    ------
    ModelRangeError
        An `x` is outside the table or not a number.

    Examples
    --------
    >>> interpolate_log_log(20.0, [10, 40], [1, 4], name="square", unit="byte")
    array(2.)
    """
    at, table_x, table_y = (np.asarray(a, dtype=np.float64) for a in (x, xs, ys))
    outside = ~((at >= table_x[0]) & (at <= table_x[-1]))
    if outside.any():
        got = at[outside].flat[0]
        raise ModelRangeError(
            f"{name}: got {got:g} {unit}, allowed: {table_x[0]:g} to {table_x[-1]:g} {unit}"
        )
    right = np.clip(np.searchsorted(table_x, at), 1, len(table_x) - 1)
    left = right - 1
    log_x, log_y = np.log(table_x), np.log(table_y)
    share = (np.log(at) - log_x[left]) / (log_x[right] - log_x[left])
    between = np.exp(log_y[left] + share * (log_y[right] - log_y[left]))
    nearest = np.where(at == table_x[left], left, right)
    return np.where(at == table_x[nearest], table_y[nearest], between)
