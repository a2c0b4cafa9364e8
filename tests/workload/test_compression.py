"""Bit widths and pruned shares of networks: what follows from a choice, and what is refused."""

import dataclasses

import pytest

from carbonopt.errors import ModelRangeError, SpecError
from carbonopt.workload.compression import (
    NETWORK_KNOBS,
    compressed,
    parse_settings,
    targets,
)
from carbonopt.workload.layer import Layer
from carbonopt.workload.load import load_network
from carbonopt.workload.network import Network

RESNET = load_network("resnet8")


def chosen(network, **values):
    """A network with settings by name."""
    return compressed(network, *parse_settings(network, values))


def layers(network):
    return {layer.name: layer for layer in network.layers}


def test_nothing_chosen_is_the_same_network():
    assert compressed(RESNET, {}, targets("weight_bits", "all", [])) is RESNET
    same = chosen(RESNET, weight_bits=8, activation_bits=8, pruned_share=0)
    assert same.layers == RESNET.layers


def test_one_choice_holds_for_all_layers_and_partial_sums_keep_their_headroom():
    found = chosen(RESNET, weight_bits=3, activation_bits=5, pruned_share=0.25)
    for layer in found.layers:
        assert layer.precisions == (3, 5, 8, 5, 0.25)
    wide = dataclasses.replace(
        RESNET, layers=tuple(dataclasses.replace(each, psum_bits=24) for each in RESNET.layers)
    )
    assert {each.psum_bits for each in chosen(wide, weight_bits=3).layers} == {24 - 5}


def test_a_layer_reads_what_its_predecessors_hand_on():
    values = {"activation_bits": 4, "activation_bits@stack2/shortcut": 7}
    found = layers(chosen(RESNET, **values))
    assert found["stem"].input_bits == 4  # of the network: as the first layer's output
    assert found["stack2/shortcut"].input_bits == 4
    assert found["stack2/shortcut"].output_bits == 7
    # the sum of shortcut (7) and conv2 (4) is as wide as the wider of them
    assert found["stack3/conv1"].input_bits == found["stack3/shortcut"].input_bits == 7
    assert found["stack3/conv1"].output_bits == found["dense"].input_bits == 4


def test_a_setting_for_a_layer_goes_before_that_for_all():
    found = layers(chosen(RESNET, **{"weight_bits@dense": 8, "weight_bits": 2}))
    assert (found["dense"].weight_bits, found["stem"].weight_bits) == (8, 2)


def test_products_of_activations_have_no_weights_to_choose():
    gemm = Layer("q", "gemm", (4, 8, 1, 1, 1, 8, 1, 1))
    product = Layer("scores", "matmul", (4, 4, 1, 1, 1, 8, 1, 1), predecessors=(0,))
    network = Network("attention", (gemm, product))
    found = chosen(network, weight_bits=2, activation_bits=6, pruned_share=0.5)
    assert found.layers[0].precisions == (2, 6, 8, 6, 0.5)
    assert found.layers[1].precisions == (6, 6, 12, 6, 0.0)
    names = [each.column for each in targets("pruned_share", "layer", [network])]
    assert names == ["pruned_share@q"]
    assert len(targets("activation_bits", "layer", [network])) == 2


def test_names_of_variables_are_unambiguous_over_several_networks():
    two = [RESNET, load_network("ds_cnn")]
    assert [each.column for each in targets("weight_bits", "all", two)] == ["weight_bits"]
    assert [each.column for each in targets("weight_bits", "network", two)] == [
        "weight_bits@resnet8", "weight_bits@ds_cnn",
    ]  # fmt: skip
    columns = [each.column for each in targets("weight_bits", "layer", two)]
    assert columns[0] == "weight_bits@resnet8/stem"
    assert len(set(columns)) == len(columns) == sum(len(each.layers) for each in two)
    known = targets("weight_bits", "layer", two)
    values = dict.fromkeys(columns, 8) | {"weight_bits@resnet8/dense": 3}
    assert [each.weight_bits for each in compressed(two[0], values, known).layers][-1] == 3
    assert {each.weight_bits for each in compressed(two[1], values, known).layers} == {8}


def test_zeros_of_the_data_are_told_as_choices_are():
    own = layers(chosen(RESNET, **{"zero_share": 0.4, "zero_share@stem": 0.0}))
    assert (own["stem"].zero_share, own["dense"].zero_share) == (0.0, 0.4)
    assert own["stem"].precisions == layers(RESNET)["stem"].precisions
    kept = compressed(chosen(RESNET, zero_share=0.4), *parse_settings(RESNET, {"weight_bits": 4}))
    assert {layer.zero_share for layer in kept.layers} == {0.4}
    with pytest.raises(SpecError, match="zero_share@stem: got 1, allowed: from 0 to below 1"):
        chosen(RESNET, **{"zero_share@stem": 1})


def test_every_fault_of_settings_is_told():
    values = {"weight_bits": "17", "pruned_share": "1", "activation_bits": "2.5",
              "weight_bits@stack1/conv": "4", "pruned_share@stem": "x"}  # fmt: skip
    with pytest.raises(SpecError) as error:
        parse_settings(RESNET, values)
    assert error.value.faults == [
        "weight_bits: got 17, allowed: whole numbers from 1 to 16",
        "pruned_share: got 1, allowed: from 0 to below 1",
        "activation_bits: got 2.5, allowed: whole numbers from 1 to 16",
        "weight_bits@stack1/conv: got no such layer (did you mean 'weight_bits@stack1/conv2'?), "
        "allowed: weight_bits@LAYER, with a layer of resnet8 that has it",
        "pruned_share@stem: got x, allowed: from 0 to below 1",
    ]


def test_values_outside_are_refused_from_python_too():
    known = [*targets("weight_bits", "all", []), *targets("pruned_share", "all", [])]
    with pytest.raises(ModelRangeError) as error:
        compressed(RESNET, {"weight_bits": 0, "pruned_share": 1.0}, known)
    assert str(error.value).splitlines() == [
        "weight_bits: got 0, allowed: whole numbers from 1 to 16",
        "pruned_share: got 1, allowed: from 0 to below 1",
    ]


def test_ranges_hold_their_ends():
    share = NETWORK_KNOBS["pruned_share"]
    assert share.holds(0.0)
    assert share.holds(share.range[1])
    assert not share.holds(1.0)
    assert not share.holds(float("nan"))


@pytest.mark.parametrize(
    ("bits", "share", "stored"), [(8, 0.0, 8.0), (8, 0.5, 4.0), (3, 0.75, 0.75)]
)
def test_pruned_weights_take_no_room(bits, share, stored):
    layer = dataclasses.replace(RESNET.layers[0], weight_bits=bits, pruned_share=share)
    assert layer.stored_weight_bits == stored
    odd = dataclasses.replace(layer, pruned_share=1 / 3)
    assert odd.stored_weight_bits == pytest.approx(bits * 2 / 3, abs=2**-20)
    assert (odd.stored_weight_bits * 2**20).is_integer()
