"""The map command: one layer on a machine from a file or a template."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import yaml
from machine_files import SMALL
from test_cli_model import answer, refusal
from zigzag_files import write_accelerator, write_mapping

from carbonopt.cli import main

LAYER = ("--workload", "resnet8", "--layer", "stack2/conv1")


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(SMALL, sort_keys=False), encoding="utf-8")
    return ("--machine", str(path))


def test_parts_add_up_and_loops_cover_the_layer(capsys, small):
    found = answer(capsys, "map", *small, *LAYER)
    assert (found["machine"], found["model"], found["objective"]) == ("small", "default", "edp")
    assert sum(found["energy_by_part_pj"].values()) == pytest.approx(found["energy_pj"])
    assert sum(found["cycles_by_part"].values()) == pytest.approx(found["cycles"])
    assert found["latency_s"] == pytest.approx(found["cycles"] * 2e-9)
    passes = math.prod(loop["passes"] for loop in found["nest"])
    units = math.prod(m for each in found["in_parallel"] for m in each["loops"].values())
    assert passes * units == pytest.approx(found["macs"])
    assert passes == found["cycles_by_part"]["compute"]
    assert found["utilisation"]["array"] == pytest.approx(units / 64)
    memory_pj = sum(memory["energy_pj"] for memory in found["memories"])
    array_pj = found["energy_by_part_pj"]["array"]
    assert memory_pj + array_pj == pytest.approx(found["energy_pj"])
    assert all(memory["share_of_capacity"] <= 1 for memory in found["memories"])
    assert found["cycles_by_part"]["stall"] == found["ports"][0]["stall_cycles"]


def test_each_objective_is_best_by_its_own_measure(capsys, small):
    found = {
        objective: answer(capsys, "map", *small, *LAYER, "--objective", objective)
        for objective in ("edp", "energy", "latency")
    }
    measures = {
        "edp": lambda each: each["energy_pj"] * each["cycles"],
        "energy": lambda each: each["energy_pj"],
        "latency": lambda each: each["cycles"],
    }
    for objective, measure in measures.items():
        best = measure(found[objective])
        assert all(best <= measure(other) * (1 + 1e-12) for other in found.values())


def test_the_front_holds_the_best_of_each_objective(capsys, small, tmp_path):
    asked = ("map", *small, *LAYER)
    found = answer(capsys, *asked, "--front", "--out", str(tmp_path / "front"))
    points = found["front"]
    latency, energy = ([point[key] for point in points] for key in ("latency_s", "energy_j"))
    assert len(points) > 1
    assert latency == sorted(set(latency))
    assert energy == sorted(set(energy), reverse=True)
    for point in points:
        told = point["explanation"]
        assert told["energy_pj"] * 1e-12 == pytest.approx(point["energy_j"])
        assert told["latency_s"] == point["latency_s"]
        assert sum(told["energy_by_part_pj"].values()) == pytest.approx(told["energy_pj"])
    best = {"energy": -1, "latency": 0, "edp": found["best_edp"]}
    for objective, row in best.items():
        alone = answer(capsys, *asked, "--objective", objective)
        assert points[row]["explanation"]["energy_pj"] == pytest.approx(alone["energy_pj"])
        assert points[row]["latency_s"] == pytest.approx(alone["latency_s"])
    assert [Path(file).name for file in found["figures"]] == ["front.png", "front.svg"]
    assert all(Path(file).stat().st_size > 5000 for file in found["figures"])


def test_the_front_is_told_and_drawn(capsys, small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["map", *small, *LAYER, "--front"]) == 0
    told = capsys.readouterr().out
    for text in ("stack2/conv1 on small", "busy", "in parallel", "least energy x latency"):
        assert text in told
    folder = tmp_path / "runs" / "map-small-resnet8-stack2_conv1"
    assert sorted(file.name for file in folder.iterdir()) == ["front.png", "front.svg"]


def test_the_nest_is_shown(capsys, small):
    assert main(["map", *small, *LAYER]) == 0
    told = capsys.readouterr().out
    for text in ("K32 OX16 OY16 C16 FX3 FY3", "loop (outermost first)", "in parallel on cols: K 8",
                 "waits", "of its size"):  # fmt: skip
        assert text in told


def test_zigzag_files_are_taken_as_they_are(capsys, tmp_path):
    hints = {"D1": ["K, 32"], "D2": ["C, 32"]}
    files = (
        *("--machine", str(write_accelerator(tmp_path, "tpu_like"))),
        *("--mapping-file", str(write_mapping(tmp_path, spatial_mapping=hints))),
    )
    found = answer(capsys, "map", *files, *LAYER)
    assert found["model"] == "zigzag"
    assert [list(each["loops"]) for each in found["in_parallel"]] == [["K"], ["C"]]
    plain = answer(capsys, "map", *files, *LAYER, "--model", "default")
    assert plain["model"] == "default"


def test_a_template_keeps_what_fits_on_chip_as_evaluate_does(capsys):
    design = ("--set", "rows=64", "--set", "cols=64", "--set", "sram=512KiB")
    found = answer(capsys, "map", "--machine", "dimc", *design, *LAYER)
    names = {(memory["memory"], memory["operand"]) for memory in found["memories"]}
    assert ("dram", "W") not in names
    by_position = answer(capsys, "map", "--machine", "dimc", *design, *LAYER[:3], "3")
    assert by_position == found


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("--machine", "nothing.yaml", *LAYER), "machine: got nothing.yaml, allowed: a file, or"),
        (("--machine", "tpulike", *LAYER), "(did you mean tpu_like?)"),
        (("--machine", "dimcs", *LAYER), "(did you mean dimc?)"),
        (("--machine", "dimc", *LAYER), "rows: not given, required by every template but eyeriss"),
        (("--machine", "dimc", *LAYER[:3], "99"), "--layer: got 99, allowed: 0 to 9, or a name"),
        (("--machine", "dimc", *LAYER, "--mapping-file", "x"), "--mapping-file: got one, allowed"),
        (("--machine", "tpu_like", *LAYER, "--out", "x"), "--out: got x, allowed: beside --front"),
        (("--machine", "tpu_like", *LAYER, "--front", "--objective", "edp"),
         "--objective: got edp, allowed: none beside --front"),
    ],
)  # fmt: skip
def test_faults_are_told(capsys, asked, message):
    assert message in refusal(capsys, "map", *asked)


def test_check_tells_machines_from_other_files(capsys, small):
    assert main(["check", small[1]]) == 0
    assert "machine of 64 multipliers, 3 memories" in capsys.readouterr().out


def test_knobs_belong_to_templates(capsys, small):
    told = refusal(capsys, "map", *small, *LAYER, "--set", "rows=4")
    assert "--set: got rows=4, allowed: knobs for a template alone" in told
    told = refusal(capsys, "map", *small, *LAYER, "--model", "theirs")
    assert "got 'theirs', allowed: carbonspot, default, zigzag" in told
