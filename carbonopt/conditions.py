"""Where variables matter, and the full grids that a space with such conditions is made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from carbonopt.errors import SpecError
from carbonopt.variable import Variable


@dataclass(frozen=True)
class Grid:
    """A full grid of a space: its shape, and the index vector of its first design."""

    shape: tuple[int, ...]
    first: npt.NDArray[np.int64]

    @property
    def size(self) -> int:
        """Number of designs."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Condition:
    """A variable's column, that of the variable it depends on, and with which of its values."""

    column: int
    parent: int
    met: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, column: int, variables: Sequence[Variable]) -> Condition:
        """Look the condition of a variable up."""
        name, values = variables[column].condition or ("", ())
        free = {v.name: place for place, v in enumerate(variables) if v.condition is None}
        where = f"{variables[column].name}: condition"
        if name not in free:
            raise SpecError(f"{where}: got {name}, allowed: {', '.join(free)}")
        known = variables[free[name]].values
        unknown = [str(value) for value in values if value not in known]
        if unknown or not values:
            got, allowed = ", ".join(unknown) or "no value", ", ".join(map(str, known))
            raise SpecError(f"{where}: got {got} of {name}, allowed: {allowed}")
        return cls(column, free[name], np.array([value in values for value in known]))

    def is_met(self, value: object, variables: Sequence[Variable]) -> bool:
        """Whether the variable matters for a value of its parent; also for one it cannot take."""
        try:
            return bool(self.met[variables[self.parent].position(value)])
        except SpecError:
            return True
