"""Bits on the command line: one design, ranks, pruning orders, steps to a budget."""

from __future__ import annotations

import numpy as np
import pytest
from designs import network
from test_cli_model import answer, refusal

from carbonopt.cli import main

DESIGN = ("--template", "dimc", "--set", "rows=64", "--set", "cols=64", "--set", "sram=64KiB")
PROXY = ("--quality", "carbonopt.compress.sqnr:sqnr_proxy")


def test_a_design_has_the_bits_that_are_set(capsys):
    asked = ("evaluate", "--workload", "resnet8", *DESIGN)
    plain = answer(capsys, *asked)
    same = answer(capsys, *asked, "--set", "weight_bits=8", "--set", "pruned_share=0")
    assert {**same, "knobs": plain["knobs"]} == plain
    narrow = answer(capsys, *asked, "--set", "activation_bits=4", "--set", "pruned_share=0.5")
    assert narrow["knobs"]["activation_bits"] == 4
    assert narrow["breakdown"]["latency_cycles"]["compute"] == pytest.approx(
        plain["breakdown"]["latency_cycles"]["compute"] / 2, rel=0.05
    )
    assert narrow["energy_j"] < 0.6 * plain["energy_j"]
    assert narrow["area_mm2"] == plain["area_mm2"]
    assert narrow["notes"][-3:-1] == [
        "narrow operands: to split multipliers is taken to cost nothing",
        "pruned weights: to say which ones they are is taken to cost nothing",
    ]


def test_faults_of_bits_are_told_with_those_of_the_design(capsys):
    told = refusal(capsys, "evaluate", "--workload", "resnet8", *DESIGN, "--set", "weight_bits=0",
                   "--set", "pruned_share=1", "--set", "row=3", "--set", "weight_bits@stam=4",
                   "--set", "weight_bit=4")  # fmt: skip
    for part in (
        "weight_bits: got 0, allowed: whole numbers from 1 to 16",
        "pruned_share: got 1, allowed: from 0 to below 1",
        "row: unknown knob (did you mean 'rows'?)",
        "weight_bits@stam: got no such layer (did you mean 'weight_bits@stem'?)",
        "weight_bit: unknown knob (did you mean 'weight_bits'?)",
    ):
        assert part in told
    told = refusal(capsys, "evaluate", "--workload", "resnet8", *DESIGN, "--set", "weight_bits=16")
    assert told == (
        "carbonopt: dimc: weight_bits: got 16 in layer 'stem' and 9 more, allowed: "
        "whole numbers from 1 to 8 (bits of its multipliers)\n"
    )


def test_layers_ranked(capsys):
    found = answer(capsys, "rank", "resnet8", *DESIGN, "--by", "weights")
    assert [layer["weights"] for layer in found["layers"]][:3] == [36864, 18432, 9216]
    assert main(["rank", "resnet8", *DESIGN, "--by", "energy"]) == 0
    assert capsys.readouterr().out.splitlines()[2].startswith("stack3/conv2")


def test_pruning_orders(capsys, tmp_path):
    found = answer(capsys, "prune", "resnet8", *DESIGN, "--share", "0.3")
    assert {each["pruned"] for each in found["orders"]} == {23208}
    assert "shipped networks have no trained weights" in found["notes"][0]
    rows = ["layer,magnitude"]
    for layer in network("resnet8").layers:
        rows += [f"{layer.name},{value}" for value in np.linspace(0, 1, layer.weights)]
    file = tmp_path / "weights.csv"
    file.write_text("\n".join(rows))
    found = answer(capsys, "prune", "resnet8", *DESIGN, "--share", "0.3", "--magnitudes", str(file))
    assert found["orders"][0]["order"] == "magnitude"
    assert found["notes"] == []
    assert found["orders"][0]["layers"]["stack3/conv2"] == pytest.approx(0.3 * 36864, abs=2)
    assert main(["prune", "resnet8", *DESIGN, "--share", "0.3"]) == 0
    assert "pruned share of each layer" in capsys.readouterr().out
    assert "share: got 2, allowed: from 0" in refusal(
        capsys, "prune", "resnet8", *DESIGN, "--share", "2"
    )


def test_steps_to_a_budget(capsys):
    asked = ("compress", "resnet8", *DESIGN, "--budget", "energy_j=8uJ", *PROXY)
    found = answer(capsys, *asked, "--by", "weight_bits", "--step", "500nJ")
    assert found["reached"]
    assert found["start"]["energy_j"] > 8e-6 >= found["steps"][-1]["energy_j"]
    assert {step["knob"] for step in found["steps"]} == {"weight_bits"}
    assert min(layer["weight_bits"] for layer in found["layers"]) < 8
    assert main([*asked, "--by", "weight_bits"]) == 0
    assert "budget kept after" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (("--budget", "energy=8uJ", *PROXY), "--budget: got energy=8uJ, allowed: METRIC=VALUE"),
        (("--budget", "energy_j=8", *PROXY), "--budget: got 8, allowed: a number with a unit of"),
        (("--budget", "energy_j=1pJ", *PROXY), "budget: got energy_j 1 pJ, allowed: from "),
        (("--budget", "energy_j=1uJ", "--quality", "judge:loss"), "--quality: got judge:loss"),
        (("--budget", "energy_j=1uJ", *PROXY, "--by", "bits"), "by: got bits, allowed: weight_"),
        (("--budget", "energy_j=1uJ", *PROXY, "--step", "1s"), "--step: got 1s, allowed"),
    ],
)
def test_what_is_no_budget_is_refused(capsys, said, fault):
    assert fault in refusal(capsys, "compress", "resnet8", *DESIGN, *said)
