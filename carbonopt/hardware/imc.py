"""In-memory-computing macros: what a designer chooses, in which published form it is counted.

`carbonopt.hardware.imc_model` gives their area, clock and energy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from carbonopt.arrays import Bools, Number
from carbonopt.data.tables import load_facts
from carbonopt.errors import ModelRangeError, SpecError
from carbonopt.hardware.knob_table import MacroOptions
from carbonopt.hardware.nvm import NvmCell, load_cell

Kind = Literal["dimc", "aimc"]
_FACTS = "imc_28nm.csv"


@dataclass(frozen=True)
class MacroForm:
    """Where the published forms of the macro model part.

    Parameters
    ----------
    name
        ``zigzag-imc`` (which CarbonSpot shares), ``zigzag`` or ``default``.
    full_ripple
        Carries ripple through every bit that a stage adds; otherwise the last bit of an
        accumulator, and the ADC's bits before the place-value adders, take no time.
    adc_wide_accumulators
        Energy of an analog accumulator as wide as its area, with the ADC's bits; otherwise with
        log2 of the rows.
    all_rows_switch
        Digital layers switch the multipliers of all rows, not of occupied ones.
    sums_occupied_rows
        Digital layers sum all rows that hold weights, not those that one output needs.
    free_comparator
        An ADC of one bit takes no area.

    References
    ----------
    .. [1] zigzag-imc commit df34a6f and CarbonSpot 0839b49, {Aimc,Dimc}ArrayUnit.py (alike).
    .. [2] zigzag-dse 3.9.1, hardware/architecture/{imc_array,imc_unit}.py.
    """

    name: str
    full_ripple: bool
    adc_wide_accumulators: bool
    all_rows_switch: bool
    sums_occupied_rows: bool
    free_comparator: bool


_FORMS = {
    form.name: form
    for form in (
        MacroForm("zigzag-imc", True, False, False, False, True),
        MacroForm("zigzag", False, True, True, True, True),
        MacroForm("default", True, True, False, False, False),
    )
}


def load_form(name: str) -> MacroForm:
    """Return the form of the macro model called `name`.

    Raises
    ------
    SpecError
        If there is no such form.

    Examples
    --------
    >>> load_form("default").full_ripple
    True
    """
    if name not in _FORMS:
        raise SpecError(f"macro model: got {name!r}, allowed: {', '.join(_FORMS)}")
    return _FORMS[name]


@dataclass(frozen=True)
class Activity:
    """Share of cycles in which parts switch; the published forms say 1 everywhere.

    Parameters
    ----------
    multipliers
        Of multipliers, word lines and bit lines [-].
    trees
        Of adder trees and place-value adders [-].
    flipflops
        Of accumulators and pipeline registers [-].
    converters
        Of ADCs, below 1 where they stop early on small outputs [-].
    """

    multipliers: Number = 1.0
    trees: Number = 1.0
    flipflops: Number = 1.0
    converters: Number = 1.0

    @classmethod
    def of_data(cls, input_toggle: Number, weight_density: Number) -> Activity:
        """Return toggle x density for multipliers and trees; accumulators always switch."""
        both = input_toggle * weight_density
        return cls(both, both, 1.0)

    def of_weights(self, density: Number) -> Activity:
        """Return what switches where only a share of the weights is no zero.

        Examples
        --------
        >>> Activity(0.5, 0.5).of_weights(0.5)
        Activity(multipliers=0.25, trees=0.25, flipflops=1.0, converters=1.0)
        """
        multipliers, trees = self.multipliers * density, self.trees * density
        return Activity(multipliers, trees, self.flipflops, self.converters)


FULL_ACTIVITY = Activity()


@dataclass(frozen=True)
class ImcMacro:
    """Macros of D1 output columns and D2 accumulated rows of multi-bit weights.

    Each number may be an array (n,) of designs. A weight takes `weight_bits` bit columns; weights
    of a group share one multiplier.

    Parameters
    ----------
    kind
        ``dimc`` or ``aimc``.
    cols, rows
        D1 and D2.
    weight_bits, input_bits
        Precisions, 1 to 16 [bit].
    bits_per_cycle
        Input bits applied per cycle; the last cycle may be partly filled [bit].
    adc_bits
        Resolution of the ADCs, may be fractional [bit]; of no effect in ``dimc``.
    macros, group_depth
        D3, and weights that share one multiplier.
    booth
        ``dimc``: pairs of input bits are recoded (radix 4), so that one multiplier and one tree,
        a bit wider, serve two of them.
    input_slices
        ``aimc``: parts into which the bits of a cycle are split, each with its own DACs and
        conversions.
    merged_columns
        ``aimc``: bit columns that are summed by place value in analog, before one conversion.
    adc_share
        Conversions that one ADC does in turn.
    pipelined
        Registers part multipliers and trees (or ADCs) from place-value adders and accumulators.
    survey_adc
        Area and energy of ADCs from the survey instead of the fit.
    cell
        Non-volatile cell instead of SRAM, in ``aimc``.
    form
        Published form.
    """

    kind: Kind
    cols: Number
    rows: Number
    weight_bits: Number
    input_bits: Number
    bits_per_cycle: Number
    adc_bits: Number = 0.0
    macros: Number = 1
    group_depth: Number = 1
    booth: bool = False
    input_slices: Number = 1
    merged_columns: Number = 1
    adc_share: Number = 1
    pipelined: bool = False
    survey_adc: bool = False
    cell: NvmCell | None = None
    form: MacroForm = _FORMS["default"]

    @property
    def cycles_per_mac(self) -> Number:
        """Cycles per multiply-accumulate: input bits over bits per cycle, rounded up."""
        return -(-self.input_bits // self.bits_per_cycle)

    @property
    def passes(self) -> int:
        """Cycles per multiply-accumulate of a single design."""
        return int(self.cycles_per_mac)

    @property
    def products(self) -> Number:
        """Multiplications by one bit, or recoded pair of bits, of one weight in one cycle."""
        return -(-self.bits_per_cycle // 2) if self.booth else self.bits_per_cycle

    @property
    def tree_bits(self) -> Number:
        """Width of what an adder tree sums: the weight, or its recoded multiple [bit]."""
        return self.weight_bits + (1 if self.booth else 0)

    @property
    def converted_columns(self) -> Number:
        """Columns of one output with an ADC's value of their own: weight bits over merged ones."""
        return -(-self.weight_bits // self.merged_columns)

    @property
    def conversions(self) -> Number:
        """ADC conversions of one output in one cycle, of all input slices."""
        return self.converted_columns * self.input_slices

    @property
    def place_value_operands(self) -> tuple[Number, Number]:
        """How many words of rising place value are added per output, and their width [bit].

        A digital macro adds the trees of its products, an analog one the conversions.
        """
        if self.kind == "dimc":
            return self.products, self.tree_bits + np.log2(self.rows)
        return self.conversions, self.adc_bits

    @property
    def accumulates(self) -> Bools:
        """Whether inputs take several cycles, so that their sums are accumulated."""
        return np.asarray(self.cycles_per_mac) > 1

    @property
    def accumulator_bits(self) -> Number:
        """Width of the accumulator over input bits, where there is one [bit].

        Inputs + weights + log2 rows (digital), or inputs + ADC bits + columns (analog).
        """
        if self.kind == "dimc":
            return self.input_bits + self.weight_bits + np.log2(self.rows)
        return self.converted_columns + self.adc_bits + self.input_bits

    @property
    def switched_accumulator_bits(self) -> Number:
        """Width of the accumulator that is charged with energy [bit]."""
        if self.kind == "aimc" and not self.form.adc_wide_accumulators:
            return self.input_bits + self.weight_bits + np.log2(self.rows)
        return self.accumulator_bits

    @property
    def ops_per_cycle(self) -> Number:
        """Operations per cycle, two per multiply-accumulate: 2 D1 D2 D3 / cycles per MAC."""
        return 2 * self.cols * self.rows * self.macros / self.cycles_per_mac


def derived_adc_bits(bits_per_cycle: Number, rows: Number) -> Number:
    """Resolution of an ADC that is not given: b + 0.5 floor(log2 rows) [bit].

    References
    ----------
    .. [1] CarbonSpot commit 0839b49, expr.py:1858.

    Examples
    --------
    >>> float(derived_adc_bits(2, 128))
    5.5
    """
    share = load_facts(_FACTS)["adc_bits_per_log2_row"]
    bits: Number = bits_per_cycle + share * np.floor(np.log2(rows))
    return bits


def imc_macro(
    kind: Kind, cols: int, rows: int, macros: int, options: MacroOptions, form: MacroForm
) -> ImcMacro:
    """Return the macros of a template, with the precisions of CarbonSpot.

    Bits per cycle are CarbonSpot's, and the resolution of the ADCs follows from them, unless the
    options say otherwise.
    """
    facts = load_facts(_FACTS)
    applied = options.bits_per_cycle or int(facts[f"{kind}_bits_per_cycle"])
    resolution = 0.0
    if kind == "aimc":
        resolution = options.adc_bits or float(derived_adc_bits(applied, rows))
    weight_bits, input_bits = int(facts["weight_bits"]), int(facts["input_bits"])
    return ImcMacro(
        kind,
        cols,
        rows,
        weight_bits,
        input_bits,
        applied,
        resolution,
        macros,
        options.group_depth,
        adc_share=options.adc_share,
        pipelined=options.stages > 1,
        survey_adc=options.adc == "survey",
        cell=None if options.cell == "sram" else load_cell(options.cell),
        form=form,
    )


def check_macro(macro: ImcMacro) -> None:
    """Refuse macros that the model does not cover, every fault in one message.

    Raises
    ------
    ModelRangeError
        Naming each parameter with the first value at fault, and what is allowed.
    """
    facts = load_facts(_FACTS)
    bits = f"whole numbers from 1 to {facts['precision_high']:g}"
    rules: dict[str, tuple[Number, Bools | bool, str]] = {
        name: (value, _whole(value) & (value >= 1), "whole numbers from 1")
        for name, value in (
            *(("cols", macro.cols), ("rows", macro.rows), ("macros", macro.macros)),
            *(("group_depth", macro.group_depth), ("adc_share", macro.adc_share)),
        )
    }
    for name, value in (("weight_bits", macro.weight_bits), ("input_bits", macro.input_bits)):
        rules[name] = (
            value,
            _whole(value) & (value >= 1) & (value <= facts["precision_high"]),
            bits,
        )
    rules["bits_per_cycle"] = _between(macro.bits_per_cycle, macro.input_bits, "input_bits")
    rules["input_slices"] = _between(macro.input_slices, macro.bits_per_cycle, "bits_per_cycle")
    rules["merged_columns"] = _between(macro.merged_columns, macro.weight_bits, "weight_bits")
    if macro.kind == "dimc":
        tree = _whole(np.log2(np.maximum(macro.rows, 1)))
        old, _, _ = rules["rows"]
        fits = _whole(old) & (old >= 1) & tree
        rules["rows"] = (old, fits, "powers of two (leaves of an adder tree)")
    else:
        rules["adc_bits"] = _adc_range(macro, facts)
    faults = [
        f"{macro.kind}: {name}: got {_first(value, right)}, allowed: {allowed}"
        for name, (value, right, allowed) in rules.items()
        if not np.all(right)
    ]
    if macro.kind == "dimc" and macro.cell is not None:
        faults.append(f"dimc: cell: got {macro.cell.name}, allowed: SRAM (aimc takes other cells)")
    if faults:
        raise ModelRangeError("\n".join(faults))


def _between(value: Number, most: Number, name: str) -> tuple[Number, Bools, str]:
    """Rule: whole, from 1 to another parameter."""
    right = _whole(value) & (value >= 1) & (value <= np.maximum(most, 1))
    return value, right, f"whole numbers from 1 to {name}"


def _adc_range(macro: ImcMacro, facts: Mapping[str, float]) -> tuple[Number, Bools, str]:
    """Rule: resolutions of the ADC model in use, of which ZigZag's form has 0 as well."""
    low = facts["survey_bits_low"] if macro.survey_adc else facts["adc_bits_low"]
    high = facts["adc_bits_high"]
    value = np.asarray(macro.adc_bits, dtype=np.float64)
    right = (value >= low) & (value <= high)
    allowed = f"{low:g} to {high:g} bit"
    if macro.form.name == "zigzag":
        return value, right | (value == 0), f"0, or {allowed}"
    return value, right, allowed


def _whole(value: Number) -> Bools:
    """Whether numbers are whole."""
    return np.asarray(np.equal(np.floor(value), value))


def _first(value: Number, right: Bools | bool) -> str:
    """Return the first value at fault as text."""
    values, fits = np.broadcast_arrays(np.asarray(value), np.asarray(right))
    return f"{values[~fits].flat[0]:g}"


def scalar_parts(parts: Mapping[str, Number]) -> dict[str, float]:
    """Return the parts of one design as floats, without place-value adders that it lacks.

    Examples
    --------
    >>> scalar_parts({"mults": np.float64(2), "adders_place_value": np.array(0.0)})
    {'mults': 2.0}
    """
    return {name: float(part) for name, part in parts.items() if np.any(part) or name == "cells"}
