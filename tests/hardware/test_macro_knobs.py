"""Knobs of the macro templates: each reaches area, clock, energy or leakage, by the functions."""

from __future__ import annotations

import dataclasses
import math

import pytest
from designs import layer, machine, spread_along

from carbonopt.errors import ModelRangeError, SpecError
from carbonopt.hardware.imc_adc import survey_adc_mm2
from carbonopt.hardware.knob_table import Knobs, MacroOptions, RowStationaryOptions, knob_table
from carbonopt.hardware.knobs import knobs_of_row, parse_knobs
from carbonopt.hardware.scaling import supply_delay
from carbonopt.hardware.technology import load_technology
from carbonopt.performance.array import array_energy

GIVEN = {"rows": 64, "cols": 32, "sram": "32 KiB"}
LAYER = layer(K=64, C=64, OX=16, OY=16)
USED = spread_along(D1={"K": 32}, D2={"C": 64})


def energy(template, **options):
    parts = array_energy(LAYER, machine(template, 64, 32, **options), USED)
    return {part: float(pj[0]) for part, pj in parts.items()}


def test_defaults_are_the_gates_as_they_come():
    plain, gates = MacroOptions(), load_technology()
    assert (plain.node_nm, plain.supply_v) == (None, gates.supply_v) == (None, 0.9)
    for template in ("dimc", "aimc"):
        assert machine(template).technology == gates
        said = {"supply": "900 mV", "stages": 1, "input_toggle": 1.0}
        assert parse_knobs(template, {**GIVEN, **said}) == parse_knobs(template, GIVEN)


@pytest.mark.parametrize("template", ["dimc", "aimc", "digital_os"])
def test_the_node_of_the_gates_can_be_asked_for(template):
    """All stays as without a node, but that the die has one of its own."""
    plain, asked = machine(template), machine(template, node_nm=28.0)
    assert (plain.own_node_nm, asked.own_node_nm) == (None, 28.0)
    assert dataclasses.replace(asked, own_node_nm=None) == plain
    assert parse_knobs(template, {**GIVEN, "node": "28 nm"}).options.given == {"node_nm": 28.0}


def test_every_knob_is_a_column_of_a_design():
    options = {
        field.name
        for kind in (MacroOptions, RowStationaryOptions)
        for field in dataclasses.fields(kind)
    }
    sizes = {"rows", "cols", "macros", "sram_byte"}
    assert {knob.column for knob in knob_table().values()} == options | sizes
    assert knob_table()["dram_bandwidth"].column == "dram_bandwidth_byte_per_s"
    for knob in knob_table().values():
        assert knob.default is None or knob.holds(knob.default)
        value = Knobs(64, 32, 1, 2.0**15).value(knob)
        assert value == knob.default or knob.required or knob.name == "node"
    assert knob_table()["node"].default == 28.0


def test_knobs_of_text_and_of_a_row_are_the_same():
    text = {"adc": "survey", "adc_bits": "6.5", "supply": "800 mV", "dram_bandwidth": "1 GB/s"}
    row = {"adc": "survey", "adc_bits": 6.5, "supply_v": 0.8, "dram_bandwidth_byte_per_s": 1e9}
    size = {"rows": 64, "cols": 32, "sram_byte": 32768}
    parsed = parse_knobs("aimc", {**GIVEN, **text})
    assert parsed == knobs_of_row({**size, **row})
    assert parsed.options.given == row


def test_activity_scales_multipliers_trees_and_flipflops_apart():
    """Half of the inputs toggle, a quarter of the weight bits are 1: an eighth switches."""
    plain = energy("dimc")
    some = energy("dimc", input_toggle=0.5, weight_density=0.25)
    assert some["mults"] == pytest.approx(plain["mults"] / 8)
    assert some["adders"] == pytest.approx(plain["adders"] / 8)
    assert some["accumulators"] == plain["accumulators"]
    rare = energy("dimc", flipflop_activity=0.5)
    assert rare["accumulators"] == pytest.approx(plain["accumulators"] / 2)
    assert rare["adders"] == plain["adders"]
    analog, less = energy("aimc"), energy("aimc", input_toggle=0.5)
    assert less["bitlines"] == pytest.approx(analog["bitlines"] / 2)
    assert less["adcs"] == analog["adcs"]


@pytest.mark.parametrize("template", ["dimc", "aimc"])
def test_supply_scales_energy_with_its_square_and_delay_by_the_law(template):
    plain, low = machine(template, 64, 32), machine(template, 64, 32, supply_v=0.6)
    slower = supply_delay(0.6, 0.33, 1.3) / supply_delay(0.9, 0.33, 1.3)
    assert low.clock_ns == pytest.approx(plain.clock_ns * slower)
    assert slower == pytest.approx(1.7611, rel=1e-4)
    assert low.area_mm2 == plain.area_mm2
    lower = energy(template, supply_v=0.6)
    for part, pj in energy(template).items():
        assert lower[part] == pytest.approx(pj * (0.6 / 0.9) ** 2)
    names = {memory.name: memory for memory in low.memories}
    for memory in plain.memories:
        scaled = (0.6 / 0.9) ** 2 if memory.name.startswith("register") else 1.0
        assert names[memory.name].write_pj == pytest.approx(memory.write_pj * scaled)


def test_a_node_scales_gates_cells_and_buffer():
    """At 22 nm: gates (22/28)^2 in area, 22/28 in energy and delay; memories by CACTI's table."""
    plain, small = machine("dimc", 64, 32), machine("dimc", 64, 32, node_nm=22.0)
    ratio = 22 / 28
    for part in ("mults", "adders", "accumulators", "register"):
        assert small.area_parts[part] == pytest.approx(plain.area_parts[part] * ratio**2)
    assert small.clock_ns == pytest.approx(plain.clock_ns * ratio)
    assert energy("dimc", node_nm=22.0)["adders"] == pytest.approx(energy("dimc")["adders"] * ratio)
    for part in ("cells", "sram"):
        assert small.area_parts[part] < plain.area_parts[part]
    large = machine("dimc", 64, 32, node_nm=65.0)
    assert large.memories[-2].read_pj > plain.memories[-2].read_pj > small.memories[-2].read_pj
    assert large.memories[-1] == plain.memories[-1]
    assert large.idle_w != plain.idle_w


def test_stages_are_clocked_by_the_slower_one_and_cost_registers():
    plain, piped = machine("aimc", 64, 32), machine("aimc", 64, 32, stages=2)
    assert piped.clock_parts["adcs"] == plain.clock_parts["adcs"]
    assert piped.clock_ns == plain.clock_parts["adcs"] + plain.clock_parts["mults"]
    bits = 8 * 5.0  # columns of an output x ADC bits
    gates = load_technology()
    assert piped.area_parts["pipeline"] == pytest.approx(bits * 32 * gates.flipflop_mm2)
    activations = LAYER.macs / (32 * 64) * piped.array.passes
    pipeline = energy("aimc", stages=2)["pipeline"]
    assert pipeline == pytest.approx(bits * 32 * gates.flipflop_pj * activations)


def test_shared_adcs_take_less_area_and_more_time():
    plain, shared = machine("aimc", 64, 32), machine("aimc", 64, 32, adc_share=8)
    assert shared.area_parts["adcs"] == pytest.approx(plain.area_parts["adcs"] / 8)
    assert shared.clock_parts["adcs"] == pytest.approx(plain.clock_parts["adcs"] * 8)
    assert energy("aimc", adc_share=8) == energy("aimc")


def test_adcs_by_survey_and_of_a_given_resolution():
    built = machine("aimc", 64, 32, adc="survey", adc_bits=6.0)
    rate_hz = 1e9 / (6.0 * (0.00653 * 64 + 0.640))
    one = float(survey_adc_mm2(28.0, 6.0, rate_hz))
    assert built.area_parts["adcs"] == pytest.approx(one * 32 * 8)
    fitted = machine("aimc", 64, 32, adc_bits=6.0)
    assert fitted.area_parts["adcs"] == pytest.approx(10 ** (-0.0369 * 6 + 1.206) * 64 * 1e-6 * 256)
    ratio = energy("aimc", adc_bits=6.0)["adcs"] / energy("aimc")["adcs"]
    assert ratio == pytest.approx((600 + 0.001 * 4**6) / (500 + 0.001 * 4**5))
    assert energy("aimc", adc="survey")["adcs"] > energy("aimc")["adcs"]


def test_more_bits_per_cycle_take_fewer_cycles():
    plain, wide = machine("dimc", 64, 32), machine("dimc", 64, 32, bits_per_cycle=4)
    assert (plain.array.passes, wide.array.passes) == (8, 2)
    assert wide.area_parts["adders"] == pytest.approx(4 * plain.area_parts["adders"])
    assert machine("aimc", 64, 32, bits_per_cycle=1).array.adc_bits == 1 + 3


def test_cells_that_are_not_volatile():
    """146 F^2 become 53; a row takes a pulse of each kind; reads are the cell's own."""
    plain, built = machine("aimc", 64, 32), machine("aimc", 64, 32, cell="rram")
    saved = plain.area_parts["cells"] - built.area_parts["cells"]
    assert saved == pytest.approx(64 * 32 * 8 * (146 - 53) * 28**2 * 1e-12)
    assert built.memories[0].write_pj == pytest.approx(8 * 0.6)
    cycles = LAYER.macs / (32 * 64) * built.array.passes
    lines = energy("aimc", cell="rram")["bitlines"]
    assert lines == pytest.approx(0.0016 * 8 * 32 * 64 * cycles)


def test_leakage_of_the_macro_is_charged_where_it_is_asked_for():
    plain, all_of_it = machine("dimc", 128, 128), machine("dimc", 128, 128, leakage="all")
    assert plain.leakage_parts == {"sram": all_of_it.leakage_parts["sram"]}
    assert all_of_it.idle_w - plain.idle_w == pytest.approx(0.1255, rel=1e-3)
    kept = machine("aimc", 128, 128, leakage="all", cell="stt_mram").leakage_parts
    assert kept["cells"] == 0.0 < kept["logic"]
    low = machine("dimc", 128, 128, leakage="all", supply_v=0.6).leakage_parts
    assert low["cells"] == pytest.approx(all_of_it.leakage_parts["cells"] * 0.6 / 0.9)
    assert low["sram"] == plain.leakage_parts["sram"]


def test_bandwidths_per_second_do_not_slow_down_with_the_array():
    """1 GB/s is 8 bit per ns: bits per cycle grow with the clock period, energy per bit stays."""
    fast, slow = (
        machine("aimc", rows, 64, dram_bandwidth_byte_per_s=1e9, sram_bandwidth_byte_per_s=4e9)
        for rows in (32, 256)
    )
    assert slow.clock_ns > 2 * fast.clock_ns
    for built in (fast, slow):
        sram, dram = built.memories[-2:]
        assert dram.bandwidth_bits == pytest.approx(8 * built.clock_ns)
        assert dram.read_pj == pytest.approx(3.7 * dram.bandwidth_bits)
        assert sram.bandwidth_bits == pytest.approx(32 * built.clock_ns)
        plain = machine("aimc", built.shape["D2"], 64).memories[-2]
        per_bit = plain.read_pj / plain.bandwidth_bits
        assert sram.read_pj / sram.bandwidth_bits == pytest.approx(per_bit)
        assert sram.area_mm2 == plain.area_mm2
    word = machine("aimc", 32, 64).memories[-2].bandwidth_bits
    wide = machine("aimc", 32, 64, sram_bandwidth_byte_per_s=1e15).memories[-2]
    assert wide.bandwidth_bits == word


@pytest.mark.parametrize(
    ("template", "options", "message"),
    [
        ("dimc", {"adc": "survey"}, "adc: got survey, allowed: fitted (a knob of aimc)"),
        ("dimc", {"adc_bits": 5.0}, "adc_bits: got 5, allowed: none (a knob of aimc)"),
        ("dimc", {"cell": "rram"}, "cell: got rram, allowed: sram (a knob of aimc)"),
        ("digital_os", {"supply_v": 0.5}, "supply: got 0.5 V, allowed: 0.6 to 1.2 V"),
        ("digital_ws", {"node_nm": 16.0}, "node: got 16 nm, allowed: 22 to 65 nm"),
        ("aimc", {"node_nm": 16.0}, "node: got 16 nm, allowed: 22 to 65 nm"),
        ("aimc", {"supply_v": 1.3}, "supply: got 1.3 V, allowed: 0.6 to 1.2 V"),
        ("aimc", {"supply_v": math.nan}, "supply: got nan V, allowed: 0.6 to 1.2 V"),
        ("aimc", {"input_toggle": -0.1}, "input_toggle: got -0.1, allowed: 0 to 1"),
        ("aimc", {"weight_density": 1.5}, "weight_density: got 1.5, allowed: 0 to 1"),
        ("aimc", {"stages": 3}, "stages: got 3, allowed: whole numbers from 1 to 2"),
        ("aimc", {"bits_per_cycle": 0}, "bits_per_cycle: got 0, allowed: whole numbers from 1 to"),
        ("aimc", {"bits_per_cycle": 9}, "bits_per_cycle: got 9, allowed: whole numbers from 1 to"),
        ("aimc", {"adc_bits": 13.0}, "adc_bits: got 13, allowed: 1 to 12"),
        ("aimc", {"adc_bits": 0.0}, "adc_bits: got 0, allowed: 1 to 12"),
        ("aimc", {"adc": "survey", "adc_bits": 3.5}, "adc_bits: got 3.5, allowed: 4 to 12 bit"),
        ("aimc", {"adc": "best"}, "adc: got best, allowed: fitted, survey"),
        ("aimc", {"cell": "flash"}, "cell: got flash, allowed: sram, rram, stt_mram, pcm, fefet"),
        ("aimc", {"adc_share": 0}, "adc_share: got 0, allowed: whole numbers from 1"),
        ("aimc", {"adc_share": 257}, "adc_share: got 257, allowed: up to 256 (bit columns of a"),
        ("dimc", {"loading": "overlapped"}, "group_depth: got 1, allowed: from 2 where loading"),
        (
            "dimc",
            {"dram_bandwidth_byte_per_s": 0.0},
            "dram_bandwidth: got 0 byte/s, allowed: 1 to ",
        ),
        ("dimc", {"leakage": "none"}, "leakage: got none, allowed: sram, all"),
    ],
)
def test_knobs_outside_the_model_are_refused(template, options, message):
    with pytest.raises(ModelRangeError) as error:
        machine(template, 32, 32, **options)
    assert f"{template}: {message}" in str(error.value)


def test_knobs_that_cannot_be_read_come_at_once():
    bad = {"node": 22, "supply": "1 s", "adc": "surwey", "stages": "two", "adc_bits": "nan"}
    with pytest.raises(SpecError) as error:
        parse_knobs("aimc", {**GIVEN, **bad})
    told = "\n".join(error.value.faults)
    for fault in (
        "node: got 22, allowed: a number with a unit of: nm",
        "supply: got 1 s, allowed: a number with a unit of: V, mV",
        "adc: got 'surwey' (did you mean 'survey'?), allowed: fitted, survey",
        "stages: got 'two', allowed: a whole number",
        "adc_bits: got 'nan', allowed: 1 to 12",
    ):
        assert fault in told
    assert len(error.value.faults) == 5
