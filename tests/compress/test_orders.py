"""Ranks of layers, and pruning orders at equal numbers of pruned weights."""

import numpy as np
import pytest

from carbonopt.carbon.presets import load_preset
from carbonopt.compress.device import Device
from carbonopt.compress.order import by_magnitude, in_order, pruning_orders
from carbonopt.compress.rank import CRITERIA, layer_uses, ranked
from carbonopt.errors import ModelRangeError
from carbonopt.evaluate import load_workload
from carbonopt.hardware.knobs import parse_knobs


def device(template="digital_ws", name="resnet8"):
    knobs = parse_knobs(template, {"rows": 64, "cols": 64, "sram": "64KiB"})
    return Device(template, knobs, load_workload(name), load_preset("default"))


@pytest.fixture(scope="module")
def whole():
    return device().evaluate({})


def test_what_layers_take_sums_to_what_the_network_takes(whole):
    uses = layer_uses(whole)
    for name in ("energy_j", "latency_s", "carbon_ca_g"):
        total = sum(getattr(use, name) for use in uses)
        assert total == pytest.approx(whole.metrics[name], rel=1e-12)
    assert sum(use.macs for use in uses) == 12501632


def test_ranks_differ_by_what_they_are_of(whole):
    uses = layer_uses(whole)
    first = {each: ranked(uses, each)[0].name for each in CRITERIA}
    assert first["weights"] == "stack3/conv2"
    assert first["macs"] == "stack1/conv1"
    for criterion in CRITERIA:
        values = [use.by(criterion) for use in ranked(uses, criterion)]
        assert values == sorted(values, reverse=True)


def test_all_orders_prune_the_same_number_of_weights():
    weights = {each.name: each.weights for each in device().workload.network.layers}
    rng = np.random.default_rng(1)
    magnitudes = {name: np.abs(rng.normal(size=n)) / np.sqrt(n) for name, n in weights.items()}
    found = pruning_orders(device(), 0.5, most=0.9, chosen={}, magnitudes=magnitudes)
    assert [each.order for each in found] == ["magnitude", *CRITERIA, "energy/weight"]
    total = sum(weights.values())
    for each in found:
        assert sum(each.counts.values()) == round(0.5 * total)
        assert all(0 <= n <= 0.9 * weights[name] for name, n in each.counts.items())
    energy = {each.order: each.found.metrics["energy_j"] for each in found}
    assert min(energy.values()) == energy["energy/weight"]
    assert energy["energy"] < energy["weights"]
    assert max(energy.values()) < device().evaluate({}).metrics["energy_j"]


def test_the_smallest_weights_go_first_up_to_the_limit_of_a_layer():
    counts = by_magnitude({"a": np.array([3.0, 1.0, 2.0, 9.0]), "b": np.array([2.5, 8.0])}, 3, 0.99)
    assert counts == {"a": 2, "b": 1}
    assert in_order(layer_uses(device().evaluate({}))[:1], 10**9, 0.5) == {"stem": 216}


@pytest.mark.parametrize(
    ("share", "most"),
    [(0.95, 0.9), (-0.1, 0.9), (0.5, 1.0), (0.5, 0.0), (float("nan"), 0.9), (float("inf"), 0.9)],
)
def test_shares_outside_their_range_are_refused(share, most):
    with pytest.raises(ModelRangeError, match=r"got .*, allowed: "):
        pruning_orders(device(), share, most=most, chosen={})
