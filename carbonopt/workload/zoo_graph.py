"""Growing an ONNX graph node by node, with weights that have a shape and no values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

_OPSET = 21
_IR_VERSION = 10


class GraphBuilder:
    """An ONNX graph in the making; every node is named after what it does.

    Tensors bear the name of the node that computes them. Convolutions include their folded
    batch normalisation, which is why each has a bias.

    Parameters
    ----------
    name
        Of the graph.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.nodes: list[NodeProto] = []
        self.inputs: list[ValueInfoProto] = []
        self.constants: list[TensorProto] = []
        self.channels: dict[str, int] = {}

    def input(
        self, name: str, shape: Sequence[int], channels: int, kind: int = TensorProto.FLOAT
    ) -> str:
        """Declare an input of the graph; `channels` is its extent along the channel axis."""
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        self.channels[name] = channels
        return name

    def image(self, batch: int, channels: int, height: int, width: int) -> str:
        """Declare the image that a vision network reads."""
        return self.input("image", (batch, channels, height, width), channels)

    def weight(self, name: str, shape: Sequence[int]) -> str:
        """Declare a trained tensor; only its shape is stored."""
        self.constants.append(TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape))
        return name

    def integers(self, name: str, values: Sequence[int]) -> str:
        """Declare an integer vector, such as the target of a reshape."""
        self.constants.append(
            helper.make_tensor(name, TensorProto.INT64, [len(values)], list(values))
        )
        return name

    def node(
        self,
        kind: str,
        inputs: Sequence[str],
        name: str,
        *,
        channels: int | None = None,
        **attributes: Any,  # noqa: ANN401
    ) -> str:
        """Add a node of any type; its output has the channels of the first input, or these."""
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        self.channels[name] = self.channels[inputs[0]] if channels is None else channels
        return name

    def conv(
        self,
        data: str,
        filters: int,
        kernel: int | tuple[int, int],
        name: str,
        *,
        stride: int = 1,
        groups: int = 1,
        dilation: int = 1,
        pad: int | None = None,
        activation: str | None = "Relu",
    ) -> str:
        """Add a convolution and its activation.

        Parameters
        ----------
        data
            Tensor (batch, channels, height, width).
        filters
            Output channels.
        kernel
            Height and width, or both.
        name
            Of the convolution.
        stride, groups, dilation
            As ONNX has them, equal along height and width.
        pad
            On every side; None pads as TensorFlow's SAME does.
        activation
            Node type, or None.

        Returns
        -------
        str
            The output tensor.
        """
        height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
        shape = (filters, self.channels[data] // groups, height, width)
        inputs = [data, self.weight(f"{name}/w", shape), self.weight(f"{name}/b", (filters,))]
        padding: dict[str, Any] = {"auto_pad": "SAME_UPPER"} if pad is None else {"pads": [pad] * 4}
        output = self.node(
            "Conv",
            inputs,
            name,
            channels=filters,
            kernel_shape=[height, width],
            strides=[stride] * 2,
            dilations=[dilation] * 2,
            group=groups,
            **padding,
        )
        return self.node(activation, [output], f"{name}/{activation}") if activation else output

    def depthwise(
        self, data: str, kernel: int, name: str, *, stride: int = 1, dilation: int = 1
    ) -> str:
        """Add a convolution of each channel by itself, and its activation."""
        channels = self.channels[data]
        return self.conv(
            data, channels, kernel, name, stride=stride, groups=channels, dilation=dilation
        )

    def max_pool(self, data: str, kernel: int, stride: int, name: str, pad: int = 0) -> str:
        """Add the maximum over windows."""
        return self.node(
            "MaxPool",
            [data],
            name,
            kernel_shape=[kernel] * 2,
            strides=[stride] * 2,
            pads=[pad] * 4,
        )

    def global_pool(self, data: str, name: str = "pool") -> str:
        """Add the mean over height and width, which become 1."""
        return self.node("GlobalAveragePool", [data], name)

    def flatten(self, data: str, features: int, name: str = "flatten") -> str:
        """Add the join of all axes but the batch, of `features` elements in all."""
        return self.node("Flatten", [data], name, channels=features)

    def dense(self, data: str, features: int, name: str, activation: str | None = None) -> str:
        """Add a fully connected layer on (batch, channels), and its activation."""
        weight = self.weight(f"{name}/w", (features, self.channels[data]))
        bias = self.weight(f"{name}/b", (features,))
        output = self.node("Gemm", [data, weight, bias], name, channels=features, transB=1)
        return self.node(activation, [output], f"{name}/{activation}") if activation else output

    def linear(self, data: str, features: int, name: str, *, bias: bool = True) -> str:
        """Add a matrix of weights on (..., channels), and its bias."""
        weight = self.weight(f"{name}/w", (self.channels[data], features))
        output = self.node("MatMul", [data, weight], name, channels=features)
        if not bias:
            return output
        return self.node("Add", [output, self.weight(f"{name}/b", (features,))], f"{name}/bias")

    def add(self, left: str, right: str, name: str, activation: str | None = None) -> str:
        """Add the sum of two tensors, and its activation."""
        output = self.node("Add", [left, right], name)
        return self.node(activation, [output], f"{name}/{activation}") if activation else output

    def concat(self, tensors: Sequence[str], name: str, axis: int = 1) -> str:
        """Add the join of tensors; along axis 1 their channels add up."""
        total = sum(self.channels[tensor] for tensor in tensors)
        channels = total if axis == 1 else self.channels[tensors[0]]
        return self.node("Concat", tensors, name, channels=channels, axis=axis)

    def reshape(self, data: str, shape: Sequence[int], name: str, channels: int) -> str:
        """Add a new shape; 0 keeps an extent and -1 is what remains."""
        target = self.integers(f"{name}/shape", shape)
        return self.node("Reshape", [data, target], name, channels=channels)

    def model(self, outputs: Sequence[str], kind: int = TensorProto.FLOAT) -> ModelProto:
        """Close the graph.

        Parameters
        ----------
        outputs
            Tensors that the graph returns.
        kind
            Of their elements.

        Returns
        -------
        ModelProto
            Its weights have shapes and no values: it can be analysed, not run.
        """
        infos = [helper.make_tensor_value_info(o, kind, None) for o in outputs]
        graph = helper.make_graph(self.nodes, self.name, self.inputs, infos, self.constants)
        weights = sum(math.prod(constant.dims) for constant in self.constants)
        return helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR_VERSION,
            producer_name="carbonopt",
            doc_string=f"shapes only: the values of {weights} trained numbers are left out",
        )
