"""Layers on in-memory macros: a worked one, its diagonal rows, and how often it writes cells."""

from __future__ import annotations

import dataclasses

import pytest
from designs import layer, machine, of_layers, spread_along

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
