"""Knobs of the templates, read from text or from a row of a table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

from carbonopt.errors import SpecError
from carbonopt.hardware.knob_table import (
    Knob,
    Knobs,
    MacroOptions,
    RowStationaryOptions,
    knob_table,
)
from carbonopt.hardware.template import find_template
from carbonopt.units import parse_quantity
from carbonopt.workload.compression import NETWORK_KNOBS, ZEROS


def parse_knobs(template: str, values: Mapping[str, Any]) -> Knobs:
    """Read the knobs of a template; quantities carry a unit; see `knob_table`.

    Raises
    ------
    SpecError
        All unknown or missing knobs and all values that cannot be read.

    Examples
    --------
    >>> knobs = parse_knobs("aimc", {"rows": 64, "cols": "32", "sram": "32KiB", "supply": "0.8 V"})
    >>> knobs.rows, knobs.macros, knobs.sram_byte, knobs.options.given
    (64, 1, 32768.0, {'supply_v': 0.8})
    """
    faults = []
    design: dict[str, Any] = {}
    try:
        design |= find_template(template).defaults
    except SpecError as error:
        faults += error.faults
    table = knob_table()
    for name in values:
        if name not in table:
            near = get_close_matches(name, [*table, *NETWORK_KNOBS, ZEROS.name], 1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            faults.append(f"{name}: unknown knob{hint}, allowed: {', '.join(table)}")
    for name, knob in table.items():
        try:
            if name in values:
                design[knob.column] = _value(knob, values[name])
        except SpecError as error:
            faults += error.faults
        if knob.required and name not in values and knob.column not in design:
            faults.append(f"{name}: not given, required by every template but eyeriss")
    if faults:
        raise SpecError(faults)
    return knobs_of_row(design)


def _value(knob: Knob, value: object) -> float | str:
    """Read the value of a knob: a word, a quantity with a unit, or a number."""
    if knob.unit:
        return parse_quantity(value, knob.unit, knob.name)
    if knob.words:
        if value not in knob.words:
            near = get_close_matches(str(value), knob.words, 1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise SpecError(f"{knob.name}: got {value!r}{hint}, allowed: {knob.allowed}")
        return str(value)
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if knob.whole and not number.is_integer():
        raise SpecError(f"{knob.name}: got {value!r}, allowed: a whole number")
    if not math.isfinite(number):
        raise SpecError(f"{knob.name}: got {value!r}, allowed: {knob.allowed}")
    return int(number) if knob.whole else number


def knobs_of_row(design: Mapping[str, Any]) -> Knobs:
    """Return the knobs of a design whose quantities are in canonical units.

    Examples
    --------
    >>> knobs_of_row({"rows": 64, "cols": 32, "sram_byte": 32768}).options == MacroOptions()
    True
    """
    known = {name: value for name, value in design.items() if value is not None}
    counted = {knob.column for knob in knob_table().values() if knob.whole}

    def given(kind: type[MacroOptions | RowStationaryOptions]) -> dict[str, Any]:
        return {
            field.name: int(known[field.name]) if field.name in counted else known[field.name]
            for field in fields(kind)
            if field.name in known
        }

    rows, cols, macros = (int(known.get(name, 1)) for name in ("rows", "cols", "macros"))
    return Knobs(
        rows, cols, macros, float(known["sram_byte"]),
        MacroOptions(**given(MacroOptions)), RowStationaryOptions(**given(RowStationaryOptions)),
    )  # fmt: skip
