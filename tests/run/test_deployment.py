"""A stored run under another scenario: what is said of the designs."""

from __future__ import annotations

from pathlib import Path

import pytest

from carbonopt.carbon.presets import load_preset
from carbonopt.report.footprint import footprint
from carbonopt.report.model_card import model_card
from carbonopt.run import enumerate_all, load_run, search
from carbonopt.run.deployment import reprice_run

PROBLEM = """\
name: worn
question: Do small analog macros of RRAM last long enough?
workloads: [resnet8]
variables:
  template: {choice: [aimc]}
  rows: {choice: [64]}
  cols: {choice: [32, 64]}
  sram_byte: {choice: [64 KiB]}
  cell: {choice: [sram, rram]}
mapping: reference
objectives: [latency_s, carbon_pa_g]
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("worn")
    (place / "problem.yaml").write_text(PROBLEM)
    enumerate_all(place / "problem.yaml", run_dir=place / "run")
    return place / "run"


def test_designs_across_two_literatures_are_told_of_once(tmp_path):
    """No lookup of 45 nm warns, or this test would fail: the table says it, and so does a card."""
    text = PROBLEM.replace("cell: {choice: [sram, rram]}", "node_nm: {choice: [22 nm, 45 nm]}")
    (tmp_path / "problem.yaml").write_text(text)
    front = enumerate_all(tmp_path / "problem.yaml", run_dir=tmp_path / "run")
    told = "nodes of 22, 45 nm: a comparison lies where two literatures meet: EPA is 0.9 kWh/cm2"
    assert [told in each for each in front.notices] == [False, True]
    again, networks, scenario = reprice_run(tmp_path / "run", "PA")
    assert again.notices[1:] == (front.notices[1],)
    for at_nm, said in ((45.0, "Nodes of 28, 45 nm: a comparison lies where two"), (22.0, "Data")):
        design = front.evaluations[front.evaluations["node_nm"] == at_nm].iloc[0]
        card = model_card(footprint(design, front.variables, networks, scenario.preset))
        assert said in card
        assert ("EPA is 0.9 kWh/cm2" in card) == (at_nm > 28.0)


def test_repricing_says_that_endurance_binds_as_the_run_does(run):
    """Half of the designs have cells that wear; a period 1000 times as long saves them in PA."""
    bound = [each for each in load_run(run).notices if each.startswith("endurance")]
    assert [each[:42] for each in bound] == [
        "endurance binds in CA in 2 of 4 designs: c", "endurance binds in PA in 2 of 4 designs: c"
    ]  # fmt: skip
    again, _, _ = reprice_run(run, "PA")
    reach, *said = again.notices
    assert reach == "exact: all 4 designs of the space were priced"
    assert said == bound
    week = load_preset("default").with_values(lifetime_s=7 * 86400.0)
    slow, _, _ = reprice_run(run, "PA", preset=week, period_s=400.0)
    assert [each[:40] for each in slow.notices[1:]] == ["endurance binds in CA in 2 of 4 designs:"]


def test_no_advice_promises_what_scenario_free_does_not_hold(run, tmp_path):
    """Of a part of a space with cells that wear, the search of every scenario is no way out."""
    few = search(run.parent / "problem.yaml", budget=2, run_dir=tmp_path / "few")
    again, _, _ = reprice_run(tmp_path / "few", "PA")
    assert len(few.evaluations) == 2
    assert again.notices[0] == (
        "2 of 4 designs were priced, those that the search looked at; "
        "which cell is best depends on the scenario: search under it"
    )
