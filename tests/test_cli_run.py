"""Runs through the command line: start, interrupt, go on, look at; and what is refused."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from little import PROBLEM

import carbonopt.run.session
from carbonopt.cli import main
from carbonopt.store import RunStore

ROOT = Path(__file__).parents[1]
STUDY = """\
name: little-study
question: Is a small array good enough?
problem: problem.yaml
searcher: random
budget: 6
seed: 3
"""
FIGURES = ["breakdown.png", "carbon.png", "front.png", "hypervolume.png"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with a problem and a study of 6 designs."""
    before = signal.getsignal(signal.SIGINT)
    (tmp_path / "problem.yaml").write_text(PROBLEM)
    (tmp_path / "study.yaml").write_text(STUDY)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run, to be read only."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "problem.yaml").write_text(PROBLEM)
    (folder / "study.yaml").write_text(STUDY)
    arguments = ["run", str(folder / "study.yaml"), "--workers", "1"]
    assert main([*arguments, "--out", str(folder / "run")]) == 0
    return str(folder / "run")


def records(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def run(*arguments: str) -> int:
    return main([*arguments, "--workers", "1"])


def test_a_run_ends_with_designs_and_files(folder, capsys):
    assert run("run", "study.yaml") == 0
    told = capsys.readouterr()
    assert "6 designs evaluated" in told.out
    assert "lowest carbon PA" in told.out
    named = [Path(line) for line in told.out.splitlines() if line.startswith("runs/")]
    assert named[0] == Path("runs/little-random-s3/front.csv")
    assert sorted(path.name for path in named[1:]) == FIGURES
    assert all(path.stat().st_size for path in named)
    assert "6/6 | hypervolume " in told.err
    assert "| took " in told.err


def test_options_take_the_place_of_the_study(folder):
    assert run("run", "study.yaml", "--searcher", "nsga2", "--budget", "4", "--seed", "0") == 0
    manifest = json.loads(Path("runs/little-nsga2-s0/manifest.json").read_text())
    assert (manifest["searcher"], manifest["budget"], manifest["seed"]) == ("nsga2", 4, 0)


def test_an_enumeration_is_exact(folder, capsys):
    assert run("enumerate", "problem.yaml", "--out", "whole") == 0
    assert "all 16 designs were evaluated: the front is exact" in capsys.readouterr().out
    assert len(records(Path("whole/evaluations.csv").read_text())) == 16


def test_a_complete_run_is_shown_not_repeated(folder, capsys):
    run("run", "study.yaml", "--out", "done")
    before = Path("done/evaluations.csv").stat().st_mtime_ns
    capsys.readouterr()
    assert run("run", "study.yaml", "--out", "done") == 0
    told = capsys.readouterr().out
    assert told.startswith("done: already complete; delete it, or choose another directory")
    assert "lowest carbon PA" in told
    assert Path("done/evaluations.csv").stat().st_mtime_ns == before


def test_a_directory_of_another_run_is_refused(folder, capsys):
    run("run", "study.yaml", "--out", "done")
    (folder / "problem.yaml").write_text(PROBLEM.replace("[32, 64]", "[32, 128]"))
    capsys.readouterr()
    assert run("run", "study.yaml", "--out", "done") == 2
    told = capsys.readouterr().err
    assert "done: the problem has changed since this run was made: stored " in told
    assert "take another run directory (--out DIR), or delete done" in told


def test_an_interrupt_says_how_to_go_on_and_resume_does(folder, capsys, monkeypatch):
    search = carbonopt.run.search

    def interrupted(*arguments, progress, **options):
        def stop(state):
            raise KeyboardInterrupt

        return search(*arguments, progress=stop, **options)

    with monkeypatch.context() as patch:
        patch.setattr(carbonopt.run, "search", interrupted)
        nsga2 = ("run", "study.yaml", "--searcher", "nsga2", "--budget", "12", "--out", "half")
        assert run(*nsga2) == 130
    told = capsys.readouterr().err
    assert told.endswith("carbonopt: interrupted; go on with: carbonopt resume half\n")

    assert run(*nsga2) == 2
    assert "allowed: carbonopt resume half, or --out" in capsys.readouterr().err

    assert main(["status", "half"]) == 0
    assert "go on with: carbonopt resume half" in capsys.readouterr().out
    assert main(["front", "half", "--json"]) == 0
    assert main(["plot", "half"]) == 0
    capsys.readouterr()

    assert run("resume", "half") == 0
    assert "12 designs evaluated" in capsys.readouterr().out
    assert run("resume", "half") == 0
    assert capsys.readouterr().out.startswith("half: already complete\n")


def test_a_run_that_was_interrupted_before_its_first_design_goes_on(folder, capsys, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(carbonopt.run.session.Session, "run", interrupted)
        assert run("run", "study.yaml", "--out", "early") == 130
    assert not Path("early/evaluations.csv").exists()
    assert run("resume", "early") == 0
    assert "6 designs evaluated" in capsys.readouterr().out


def heed():
    """Listen to an interrupt also where a shell started the tests in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
@pytest.mark.parametrize("numbers", [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT] * 2])
def test_a_real_interrupt_leaves_a_run_that_can_be_resumed(folder, monkeypatch, numbers):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (folder / "problem.yaml").write_text(PROBLEM.replace("[32, 64]", "[32, 1024]"))
    command = [sys.executable, "-m", "carbonopt"]
    options = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    started = [*command, "run", "study.yaml", "--budget", "100", "--workers", "2", "--out", "big"]
    process = subprocess.Popen(started, start_new_session=True, preexec_fn=heed, **options)
    while not Path("big/evaluations.csv").exists() and process.poll() is None:
        time.sleep(0.05)
    for number in numbers:
        process.send_signal(number)
        time.sleep(0.3)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told.endswith("carbonopt: interrupted; go on with: carbonopt resume big\n")
    assert "Traceback" not in told
    done = subprocess.run([*command, "resume", "big"], **options, check=False)
    assert done.returncode == 0
    assert "100 designs evaluated" in done.stdout


def test_no_feasible_design_names_the_nearest(folder, capsys):
    (folder / "problem.yaml").write_text(PROBLEM + "limits: {area_mm2: {max: 0.001 mm2}}\n")
    assert run("run", "study.yaml") == 0
    told = capsys.readouterr().out
    assert "no design keeps every limit; the nearest:" in told
    assert "area_mm2" in told


def test_status_front_and_plot_speak_json(finished, capsys):
    asked = {}
    for command in ("status", "front", "plot"):
        assert main([command, finished, "--json"]) == 0
        asked[command] = json.loads(capsys.readouterr().out)
    assert asked["status"]["designs"] == asked["status"]["budget"] == 6
    assert asked["status"]["finished"]
    assert len(asked["front"]["designs"]) == asked["status"]["front_size"]
    assert asked["front"]["objectives"] == ["latency_s", "carbon_pa_g"]
    assert len(asked["plot"]["figures"]) == 4


def test_the_front_is_a_table_or_csv(finished, capsys):
    assert main(["front", finished, "--csv"]) == 0
    rows = records(capsys.readouterr().out)
    assert main(["front", finished]) == 0
    head, _, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[:4] == ["template", "rows", "cols", "sram"]
    assert len(rows) == len(lines)
    stored = records(Path(finished, "front.csv").read_text())
    assert [float(row["latency_s"]) for row in rows] == [float(r["latency_s"]) for r in stored]


def test_shipped_problems_and_studies_are_listed(capsys):
    listed = {}
    for command in ("problems", "studies"):
        assert main([command]) == 0
        listed[command] = capsys.readouterr().out
        assert main([command, "--json"]) == 0
        entries = json.loads(capsys.readouterr().out)
        names = [
            line.split()[0].rstrip(":") for line in listed[command].splitlines() if line[0] != " "
        ]
        assert names == [entry["name"] for entry in entries] != []
        assert all(entry["question"].endswith("?") for entry in entries)
    assert "\n    carbonopt run quickstart\n" in listed["studies"]
    assert "macs-are-not-energy/figures.py\n" in listed["studies"]
    by_name = {entry["name"]: entry for entry in entries}
    assert all(entry["figures"] for entry in entries)
    assert by_name["eyeriss-alexnet"]["run"] is None
    for entry in entries:
        assert all(Path(entry[key]).is_file() for key in ("file", "figures") if entry[key])


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


def test_a_study_and_its_options_say_where_to_start_and_when_to_stop(folder, capsys):
    Path("chips.csv").write_text("template,rows,cols,sram_byte\ndimc,64,32,256 KiB\n")
    study = STUDY + "start_from: chips.csv\nstop: {after: 10 min, stall: 400, gain: 0.01}\n"
    (folder / "study.yaml").write_text(study)
    assert run("run", "study.yaml", "--out", "first") == 0
    assert "6 of 16 designs, the first 1 given" in capsys.readouterr().out
    first = records(Path("first/evaluations.csv").read_text())[0]
    assert (first["template"], first["rows"], first["sram_byte"]) == ("dimc", "64", "262144")
    again = ("--start-from", "first", "--stop-after", "2h", "--stall-gain", "0.05")
    assert run("run", "study.yaml", *again, "--out", "second") == 0
    manifest = json.loads(Path("second/manifest.json").read_text())
    assert manifest["stop"] == {"after_s": 7200.0, "stall": 400, "gain": 0.05}
    front = records(Path("first/front.csv").read_text())
    started = records(Path("second/evaluations.csv").read_text())[: len(front)]
    assert [row["rows"] for row in started] == [row["rows"] for row in front]


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

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(carbonopt.run.session.Session, "run", interrupted)
        assert run("run", "study.yaml", "--out", "early") == 130
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
