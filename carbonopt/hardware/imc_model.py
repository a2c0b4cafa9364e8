"""Area, clock, energy and leakage of in-memory-computing macros, by part.

Every function takes scalars or arrays (n,) of designs in its `ImcMacro` and `Technology`.
"""

from __future__ import annotations

import numpy as np

from carbonopt.arrays import Number
from carbonopt.hardware.imc import FULL_ACTIVITY, Activity, ImcMacro, check_macro
from carbonopt.hardware.imc_adc import (
    conversion_hz,
    dac_pj,
    fitted_adc_mm2,
    fitted_adc_ns,
    fitted_adc_pj,
    survey_adc_mm2,
    survey_adc_pj,
)
from carbonopt.hardware.imc_cells import (
    cell_use_pj,
    cells_leakage_w,
    cells_mm2,
    half_nand_pj,
    leakage_w_per_mm2,
)
from carbonopt.hardware.technology import (
    Technology,
    load_technology,
    place_value_adders,
    place_value_ns,
    tree_adders,
    tree_ns,
)

_PJ_PER_NS_IN_TOPS = 1e3


def macro_area(
    technology: Technology, macro: ImcMacro, *, cell_mm2: Number | None = None
) -> dict[str, Number]:
    """Area of all macros by part [mm2].

    Parameters
    ----------
    technology, macro
        Gates and design.
    cell_mm2
        Area of the cells of one multiplier, in place of the table [mm2].

    Raises
    ------
    ModelRangeError
        Rows of the cell array outside the SRAM table.

    Notes
    -----
    Left out: wires, drivers and decoders beyond those of the cell array, control, clock tree.

    References
    ----------
    .. [1] zigzag-imc commit df34a6f and CarbonSpot 0839b49, {Aimc,Dimc}ArrayUnit.py.
    .. [2] zigzag-dse 3.9.1, hardware/architecture/imc_array.py: get_area.
    """
    w, cols, rows = macro.weight_bits, macro.cols, macro.rows
    bit_mm2 = technology.adder_mm2 + technology.flipflop_mm2
    cells = cells_mm2(technology, macro) if cell_mm2 is None else cell_mm2 * cols * rows
    parts = {"cells": cells}
    if macro.kind == "dimc":
        summed = tree_adders(macro.tree_bits, rows)
        parts["mults"] = technology.nand_mm2 * macro.products * w * cols * rows
        parts["adders"] = technology.adder_mm2 * summed * macro.products * cols
    else:
        parts["mults"] = technology.nand_mm2 * w * cols * rows
        parts["adcs"] = _adc_mm2(technology, macro) * _adcs(macro)
    place_value = place_value_adders(*macro.place_value_operands)
    parts["adders_place_value"] = technology.adder_mm2 * place_value * cols
    width = np.where(macro.accumulates, macro.accumulator_bits, 0.0)
    parts["accumulators"] = bit_mm2 * width * cols
    if macro.pipelined:
        parts["pipeline"] = technology.flipflop_mm2 * _pipeline_bits(macro) * cols
    return {name: macro.macros * value for name, value in parts.items()}


def macro_clock(technology: Technology, macro: ImcMacro) -> dict[str, Number]:
    """Clock period by part [ns].

    All stages in one cycle; if pipelined, the slower of multipliers with trees or ADCs, and
    place-value adders with accumulators, while the faster one counts 0.

    References
    ----------
    .. [1] zigzag-imc commit df34a6f and CarbonSpot 0839b49, {Aimc,Dimc}ArrayUnit.py.
    .. [2] zigzag-dse 3.9.1, hardware/architecture/imc_array.py: get_tclk.
    """
    ripple, carry = technology.ripple_ns, technology.carry_ns
    first: dict[str, Number] = {"mults": technology.nand_ns}
    if macro.kind == "dimc":
        first["adders"] = tree_ns(technology, macro.tree_bits, macro.rows)
    else:
        converting = fitted_adc_ns(technology, macro.adc_bits, macro.rows)
        first["adcs"] = converting * macro.adc_share
    operands, bits = macro.place_value_operands
    late = macro.form.full_ripple and macro.kind == "aimc"
    rippled = operands - 1 + (bits if late else 0)
    added = _accumulated_bits(macro) - (0 if macro.form.full_ripple else 1)
    second: dict[str, Number] = {
        "adders_place_value": place_value_ns(technology, operands, rippled),
        "accumulators": np.where(macro.accumulates, carry + added * ripple, 0.0),
    }
    if not macro.pipelined:
        return {**first, **second}
    slow = sum(first.values()) >= sum(second.values())
    return {
        **{name: np.where(slow, part, 0.0) for name, part in first.items()},
        **{name: np.where(slow, 0.0, part) for name, part in second.items()},
    }


def cycle_energy(
    technology: Technology,
    macro: ImcMacro,
    *,
    cols: Number,
    occupied_rows: Number,
    tree_pj: Number,
    activity: Activity = FULL_ACTIVITY,
) -> dict[str, Number]:
    """Energy of one cycle of one macro by part, for what is mapped onto it [pJ].

    Parameters
    ----------
    technology, macro
        Gates and design.
    cols
        Columns in use; all that lies behind the multipliers switches only in them.
    occupied_rows
        Rows that hold weights in use.
    tree_pj
        Energy of one sum in an adder tree, see `carbonopt.hardware.technology.tree_pj`; of no
        effect in ``aimc`` [pJ].
    activity
        Share of cycles in which parts switch.

    References
    ----------
    .. [1] zigzag-imc commit df34a6f and CarbonSpot 0839b49, cost_model_for_sram_imc.py and
       {imc_unit,AimcArrayUnit,DimcArrayUnit}.py.
    .. [2] zigzag-dse 3.9.1, hardware/architecture/imc_array.py: get_energy_for_a_layer.
    """
    w, slices = macro.weight_bits, macro.input_slices
    switch_pj = half_nand_pj(technology)
    if macro.kind == "dimc":
        rows = macro.rows if macro.form.all_rows_switch else occupied_rows
        mults = switch_pj * (w * macro.products * rows * macro.cols)
        parts = {
            "mults": mults * activity.multipliers,
            "adders": tree_pj * cols * macro.products * activity.trees,
        }
    else:
        lines = cell_use_pj(technology, macro) * w * cols * macro.rows * slices
        mults = switch_pj * w * occupied_rows * macro.cols * slices
        driving = dac_pj(technology, macro.bits_per_cycle / slices) * slices
        converting = _adc_pj(technology, macro) * macro.conversions * cols
        parts = {
            "dacs": driving * occupied_rows,
            "bitlines": lines * activity.multipliers,
            "mults": mults * activity.multipliers,
            "adcs": converting * activity.converters,
        }
    place_value = place_value_adders(*macro.place_value_operands) * technology.adder_pj
    parts["adders_place_value"] = place_value * cols * activity.trees
    bit_pj = technology.adder_pj + technology.flipflop_pj
    width = np.where(macro.accumulates, macro.switched_accumulator_bits, 0.0)
    parts["accumulators"] = bit_pj * width * cols * activity.flipflops
    if macro.pipelined:
        piped = technology.flipflop_pj * _pipeline_bits(macro)
        parts["pipeline"] = piped * cols * activity.flipflops
    return parts


def peak_energy(
    technology: Technology, macro: ImcMacro, activity: Activity = FULL_ACTIVITY
) -> dict[str, Number]:
    """Energy of one cycle of all macros by part, every multiplier in use [pJ].

    Input and output registers, buffers and the writing of weights are not in it.
    """
    summed = tree_adders(macro.tree_bits, macro.rows) * technology.adder_pj
    parts = cycle_energy(
        technology, macro, cols=macro.cols, occupied_rows=macro.rows, tree_pj=summed,
        activity=activity,
    )  # fmt: skip
    return {name: macro.macros * value for name, value in parts.items()}


def precharge_pj(technology: Technology, macro: ImcMacro, switches: Number) -> Number:
    """Energy of precharging local bit lines as multipliers turn to other weights [pJ].

    E = B_w V^2 (C_wl + g C_bl) N, none for g = 1.

    Parameters
    ----------
    switches
        Times N that a multiplier turns to another weight of its group, over all multipliers:
        weights read out of the cells, which is counted once (both published forms divide it
        again by the reuse that it already contains).
    """
    energy = macro.weight_bits * half_nand_pj(technology) * (1 + macro.group_depth) * switches
    return np.where(np.asarray(macro.group_depth) > 1, energy, 0.0)


def macro_peak(
    technology: Technology, macro: ImcMacro, activity: Activity = FULL_ACTIVITY
) -> dict[str, Number]:
    """Check a macro, and return its totals and peak figures.

    Returns
    -------
    dict
        ``area_mm2``, ``clock_ns``, ``energy_pj`` per cycle, ``mac_fj`` per multiply-accumulate,
        ``tops`` [TOP/s], ``tops_per_w`` and ``tops_per_mm2``, each (n,) or a scalar.

    Raises
    ------
    ModelRangeError
        Parameters outside the model, every fault at once.

    Examples
    --------
    >>> from carbonopt.hardware.imc import load_form
    >>> from carbonopt.hardware.technology import load_technology
    >>> macro = ImcMacro("dimc", 128, 128, 8, 8, 1, form=load_form("zigzag-imc"))
    >>> round(float(macro_peak(load_technology(), macro)["tops_per_w"]), 4)
    7.49
    """
    check_macro(macro)
    area = sum(macro_area(technology, macro).values())
    clock = sum(macro_clock(technology, macro).values())
    energy = sum(peak_energy(technology, macro, activity).values())
    ops = macro.ops_per_cycle
    tops = ops / clock / _PJ_PER_NS_IN_TOPS
    return {
        "area_mm2": area,
        "clock_ns": clock,
        "energy_pj": energy,
        "mac_fj": energy / ops * 2 * _PJ_PER_NS_IN_TOPS,
        "tops": tops,
        "tops_per_w": ops / energy,
        "tops_per_mm2": tops / area,
    }


def macro_leakage(technology: Technology, macro: ImcMacro) -> dict[str, Number]:
    """Leakage of all macros at the supply given, cells and logic [W].

    Cells as CACTI has them; logic per area as those cells with their periphery, (N / 32) P32(r)
    over (N / 32) A32(r). Proportional to the supply over that of the gates' table.

    Notes
    -----
    Transistors of high performance (itrs-hp) at 300 K: an upper end for edge devices, where
    low-power cells leak a tenth and less.

    References
    ----------
    .. [1] CACTI 7, table sram_cacti7.csv.
    """
    cells = cells_leakage_w(technology, macro) * macro.macros
    parts = macro_area(technology, macro)
    logic_mm2 = sum(parts.values()) - parts["cells"]
    supply = technology.supply_v / load_technology().supply_v
    logic = logic_mm2 * leakage_w_per_mm2(technology, macro)
    return {"cells": cells * supply, "logic": logic * supply}


def macro_leakage_w(technology: Technology, macro: ImcMacro) -> Number:
    """Leakage of all macros, the sum over `macro_leakage` [W]."""
    parts = macro_leakage(technology, macro)
    return parts["cells"] + parts["logic"]


def _adcs(macro: ImcMacro) -> Number:
    """ADCs of one macro: conversions per cycle over those that one ADC does in turn."""
    return -(-macro.conversions * macro.cols // macro.adc_share)


def _adc_mm2(technology: Technology, macro: ImcMacro) -> Number:
    """Area of one ADC by the model in use [mm2]."""
    if macro.survey_adc:
        return survey_adc_mm2(technology.node_nm, macro.adc_bits, _adc_hz(technology, macro))
    free = macro.form.free_comparator
    return fitted_adc_mm2(technology, macro.adc_bits, free_comparator=free)


def _adc_pj(technology: Technology, macro: ImcMacro) -> Number:
    """Energy of one conversion by the model in use [pJ]."""
    if macro.survey_adc:
        return survey_adc_pj(technology.node_nm, macro.adc_bits, _adc_hz(technology, macro))
    return fitted_adc_pj(technology, macro.adc_bits)


def _adc_hz(technology: Technology, macro: ImcMacro) -> Number:
    """Rate that the fitted time of a conversion implies [Hz]."""
    return conversion_hz(fitted_adc_ns(technology, macro.adc_bits, macro.rows))


def _accumulated_bits(macro: ImcMacro) -> Number:
    """Bits by which an accumulator is wider than what it adds [bit]."""
    if macro.kind == "aimc":
        return macro.input_bits
    operands, bits = macro.place_value_operands
    return macro.accumulator_bits - bits - np.where(np.asarray(operands) > 1, operands, 0)


def _pipeline_bits(macro: ImcMacro) -> Number:
    """Flip-flops per output between the stages [bit]."""
    operands, bits = macro.place_value_operands
    return operands * bits
