"""Row-stationary mappings: the best of all, what they count, and what cannot be mapped."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from eyeriss_measured import convolutions, eyeriss
from numba import njit

from carbonopt.errors import MappingError, ModelRangeError
from carbonopt.evaluate import evaluate_one
from carbonopt.performance import row_stationary
from carbonopt.performance import row_stationary_search as search
from carbonopt.performance.choices import SCORES
from carbonopt.performance.network import SolvedLayers, network_cost
from carbonopt.performance.row_stationary import (
    RowStationaryLayer,
    array_of,
    mapped_by_hand,
    row_stationary_fronts,
    shape_of,
    sizes_of,
    units_of,
)
from carbonopt.workload.layer import Layer
from carbonopt.workload.load import load_network
from carbonopt.workload.network import Network

_account, _price, fits = search._account, search._price, search.fits
PLAIN = Layer("a", "conv", (1, 32, 1, 14, 14, 16, 3, 3), input_size=(14, 14))


@njit
def least_of_all(shape, array, unit, narrowest, weight):
    """The least energy, latency, product and weighted sum over every (m, n, e, p, q, r, t)."""
    least, x, out = np.full(4, np.inf), np.ones(7, np.int64), np.empty(18)
    most = int(array[0] * array[1])
    for e in range(narrowest, shape[4] + 1):
        for n in range(1, shape[0] + 1):
            for q in range(1, min(int(array[3]), shape[5]) + 1):
                for r in range(1, most + 1):
                    for t in range(1, most // r + 1):
                        x[:] = (1, n, e, 1, q, r, t)
                        if not fits(shape, array, x):
                            continue
                        for p in range(1, int(array[4]) + 1):
                            for m in range(1, shape[1] + 1):
                                x[0], x[3] = m, p
                                if not fits(shape, array, x):
                                    break
                                _account(shape, array, unit, x, out)
                                energy, cycles = _price(unit, out)
                                found = (energy, cycles, energy * cycles, energy + weight * cycles)
                                for i in range(4):
                                    least[i] = min(least[i], found[i])
    return least


@pytest.mark.parametrize(("position", "narrowest"), [(0, 1), (1, 27), (2, 13), (3, 13), (4, 13)])
def test_no_mapping_of_alexnet_is_better_than_those_found(position, narrowest):
    """Sets that fit the array are as wide as the outputs, which the search takes as given too."""
    layer, array = convolutions("alexnet").layers[position], array_of(eyeriss())
    if position == 0:
        layer = dataclasses.replace(layer, sizes=(1, *layer.sizes[1:]))
    given = shape_of(layer), sizes_of(array), units_of(layer, array, 0.0)
    points, _ = search.best_mappings(*given)
    energy, cycles = points.T
    weight = energy.min() / cycles.min()
    found = [each.min() for each in (energy, cycles, energy * cycles, energy + weight * cycles)]
    np.testing.assert_allclose(found, least_of_all(*given, narrowest, weight), rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_no_mapping_of_small_layers_on_small_arrays_is_better(seed):
    rng, unit = np.random.default_rng(seed), units_of(PLAIN, array_of(eyeriss()), 0.0)
    for _ in range(20):
        fx, fy, ox, oy = map(int, [*rng.integers(1, 5, 2), *rng.integers(1, 10, 2)])
        b, k, g, c = (int(rng.integers(1, most)) for most in (4, 25, 3, 17))
        sx, sy = map(int, rng.integers(1, 3, 2))
        size = ((ox - 1) * sx + fx, (oy - 1) * sy + fy)
        layer = Layer("a", "conv", (b, k, g, ox, oy, c, fx, fy), (sx, sy), input_size=size)
        most = ((2, 7), (2, 7), (8, 60), (3, 13), (2, 13), (200, 3000))
        shape = shape_of(layer)
        array = np.array([*(rng.integers(*each) for each in most), 4, 1, 4], dtype=np.float64)
        points, chosen = search.best_mappings(shape, array, unit)
        energy, cycles = points.T
        weight = energy.min() / cycles.min()
        found = [each.min() for each in (energy, cycles, energy * cycles, energy + weight * cycles)]
        narrowest = oy if set(chosen[:, 2]) == {oy} else 1
        np.testing.assert_allclose(
            found, least_of_all(shape, array, unit, narrowest, weight), rtol=1e-12
        )


def only(layer: Layer, **knobs: str | int) -> RowStationaryLayer:
    """A layer on its mapping of least energy x latency."""
    (found,) = network_cost(Network("one", (layer,)), eyeriss(**knobs), "optimal").layers
    assert isinstance(found, RowStationaryLayer)
    return found


def test_counts_of_a_mapping_by_hand():
    """Two sets of 16 channels in 4 passes, each of 32 filters: every word counted by hand."""
    found = mapped_by_hand(PLAIN, eyeriss(), (32, 1, 14, 16, 4, 1, 2))
    passes, outputs, inputs, weights = 4, 32 * 14 * 14, 16 * 14 * 14, 32 * 16 * 9
    assert found.accesses() == {
        "dram": {"W": weights, "I": inputs, "O": outputs},
        "sram": {"W": 2 * weights, "I": inputs + 16 * 16 * 16, "O": 2 * outputs * passes},
        "noc": {
            "W": weights * 14,
            "I": 16 * 16 * 3 * 14 * 2,
            "O": outputs * (3 * 4 + passes),
        },
        "register": {
            "W": weights * 14 + PLAIN.macs,
            "I": 16 * 16 * 3 * 14 * 2 + PLAIN.macs,
            "O": 2 * PLAIN.macs,
        },
    }
    parts = found.cycle_parts()
    busy = max(16 * 4 * 3 * 14, 32 * 14 * 14 / 4, 4 * 16 * 16)
    assert parts["compute"] == passes * 16 * 4 * 3 * 14
    assert parts["compute"] + parts["stall"] == passes * busy
    assert parts["fill"] == weights / 4 + 16 * 3 * 16
    assert parts["load"] == pytest.approx(inputs * 8 / 19.2)
    assert found.active_pes == 3 * 14 * 2


def test_parts_sum_to_the_whole():
    cost = network_cost(load_network("mobilenet_v1"), eyeriss(), "optimal")
    assert sum(cost.energy_parts().values()) == pytest.approx(cost.energy_pj, rel=1e-12)
    assert sum(cost.cycle_parts().values()) == pytest.approx(cost.cycles, rel=1e-12)
    for layer in cost.layers:
        described = layer.describe()
        assert sum(described["energy"].values()) == pytest.approx(described["energy_pj"])


@pytest.mark.parametrize(
    "name", ["resnet8", "ds_cnn", "autoencoder", "vit_b16_block", "deeplab_v3"]
)
def test_networks_of_all_kinds_can_be_mapped(name):
    """Rectangular, strided, dilated, depthwise, dense and matrix products, each on one at least."""
    network = load_network(name)
    cost = network_cost(network, eyeriss(), "optimal")
    assert len(cost.layers) == len(network.layers)
    for layer, mapped in zip(network.layers, cost.layers, strict=True):
        assert mapped.cycles >= layer.macs / 168
        assert mapped.accesses()["dram"]["O"] == layer.outputs


def test_a_kernel_higher_than_the_array_is_folded():
    layer = Layer("a", "conv", (1, 8, 1, 8, 8, 4, 5, 13), input_size=(12, 20))
    found = only(layer)
    assert found.active_pes % 7 == 0  # two pieces of 7 rows
    assert found.accesses()["dram"]["W"] >= layer.weights
    assert found.cycle_parts()["compute"] >= layer.macs / 168


def test_a_kernel_wider_than_the_register_file_is_folded():
    found = only(Layer("a", "conv", (1, 8, 1, 8, 8, 4, 25, 3), input_size=(32, 10)))
    assert found.cycle_parts()["compute"] > 0


def test_gating_saves_energy_and_no_time():
    zeros = dataclasses.replace(PLAIN, zero_share=0.6)
    gated, plain = only(zeros, compression="none"), only(zeros, compression="none", gating="off")
    assert gated.cycles == plain.cycles
    saved = {part: plain.energy_parts()[part] - gated.energy_parts()[part] for part in
             ("array", "register", "noc", "sram", "dram")}  # fmt: skip
    assert saved["array"] == pytest.approx(0.6 * plain.energy_parts()["array"])
    assert saved["register"] > 0
    assert saved["noc"] == saved["sram"] == saved["dram"] == 0


def test_control_is_charged_per_cycle_unless_it_is_left_out():
    """4.64 pJ per element and cycle at 65 nm; no other template is charged for its clock."""
    charged, plain = only(PLAIN), only(PLAIN, control="none")
    assert charged.energy_parts()["control"] == pytest.approx(charged.cycles * 168 * 4.64)
    assert plain.energy_parts()["control"] == 0


def test_compression_saves_dram_where_there_are_enough_zeros():
    """16-bit words of which 3/4 or less are left take less; 10 % of zeros save nothing."""

    def dram(share: float, **knobs: str) -> float:
        layer = dataclasses.replace(PLAIN, zero_share=share, input_bits=16)
        return only(layer, **knobs).energy_parts()["dram"]

    assert dram(0.1) == dram(0.1, compression="none")
    inputs_pj = 16 * 14 * 14 * 16 * 3.7
    assert dram(0.0) - dram(0.7) == pytest.approx(inputs_pj * (1 - 0.3 * 64 / 48))


def test_pruned_weights_are_neither_stored_nor_multiplied():
    half, whole = only(dataclasses.replace(PLAIN, pruned_share=0.5)), only(PLAIN)
    assert half.energy_parts()["array"] == pytest.approx(whole.energy_parts()["array"] / 2)
    assert half.accesses()["dram"]["W"] == whole.accesses()["dram"]["W"] / 2
    assert half.cycle_parts()["compute"] == whole.cycle_parts()["compute"]


def test_fewer_bits_take_less_energy_and_no_more_time():
    narrow = dataclasses.replace(PLAIN, weight_bits=4, input_bits=4, psum_bits=8, output_bits=4)
    assert only(narrow).energy_pj < only(PLAIN).energy_pj
    assert only(narrow).cycles <= only(PLAIN).cycles


@pytest.mark.parametrize(
    "more", [{"sram": "1 MiB"}, {"weight_words": 448}, {"psum_words": 48}, {"bus_words": 8},
             {"dram_bandwidth": "2 GB/s"}]
)  # fmt: skip
def test_more_of_anything_is_never_slower(more):
    layer = dataclasses.replace(PLAIN, sizes=(1, 256, 1, 28, 28, 64, 3, 3), input_size=(28, 28))
    network = Network("one", (layer,))
    least = [
        network_cost(network, eyeriss(**knobs), "optimal", SCORES["latency"]).cycles
        for knobs in ({}, more)
    ]
    assert least[1] <= least[0]


def test_layers_that_are_known_are_not_solved_again(monkeypatch):
    network, solved = Network("two", (PLAIN, dataclasses.replace(PLAIN, name="b"))), SolvedLayers()
    first = network_cost(network, eyeriss(), "optimal", solved=solved)
    monkeypatch.setattr(row_stationary, "best_mappings", lambda *_: pytest.fail("solved again"))
    again = network_cost(network, eyeriss(), "optimal", SCORES["energy"], solved)
    assert [each.layer.name for each in again.layers] == ["a", "b"]
    assert again.energy_pj <= first.energy_pj
    with pytest.raises(pytest.fail.Exception, match="solved again"):
        network_cost(network, eyeriss(gating="off"), "optimal", solved=solved)


def test_fronts_trade_energy_for_latency():
    fronts = row_stationary_fronts(load_network("resnet18"), eyeriss())
    assert max(map(len, fronts)) > 1
    for front in fronts:
        cycles, energy = [each.cycles for each in front], [each.energy_pj for each in front]
        assert cycles == sorted(cycles)
        assert energy == sorted(energy, reverse=True)


def test_all_layers_that_cannot_be_mapped_are_told_at_once():
    wide = dataclasses.replace(PLAIN, name="wide", weight_bits=16, input_bits=17)
    wide2 = dataclasses.replace(wide, name="wide2", input_bits=16)
    long = Layer("long", "conv", (1, 8, 1, 90000, 1, 4, 3, 3), input_size=(90000, 1))
    with pytest.raises(MappingError) as error:
        network_cost(Network("two", (wide, wide2, long)), eyeriss(weight_word_bits=8), "optimal")
    assert str(error.value).splitlines() == [
        "layers 'wide', 'wide2' cannot be mapped onto eyeriss: its weights have 16 bit, allowed: "
        "whole numbers from 1 to 8 (weight_word_bits)",
        "layer 'wide' cannot be mapped onto eyeriss: its inputs have 17 bit, allowed: "
        "whole numbers from 1 to 16 (data_word_bits)",
        "layer 'long' cannot be mapped onto eyeriss: its buffer needs 360,006 words for a row of "
        "outputs and the inputs under it, has 51,200: a larger sram is needed",
    ]


def test_a_network_that_the_memory_does_not_hold_is_refused():
    """16 bit take twice the 64 MiB that the shipped AlexNet of 8 bit needs."""
    bits = {"weight_bits": 16, "activation_bits": 16}
    with pytest.raises(MappingError, match=r"eyeriss: dram needs 12\d{7} B .* has 67108864 B"):
        evaluate_one("alexnet", "eyeriss", bits)
    assert evaluate_one("alexnet", "eyeriss", bits, dram_byte=2.0**27)["energy_j"] > 0.0


def test_a_mapping_by_hand_that_does_not_fit_is_refused():
    with pytest.raises(MappingError, match=r"'p': 64.*allowed: what fits its array, register"):
        mapped_by_hand(PLAIN, eyeriss(), (32, 1, 14, 64, 4, 1, 2))


def test_it_has_no_reference_mappings():
    with pytest.raises(MappingError, match="eyeriss: mapping: got reference, allowed: optimal"):
        network_cost(Network("one", (PLAIN,)), eyeriss(), "reference")


@pytest.mark.parametrize(
    ("knobs", "fault"),
    [
        ({"weight_word_bits": 17}, "weight_word_bits: got 17, allowed: whole numbers from 1 to 16"),
        ({"input_words": 0}, "input_words: got 0, allowed: whole numbers from 1 to 512"),
        ({"macros": 2}, "macros: got 2, allowed: 1 (a knob of digital, dimc, aimc)"),
        ({"node": "16 nm"}, "node: got 16 nm, allowed: 22 to 65 nm"),
        ({"sram": "100 B"}, "sram: got 100 byte, allowed: 256 byte to 128 MiB (words of 64 bit)"),
        ({"supply": "0.8 V"}, "supply: got 0.8 V, allowed: 0.9 V (a knob of digital, dimc, aimc)"),
    ],
)  # fmt: skip
def test_designs_outside_the_model_are_refused(knobs, fault):
    with pytest.raises(ModelRangeError) as error:
        eyeriss(**knobs)
    assert str(error.value) == f"eyeriss: {fault}"


def test_large_maps_are_cut_where_the_buffer_would_keep_few_filters():
    """96 filters of 1 x 1 on 150 x 150: whole, inputs would come from DRAM again 96 times."""
    layer = Layer("expand", "conv", (1, 96, 1, 150, 150, 16, 1, 1), input_size=(150, 150))
    machine = eyeriss()
    network = Network("one", (layer,))
    (best,) = network_cost(network, machine, "optimal", SCORES["edp"]).layers
    cut = mapped_by_hand(layer, machine, (96, 1, 3, 16, 8, 2, 7))
    assert best.energy_pj * best.cycles <= cut.energy_pj * cut.cycles
    whole = mapped_by_hand(layer, machine, (1, 1, 150, 1, 1, 1, 1))
    assert whole.energy_pj > 30 * best.energy_pj
