"""Work shared between hosts, through the command line; and what is refused."""

import json

import pytest
from little import PROBLEM as LITTLE

import carbonopt as co
from carbonopt.cli import main

PROBLEM = LITTLE.replace("cols: {pow2: [32, 64]}", "cols: {choice: [32]}").replace(
    "[64 KiB, 256 KiB]", "[64 KiB]"
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with a problem of 4 designs."""
    (tmp_path / "little.yaml").write_text(PROBLEM)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_workers_share_a_study_that_becomes_a_run(folder, capsys):
    shared = ["--storage", "sqlite:///study.db", "--study", "ours"]
    assert main(["worker", *shared, "--problem", "little.yaml", "--budget", "3"]) == 0
    told = capsys.readouterr().out
    assert "ours: little, tpe, 3 designs" in told
    assert "3 designs evaluated here" in told
    assert main(["worker", *shared, "--heartbeat", "10s"]) == 0
    assert "0 designs evaluated here" in capsys.readouterr().out
    assert main(["collect", *shared]) == 0
    assert "3 designs evaluated" in capsys.readouterr().out
    assert len(co.load_run("runs/ours").evaluations) == 3
    manifest = json.loads((folder / "runs" / "ours" / "manifest.json").read_text())
    assert manifest["storage"] == "sqlite:///study.db"
    assert len(manifest["workers"]) == 1
    assert main(["status", "runs/ours"]) == 0
    assert "another search finds others" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["worker", "--storage", "sqlite:///s.db", "--study", "no"], "study: got no, which"),
        (
            ["worker", "--storage", "postgresql://me:secret@127.0.0.1:9/no", "--study", "no"],
            "storage postgresql://me:***@127.0.0.1:9/no: does not answer",
        ),
        (["collect", "--storage", "sqlite:///s.db", "--study", "no"], "with --problem to start"),
        (
            ["enumerate", "little.yaml", "--executor", "127.0.0.1:8786"],
            "executor: got 127.0.0.1:8786, allowed: dask://host:8786",
        ),
    ],
)
def test_bad_input_is_told(folder, capsys, arguments, told):
    assert main(arguments) == 2
    text = capsys.readouterr().err
    assert told in text
    assert "secret" not in text
    assert "Traceback" not in text
