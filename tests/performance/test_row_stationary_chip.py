"""The mappings of the chip's rules: what they hold to, the least of all that do, and refusals."""

from __future__ import annotations

import dataclasses
import math
from itertools import product

import numpy as np
import pytest
from eyeriss_measured import eyeriss

from carbonopt.errors import MappingError
from carbonopt.evaluate import evaluate_one
from carbonopt.performance.network import network_cost
from carbonopt.performance.row_stationary import array_of, shape_of, sizes_of
from carbonopt.performance.row_stationary_chip import chip_mapping
from carbonopt.performance.row_stationary_search import account, fits
from carbonopt.workload.layer import Layer
from carbonopt.workload.network import Network

LAYER = Layer("a", "conv", (2, 24, 1, 20, 20, 6, 3, 3), input_size=(22, 22))
PUBLISHED = np.array([200.0] * 3 + [6.0] * 3 + [2.0] * 3 + [1.0] * 4)
ROOM = {"sram": "18 KiB", "rows": 6, "cols": 7}


def chosen(layer: Layer, **knobs: str | int) -> tuple[int, ...]:
    array = array_of(eyeriss(**knobs))
    return chip_mapping(shape_of(layer), sizes_of(array), array)


def allowed(layer: Layer, **knobs: str | int) -> list[tuple[int, ...]]:
    """Every mapping by the rules, written down as they are said, for 3 x 3 kernels at stride 1."""
    array, (b, k, _, f, _, c, *_) = array_of(eyeriss(**knobs)), layer.sizes
    shape, sizes, found = shape_of(layer), sizes_of(array), []
    shared = product(*map(evenly, (k, b)), range(1, f + 1), evenly(k), *map(evenly, (c, c, k)))
    for m, n, e, p, q, r, t in shared:
        inputs = q * r * (e + 2) * (f + 2)
        banks = math.ceil(n * inputs / 2048) + math.ceil(n * m * e * f / 2048)
        even = m % (p * t) == 0 and c % (q * r) == 0
        whole = banks <= array.banks and (inputs <= 2048 or q * r == 1)
        if even and whole and fits(shape, sizes, np.array([m, n, e, p, q, r, t])):
            found.append((m, n, e, p, q, r, t))
    most = max(busy(x) for x in found)
    return [x for x in found if busy(x) >= 0.9 * most]


def evenly(number: int) -> list[int]:
    return [each for each in range(1, number + 1) if number % each == 0]


def busy(mapping: tuple[int, ...]) -> int:
    _, _, e, _, _, r, t = mapping
    return 3 * e * r * t


@pytest.mark.parametrize("channels", [6, 7])
def test_it_is_the_least_energy_of_all_that_the_rules_allow(channels):
    layer = dataclasses.replace(LAYER, sizes=(2, 24, 1, 20, 20, channels, 3, 3))
    array = array_of(eyeriss(**ROOM))
    unit = np.array([*PUBLISHED, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0])

    def energy(mapping: tuple[int, ...]) -> float:
        counted = account(shape_of(layer), sizes_of(array), unit, np.array(mapping))
        return float(counted[:13] @ PUBLISHED)

    found = chosen(layer, **ROOM)
    assert found in allowed(layer, **ROOM)
    least = min(energy(x) for x in allowed(layer, **ROOM))
    assert energy(found) == pytest.approx(least, rel=1e-12)


def test_zeros_bits_and_energies_of_the_machine_do_not_change_it():
    other = dataclasses.replace(LAYER, zero_share=0.5, pruned_share=0.5, weight_bits=4)
    assert chosen(other, **ROOM) == chosen(LAYER, **ROOM) == chosen(LAYER, node="28 nm", **ROOM)


def test_it_is_never_better_than_the_one_that_is_solved():
    solved = network_cost(Network("one", (LAYER,)), eyeriss(**ROOM), "optimal")
    (layer,) = network_cost(
        Network("one", (LAYER,)), eyeriss(mappings="chip", **ROOM), "optimal"
    ).layers
    assert layer.energy_pj * layer.cycles >= solved.energy_pj * solved.cycles


def test_a_buffer_of_too_few_banks_is_refused_for_all_layers_at_once():
    layers = (LAYER, dataclasses.replace(LAYER, name="b"))
    with pytest.raises(MappingError) as error:
        network_cost(Network("two", layers), eyeriss(mappings="chip", sram="4 KiB"), "optimal")
    assert str(error.value) == (
        f"layers {LAYER.name!r}, 'b' cannot be mapped onto eyeriss: its buffer needs 2 banks of "
        "2,048 words, has 0: a larger sram is needed, or mappings=any"
    )


@pytest.mark.parametrize("name", ["resnet8", "ds_cnn", "autoencoder", "vit_b16_block"])
def test_networks_of_all_kinds_have_one(name):
    """Rectangular, strided, depthwise, dense and matrix products."""
    assert evaluate_one(name, "eyeriss", {"mappings": "chip"})["energy_j"] > 0.0
