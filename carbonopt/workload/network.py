"""A network: its modelled layers in topological order, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from carbonopt.workload.layer import Layer


@dataclass(frozen=True)
class Network:
    """Layers in topological order with their data dependencies.

    Parameters
    ----------
    name
        Zoo name, or the stem of the ONNX file.
    layers
        Modelled layers (L,), each naming its predecessors by position.
    not_modelled
        Node type to number of nodes that carry no cost in the models.
    """

    name: str
    layers: tuple[Layer, ...]
    not_modelled: Mapping[str, int] = field(default_factory=dict)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference."""
        return sum(layer.macs for layer in self.layers)

    @property
    def weights(self) -> int:
        """Trained weights, without biases; operands of activation products do not count."""
        return sum(layer.weights for layer in self.layers if layer.kind != "matmul")

    def successors(self, position: int) -> tuple[int, ...]:
        """Positions of the layers that read the output of the layer at `position`."""
        return tuple(i for i, layer in enumerate(self.layers) if position in layer.predecessors)
