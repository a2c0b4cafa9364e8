"""Whether the models cover a design of a template: each knob alone, then knobs together."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from carbonopt.data.tables import load_facts
from carbonopt.errors import ModelRangeError
from carbonopt.hardware.cacti import sram_rows_range
from carbonopt.hardware.knob_table import Knob, Knobs, knob_table
from carbonopt.units import format_quantity

if TYPE_CHECKING:
    from carbonopt.hardware.template import Template

_BIT_PER_BYTE = 8
WORD_BITS = 64
"""Width of the buffer of a row-stationary array [bit]."""


def check_knobs(template: Template, knobs: Knobs) -> None:
    """Refuse designs that the models do not cover, all faults in one message.

    Raises
    ------
    ModelRangeError
        Naming every knob at fault, what it is, and what is allowed.

    Examples
    --------
    >>> from carbonopt.hardware.template import find_template
    >>> check_knobs(find_template("dimc"), Knobs(64, 2, 1, 65536))
    Traceback (most recent call last):
    carbonopt.errors.ModelRangeError: dimc: cols: got 2, allowed: from 4 (words of the cells)
    """
    faults = [
        f"{knob.name}: {fault}"
        for knob in knob_table().values()
        if (fault := _knob_fault(template, knob, knobs))
    ]
    faults += _loading_fault(knobs)
    if not faults:
        if template.dataflow == "row_stationary":
            faults += _row_stationary_faults(knobs)
        else:
            faults += [*_array_faults(template, knobs), *_word_faults(knobs)]
    if faults:
        raise ModelRangeError("\n".join(f"{template.name}: {fault}" for fault in faults))


def _knob_fault(template: Template, knob: Knob, knobs: Knobs) -> str:
    """Say what is wrong with a knob; '' if nothing is."""
    value = knobs.value(knob)
    if value is None:
        return ""
    got = _said(value, knob)
    if knob.kinds and template.kind not in knob.kinds:
        plain = _said(knob.default, knob)
        same = value == knob.default
        return "" if same else f"got {got}, allowed: {plain} (a knob of {', '.join(knob.kinds)})"
    return "" if knob.holds(value) else f"got {got}, allowed: {knob.allowed}"


def _said(value: float | str | None, knob: Knob) -> str:
    """Return the value of a knob in words."""
    if value is None or isinstance(value, str):
        return value or "none"
    return f"{value:g} {knob.unit}".rstrip()


def _loading_fault(knobs: Knobs) -> Iterator[str]:
    """Refuse to load weights beside those in use where there is no room for both."""
    options = knobs.options
    if options.loading == "overlapped" and options.group_depth < 2:
        yield (
            f"group_depth: got {options.group_depth}, allowed: from 2 where loading is "
            "overlapped (weights in use, and those that arrive)"
        )


def _row_stationary_faults(knobs: Knobs) -> Iterator[str]:
    """Refuse a buffer of a row-stationary array that its table does not cover."""
    low, high = (words * WORD_BITS / _BIT_PER_BYTE for words in sram_rows_range())
    if not low <= knobs.sram_byte <= high:
        allowed = f"{_byte(low)} to {_byte(high)} (words of {WORD_BITS} bit)"
        yield f"sram: got {_byte(knobs.sram_byte)}, allowed: {allowed}"


def _array_faults(template: Template, knobs: Knobs) -> Iterator[str]:
    """Refuse adder trees that are not full, and macros that their tables do not cover."""
    if template.adder_tree and (knobs.rows < 2 or math.log2(knobs.rows) % 1):
        yield f"rows: got {knobs.rows}, allowed: powers of two from 2 (leaves of an adder tree)"
    elif template.macro:
        yield from _cell_faults(knobs)


def _cell_faults(knobs: Knobs) -> Iterator[str]:
    """Refuse cells of a macro outside the SRAM table, and ADCs that serve more than all columns."""
    bits = int(load_facts("digital_28nm.csv")["weight_bits"])
    share, columns = knobs.options.adc_share, knobs.cols * bits
    if share > columns:
        yield f"adc_share: got {share}, allowed: up to {columns} (bit columns of a macro)"
    depth = knobs.options.group_depth
    low, high = sram_rows_range()
    if not low <= knobs.rows * depth <= high:
        grouped = f" x group_depth {depth}" if depth > 1 else ""
        allowed = f"rows x group_depth from {low} to {high} (cells of a column)"
        yield f"rows: got {knobs.rows}{grouped}, allowed: {allowed}"
    narrowest = int(load_facts("memory_28nm.csv")["sram_column_bits"])
    if columns < narrowest:
        yield f"cols: got {knobs.cols}, allowed: from {-(-narrowest // bits)} (words of the cells)"


def _word_faults(knobs: Knobs) -> Iterator[str]:
    """Refuse an SRAM whose words are so wide that it is too shallow for the table, or too deep."""
    facts, narrowest = load_facts("digital_28nm.csv"), load_facts("memory_28nm.csv")
    widths = {
        "rows": int(knobs.rows * facts["input_bits"]),
        "cols": int(knobs.cols * facts["psum_bits"]),
    }
    name = max(widths, key=lambda each: widths[each])
    got, word, size = getattr(knobs, name), widths[name] * knobs.macros, knobs.sram_byte
    low, high = sram_rows_range()
    needed, most = word * low / _BIT_PER_BYTE, word * high / _BIT_PER_BYTE
    if word < narrowest["sram_column_bits"]:
        allowed = f"more, for words of the SRAM from {narrowest['sram_column_bits']:g} bit"
        yield f"{name}: got {got}, allowed: {allowed} (got {word})"
    elif size > most:
        yield f"sram: got {_byte(size)}, allowed: up to {_byte(most)} in words of {word} bit"
    elif size < needed:
        fits = int(size * _BIT_PER_BYTE / low / (widths[name] // got))
        fewer = f"{name} x macros up to {fits}, or " if fits else ""
        yield (
            f"{name if fits else 'sram'}: got {got if fits else _byte(size)}, allowed: {fewer}"
            f"an sram from {_byte(needed)} ({low} words of {word} bit, as wide as the array)"
        )


def _byte(size: float) -> str:
    """Return a size in words."""
    return format_quantity(size, "byte")
