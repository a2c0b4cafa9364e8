"""Cells of in-memory-computing macros: their area, reads, writes and leakage."""

from __future__ import annotations

import numpy as np

from carbonopt.arrays import Floats, Number
from carbonopt.data.tables import load_facts
from carbonopt.hardware.cacti import Property, sram_array
from carbonopt.hardware.imc import ImcMacro
from carbonopt.hardware.memory import sram_cost
from carbonopt.hardware.technology import Technology

_FACTS, _MEMORY = "imc_28nm.csv", "memory_28nm.csv"
_AREA_DECIMALS = 7
_NM2_PER_MM2, _MW_PER_W = 1e12, 1e3


def array_shape(macro: ImcMacro) -> tuple[Number, Number]:
    """Rows and bit columns of one macro's cell array.

    D2 g rows of D1 B_w bits; shallower ones are folded to 32 rows of the same number of bits,
    because the table starts there.
    """
    rows = macro.rows * macro.group_depth
    folded = np.maximum(rows, load_facts(_FACTS)["table_rows_low"])
    return folded, macro.cols * macro.weight_bits * rows / folded


def cells_mm2(technology: Technology, macro: ImcMacro) -> Number:
    """Area of one macro's cell array with its periphery [mm2].

    A = 2 (W / 32) A32(r) for r rows of W bits, rounded as in the source. Non-volatile cells take
    the place of SRAM cells of 146 F^2 while the periphery stays: A - N (146 - f) F^2 for N cells
    of f F^2.

    References
    ----------
    .. [1] zigzag-imc commit df34a6f, get_cacti_cost.py:396-525.
    .. [2] NVMExplorer, cell_cfgs.py (cell areas).
    """
    rows, width = array_shape(macro)
    factor = load_facts(_MEMORY)["sram_area_factor"]
    area = np.round(_of_array("area_mm2", technology, macro) * factor, _AREA_DECIMALS)
    if macro.cell is None:
        return area
    saved_f2 = load_facts(_FACTS)["sram_cell_f2"] - macro.cell.cell_area_f2
    return area - rows * width * saved_f2 * technology.node_nm**2 / _NM2_PER_MM2


def weight_write_pj(technology: Technology, macro: ImcMacro) -> Number:
    """Energy of writing one weight: (B_w / 32) w32(r), or B_w cells of the other kind [pJ].

    Not rounded, see `cell_write_pj`.
    """
    if macro.cell is not None:
        return macro.weight_bits * macro.cell.write_pj
    _, width = array_shape(macro)
    return _of_array("write_pj", technology, macro) * macro.weight_bits / width


def cell_write_pj(technology: Technology, macro: ImcMacro) -> float:
    """Energy to write one weight into a template's cells [pJ].

    That of SRAM is rounded as in the source.

    Raises
    ------
    ModelRangeError
        If the cell array has less than 32 rows or 32 bit columns.

    References
    ----------
    .. [1] CarbonSpot commit 0839b49, get_cacti_cost.py:527-547.
    """
    decimals = int(load_facts(_MEMORY)["cell_array_decimals"])
    bits, width = float(macro.weight_bits), float(macro.cols * macro.weight_bits)
    size = float(macro.rows * macro.group_depth) * width
    node_nm = float(technology.node_nm)
    cost = sram_cost(size, width, node_nm=node_nm, what=f"{macro.kind} cell array")
    if macro.cell is not None:
        return float(weight_write_pj(technology, macro))
    return round(cost.write_pj * bits / width, decimals)


def row_write_ns(macro: ImcMacro, clock_ns: Number) -> Number:
    """Time of writing one row: a clock period, or the pulses of a non-volatile cell [ns]."""
    return clock_ns if macro.cell is None else np.maximum(macro.cell.write_ns, clock_ns)


def cell_use_pj(technology: Technology, macro: ImcMacro) -> Number:
    """Energy of one cell in one use: half a NAND's C V^2, or the read of its kind [pJ]."""
    if macro.cell is not None:
        return macro.cell.read_pj
    return half_nand_pj(technology)


def half_nand_pj(technology: Technology) -> Number:
    """Energy of a 1-bit multiplier, or of one cell's share of a line: 0.5 C V^2 [pJ]."""
    ratio = load_facts(_FACTS)["wire_pf_per_nand_pf"]
    return ratio * technology.nand_pf * technology.supply_v**2


def cells_leakage_w(technology: Technology, macro: ImcMacro) -> Number:
    """Leakage of one macro's cell array: (W / 32) P32(r), none in non-volatile cells [W].

    References
    ----------
    .. [1] CACTI 7, table sram_cacti7.csv (itrs-hp cells and periphery, 300 K).
    """
    if macro.cell is not None:
        return 0.0
    return _of_array("leakage_mw", technology, macro) / _MW_PER_W


def leakage_w_per_mm2(technology: Technology, macro: ImcMacro) -> Number:
    """Leakage per silicon area of the cell array, before its area is doubled [W/mm2]."""
    leakage = _of_array("leakage_mw", technology, macro) / _MW_PER_W
    return leakage / _of_array("area_mm2", technology, macro)


def _of_array(name: Property, technology: Technology, macro: ImcMacro) -> Floats:
    """Return a property of the whole array, as parallel 32-bit columns."""
    rows, width = array_shape(macro)
    return sram_array(name, rows, width, technology.node_nm, what=f"{macro.kind} cell array")
