"""Commands that account for carbon."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from carbonopt.cli import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_literature_prints_both_suites_and_names_its_files(folder, capsys):
    assert main(["literature", "--preset", "carbonspot"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "MLPerf Tiny: 21,071,992 operations every 0.2703 s"
    first = next(line for line in told if line.startswith("ISSCC 2021 22 nm"))
    assert first.endswith("0.07182 ng      99.3%   5.809 ng       1.2%")
    table, figure = (Path(line) for line in told[-2:])
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert set(pd.read_csv(table)["suite"]) == {"MLPerf Tiny", "MLPerf Mobile"}


def test_literature_takes_chips_of_a_user_and_speaks_json(folder, capsys):
    header = "name,type,node_nm,tops_per_w,tops,tops_per_mm2,source\n"
    (folder / "mine.csv").write_text(header + "mine,dimc,28,10,0.1,2,my paper\n")
    assert main(["literature", "--chips", "mine.csv", "--out", "out", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    mine = [chip for chip in told["chips"] if chip["name"] == "mine"]
    assert [chip["suite"] for chip in mine] == ["MLPerf Tiny", "MLPerf Mobile"]
    assert mine[1]["late"]
    assert mine[1]["carbon_pa_g"] is None
    assert Path(told["figure"]).parent == Path("out")


def test_literature_names_chips_whose_node_the_preset_lacks(folder, capsys):
    header = "name,type,node_nm,tops_per_w,tops,tops_per_mm2,source\n"
    (folder / "old.csv").write_text(header + "old,aimc,65,1,1,1,my paper\n")
    assert main(["literature", "--chips", "old.csv", "--preset", "carbonspot"]) == 0
    assert "no fab figure at the node of: old" in capsys.readouterr().out


def test_literature_tells_a_fault_by_file_and_line(folder, capsys):
    (folder / "mine.csv").write_text("name,type\n")
    assert main(["literature", "--chips", "mine.csv"]) == 2
    assert "mine.csv:1: got no column source" in capsys.readouterr().err
    assert main(["literature", "--preset", "defualt"]) == 2
    assert "allowed: act, carbonspot, default" in capsys.readouterr().err
