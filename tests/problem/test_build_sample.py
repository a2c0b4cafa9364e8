"""Whether the designs of a problem can be built is told before a search."""

from __future__ import annotations

import json
import time

import pytest

from carbonopt.cli import main
from carbonopt.problem import load_problem
from carbonopt.problem.sample import build_sample

TEXT = """\
name: p
question: Which is best?
workloads: [resnet8]
variables:
  template: {choice: [TEMPLATE]}
  rows: {ROWS}
  cols: {choice: [32, 64]}
  sram_byte: {choice: [64 KiB]}
  FURTHER
objectives: [latency_s, carbon_ca_g]
"""


def problem_file(tmp_path, template, rows, further=""):
    text = TEXT.replace("TEMPLATE", template).replace("ROWS", rows).replace("FURTHER", further)
    file = tmp_path / "problem.yaml"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("template", "rows", "further", "reason"),
    [
        ("aimc", "pow2: [8, 16]", "", "aimc: rows: got 8, allowed: rows x group_depth from 32"),
        ("aimc", "choice: [64]", "adc_share: {choice: [4000]}", "aimc: adc_share: got 4000, "),
    ],
)
def test_a_problem_without_a_design_that_can_be_built_is_refused(
    tmp_path, capsys, template, rows, further, reason
):
    file = problem_file(tmp_path, template, rows, further)
    assert main(["check", str(file)]) == 2
    told = capsys.readouterr().err
    many = "4 of 4" if "pow2" in rows else "2 of 2"
    start = f"carbonopt: {file}: variables: {many} designs cannot be built, most often: {reason}"
    assert told.startswith(start)


def test_a_knob_that_no_template_has_is_refused(tmp_path, capsys):
    file = problem_file(tmp_path, "dimc, digital_os", "choice: [64]", "cell: {choice: [rram]}")
    assert main(["check", str(file)]) == 2
    fault = "cell: got no template that has it, allowed: aimc among the templates"
    assert f"{file}:9: variables.{fault}" in capsys.readouterr().err


def test_a_knob_matters_with_the_templates_that_have_it(tmp_path):
    file = problem_file(
        tmp_path, "dimc, digital_os, aimc", "choice: [64]", "cell: {choice: [sram, rram]}"
    )
    problem = load_problem(file)
    assert problem.size == 2 * (1 + 1 + 2)
    assert problem.space.variables[-1].condition == ("template", ("aimc",))
    rows = problem.evaluate([[0, 0, 0, 0, 1], [0, 0, 0, 0, 0], [2, 0, 0, 0, 1]])
    assert rows["cell"].tolist() == [None, None, "rram"]
    assert (rows["status"] == "ok").all()


def test_the_share_that_cannot_be_built_is_told(tmp_path, capsys):
    file = problem_file(tmp_path, "aimc, dimc", "choice: [64, 96, 16]")
    assert main(["check", str(file), "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["sound"]
    assert entry["holds"] == (
        "problem of 12 designs, 2 objectives; 6 of 12 designs cannot be built, most often: "
        "aimc: rows: got 16, allowed: rows x group_depth from 32 to 16777216 (cells of a column)"
    )


def test_a_large_problem_is_sampled_in_seconds():
    began = time.process_time()
    sample = build_sample(load_problem("mlperf_tiny"))
    assert (sample.tried, sample.whole) == (300, False)
    assert 0.1 < sample.failed / sample.tried < 0.3  # wide arrays beside a small SRAM
    assert "or an sram from" in sample.reason
    assert time.process_time() - began < 10.0
    assert build_sample(load_problem("resnet8_mapping")).failed == 0
