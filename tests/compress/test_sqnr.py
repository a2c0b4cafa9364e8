"""The noise proxy against published quantisers, and against quantised samples."""

import dataclasses

import numpy as np
import pytest

from carbonopt.compress.sqnr import pruning_noise, quantisation_noise, sqnr_proxy
from carbonopt.errors import ModelRangeError
from carbonopt.workload.load import load_network


@pytest.mark.reference
@pytest.mark.parametrize(
    ("bits", "error"),
    [(1, 0.3634), (2, 0.1188), (3, 0.03744), (4, 0.01154), (5, 0.003495)],
)
def test_uniform_quantisers_are_those_of_max(bits, error):
    """J. Max, IRE Trans. Inf. Theory 6(1), 1960, table II."""
    assert quantisation_noise(bits) == pytest.approx(error, rel=1e-3)


def test_each_further_bit_lowers_noise_by_less_than_six_decibel():
    noise = [quantisation_noise(bits) for bits in range(1, 17)]
    gained = 10 * np.log10(np.array(noise[:-1]) / noise[1:])
    assert (gained > 4).all()
    assert (gained < 6.03).all()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_pruning_takes_the_power_of_the_smallest_weights(share):
    weights = np.random.default_rng(1).normal(size=400_000)
    smallest = np.sort(np.abs(weights))[: int(share * len(weights))]
    taken = (smallest**2).sum() / (weights**2).sum()
    assert pruning_noise(share) == pytest.approx(taken, rel=0.03)


def test_noise_of_a_network_is_the_sum_over_its_layers():
    network = load_network("resnet8")
    noise = quantisation_noise(8)
    assert sqnr_proxy(network, {}) == pytest.approx(
        (2 * len(network.layers) + 1) * noise, rel=1e-12
    )
    first = dataclasses.replace(network.layers[0], weight_bits=2, pruned_share=0.5)
    changed = dataclasses.replace(network, layers=(first, *network.layers[1:]))
    more = quantisation_noise(2) - noise + pruning_noise(0.5)
    assert sqnr_proxy(changed, {}) - sqnr_proxy(network, {}) == pytest.approx(more, rel=1e-12)


def test_what_is_outside_is_refused():
    with pytest.raises(ModelRangeError, match="got 17, allowed: whole numbers from 1 to 16"):
        quantisation_noise(17)
    with pytest.raises(ModelRangeError, match=r"got 1\.0, allowed: from 0 to below 1"):
        pruning_noise(1.0)
