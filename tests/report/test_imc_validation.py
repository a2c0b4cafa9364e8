"""Page, figure and README of the comparison with published in-memory chips."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from matplotlib.colors import to_hex

from carbonopt.hardware.imc_chips import MEASURES
from carbonopt.report.imc_figure import plot_imc_validation
from carbonopt.report.imc_page import error_table, imc_page
from carbonopt.report.imc_validation import GENERAL, ImcValidation, validate_imc

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def found() -> ImcValidation:
    return validate_imc()


def test_the_page_in_docs_is_what_the_command_writes(found):
    """Renew it with: carbonopt validate imc --out docs/validation"""
    assert (ROOT / "docs" / "validation" / "imc_validation.md").read_text() == imc_page(found)


def test_the_two_tables_are_kept_apart(found):
    structure, general = imc_page(found).split("\n## General macro\n")
    assert structure.count("| AIMC1 | 0.9993 / 1.942 = 0.51 (0.51) |") == 1
    assert "Colonnade" not in structure
    assert general.count("| AIMC1 | 1.942: 0.46, 0.45, 0.46 |") == 1
    assert "| NeuRRAM 2022 | - | - | 125.4: outside |" in general
    assert all(f"* **{chip}**: " in general for chip in found.notes)


def test_the_readme_states_median_and_worst_errors(found):
    text = " ".join((ROOT / "README.md").read_text().split())
    stated = re.search(
        r"median area (\d+) %, clock (\d+) %, energy (\d+) %; worst (\d+) %, (\d+) %, (\d+) %", text
    )
    assert stated
    plain = found.errors("as they come")
    shown = [plain.loc[m, side] for side in ("median", "worst") for m in MEASURES[:3]]
    assert [int(number) for number in stated.groups()] == [round(100 * x) for x in shown]


def test_errors_name_the_worst_chip(found):
    lines = error_table(found).splitlines()
    assert len(lines) == 2 + len(MEASURES)
    assert lines[0].count("median, worst") == len(GENERAL)
    assert lines[2] == "| area [mm2] | 24%, 80% (AIMC3) | 23%, 80% (AIMC3) | 28%, 79% (AIMC3) |"


def test_the_figure_groups_three_bars_for_each_chip(found):
    figure = plot_imc_validation(found)
    labels = ("area [mm2]", "clock period [ns]", "energy [fJ/MAC]")
    assert tuple(panel.get_ylabel() for panel in figure.axes) == labels
    for panel, bars in zip(figure.axes, (11 + 7 + 10, 10 + 7 + 9, 12 + 7 + 10), strict=True):
        drawn = [bar for bar in panel.patches if bar.get_height() > 0]
        assert len(drawn) == bars
        assert len({to_hex(bar.get_facecolor()) for bar in drawn}) == 3
    energy = [text.get_text() for text in figure.axes[2].texts]
    assert energy[:7] == ["0.89", "7.0", "1.01", "1.01", "1.53", "0.98", "0.98"]


def test_trends_of_chips_measured_under_other_conditions(found):
    """Within 26 % for the supply of two chips; Colonnade falls faster than C V^2, and says so."""
    trends = found.trends.set_index(["chip", "condition"])
    assert len(trends) == 11
    clock = trends["clock_model"] / trends["clock_reported"]
    assert clock.loc["Wang 2022"].sub(1).abs().max() < 0.021
    assert clock.loc[("Jia 2020", "0.85 V")] == pytest.approx(0.55, abs=0.01)
    energy = trends["energy_model"] / trends["energy_reported"]
    assert energy.loc[["Wang 2022", "Jia 2020"]].sub(1).abs().max() < 0.26
    assert energy.loc[("Colonnade 2021", "0.6 V")] == pytest.approx(2.25, abs=0.01)
    assert energy.loc[("Colonnade 2021", "0.8 V, 16 bit")] == pytest.approx(1.10, abs=0.01)
    assert energy.loc[("Colonnade 2021", "0.8 V, 1 bit")] == pytest.approx(0.42, abs=0.01)
