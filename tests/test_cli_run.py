"""Runs through the command line: start, interrupt, go on, look at."""

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
from little_study import STUDY, in_folder, run, run_interrupted

import carbonopt.run
from carbonopt.cli import main

ROOT = Path(__file__).parents[1]
FIGURES = ["breakdown.png", "carbon.png", "front.png", "hypervolume.png"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with a problem and a study of 6 designs."""
    yield from in_folder(tmp_path, monkeypatch)


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
    run_interrupted(monkeypatch)
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
