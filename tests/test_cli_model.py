"""Commands that ask the models, through the same door as a user."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from carbonopt.carbon.presets import load_preset
from carbonopt.cli import main
from carbonopt.problem.scenario import option_of
from carbonopt.spec.scenario import ScenarioSpec

DESIGN = ("--template", "dimc", "--set", "rows=128", "--set", "cols=128", "--set", "sram=512KiB")
NUMBERS = (
    *("area_mm2", "clock_ns", "latency_cycles", "latency_s"),
    *("energy_pj", "carbon_ca_g", "carbon_pa_g"),
)


def answer(capsys, *arguments: str) -> dict:
    assert main([*arguments, "--json"]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    return json.loads(told.out)


def refusal(capsys, *arguments: str) -> str:
    assert main(list(arguments)) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "Traceback" not in told.err
    return told.err


def test_an_evaluation_is_one_json_object_whose_parts_add_up(capsys):
    found = answer(capsys, "evaluate", "--workload", "resnet8", *DESIGN, "--preset", "carbonspot")
    for name in NUMBERS:
        assert sum(found["breakdown"][name].values()) == pytest.approx(found[name])
    assert found["period_met"] is True
    assert found["knobs"]["macros"] == 1
    assert len(found["layers"]) == 10
    assert sum(layer["cycles"] for layer in found["layers"]) == found["latency_cycles"]
    assert {"mapping", "energy", "cycles"} <= set(found["layers"][0])


def test_an_evaluation_shows_what_layers_of_each_kind_take(capsys):
    assert main(["evaluate", "--workload", "resnet8", *DESIGN]) == 0
    lines = capsys.readouterr().out.splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("kind "))
    assert lines[head].split() == ["kind", "layers", "MACs", "cycles", "energy"]
    rows = [re.split(r"  +", line) for line in lines[head + 2 : head + 4]]
    assert [row[:3] for row in rows] == [
        ["convolutional", "9", "12,500,992 (100%)"],
        ["fully connected", "1", "640 (0%)"],
    ]
    assert main(["evaluate", "--workload", "autoencoder", *DESIGN]) == 0
    assert "\nkind " not in capsys.readouterr().out


def test_the_optimal_mapping_is_no_worse_than_the_reference(capsys):
    asked = ("evaluate", "--workload", "ds_cnn", *DESIGN, "--mapping")
    best, reference = (answer(capsys, *asked, mode) for mode in ("optimal", "reference"))
    product = [found["energy_pj"] * found["latency_cycles"] for found in (best, reference)]
    assert product[0] <= product[1] * (1 + 1e-12)


def test_options_change_what_they_name(capsys):
    asked = ("evaluate", "--workload", "ds_cnn", *DESIGN)
    plain = answer(capsys, *asked)
    longer = answer(capsys, *asked, "--lifetime", "6y", "--package", "0g", "--fab-yield", "1")
    greener = answer(capsys, *asked, "--use-intensity", "25g/kWh", "--fab-intensity", "25 g/kWh")
    rarer = answer(capsys, *asked, "--period", "10ms", "--dram", "2MiB")
    assert longer["breakdown"]["carbon_ca_g"]["package"] == 0
    assert longer["carbon_pa_g"] < plain["carbon_pa_g"]
    assert (
        greener["breakdown"]["embodied_g"]["fab_energy"]
        < plain["breakdown"]["embodied_g"]["fab_energy"]
    )
    assert (rarer["period_s"], rarer["dram_byte"]) == (0.01, 2 * 2**20)


def test_without_a_period_there_is_no_carbon_pa_and_a_note_says_why(capsys):
    found = answer(capsys, "evaluate", "--workload", "bert_base_block", *DESIGN)
    assert found["carbon_pa_g"] is None
    assert found["period_met"] is None
    assert any("--period" in note for note in found["notes"])


def test_a_design_that_misses_its_period_is_told(capsys):
    asked = ("evaluate", "--workload", "ds_cnn", *DESIGN, "--period", "1us")
    late = answer(capsys, *asked)
    assert late["period_met"] is False
    assert late["carbon_pa_g"] is late["break_even_pa_s"] is None
    times = f"its latency is {late['latency_s'] / 1e-6:.4g} times the period"
    assert any(times in note for note in late["notes"])
    turns = answer(capsys, *asked, "--late-rule", "replicate")
    devices = np.ceil(late["latency_s"] / 1e-6)
    package = turns["breakdown"]["carbon_pa_g"]["package"]
    assert package == pytest.approx(devices * 1e-6 / load_preset("default").lifetime_s * 150)
    assert not any("late" in note for note in turns["notes"])
    assert main([*asked]) == 0
    told = capsys.readouterr().out
    assert "carbon PA " not in told
    assert f"carbon_pa_g: none, the design is late: {times}" in told


@pytest.mark.parametrize(
    ("design", "told"),
    [
        (DESIGN, "optimal mapping (least of the promising unrollings)"),
        ((*DESIGN, "--mapping", "exhaustive"), "exhaustive mapping (least of all unrollings)"),
        (("--template", "eyeriss"), "optimal mapping (least of those that share evenly)"),
        (("--template", "eyeriss", "--set", "mappings=chip"), "mapping of the chip's own rules"),
    ],
)
def test_a_reader_is_told_what_the_mapping_is_the_least_of(capsys, design, told):
    assert main(["evaluate", "--workload", "ds_cnn", *design]) == 0
    assert told in capsys.readouterr().out


def test_a_reader_gets_metrics_by_part_and_layers(capsys):
    assert main(["evaluate", "--workload", "ds_cnn", *DESIGN]) == 0
    told = capsys.readouterr().out
    assert told.startswith("ds_cnn on dimc, rows 128, cols 128, macros 1, sram 512 KiB\n")
    assert "\ncarbon PA  " in told
    assert "period 100 ms kept" in told
    assert "\nunrolled over the array" not in told
    assert "layer " in told


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (("--workload", "resnet9"), "resnet8"),
        (("--template", "dram"), "allowed: "),
        (("--set", "rowss=3"), "did you mean 'rows'?"),
        (("--set", "rows"), "allowed: KNOB=VALUE"),
        (("--set", "rows=64"), "rows: got it twice (128, 64)"),
        (("--set", "macros=1.5"), "macros: got '1.5', allowed: a whole number"),
        (("--preset", "nature"), "--preset: got nature, allowed: act, carbonspot, default"),
        (("--period", "40"), "--period: got 40, allowed: a number with a unit"),
        (("--dram", "1 s"), "--dram: got 1 s, allowed: a number with a unit"),
        (("--lifetime", "soon"), "--lifetime: got soon"),
        (("--lifetime=-3y",), "--lifetime: got -3y, allowed: > 0"),
        (("--lifetime", "-5y"), "--lifetime: got -5y, allowed: > 0"),
        (("--package", "-.5g"), "--package: got -.5g, allowed: >= 0"),
        (("--fab-yield", "1.2"), "--fab-yield: got 1.2, allowed: "),
        (("--workload", "missing.onnx"), "missing.onnx"),
    ],
)
def test_bad_input_is_named_with_what_is_allowed(capsys, changes, told):
    assert told in refusal(capsys, "evaluate", "--workload", "ds_cnn", *DESIGN, *changes)


def test_every_fault_of_a_request_is_named_at_once(capsys):
    asked = ("evaluate", "--workload", "ds_cnn", "--template", "dimc", "--set", "rows=x")
    lines = refusal(capsys, *asked, "--set", "colls=3").splitlines()
    assert len(lines) >= 3
    asked = ("evaluate", "--workload", "ds_cn", "--template", "aimc", "--set", "rows=4")
    sizes = ("--set", "cols=64", "--set", "sram=64KiB", "--period", "4", "--dram", "1s")
    lines = refusal(capsys, *asked, *sizes, "--region", "Tiwan", "--lifetime", "0y").splitlines()
    starts = ("aimc: rows: ", "network: ", "--period: ", "--dram: ", "--lifetime: ", "--region: ")
    assert [line.removeprefix("carbonopt: ").partition(": got")[0] + ": " for line in lines] == [
        *starts
    ]


def test_a_design_gets_a_footprint_without_a_run(capsys, tmp_path):
    asked = ("evaluate", "--workload", "ds_cnn", *DESIGN, "--region", "France", "--dies", "2")
    found = answer(capsys, *asked, "--footprint", str(tmp_path / "card"))
    record = json.loads((tmp_path / "card" / "footprint.json").read_text())
    for activity in ("CA", "PA"):
        assert record["task"][activity]["total_g"] == pytest.approx(
            found[f"carbon_{activity.lower()}_g"], rel=1e-12
        )
    assert record["task"]["PA"]["parts"]["idle"] > 0
    assert record["device"]["total_g"] == pytest.approx(found["embodied_g"], rel=1e-12)
    card = (tmp_path / "card" / "model_card.md").read_text()
    assert "2 dies of 2.369 mm² together" in card
    assert "Scenario: region France, dies 2." in card
    assert "set for this run by region France: Our World in Data" in card
    assert [Path(file).name for file in found["files"]] == ["footprint.json", "model_card.md"]


@pytest.mark.filterwarnings("default")
def test_a_node_that_is_not_the_models_is_told_in_words(capsys, tmp_path):
    asked = ["evaluate", "--workload", "ds_cnn", *DESIGN, "--node", "7nm"]
    assert main([*asked, "--footprint", str(tmp_path)]) == 0
    told = capsys.readouterr().err
    assert told.startswith("carbonopt: warning: node 7 nm: the carbon of the die is that of this")
    assert "hardware models at 28 nm." in (tmp_path / "model_card.md").read_text()


def test_every_key_of_a_scenario_is_an_option(capsys):
    for command in ("evaluate", "reprice"):
        with pytest.raises(SystemExit):
            main([command, "--help"])
        told = capsys.readouterr().out
        assert [key for key in ScenarioSpec.model_fields if f"{option_of(key)} " not in told] == []


def test_a_network_is_described(capsys):
    found = answer(capsys, "workload", "resnet8")
    assert (found["macs"], len(found["layers"])) == (12_501_632, 10)
    assert found["not_modelled"]["Relu"] == 7
    assert {"loops", "stride", "macs"} <= set(found["layers"][0])


def test_a_batch_multiplies_the_work(capsys):
    one, four = (answer(capsys, "workload", "ds_cnn", "--batch", n)["macs"] for n in "14")
    assert four == 4 * one


def test_a_reader_gets_one_line_per_layer(capsys):
    assert main(["workload", "resnet8"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "resnet8: 10 layers, 12,501,632 MACs, 77,360 weights"
    assert lines[-1].startswith("not modelled: ")
    assert len(lines) == 16


def test_an_unknown_network_is_bad_input(capsys):
    assert "allowed: " in refusal(capsys, "workload", "restnet8")
