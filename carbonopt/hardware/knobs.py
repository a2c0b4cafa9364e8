"""Knobs of the templates, read from text or from a row of a table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from carbonopt.errors import SpecError
from carbonopt.hardware.template import KNOB_UNITS, OPTIONAL_KNOBS, Knobs, find_template
from carbonopt.units import parse_quantity


def parse_knobs(template: str, values: Mapping[str, Any]) -> Knobs:
    """Read the knobs of a template; quantities carry a unit; see `OPTIONAL_KNOBS`.

    Raises
    ------
    SpecError
        All unknown or missing knobs and all values that cannot be read.

    Examples
    --------
    >>> parse_knobs("dimc", {"rows": 64, "cols": "32", "sram": "32KiB"})
    Knobs(rows=64, cols=32, macros=1, sram_byte=32768.0, group_depth=1)
    """
    faults = []
    try:
        find_template(template)
    except SpecError as error:
        faults += error.faults
    for name in values:
        if name not in KNOB_UNITS:
            near = get_close_matches(name, KNOB_UNITS, 1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            faults.append(f"{name}: unknown knob{hint}, allowed: {', '.join(KNOB_UNITS)}")
    numbers = dict.fromkeys(OPTIONAL_KNOBS, 1.0)
    for name, unit in KNOB_UNITS.items():
        try:
            if name in values:
                numbers[name] = _knob(name, values[name], unit)
        except SpecError as error:
            faults += error.faults
        if name not in values and name not in numbers:
            faults.append(f"{name}: not given, required by every template")
    if faults:
        raise SpecError(faults)
    rows, cols, macros = (int(numbers[name]) for name in ("rows", "cols", "macros"))
    return Knobs(rows, cols, macros, numbers["sram"], int(numbers["group_depth"]))


def _knob(name: str, value: object, unit: str) -> float:
    """Read one knob: a whole number, or a quantity with a unit."""
    if unit:
        return parse_quantity(value, unit, name)
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if not number.is_integer():
        raise SpecError(f"{name}: got {value!r}, allowed: a whole number")
    return number


def knobs_of_row(design: Mapping[str, Any]) -> Knobs:
    """Return the knobs of a design whose quantities are in canonical units.

    Examples
    --------
    >>> knobs_of_row({"rows": 64, "cols": 32, "sram_byte": 32768})
    Knobs(rows=64, cols=32, macros=1, sram_byte=32768.0, group_depth=1)
    """
    names = ("rows", "cols", "macros", "group_depth")
    rows, cols, macros, group_depth = (int(design.get(name, 1)) for name in names)
    return Knobs(rows, cols, macros, float(design["sram_byte"]), group_depth)
