"""Each model switch changes what its description says, and nothing else."""

from __future__ import annotations

import dataclasses

import pytest
from designs import layer, machine, network, of_layers, spread_along

from carbonopt.errors import SpecError
from carbonopt.hardware.knob_table import Knobs, MacroOptions
from carbonopt.hardware.technology import load_technology, tree_pj
from carbonopt.hardware.template import TEMPLATES, build_machine
from carbonopt.hardware.variant import load_variant
from carbonopt.performance.array import accumulated_rows
from carbonopt.performance.network import network_cost

NAMES = ("digital_os", "digital_ws", "dimc", "aimc")


def cost(net, template, mode="reference", **switches):
    """Cost of a network on CarbonSpot's model with some switches set."""
    built = machine(template, 64, 64, 1, 2**16, variant="carbonspot")
    variant = dataclasses.replace(built.variant, **switches)
    return network_cost(net, dataclasses.replace(built, variant=variant), mode)


@pytest.mark.parametrize("template", NAMES)
def test_loading_counts_first_loads_and_last_stores(template):
    net = network("resnet8")
    without, with_loading = (cost(net, template, loading_in_latency=on) for on in (False, True))
    assert set(without.cycle_parts()) == {"compute", "stall"}
    assert set(with_loading.cycle_parts()) == {"compute", "stall", "loading"}
    assert with_loading.cycle_parts()["loading"] > 0
    if template.startswith("digital"):
        for one, other in zip(without.layers, with_loading.layers, strict=True):
            extra = one.cost.onload[0] + one.cost.offload[0]
            assert other.cycles == one.cycles + extra
            assert other.energy_pj == one.energy_pj


@pytest.mark.parametrize("template", ["dimc", "aimc"])
def test_first_weights_of_a_macro_count_once(template):
    """As rows to be written: loading then leaves the path of the inputs."""
    net = of_layers(layer("dense", kind="gemm", K=64, C=64))
    (without,), (counted,) = (
        cost(net, template, loading_in_latency=on).layers for on in (False, True)
    )
    assert without.cost.stall[0] == counted.cost.stall[0] == 64
    assert without.cost.onload[0] > counted.cost.onload[0] > 0


@pytest.mark.parametrize("template", NAMES)
def test_swapped_kernel_axes_matter_to_kernels_that_are_not_square(template):
    net = network("ds_cnn")
    swapped, right = (cost(net, template, kernel_axes_swapped=on) for on in (True, False))
    differ = [
        one.task.layer.name
        for one, other in zip(swapped.layers, right.layers, strict=True)
        if one.task.layer.sizes != other.task.layer.sizes
    ]
    assert differ == ["stem"]
    assert right.layers[0].task.layer == net.layers[0]
    for one, other in zip(swapped.layers[1:], right.layers[1:], strict=True):
        assert (one.energy_pj, one.cycles) == (other.energy_pj, other.cycles)


@pytest.mark.parametrize(
    ("columns", "rows", "shared", "expected"),
    [
        ({"K": 8}, {"C": 12}, False, (12, 12)),
        ({"K": 8}, {"C": 4, "FX": 3}, False, (12, 12)),
        ({"K": 8, "OX": 2}, {"C": 4, "FX": 3}, False, (12, 16)),
        ({"K": 8, "OX": 2}, {"C": 4, "FX": 3}, True, (12, 16)),
        ({"K": 8, "OX": 2, "OY": 3}, {"FX": 3, "FY": 3}, False, (9, 20)),
        ({"K": 8, "OX": 2}, {"C": 4}, False, (4, 8)),
        ({"K": 8, "OX": 2}, {"C": 4}, True, (4, 4)),
        ({"OX": 2, "OY": 2}, {"C": 4, "FX": 3}, False, (12, 32)),
        ({"OX": 2, "OY": 2}, {"C": 4, "FX": 3}, True, (12, 16)),
    ],
)
def test_rows_of_a_macro_that_hold_weights(columns, rows, shared, expected):
    """o positions of a kernel of size f lie on f + o - 1 rows, for 1 x 1 kernels on o."""
    variant = dataclasses.replace(load_variant("default"), pointwise_rows_shared=shared)
    found = accumulated_rows(layer(), spread_along(D1=columns, D2=rows), "D1", "D2", variant)
    assert found == expected


@pytest.mark.parametrize(
    ("stride", "dilation", "expected"), [(1, 1, 64), (2, 1, 169), (3, 1, 324), (1, 2, 100)]
)
def test_strides_and_dilations_spread_a_kernel_over_more_rows(stride, dilation, expected):
    """6 x 6 positions of a 3 x 3 kernel; at stride 2 they touch 13 x 13 inputs."""
    strided = dataclasses.replace(layer(), stride=(stride,) * 2, dilation=(dilation,) * 2)
    used = spread_along(D1={"OX": 6, "OY": 6}, D2={"FX": 3, "FY": 3})
    for name, rows in (("default", expected), ("carbonspot", 64)):
        found = accumulated_rows(strided, used, "D1", "D2", load_variant(name))
        assert found == (9, rows)


def test_activation_products_cost_tree_energy_unless_they_are_free():
    net = of_layers(layer("scores", kind="matmul", B=16, K=32, C=32))
    costed, free = (cost(net, "digital_ws", free_activation_products=on) for on in (False, True))
    assert costed.energy_pj > free.energy_pj
    assert free.layers[0].cost.array_pj["adders"][0] == 0


def test_batches_fill_the_rows_of_an_output_stationary_array():
    net = of_layers(layer("product", kind="gemm", B=64, K=64, C=64))
    built = machine("digital_os", 64, 64, 1, 2**16)
    limited = machine("digital_os", 64, 64, 1, 2**16, variant="carbonspot")
    assert network_cost(net, built, "optimal").layers[0].cost.compute_cycles[0] == 64
    assert network_cost(net, limited, "optimal").layers[0].cost.compute_cycles[0] == 64 * 64


@pytest.mark.parametrize("template", ["digital_os", "digital_ws"])
def test_shared_pointwise_rows_concern_macros_only(template):
    net = network("resnet8")
    costs = [cost(net, template, pointwise_rows_shared=on) for on in (True, False)]
    assert costs[0].energy_pj == costs[1].energy_pj
    assert costs[0].cycles == costs[1].cycles


@pytest.mark.parametrize(("channels", "rows"), [(9, 2), (9, 4), (34, 8), (100, 32), (3, 32)])
def test_adder_trees_cost_the_mean_over_passes_of_whole_inputs(channels, rows):
    """C = 9 on 4 rows: three passes of 3; on 2 rows: four of 2 and one of 1."""
    net = of_layers(layer("dense", kind="gemm", K=32, C=channels))
    built = machine("digital_ws", rows, 32)
    (mapped,) = network_cost(net, built, "optimal").layers
    passes = mapped.mappings.unrollings[0].temporal["C"]
    filled = [channels // passes + (i < channels % passes) for i in range(passes)]
    expected = 32 * sum(tree_pj(load_technology(), 16, rows, used) for used in filled)
    assert mapped.cost.array_pj["adders"][0] == pytest.approx(expected, rel=1e-9)


def test_an_unknown_mapping_mode_is_refused():
    with pytest.raises(
        SpecError, match="mapping: got 'best', allowed: optimal, exhaustive, reference"
    ):
        network_cost(network("resnet8"), machine("dimc"), "best")


@pytest.mark.parametrize("template", ["dimc", "aimc"])
def test_groups_of_cells_save_inputs_and_charge_each_turn(template):
    """A layer of four times the weights of the array: all of them stay while inputs pass once.

    A second layer as large leaves no room to keep the weights of both.
    """
    net = of_layers(*(layer(name, K=64, C=128, OX=8, OY=8) for name in ("first", "second")))
    (alone, _), (grouped, _) = (
        network_cost(net, grouped_machine(template, depth), "optimal").layers for depth in (1, 4)
    )
    cells, dram = (
        [each.cost.memory_pj[0, 1, level] for each in (alone, grouped)] for level in (0, 1)
    )
    assert cells[1] > cells[0] > 0
    assert dram[1] == dram[0]
    assert alone.cost.stall[0] == grouped.cost.stall[0] == 4 * 64
    assert grouped.energy_pj * grouped.cycles < alone.energy_pj * alone.cycles


def grouped_machine(template, depth):
    return build_machine(
        TEMPLATES[template], Knobs(64, 32, 1, 2.0**15, MacroOptions(group_depth=depth)),
        load_variant("default"),
        dram_byte=2.0**20, resident_byte=2.0**20,
    )  # fmt: skip


def test_a_group_is_written_row_by_row_for_each_of_its_weights():
    """K 64 on 32 columns: two weights per multiplier, kept in one group or written in turn."""
    net = of_layers(*(layer(name, K=64, C=64, OX=4, OY=4) for name in ("first", "second")))
    stalls = [
        network_cost(net, grouped_machine("dimc", depth), "optimal").layers[0].cost.stall[0]
        for depth in (1, 2)
    ]
    assert stalls == [128, 128]
