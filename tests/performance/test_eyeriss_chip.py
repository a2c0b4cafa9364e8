"""The row-stationary model against the Eyeriss chip: AlexNet, and VGG-16 with nothing fit to it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from eyeriss_measured import by_rule, convolutions, eyeriss, measured, modelled, on_the_chip

from carbonopt.performance.choices import SCORES, least_sum
from carbonopt.performance.row_stationary import row_stationary_fronts

NETWORKS = ("alexnet", "vgg16")
TOTALS = {"alexnet": (115.3, 103.5, 278.0, 15.4), "vgg16": (4309.5, 3755.2, 236.0, 321.1)}


def ratios(found: pd.DataFrame, name: str, column: str) -> np.ndarray:
    return (found[column] / measured(name)[column]).to_numpy()


def own_choice(name: str) -> pd.DataFrame:
    """The model on the mappings that it chooses."""
    fronts = row_stationary_fronts(convolutions(name), eyeriss())
    return modelled(least_sum(fronts, SCORES["edp"]))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_table_sums_to_the_published_totals(name):
    table, (total, processing, _, dram) = measured(name), TOTALS[name]
    assert table["total_latency_ms"].sum() == pytest.approx(total, abs=0.11)
    assert table["processing_latency_ms"].sum() == pytest.approx(processing, abs=0.11)
    assert table["dram_mib"].sum() == pytest.approx(dram, abs=0.21)


@pytest.mark.parametrize("name", NETWORKS)
def test_latency_on_the_mappings_of_the_chip(name):
    found = modelled(on_the_chip(name))
    assert abs(ratios(found, name, "processing_latency_ms") - 1).max() < 0.06
    total = found["processing_latency_ms"].sum() / TOTALS[name][1]
    assert total == pytest.approx({"alexnet": 0.980, "vgg16": 0.983}[name], abs=0.001)


def test_latency_with_the_wait_for_dram():
    totals = {name: modelled(on_the_chip(name))["total_latency_ms"].sum() for name in NETWORKS}
    assert totals["alexnet"] / TOTALS["alexnet"][0] == pytest.approx(0.950, abs=0.001)
    assert totals["vgg16"] / TOTALS["vgg16"][0] == pytest.approx(0.942, abs=0.001)


@pytest.mark.parametrize("name", NETWORKS)
def test_active_elements_are_those_of_the_chip(name):
    assert list(modelled(on_the_chip(name))["active_pes"]) == list(measured(name)["active_pes"])


def test_buffer_accesses_on_the_mappings_of_the_chip():
    """Within 6 %, but for the third layer of AlexNet, see docs/validation/eyeriss.md."""
    alexnet = ratios(modelled(on_the_chip("alexnet")), "alexnet", "buffer_mib")
    assert abs(np.delete(alexnet, 2) - 1).max() < 0.04
    assert alexnet[2] == pytest.approx(1.354, abs=0.001)
    assert abs(ratios(modelled(on_the_chip("vgg16")), "vgg16", "buffer_mib") - 1).max() < 0.06


@pytest.mark.parametrize("name", NETWORKS)
def test_power_with_one_unit_energy(name):
    found = modelled(on_the_chip(name))
    assert abs(ratios(found, name, "power_mw") - 1).max() < 0.12
    mean = (found["power_mw"] * found["total_latency_ms"]).sum() / found["total_latency_ms"].sum()
    expected = {"alexnet": 1.024, "vgg16": 0.948}[name]
    assert mean / TOTALS[name][2] == pytest.approx(expected, abs=0.001)


def test_dram_accesses_with_and_without_the_code():
    found, chip = modelled(on_the_chip("alexnet")), measured("alexnet")
    assert (found["dram_uncoded_mib"] > chip["dram_mib"]).all()
    assert found["dram_uncoded_mib"].sum() == pytest.approx(20.2, abs=0.05)
    assert found["dram_mib"].sum() / chip["dram_mib"].sum() == pytest.approx(0.971, abs=0.001)
    assert abs(ratios(found, "alexnet", "dram_mib") - 1).max() < 0.151


def test_the_chosen_mappings_of_alexnet_meet_every_measure():
    found = own_choice("alexnet")
    assert list(found["active_pes"]) == [154, 135, 156, 156, 156]
    assert abs(ratios(found, "alexnet", "processing_latency_ms") - 1).max() < 0.07
    total = found["processing_latency_ms"].sum() / TOTALS["alexnet"][1]
    assert total == pytest.approx(0.962, abs=0.001)
    assert abs(ratios(found, "alexnet", "buffer_mib") - 1).max() < 0.23
    assert abs(ratios(found, "alexnet", "power_mw") - 1).max() < 0.08


def test_the_chosen_mappings_of_vgg_are_twice_as_fast_as_those_of_the_chip():
    """They keep more channels in the array, so that partial sums cross the bus less often."""
    total = own_choice("vgg16")["processing_latency_ms"].sum()
    assert total / TOTALS["vgg16"][1] == pytest.approx(0.446, abs=0.005)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_rules_of_the_chip_meet_every_measure(name):
    """Each layer's latency within 15 %, the sum within 5 %, active PEs exact, the rest 30 %."""
    found = modelled(by_rule(name))
    assert list(found["active_pes"]) == list(measured(name)["active_pes"])
    assert abs(ratios(found, name, "processing_latency_ms") - 1).max() < 0.11
    total = found["processing_latency_ms"].sum() / TOTALS[name][1]
    assert total == pytest.approx({"alexnet": 0.966, "vgg16": 0.977}[name], abs=0.001)
    assert abs(ratios(found, name, "buffer_mib") - 1).max() < 0.25
    assert abs(ratios(found, name, "power_mw") - 1).max() < 0.12


def test_the_rules_of_the_chip_give_most_of_its_mappings():
    """Conv2 and conv3 of AlexNet are others of 0.5 and 0.7 % less; conv4 of VGG-16 is inferred."""
    others = {
        name: {
            layer: " ".join(map(str, found.mapping))
            for layer, known, found in zip(
                measured(name)["layer"], measured(name)["mapping"], by_rule(name), strict=True
            )
            if tuple(map(int, known.split())) != found.mapping
        }
        for name in NETWORKS
    }
    assert others == {
        "alexnet": {"conv2": "32 2 27 16 2 1 1", "conv3": "128 2 13 16 4 2 2"},
        "vgg16": {f"conv4_{i}": "64 3 7 8 4 1 8" for i in (1, 2, 3)},
    }
