"""The design space: index vectors to and from named values of its variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from carbonopt.conditions import Condition, Grid
from carbonopt.errors import SpecError
from carbonopt.variable import Value, Variable

IndexArray = npt.NDArray[np.int64]
_BLOCK = 4096


class Space:
    """All combinations of the values of some variables.

    Index vectors that differ only in variables that do not matter there are the same design;
    `canonical` has a 0 for these.

    Raises
    ------
    SpecError
        No variable, two of one name, or a condition on something else than the value of another
        variable that has no condition itself.

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
        self._conditions = [
            Condition.of(column, self.variables)
            for column, variable in enumerate(variables)
            if variable.condition is not None
        ]

    @property
    def names(self) -> list[str]:
        """Names of the variables, in the order of the index vector."""
        return [variable.name for variable in self.variables]

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values of each variable."""
        return tuple(len(variable.values) for variable in self.variables)

    @property
    def choices(self) -> dict[str, tuple[Value, ...]]:
        """Values that each variable can take, by name."""
        return {variable.name: variable.values for variable in self.variables}

    @property
    def size(self) -> int:
        """Number of designs."""
        return sum(part.size for part in self._parts)

    @property
    def conditional(self) -> list[str]:
        """Names of the variables that do not matter everywhere."""
        return [self.names[condition.column] for condition in self._conditions]

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

    def matters(self, index: IndexArray) -> npt.NDArray[np.bool_]:
        """Whether each variable matters in each design (n, v)."""
        found = np.ones(index.shape, dtype=bool)
        for condition in self._conditions:
            found[:, condition.column] = condition.met[index[:, condition.parent]]
        return found

    def canonical(self, index: IndexArray) -> IndexArray:
        """Return index vectors (n, v) that are the same for the same design."""
        return np.where(self.matters(index), index, 0) if self._conditions else index

    def decode(self, index: npt.ArrayLike) -> list[dict[str, Value | None]]:
        """Turn index vectors (n, v) into named values, None for those that do not matter."""
        checked = self.check(index)
        columns: list[list[Value | None]] = [
            [variable.values[place] for place in places]
            for variable, places in zip(self.variables, checked.T.tolist(), strict=True)
        ]
        matters = self.matters(checked)
        for column in (condition.column for condition in self._conditions):
            pairs = zip(columns[column], matters[:, column].tolist(), strict=True)
            columns[column] = [value if met else None for value, met in pairs]
        names = self.names
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    def encode(self, designs: pd.DataFrame | Sequence[Mapping[str, Any]]) -> IndexArray:
        """Turn named values into index vectors (n, v); further columns are ignored.

        Raises
        ------
        SpecError
            A variable is missing or has a value that it cannot take, or any where it does not
            matter; names every such row.
        """
        rows: Sequence[Mapping[Any, Any]] = (
            designs.to_dict("records") if isinstance(designs, pd.DataFrame) else designs
        )
        index = np.zeros((len(rows), len(self.variables)), dtype=np.int64)
        faults = []
        for number, row in enumerate(rows):
            places, wrong = self.places(row)
            index[number] = places
            faults += [f"design {number}: {fault}" for fault in wrong]
        if faults:
            raise SpecError(faults)
        return index

    def places(self, row: Mapping[Any, Any]) -> tuple[list[int], list[str]]:
        """Return the index vector of a design by name, and everything that is wrong with it."""
        idle = {
            self.names[condition.column]: condition.parent
            for condition in self._conditions
            if not condition.is_met(row.get(self.names[condition.parent]), self.variables)
        }
        places, faults = [0] * len(self.variables), []
        for column, variable in enumerate(self.variables):
            value = row.get(variable.name)
            if variable.name not in idle:
                try:
                    places[column] = variable.position(row.get(variable.name, "nothing"))
                except SpecError as error:
                    faults.append(str(error))
            elif not (value is None or value != value or value == ""):
                parent = self.names[idle[variable.name]]
                where = f"nothing where {parent} is {row.get(parent)}"
                faults.append(f"{variable.name}: got {value}, allowed: {where}")
        return places, faults

    def blocks(self, size: int = _BLOCK) -> Iterator[IndexArray]:
        """Yield every design once, last variable fastest, so many at a time."""
        for start in range(0, self.size, size):
            yield self.unravel(np.arange(start, min(start + size, self.size)))

    def unravel(self, flat: npt.ArrayLike) -> IndexArray:
        """Turn places (n,) in the enumeration into index vectors (n, v)."""
        flat = np.asarray(flat)
        index = np.empty((len(flat), len(self.variables)), dtype=np.int64)
        part_of = np.searchsorted(self._starts, flat, side="right") - 1
        for number in np.unique(part_of).tolist():
            part, here = self._parts[number], part_of == number
            places = np.unravel_index(flat[here] - self._starts[number], part.shape)
            index[here] = np.stack(places, axis=1) + part.first
        return index

    def ravel(self, index: IndexArray) -> npt.NDArray[np.int64]:
        """Turn canonical index vectors (n, v) into places (n,) in the enumeration."""
        parents = self._parents
        sizes = [self.shape[column] for column in parents]
        part_of = np.zeros(len(index), dtype=np.int64)
        if parents:
            part_of = np.ravel_multi_index(tuple(index[:, parents].T), sizes).astype(np.int64)
        flat = np.empty(len(index), dtype=np.int64)
        for number in np.unique(part_of).tolist():
            part, here = self._parts[number], part_of == number
            places = tuple((index[here] - part.first).T)
            flat[here] = np.ravel_multi_index(places, part.shape) + self._starts[number]
        return flat

    @property
    def _parents(self) -> list[int]:
        """Columns of the variables on which others depend."""
        return sorted({condition.parent for condition in self._conditions})

    @cached_property
    def _parts(self) -> list[Grid]:
        """The full grids that make up the space: one for each choice of the parents."""
        parts = []
        for choice in np.ndindex(*(self.shape[column] for column in self._parents)):
            shape, first = list(self.shape), np.zeros(len(self.shape), dtype=np.int64)
            for column, place in zip(self._parents, choice, strict=True):
                shape[column], first[column] = 1, place
            for condition in self._conditions:
                if not condition.met[first[condition.parent]]:
                    shape[condition.column] = 1
            parts.append(Grid(tuple(shape), first))
        return parts

    @cached_property
    def _starts(self) -> npt.NDArray[np.int64]:
        """Place (p,) in the enumeration at which each of the grids begins."""
        sizes = [part.size for part in self._parts]
        return np.concatenate([[0], np.cumsum(sizes[:-1], dtype=np.int64)]).astype(np.int64)
