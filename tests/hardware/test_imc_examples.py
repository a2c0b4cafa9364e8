"""Worked macros of both code bases, run with their own code and printed with eight digits."""

from __future__ import annotations

import pandas as pd
import pytest

from carbonopt.hardware.cacti import sram_column
from carbonopt.hardware.imc import ImcMacro, load_form
from carbonopt.hardware.imc_cells import cell_write_pj
from carbonopt.hardware.imc_model import macro_area, macro_clock, macro_peak, peak_energy
from carbonopt.hardware.technology import load_technology

pytestmark = pytest.mark.reference
RELATIVE = 1e-7

NAMES = {
    "adders_pv": "adders_place_value",
    "adders_regular": "adders",
    "analog_bitlines": "bitlines",
    "analog_bl_addition": "bitlines",
}
ABSENT = {"precharging", "local_bl_precharging", "dacs", "adcs", "bitlines", "adders", "cells"}
"""Parts that a reference states as 0 where our breakdown has no such part."""
PEAK = {"TOPS": "tops", "TOPS/W": "tops_per_w", "TOPS/mm2": "tops_per_mm2"}
CACTI = {"area": "area_mm2", "read_energy_row": "read_pj", "write_energy_row": "write_pj"}


def examples(reference) -> pd.DataFrame:
    table = reference("imc_examples.csv")
    assert len(table) == 396
    return table


def given(table: pd.DataFrame, example: str) -> dict[str, float]:
    """The inputs of an example; the table states them for one of the two code bases."""
    rows = table[(table["example"] == example) & table["quantity"].str.startswith("input:")]
    return {r.quantity.removeprefix("input:"): float(r.value) for r in rows.itertuples()}


def macro_of(inputs: dict[str, float], kind: str, form: str) -> ImcMacro:
    return ImcMacro(
        kind,
        *(int(inputs[name]) for name in ("D1", "D2", "weight_precision", "input_precision")),
        int(inputs["input_bit_per_cycle"]),
        inputs["adc_resolution"] if kind == "aimc" else 0.0,
        int(inputs["D3"]),
        int(inputs["group_depth"]),
        form=load_form(form),
    )


def ours(macro: ImcMacro) -> dict[str, float]:
    """Every quantity of the table that is not an input."""
    technology = load_technology()
    found = {
        f"{group}:{name}": float(value)
        for group, parts in (
            ("area", macro_area(technology, macro)),
            ("tclk", macro_clock(technology, macro)),
            ("peak_energy_per_cycle", peak_energy(technology, macro)),
        )
        for name, value in (*parts.items(), ("total", sum(parts.values())))
    }
    peak = macro_peak(technology, macro)
    width = float(macro.cols * macro.weight_bits)
    cells = {
        name: float(sram_column(column, macro.rows, 28.0, what="cells")) * width / 32
        for name, column in CACTI.items()
    }
    return {
        **found,
        **{name: float(peak[own]) for name, own in PEAK.items()},
        "operations_per_cycle": float(macro.ops_per_cycle),
        "weight_write_energy": cell_write_pj(technology, macro),
        "cacti:access_time": float(sram_column("access_ns", macro.rows, 28.0, what="cells")),
        "cacti:area": round(2 * cells["area"], 7),
        "cacti:read_energy_row": cells["read_energy_row"],
        "cacti:write_energy_row": cells["write_energy_row"],
    }


@pytest.mark.parametrize("form", ["zigzag-imc", "zigzag"])
@pytest.mark.parametrize("kind", ["DIMC", "AIMC"])
@pytest.mark.parametrize("size", [32, 128, 1024])
def test_every_value_of_a_worked_example(reference, form, kind, size):
    table, example = examples(reference), f"{kind}_{size}x{size}"
    macro = macro_of(given(table, example), kind.lower(), form)
    found, checked = ours(macro), 0
    rows = table[(table["example"] == example) & (table["form"] == form)]
    for row in rows.itertuples():
        group, _, part = row.quantity.partition(":")
        if group == "input":
            continue
        name = f"{group}:{NAMES.get(part, part)}" if part else group
        expected = float(row.value)
        if name not in found:
            assert NAMES.get(part, part) in ABSENT, row
            assert expected == 0, row
        else:
            assert found[name] == pytest.approx(expected, rel=RELATIVE, abs=1e-12), row
        checked += 1
    assert checked == {"zigzag": 28}.get(form, len(rows) - len(given(table, example)))


def test_totals_are_sums_of_their_parts(reference):
    macro = macro_of(given(examples(reference), "AIMC_128x128"), "aimc", "default")
    technology = load_technology()
    peak = macro_peak(technology, macro)
    assert peak["area_mm2"] == sum(macro_area(technology, macro).values())
    assert peak["clock_ns"] == sum(macro_clock(technology, macro).values())
    assert peak["energy_pj"] == sum(peak_energy(technology, macro).values())
    assert peak["mac_fj"] == pytest.approx(2000 / peak["tops_per_w"])


@pytest.mark.parametrize("size", [32, 128, 1024])
def test_default_takes_the_defensible_part_of_each_form(reference, size):
    """Clock of zigzag-imc (full ripple), accumulators as wide as the ADC like zigzag's."""
    inputs = given(examples(reference), f"AIMC_{size}x{size}")
    old, new, default = (
        ours(macro_of(inputs, "aimc", form)) for form in ("zigzag-imc", "zigzag", "default")
    )
    for quantity, value in default.items():
        if quantity.startswith(("area", "tclk")):
            assert value == old[quantity], quantity
        if quantity.startswith("peak_energy"):
            assert value == new[quantity], quantity
    assert new["tclk:total"] < old["tclk:total"]
    assert new["peak_energy_per_cycle:total"] != old["peak_energy_per_cycle:total"]
