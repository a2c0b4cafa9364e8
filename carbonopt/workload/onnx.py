"""ONNX models as networks: shapes are inferred and weights are never read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import onnx
import onnx.inliner
import onnx.shape_inference
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from carbonopt.errors import SpecError
from carbonopt.workload.layer import Layer
from carbonopt.workload.network import Network
from carbonopt.workload.onnx_layers import OPERANDS, Tensor, layer_of

_SHAPE_CARRYING = 1024
"""Constants up to this many elements keep their data: they may be the target of a reshape."""

_SHAPE_ONLY = ("Shape", "Size")
"""Nodes whose output depends on the shape of their input alone."""

_MADE_UP = re.compile(r"^unk__\d+$")
"""Symbols that shape inference makes up."""


def read_onnx(path: str | Path, *, batch: int | None = None) -> Network:
    """Read an ONNX file as a network; external weight files need not be there.

    Parameters
    ----------
    path
        Of the file.
    batch
        Replaces the dynamic first dimension of every graph input [-].

    Returns
    -------
    Network
        Named by the stem of the file.

    Raises
    ------
    SpecError
        The file is missing or no ONNX model, or as in `network_of`.
    """
    path = Path(path)
    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror}") from error
    except DecodeError as error:
        raise SpecError(f"{path}: truncated, or not an ONNX model: {error}") from error
    return network_of(model, path.stem, where=str(path), batch=batch)


def network_of(
    model: onnx.ModelProto, name: str, *, where: str, batch: int | None = None
) -> Network:
    """Turn an ONNX model into a network.

    Nodes that are not modelled are counted by type, those of a subgraph as ``Type (in If)``;
    layers on both sides of such nodes are predecessor and successor of each other.

    Parameters
    ----------
    model
        Left as it is.
    name
        Of the network.
    where
        What messages call the model, for example its path.
    batch
        Replaces the dynamic first dimension of every graph input [-].

    Returns
    -------
    Network
        Layers in the order of the nodes; predecessors in the order of the operands.

    Raises
    ------
    SpecError
        The graph is empty, the batch is fixed to another value, shapes are unknown or
        contradictory, or no node is modelled; every fault at once.
    """
    damaged = any(isinstance(text, bytes) for n in model.graph.node for text in (n.op_type, n.name))
    if damaged or not model.graph.node or not model.opset_import:
        raise SpecError(f"{where}: truncated, or not an ONNX model: no nodes or no operator set")
    model = _without_weights(model)
    if batch is not None:
        _set_batch(model.graph, batch, where)
    walk = _Walk(_with_shapes(model, where))
    for node in walk.graph.node:
        walk.visit(node)
    if walk.faults:
        raise SpecError([f"{where}: {fault}" for fault in walk.faults + _open_inputs(walk.graph)])
    if not walk.layers:
        found = ", ".join(f"{count} {kind}" for kind, count in sorted(walk.others.items()))
        raise SpecError(f"{where}: no layer to model; got: {found}; allowed: {', '.join(OPERANDS)}")
    return Network(name, tuple(walk.layers), dict(sorted(walk.others.items())))


def _without_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Copy a model without the data of its large constants."""
    slim = onnx.ModelProto()
    slim.CopyFrom(model)
    for tensor in slim.graph.initializer:
        if sum(len(values) for _, values in _data_fields(tensor)) > _SHAPE_CARRYING:
            for data_field, _ in _data_fields(tensor):
                tensor.ClearField(data_field)
    return slim


def _data_fields(tensor: onnx.TensorProto) -> Iterator[tuple[str, bytes]]:
    """Fields of a tensor that hold its values."""
    for descriptor, value in tensor.ListFields():
        if descriptor.name.endswith("_data"):
            yield descriptor.name, value


def _with_shapes(model: onnx.ModelProto, where: str) -> onnx.ModelProto:
    """Inline the model's own functions and infer every shape that follows from the inputs."""
    try:
        if model.functions:
            model = onnx.inliner.inline_local_functions(model)
        return onnx.shape_inference.infer_shapes(model, data_prop=True)
    except (onnx.shape_inference.InferenceError, RuntimeError, ValueError) as error:
        raise SpecError(f"{where}: shapes cannot be inferred: {error}") from error


def _data_inputs(graph: onnx.GraphProto) -> list[onnx.ValueInfoProto]:
    """List the inputs of the graph that no initializer gives a value to."""
    constants = {tensor.name for tensor in graph.initializer}
    return [value for value in graph.input if value.name not in constants]


def _set_batch(graph: onnx.GraphProto, batch: int, where: str) -> None:
    """Fix the dynamic first dimension of the inputs, and each dimension of the same symbol."""
    symbols: set[str] = set()
    firsts = [v.type.tensor_type.shape.dim[0] for v in _data_inputs(graph) if _rank(v)]
    for dimension in firsts:
        if dimension.dim_value <= 0:
            symbols.add(dimension.dim_param)
            dimension.dim_value = batch
    for value in (*graph.input, *graph.output, *graph.value_info):
        for dimension in value.type.tensor_type.shape.dim:
            if dimension.dim_param and dimension.dim_param in symbols:
                dimension.dim_value = batch
    if all(dimension.dim_value != batch for dimension in firsts):
        got = sorted({dimension.dim_value for dimension in firsts})
        raise SpecError(f"{where}: batch: got {batch}, allowed: {got} (fixed in the model)")


def _rank(value: onnx.ValueInfoProto) -> int:
    """Count dimensions; 0 where the rank is open."""
    return len(value.type.tensor_type.shape.dim)


def _shape(value: onnx.ValueInfoProto) -> tuple[int | str, ...] | None:
    """Extents and symbols of a tensor's dimensions; None where the rank is open."""
    if not value.type.tensor_type.HasField("shape"):
        return None
    dimensions = value.type.tensor_type.shape.dim
    return tuple(
        d.dim_value if d.dim_value > 0 else _MADE_UP.sub("?", d.dim_param or "?")
        for d in dimensions
    )


def _open_inputs(graph: onnx.GraphProto) -> list[str]:
    """Say which dimensions of the inputs are dynamic, and how to fix them."""
    faults = []
    for value in _data_inputs(graph):
        shape = _shape(value)
        if shape is None:
            faults.append(f"input {value.name!r}: its rank is unknown: fix its shape in the file")
            continue
        dynamic = [i for i, extent in enumerate(shape) if isinstance(extent, str)]
        shown = ", ".join(f"{i} ({shape[i]})" for i in dynamic)
        if dynamic:
            faults.append(
                f"input {value.name!r}: dynamic dimension {shown}: set the first one with "
                "`batch`, for example batch=1, and fix the others in the file"
            )
    return faults


@dataclass
class _Walk:
    """Layers, other nodes and faults met while the nodes are visited in order."""

    model: onnx.ModelProto
    layers: list[Layer] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        graph = self.graph = self.model.graph
        infos = (*graph.value_info, *graph.output, *graph.input)
        self.shapes = {value.name: _shape(value) for value in infos}
        self.shapes |= {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
        self.shapes |= {t.values.name: tuple(t.dims) for t in graph.sparse_initializer}
        constants = [tensor.name for tensor in graph.initializer]
        constants += [tensor.values.name for tensor in graph.sparse_initializer]
        self.tensors = {v.name: Tensor(v.name, self.shapes[v.name]) for v in graph.input}
        self.tensors |= {name: Tensor(name, self.shapes[name], True) for name in constants}
        self.names: Counter[str] = Counter()

    def visit(self, node: onnx.NodeProto) -> None:
        """Add the layer of one node, or count it, and follow its outputs."""
        operands = [self._operand(node, name) for name in node.input if name]
        operands += [self.tensors[name] for name in _captured(node) if name in self.tensors]
        sources = tuple(dict.fromkeys(s for operand in operands for s in operand.sources))
        constant = all(operand.constant for operand in operands)
        if node.op_type in _SHAPE_ONLY:
            sources, constant = (), True
        layer = self._layer(node)
        if isinstance(layer, Layer):
            self.layers.append(replace(layer, predecessors=sources))
            sources, constant = (len(self.layers) - 1,), False
        else:
            self.others.update((layer, *_nested(node)))
        for name in node.output:
            self.tensors[name] = Tensor(name, self.shapes.get(name), constant, sources)

    def _operand(self, node: onnx.NodeProto, name: str) -> Tensor:
        """Return the tensor of that name; one that nothing computes is a fault."""
        if name not in self.tensors:
            self.faults.append(f"{_title(node)}: nothing before it computes its input {name!r}")
            self.tensors[name] = Tensor(name, self.shapes.get(name))
        return self.tensors[name]

    def _layer(self, node: onnx.NodeProto) -> Layer | str:
        """Return the layer of a node, or the label to count it under."""
        if node.domain not in ("", "ai.onnx"):
            return f"{node.domain}.{node.op_type}"
        if node.op_type not in OPERANDS:
            return node.op_type
        operands = [node.input[i] for i in OPERANDS[node.op_type] if i < len(node.input)]
        if len(operands) < 2 or not all(operands) or not node.output:
            self.faults.append(f"{_title(node)}: an operand or its output is missing")
            return node.op_type
        left, right = (self.tensors[name] for name in operands)
        output = Tensor(node.output[0], self.shapes.get(node.output[0]))
        try:
            return layer_of(node, self._unique_name(node), left, right, output)
        except SpecError as error:
            self.faults += [f"{_title(node)}: {fault}" for fault in error.faults]
            return node.op_type

    def _unique_name(self, node: onnx.NodeProto) -> str:
        """Name of the node, or of its output; a repeated one gets a number."""
        name = node.name or node.output[0]
        self.names[name] += 1
        return name if self.names[name] == 1 else f"{name}#{self.names[name]}"


def _title(node: onnx.NodeProto) -> str:
    """Name a node in a message."""
    return f"node {node.name or ' '.join(node.output)!r} ({node.op_type})"


def _subgraphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    """Bodies of a control-flow node."""
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            yield attribute.g
        yield from attribute.graphs


def _nested(node: onnx.NodeProto) -> Iterator[str]:
    """Labels of the nodes in the bodies of a control-flow node."""
    for body in _subgraphs(node):
        for inner in body.node:
            yield f"{inner.op_type} (in {node.op_type})"
            yield from _nested(inner)


def _captured(node: onnx.NodeProto) -> Iterator[str]:
    """Names that the bodies of a control-flow node read, their own tensors among them."""
    for body in _subgraphs(node):
        for inner in body.node:
            yield from inner.input
            yield from _captured(inner)
