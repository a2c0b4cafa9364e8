"""ONNX models as networks: batches, shapes that are not known, and every kind of fault."""

from dataclasses import replace

import pytest
from onnx import TensorProto, helper
from onnx_models import layers_of, model, node, stripped

from carbonopt.errors import SpecError
from carbonopt.workload.onnx import network_of, read_onnx

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
