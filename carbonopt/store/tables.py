"""Tables of designs as CSV text, floats to the last bit."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from carbonopt.errors import StoreError
from carbonopt.variable import kept_column

TEXT_COLUMNS = ("status", "message")
WHOLE_FILE = "allowed: the file as the run wrote it"
_VERDICTS = {"True": True, "False": False}
DAMAGED_LINE = f"{WHOLE_FILE}; delete damaged lines, and resume evaluates their designs again"


def read_rows(file: Path) -> tuple[list[str], list[list[str]]]:
    """Read header and lines of a CSV file as text; both empty where there is no file.

    A last line without its end is still being written, or was cut short by a kill: left out.

    Raises
    ------
    StoreError
        It is no CSV text, or a line has another number of fields than the header.
    """
    if not file.exists():
        return [], []
    try:
        text = file.read_bytes().decode()
        lines = list(csv.reader(io.StringIO(text[: text.rfind("\n") + 1])))
    except (UnicodeDecodeError, csv.Error) as error:
        raise StoreError(f"{file}: got no CSV text ({error}), {WHOLE_FILE}") from error
    if not lines:
        return [], []
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(lines[0]):
            fault = f"got {len(line)} fields, allowed: {len(lines[0])} as in the header"
            raise StoreError(f"{file}:{number}: {fault}; {DAMAGED_LINE}")
    return lines[0], lines[1:]


def read_table(file: Path, variables: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """Read a table of designs to the last bit, given the values that each variable can take."""
    header, lines = read_rows(file)
    texts = {name: {str(value): value for value in values} for name, values in variables.items()}
    columns = {
        name: kept_column([_value(name, line[place], texts.get(name)) for line in lines])
        for place, name in enumerate(header)
    }
    return pd.DataFrame(columns, columns=header)


def table_bytes(table: pd.DataFrame) -> bytes:
    """Write a table as CSV, floats to the last bit."""
    return csv_lines([table.columns, *table.itertuples(index=False, name=None)]).encode()


def csv_lines(rows: Iterable[Iterable[Any]]) -> str:
    """Write rows as CSV text that reads back the same; nothing for NaN and None.

    Examples
    --------
    >>> csv_lines([["a", "b"], [0.1, float("nan")], [True, 3]]).splitlines()
    ['a,b', '0.1,', 'True,3']
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerows([["" if value != value else value for value in row] for row in rows])
    return buffer.getvalue()


def _value(name: str, text: str, choices: Mapping[str, Any] | None) -> Any:  # noqa: ANN401
    """Read a field: a value of a variable, a verdict, a number or text."""
    if choices is not None:
        return choices.get(text, text or None)
    if name in TEXT_COLUMNS:
        return text
    return _VERDICTS.get(text, text) if name == "feasible" else number_of(text)


def number_of(text: str) -> float | str:
    """Read a number, NaN from nothing; leave other text alone."""
    if text.isdigit():
        return int(text)
    try:
        return float(text) if text else float("nan")
    except ValueError:
        return text
