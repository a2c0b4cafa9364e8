"""Which weights to prune first: by the energy of their layer, by its MACs, or by magnitude."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from carbonopt.arrays import Floats
from carbonopt.compress.device import Device
from carbonopt.compress.rank import CRITERIA, LayerUse, layer_uses, ranked
from carbonopt.errors import ModelRangeError
from carbonopt.evaluate import Evaluation

MAGNITUDE, PER_WEIGHT = "magnitude", "energy/weight"


@dataclass(frozen=True)
class Pruned:
    """A network of which some weights are pruned.

    Parameters
    ----------
    order
        By what the weights were chosen.
    counts
        Pruned weights by layer.
    found
        What the network takes then.
    """

    order: str
    counts: Mapping[str, int]
    found: Evaluation


def in_order(uses: Sequence[LayerUse], count: int, most: float) -> dict[str, int]:
    """Prune layers one after the other, as far as they may be, until so many weights are gone.

    Parameters
    ----------
    uses
        Layers in the order in which they are pruned.
    count
        Weights to prune in all.
    most
        Share of a layer's weights that may be pruned.

    Examples
    --------
    >>> layers = [LayerUse("a", 1, 100, 1, 1, 1), LayerUse("b", 1, 50, 1, 1, 1)]
    >>> in_order(layers, 100, 0.9)
    {'a': 90, 'b': 10}
    """
    counts: dict[str, int] = {}
    for use in uses:
        counts[use.name] = min(count - sum(counts.values()), math.floor(most * use.weights))
    return counts


def by_magnitude(magnitudes: Mapping[str, Floats], count: int, most: float) -> dict[str, int]:
    """Prune the smallest weights of a network, of no layer more than it may be.

    Parameters
    ----------
    magnitudes
        Of all weights of each layer (n,).
    count, most
        As in `in_order`.

    Examples
    --------
    >>> by_magnitude({"a": np.array([0.1, 0.2, 0.9]), "b": np.array([0.3, 0.4])}, 3, 0.7)
    {'a': 2, 'b': 1}
    """
    allowed = [np.sort(each)[: math.floor(most * len(each))] for each in magnitudes.values()]
    owner = np.repeat(np.arange(len(allowed)), [len(each) for each in allowed])
    taken = owner[np.argsort(np.concatenate(allowed), kind="stable")[:count]]
    counts = np.bincount(taken, minlength=len(allowed)).tolist()
    return dict(zip(magnitudes, counts, strict=True))


def pruning_orders(
    device: Device,
    share: float,
    *,
    most: float,
    chosen: Mapping[str, float],
    magnitudes: Mapping[str, Floats] | None = None,
) -> list[Pruned]:
    """Prune the same number of weights in several orders, and say what the network takes then.

    Parameters
    ----------
    device
        The design.
    share
        Of all weights, to be pruned, in [0, most].
    most
        Share of one layer's weights that may be pruned, below 1.
    chosen
        Bits of the network.
    magnitudes
        Of all weights of each layer, for the order by magnitude, which is left out without them.

    Returns
    -------
    list of Pruned
        By magnitude, then by each of `carbonopt.compress.rank.CRITERIA` and by the energy of a
        layer over its weights, the most first.

    Raises
    ------
    ModelRangeError
        A share outside its range.

    References
    ----------
    .. [1] T.-J. Yang, Y.-H. Chen, V. Sze, Designing Energy-Efficient Convolutional Neural
       Networks using Energy-Aware Pruning, CVPR 2017: layers that take the most energy first.
    """
    if not 0.0 < most < 1.0:
        raise ModelRangeError(f"most: got {most:g}, allowed: above 0 to below 1")
    uses = [use for use in layer_uses(device.evaluate(chosen)) if use.weights]
    total = sum(use.weights for use in uses)
    room = sum(math.floor(most * use.weights) for use in uses)
    if not (0.0 <= share <= 1.0 and (count := round(share * total)) <= room):
        raise ModelRangeError(f"share: got {share:g}, allowed: from 0 to {room / total:.4g} (most)")
    orders = {MAGNITUDE: by_magnitude(magnitudes, count, most)} if magnitudes else {}
    orders |= {each: in_order(ranked(uses, each), count, most) for each in CRITERIA}
    dear = sorted(uses, key=lambda use: -use.energy_j / use.weights)
    orders[PER_WEIGHT] = in_order(dear, count, most)
    weights = {use.name: use.weights for use in uses}
    return [
        Pruned(name, counts, device.evaluate({
            **chosen, **{f"pruned_share@{layer}": n / weights[layer] for layer, n in counts.items()}
        }))
        for name, counts in orders.items()
    ]  # fmt: skip
