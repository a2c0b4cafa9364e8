"""The published estimator, entry by entry, and what it does beyond square, ungrouped layers."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from carbonopt.errors import ModelRangeError
from carbonopt.performance.eyeriss_estimator import (
    Estimate,
    at_bits,
    estimate,
    layer_accesses,
    layer_shapes,
    ungrouped,
)
from carbonopt.workload.layer import Layer
from carbonopt.workload.load import load_network
from carbonopt.workload.network import Network

TABLE = pd.read_csv(Path(__file__).parents[1] / "reference" / "eyeriss_reference.csv")
CASES = list(TABLE["case"].unique())
COLUMNS = {"weight_bits": "w_bits", "activation_bits": "a_bits", "pruned_share": "w_pruned"}
LEVELS, TYPES = ("DRAM", "Buffer", "NoC", "RF"), ("Weight", "Activ", "Psum")


def published(case: str) -> tuple[pd.DataFrame, Estimate]:
    """The published rows of a case, and our estimate of the same network."""
    rows = TABLE[TABLE["case"] == case]
    network = ungrouped(load_network("alexnet"))
    settings = {
        f"{knob}@{layer.name}": value
        for knob, column in COLUMNS.items()
        for layer, value in zip(network.layers, rows[column], strict=True)
    }
    network = at_bits(network, settings)
    return rows, estimate(network, int(rows["pe_rows"].iloc[0]), int(rows["pe_cols"].iloc[0]))


@pytest.mark.parametrize("case", CASES)
def test_every_entry_is_the_published_one(case):
    rows, found = published(case)
    assert len(rows) == len(found.names) == 8
    for name, values in (
        ("macs", found.macs),
        ("compute", found.compute),
        ("total", found.by_layer),
    ):
        np.testing.assert_allclose(values, rows[name], rtol=1e-9)
    np.testing.assert_allclose(found.data.sum(axis=(0, 1)), rows["data"], rtol=1e-9)
    for v, level in enumerate(LEVELS):
        for t, kind in enumerate(TYPES):
            np.testing.assert_allclose(found.data[v, t], rows[f"{level}.{kind}"], rtol=1e-9)


def test_published_totals():
    assert published("alexnet_16b_dense")[1].total == 19413479256
    pruned = next(case for case in CASES if TABLE[TABLE["case"] == case]["w_pruned"].any())
    assert published(pruned)[1].total == pytest.approx(5178642000.623875, rel=1e-12)


def test_breakdowns_sum_to_the_total():
    found = estimate(load_network("mobilenet_v1"))
    for parts in (found.by_level, found.by_type):
        assert sum(each.sum() for each in parts.values()) == pytest.approx(found.total, rel=1e-12)
    described = found.describe()
    assert sum(layer["energy"] for layer in described["layers"]) == pytest.approx(found.total)


def of(layer: Layer) -> Estimate:
    return estimate(Network("one", (layer,)))


SQUARE = Layer("a", "conv", (1, 8, 1, 10, 10, 4, 3, 3), input_size=(10, 10))


def test_groups_and_batches_are_layers_of_their_own():
    grouped = dataclasses.replace(SQUARE, sizes=(1, 8, 2, 10, 10, 4, 3, 3))
    batched = dataclasses.replace(SQUARE, sizes=(2, 8, 1, 10, 10, 4, 3, 3))
    assert of(grouped).total == of(batched).total == 2 * of(SQUARE).total


def test_a_rectangular_layer_lies_between_the_squares():
    wide = dataclasses.replace(SQUARE, sizes=(1, 8, 1, 20, 10, 4, 3, 3), input_size=(20, 10))
    large = dataclasses.replace(SQUARE, sizes=(1, 8, 1, 20, 20, 4, 3, 3), input_size=(20, 20))
    assert of(SQUARE).total < of(wide).total < of(large).total
    assert of(wide).macs[0] == 2 * of(SQUARE).macs[0]


def test_the_rows_of_a_matrix_product_share_its_weights():
    one = Layer("a", "gemm", (1, 8, 1, 1, 1, 4, 1, 1))
    many = dataclasses.replace(one, sizes=(6, 8, 1, 1, 1, 4, 1, 1))
    assert of(many).data[0, 0] == of(one).data[0, 0]
    assert (of(many).data[0, 1:] == 6 * of(one).data[0, 1:]).all()
    assert of(many).macs == 6 * of(one).macs


def test_a_kernel_higher_than_the_array_is_folded():
    shapes = layer_shapes(
        Network("one", (Layer("a", "conv", (1, 8, 1, 4, 4, 4, 13, 13), input_size=(16, 16)),))
    )
    _, accesses = layer_accesses(shapes, 12, 14)
    weights, ifmap, _ = accesses[2, :, 0]
    assert weights == 13 * 13 * 32 * 14  # one replica that fills the columns, folds follow
    assert ifmap == 13 * 4 * 16 * 32


def test_padding_is_the_least_that_the_kernel_reaches_into():
    resnet = load_network("resnet18")
    shapes = layer_shapes(resnet)
    assert shapes.map_height[0] == shapes.map_width[0] == 230  # 224 + 2 x 3, of which 229 are used


def test_faults_are_told_together():
    bad = dataclasses.replace(SQUARE, weight_bits=0, input_bits=17, pruned_share=1.0)
    with pytest.raises(ModelRangeError) as error:
        estimate(Network("one", (bad,)), rows=0)
    assert str(error.value).splitlines() == [
        "rows: got 0, allowed: whole numbers from 1",
        "layer 'a': weight bits: got 0, allowed: whole numbers from 1 to 16",
        "layer 'a': input bits: got 17, allowed: whole numbers from 1 to 16",
        "layer 'a': pruned share: got 1, allowed: from 0 to below 1",
    ]


def test_each_layer_has_activations_of_its_own():
    network = load_network("resnet8")
    found = at_bits(network, {"weight_bits": 3, "activation_bits": 5, "activation_bits@stem": 7})
    assert [layer.input_bits for layer in found.layers] == [7, *[5] * (len(found.layers) - 1)]
    assert [layer.output_bits for layer in found.layers][:2] == [7, 5]
    assert [each.predecessors for each in found.layers] == [
        each.predecessors for each in network.layers
    ]
