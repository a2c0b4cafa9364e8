"""SRAM in-memory-computing macros, digital (adder trees) and analog (bit lines and ADCs)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from carbonopt.data.tables import load_facts
from carbonopt.hardware.memory import sram_cost
from carbonopt.hardware.technology import Technology, tree_adders

_FACTS = "imc_28nm.csv"


@dataclass(frozen=True)
class ImcMacro:
    """One macro of D1 output columns and D2 accumulated rows of multi-bit weights.

    Parameters
    ----------
    kind
        ``dimc`` or ``aimc``.
    cols, rows
        D1 and D2.
    weight_bits, input_bits
        Precisions [bit].
    bits_per_cycle
        Input bits applied per cycle [bit].
    adc_bits
        Resolution of the ADCs, may be fractional [bit]; 0 for ``dimc``.
    """

    kind: Literal["dimc", "aimc"]
    cols: int
    rows: int
    weight_bits: int
    input_bits: int
    bits_per_cycle: int
    adc_bits: float

    @property
    def passes(self) -> int:
        """Cycles per multiply-accumulate: input bits over bits per cycle."""
        return self.input_bits // self.bits_per_cycle

    @property
    def place_value_adders(self) -> float:
        """1-bit adders that sum the ADC outputs of the bits of one weight.

        res (w - 1) + w (log2 w - 0.5).
        """
        w = self.weight_bits
        return self.adc_bits * (w - 1) + w * (math.log2(w) - 0.5)

    @property
    def accumulator_bits(self) -> float:
        """Width of the accumulator over input bits, as counted for energy and delay [bit]."""
        return self.input_bits + self.weight_bits + math.log2(self.rows)


def imc_macro(kind: Literal["dimc", "aimc"], cols: int, rows: int) -> ImcMacro:
    """Return the macro of a template with the precisions of CarbonSpot."""
    facts = load_facts(_FACTS)
    applied = int(facts[f"{kind}_bits_per_cycle"])
    resolution = 0.0
    if kind == "aimc":
        resolution = applied + facts["adc_bits_per_log2_row"] * int(math.log2(rows))
    weight_bits, input_bits = int(facts["weight_bits"]), int(facts["input_bits"])
    return ImcMacro(kind, cols, rows, weight_bits, input_bits, applied, resolution)


def cell_write_pj(macro: ImcMacro) -> float:
    """Energy to write one weight into the cells, rounded as in the source [pJ]."""
    decimals = int(load_facts("memory_28nm.csv")["cell_array_decimals"])
    width = macro.cols * macro.weight_bits
    cost = sram_cost(macro.rows * width, width, what=f"{macro.kind} cell array")
    return round(cost.write_pj * macro.weight_bits / width, decimals)


def imc_area(technology: Technology, macro: ImcMacro, macros: int) -> dict[str, float]:
    """Area of the macros by part [mm2]; memories beside the cells are not included.

    References
    ----------
    .. [1] CarbonSpot, hardware/architecture/{DimcArrayUnit,AimcArrayUnit}.py, with an ADC of
       10^(-0.0369 res + 1.206) 2^res um2.
    """
    w, cols, rows, applied = macro.weight_bits, macro.cols, macro.rows, macro.bits_per_cycle
    width = cols * w
    cells = sram_cost(rows * width, width, what=f"{macro.kind} cell array").area_mm2
    bit_mm2 = technology.adder_mm2 + technology.flipflop_mm2
    if macro.kind == "dimc":
        parts = {
            "mults": technology.nand_mm2 * applied * w * cols * rows,
            "adders": technology.adder_mm2 * tree_adders(w, rows) * applied * cols,
            "accumulators": bit_mm2 * macro.accumulator_bits * cols,
        }
    else:
        facts, resolution = load_facts(_FACTS), macro.adc_bits
        exponent = facts["adc_area_slope"] * resolution + facts["adc_area_offset"]
        parts = {
            "mults": technology.nand_mm2 * w * cols * rows,
            "adcs": 10**exponent * 2**resolution * 1e-6 * w * cols,
            "adders_place_value": technology.adder_mm2 * macro.place_value_adders * cols,
            "accumulators": bit_mm2 * (w + resolution + macro.input_bits) * cols,
        }
    return {name: macros * value for name, value in {"cells": cells, **parts}.items()}


def imc_clock(technology: Technology, macro: ImcMacro) -> dict[str, float]:
    """Clock period by part, all stages in one cycle [ns].

    References
    ----------
    .. [1] CarbonSpot, as in `imc_area`; ADC delay res (0.00653 D2 + 0.640) ns.
    """
    w, depth = macro.weight_bits, math.log2(macro.rows)
    ripple, total, carry = technology.ripple_ns, technology.sum_ns, technology.carry_ns
    if macro.kind == "dimc":
        tree = (depth - 1) * total + carry + (w + depth - 2) * ripple
        accumulate = carry + (macro.accumulator_bits - (w + depth)) * ripple
        return {"mults": technology.nand_ns, "adders": tree, "accumulators": accumulate}
    facts, resolution = load_facts(_FACTS), macro.adc_bits
    per_bit = facts["adc_ns_per_bit_row"] * macro.rows + facts["adc_ns_per_bit"]
    place_value = (math.log2(w) - 1) * total + carry + (w + resolution - 1) * ripple
    return {
        "mults": technology.nand_ns,
        "adcs": resolution * per_bit,
        "adders_place_value": place_value,
        "accumulators": carry + macro.input_bits * ripple,
    }
