"""What the programs of studies share."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from carbonopt.report.study import answer_text, differences, output_of, tell_study

ANSWER = pd.DataFrame({"best": ["dimc", None], "least_g": [1.5e-9, float("nan")]}, ["CA", "PA"])
FOUND = {"a": 1.5, "named": {"best": "dimc", "sure": True}, "all": [1, 2]}


@pytest.fixture
def study(tmp_path):
    """A study that expects `FOUND`, and where it writes."""
    program = tmp_path / "why" / "figures.py"
    program.parent.mkdir()
    expected = {"tolerance": 1e-3, **FOUND}
    program.with_name("expected.json").write_text(json.dumps(expected))
    return str(program), tmp_path / "out"


def test_a_study_writes_where_it_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["figures.py"])
    assert output_of(str(tmp_path / "why" / "figures.py"), "Why.") == Path("runs/why")
    monkeypatch.setattr(sys, "argv", ["figures.py", "--out", "elsewhere"])
    assert output_of(str(tmp_path / "why" / "figures.py"), "Why.") == Path("elsewhere")


def test_a_study_tells_its_answer_and_keeps_figures_and_numbers(study, capsys):
    program, out = study
    tell_study(program, out, {"one": Figure()}, FOUND | {"a": 1.5005}, ANSWER)
    *table, _, kept = capsys.readouterr().out.splitlines()
    assert [line.split() for line in table] == [
        ["best", "least_g"],
        ["----", "-------"],
        ["dimc", "1.5", "ng"],
        ["-", "-"],
    ]
    assert kept == f"{out}: one (PNG, SVG), numbers.json, as expected to 0.001"
    assert all((out / name).stat().st_size > 0 for name in ("one.png", "one.svg"))
    numbers = json.loads((out / "numbers.json").read_text())
    assert numbers == {"tolerance": 1e-3, **FOUND, "a": 1.5005}


def test_a_study_that_finds_something_else_says_what_and_fails(study, capsys):
    program, out = study
    with pytest.raises(SystemExit) as left:
        tell_study(program, out, {}, FOUND | {"a": 1.6, "all": [1, 3]}, ANSWER)
    assert str(left.value).splitlines()[1:] == [
        "a: got 1.6, expected 1.5",
        "all.1: got 3, expected 2",
    ]
    assert "as expected" not in capsys.readouterr().out
    assert (out / "numbers.json").is_file()


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"a": 1.0 + 9e-4}, []),
        ({"a": 1.01}, ["a: got 1.01, expected 1.0"]),
        ({"a": "1.0"}, ["a: got 1.0, expected 1.0"]),
        ({"a": float("nan")}, ["a: got nan, expected 1.0"]),
        ({}, ["a: got nothing, expected 1.0"]),
        ({"a": 1.0, "b": 0}, ["b: got 0, expected nothing"]),
    ],
)
def test_differences_are_named(found, told):
    assert list(differences({"tolerance": 1e-3, **found}, {"tolerance": 1e-3, "a": 1.0})) == told


def test_an_answer_is_read_with_units():
    table = answer_text(ANSWER.rename_axis("activity"))
    assert table.splitlines()[2].split() == ["CA", "dimc", "1.5", "ng"]
