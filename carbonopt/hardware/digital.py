"""Digital arrays of processing elements: output-stationary and weight-stationary."""

from __future__ import annotations

import math
from dataclasses import dataclass

from carbonopt.data.tables import load_facts
from carbonopt.hardware.technology import Technology, load_technology, tree_adders
from carbonopt.hardware.variant import ModelVariant

_FACTS = "digital_28nm.csv"


@dataclass(frozen=True)
class DigitalArray:
    """Cost of computing on a digital array.

    Parameters
    ----------
    mac_pj
        Energy of a multiply-accumulate [pJ].
    adder_tree
        Whether the products of a column are summed by a tree over the rows.
    tree_bits
        Width of the tree's inputs in the energy model [bit].
    weight_bits, input_bits
        Widest operands of a multiplier, which `mac_pj` is for [bit].
    """

    mac_pj: float
    adder_tree: bool
    tree_bits: int
    weight_bits: int = 8
    input_bits: int = 8

    @property
    def passes(self) -> int:
        """Cycles per multiply-accumulate: inputs enter whole, so one."""
        return 1


def digital_array(technology: Technology, adder_tree: bool) -> DigitalArray:
    """Return the array of a template, with (`True`) or without adder trees.

    The energy of a multiply-accumulate, measured at 28 nm and 0.9 V, goes with C V^2 of a gate.
    """
    facts, measured = load_facts(_FACTS), load_technology()
    ratio = technology.nand_pf * technology.supply_v**2 / (measured.nand_pf * measured.supply_v**2)
    weight_bits, input_bits = int(facts["weight_bits"]), int(facts["input_bits"])
    tree_bits = weight_bits + input_bits
    mac_pj = facts["mac_pj"] * float(ratio)
    return DigitalArray(mac_pj, adder_tree, tree_bits, weight_bits, input_bits)


def digital_area(
    technology: Technology,
    variant: ModelVariant,
    array: DigitalArray,
    cols: int,
    rows: int,
    macros: int,
) -> dict[str, float]:
    """Area of PEs and adder trees by part [mm2].

    A = A_pe D1 D2 D3 + A_fa N(p, D2) trees, with N of `tree_adders`; one tree per column. The
    area of a PE, measured at 28 nm, goes with that of a gate.
    """
    ratio = float(technology.nand_mm2 / load_technology().nand_mm2)
    parts = {"pe": load_facts(_FACTS)["pe_mm2"] * ratio * cols * rows * macros}
    if array.adder_tree:
        facts = load_facts(_FACTS)
        bits, trees = array.tree_bits, cols
        if variant.product_of_precisions:
            bits, trees = int(facts["weight_bits"] * facts["input_bits"]), rows
        parts["adders"] = trees_area(technology, bits, rows, trees * macros)
    return parts


def trees_area(technology: Technology, bits: int, inputs: int, trees: int) -> float:
    """Area of adder trees that sum `inputs` words of `bits` bits each [mm2]."""
    return float(technology.adder_mm2 * tree_adders(bits, inputs) * trees)


def digital_clock(technology: Technology, array: DigitalArray, rows: int) -> dict[str, float]:
    """Clock period by part [ns].

    t = t_pe (+ (log2 D2 - 1) t_sum + t_carry + (p - 2) t_ripple for a tree over D2 rows). The
    delay of a PE, measured at 28 nm and 0.9 V, goes with that of a gate.
    """
    ratio = float(technology.nand_ns / load_technology().nand_ns)
    parts = {"mac": load_facts(_FACTS)["clock_ns"] * ratio}
    if array.adder_tree:
        parts["adders"] = float(
            (math.log2(rows) - 1) * technology.sum_ns
            + technology.carry_ns
            + (array.tree_bits - 2) * technology.ripple_ns
        )
    return parts
