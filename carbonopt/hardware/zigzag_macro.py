"""ZigZag's own form of the SRAM in-memory-computing macro: area and clock.

Parts differ from `carbonopt.hardware.imc` where several input bits enter per cycle, in the
analog accumulator, and in the ripple of the last stage.

References
----------
.. [1] zigzag-dse 3.9.1, hardware/architecture/imc_array.py: get_area, get_tclk.
"""

from __future__ import annotations

import math

from carbonopt.data.tables import load_facts
from carbonopt.hardware.imc import ImcMacro
from carbonopt.hardware.technology import Technology, tree_adders

_FACTS = "imc_28nm.csv"


def place_value_operands(macro: ImcMacro) -> tuple[int, float]:
    """Return how many operands of different place value are added, and their width [bit].

    A digital macro adds the trees of its input bits, an analog one the ADCs of its weight bits.
    """
    if macro.kind == "dimc":
        return macro.bits_per_cycle, macro.weight_bits + math.log2(macro.rows)
    return macro.weight_bits, macro.adc_bits


def place_value_adders(macro: ImcMacro) -> float:
    """Count the 1-bit adders for m operands of B bits: B (m - 1) + m (log2 m - 1/2)."""
    operands, bits = place_value_operands(macro)
    if operands == 1:
        return 0.0
    return bits * (operands - 1) + operands * (math.log2(operands) - 0.5)


def accumulator_bits(macro: ImcMacro) -> float:
    """Width of the accumulator over input bits [bit]; 0 if all of them enter at once."""
    if macro.passes == 1:
        return 0.0
    grown = math.log2(macro.rows) if macro.kind == "dimc" else macro.adc_bits
    return macro.input_bits + grown + macro.weight_bits


def macro_area(
    technology: Technology, macro: ImcMacro, macros: int, cell_mm2: float
) -> dict[str, float]:
    """Area of the macros by part [mm2]; `cell_mm2` is that of the cells of one multiplier."""
    w, cols, rows = macro.weight_bits, macro.cols, macro.rows
    bit_mm2 = technology.adder_mm2 + technology.flipflop_mm2
    parts = {
        "cells": cell_mm2 * cols * rows,
        "adders_place_value": technology.adder_mm2 * place_value_adders(macro) * cols,
        "accumulators": bit_mm2 * accumulator_bits(macro) * cols,
    }
    if macro.kind == "dimc":
        applied = macro.bits_per_cycle
        parts["mults"] = technology.nand_mm2 * applied * w * cols * rows
        parts["adders"] = technology.adder_mm2 * tree_adders(w, rows) * applied * cols
    else:
        facts, resolution = load_facts(_FACTS), macro.adc_bits
        exponent = facts["adc_area_slope"] * resolution + facts["adc_area_offset"]
        adc_mm2 = 10**exponent * 2**resolution * 1e-6 if resolution > 1 else 0.0
        parts["mults"] = technology.nand_mm2 * w * cols * rows
        parts["adcs"] = adc_mm2 * w * cols
    return {name: macros * value for name, value in parts.items()}


def macro_clock(technology: Technology, macro: ImcMacro) -> dict[str, float]:
    """Clock period by part, all stages in one cycle [ns]."""
    ripple, total, carry = technology.ripple_ns, technology.sum_ns, technology.carry_ns
    parts = {"mults": technology.nand_ns}
    if macro.kind == "dimc":
        depth = math.log2(macro.rows)
        rippled = macro.weight_bits + depth - 2
        parts["adders"] = (depth - 1) * total + carry + rippled * ripple
    elif macro.adc_bits:
        facts = load_facts(_FACTS)
        per_bit = facts["adc_ns_per_bit_row"] * macro.rows + facts["adc_ns_per_bit"]
        parts["adcs"] = macro.adc_bits * per_bit
    operands, bits = place_value_operands(macro)
    if operands > 1:
        parts["adders_place_value"] = (
            (math.log2(operands) - 1) * total + carry + (operands - 1) * ripple
        )
        bits += operands
    if macro.passes > 1:
        parts["accumulators"] = carry + (accumulator_bits(macro) - bits - 1) * ripple
    return parts
