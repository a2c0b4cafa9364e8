"""A variable of a design space: its name, its values in order, and where it matters."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from carbonopt.errors import SpecError

Value = int | float | str
_OF_MAPPING = re.compile(r"layer\d+\.\w+(\.\w+)*")
_TOLERANCE = 1e-9
"""Of the number of steps: what decimal fractions lose as binary ones."""


@dataclass(frozen=True)
class Variable:
    """One knob and the values that it can take, in order.

    Parameters
    ----------
    name
        Column of the design table; a suffix tells the unit (``sram_byte``).
    values
        The values; an index vector holds positions in this tuple.
    condition
        Another variable, and those of its values with which this one matters; see `when`.

    Examples
    --------
    >>> Variable.pow2("rows", 32, 256).values
    (32, 64, 128, 256)
    """

    name: str
    values: tuple[Value, ...]
    condition: tuple[str, tuple[Value, ...]] | None = None
    _position: dict[Value, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if {type(value) for value in self.values} == {int, float}:
            object.__setattr__(self, "values", tuple(float(value) for value in self.values))
        position = {value: place for place, value in enumerate(self.values)}
        if not self.values or len(position) < len(self.values):
            fault = f"{self.name}: got {list(self.values)}, allowed: at least one value, none twice"
            raise SpecError(fault)
        object.__setattr__(self, "_position", position)

    def when(self, name: str, values: Sequence[Value]) -> Variable:
        """Let this variable matter only where another one has one of some values.

        Elsewhere a design has None for it, and designs that differ in it alone are one.

        Examples
        --------
        >>> from carbonopt.space import Space
        >>> node = Variable.choice("node_nm", [28, 65]).when("template", ["dimc"])
        >>> space = Space([Variable.choice("template", ["digital_ws", "dimc"]), node])
        >>> space.size, space.decode([[0, 1], [1, 1]])[0]
        (3, {'template': 'digital_ws', 'node_nm': None})
        """
        return dataclasses.replace(self, condition=(name, tuple(values)))

    @property
    def ordered(self) -> bool:
        """True where neighbouring indices are neighbouring values: rising or falling numbers."""
        if any(isinstance(value, str) for value in self.values):
            return False
        steps = np.diff(np.asarray(self.values, dtype=float))
        return bool(np.all(steps > 0) or np.all(steps < 0))

    def position(self, value: object) -> int:
        """Index of a value.

        Raises
        ------
        SpecError
            The variable cannot take the value.
        """
        place = self._position.get(value)  # type: ignore[call-overload]
        if place is None:
            allowed = ", ".join(map(str, self.values))
            raise SpecError(f"{self.name}: got {value}, allowed: {allowed}")
        return int(place)

    @classmethod
    def choice(cls, name: str, values: Sequence[Value]) -> Variable:
        """Take one of the listed values."""
        return cls(name, tuple(values))

    @classmethod
    def pow2(cls, name: str, low: int, high: int) -> Variable:
        """Take a power of two from `low` to `high`, both included.

        Raises
        ------
        SpecError
            The bounds are no powers of two, or `low` > `high`.
        """
        bounds = (int(low), int(high))
        if any(b < 1 or b & (b - 1) for b in bounds) or bounds != (low, high) or low > high:
            fault = f"{name}: got [{low}, {high}], allowed: two powers of two, the lower first"
            raise SpecError(fault)
        powers = range(bounds[0].bit_length() - 1, bounds[1].bit_length())
        return cls(name, tuple(1 << power for power in powers))

    @classmethod
    def integer(cls, name: str, low: int, high: int) -> Variable:
        """Take a whole number from `low` to `high`, both included."""
        return cls.step(name, low, high, 1)

    @classmethod
    def step(cls, name: str, low: float, high: float, step: float) -> Variable:
        """Take `low`, `low + step`, … up to `high`; fractions are rounded to 12 digits.

        Raises
        ------
        SpecError
            `step` is not positive or does not lead from `low` to `high`.

        Examples
        --------
        >>> Variable.step("supply_v", 0.7, 0.9, 0.1).values
        (0.7, 0.8, 0.9)
        """
        steps = (high - low) / step if step > 0 else math.nan
        count = round(steps) if math.isfinite(steps) else -1
        if count < 0 or abs(steps - count) > _TOLERANCE * max(1, count):
            fault = f"{name}: got [{low}, {high}, {step}], allowed: low <= high = low + k * step"
            raise SpecError(fault)
        if all(float(number).is_integer() for number in (low, step)):
            return cls(name, tuple(int(low) + place * int(step) for place in range(count + 1)))
        inner = (float(f"{low + place * step:.12g}") for place in range(1, count))
        return cls(name, (float(low), *inner, *([float(high)] if count else [])))

    @classmethod
    def real(cls, name: str, low: float, high: float, levels: int) -> Variable:
        """Take one of so many equidistant levels from `low` to `high`, both included.

        Raises
        ------
        SpecError
            `low` >= `high` or fewer than two levels.
        """
        if not (math.isfinite(low) and math.isfinite(high) and low < high and levels >= 2):
            fault = f"{name}: got [{low}, {high}, {levels}], allowed: low < high, 2 levels or more"
            raise SpecError(fault)
        return cls(name, tuple(float(value) for value in np.linspace(low, high, levels)))


def kept_column(values: Sequence[Any]) -> pd.Series[Any]:
    """Make a column of a table that keeps whole numbers whole beside None.

    Examples
    --------
    >>> kept_column([28, None]).tolist()
    [28, None]
    """
    return pd.Series(values, dtype=object) if None in values else pd.Series(values)


def is_mapping_variable(name: str) -> bool:
    """Tell whether a column says how layers are mapped.

    Examples
    --------
    >>> is_mapping_variable("layer3.place.OX.1"), is_mapping_variable("sram_byte")
    (True, False)
    """
    return _OF_MAPPING.fullmatch(name) is not None
