"""Every study has its parts, and what several studies assume is the same in all of them."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from study_files import STUDIES, figures_of, page_of

import carbonopt

NAMES = sorted(folder.name for folder in STUDIES.iterdir() if (folder / "README.md").is_file())
PRESETS = f"{carbonopt.__path__[0]}/data/carbon_presets.csv"
PARTS = ("Question", "Method", "Answer", "Cost", "Source")


@pytest.mark.parametrize("name", NAMES)
def test_a_study_has_its_parts(name):
    page = page_of(name)
    assert [part for part in PARTS if f"**{part}" not in page] == []
    assert json.loads((STUDIES / name / "expected.json").read_text())["tolerance"] <= 1e-3
    programs = list((STUDIES / name).glob("figures.py"))
    assert programs or (STUDIES / name / "study.yaml").is_file()
    assert all(len(program.read_text().splitlines()) <= 100 for program in programs)


def test_cells_of_low_standby_leak_as_the_table_says():
    low = float(pd.read_csv(PRESETS, index_col=0).loc["default.leakage_factor", "low"])
    where, when = figures_of("where-and-when"), figures_of("when-does-imc-pay")
    assert where.USES["PA, low standby"][1] == low
    assert when.SETTINGS["low standby"]["leakage_factor"] == low
    assert figures_of("how-sure-are-we").USES["PA, low standby"][1]["leakage_factor"] == low
