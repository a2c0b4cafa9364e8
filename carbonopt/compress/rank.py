"""What each layer takes of a design: the order in which compressing it pays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from carbonopt.evaluate import Evaluation

Criterion = Literal["energy", "carbon", "latency", "macs", "weights"]
CRITERIA: tuple[Criterion, ...] = ("energy", "carbon", "latency", "macs", "weights")
"""What layers can be ranked by."""
_S_PER_NS, _J_PER_PJ = 1e-9, 1e-12


@dataclass(frozen=True)
class LayerUse:
    """What one layer takes.

    Parameters
    ----------
    name
        Of the layer.
    macs, weights
        Multiply-accumulates, and trained weights.
    energy_j, latency_s, carbon_ca_g
        Its part of those of the network, which they sum to.
    """

    name: str
    macs: int
    weights: int
    energy_j: float
    latency_s: float
    carbon_ca_g: float

    def by(self, criterion: Criterion) -> float:
        """Return what the layer is ranked by."""
        columns = {"energy": "energy_j", "carbon": "carbon_ca_g", "latency": "latency_s"}
        return float(getattr(self, columns.get(criterion, criterion)))


def layer_uses(found: Evaluation) -> list[LayerUse]:
    """Return what the layers of an evaluated network take, in their order.

    Carbon in continuous activity is operational in proportion to energy and embodied in
    proportion to time: C_l = C_op E_l / E + (C - C_op) L_l / L.
    """
    parts = found.breakdown["carbon_ca_g"]
    operational = parts["operational"]
    rest = sum(parts.values()) - operational
    energy_j, latency_s = found.metrics["energy_j"], found.metrics["latency_s"]
    uses = []
    for mapped in found.cost.layers:
        layer, own_j = mapped.layer, mapped.energy_pj * _J_PER_PJ
        own_s = mapped.cycles * found.machine.clock_ns * _S_PER_NS
        carbon_g = operational * own_j / energy_j + rest * own_s / latency_s
        weights = layer.weights if layer.kind != "matmul" else 0
        uses.append(LayerUse(layer.name, layer.macs, weights, own_j, own_s, carbon_g))
    return uses


def ranked(uses: list[LayerUse], criterion: Criterion) -> list[LayerUse]:
    """Return layers by what they take, the most first, in network order where equal."""
    return sorted(uses, key=lambda use: -use.by(criterion))
