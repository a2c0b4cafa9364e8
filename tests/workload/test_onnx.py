"""ONNX models as networks: every node type, constants, graphs and functions."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import layers_of, model, node, stripped

from carbonopt.workload.onnx import network_of, read_onnx

# --- convolutions ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attributes", "x", "w", "sizes"),
    [
        ({}, (2, 3, 9, 7), (8, 3, 5, 3), (2, 8, 1, 5, 5, 3, 3, 5)),
        ({"group": 2}, (1, 6, 8, 8), (4, 3, 3, 3), (1, 2, 2, 6, 6, 3, 3, 3)),
        ({"group": 6}, (1, 6, 8, 8), (6, 1, 3, 3), (1, 1, 6, 6, 6, 1, 3, 3)),
        ({"group": 6}, (1, 6, 8, 8), (12, 1, 3, 3), (1, 2, 6, 6, 6, 1, 3, 3)),
        ({"dilations": [3, 2]}, (1, 1, 9, 9), (1, 1, 3, 3), (1, 1, 1, 5, 3, 1, 3, 3)),
        ({"strides": [2, 1]}, (1, 1, 9, 9), (1, 1, 3, 3), (1, 1, 1, 7, 4, 1, 3, 3)),
        ({"auto_pad": "SAME_UPPER", "strides": [2, 2]}, (1, 1, 9, 8), (1, 1, 3, 3),
         (1, 1, 1, 4, 5, 1, 3, 3)),
        ({"auto_pad": "SAME_LOWER"}, (1, 1, 9, 8), (1, 1, 2, 2), (1, 1, 1, 8, 9, 1, 2, 2)),
        ({"auto_pad": "VALID"}, (1, 1, 9, 8), (1, 1, 2, 2), (1, 1, 1, 7, 8, 1, 2, 2)),
        ({"pads": [4, 1, 5, 1], "strides": [2, 2]}, (1, 1, 49, 10), (64, 1, 10, 4),
         (1, 64, 1, 5, 25, 1, 4, 10)),
        ({"strides": [2]}, (1, 4, 16), (8, 4, 5), (1, 8, 1, 6, 1, 4, 5, 1)),
    ],
)  # fmt: skip
def test_convolution(attributes, x, w, sizes):
    (layer,) = layers_of([node("Conv", "x w", **attributes)], {"x": x}, [stripped("w", *w)])
    assert (layer.kind, layer.sizes) == ("conv", sizes)
    assert layer.input_size == (x[-1], x[2] if len(x) == 4 else 1)
    assert layer.stride == tuple([*attributes.get("strides", [1, 1])[::-1], 1][:2])
    assert layer.dilation == tuple(attributes.get("dilations", [1, 1])[::-1])
    assert layer.weights == np.prod(w)


@pytest.mark.parametrize("kind", ["QLinearConv", "ConvInteger"])
def test_quantised_convolution(kind):
    quantised = "x xs xz w ws wz ys yz" if kind == "QLinearConv" else "x w"
    scales = [stripped(name) for name in ("xs", "ws", "ys")]
    zeros = [stripped(name, kind=TensorProto.UINT8) for name in ("xz", "wz", "yz")]
    weight = stripped("w", 8, 3, 3, 3, kind=TensorProto.UINT8)
    image = helper.make_tensor_value_info("x", TensorProto.UINT8, (1, 3, 8, 8))
    (layer,) = layers_of([node(kind, quantised)], {"x": image}, [weight, *scales, *zeros])
    assert layer.sizes == (1, 8, 1, 6, 6, 3, 3, 3)


@pytest.mark.parametrize(
    ("groups", "w", "sizes"),
    [
        (1, (6, 4, 3, 2), (2, 4 * 3 * 2, 1, 7, 5, 6, 1, 1)),
        (2, (6, 4, 2, 2), (2, 4 * 2 * 2, 2, 7, 5, 3, 1, 1)),
    ],
)
def test_transposed_convolution_is_input_stationary(groups, w, sizes):
    transposed = node("ConvTranspose", "x w", strides=[2, 2], group=groups)
    (layer,) = layers_of([transposed], {"x": (2, 6, 5, 7)}, [stripped("w", *w)])
    assert layer.sizes == sizes
    assert layer.weights == np.prod(w)
    assert layer.macs == 2 * 6 * 5 * 7 * np.prod(w[1:])


def test_three_dimensional_convolution_is_listed():
    nodes = [node("Conv", "x w", "z"), node("Conv", "v u")]
    inputs = {"x": (1, 1, 4, 4, 4), "v": (1, 1, 4, 4)}
    weights = [stripped("w", 1, 1, 3, 3, 3), stripped("u", 1, 1, 3, 3)]
    network = network_of(model(nodes, inputs, weights), "net", where="net")
    assert len(network.layers) == 1
    assert network.not_modelled == {"Conv (3-D)": 1}


# --- matrix products ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trans_a", "trans_b", "a", "b"),
    [(0, 0, (4, 5), (5, 7)), (1, 0, (5, 4), (5, 7)), (0, 1, (4, 5), (7, 5))],
)
def test_gemm(trans_a, trans_b, a, b):
    gemm = node("Gemm", "x w", transA=trans_a, transB=trans_b)
    (layer,) = layers_of([gemm], {"x": a}, [stripped("w", *b)])
    assert (layer.kind, layer.sizes) == ("gemm", (4, 7, 1, 1, 1, 5, 1, 1))


@pytest.mark.parametrize(
    ("x", "w", "sizes"),
    [
        ((2, 3, 4, 5), (5, 7), (24, 7, 1, 1, 1, 5, 1, 1)),
        ((5,), (5, 7), (1, 7, 1, 1, 1, 5, 1, 1)),
        ((4, 5), (5,), (4, 1, 1, 1, 1, 5, 1, 1)),
        ((2, 4, 5), (3, 1, 5, 7), (8, 7, 3, 1, 1, 5, 1, 1)),
        ((3, 4, 5), (3, 5, 7), (4, 7, 3, 1, 1, 5, 1, 1)),
    ],
)
def test_matmul_by_a_constant(x, w, sizes):
    (layer,) = layers_of([node("MatMul", "x w")], {"x": x}, [stripped("w", *w)])
    assert (layer.kind, layer.sizes) == ("gemm", sizes)
    assert layer.weights == np.prod(w)


def test_constant_on_the_left():
    (layer,) = layers_of([node("MatMul", "w x")], {"x": (2, 5, 7)}, [stripped("w", 4, 5)])
    assert (layer.kind, layer.sizes) == ("gemm", (14, 4, 1, 1, 1, 5, 1, 1))


@pytest.mark.parametrize(
    ("a", "b", "sizes"),
    [
        ((1, 12, 197, 64), (1, 12, 64, 197), (197, 197, 12, 1, 1, 64, 1, 1)),
        ((2, 3, 4, 5), (5, 7), (24, 7, 1, 1, 1, 5, 1, 1)),
        ((8, 4, 1, 16), (8, 1, 16, 9), (4, 9, 8, 1, 1, 16, 1, 1)),
        ((4, 5), (2, 3, 5, 7), (42, 4, 1, 1, 1, 5, 1, 1)),
    ],
)
def test_product_of_activations(a, b, sizes):
    (layer,) = layers_of([node("MatMul", "a b")], {"a": a, "b": b})
    assert (layer.kind, layer.sizes) == ("matmul", sizes)
    assert layer.macs == np.prod(np.broadcast_shapes(a[:-2], b[:-2])) * a[-2] * a[-1] * b[-1]


@pytest.mark.parametrize("kind", ["QLinearMatMul", "MatMulInteger"])
def test_quantised_matmul(kind):
    quantised = "x xs xz w ws wz ys yz" if kind == "QLinearMatMul" else "x w"
    scales = [stripped(name) for name in ("xs", "ws", "ys")]
    zeros = [stripped(name, kind=TensorProto.UINT8) for name in ("xz", "wz", "yz")]
    weight = stripped("w", 5, 7, kind=TensorProto.UINT8)
    data = helper.make_tensor_value_info("x", TensorProto.UINT8, (4, 5))
    (layer,) = layers_of([node(kind, quantised)], {"x": data}, [weight, *scales, *zeros])
    assert (layer.kind, layer.sizes) == ("gemm", (4, 7, 1, 1, 1, 5, 1, 1))


# --- constants, graphs, functions --------------------------------------------------------------


def test_weights_behind_other_nodes_are_weights():
    nodes = [
        node("DequantizeLinear", "q s", "d"),
        node("Transpose", "d", "t", perm=[1, 0]),
        node("QuantizeLinear", "x s", "xq"),
        node("DequantizeLinear", "xq s", "xd"),
        node("MatMul", "xd t", "h"),
        node("Shape", "h", "shape"),
        node("ConstantOfShape", "shape", "ones"),
        node("MatMul", "h ones", "g"),
        node("MatMul", "t ones", "folded"),
        node("Add", "g g", "y"),
    ]
    constants = [stripped("q", 5, 5, kind=TensorProto.UINT8), stripped("s")]
    network = network_of(model(nodes, {"x": (5, 5)}, constants), "net", where="net")
    assert [layer.kind for layer in network.layers] == ["gemm", "gemm"]
    assert network.layers[1].predecessors == (0,)
    assert network.weights == 50
    assert network.not_modelled["MatMul (constant)"] == 1
    assert network.not_modelled["DequantizeLinear"] == 2


def test_predecessors_pass_through_other_nodes_once_and_in_order():
    nodes = [
        node("Conv", "x w", "a"),
        node("Conv", "x w", "b"),
        node("Add", "b a", "sum"),
        node("Relu", "sum", "r"),
        node("Concat", "r a", "c", axis=1),
        node("Conv", "c v", "y"),
    ]
    weights = [stripped("w", 2, 2, 1, 1), stripped("v", 2, 4, 1, 1)]
    layers = layers_of(nodes, {"x": (1, 2, 4, 4)}, weights)
    assert [layer.predecessors for layer in layers] == [(), (), (1, 0)]


def test_repeated_and_missing_names_become_unique():
    nodes = [node("Gemm", "x w", "a", name="fc"), node("Gemm", "a w", "b", name="fc")]
    layers = layers_of([*nodes, node("Gemm", "b w")], {"x": (1, 5)}, [stripped("w", 5, 5)])
    assert [layer.name for layer in layers] == ["fc", "fc#2", "y"]


def test_foreign_nodes_and_bodies_are_counted():
    inner = helper.make_graph(
        [node("Conv", "a w", "z"), node("Relu", "z", "out")],
        "body",
        [],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
    )
    nodes = [
        node("Conv", "x w", "a"),
        helper.make_node("If", ["c"], ["b"], then_branch=inner, else_branch=inner),
        helper.make_node("Own", ["b"], ["d"], domain="own"),
        node("Reshape", "d shape", "e"),
        node("Conv", "e w", "y"),
    ]
    shape = helper.make_tensor("shape", TensorProto.INT64, [4], [1, 2, 4, 4])
    condition = helper.make_tensor_value_info("c", TensorProto.BOOL, ())
    inputs = {"x": (1, 2, 4, 4), "c": condition}
    parts = model(nodes, inputs, [stripped("w", 2, 2, 1, 1), shape])
    known = helper.make_tensor_value_info("d", TensorProto.FLOAT, (1, 32))
    parts.graph.value_info.append(known)
    network = network_of(parts, "net", where="net")
    assert network.layers[1].predecessors == (0,)
    assert network.not_modelled == {
        "Conv (in If)": 2, "If": 1, "Relu (in If)": 2, "Reshape": 1, "own.Own": 1,
    }  # fmt: skip


def test_functions_of_the_model_are_inlined():
    opsets = [helper.make_opsetid("", 21)]
    body = [node("Gemm", "a b", "c"), node("Relu", "c", "d")]
    function = helper.make_function("own", "Dense", ["a", "b"], ["d"], body, opsets)
    call = helper.make_node("Dense", ["x", "w"], ["y"], domain="own")
    (layer,) = layers_of([call], {"x": (4, 5)}, [stripped("w", 5, 7)], functions=[function])
    assert layer.macs == 4 * 5 * 7


def test_external_weights_are_not_needed(tmp_path):
    weight = stripped("w", 7, 5)
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="missing.bin")
    path = tmp_path / "external.onnx"
    gemm = node("Gemm", "x w", transB=1)
    path.write_bytes(model([gemm], {"x": (4, 5)}, [weight]).SerializeToString())
    assert read_onnx(path).macs == 4 * 5 * 7
    assert read_onnx(path).name == "external"


def test_values_do_not_matter_and_stay():
    values = onnx.numpy_helper.from_array(np.ones((70, 50), np.float32), "w")
    full = model([node("MatMul", "x w")], {"x": (4, 70)}, [values])
    copy = onnx.ModelProto()
    copy.CopyFrom(full)
    bare = model([node("MatMul", "x w")], {"x": (4, 70)}, [stripped("w", 70, 50)])
    assert network_of(full, "n", where="n") == network_of(bare, "n", where="n")
    assert full == copy
