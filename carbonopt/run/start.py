"""Designs that a search starts from: known chips, or the front of an earlier run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from carbonopt.errors import SpecError
from carbonopt.space import IndexArray, Space
from carbonopt.store import FRONT, read_rows
from carbonopt.units import parse_quantity, unit_of
from carbonopt.variable import Value, Variable

Designs = pd.DataFrame | Mapping[str, Any] | Sequence[Mapping[str, Any]] | IndexArray


def start_designs(given: Designs | str | Path | None, space: Space) -> IndexArray:
    """Read the designs that a search starts from as distinct index vectors (n, v).

    Parameters
    ----------
    given
        A run directory, a CSV file with a column for each variable (further ones are ignored),
        designs by name, or index vectors; nothing where it is None.
    space
        The space that they must belong to.

    Raises
    ------
    SpecError
        With every value that the space does not allow, by file and line.
    """
    if given is None:
        index = np.empty((0, len(space.shape)), dtype=np.int64)
    elif isinstance(given, str | Path):
        index = _read(Path(given), space)
    elif isinstance(given, np.ndarray):
        index = space.check(given)
    else:
        index = space.encode([given] if isinstance(given, Mapping) else given)
    distinct = list(dict.fromkeys(map(tuple, index.tolist())))
    return np.array(distinct, dtype=np.int64).reshape(-1, len(space.shape))


def _read(path: Path, space: Space) -> IndexArray:
    """Read the designs of a CSV file, or of the front of a run directory."""
    file = path / FRONT if path.is_dir() else path
    columns = f"a CSV file with the columns {', '.join(space.names)}"
    if not file.is_file():
        raise SpecError(f"start_from: got {path}, allowed: a directory with {FRONT}, or {columns}")
    header, lines = read_rows(file)
    missing = [name for name in space.names if name not in header]
    if missing:
        raise SpecError(f"{file}:1: got no column {', '.join(missing)}, allowed: {columns}")
    if not lines:
        raise SpecError(f"{file}: got no design, allowed: at least one")
    columns_of = {v: header.index(v.name) for v in space.variables}
    faults, index = [], np.zeros((len(lines), len(columns_of)), dtype=np.int64)
    for number, line in enumerate(lines):
        design = {v.name: _value(v, line[place]) for v, place in columns_of.items()}
        index[number], wrong = space.places(design)
        faults += [f"{file}:{number + 2}: {fault}" for fault in wrong]
    if faults:
        raise SpecError(faults)
    return index


def _value(variable: Variable, text: str) -> Value:
    """Read one of a variable's values from text: as it prints, as a number, or with a unit."""
    printed = {str(value): value for value in variable.values}
    if text in printed:
        return printed[text]
    try:
        unit = unit_of(variable.name)
        return parse_quantity(text, unit) if unit and not _is_number(text) else float(text)
    except ValueError:
        return text


def _is_number(text: str) -> bool:
    """Whether text is a number without a unit."""
    try:
        float(text)
    except ValueError:
        return False
    return True
