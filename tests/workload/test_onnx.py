"""ONNX models as networks: published files, every node type, and every kind of fault."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from carbonopt.errors import SpecError
from carbonopt.workload.onnx import network_of, read_onnx

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"


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


# --- files that the onnx package carries -------------------------------------------------------


@pytest.mark.reference
def test_light_models_have_their_published_counts(reference):
    table = reference("published_networks.csv").set_index("model").filter(like="light_", axis=0)
    assert len(table) == len(list(LIGHT.glob("*.onnx"))) == 9
    for name, fact in table.iterrows():
        network = read_onnx(LIGHT / f"{name}.onnx")
        assert (network.macs, network.weights) == (fact["macs"], fact["weights"]), name
        if fact["published_macs"] > 0:
            relative = fact["macs_tolerance"]
            assert network.macs == pytest.approx(fact["published_macs"], rel=relative), name


def counts(*convolutions):
    """MACs and weights of (filters, channels per group, kernel, output extent)."""
    weights = [k * c * f * f for k, c, f, _ in convolutions]
    return sum(w * o[3] ** 2 for w, o in zip(weights, convolutions, strict=True)), sum(weights)


def test_zfnet_by_formula():
    expected = counts(
        (96, 3, 7, 109), (256, 96, 5, 25), (512, 256, 3, 12), (512, 512, 3, 12),
        (512, 512, 3, 12), (4096, 512, 6, 1), (1024, 4096, 1, 1), (1000, 1024, 1, 1),
    )  # fmt: skip
    network = read_onnx(LIGHT / "light_zfnet512.onnx")
    assert (network.macs, network.weights) == expected


def test_shufflenet_by_formula():
    rows = [(24, 3, 3, 112)]
    before, extent = 24, 56
    for filters, blocks in ((136, 4), (272, 8), (544, 4)):
        for block in range(blocks):
            new = filters - before if block == 0 else filters
            rows.append((new, before // 4, 1, extent))
            extent = extent // 2 if block == 0 else extent
            rows += [(new, 1, 3, extent), (new, new // 4, 1, extent)]
            before = filters
    network = read_onnx(LIGHT / "light_shufflenet.onnx")
    assert (network.macs, network.weights) == counts(*rows, (1000, 544, 1, 1))


def test_inception_v2_by_formula():
    rows = [(64, 3, 7, 112), (64, 64, 1, 56), (192, 64, 3, 56)]
    blocks = (
        (28, 0, 192, 64, (64, 64), (64, 96), 32),
        (28, 0, 256, 64, (64, 96), (64, 96), 64),
        (28, 1, 320, 0, (128, 160), (64, 96), 0),
        (14, 0, 576, 224, (64, 96), (96, 128), 128),
        (14, 0, 576, 192, (96, 128), (96, 128), 128),
        (14, 0, 576, 160, (128, 160), (128, 160), 96),
        (14, 0, 576, 96, (128, 192), (160, 192), 96),
        (14, 1, 576, 0, (128, 192), (192, 256), 0),
        (7, 0, 1024, 352, (192, 320), (160, 224), 128),
        (7, 0, 1024, 352, (192, 320), (192, 224), 128),
    )
    for extent, halved, channels, point, (reduce3, out3), (reduce5, out5), pool in blocks:
        out = extent // 2 if halved else extent
        rows += [(point, channels, 1, extent), (pool, channels, 1, extent)]
        rows += [(reduce3, channels, 1, extent), (out3, reduce3, 3, out)]
        rows += [(reduce5, channels, 1, extent), (out5, reduce5, 3, extent), (out5, out5, 3, out)]
    network = read_onnx(LIGHT / "light_inception_v2.onnx")
    assert (network.macs, network.weights) == counts(*rows, (1000, 1024, 1, 1))


def test_squeezenet_branches_meet_again():
    layers = read_onnx(LIGHT / "light_squeezenet.onnx").layers
    assert [layer.predecessors for layer in layers[:5]] == [(), (0,), (1,), (1,), (2, 3)]


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


# --- batch -------------------------------------------------------------------------------------


def dynamic(first="N", length=16):
    nodes = [node("Conv", "x w", "a"), node("Conv", "a v", "y")]
    weights = [stripped("w", 2, 2, 3, 3), stripped("v", 2, 2, 3, 3)]
    return model(nodes, {"x": (first, 2, 16, length)}, weights)


@pytest.mark.parametrize("first", ["N", None, 0, -1])
def test_batch_replaces_a_dynamic_dimension(first):
    network = network_of(dynamic(first), "net", where="net", batch=3)
    assert [layer.sizes[0] for layer in network.layers] == [3, 3]
    one = network_of(dynamic(1), "net", where="net")
    assert network.layers == tuple(
        replace(layer, sizes=(3, *layer.sizes[1:])) for layer in one.layers
    )


def test_batch_replaces_its_symbol_everywhere():
    nodes = [node("MatMul", "a b")]
    inputs = {"a": ("N", 4, 5), "b": (2, 5, "N")}
    with pytest.raises(SpecError, match="'a' is"):
        layers_of(nodes, inputs)
    (layer,) = layers_of(nodes, inputs, batch=2)
    assert layer.sizes == (4, 2, 2, 1, 1, 5, 1, 1)


def test_a_fixed_batch_is_not_overridden():
    assert network_of(dynamic(2), "net", where="net", batch=2).layers[0].sizes[0] == 2
    with pytest.raises(SpecError, match=r"m.onnx: batch: got 4, allowed: \[2\] \(fixed"):
        network_of(dynamic(2), "net", where="m.onnx", batch=4)


# --- faults ------------------------------------------------------------------------------------


def test_unknown_shapes_are_all_named_at_once():
    with pytest.raises(SpecError) as caught:
        network_of(dynamic("N", "W"), "net", where="m.onnx")
    assert caught.value.faults == [
        "m.onnx: node 'a' (Conv): shape of tensor 'x' is [N, 2, 16, W], needed: every dimension",
        "m.onnx: node 'y' (Conv): shape of tensor 'a' is [N, 2, 14, ?], needed: every dimension",
        "m.onnx: input 'x': dynamic dimension 0 (N), 3 (W): set the first one with `batch`, "
        "for example batch=1, and fix the others in the file",
    ]


def test_unknown_ranks_are_named():
    nodes = [helper.make_node("Own", ["x"], ["a"], domain="own"), node("Conv", "a w")]
    anything = helper.make_tensor_value_info("x", TensorProto.FLOAT, None)
    with pytest.raises(SpecError) as caught:
        layers_of(nodes, {"x": anything}, [stripped("w", 1, 1, 1, 1)])
    assert "shape of tensor 'a' is unknown" in caught.value.faults[0]
    assert "input 'x': its rank is unknown" in caught.value.faults[1]


@pytest.mark.parametrize(
    ("operation", "x", "w", "message"),
    [
        (node("Conv", "x w"), (1, 4, 8, 8), (8, 3, 1, 1), "4 input channels, 8 filters"),
        (node("Conv", "x w", group=2), (1, 4, 8, 8), (3, 2, 1, 1), "3 filters and 2 groups"),
        (node("ConvTranspose", "x w"), (1, 4, 8, 8), (3, 8, 1, 1), "weights for 3 input"),
        (node("ConvTranspose", "x w"), (1, 4, 8), (4, 8, 1, 1), "ranks differ"),
        (node("Conv", "x w", strides=[0, 1]), (1, 3, 8, 8), (8, 3, 1, 1), "shape of tensor 'y'"),
        (node("Gemm", "x w"), (5,), (5, 7), "inner dimensions differ"),
        (node("Gemm", "x"), (5,), (5, 7), "an operand or its output is missing"),
        (node("Gemm", "x w"), (1, 5), (5, 0), r"shape of tensor 'w' is \[5, 0\]"),
        (node("MatMul", "x w"), (4, 5), (6, 7), r"inner dimensions differ: \[4, 5\] times"),
        (node("MatMul", "x w"), (2, 4, 5), (3, 5, 7), r"leading dimensions differ: \[2, 4, 5\]"),
    ],
)
def test_contradicting_shapes(operation, x, w, message):
    with pytest.raises(
        SpecError, match=rf"net.onnx: node 'y' \({operation.op_type}\): .*{message}"
    ):
        layers_of([operation], {"x": x}, [stripped("w", *w)])


def test_tensors_from_nowhere():
    with pytest.raises(SpecError, match="nothing before it computes its input 'z'"):
        layers_of([node("Gemm", "z w")], {"x": (1, 5)}, [stripped("w", 5, 5)])


def test_no_supported_layer():
    with pytest.raises(SpecError, match=r"m.onnx: no layer to model; got: 2 Relu; allowed: Conv,"):
        network_of(
            model([node("Relu", "x", "a"), node("Relu", "a")], {"x": (1, 5)}),
            "net",
            where="m.onnx",
        )


@pytest.mark.parametrize(
    "content",
    [b"", b"this is no model\n" * 9, dynamic().SerializeToString()[:90]],
    ids=["empty", "text", "truncated"],
)
def test_what_is_no_model(tmp_path, content):
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(SpecError, match=r"bad\.onnx: truncated, or not an ONNX model"):
        read_onnx(path)


def test_every_truncation_is_a_fault(tmp_path):
    content = dynamic(1).SerializeToString()
    path = tmp_path / "cut.onnx"
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        with pytest.raises(SpecError, match=r"cut\.onnx: "):
            read_onnx(path)


def test_a_folder_is_no_model(tmp_path):
    with pytest.raises(SpecError, match="cannot be read: Is a directory"):
        read_onnx(tmp_path)
