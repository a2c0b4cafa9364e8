"""Where activations and weights stay, on networks small enough to tell by hand."""

from __future__ import annotations

import dataclasses

import pytest
from designs import MIB, layer, machine, of_layers

from carbonopt.errors import MappingError
from carbonopt.hardware.machine import OPERANDS
from carbonopt.hardware.variant import load_variant
from carbonopt.mapping.residency import residency, resident_byte
from carbonopt.workload.load import load_network

SMALL = layer("small", K=8, OX=8, OY=8, C=8)  # 512 B in, 64 B of weights, 512 sums of 16 bit
LARGE = layer("large", K=64, OX=32, OY=32, C=8)  # 8 KiB in, 512 B of weights, 128 KiB of sums


def chain(*layers):
    linked = [
        dataclasses.replace(each, name=f"{each.name}{i}", predecessors=(i - 1,) if i else ())
        for i, each in enumerate(layers)
    ]
    return of_layers(*linked)


def lowest_shared(net, built):
    """The outermost memory of each operand of each layer."""
    return [
        {o: built.memories[each[o][-1]].name for o in OPERANDS} for each in residency(net, built)
    ]


def places(net, built, operand):
    return [each[operand] for each in lowest_shared(net, built)]


def weight_stationary(sram_byte, net):
    needed = resident_byte(net, sram_byte, load_variant("default"))
    return machine("digital_ws", 32, 32, 1, sram_byte, resident_byte=needed)


def test_a_chain_that_fits_stays_on_chip():
    net = chain(SMALL, SMALL, SMALL)
    built = weight_stationary(2**15, net)
    assert places(net, built, "I") == ["sram"] * 3
    assert places(net, built, "O") == ["sram"] * 3
    assert places(net, built, "W") == ["sram"] * 3


def test_a_layer_that_does_not_fit_sends_its_output_out_and_the_next_fetches_it():
    net = chain(SMALL, LARGE, SMALL)
    built = machine("digital_ws", 32, 32, 1, 2**15)
    assert places(net, built, "O") == ["sram", "dram", "sram"]
    assert places(net, built, "I") == ["sram", "sram", "dram"]


def test_input_and_output_must_fit_together_with_sums_at_full_width():
    """Inputs of SMALL take 4096 bit, its outputs 512 x 16 bit: 1536 byte."""
    net = chain(SMALL)
    built = machine("digital_ws", 8, 8, 1, 2**11)

    def with_sram(bits):
        memories = [
            dataclasses.replace(each, size_bits=bits) if each.name == "sram" else each
            for each in built.memories
        ]
        return dataclasses.replace(built, memories=tuple(memories))

    assert places(net, with_sram(1536 * 8), "O") == ["sram"]
    assert places(net, with_sram(1536 * 8 - 1), "O") == ["dram"]


def residual():
    """0 -> 1 -> 2, and 0 -> 2: the output of 0 is read twice, 2 joins both; then 3."""
    net = chain(SMALL, SMALL, SMALL, SMALL)
    joined = dataclasses.replace(net.layers[2], predecessors=(0, 1))
    return of_layers(*net.layers[:2], joined, net.layers[3])


@pytest.mark.parametrize("template", ["digital_os", "digital_ws", "dimc"])
def test_a_branch_goes_through_the_outermost_memory(template):
    net = residual()
    built = machine(template, 32, 32, 1, 2**19)
    assert places(net, built, "O") == ["dram", "dram", "sram", "sram"]
    assert places(net, built, "I") == ["dram", "dram", "dram", "sram"]


def test_weights_of_weight_stationary_arrays_pass_the_sram_by():
    net = chain(SMALL, SMALL)
    built = machine("dimc", 32, 32, 1, 2**15, resident_byte=MIB)
    assert residency(net, built)[0]["W"] == (0, 4)
    assert built.memories[0].name == "cells"
    assert built.memories[4].name == "dram"


def test_output_stationary_weights_stay_where_they_fit_beside_some_layer():
    """All weights 2 x 64 byte beside the 1536 byte of a layer's activations."""
    net = chain(SMALL, SMALL)
    fits, too_small = (machine("digital_os", 8, 8, 1, size) for size in (2**11, 1660))
    assert places(net, fits, "W") == ["sram"] * 2
    assert places(net, too_small, "W") == ["dram"] * 2
    assert places(net, too_small, "O") == ["sram"] * 2


def test_one_small_layer_keeps_the_weights_of_all_on_chip():
    """As the source has it: the lowest level found for any layer holds the weights of all."""
    net = chain(SMALL, LARGE)
    built = machine("digital_os", 32, 32, 1, 2**15, variant="carbonspot")
    assert places(net, built, "W") == ["sram"] * 2
    assert places(net, built, "O") == ["sram", "dram"]


@pytest.mark.parametrize("template", ["digital_os", "digital_ws"])
def test_weights_and_activations_share_the_room(template):
    """ds_cnn has 22,016 byte of weights and up to 24,000 byte of activations in a layer."""
    net = load_network("ds_cnn")
    largest = max(each.inputs + 2 * each.outputs for each in net.layers)
    needed = net.weights + largest
    for sram_byte, stay in ((needed - 1, "dram"), (needed + 1, "sram")):
        room = resident_byte(net, sram_byte, load_variant("default"))
        built = machine(template, 8, 8, 1, sram_byte, resident_byte=room)
        assert set(places(net, built, "W")) == {stay}
        assert set(places(net, built, "O")) == {"sram"}


def test_a_network_needs_room_in_the_dram():
    net = load_network("resnet8")
    built = machine("dimc", 32, 32, 1, 2**15, dram_byte=2**16)
    with pytest.raises(MappingError, match=r"layer .*dram needs \d+ B .*has 65536 B"):
        residency(net, built)


@pytest.mark.parametrize("template", ["digital_os", "digital_ws", "dimc", "aimc"])
@pytest.mark.parametrize("sram_byte", [2**13, 2**15, 2**19])
def test_each_operand_keeps_its_inner_levels(template, sram_byte):
    net = residual()
    built = machine(template, 32, 32, 1, sram_byte)
    for hierarchy in residency(net, built):
        for operand, memories in hierarchy.items():
            assert memories == built.levels(operand)[: len(memories)]
            assert len(memories) >= 2
