"""Noise of uniform quantisation and of pruning: a proxy for quality, which is no accuracy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from statistics import NormalDist

import numpy as np
from scipy.optimize import minimize_scalar

from carbonopt.arrays import Floats
from carbonopt.errors import ModelRangeError
from carbonopt.workload.compression import NETWORK_KNOBS
from carbonopt.workload.layer import Layer
from carbonopt.workload.network import Network

_NORMAL = NormalDist()
_WIDEST = 12.0  # standard deviations that the levels reach at most


def sqnr_proxy(network: Network, chosen: Mapping[str, float]) -> float:
    """Return the noise of a network over its signal, a PROXY for the loss of quality.

    N/S = sum over layers of (d(q_w) + d(q_a) + p(z)), with d of `quantisation_noise` of weights and
    of what the layer hands on, p of `pruning_noise`, and once more d(q_a) where a layer reads the
    input of the network; the SQNR in decibel is -10 log10 of it.

    Parameters
    ----------
    network
        With the bits and pruned shares of a design.
    chosen
        Values of the design's network variables, of no effect here.

    Returns
    -------
    float
        Noise power over signal power [-], the less the better.

    Notes
    -----
    It knows no weights, no data and no training, so it ranks bit widths of one network and
    predicts no accuracy: all layers count alike, weights and activations are taken to be normal
    and independent, and each layer to hand on signal and noise alike. Retraining recovers much
    of what it counts.

    Examples
    --------
    >>> from carbonopt.workload.load import load_network
    >>> loss = sqnr_proxy(load_network("resnet8"), {})
    >>> round(loss, 6), round(-10 * math.log10(loss), 1)
    (0.001841, 27.3)
    """
    return math.fsum(_layer_noise(layer) for layer in network.layers)


def _layer_noise(layer: Layer) -> float:
    """Noise over signal of one layer's result [-]."""
    noise = pruning_noise(layer.pruned_share) + quantisation_noise(layer.output_bits)
    if layer.kind != "matmul":
        noise += quantisation_noise(layer.weight_bits)
    return noise if layer.predecessors else noise + quantisation_noise(layer.input_bits)


@cache
def quantisation_noise(bits: int) -> float:
    """Return the least mean square error of a uniform quantiser of a unit normal variable [-].

    2^b levels, half a step off zero, whose step is the one of least error.

    Raises
    ------
    ModelRangeError
        Bits outside 1 to 16.

    References
    ----------
    .. [1] J. Max, IRE Trans. Inf. Theory 6(1), 1960, table II: 0.3634 (1 bit), 0.1188 (2 bit),
       0.03744 (3 bit), 0.01154 (4 bit), 0.003495 (5 bit).

    Examples
    --------
    >>> [round(quantisation_noise(bits), 4) for bits in (1, 2, 3)]
    [0.3634, 0.1188, 0.0374]
    """
    _check("weight_bits", "bits", bits)
    half = 2 ** (int(bits) - 1)
    found = minimize_scalar(
        lambda reach: _error(reach / half, half), bounds=(0.5, _WIDEST), method="bounded",
        options={"xatol": 1e-9},
    )  # fmt: skip
    return float(found.fun)


def _error(step: float, half: int) -> float:
    """Mean square error of a uniform quantiser with `half` levels on each side of zero [-].

    E = 2 sum over levels y of the integral of (x - y)^2 over the normal density between the
    middles of neighbouring levels; the last one reaches to infinity.
    """
    edges = np.append(step * np.arange(half), np.inf)
    levels = step * (np.arange(half) + 0.5)
    density, below = _density(edges), _below(edges)
    first = density[:-1] - density[1:]
    scaled = np.where(np.isinf(edges), 0.0, edges) * density
    mass = np.diff(below)
    second = mass + scaled[:-1] - scaled[1:]
    return float(2.0 * np.sum(second - 2.0 * levels * first + levels**2 * mass))


def _density(x: Floats) -> Floats:
    """Return the normal density (n,)."""
    density: Floats = np.exp(-(x**2) / 2.0) / math.sqrt(2.0 * math.pi)
    return density


def _below(x: Floats) -> Floats:
    """Return the normal distribution function (n,)."""
    return np.array([0.5 * (1.0 + math.erf(each / math.sqrt(2.0))) for each in x])


def pruning_noise(share: float) -> float:
    """Return the share of the power of normal weights that lies in the smallest ones [-].

    p(z) = z - sqrt(2 / pi) t exp(-t^2 / 2), with t below which a share z of all magnitudes lies.

    Raises
    ------
    ModelRangeError
        A share outside [0, 1).

    Examples
    --------
    >>> pruning_noise(0.0), round(pruning_noise(0.5), 4)
    (0.0, 0.0713)
    """
    _check("pruned_share", "pruned share", share)
    if share == 0.0:
        return 0.0
    t = _NORMAL.inv_cdf((1.0 + share) / 2.0)
    return share - math.sqrt(2.0 / math.pi) * t * math.exp(-t * t / 2.0)


def _check(knob: str, name: str, value: float) -> None:
    """Refuse what a network knob does not hold."""
    if not NETWORK_KNOBS[knob].holds(value):
        raise ModelRangeError(f"{name}: got {value}, allowed: {NETWORK_KNOBS[knob].allowed}")
