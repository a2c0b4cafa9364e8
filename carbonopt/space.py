"""The design space: variables with listed values, and index vectors to and from named columns."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from carbonopt.errors import SpecError

IndexArray = npt.NDArray[np.int64]
Value = int | float | str
_BLOCK = 4096
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

    Examples
    --------
    >>> Variable.pow2("rows", 32, 256).values
    (32, 64, 128, 256)
    """

    name: str
    values: tuple[Value, ...]
    _position: dict[Value, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if {type(value) for value in self.values} == {int, float}:
            object.__setattr__(self, "values", tuple(float(value) for value in self.values))
        position = {value: place for place, value in enumerate(self.values)}
        if not self.values or len(position) < len(self.values):
            fault = f"{self.name}: got {list(self.values)}, allowed: at least one value, none twice"
            raise SpecError(fault)
        object.__setattr__(self, "_position", position)

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


class Space:
    """All combinations of the values of some variables.

    Examples
    --------
    >>> space = Space([Variable.pow2("rows", 32, 64), Variable.choice("template", ["os", "ws"])])
    >>> space.size, space.decode([[1, 0]])
    (4, [{'rows': 64, 'template': 'os'}])
    >>> space.encode([{"rows": 64, "template": "os"}])
    array([[1, 0]])
    """

    def __init__(self, variables: Sequence[Variable]) -> None:
        names = [variable.name for variable in variables]
        if not names or len(set(names)) < len(names):
            raise SpecError(f"variables: got {names}, allowed: at least one, each name once")
        self.variables = tuple(variables)

    @property
    def names(self) -> list[str]:
        """Names of the variables, in the order of the index vector."""
        return [variable.name for variable in self.variables]

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values of each variable."""
        return tuple(len(variable.values) for variable in self.variables)

    @property
    def size(self) -> int:
        """Number of designs."""
        return math.prod(self.shape)

    def check(self, index: npt.ArrayLike) -> IndexArray:
        """Return `index` as an integer array (n, v).

        Raises
        ------
        SpecError
            The shape is wrong or an index lies outside its variable.
        """
        array = np.asarray(index)
        if array.ndim != 2 or array.shape[1] != len(self.variables):
            allowed = f"(n, {len(self.variables)}): one column for each of {', '.join(self.names)}"
            raise SpecError(f"designs: got an array of shape {array.shape}, allowed: {allowed}")
        whole: IndexArray = array.astype(np.int64)
        if np.any(whole != array) or np.any(whole < 0) or np.any(whole >= self.shape):
            raise SpecError(f"designs: got an index outside, allowed: 0 <= index < {self.shape}")
        return whole

    def decode(self, index: npt.ArrayLike) -> list[dict[str, Value]]:
        """Turn index vectors (n, v) into named values."""
        return [
            {v.name: v.values[place] for v, place in zip(self.variables, row, strict=True)}
            for row in self.check(index).tolist()
        ]

    def encode(self, designs: pd.DataFrame | Sequence[Mapping[str, Any]]) -> IndexArray:
        """Turn named values into index vectors (n, v); further columns are ignored.

        Raises
        ------
        SpecError
            A variable is missing or has a value that it cannot take; names every such row.
        """
        rows: Sequence[Mapping[Any, Any]] = (
            designs.to_dict("records") if isinstance(designs, pd.DataFrame) else designs
        )
        index = np.zeros((len(rows), len(self.variables)), dtype=np.int64)
        faults = []
        for place, row in enumerate(rows):
            for column, variable in enumerate(self.variables):
                try:
                    index[place, column] = variable.position(row.get(variable.name, "nothing"))
                except SpecError as error:
                    faults.append(f"design {place}: {error}")
        if faults:
            raise SpecError(faults)
        return index

    def blocks(self, size: int = _BLOCK) -> Iterator[IndexArray]:
        """Yield every design once, last variable fastest, so many at a time."""
        for start in range(0, self.size, size):
            yield self.unravel(np.arange(start, min(start + size, self.size)))

    def unravel(self, flat: npt.NDArray[np.int64]) -> IndexArray:
        """Turn places (n,) in the enumeration into index vectors (n, v)."""
        return np.stack(np.unravel_index(flat, self.shape), axis=1).astype(np.int64)


def is_mapping_variable(name: str) -> bool:
    """Tell whether a column says how layers are mapped.

    Examples
    --------
    >>> is_mapping_variable("layer3.place.OX.1"), is_mapping_variable("sram_byte")
    (True, False)
    """
    return _OF_MAPPING.fullmatch(name) is not None
