"""The shipped networks against their published layers, MACs and parameters."""

import math

import onnx
import pytest

from carbonopt.errors import SpecError
from carbonopt.workload import zoo
from carbonopt.workload.layer import DIMS
from carbonopt.workload.load import load_network
from carbonopt.workload.onnx import read_onnx

TINY = ("resnet8", "ds_cnn", "mobilenet_v1", "autoencoder")


def facts_of(layer):
    predecessors = " ".join(map(str, layer.predecessors))
    return (
        *(layer.kind, *layer.sizes, *layer.stride, *layer.input_size),
        *(predecessors, layer.macs, layer.weights),
    )


@pytest.mark.reference
@pytest.mark.parametrize("name", TINY)
def test_tiny_networks_have_the_layers_of_the_benchmark(reference, name):
    table = reference("mlperf_tiny_layers.csv").fillna({"predecessors": ""})
    columns = ["kind", *DIMS, "stride_x", "stride_y", "input_x", "input_y"]
    expected = table[table["network"] == name][[*columns, "predecessors", "macs", "weights"]]
    assert [facts_of(layer) for layer in load_network(name).layers] == [
        tuple(row) for row in expected.itertuples(index=False)
    ]


@pytest.mark.reference
def test_counts_equal_the_published_ones(reference):
    table = reference("published_networks.csv").set_index("model")
    for name in table.index.intersection(zoo.names()):
        network, fact = load_network(name), table.loc[name]
        assert (network.macs, network.weights) == (fact["macs"], fact["weights"]), name
        assert network.macs == pytest.approx(fact["published_macs"], rel=fact["macs_tolerance"])


@pytest.mark.reference
def test_published_parameters_are_weights_biases_and_norms(reference):
    table = reference("published_networks.csv").dropna(subset=["biases_and_norms"])
    assert len(table) > 8
    assert (table["published_parameters"] == table["weights"] + table["biases_and_norms"]).all()


def test_mobilebert_is_its_formula():
    per_block = 2 * 512 * 128 + 2 * 128 * 128 + 512 * 128 + 128 * 128 + 8 * 128 * 512 + 128 * 512
    weights = 384 * 512 + 24 * per_block + 512 * 2
    network = load_network("mobilebert")
    assert network.weights == weights
    assert network.macs == 384 * weights + 24 * 2 * 4 * 384 * 384 * 32


@pytest.mark.parametrize(
    ("name", "tokens", "attended", "width", "weights"),
    [
        ("vit_b16_block", 197, 197, 768, 4 * 768**2 + 2 * 768 * 3072),
        ("bert_base_block", 384, 384, 768, 4 * 768**2 + 2 * 768 * 3072),
        ("llm_decode_block", 1, 2048, 4096, 4 * 4096**2 + 3 * 4096 * 11008),
    ],
)
def test_transformer_blocks_are_their_formula(name, tokens, attended, width, weights):
    network = load_network(name)
    assert network.weights == weights
    assert network.macs == tokens * weights + 2 * tokens * attended * width


@pytest.mark.parametrize("name", zoo.names())
def test_every_layer_but_the_first_reads_an_earlier_one(name):
    layers = load_network(name).layers
    first = 3 if name.endswith("block") else 1
    assert len({layer.name for layer in layers}) == len(layers)
    for position, layer in enumerate(layers):
        assert all(p < position for p in layer.predecessors)
        assert layer.predecessors or position < first


@pytest.mark.parametrize("name", [*TINY, "resnet18", "ssd_mobilenet_v2", "llm_decode_block"])
def test_batch_multiplies_macs_and_leaves_weights(name):
    one, four = load_network(name), load_network(name, batch=4)
    assert four.macs == 4 * one.macs
    assert four.weights == one.weights


def test_dilation_replaces_the_stride_past_the_output_stride():
    layers = {layer.name: layer for layer in load_network("deeplab_v3").layers}
    assert layers["stage6/block1/depthwise"].dilation == (1, 1)
    assert layers["stage6/block2/depthwise"].dilation == (2, 2)
    assert layers["stage7/block1/depthwise"].input_size == (32, 32)


def test_saved_networks_are_small_onnx_files_that_load_alike(tmp_path):
    path = tmp_path / "vgg16.onnx"
    zoo.save("vgg16", path)
    assert path.stat().st_size < 10_000
    assert read_onnx(path) == load_network("vgg16")
    model = onnx.load(path)
    assert sum(math.prod(t.dims) for t in model.graph.initializer) > 138_000_000


def test_unknown_name_lists_the_nearest():
    with pytest.raises(SpecError, match=r"got 'resnet_50', allowed: resnet8.*mean resnet50"):
        zoo.build("resnet_50")
