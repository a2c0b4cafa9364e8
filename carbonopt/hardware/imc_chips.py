"""Published in-memory-computing chips: what they report, and what their own blocks add up to.

The structure of each chip (table imc_chip_blocks.csv) is how the authors of zigzag-imc validated
their gates; `carbonopt.hardware.imc_general` gives the same chips to the general macro.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from carbonopt.arrays import Number
from carbonopt.data.tables import load_table
from carbonopt.hardware.imc_adc import dac_pj, fitted_adc_mm2, fitted_adc_ns, fitted_adc_pj
from carbonopt.hardware.imc_cells import half_nand_pj
from carbonopt.hardware.scaling import scaled_technology
from carbonopt.hardware.technology import (
    Technology,
    place_value_adders,
    tree_adders,
    tree_ns,
)

MEASURES = ("area_mm2", "clock_ns", "mac_fj", "tops_per_w", "tops_per_mm2")
"""What is compared: area, clock period, energy per MAC, and the two efficiencies."""

_FJ_PER_PJ, _OPS_PER_MAC = 1e3, 2


def load_chips() -> pd.DataFrame:
    """Return the chips by name, with the parameters and values that they report.

    Efficiencies follow: 2000 / (fJ per MAC) TOP/s/W, and TOP/s over the area.
    """
    chips = load_table("imc_chips.csv").set_index("chip")
    return chips.assign(
        tops_per_w=_OPS_PER_MAC * _FJ_PER_PJ / chips["mac_fj"],
        tops_per_mm2=chips["tops"] / chips["area_mm2"],
    )


def load_blocks(chip: str) -> pd.DataFrame:
    """Return the blocks of a chip whose structure is known."""
    blocks = load_table("imc_chip_blocks.csv")
    return blocks[blocks["chip"] == chip]


def measures(area: Number, clock: Number, mac_fj: Number, tops: Number) -> dict[str, Number]:
    """Return `MEASURES` of area [mm2], clock [ns], energy per MAC [fJ] and speed [TOP/s]."""
    values = (area, clock, mac_fj, _OPS_PER_MAC * _FJ_PER_PJ / mac_fj, tops / area)
    return dict(zip(MEASURES, values, strict=True))


def chip_structure(
    chip: pd.Series[str], blocks: pd.DataFrame, *, weight_density: float | None = None
) -> dict[str, Number]:
    """Count a chip block by block, as the authors of zigzag-imc did.

    A = sum n_a a, E = sum n_e e toggle density / MACs, t = the slowest stage, each the sum of
    r t of its blocks.

    Parameters
    ----------
    chip
        Row of `load_chips`.
    blocks
        What `load_blocks` says of it.
    weight_density
        In place of the chip's own [-].

    Returns
    -------
    dict
        Each of `MEASURES`.

    References
    ----------
    .. [1] zigzag-imc commit df34a6f, imc_model_validation, with the settings of its figure.
    """
    technology = scaled_technology(float(chip["node_nm"]), float(chip["supply_v"]), "zigzag-imc")
    density = float(chip["weight_density"]) if weight_density is None else weight_density
    toggle, ops = float(chip["input_toggle"]), float(chip["ops_per_result"])
    share = {"none": 1.0, "input": toggle, "weight": density, "both": toggle * density}
    area = energy_pj = 0.0
    stages: dict[str, float] = {}
    for block in blocks.to_dict("records"):
        mm2, pj, ns = _block(technology, {str(k): v for k, v in block.items()})
        area += float(block["area_count"]) * mm2
        energy_pj += float(block["energy_count"]) * pj * share[str(block["activity"])]
        stages[str(block["stage"])] = stages.get(str(block["stage"]), 0.0) + ns * block["repeats"]
    stages.pop("nan")
    clock, macs = max(stages.values()), ops / _OPS_PER_MAC
    tops = ops / (float(chip["cycles_per_result"]) * clock) / _FJ_PER_PJ
    mac_fj = energy_pj * _FJ_PER_PJ / macs
    return measures(area, clock, mac_fj, tops)


def _block(technology: Technology, block: Mapping[str, float]) -> tuple[float, float, float]:
    """Area, energy and delay of one element of a chip [mm2], [pJ], [ns]."""
    area, energy, delay = _ELEMENTS[str(block["element"])](technology, block)
    return float(area), float(energy), float(delay)


_Cost = tuple[Number, Number, Number]


def _gate(technology: Technology, _: Mapping[str, float]) -> _Cost:
    return technology.nand_mm2, half_nand_pj(technology), technology.nand_ns


def _tree(technology: Technology, block: Mapping[str, float]) -> _Cost:
    count = tree_adders(block["bits"], block["operands"])
    delay = tree_ns(technology, block["bits"], block["operands"])
    return count * technology.adder_mm2, count * technology.adder_pj, delay


def _place_value(technology: Technology, block: Mapping[str, float]) -> _Cost:
    count = place_value_adders(block["operands"], block["bits"])
    return count * technology.adder_mm2, count * technology.adder_pj, 0.0


def _adder(technology: Technology, block: Mapping[str, float]) -> _Cost:
    delay = technology.sum_ns + block["grown"] * technology.ripple_ns
    return block["bits"] * technology.adder_mm2, block["bits"] * technology.adder_pj, delay


def _sum(technology: Technology, block: Mapping[str, float]) -> _Cost:
    delay = block["operands"] * technology.sum_ns
    return block["bits"] * technology.adder_mm2, block["bits"] * technology.adder_pj, delay


def _flipflop(technology: Technology, block: Mapping[str, float]) -> _Cost:
    bits = block["bits"]
    return bits * technology.flipflop_mm2, bits * technology.flipflop_pj, 0.0


def _adc(technology: Technology, block: Mapping[str, float]) -> _Cost:
    return (
        fitted_adc_mm2(technology, block["bits"], free_comparator=True),
        fitted_adc_pj(technology, block["bits"]),
        fitted_adc_ns(technology, block["bits"], block["operands"]),
    )


def _dac(technology: Technology, block: Mapping[str, float]) -> _Cost:
    return 0.0, dac_pj(technology, block["bits"]), 0.0


def _cells(_: Technology, block: Mapping[str, float]) -> _Cost:
    return block["area_mm2"], 0.0, 0.0


_ELEMENTS: Mapping[str, Callable[[Technology, Mapping[str, float]], _Cost]] = {
    "gate": _gate,
    "tree": _tree,
    "place_value": _place_value,
    "adder": _adder,
    "sum": _sum,
    "flipflop": _flipflop,
    "adc": _adc,
    "dac": _dac,
    "cells": _cells,
}
