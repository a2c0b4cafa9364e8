"""Campaigns through the command line: run, look at, go on with, compare."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from little import PROBLEM
from little_study import in_folder

import carbonopt.campaign
from carbonopt.cli import main

STUDY = """\
name: which
question: Which searcher is best?
problem: problem.yaml
searcher: [random, sobol]
budget: 6
seed: [1, 2]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with a problem and a study of four runs."""
    yield from in_folder(tmp_path, monkeypatch, STUDY)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished campaign, to be read only."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "problem.yaml").write_text(PROBLEM)
    (folder / "study.yaml").write_text(STUDY)
    arguments = ["run", str(folder / "study.yaml"), "--jobs", "1"]
    assert main([*arguments, "--out", str(folder / "which")]) == 0
    return folder / "which"


def test_a_campaign_ends_with_its_statistics(folder, capsys):
    assert main(["run", "study.yaml", "--jobs", "2"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("which: 4 runs in runs/which\n4 done\n\nbudget  searcher  seeds")
    named = [Path(line) for line in told.out.splitlines() if line.startswith("runs/which/stat")]
    assert len(named) == 7
    assert all(path.stat().st_size for path in named)
    assert "4/4 runs | took " in told.err
    assert main(["front", "runs/which/cells/little-sobol-b6-s2"]) == 0
    assert main(["run", "study.yaml", "--jobs", "2"]) == 0
    assert "4 done" in capsys.readouterr().out


def test_parts_of_a_job_array_leave_the_comparison_to_the_last(folder, capsys):
    assert main(["run", "study.yaml", "--only", "1/2", "--jobs", "1"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("which: 4 runs in runs/which, part 1 of 2\n2 done\n")
    assert "2 runs of other parts are not done; then: carbonopt statistics runs/which" in told
    assert main(["status", "runs/which"]) == 0
    assert capsys.readouterr().out == (
        "runs/which: which, 4 runs\n2 done, 2 waiting\ngo on with: carbonopt resume runs/which\n"
    )
    assert main(["resume", "runs/which", "--jobs", "1"]) == 0
    assert "4 done\n\nbudget" in capsys.readouterr().out


def test_an_interrupt_says_how_to_go_on(folder, capsys, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(carbonopt.campaign, "run_campaign", interrupted)
    assert main(["run", "study.yaml"]) == 130
    assert capsys.readouterr().err == (
        "carbonopt: interrupted; go on with: carbonopt resume runs/which\n"
    )


def test_a_failed_run_is_named_with_its_reason_and_the_exit_code_says_so(folder, capsys):
    (folder / "study.yaml").write_text(STUDY.replace("random", "exhaustive"))
    assert main(["run", "study.yaml", "--jobs", "1"]) == 1
    told = capsys.readouterr()
    assert "2 done, 2 failed" in told.out
    assert "little-exhaustive-b6-s1: failed: budget: got 6 for the exhaustive search" in told.out
    assert "\n     6  sobol" in told.out
    advice = "mend the reason, then: carbonopt resume runs/which"
    assert told.err.endswith(f"carbonopt: 2 runs failed; {advice}\n")


def test_status_and_statistics_as_json(finished, capsys):
    assert main(["status", str(finished), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [cell["state"] for cell in told["cells"]] == ["done"] * 4
    assert told["cells"][0] == {
        **{"problem": "little", "searcher": "random", "budget": 6, "seed": 1},
        **{"state": "done", "designs": 6, "reason": None},
    }
    assert main(["statistics", str(finished), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [group["searcher"] for group in told["groups"]] == ["random", "sobol"]
    assert told["comparisons"][0]["first"] == "random"


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("run", "study.yaml", "--workers", "2"), "--workers: got 2 for 4 runs, allowed: --jobs"),
        (("run", "study.yaml", "--only", "3/2"), "--only: got 3/2, allowed: K/N with K from"),
        (("run", "quickstart", "--only", "1/2"), "--only: got 1/2 for a study of one run, allowed"),
        (("run", "quickstart", "--jobs", "2"), "--jobs: got 2 for a study of one run, allowed: a"),
        (("statistics", "nowhere"), "nowhere: got no campaign.json, allowed: a directory that"),
        (("status", "nowhere"), "nowhere: got no manifest.json, allowed: a directory that"),
    ],
)
def test_what_cannot_be_is_refused(folder, capsys, arguments, fault):
    assert main(list(arguments)) == 2
    assert fault in capsys.readouterr().err
    assert not list(folder.glob("runs/*/cells/*"))


def test_an_option_may_leave_one_run_of_many(folder, capsys):
    options = ["--searcher", "sobol", "--seed", "2", "--workers", "1"]
    assert main(["run", "study.yaml", *options]) == 0
    assert Path("runs/little-sobol-s2/front.csv").is_file()
