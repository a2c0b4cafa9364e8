"""Knobs as a user writes them: read with their units, refused where they are none."""

from __future__ import annotations

import pytest

from carbonopt.errors import SpecError
from carbonopt.hardware.knob_table import Knobs, knob_table
from carbonopt.hardware.knobs import parse_knobs

KNOBS = {"rows": 64, "cols": 32, "sram": "64KiB"}


def test_knobs_with_and_without_units():
    expected = Knobs(rows=64, cols=32, macros=1, sram_byte=65536.0)
    for sram in ("64KiB", "64 KiB", "65536 byte"):
        assert parse_knobs("dimc", {**KNOBS, "sram": sram}) == expected
    assert parse_knobs("dimc", {"rows": "64", "cols": 32.0, "macros": "4", "sram": "1MiB"}) == (
        Knobs(64, 32, 4, 2.0**20)
    )


def test_all_faults_of_a_request_come_at_once():
    with pytest.raises(SpecError) as error:
        parse_knobs("dimm", {"row": 64, "cols": "many", "macros": 1.5, "sram": "64 parsecs"})
    faults = error.value.faults
    assert (
        "template: got 'dimm' (did you mean 'dimc'?), allowed: digital_os, digital_ws, dimc, "
        "aimc, eyeriss" in faults
    )
    known = ", ".join(knob_table())
    assert known.startswith("rows, cols, macros, sram, group_depth, ")
    assert f"row: unknown knob (did you mean 'rows'?), allowed: {known}" in faults
    assert "rows: not given, required by every template but eyeriss" in faults
    assert "cols: got 'many', allowed: a whole number" in faults
    assert "macros: got 1.5, allowed: a whole number" in faults
    assert any(fault.startswith("sram: ") and "parsecs" in fault for fault in faults)
    assert len(faults) == 6


@pytest.mark.parametrize("value", ["64", "64 s", "", None, True, [1], "nan KiB", float("inf")])
def test_sizes_that_are_no_sizes_are_refused(value):
    with pytest.raises(SpecError, match="sram"):
        parse_knobs("dimc", {**KNOBS, "sram": value})


@pytest.mark.parametrize("value", ["", None, [1], "12.5", float("nan"), float("inf"), "1e999"])
def test_counts_that_are_no_whole_numbers_are_refused(value):
    with pytest.raises(SpecError, match=r"rows: got .*, allowed: a whole number"):
        parse_knobs("dimc", {**KNOBS, "rows": value})
