"""What commands about runs refuse: faulty files and options, damaged runs; `check`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from little import PROBLEM
from little_study import STUDY, in_folder, run, run_interrupted

from carbonopt.cli import main
from carbonopt.store import RunStore

ROOT = Path(__file__).parents[1]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with a problem and a study of 6 designs."""
    yield from in_folder(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("text", "change", "told"),
    [
        ("study", ("searcher: random", "searcher: genetic"), "study.yaml:4: searcher: got genetic"),
        ("study", ("budget: 6", "budget: 0"), "study.yaml:5: budget: got 0"),
        (
            "study",
            ("problem: problem.yaml", "problem: nothing"),
            "study.yaml:3: problem: got nothing",
        ),
        ("problem", ("little", "../little"), "problem.yaml:1: name: got ../little, allowed: let"),
        ("problem", ("little", ".little"), "problem.yaml:1: name: got .little"),
        ("study", ("little-study", "my study"), "study.yaml:1: name: got my study"),
        ("problem", ("carbon_pa_g]", "weight]"), "problem.yaml:9: objectives: got weight"),
        ("problem", ("[ds_cnn]", "[ds_cn]"), "did you mean ds_cnn?"),
        ("problem", ("rows:", "rowz:"), "problem.yaml:"),
        ("problem", ("100 ms", "100"), "problem.yaml:10: reference_point.latency_s"),
    ],
)
def test_a_fault_of_a_file_is_named_by_line_and_key(folder, capsys, text, change, told):
    file = folder / f"{text}.yaml"
    file.write_text(file.read_text().replace(*change))
    assert run("run", "study.yaml") == 2
    spoken = capsys.readouterr()
    assert told in spoken.err
    assert "Traceback" not in spoken.err
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("run", "no-such-study"), "study: got no-such-study, allowed: "),
        (("run", "study.yaml", "--searcher", "nsga4"), "did you mean nsga3?"),
        (("enumerate", "no-such-problem"), "problem: got no-such-problem, allowed: "),
        (
            ("run", "problem.yaml"),
            "problem.yaml:4: variables: got a problem, allowed: a study, such",
        ),
        (("run", "problem.yaml"), "or: carbonopt enumerate problem.yaml"),
        (
            ("run", "eyeriss-alexnet"),
            "got eyeriss-alexnet, which searches nothing, allowed: a study ",
        ),
        (("run", "mlperf_tiny"), "got mlperf_tiny, which is a problem, allowed: a study, or: carb"),
        (("enumerate", "study.yaml"), "study.yaml:3: problem: got a study, allowed: a problem, or"),
        (("enumerate", "quickstart"), "got quickstart, which is a study, allowed: a problem, or: "),
        (("resume", "nowhere"), "nowhere: got no manifest.json"),
    ],
)
def test_what_does_not_exist_is_named_with_what_does(folder, capsys, arguments, told):
    assert run(*arguments) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--budget", "-5"), "argument --budget: got -5, allowed: a whole number >= 0"),
        (("--budget", "0"), "argument --budget: got 0, allowed: a whole number >= 1"),
        (("--stall", "few"), "argument --stall: got few, allowed: a whole number >= 0"),
        (("--stall-gain", "5"), "argument --stall-gain: got 5, allowed: a number from 0 to below"),
        (("--stop-after", "10 mins"), "--stop-after: got 10 mins, allowed: a number with a unit"),
        (("--stop-after", "10 mins"), "(did you mean min?)"),
        (("--stop-after", "-3s"), "stop_after: got -3 s, allowed: above 0 s"),
        (("--start-from", "nowhere"), "start_from: got nowhere, allowed: a directory with front"),
        (("--start-from", "chips.csv"), "chips.csv:2: rows: got 48.0, allowed: 32, 64"),
        (("--start-from", "chips.csv"), "chips.csv:3: template: got tpu, allowed: dimc"),
        (("--searcher", "nsga4"), "searcher: got 'nsga4', allowed: nsga2, nsga2-plain, nsga3"),
    ],
)
def test_an_option_that_cannot_be_is_told(folder, capsys, arguments, told):
    header = "template,rows,cols,sram_byte\n"
    Path("chips.csv").write_text(header + "dimc,48,32,65536\ntpu,64,32,65536\n")
    try:
        code = run("run", "study.yaml", "=".join(arguments))
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    assert told in capsys.readouterr().err
    assert not Path("runs").exists()


def test_stop_rules_of_a_study_are_checked(folder, capsys):
    (folder / "study.yaml").write_text(STUDY + "stop: {after: 10, stall: 0, gains: 1}\n")
    assert run("run", "study.yaml") == 2
    told = capsys.readouterr().err
    assert "study.yaml:7: stop.after: got 10, allowed: a number with a unit of: s, " in told
    assert "study.yaml:7: stop.stall: got 0, allowed: greater than 0" in told
    assert "study.yaml:7: stop.gains: unknown key, allowed: after, stall, gain" in told


@pytest.mark.parametrize("command", ["status", "front", "plot"])
def test_a_directory_that_holds_no_run_is_named(folder, capsys, command):
    assert main([command, "."]) == 2
    assert ".: got no manifest.json" in capsys.readouterr().err


def test_a_run_directory_that_cannot_be_written_is_named(folder, capsys):
    Path("blocked").write_text("a file where a directory should be")
    assert run("run", "study.yaml", "--out", "blocked/run") == 2
    assert "blocked/run: cannot be written" in capsys.readouterr().err


def test_check_tells_what_sound_files_hold(folder, capsys):
    assert main(["check", "problem.yaml", "study.yaml"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "problem.yaml: problem of 16 designs, 2 objectives",
        "study.yaml: study of little with random",
    ]


def test_check_reports_all_faults_of_all_files(folder, capsys):
    broken = PROBLEM.replace("[ds_cnn]", "[ds_cn]").replace("dimc, digital_ws", "dimc, dram")
    (folder / "problem.yaml").write_text(broken)
    (folder / "model.onnx").write_bytes(b"no model")
    files = ["problem.yaml", "model.onnx", "notes.txt", "missing.yaml"]
    assert main(["check", *files]) == 2
    faults = capsys.readouterr().err.splitlines()
    assert len(faults) >= 5
    assert all(any(name in line for line in faults) for name in files)
    assert main(["check", *files, "--json"]) == 2
    entries = json.loads(capsys.readouterr().out)
    assert [entry["file"] for entry in entries] == files
    assert not any(entry["sound"] for entry in entries)


def test_check_reads_an_onnx_file(folder, capsys):
    from carbonopt.workload import zoo

    (folder / "model.onnx").write_bytes(zoo.build("ds_cnn", batch=1).SerializeToString())
    assert main(["check", "model.onnx"]) == 0
    assert capsys.readouterr().out.startswith("model.onnx: network of 10 layers, ")


@pytest.fixture
def barely_started(folder, monkeypatch, capsys):
    """A run that was interrupted before its first design."""
    run_interrupted(monkeypatch)
    capsys.readouterr()
    return folder / "early"


@pytest.mark.parametrize("command", ["status", "front", "plot"])
def test_a_run_without_a_design_says_so(barely_started, capsys, command):
    for content in (None, ""):
        if content is not None:
            (barely_started / "evaluations.csv").write_text(content)
        assert main([command, "early"]) == 0
        told = capsys.readouterr().out
        assert "no design evaluated yet" in told
        assert "go on with: carbonopt resume early" in told
        assert main([command, "early", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("command", ["status", "front", "plot"])
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a,b\n1,2\n", "early/evaluations.csv: got no column template, rows"),
        (b"\xff\xfe\n", "early/evaluations.csv: got no CSV text"),
        (b"a,b\n1\n", "early/evaluations.csv:2: got 1 fields"),
    ],
)
def test_a_damaged_table_of_designs_is_named(barely_started, capsys, command, content, told):
    (barely_started / "evaluations.csv").write_bytes(content)
    assert main([command, "early"]) == 2
    assert told in capsys.readouterr().err


def test_a_finished_run_that_lost_its_designs_or_its_manifest_is_damaged(folder, capsys):
    run("run", "study.yaml", "--out", "done")
    Path("done/evaluations.csv").write_text("")
    assert main(["status", "done"]) == 2
    assert "done/evaluations.csv: got no column" in capsys.readouterr().err
    Path("done/manifest.json").write_text("{}")
    assert main(["status", "done"]) == 2
    assert "done/manifest.json: got a manifest without problem" in capsys.readouterr().err


def test_a_run_that_another_process_holds_is_running(barely_started, capsys):
    with RunStore("early").locked():
        assert main(["status", "early"]) == 0
        told = capsys.readouterr().out
        assert ", running, budget 6 designs" in told
        assert "go on with" not in told
        assert main(["status", "early", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["running"]
