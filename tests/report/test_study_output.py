"""What the programs of studies share."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from matplotlib.figure import Figure

from carbonopt.report.study import output_of, save_study


def test_a_study_writes_where_it_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["figures.py"])
    assert output_of(str(tmp_path / "why" / "figures.py"), "Why.") == Path("runs/why")
    monkeypatch.setattr(sys, "argv", ["figures.py", "--out", "elsewhere"])
    assert output_of(str(tmp_path / "why" / "figures.py"), "Why.") == Path("elsewhere")


def test_numbers_are_told_as_they_are_expected_and_figures_saved_twice(tmp_path):
    text = save_study(tmp_path / "out", {"one": Figure()}, {"a": 1.5}, 1e-9)
    numbers, end = json.JSONDecoder().raw_decode(text)
    assert numbers == {"tolerance": 1e-9, "a": 1.5}
    files = text[end:].split()
    assert [Path(file).name for file in files] == ["one.png", "one.svg"]
    assert all(Path(file).stat().st_size > 0 for file in files)
