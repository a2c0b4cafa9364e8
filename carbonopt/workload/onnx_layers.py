"""Single ONNX nodes as layers: convolutions and matrix products of every spelling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx

from carbonopt.errors import SpecError
from carbonopt.workload.layer import Layer, LayerKind

OPERANDS = {
    "Conv": (0, 1),
    "ConvInteger": (0, 1),
    "ConvTranspose": (0, 1),
    "QLinearConv": (0, 3),
    "Gemm": (0, 1),
    "MatMul": (0, 1),
    "MatMulInteger": (0, 1),
    "QLinearMatMul": (0, 3),
}
"""Modelled node types, each with the positions of its left (data) and right (weight) operand."""


@dataclass(frozen=True)
class Tensor:
    """What the models ask of a tensor.

    Parameters
    ----------
    name
        In the ONNX graph.
    shape
        Extents; a dimension that is not fixed is its symbol, or ``?``; None if the rank is open.
    constant
        It depends on no input of the graph, or on the shapes of tensors only.
    sources
        Positions of the layers whose output reaches it.
    """

    name: str
    shape: tuple[int | str, ...] | None = None
    constant: bool = False
    sources: tuple[int, ...] = ()

    @property
    def extents(self) -> tuple[int, ...]:
        """The shape, all of it fixed.

        Raises
        ------
        SpecError
            A dimension is open.
        """
        fixed = tuple(d for d in self.shape or () if isinstance(d, int) and d > 0)
        if self.shape is None or len(fixed) < len(self.shape):
            shown = "unknown" if self.shape is None else f"[{', '.join(map(str, self.shape))}]"
            raise SpecError(f"shape of tensor {self.name!r} is {shown}, needed: every dimension")
        return fixed


def layer_of(
    node: onnx.NodeProto, name: str, left: Tensor, right: Tensor, output: Tensor
) -> Layer | str:
    """Return the layer that a node of a type in `OPERANDS` computes, without predecessors.

    Convolution over one dimension has OY = FY = 1, and one over three or more dimensions is not
    modelled. The right operand of a convolution counts as weights wherever it comes from.

    Parameters
    ----------
    node
        Its attributes are read.
    name
        Of the layer.
    left, right
        Operands named by `OPERANDS`.
    output
        First output of the node.

    Returns
    -------
    Layer | str
        The layer, or the label under which the node is listed as not modelled.

    Raises
    ------
    SpecError
        A shape is open, or the shapes contradict each other.
    """
    if node.op_type == "Gemm":
        a = left.extents[::-1] if _integer(node, "transA", 0) else left.extents
        b = right.extents[::-1] if _integer(node, "transB", 0) else right.extents
        return _product(node, name, left, right, a, b)
    if "MatMul" in node.op_type:
        a = left.extents if len(left.extents) > 1 else (1, *left.extents)
        b = right.extents if len(right.extents) > 1 else (*right.extents, 1)
        return _product(node, name, left, right, a, b)
    dimensions = len(right.extents) - 2
    if dimensions not in (1, 2):
        return f"{node.op_type} ({dimensions}-D)"
    if node.op_type == "ConvTranspose":
        return _transposed(node, name, left.extents, right.extents)
    return _convolution(node, name, left.extents, right.extents, output.extents)


def _integer(node: onnx.NodeProto, name: str, default: int) -> int:
    """Value of an integer attribute, or its default."""
    found = [attribute.i for attribute in node.attribute if attribute.name == name]
    return found[0] if found else default


def _integers(node: onnx.NodeProto, name: str, count: int) -> list[int]:
    """Values of an attribute of `count` integers, all 1 where it is missing."""
    found = [list(attribute.ints) for attribute in node.attribute if attribute.name == name]
    values = found[0] if found else [1] * count
    if len(values) != count or min(values) < 1:
        raise SpecError(f"attribute {name!r}: got {values}, allowed: {count} integers > 0")
    return values


def _plane(values: Sequence[int]) -> tuple[int, int]:
    """Order (height, width), or (length,), as (x, y); y = 1 along a missing height."""
    return (values[-1], values[-2] if len(values) > 1 else 1)


def _check_channels(
    data: tuple[int, ...], weight: tuple[int, ...], expected: int, filters: int, groups: int
) -> None:
    """Refuse data that the groups and the weights contradict."""
    if len(data) != len(weight):
        raise SpecError(f"ranks differ: data {list(data)}, weights {list(weight)}")
    channels = data[1]
    if groups < 1 or channels != expected or filters % groups:
        raise SpecError(
            f"{channels} input channels, {filters} filters and {groups} groups do not fit "
            f"weights for {expected} input channels"
        )


def _convolution(
    node: onnx.NodeProto,
    name: str,
    data: tuple[int, ...],
    weight: tuple[int, ...],
    output: tuple[int, ...],
) -> Layer:
    """Loops of a convolution; ONNX writes kernel, stride and dilation as (height, width)."""
    groups = _integer(node, "group", 1)
    filters, channels = weight[:2]
    _check_channels(data, weight, channels * groups, filters, groups)
    dimensions = len(weight) - 2
    return Layer(
        name=name,
        kind="conv",
        sizes=(
            *(data[0], filters // groups, groups),
            *_plane(output[2:]),
            channels,
            *_plane(weight[2:]),
        ),
        stride=_plane(_integers(node, "strides", dimensions)),
        dilation=_plane(_integers(node, "dilations", dimensions)),
        input_size=_plane(data[2:]),
    )


def _transposed(
    node: onnx.NodeProto, name: str, data: tuple[int, ...], weight: tuple[int, ...]
) -> Layer:
    """Loops of a transposed convolution, input stationary.

    Every input pixel meets the whole kernel: MACs = B C_in (C_out / G) k_x k_y i_x i_y. That is
    a pointwise convolution with K = (C_out / G) k_x k_y outputs per input pixel (OX = i_x,
    OY = i_y, FX = FY = 1); the overlap-add of these outputs is not modelled.
    """
    groups = _integer(node, "group", 1)
    channels, filters = weight[:2]
    _check_channels(data, weight, channels, channels, groups)
    extent = _plane(data[2:])
    outputs = filters * math.prod(weight[2:])
    return Layer(
        name=name,
        kind="conv",
        sizes=(data[0], outputs, groups, *extent, channels // groups, 1, 1),
        input_size=extent,
    )


def _product(
    node: onnx.NodeProto,
    name: str,
    left: Tensor,
    right: Tensor,
    a: tuple[int, ...],
    b: tuple[int, ...],
) -> Layer | str:
    """Loops of the product of a (..., M, C) and b (..., C, N).

    The W operand is the constant one; of two activations the one with more matrices, the right
    one if equal, is W unless the other has none to share. Each matrix of W is one G, and every
    other leading dimension folds into B.
    """
    if left.constant and right.constant:
        return f"{node.op_type} (constant)"
    if min(len(a), len(b)) < 2 or a[-1] != b[-2]:
        raise SpecError(f"inner dimensions differ: {list(a)} times {list(b)}")
    if left.constant or (not right.constant and math.prod(a[:-2]) < math.prod(b[:-2])):
        a, b = (*b[:-2], b[-1], b[-2]), (*a[:-2], a[-1], a[-2])
    try:
        batch = math.prod(np.broadcast_shapes(a[:-2], b[:-2]))
    except ValueError:
        raise SpecError(f"leading dimensions differ: {list(a)} times {list(b)}") from None
    groups = math.prod(b[:-2])
    kind: LayerKind = "gemm" if left.constant or right.constant else "matmul"
    return Layer(
        name=name,
        kind=kind,
        sizes=(batch // groups * a[-2], b[-1], groups, 1, 1, a[-1], 1, 1),
    )
