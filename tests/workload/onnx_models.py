"""Small ONNX models, built node by node."""

from __future__ import annotations

import onnx
from onnx import TensorProto, helper

from carbonopt.workload.onnx import network_of


def stripped(name, *shape, kind=TensorProto.FLOAT):
    """Weights with a shape and no values."""
    return TensorProto(name=name, data_type=kind, dims=shape)


def model(nodes, inputs, constants=(), outputs=("y",), **options):
    """A model of nodes; inputs map names to shapes."""
    infos = [
        value
        if isinstance(value, onnx.ValueInfoProto)
        else helper.make_tensor_value_info(name, TensorProto.FLOAT, value)
        for name, value in inputs.items()
    ]
    results = [helper.make_empty_tensor_value_info(name) for name in outputs]
    graph = helper.make_graph(nodes, "graph", infos, results, list(constants))
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("own", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10, **options)


def layers_of(*arguments, batch=None, **options):
    return network_of(model(*arguments, **options), "net", where="net.onnx", batch=batch).layers


def node(kind, inputs, outputs="y", **attributes):
    return helper.make_node(kind, inputs.split(), outputs.split(), **attributes)
