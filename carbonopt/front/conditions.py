"""What a reader asks of designs, such as ``latency_s <= 5 ms``: read from text, met or missed."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from carbonopt.arrays import Bools, Floats
from carbonopt.errors import SpecError
from carbonopt.units import format_quantity, parse_quantity, unit_of

_SHAPE = re.compile(r"\s*([^<>=!≤≥\s]+)\s*(<=|>=|==|!=|≤|≥|=|<|>)\s*(.*?)\s*")
_SPELLED = MappingProxyType({"==": "=", "≤": "<=", "≥": ">="})
_BOUNDS: MappingProxyType[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}
)
_SAME = 1e-9
_NOTHING = "-"
"""What tables show where a design has no value, such as for a knob that does not matter."""
_LISTED = 12


@dataclass(frozen=True)
class Condition:
    """One condition on one column of a table of designs.

    Parameters
    ----------
    column
        Name of the column.
    relation
        ``<=``, ``>=``, ``<``, ``>``, ``=`` or ``!=``.
    values
        What the column is compared with: one number, or with ``=`` and ``!=`` any of several
        numbers or texts; ``-`` is no value, as tables show it.
    """

    column: str
    relation: str
    values: tuple[float | str, ...]

    def __str__(self) -> str:
        unit = unit_of(self.column)
        texts = (v if isinstance(v, str) else format_quantity(v, unit, 6) for v in self.values)
        return f"{self.column} {self.relation} {', '.join(texts)}"

    def met(self, table: pd.DataFrame) -> Bools:
        """Mark the designs (n,) that meet the condition; a design without a number does not."""
        if self.relation in _BOUNDS:
            known = table[self.column].to_numpy(dtype=float)
            return np.asarray(_BOUNDS[self.relation](known, self.values[0]), dtype=bool)
        return np.asarray(self._equal(table) == (self.relation == "="), dtype=bool)

    def missed(self, table: pd.DataFrame) -> Floats:
        """By which share of its limit each design (n,) misses [-]; 0 where met, inf beyond compare.

        Examples
        --------
        >>> limit = Condition("latency_s", "<=", (0.005,))
        >>> limit.missed(pd.DataFrame({"latency_s": [0.004, 0.006]})).round(3).tolist()
        [0.0, 0.2]
        """
        met = self.met(table)
        numbers = [value for value in self.values if not isinstance(value, str)]
        if not numbers or self.relation == "!=":
            return np.where(met, 0.0, np.inf)
        known = table[self.column].to_numpy(dtype=float)
        away = np.abs(known[:, None] - numbers) / (np.abs(numbers) + (np.array(numbers) == 0.0))
        return np.where(met, 0.0, np.nan_to_num(away.min(axis=1), nan=np.inf))

    def _equal(self, table: pd.DataFrame) -> Bools:
        """Mark the designs (n,) whose column is one of the values."""
        column = table[self.column]
        absent = np.asarray(column.isna() & (_NOTHING in self.values), dtype=bool)
        values = [value for value in self.values if value != _NOTHING]
        if any(isinstance(value, str) for value in values):
            return np.asarray(absent | column.astype(str).isin(values), dtype=bool)
        known = column.to_numpy(dtype=float)[:, None] if values else np.empty((len(column), 0))
        same = np.isclose(known, np.array(values, dtype=float), rtol=_SAME, atol=0.0)
        return np.asarray(absent | same.any(axis=1), dtype=bool)


def parse_conditions(
    texts: Sequence[str | Condition],
    table: pd.DataFrame,
    where: str = "where",
    choices: Mapping[str, Sequence[Any]] = MappingProxyType({}),
) -> list[Condition]:
    """Read conditions on the columns of a table.

    Parameters
    ----------
    texts
        Such as ``"latency_s <= 5 ms"``, ``"rows = 64"`` or ``"template = dimc, aimc"``: a column
        with a unit in its name takes a quantity with a unit. Conditions are taken as they are.
    table
        Designs whose columns may be named.
    where
        Put before the message of a fault.
    choices
        Texts that a column could have as well, although no design has them.

    Raises
    ------
    SpecError
        With every fault: no condition, no such column, another unit, a text that no design has
        and none could have.

    Examples
    --------
    >>> designs = pd.DataFrame({"latency_s": [0.1], "template": ["dimc"]})
    >>> [str(each) for each in parse_conditions(["latency_s<=5ms", "template == dimc"], designs)]
    ['latency_s <= 5 ms', 'template = dimc']
    """
    read, faults = [], []
    for text in texts:
        try:
            if isinstance(text, str):
                text = _parse(text, table, where, choices)
            check_columns([text.column], table, where)
            read.append(text)
        except SpecError as error:
            faults += error.faults
    if faults:
        raise SpecError(faults)
    return read


def check_columns(names: Sequence[str], table: pd.DataFrame, where: str) -> None:
    """Refuse names that are no columns of a table, and name the nearest ones that are.

    Raises
    ------
    SpecError
        With every name that is not there.
    """
    faults = [
        f"{where}: got {name}, {_allowed(name, [str(c) for c in table])}"
        for name in names
        if name not in table
    ]
    if faults:
        raise SpecError(faults)


def is_numeric(column: pd.Series[Any]) -> bool:
    """Whether a column holds numbers, with gaps perhaps.

    Examples
    --------
    >>> is_numeric(pd.Series([64, None], dtype=object)), is_numeric(pd.Series(["dimc"]))
    (True, False)
    """
    if column.dtype == object:
        number = (int, float, np.number)
        return all(isinstance(v, number) and not isinstance(v, bool) for v in column.dropna())
    return bool(pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column))


def check_numeric(names: Sequence[str], table: pd.DataFrame, where: str) -> None:
    """Refuse names that are no columns of numbers.

    Raises
    ------
    SpecError
        With every such name.
    """
    check_columns(names, table, where)
    texts = [name for name in names if not is_numeric(table[name])]
    if texts:
        raise SpecError(
            [f"{where}: got {name}, which holds text, allowed: a number" for name in texts]
        )


def _parse(
    text: str, table: pd.DataFrame, where: str, choices: Mapping[str, Sequence[Any]]
) -> Condition:
    """Read one condition."""
    match = _SHAPE.fullmatch(text)
    if match is None or not match[3]:
        allowed = "a column, one of <= >= < > = !=, and a value, such as 'latency_s <= 5 ms'"
        raise SpecError(f"{where}: got {text!r}, allowed: {allowed}")
    column, relation, value = match[1], _SPELLED.get(match[2], match[2]), match[3]
    check_columns([column], table, where)
    place = f"{where}: {column}"
    if not is_numeric(table[column]):
        present = _present(table[column], choices.get(column, ()))
        return Condition(column, relation, _texts(value, relation, present, place))
    unit = unit_of(column)
    if relation in _BOUNDS:
        return Condition(column, relation, (_number(value, unit, place),))
    several = [each.strip() for each in value.split(",")]
    read = (each if each == _NOTHING else _number(each, unit, place) for each in several)
    return Condition(column, relation, tuple(read))


def _number(text: str, unit: str, where: str) -> float:
    """Read a number, with a unit where the column has one."""
    if unit:
        return parse_quantity(text.strip(), unit, where)
    try:
        return float(text)
    except ValueError as error:
        raise SpecError(f"{where}: got {text.strip()}, allowed: a number without a unit") from error


def _present(column: pd.Series[Any], choices: Sequence[Any]) -> list[str]:
    """List the texts that a column has, or could have."""
    texts = sorted({str(each) for each in (*column.dropna().unique(), *choices)})
    return [*texts, *([_NOTHING] if column.isna().any() else [])]


def _texts(
    value: str, relation: str, present: Sequence[str], where: str
) -> tuple[float | str, ...]:
    """Read what a column of texts is compared with: some of those that are there."""
    if relation in _BOUNDS:
        raise SpecError(f"{where}: got {relation} for a column of texts, allowed: = or !=")
    wanted = [each.strip() for each in value.split(",")]
    faults = [
        f"{where}: got {each}, {_allowed(each, present)}" for each in wanted if each not in present
    ]
    if faults:
        raise SpecError(faults)
    return tuple(wanted)


def _allowed(name: str, names: Sequence[str]) -> str:
    """Say what is allowed: all names where they are few, else the nearest."""
    shown = [each for each in names if "@" not in each and "." not in each]
    listed = ", ".join(shown[:_LISTED]) + (", ..." if len(shown) > _LISTED else "")
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    return f"allowed: {listed}" + (f" (did you mean {near[0]}?)" if near else "")
