"""In-memory macros on the command line: their knobs, what they say of wear, every bad value."""

from __future__ import annotations

import json

import pytest

from carbonopt.cli import main

AIMC = ("--template", "aimc", "--workload", "resnet8", "--mapping", "reference")
SIZE = ("rows=128", "cols=64", "sram=128KiB")


def asked(*settings: str) -> list[str]:
    return [part for setting in (*SIZE, *settings) for part in ("--set", setting)]


def evaluated(capsys, *settings: str) -> dict:
    assert main(["evaluate", *AIMC, *asked(*settings), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_every_knob_reaches_what_it_is_for(capsys):
    """Each against the same design without it: which metrics change, and where to."""
    device = ("area_mm2", "clock_ns", "idle_w", "embodied_g")
    names = (*device, "energy_j", "latency_s", "carbon_ca_g", "carbon_pa_g")
    plain = evaluated(capsys)
    changes = {
        "input_toggle=0.5": "energy_j carbon_pa_g",
        "weight_density=0.5": "energy_j carbon_pa_g",
        "flipflop_activity=0.5": "energy_j carbon_pa_g",
        "leakage=all": "idle_w carbon_pa_g",
        "supply=0.8V": "clock_ns energy_j latency_s carbon_pa_g",
        "node=22nm": "area_mm2 clock_ns energy_j latency_s idle_w embodied_g carbon_pa_g",
        "stages=2": "area_mm2 clock_ns energy_j latency_s embodied_g carbon_pa_g",
        "adc=survey": "area_mm2 energy_j embodied_g carbon_pa_g",
        "adc_bits=7": "area_mm2 clock_ns energy_j latency_s embodied_g carbon_pa_g",
        "adc_share=8": "area_mm2 clock_ns latency_s embodied_g carbon_pa_g",
        "bits_per_cycle=4": "area_mm2 clock_ns energy_j latency_s embodied_g carbon_pa_g",
        "dram_bandwidth=100MB/s": "latency_s carbon_ca_g",
        "cell=stt_mram": "area_mm2 energy_j latency_s embodied_g carbon_pa_g",
        "group_depth=4": "area_mm2 energy_j embodied_g carbon_pa_g",
    }
    for setting, expected in changes.items():
        found = evaluated(capsys, setting)
        changed = [name for name in names if found[name] != pytest.approx(plain[name], rel=1e-9)]
        assert set(expected.split()) <= set(changed), setting
        assert not (set(device) - set(expected.split())) & set(changed), setting
        knob, _, _ = setting.partition("=")
        assert any(key.startswith(knob) for key in found["knobs"]), setting
        assert not any(key.startswith(knob) for key in plain["knobs"]), setting


def test_the_text_names_knobs_with_units_and_says_when_endurance_binds(capsys):
    settings = asked("cell=pcm", "supply=800mV", "dram_bandwidth=1GB/s", "node=22nm")
    assert main(["evaluate", *AIMC, *settings]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "resnet8 on aimc, rows 128, cols 64, macros 1, sram 128 KiB, node 22 nm, supply 0.8 V, "
        "cell pcm, dram_bandwidth 1 GB/s"
    )
    told = [line for line in lines if "endurance" in line]
    assert len(told) == 2
    assert told[1].startswith("carbon_pa_g: endurance binds: cells are worn out after ")
    assert told[1].endswith(" d, of 3 y of use")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["node=7nm"], "aimc: node: got 7 nm, allowed: 22 to 65 nm"),
        (["node=28"], "node: got 28, allowed: a number with a unit of: nm"),
        (["supply=2V"], "aimc: supply: got 2 V, allowed: 0.6 to 1.2 V"),
        (["adc_bits=13"], "aimc: adc_bits: got 13, allowed: 1 to 12"),
        (["adc_bits=0"], "aimc: adc_bits: got 0, allowed: 1 to 12"),
        (["adc=survey", "adc_bits=3"], "aimc: adc_bits: got 3, allowed: 4 to 12 bit"),
        (["adc=sar"], "adc: got 'sar', allowed: fitted, survey"),
        (["adc_share=1000"], "adc_share: got 1000, allowed: up to 512 (bit columns of a macro)"),
        (["adc_share=0"], "adc_share: got 0, allowed: whole numbers from 1"),
        (["bits_per_cycle=0"], "bits_per_cycle: got 0, allowed: whole numbers from 1 to 8"),
        (["bits_per_cycle=16"], "bits_per_cycle: got 16, allowed: whole numbers from 1 to 8"),
        (["stages=1.5"], "stages: got '1.5', allowed: a whole number"),
        (["input_toggle=2"], "input_toggle: got 2, allowed: 0 to 1"),
        (["input_toggle=nan"], "input_toggle: got 'nan', allowed: 0 to 1"),
        (["cell=flash"], "cell: got 'flash', allowed: sram, rram, stt_mram, pcm, fefet"),
        (["group_depth=0"], "group_depth: got 0, allowed: whole numbers from 1"),
        (["group_depth=1e9"], "group_depth: got 1e+09, allowed: whole numbers from 1 to 16777216"),
        (["loading=overlapped"], "group_depth: got 1, allowed: from 2 where loading is overlapped"),
        (["dram_bandwidth=0GB/s"], "dram_bandwidth: got 0 byte/s, allowed: 1 to 1e+18 byte/s"),
        (["dram_bandwidth=1e-300GB/s"], "dram_bandwidth: got 1e-291 byte/s, allowed: 1 to "),
        (["dram_bandwidth=1GB"], "dram_bandwidth: got 1GB, allowed: a number with a unit of: byte"),
        (["suply=0.8V"], "suply: unknown knob (did you mean 'supply'?), allowed: rows, cols, "),
    ],
)
def test_bad_values_are_refused_in_words(capsys, settings, message):
    assert main(["evaluate", *AIMC, *asked(*settings)]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("template", "sizes", "message"),
    [
        ("aimc", "1e99 64 64KiB", "rows: got 1e+99, allowed: whole numbers from 1 to 16777216"),
        ("aimc", "100000 64 64KiB", "rows: got 100000, allowed: rows x macros up to 2048, or an"),
        ("digital_os", "64 100000 64KiB", "cols: got 100000, allowed: cols x macros up to 1024, "),
        ("digital_os", "64 64 0B", "sram: got 0 byte, allowed: > 0"),
        (
            "digital_os",
            "4096 64 8B",
            "sram: got 8 byte, allowed: an sram from 128 KiB (32 words of",
        ),
        ("digital_os", "64 64 1TB", "sram: got 931 GiB, allowed: up to 2 GiB in words of 1024 bit"),
        ("digital_os", "1 1 64KiB", "cols: got 1, allowed: more, for words of the SRAM from 32"),
        ("aimc", "4 64 64KiB", "rows: got 4, allowed: rows x group_depth from 32 to 16777216"),
        ("dimc", "32 2 64KiB", "cols: got 2, allowed: from 4 (words of the cells)"),
    ],
)
def test_the_knob_at_fault_is_named_where_the_memories_do_not_fit(capsys, template, sizes, message):
    names = ("rows", "cols", "sram")
    settings = map("=".join, zip(names, sizes.split(), strict=True))
    size = [word for setting in settings for word in ("--set", setting)]
    assert main(["evaluate", "--workload", "resnet8", "--template", template, *size]) == 2
    told = capsys.readouterr().err
    assert f"{template}: {message}" in told
    assert "Traceback" not in told


def test_rows_of_a_digital_macro_are_powers_of_two(capsys):
    size = ["--set", "rows=100", "--set", "cols=64", "--set", "sram=128KiB"]
    assert main(["evaluate", "--workload", "resnet8", "--template", "dimc", *size]) == 2
    assert "dimc: rows: got 100, allowed: powers of two from 2" in capsys.readouterr().err


def test_map_takes_the_same_knobs(capsys):
    layer = ["--workload", "resnet8", "--layer", "3", "--objective", "latency", "--json"]
    settings = asked("group_depth=2", "loading=overlapped")
    found = {}
    for name, given in (("apart", asked("group_depth=2")), ("beside", settings)):
        assert main(["map", "--machine", "dimc", *given, *layer]) == 0
        found[name] = json.loads(capsys.readouterr().out)
    stalls = {name: each["cycles_by_part"]["stall"] for name, each in found.items()}
    assert stalls["beside"] < stalls["apart"]
