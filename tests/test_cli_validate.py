"""The command that compares a model with chips."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from carbonopt.cli import main


def test_validate_imc_writes_page_table_and_figure(tmp_path, capsys):
    assert main(["validate", "imc", "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("chip-specific structure: 7 chips, ratios within ")
    assert told[1] == "general macro: 10 chips, |model / reported - 1|"
    page, table, figure = (Path(line) for line in told[-3:])
    assert page.read_text().startswith("# In-memory computing against published chips\n")
    assert figure.read_bytes().startswith(b"\x89PNG")
    rows = pd.read_csv(table)
    assert rows["chip"].nunique() == 10
    assert rows["ratio"].notna().sum() == 35


def test_validate_imc_as_json(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["validate", "imc", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["errors"]["fitted"]["mac_fj"]["worst_chip"] == "AIMC2"
    assert len(said["structure"]) == 35
    assert Path("runs/validate-imc/imc_validation.png").is_file()


def test_what_cannot_be_validated(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["validate", "dram"])
    assert ended.value.code == 2
    assert "invalid choice: 'dram'" in capsys.readouterr().err
