"""Every study has its parts, and what several studies assume is the same in all of them."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest
from study_files import NAMES, STUDIES, figures_of, page_of

import carbonopt
from carbonopt.run import load_study

PRESETS = f"{carbonopt.__path__[0]}/data/carbon_presets.csv"
PARTS = ("Question", "Method", "Answer", "Left out", "Cost", "Source")
LIST = (STUDIES / "README.md").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_a_study_has_its_parts(name):
    page, folder = page_of(name), STUDIES / name
    assert [part for part in PARTS if f"**{part}.**" not in page] == []
    assert json.loads((folder / "expected.json").read_text())["tolerance"] <= 1e-6
    for program in folder.glob("*.py"):
        assert len(program.read_text().splitlines()) <= 100
        assert f"python studies/{name}/{program.name} --out runs/{name}\n" in page
    pictures = {picture.name for picture in folder.glob("*.png")}
    assert pictures == set(re.findall(r"^!\[[^]]+\]\(([^)]+)\)$", page, re.M)) != set()


@pytest.mark.parametrize("name", NAMES)
def test_a_study_that_searches_has_a_file_that_says_what(name):
    (row,) = re.findall(rf"^\| \[{name}\].*$", LIST, re.M)
    asked = STUDIES / name / "study.yaml"
    assert ("| `study.yaml` |" in row) == asked.is_file()
    if asked.is_file():
        study = load_study(asked)
        assert study.name == name
        own = {file.name for file in (STUDIES / name).glob("*.yaml")} - {"study.yaml"}
        assert own == {problem.split("/")[-1] for problem in study.problem if name in problem}


@pytest.mark.parametrize("name", NAMES)
def test_page_and_list_state_one_cost(name):
    (row,) = re.findall(rf"^\| \[{name}\].*\| (\d+) \|$", LIST, re.M)
    told = rf"\*\*Cost\.\*\* {row} s of CPU time, (\S+) minutes on (one core|two free cores)\."
    ((minutes, cores),) = re.findall(told, page_of(name))
    assert float(minutes) == round(int(row) / 60 / (1 if cores == "one core" else 2), 1)


def test_the_list_adds_costs_up():
    costs = [int(each) for each in re.findall(r"^\| \[.*\| (\d+) \|$", LIST, re.M)]
    (whole,) = re.findall(r"^\| all \|.*\| (\d+) \|$", LIST, re.M)
    assert len(costs) == len(NAMES)
    assert sum(costs) == int(whole) <= 2400  # 20 minutes on two cores


def test_cells_of_low_standby_leak_as_the_table_says():
    low = float(pd.read_csv(PRESETS, index_col=0).loc["default.leakage_factor", "low"])
    where, when = figures_of("where-and-when"), figures_of("when-does-imc-pay")
    assert where.USES["PA, low standby"][1] == low
    assert when.SETTINGS["low standby"]["leakage_factor"] == low
    assert figures_of("how-sure-are-we").USES["PA, low standby"][1]["leakage_factor"] == low
