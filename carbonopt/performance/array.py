"""Energy of computing on the array, for an unrolled layer."""

from __future__ import annotations

import math

from carbonopt.data.tables import load_facts
from carbonopt.hardware.digital import DigitalArray
from carbonopt.hardware.imc import ImcMacro
from carbonopt.hardware.machine import Machine
from carbonopt.hardware.technology import load_technology, tree_pj
from carbonopt.hardware.variant import ModelVariant
from carbonopt.mapping.spatial import Unrolling, positions_spanned
from carbonopt.performance.macro import macro_energy
from carbonopt.workload.layer import DIMS, Layer

_OUTPUT_OF = {"FX": "OX", "FY": "OY"}


def array_energy(layer: Layer, machine: Machine, unrolling: Unrolling) -> dict[str, float]:
    """Energy of all multiply-accumulates of a layer by part [pJ].

    It depends on the unrolling, not on the order of the temporal loops.
    """
    if isinstance(machine.array, ImcMacro) and machine.variant.whole_macro_switches:
        used = unrolling.as_asked
        columns, rows, *_ = machine.shape
        cols, units = used.product(columns), used.product(columns) * used.product(rows)
        _, occupied = accumulated_rows(layer, used, columns, rows, machine.variant)
        return macro_energy(layer, machine.array, cols, units, occupied)
    if isinstance(machine.array, ImcMacro):
        return _imc_energy(layer, machine, machine.array, unrolling)
    return _digital_energy(layer, machine, machine.array, unrolling)


def _digital_energy(
    layer: Layer, machine: Machine, array: DigitalArray, unrolling: Unrolling
) -> dict[str, float]:
    """Energy of MACs and adder trees [pJ].

    E = e_mac MACs + E_tree(p, D2, r) c m a, with r rows and c columns in use, m macros, and
    a = MACs / units activations.

    References
    ----------
    .. [1] CarbonSpot, cost_model/cost_model.py:590-800.
    """
    parts = {"mac": array.mac_pj * layer.macs}
    if array.adder_tree:
        parts["adders"] = 0.0
        if layer.kind != "matmul" or not machine.variant.free_activation_products:
            columns_dim, rows_dim, *_ = machine.shape
            rows, cols = unrolling.product(rows_dim), unrolling.product(columns_dim)
            units = round(unrolling.units)
            tree = _mean_tree(machine, array.tree_bits, rows)
            parts["adders"] = tree * cols * (units / (rows * cols)) * (layer.macs / units)
    return parts


def _mean_tree(machine: Machine, bits: int, rows: float) -> float:
    """Energy of a sum in an adder tree, averaged over passes with `rows` inputs on average [pJ].

    Passes fill floor(rows) or ceil(rows) inputs (see `ModelVariant.trees_of_fractions`).
    """
    technology = load_technology()
    _, inputs, *_ = machine.shape.values()
    if machine.variant.trees_of_fractions:
        return tree_pj(technology, bits, inputs, rows)
    fewer = math.floor(rows)
    least, most = (tree_pj(technology, bits, inputs, used) for used in (fewer, fewer + 1))
    return least + (rows - fewer) * (most - least)


def accumulated_rows(
    layer: Layer, unrolling: Unrolling, columns: str, rows: str, variant: ModelVariant
) -> tuple[int, int]:
    """Count rows of a macro that one output sums, and rows that hold weights at all.

    Output positions unrolled along the array dimension `columns` spread kernels along `rows`
    over every input that they touch; see `ModelVariant` for `pointwise_rows_shared` and
    `unit_stride_rows`.
    """
    summed = math.ceil(round(unrolling.product(rows), 9))
    positions = {
        kernel: unrolling.product(columns, (output,)) for kernel, output in _OUTPUT_OF.items()
    }
    if math.prod(positions.values()) == 1:
        return summed, summed
    occupied = unrolling.product(rows, [dim for dim in DIMS if dim not in _OUTPUT_OF])
    for axis, (kernel, outputs) in enumerate(positions.items()):
        size = unrolling.product(rows, (kernel,))
        if size > 1 or not variant.pointwise_rows_shared:
            occupied *= positions_spanned(
                layer, axis, size, outputs, unit_stride=variant.unit_stride_rows
            )
    return summed, math.ceil(round(occupied, 9))


def _imc_energy(
    layer: Layer, machine: Machine, macro: ImcMacro, unrolling: Unrolling
) -> dict[str, float]:
    """Energy of a layer in in-memory-computing macros [pJ].

    References
    ----------
    .. [1] CarbonSpot, cost_model/cost_model_for_sram_imc.py and
       hardware/architecture/{imc_unit,AimcArrayUnit,DimcArrayUnit}.py.
    """
    technology, facts = load_technology(), load_facts("imc_28nm.csv")
    squared_volt = technology.supply_v**2
    summed, occupied = accumulated_rows(layer, unrolling, "D1", "D2", machine.variant)
    cols = unrolling.product("D1")
    activations = layer.macs / (cols * unrolling.product("D2"))
    cycles = activations * macro.passes
    w = macro.weight_bits
    wire_pj = facts["wire_pf_per_nand_pf"] * technology.nand_pf * squared_volt
    register_pj = technology.adder_pj + technology.flipflop_pj
    accumulators = register_pj * macro.accumulator_bits * cols * cycles
    if macro.kind == "dimc":
        switched = w * macro.bits_per_cycle * occupied * macro.cols
        tree = tree_pj(technology, w, macro.rows, summed)
        return {
            "mults": wire_pj * switched * cycles,
            "adders": tree * cols * macro.input_bits * activations,
            "accumulators": accumulators,
        }
    resolution = macro.adc_bits
    adc_fj = (
        facts["adc_linear_fj_per_v2"] * resolution
        + facts["adc_exponential_fj_per_v2"] * 4**resolution
    ) * squared_volt
    dac_pj = facts["dac_pj_per_bit_v2"] * macro.bits_per_cycle * squared_volt
    place_value = macro.place_value_adders * technology.adder_pj
    return {
        "dacs": dac_pj * occupied * cycles,
        "bitlines": wire_pj * w * cols * macro.rows * cycles,
        "mults": wire_pj * w * occupied * macro.cols * cycles,
        "adcs": adc_fj / 1000 * w * cols * cycles,
        "adders_place_value": place_value * cols * cycles,
        "accumulators": accumulators,
    }
