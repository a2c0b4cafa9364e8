"""Machines as layers of fewer bits see them, by hand."""

import dataclasses

import pytest
from designs import layer, machine

from carbonopt.errors import ModelRangeError
from carbonopt.hardware.imc_model import precharge_pj
from carbonopt.hardware.precision import check_precision, fitted

EIGHT = layer(K=16, C=16, OX=8, OY=8)


def of_bits(weight, inputs, share=0.0):
    return dataclasses.replace(
        EIGHT, weight_bits=weight, input_bits=inputs, psum_bits=weight + inputs,
        output_bits=inputs, pruned_share=share,
    )  # fmt: skip


@pytest.mark.parametrize("template", ["digital_os", "digital_ws", "dimc", "aimc"])
def test_eight_bits_are_the_machine_itself(template):
    built = machine(template)
    assert fitted(built, EIGHT) is built
    narrow = fitted(built, of_bits(4, 2))
    assert narrow.area_parts == built.area_parts
    assert narrow.clock_parts == built.clock_parts


def test_a_digital_mac_takes_energy_in_proportion_to_both_widths():
    built = machine("digital_ws")
    found = fitted(built, of_bits(4, 2)).array
    assert found.mac_pj == built.array.mac_pj * (4 / 8) * (2 / 8)
    assert (built.array.tree_bits, found.tree_bits) == (16, 6)
    assert fitted(built, of_bits(4, 2)).shape == built.shape
    assert found.passes == 1


def test_registers_hold_one_word_whatever_its_bits():
    built = machine("digital_os")
    found = fitted(built, of_bits(4, 2, 0.5))
    before, after = ({m.name: m for m in each.memories} for each in (built, found))
    assert [after[f"register_{o}"].size_bits for o in "IWO"] == [2, 2.0, 6]  # W: 4 bit, half pruned
    for o, share in (("I", 2 / 8), ("W", 4 / 8), ("O", 6 / 16)):
        name = f"register_{o}"
        assert after[name].write_pj == before[name].write_pj * share
        assert {p.wide_bits for p in after[name].ports[o].values()} == {after[name].size_bits}
    assert after["sram"] is before["sram"]
    assert after["dram"] is before["dram"]


@pytest.mark.parametrize(("bits", "cols"), [(4, 64), (3, 85), (1, 256), (8, 32), (7, 36)])
def test_a_macro_has_more_columns_of_fewer_bits(bits, cols):
    found = fitted(machine("dimc", 32, 32), of_bits(bits, 8))
    assert found.shape["D1"] == found.array.cols == cols
    assert found.shape["D2"] == 32
    assert found.array.weight_bits == bits
    assert cols * bits <= 32 * 8


@pytest.mark.parametrize(
    ("template", "bits", "cycles"),
    [
        ("dimc", 8, 8),
        ("dimc", 5, 5),
        ("dimc", 1, 1),
        ("aimc", 8, 4),
        ("aimc", 5, 3),
        ("aimc", 1, 1),
    ],
)
def test_a_macro_takes_its_inputs_bit_by_bit(template, bits, cycles):
    assert fitted(machine(template), of_bits(8, bits)).array.passes == cycles


def test_cells_hold_pruned_weights_as_zeros():
    built = machine("dimc", group_depth=4)
    found = fitted(built, of_bits(4, 8, 0.75))
    cells, before = found.memories[0], built.memories[0]
    assert cells.name == "cells"
    assert cells.size_bits == 4 * 4 * 0.25  # four weights, each of one bit on average
    assert cells.write_pj == before.write_pj * 4 / 8
    assert cells.read_pj == pytest.approx(float(precharge_pj(found.technology, found.array, 1)))


def test_wider_layers_are_refused_with_their_name_and_bits():
    wide = dataclasses.replace(of_bits(16, 9), name="conv1")
    check_precision(machine("dimc"), [EIGHT])
    with pytest.raises(ModelRangeError) as error:
        check_precision(machine("dimc"), [EIGHT, wide, dataclasses.replace(wide, name="conv2")])
    assert str(error.value).splitlines() == [
        "dimc: weight_bits: got 16 in layer 'conv1' and 1 more, allowed: "
        "whole numbers from 1 to 8 (bits of its multipliers)",
        "dimc: input_bits: got 9 in layer 'conv1' and 1 more, allowed: "
        "whole numbers from 1 to 8 (bits of its multipliers)",
    ]
