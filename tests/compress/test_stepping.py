"""Stepping to a budget: kept, or said why not; every step saves what it must at least loss."""

import dataclasses
import re

import numpy as np
import pytest
from designs import layer, machine, of_layers

from carbonopt.carbon.presets import load_preset
from carbonopt.compress.device import Device
from carbonopt.compress.stepping import to_budget
from carbonopt.errors import ModelRangeError, QualityError, SpecError
from carbonopt.evaluate import Workload
from carbonopt.hardware.knobs import parse_knobs
from carbonopt.performance.network import SolvedLayers
from carbonopt.units import parse_quantity

KNOBS = {"rows": 32, "cols": 32, "sram": "64KiB"}
LARGE = layer("large", K=64, C=64, OX=8, OY=8)
SMALL = dataclasses.replace(layer("small", K=32, C=64, OX=8, OY=8), predecessors=(0,))


def device(template="dimc"):
    workload = Workload(of_layers(LARGE, SMALL), 2**20, 0.04)
    return Device(template, parse_knobs(template, KNOBS), workload, load_preset("default"))


def bits_lost(networks, chosen):
    """Loss that counts a bit of the large layer ten times one of the small layer."""
    large, small = networks[0].layers
    bits = 10 * (8 - large.weight_bits) + (8 - small.weight_bits)
    return float(bits + large.pruned_share + small.pruned_share)


def stepped(resource="energy_j", share=0.8, knobs=("weight_bits",), quality=bits_lost, **given):
    own = device()
    start = own.evaluate({}).metrics[resource]
    options = {"step": 0.05 * start, "knobs": knobs, "chosen": {}, **given}
    return to_budget(own, quality, resource, share * start, **options)


def test_each_step_saves_what_it_must_and_the_budget_is_kept():
    found = stepped()
    assert found.reached
    taken = [
        each.found.metrics["energy_j"] for each in (found.start, *(s.state for s in found.steps))
    ]
    assert taken[-1] <= 0.8 * taken[0]
    saved = -np.diff(taken)
    assert (saved[:-1] >= 0.05 * taken[0] * (1 - 1e-12)).all()
    losses = [found.start.loss, *(step.state.loss for step in found.steps)]
    assert (np.diff(losses) >= 0).all()


def test_the_reduction_of_least_loss_is_taken():
    first = stepped().steps[0]
    assert (first.layer, first.knob, first.before) == ("small", "weight_bits", 8.0)
    other = stepped(quality=lambda networks, chosen: float(-networks[0].layers[0].weight_bits))
    assert other.steps[0].layer == "small"  # the large layer stays as it is
    reverse = stepped(quality=lambda networks, chosen: float(-networks[0].layers[1].weight_bits))
    assert reverse.steps[0].layer == "large"


def test_steps_are_as_mild_as_they_can_be():
    first = stepped().steps[0]
    goal = stepped().start.found.metrics["energy_j"] * 0.95
    assert first.state.found.metrics["energy_j"] <= goal
    milder = device().evaluate({"weight_bits@small": first.after + 1})
    assert milder.metrics["energy_j"] > goal


def test_the_network_that_it_ends_with_is_the_one_it_says():
    found = stepped(knobs=("weight_bits", "activation_bits", "pruned_share"), share=0.5)
    again = device().evaluate(found.end.chosen)
    for name in ("energy_j", "latency_s", "carbon_ca_g"):
        assert again.metrics[name] == found.end.found.metrics[name]


@pytest.mark.parametrize("resource", ["latency_s", "carbon_ca_g", "carbon_pa_g"])
def test_other_budgets_are_kept(resource):
    least = device().evaluate({"activation_bits": 1}).metrics[resource]
    start = device().evaluate({}).metrics[resource]
    share = 0.5 + 0.5 * least / start
    assert stepped(resource, share, knobs=("activation_bits",), step=(start - least) / 5).reached


def test_a_budget_that_holds_takes_no_step():
    found = stepped(share=2.0)
    assert found.reached
    assert found.steps == ()
    assert found.end is found.start


def test_a_budget_out_of_reach_is_refused_with_what_can_be_had():
    least = device().evaluate({"weight_bits": 1}).metrics["energy_j"]
    with pytest.raises(ModelRangeError, match=r"got energy_j .* pJ, allowed: from ") as error:
        stepped(share=1e-4)
    said = parse_quantity(re.findall("from (.*), which", str(error.value))[0], "J")
    assert least <= said < 1.002 * least
    assert stepped(share=said / device().evaluate({}).metrics["energy_j"]).reached
    with pytest.raises(ModelRangeError, match="dimc takes with all layers reduced"):
        stepped("latency_s", 0.9, knobs=("pruned_share",))  # no faster on pruned weights


def test_where_no_loss_can_be_told_any_more_it_says_so():
    def loss(networks, chosen):
        if chosen:
            raise QualityError("no row for that")
        return 0.0

    found = stepped(quality=loss)
    assert not found.reached
    assert found.why == "no row for that"


def test_every_fault_is_told_at_once():
    with pytest.raises(SpecError) as error:
        to_budget(device(), bits_lost, "area", -1.0, step=0.0, knobs=["width"], chosen={})
    assert error.value.faults == [
        "budget: got area, allowed: latency_s, energy_j, carbon_ca_g, carbon_pa_g",
        "budget: got -1, allowed: above 0",
        "step: got 0, allowed: above 0",
        "by: got width, allowed: weight_bits, activation_bits, pruned_share",
    ]


def test_layers_solved_before_are_those_solved_again():
    own = device("digital_ws")
    first = own.evaluate({"weight_bits@small": 4})
    own.evaluate({"weight_bits@small": 2})
    again = own.evaluate({"weight_bits@small": 4})
    fresh = device("digital_ws").evaluate({"weight_bits@small": 4})
    assert first.metrics == again.metrics == fresh.metrics


def test_machines_do_not_share_solved_layers():
    solved = SolvedLayers()
    solved.on(machine("dimc", 32, 32))["key"] = []
    assert "key" in solved.on(machine("dimc", 32, 32))
    assert "key" not in solved.on(machine("dimc", 64, 32))
