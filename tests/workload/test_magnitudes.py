"""Weights out of ONNX files and tables."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from carbonopt.errors import SpecError
from carbonopt.workload.load import load_network
from carbonopt.workload.magnitudes import weight_magnitudes

KERNEL = np.arange(-4.0, 5.0, dtype=np.float32).reshape(1, 1, 3, 3)
MATRIX = np.linspace(-1, 1, 32, dtype=np.float32).reshape(16, 2)


@pytest.fixture
def model(tmp_path):
    """A convolution whose weights are an initializer, a product whose weights are a constant."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="conv"),
        helper.make_node("Flatten", ["c"], ["f"]),
        helper.make_node("Constant", [], ["m"], value=numpy_helper.from_array(MATRIX)),
        helper.make_node("MatMul", ["f", "m"], ["y"], name="dense"),
    ]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 6, 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2])],
        [numpy_helper.from_array(KERNEL, "w")],
    )  # fmt: skip
    file = tmp_path / "tiny.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), str(file))
    return file


def test_weights_of_a_model_by_layer(model):
    found = weight_magnitudes(model, load_network(model))
    assert list(found) == ["conv", "dense"]
    assert found["conv"].tolist() == np.abs(KERNEL).ravel().tolist()
    assert found["dense"] == pytest.approx(np.abs(MATRIX).ravel())


def test_a_table_gives_them_too(model, tmp_path):
    file = tmp_path / "weights.csv"
    rows = [f"conv,{-n}" for n in range(9)] + [f"dense,{n}" for n in range(32)]
    file.write_text("\n".join(["layer,magnitude", *rows]))
    assert weight_magnitudes(file, load_network(model))["conv"].tolist() == list(range(9))
    file.write_text("\n".join(["layer,magnitude", *rows[:-1]]))
    with pytest.raises(SpecError, match="got 31 weights of layer 'dense', allowed: 32"):
        weight_magnitudes(file, load_network(model))
    file.write_text("\n".join(["layer,magnitude", "conv,x", *rows[1:]]))
    with pytest.raises(SpecError, match="got a weight of layer 'conv' that is no number"):
        weight_magnitudes(file, load_network(model))
    file.write_text("layer,weight\nconv,1\n")
    with pytest.raises(SpecError, match="got no column magnitude, allowed: layer,magnitude"):
        weight_magnitudes(file, load_network(model))


def test_what_holds_no_weights_says_which_layers_lack_them(model, tmp_path):
    with pytest.raises(SpecError) as error:
        weight_magnitudes(model, load_network("resnet8"))
    assert len(error.value.faults) == 10
    assert "got 0 weights of layer 'stem', allowed: 432" in error.value.faults[0]
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    with pytest.raises(SpecError, match=r"broken\.onnx: truncated, or not an ONNX model"):
        weight_magnitudes(broken, load_network("resnet8"))
    with pytest.raises(SpecError, match=r"none\.onnx: cannot be read"):
        weight_magnitudes(tmp_path / "none.onnx", load_network("resnet8"))
