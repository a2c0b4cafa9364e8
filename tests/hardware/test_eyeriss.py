"""The row-stationary machine: the chip by default, and what knobs make of it."""

from __future__ import annotations

import pytest

from carbonopt.hardware.eyeriss import RowStationaryArray
from carbonopt.hardware.knobs import knobs_of_row, parse_knobs
from carbonopt.hardware.machine import Machine
from carbonopt.hardware.template import build_machine, find_template
from carbonopt.hardware.variant import load_variant


def built(**knobs: str | int) -> Machine:
    return build_machine(
        find_template("eyeriss"), parse_knobs("eyeriss", knobs), load_variant("default"),
        dram_byte=2**30, resident_byte=2**30,
    )  # fmt: skip


def array(**knobs: str | int) -> RowStationaryArray:
    found = built(**knobs).array
    assert isinstance(found, RowStationaryArray)
    return found


def test_the_chip_is_the_default():
    chip = built()
    assert (chip.shape, chip.clock_ns, chip.own_node_nm) == ({"D1": 14, "D2": 12}, 5.0, 65.0)
    assert chip.area_mm2 == pytest.approx(12.25, rel=1e-12)
    assert array().buffer_words == 51200
    assert array().dram_bit_per_cycle == pytest.approx(64 * 60 / 200)


def test_the_area_by_part():
    parts = built().area_parts
    expected = {"pe": 2.17, "register": 5.95, "sram": 2.68, "noc": 1.45}
    assert {part: round(area, 2) for part, area in parts.items()} == expected


@pytest.mark.parametrize(
    ("knobs", "part"),
    [
        ({"sram": "216 KiB"}, "sram"),
        ({"weight_words": 448}, "register"),
        ({"psum_words": 48}, "register"),
        ({"bus_words": 8}, "noc"),
    ],
)
def test_a_knob_grows_its_own_part(knobs, part):
    plain, more = built().area_parts, built(**knobs).area_parts
    assert more[part] > plain[part]
    assert {name for name in plain if more[name] != pytest.approx(plain[name])} == {part}


def test_narrow_words_shrink_elements_and_registers():
    plain, narrow = built().area_parts, built(weight_word_bits=8, data_word_bits=8).area_parts
    assert narrow["pe"] == pytest.approx(plain["pe"] * (64 + 8) / (256 + 16))
    assert narrow["register"] == pytest.approx(plain["register"] / 2)
    assert array(data_word_bits=8).buffer_words == 2 * array().buffer_words


def test_elements_multiply_all_but_the_buffer():
    plain, larger = built().area_parts, built(rows=24, cols=28).area_parts
    ratios = {part: larger[part] / plain[part] for part in plain}
    assert ratios == pytest.approx({"pe": 4, "register": 4, "sram": 1, "noc": 4})


def test_a_smaller_node_is_smaller_faster_and_thriftier():
    chip, small = built(), built(node="28 nm")
    assert small.clock_ns == pytest.approx(chip.clock_ns * 28 / 65)
    assert array(node="28 nm").mac_pj == pytest.approx(array().mac_pj * 28 / 65)
    assert small.area_parts["pe"] == pytest.approx(chip.area_parts["pe"] * (28 / 65) ** 2)
    assert small.own_node_nm == 28


def test_a_larger_buffer_costs_more_per_access():
    assert array(sram="1 MiB").buffer_pj > array().buffer_pj == pytest.approx(6 * 1.471)


def test_text_and_row_are_the_same_design():
    text = {"sram": "64 KiB", "gating": "off", "weight_words": 112, "dram_bandwidth": "1 GB/s"}
    row = {"rows": 12, "cols": 14, "sram_byte": 65536.0, "gating": "off", "weight_words": 112,
           "dram_bandwidth_byte_per_s": 1e9}  # fmt: skip
    assert parse_knobs("eyeriss", text) == knobs_of_row(row)
    assert parse_knobs("eyeriss", text).given == {
        "gating": "off", "weight_words": 112, "dram_bandwidth_byte_per_s": 1e9,
    }  # fmt: skip
