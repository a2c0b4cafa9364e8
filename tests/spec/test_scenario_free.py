"""``objectives: scenario_free``: what it stands for, and what is refused beside it."""

import pytest

from carbonopt.errors import SpecError
from carbonopt.problem import load_problem

TEXT = """\
name: free
question: Which is best, wherever it runs?
workloads: [resnet8, ds_cnn, autoencoder]
variables:
  template: {choice: [aimc]}
  rows: {pow2: [32, 64]}
  cols: {pow2: [32, 64]}
  sram_byte: {choice: [64 KiB]}
objectives: scenario_free
"""


@pytest.fixture
def load(tmp_path):
    def read(text):
        file = tmp_path / "problem.yaml"
        file.write_text(text)
        return load_problem(file)

    return read


def test_one_network_gives_four_objectives(load):
    problem = load(TEXT.replace("resnet8, ds_cnn, ", ""))
    assert problem.objectives == ["latency_s", "energy_j", "idle_w", "embodied_g"]


def test_several_networks_give_two_each_and_the_making(load):
    problem = load(TEXT)
    assert problem.objectives == [
        *("latency_s@resnet8", "energy_j@resnet8", "latency_s@ds_cnn", "energy_j@ds_cnn"),
        *("latency_s@autoencoder", "energy_j@autoencoder", "idle_w", "embodied_g"),
    ]
    row = problem.evaluate([[0, 0, 0, 0]])
    assert row["feasible"].all()
    assert load(problem.source).objectives == problem.objectives


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "scenario_free",
            "scenario_fre",
            "9: objectives: got scenario_fre, allowed: scenario_free, or a list of metrics",
        ),
        (
            "scenario_free",
            "scenario_free\nreference_point: {embodied_g: 1 kg}",
            "10: reference_point: got a point for 8 objectives, allowed: a point for at most 6",
        ),
        ("resnet8", "resnet9", "3: workloads.0: got resnet9"),
        (
            "64 KiB]}",
            "64 KiB]}\n  node_nm: {choice: [22 nm, 28 nm]}",
            "9: variables.node_nm: got 22, 28 nm beside objectives: scenario_free, whose "
            "embodied_g is that of one fab, allowed: one node, or objectives of the scenario that "
            "counts",
        ),
        (
            "[aimc]",
            "[aimc, eyeriss]",
            "5: variables.template: got eyeriss at 65 nm and aimc at 28 nm beside objectives: "
            "scenario_free, whose embodied_g is that of one fab, allowed: node_nm of one value, or "
            "objectives of the scenario that counts",
        ),
        (
            "64 KiB]}",
            "64 KiB]}\n  cell: {choice: [sram, rram, pcm]}",
            "9: variables.cell: got rram, pcm beside objectives: scenario_free, which knows no "
            "cells that wear out, allowed: sram, or objectives of the scenario that counts",
        ),
    ],
)
def test_one_fault_is_told_once(load, old, new, told):
    with pytest.raises(SpecError) as caught:
        load(TEXT.replace(old, new))
    assert len(caught.value.faults) == 1
    assert f"problem.yaml:{told}" in str(caught.value)


def test_one_node_and_one_kind_of_cell_leave_every_scenario_open(load):
    one = "64 KiB]}\n  node_nm: {choice: [22 nm]}\n  cell: {choice: [sram]}"
    assert load(TEXT.replace("64 KiB]}", one)).objectives[-1] == "embodied_g"
    array = "template: {choice: [dimc, eyeriss]}\n  node_nm: {choice: [28 nm]}"
    assert load(TEXT.replace("template: {choice: [aimc]}", array)).objectives[-1] == "embodied_g"
    asked = TEXT.replace("scenario_free", "[latency_s, energy_j, embodied_g]")
    assert load(asked.replace("[aimc]", "[dimc, eyeriss]")).size > 0
    both = "64 KiB]}\n  node_nm: {choice: [22 nm, 28 nm]}\n  cell: {choice: [sram, rram]}"
    assert load(asked.replace("64 KiB]}", both)).size == 16
