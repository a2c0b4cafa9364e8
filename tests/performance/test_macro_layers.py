"""Layers on in-memory macros: a worked one, its diagonal rows, and how often it writes cells."""

from __future__ import annotations

import dataclasses

import pytest
from designs import layer, machine, network, of_layers, spread_along

from carbonopt.carbon.endurance import wear_out
from carbonopt.errors import ModelRangeError
from carbonopt.hardware.imc import load_form
from carbonopt.hardware.imc_model import precharge_pj
from carbonopt.hardware.nvm import load_cell
from carbonopt.hardware.technology import load_technology
from carbonopt.hardware.variant import load_variant
from carbonopt.performance.array import accumulated_rows, array_energy
from carbonopt.performance.network import network_cost
from carbonopt.performance.rewrites import cell_rewrites

WORKED = layer(K=64, C=64, OX=16, OY=16, FX=3, FY=3)


@pytest.mark.reference
@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("dimc", {"mults": 171228.3, "adders": 2199213.0, "accumulators": 252829.2}),
        (
            "aimc",
            {
                "dacs": 95551.5, "adcs": 3443767.4, "bitlines": 85614.1, "mults": 85614.1,
                "adders_place_value": 206677.9, "accumulators": 126414.6,
            },
        ),
    ],
)  # fmt: skip
def test_a_layer_that_zigzag_imc_mapped(template, expected):
    """9,437,184 MACs on 32 x 32, K on the columns and C on the rows: 9216 activations."""
    built = machine(template, 32, 32, variant="carbonspot")
    used = spread_along(D1={"K": 32}, D2={"C": 32})
    parts = {part: float(pj[0]) for part, pj in array_energy(WORKED, built, used).items()}
    assert parts == pytest.approx(expected, rel=1e-6)
    assert built.array.passes * 9216 == {"dimc": 73728, "aimc": 36864}[template]


@pytest.mark.reference
def test_its_precharge_with_groups_of_four():
    """107,017.7 pJ, one turn per MAC."""
    macro = dataclasses.replace(machine("aimc", 32, 32).array, group_depth=4)
    energy = precharge_pj(load_technology(), macro, WORKED.macs)
    assert float(energy) == pytest.approx(107017.7, rel=1e-6)


def test_rows_of_a_diagonal_mapping_go_by_the_name_of_the_loop():
    """C 4 and FX 3 on the rows, OX 4 on the columns: 4 x (3 + 4 - 1), where ZigZag says 21."""
    used = spread_along(D1={"K": 2, "OX": 4}, D2={"C": 4, "FX": 3})
    each = layer(K=2, C=4, OX=4, FX=3)
    assert accumulated_rows(each, used, "D1", "D2", load_variant("default")) == (12, 24)


@pytest.mark.parametrize("template", ["dimc", "aimc"])
def test_cells_are_written_once_for_each_weight_they_take_in(template):
    """64 x 64 weights on 32 columns and 64 rows: each cell twice; two macros share them."""
    net = of_layers(layer(K=64, C=64, OX=4, OY=4))
    for macros, writes in ((1, 2.0), (2, 1.0)):
        built = machine(template, 64, 32, macros)
        rewrites = cell_rewrites(network_cost(net, built, "reference"), built)
        assert rewrites == pytest.approx(writes)
    wear = wear_out(1e8, 1.0, 2.0, load_cell("rram").endurance)
    assert "endurance binds: cells are worn out after 18.3 d" in wear.statement()


def test_digital_arrays_have_no_cells_to_wear():
    built = machine("digital_ws", 64, 32)
    cost = network_cost(of_layers(layer(K=64, C=64)), built, "reference")
    with pytest.raises(ModelRangeError, match="digital_ws: got no cells, allowed: an in-memory"):
        cell_rewrites(cost, built)


def test_templates_take_the_form_of_their_variant():
    for variant, form in (("carbonspot", "zigzag-imc"), ("default", "default")):
        assert machine("aimc", variant=variant).array.form == load_form(form)


TWO_LAYERS = of_layers(
    layer("first", K=64, C=64, OX=4, OY=4), layer("second", K=32, C=64, OX=4, OY=4)
)


def written(template: str, net=TWO_LAYERS, rows=64, cols=32, **options):
    """Weights written into cells in an inference, and its cost."""
    built = machine(template, rows, cols, **options)
    cost = network_cost(net, built, "optimal")
    return sum(float(each.cost.accesses[0, 1, 0, 0]) for each in cost.layers), cost


@pytest.mark.parametrize("template", ["dimc", "aimc"])
def test_deep_groups_keep_the_weights_of_all_layers(template):
    """64 x 64 weights take two cells of each group, 32 x 64 one: three keep them for good."""
    count = 64 * 64 + 64 * 32
    costs = {depth: written(template, group_depth=depth) for depth in (1, 2, 3, 4)}
    assert [costs[depth][0] for depth in costs] == [count, count, 0.0, 0.0]
    kept, loaded = costs[3][1], costs[2][1]
    assert [layer.group_weights for layer in kept.layers] == [2, 1]
    assert kept.cycle_parts()["stall"] == 0.0 < loaded.cycle_parts()["stall"]
    assert (
        kept.energy_parts().get("dram", 0.0) < loaded.energy_parts()["dram"] - 8 * 3.7 * count / 2
    )
    built = machine(template, 64, 32, group_depth=3)
    assert cell_rewrites(kept, built) == 0.0


@pytest.mark.property
@pytest.mark.parametrize("name", ["resnet8", "ds_cnn", "autoencoder"])
def test_deeper_groups_never_write_more(name):
    counts = [
        written("dimc", network(name), 128, 64, sram_byte=2**18, group_depth=depth)[0]
        for depth in (1, 2, 4, 8, 16, 32, 64, 512)
    ]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1] == 0.0


def test_cells_that_keep_their_weights_do_so_without_groups():
    net = of_layers(layer(K=32, C=64, OX=4, OY=4))
    assert written("aimc", net)[0] == 64 * 32
    assert written("aimc", net, cell="rram")[0] == 0.0


def test_operands_that_are_no_weights_are_always_written():
    product = of_layers(layer(kind="matmul", K=32, C=64, OX=16))
    assert written("dimc", product, group_depth=4)[0] == 64 * 32


def test_carbonspot_reloads_every_layer():
    built = machine("dimc", 64, 32, variant="carbonspot", group_depth=4)
    cost = network_cost(TWO_LAYERS, built, "reference")
    assert cost.cycle_parts()["stall"] == 3 * 64
