"""Names, aliases, paths, deployment facts and the plain description."""

import json

import pytest

from carbonopt.data.tables import load_table
from carbonopt.errors import SpecError
from carbonopt.workload import zoo
from carbonopt.workload.load import deployment_facts, describe, load_network, network_names


def test_the_table_has_one_row_per_shipped_network():
    assert list(load_table("workloads.csv")["name"]) == network_names() == zoo.names()


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("ae", "autoencoder"),
        ("deepautoencoder", "autoencoder"),
        ("mobilenet", "mobilenet_v1"),
        ("mobilenet_v2", "ssd_mobilenet_v2"),
        ("deeplabv3", "deeplab_v3"),
    ],
)
def test_an_alias_is_the_network(alias, name):
    assert load_network(alias) == load_network(name)
    assert load_network(alias).name == name
    assert deployment_facts(alias) == deployment_facts(name)


@pytest.mark.parametrize(
    ("name", "period_s", "dram_byte"),
    [
        ("resnet8", 1 / 25, 2**20),
        ("ds_cnn", 1 / 10, 2**20),
        ("mobilenet_v1", 1 / 0.75, 2**20),
        ("autoencoder", 1.0, 2**20),
        ("mobilebert", 1 / 25, 25 * 2**20),
        ("resnet50", None, None),
        ("models/mine.onnx", None, None),
    ],
)
def test_deployment_facts(name, period_s, dram_byte):
    facts = deployment_facts(name)
    assert (facts.period_s, facts.dram_byte) == (period_s, dram_byte)


def test_a_path_loads_as_the_name_does(tmp_path):
    path = tmp_path / "ds_cnn.onnx"
    zoo.save("ds_cnn", path)
    assert load_network(path) == load_network(str(path)) == load_network("ds_cnn")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet9", r"got 'resnet9', allowed: resnet8.*deeplabv3.*did you mean resnet8"),
        ("zzz", r"got 'zzz', allowed: resnet8"),
        ("missing.onnx", r"missing\.onnx: cannot be read: No such file"),
        ("folder/missing", r"missing: cannot be read: No such file"),
    ],
)
def test_unknown_names_and_missing_files(name, message):
    with pytest.raises(SpecError, match=message):
        load_network(name)


def test_batch_below_one():
    with pytest.raises(SpecError, match="resnet8: batch: got 0, allowed: >= 1"):
        load_network("resnet8", batch=0)


def test_description_survives_json_and_adds_up():
    description = json.loads(json.dumps(describe(load_network("bert_base_block"))))
    layers = description["layers"]
    assert description["macs"] == sum(layer["macs"] for layer in layers)
    assert description["weights"] == sum(layer["weights"] for layer in layers)
    assert description["not_modelled"]["Softmax"] == 1
    assert layers[3]["kind"] == "matmul"
    assert layers[3]["weights"] == 0
    assert layers[3]["predecessors"] == [0, 1]
    assert layers[3]["loops"]["G"] == 12
