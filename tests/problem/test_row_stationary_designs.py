"""Row-stationary designs beside those of the other templates in one problem."""

from __future__ import annotations

import pytest

import carbonopt as co
from carbonopt.errors import SpecError

PROBLEM = """\
name: beside
question: Which of two kinds of array has the least carbon?
workloads: [{name: resnet8, period: 20 ms}]
variables:
  template: {choice: [digital_os, dimc, eyeriss]}
  rows: {choice: [16, 32]}
  cols: {choice: [16, 32]}
  sram_byte: {pow2: [32 KiB, 64 KiB]}
  node_nm: {choice: [28 nm, 65 nm]}
  gating: {choice: ["on"]}
scenario: {preset: default, region: France, lifetime: 5 y}
objectives: [latency_s, energy_j, carbon_ca_g, carbon_pa_g]
limits: {period: met}
"""
DESIGN = {"rows": 32, "cols": 32, "sram_byte": 65536.0, "gating": "on"}


@pytest.fixture
def problem(tmp_path):
    file = tmp_path / "problem.yaml"
    file.write_text(PROBLEM)
    return co.load_problem(file)


def test_every_template_is_evaluated_with_carbon(problem):
    designs = [
        {"template": template, "node_nm": node, **DESIGN}
        for template, node in (("dimc", 28.0), ("eyeriss", 28.0), ("eyeriss", 65.0))
    ]
    found = co.evaluate(problem, designs)
    assert list(found["status"]) == ["ok"] * 3
    assert (found[["latency_s", "energy_j", "carbon_ca_g", "carbon_pa_g"]] > 0).all().all()
    _, small, large = (row for _, row in found.iterrows())
    assert small["energy_j"] < large["energy_j"]
    assert small["latency_s"] < large["latency_s"]
    assert small["area_mm2"] == pytest.approx(large["area_mm2"] * 0.2, rel=0.1)
    parts = ("array", "control", "register", "noc", "sram", "dram")
    assert sum(small[f"energy_j.{part}"] for part in parts) == pytest.approx(small["energy_j"])


def test_the_embodied_carbon_is_that_of_its_own_node(problem):
    small, large = (
        co.evaluate(problem, [{"template": "eyeriss", "node_nm": node, **DESIGN}]).iloc[0]
        for node in (28.0, 65.0)
    )
    per_mm2 = [(row["embodied_g"] - 150) / row["area_mm2"] for row in (small, large)]
    assert per_mm2[0] > 1.2 * per_mm2[1]


def test_a_layer_that_cannot_be_mapped_fails_the_design_alone(problem, tmp_path):
    file = tmp_path / "narrow.yaml"
    narrow = PROBLEM.replace('gating: {choice: ["on"]}', "data_word_bits: {choice: [4, 16]}")
    file.write_text(narrow)
    sizes = {name: value for name, value in DESIGN.items() if name != "gating"}
    found = co.evaluate(
        co.load_problem(file),
        [
            {"template": "eyeriss", "node_nm": 65.0, "data_word_bits": bits, **sizes}
            for bits in (4, 16)
        ],
    )
    assert list(found["status"]) == ["error", "ok"]
    assert "its inputs have 8 bit, allowed: 1 to 4 (data_word_bits)" in found["message"][0]


def test_bits_outside_the_model_are_refused_with_their_line(tmp_path):
    file = tmp_path / "wide.yaml"
    file.write_text(PROBLEM.replace('gating: {choice: ["on"]}', "data_word_bits: {int: [8, 17]}"))
    with pytest.raises(SpecError, match=r"wide.yaml:10: variables.data_word_bits.*1 to 16"):
        co.load_problem(file)
