"""Writing weights into in-memory-computing macros: time and energy."""

from __future__ import annotations

import numpy as np

from carbonopt.arrays import Number
from carbonopt.errors import ModelRangeError
from carbonopt.hardware.imc import ImcMacro
from carbonopt.hardware.imc_cells import row_write_ns, weight_write_pj
from carbonopt.hardware.technology import Technology

_BITS_PER_BYTE, _S_PER_NS, _J_PER_PJ = 8, 1e-9, 1e-12


def loading_s(
    macro: ImcMacro,
    clock_ns: Number,
    *,
    bandwidth_byte_per_s: Number,
    groups: Number = 1,
    overlapped_s: Number = 0.0,
) -> Number:
    """Time for which writing the weights of all macros holds up computing [s].

    max(D2 m t_row, D1 D2 D3 B_w m / BW) - t_overlap, not below 0: row by row in all macros at
    once, or as the weights arrive, whichever takes longer.

    Parameters
    ----------
    macro, clock_ns
        Design and its clock period, which is the time of a row unless its cells take longer [ns].
    bandwidth_byte_per_s
        At which weights arrive, of SRAM or DRAM, whatever the clock [byte/s].
    groups
        Weights m of each group that are written, up to the group depth.
    overlapped_s
        Computing that goes on meanwhile, on other weights of the group or other macros [s].

    Raises
    ------
    ModelRangeError
        More weights than a group has, or no bandwidth.

    Notes
    -----
    zigzag-imc has one row per clock cycle without a bandwidth, and no overlap; mainline ZigZag
    the bandwidth alone.

    Examples
    --------
    >>> macro = ImcMacro("dimc", 32, 64, 8, 8, 1)
    >>> float(loading_s(macro, 4.0, bandwidth_byte_per_s=1e12))
    2.56e-07
    >>> float(loading_s(macro, 4.0, bandwidth_byte_per_s=1e9))
    2.048e-06
    """
    if np.any(np.asarray(groups) > macro.group_depth):
        raise ModelRangeError(f"groups: got {groups}, allowed: up to {macro.group_depth}")
    if not np.all(np.asarray(bandwidth_byte_per_s) > 0):
        raise ModelRangeError(f"bandwidth: got {bandwidth_byte_per_s} byte/s, allowed: above 0")
    rows_s = macro.rows * groups * row_write_ns(macro, clock_ns) * _S_PER_NS
    arriving_s = _weights(macro) * groups * macro.weight_bits / _BITS_PER_BYTE
    needed_s = np.maximum(rows_s, arriving_s / bandwidth_byte_per_s)
    return np.maximum(needed_s - overlapped_s, 0.0)


def loading_j(technology: Technology, macro: ImcMacro, groups: Number = 1) -> Number:
    """Energy of writing the weights of all macros, `groups` of each group [J].

    Examples
    --------
    >>> from carbonopt.hardware.technology import load_technology
    >>> macro = ImcMacro("dimc", 32, 32, 8, 8, 1)
    >>> float(loading_j(load_technology(), macro) * 1e12)
    82.837
    """
    return _weights(macro) * groups * weight_write_pj(technology, macro) * _J_PER_PJ


def _weights(macro: ImcMacro) -> Number:
    """Multipliers of all macros."""
    return macro.cols * macro.rows * macro.macros
