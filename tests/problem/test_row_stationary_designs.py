"""Row-stationary designs beside those of the other templates in one problem."""

from __future__ import annotations

import pytest

import carbonopt as co
from carbonopt.errors import SpecError
from carbonopt.run.deployment import reprice_run

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
        {"template": template, "node_nm": node, **DESIGN, "gating": gating}
        for template, node, gating in (
            ("dimc", 28.0, None),
            ("eyeriss", 28.0, "on"),
            ("eyeriss", 65.0, "on"),
        )
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
    assert (
        "its inputs have 8 bit, allowed: whole numbers from 1 to 4 (data_word_bits)"
        in found["message"][0]
    )


def test_bits_outside_the_model_are_refused_with_their_line(tmp_path):
    file = tmp_path / "wide.yaml"
    file.write_text(PROBLEM.replace('gating: {choice: ["on"]}', "data_word_bits: {int: [8, 17]}"))
    with pytest.raises(SpecError, match=r"wide.yaml:10: variables.data_word_bits.*1 to 16"):
        co.load_problem(file)


@pytest.mark.parametrize("mode", ["reference", "genes"])
def test_mappings_that_it_does_not_have_are_refused_with_their_line(tmp_path, mode):
    file = tmp_path / "mapped.yaml"
    file.write_text(PROBLEM.replace("scenario:", f"mapping: {mode}\nscenario:"))
    with pytest.raises(SpecError, match=rf"mapped.yaml:11: mapping: got {mode} with template eye"):
        co.load_problem(file)


def test_the_mappings_of_the_chip_are_a_variable(tmp_path):
    file = tmp_path / "chip.yaml"
    file.write_text(PROBLEM.replace('gating: {choice: ["on"]}', "mappings: {choice: [any, chip]}"))
    own = {"template": "eyeriss", "node_nm": 65.0, "rows": 16, "cols": 16, "sram_byte": 65536.0}
    problem = co.load_problem(file)
    found = co.evaluate(problem, [{**own, "mappings": word} for word in ("any", "chip")])
    solved, chip = (row["energy_j"] * row["latency_s"] for _, row in found.iterrows())
    assert list(found["status"]) == ["ok", "ok"]
    assert chip > solved


ZEROS = ("{name: resnet8, period: 20 ms}", "{name: resnet8, period: 20 ms, zero_share: SAID}")


def test_zeros_of_the_data_save_what_gating_and_the_code_save(problem, tmp_path):
    design = {"template": "eyeriss", "node_nm": 65.0, **DESIGN}
    file = tmp_path / "zeros.yaml"
    found, hashes = [co.evaluate(problem, [design]).iloc[0]], {problem.hash}
    for said in ("0.6", "{stack1/conv1: 0.6}"):
        file.write_text(PROBLEM.replace(ZEROS[0], ZEROS[1].replace("SAID", said)))
        zeros = co.load_problem(file)
        hashes.add(zeros.hash)
        found.append(co.evaluate(zeros, [design]).iloc[0])
    none, every, one = found
    assert len(hashes) == 3
    for part in ("energy_j.dram", "energy_j.register", "energy_j.array"):
        assert every[part] < one[part] < none[part]
    assert every["energy_j.array"] == pytest.approx(0.4 * none["energy_j.array"], rel=1e-9)
    assert every["area_mm2"] == none["area_mm2"]


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("1.0", "zero_share: got 1.0, allowed: from 0 to below 1"),
        ("{stm: 0.5}", r"zero_share@stm: got no such layer \(did you mean 'zero_share@stem'\?\)"),
    ],
)
def test_zeros_that_cannot_be_are_refused_with_their_line(tmp_path, said, fault):
    file = tmp_path / "zeros.yaml"
    file.write_text(PROBLEM.replace(ZEROS[0], ZEROS[1].replace("SAID", said)))
    with pytest.raises(SpecError, match=rf"zeros.yaml:3: workloads.*{fault}"):
        co.load_problem(file)


def test_the_node_of_the_chip_is_told_beside_that_of_the_scenario(tmp_path):
    file = tmp_path / "problem.yaml"
    text = PROBLEM.replace("digital_os, dimc, eyeriss", "digital_os, eyeriss")
    file.write_text(text.replace("  node_nm: {choice: [28 nm, 65 nm]}\n", ""))
    run = co.enumerate_all(file, run_dir=tmp_path / "run")
    eyeriss = run.evaluations["template"] == "eyeriss"
    assert (run.evaluations["node_nm"][eyeriss] == 65.0).all()
    assert run.evaluations["node_nm"][~eyeriss].isna().all()
    told = "8 of 16 designs are made at a node of their own (65 nm), the others at the scenario's"
    assert any(told in notice for notice in run.notices)
    again, *_ = reprice_run(tmp_path / "run", "CA")
    assert again.evaluations["carbon_ca_g"].tolist() == pytest.approx(
        run.evaluations["carbon_ca_g"].tolist(), rel=1e-12
    )
