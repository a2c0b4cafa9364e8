"""Energy of computing in ZigZag's form of the SRAM in-memory-computing macro."""

from __future__ import annotations

from carbonopt.data.tables import load_facts
from carbonopt.hardware.imc import ImcMacro
from carbonopt.hardware.technology import load_technology, tree_pj
from carbonopt.hardware.zigzag_macro import accumulator_bits, place_value_adders
from carbonopt.workload.layer import Layer


def macro_energy(
    layer: Layer, macro: ImcMacro, cols: float, used_units: float, rows: int
) -> dict[str, float]:
    """Energy of a layer in in-memory-computing macros by part [pJ].

    Parameters
    ----------
    layer, macro
        What is computed where.
    cols, used_units
        Columns and multipliers of one macro that are in use.
    rows
        Rows of it that hold weights.

    References
    ----------
    .. [1] zigzag-dse 3.9.1, hardware/architecture/imc_array.py: get_energy_for_a_layer.
    """
    technology, facts = load_technology(), load_facts("imc_28nm.csv")
    squared_volt = technology.supply_v**2
    activations = layer.macs / used_units
    cycles = activations * macro.passes
    w = macro.weight_bits
    wire_pj = facts["wire_pf_per_nand_pf"] * technology.nand_pf * squared_volt
    adder_pj = technology.adder_pj
    parts = {
        "adders_place_value": adder_pj * place_value_adders(macro) * cols * cycles,
        "accumulators": (adder_pj + technology.flipflop_pj)
        * (accumulator_bits(macro) * cols * cycles),
    }
    if macro.kind == "dimc":
        switched = macro.bits_per_cycle * w * macro.cols * macro.rows
        parts["mults"] = wire_pj * switched * cycles
        trees = macro.bits_per_cycle * cols
        parts["adders"] = tree_pj(technology, w, macro.rows, rows) * trees * cycles
        return parts
    resolution, applied = macro.adc_bits, macro.bits_per_cycle
    adc_fj = (
        facts["adc_linear_fj_per_v2"] * resolution
        + facts["adc_exponential_fj_per_v2"] * 4**resolution
    ) * squared_volt
    dac_pj = facts["dac_pj_per_bit_v2"] * applied * squared_volt if applied > 1 else 0.0
    return {
        **parts,
        "dacs": dac_pj * rows * cycles,
        "adcs": (adc_fj / 1000 if resolution else 0.0) * w * cols * cycles,
        "mults": wire_pj * w * macro.cols * rows * cycles,
        "bitlines": wire_pj * w * cols * macro.rows * cycles,
    }
