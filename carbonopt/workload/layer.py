"""One layer as the nested loops that every performance model reads."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Literal

DIMS = ("B", "K", "G", "OX", "OY", "C", "FX", "FY")
"""Loop dimensions in canonical order: batch, output channels per group, groups, output
width and height, input channels per group, kernel width and height."""

_STEPS = 2**20  # of a bit

LayerKind = Literal["conv", "gemm", "matmul"]


@dataclass(frozen=True)
class Layer:
    """A convolution or matrix product as eight loop bounds and the geometry of its input.

    A fully connected layer has G = OX = OY = FX = FY = 1; in a `matmul` the operand called
    weights is an activation too, and a batched product has one G per matrix of the batch.

    Parameters
    ----------
    name
        Name of the ONNX node, unique in its network.
    kind
        ``conv``, ``gemm`` or ``matmul``.
    sizes
        Loop bounds (8,) in the order of `DIMS`; K and C count channels of one group.
    stride, dilation
        Of the kernel along x (width) and y (height) [elements].
    input_size
        True extent of the input tensor along x and y, without padding [elements].
    predecessors
        Positions in `Network.layers` of the layers whose output reaches this one, directly
        or through nodes that are not modelled.
    weight_bits, input_bits, psum_bits, output_bits
        Precisions [bit]; partial sums are wider than final outputs.
    pruned_share
        Share of the weights that are pruned: neither stored nor multiplied, in [0, 1).
    zero_share
        Share of the input elements that are zero, in [0, 1).
    """

    name: str
    kind: LayerKind
    sizes: tuple[int, int, int, int, int, int, int, int]
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    input_size: tuple[int, int] = (1, 1)
    predecessors: tuple[int, ...] = ()
    weight_bits: int = 8
    input_bits: int = 8
    psum_bits: int = 16
    output_bits: int = 8
    pruned_share: float = 0.0
    zero_share: float = 0.0

    @property
    def anonymous(self) -> Layer:
        """The layer without name and neighbours: equal for layers that map alike."""
        return dataclasses.replace(self, name="", predecessors=())

    @property
    def precisions(self) -> tuple[float, ...]:
        """Bits of weights, inputs, partial sums and outputs, and share of pruned weights."""
        bits = (self.weight_bits, self.input_bits, self.psum_bits, self.output_bits)
        return (*bits, self.pruned_share)

    @property
    def loops(self) -> dict[str, int]:
        """Loop bounds by dimension name."""
        return dict(zip(DIMS, self.sizes, strict=True))

    @property
    def macs(self) -> int:
        """Multiply-accumulates: the product of all loop bounds."""
        return math.prod(self.sizes)

    @property
    def stored_weight_bits(self) -> float:
        """Bits that a weight takes in a memory, on average over pruned ones, which take none.

        q_w (1 - z), in steps of 2^-20 bit so that sums and products with counts stay exact.
        Where the pruned weights were is taken to cost nothing.
        """
        if not self.pruned_share:
            return float(self.weight_bits)
        return max(round(self.weight_bits * (1 - self.pruned_share) * _STEPS), 1) / _STEPS

    @property
    def weights(self) -> int:
        """Elements of the W operand: G K C FX FY (an activation in a `matmul`)."""
        _, k, g, _, _, c, fx, fy = self.sizes
        return g * k * c * fx * fy

    @property
    def inputs(self) -> int:
        """Elements of the input tensor: B G C times its true extent."""
        b, _, g, _, _, c, _, _ = self.sizes
        return b * g * c * self.input_size[0] * self.input_size[1]

    @property
    def outputs(self) -> int:
        """Elements of the output tensor: B G K OX OY."""
        b, k, g, ox, oy, _, _, _ = self.sizes
        return b * g * k * ox * oy
