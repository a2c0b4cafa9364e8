"""Yield, wafer and node against numbers worked by hand, and against what ECO-CHIP prints."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonopt.carbon.deployment import deployed_preset
from carbonopt.carbon.die import YIELD_MODELS, die_yield, dies_per_wafer, node_carbon, node_points
from carbonopt.carbon.operational import mean_over_lifetime, operational_g
from carbonopt.carbon.presets import load_preset
from carbonopt.carbon.wafer import charged_area_mm2
from carbonopt.errors import ModelRangeError

ECO_WAFER_MM = 450
ECO_G_PER_MM2 = {7: 26.13, 10: 19.49, 14: 16.84, 65: 8.0}
"""Carbon per area at 700 g/kWh, before yield: tech_params/cpa_scaling.json."""
ECO_AREA = {
    ("logic", 7): 1.0,
    ("logic", 10): 1.949555068,
    ("analog", 7): 1.0,
    ("analog", 10): 1.0,
    ("sram", 7): 1.0,
    ("sram", 10): 1.0,
    ("sram", 14): 1.902779873,
}
"""Area over that at 7 nm, in which its inputs are given: tech_params/*_scaling.json."""


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("fixed", 0.9),
        ("poisson", 0.606530659712633),  # exp(-1/2)
        ("murphy", 0.619272486984702),  # ((1 - exp(-1/2)) / (1/2))^2
        ("seeds", 0.666666666666667),  # 1 / (1 + 1/2)
        ("negative_binomial", 0.64),  # (1 + (1/2) / 2)^-2
    ],
)
def test_yields_by_hand(model, expected):
    numbers = {"defects_per_mm2": 0.005, "clustering": 2.0, "fraction": 0.9}
    assert die_yield(100.0, model, **numbers) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("model", [name for name in YIELD_MODELS if name != "fixed"])
def test_no_area_or_no_defect_loses_nothing(model):
    assert die_yield(0.0, model, defects_per_mm2=0.001, clustering=3.0) == 1.0
    assert die_yield(10.0, model, defects_per_mm2=0.0, clustering=3.0) == 1.0


@pytest.mark.property
@given(st.floats(1e-3, 1e3), st.floats(1e-5, 1e-2), st.floats(0.5, 50), st.floats(1.01, 10))
def test_yields_fall_with_area_and_stand_in_order(area, density, clustering, factor):
    def at(mm2):
        return {
            model: float(die_yield(mm2, model, defects_per_mm2=density, clustering=clustering))
            for model in YIELD_MODELS
            if model != "fixed"
        }

    small, large = at(area), at(area * factor)
    assert all(0 <= large[model] <= small[model] <= 1 for model in small)
    assert small["poisson"] <= small["murphy"] * (1 + 1e-12)
    assert small["murphy"] <= small["seeds"] * (1 + 1e-12)
    assert small["poisson"] <= small["negative_binomial"] * (1 + 1e-12)


def test_the_negative_binomial_holds_the_others():
    numbers = {"defects_per_mm2": 0.003}
    loose = die_yield(100.0, "negative_binomial", clustering=1.0, **numbers)
    tight = die_yield(100.0, "negative_binomial", clustering=1e7, **numbers)
    assert loose == die_yield(100.0, "seeds", **numbers)
    assert tight == pytest.approx(float(die_yield(100.0, "poisson", **numbers)), rel=1e-6)


def test_dies_of_a_wafer_by_hand():
    # pi 300^2 / (4 100) - pi 300 / sqrt(200) = 706.858 - 66.643
    got = dies_per_wafer(100.0, wafer_mm=300, edge_mm=0, scribe_mm=0)
    assert got == pytest.approx(640.2151, rel=1e-6)
    # edge 3 mm, scribe 0.1 mm: pi 294^2 / (4 102.01) - pi 294 / sqrt(204.02) = 665.482 - 64.662
    got = dies_per_wafer(100.0, wafer_mm=300, edge_mm=3, scribe_mm=0.1)
    assert got == pytest.approx(600.8200, rel=1e-4)


def test_a_die_that_no_wafer_holds_is_refused():
    with pytest.raises(ModelRangeError, match=r"area_mm2: got 20000, allowed: at least one die"):
        dies_per_wafer([10.0, 2e4], wafer_mm=300, edge_mm=3, scribe_mm=0.1)


def test_what_a_die_is_charged():
    preset = load_preset("default").with_values(line_yield=0.5, defects_per_mm2=0.0)
    dies = dies_per_wafer(100.0, wafer_mm=300, edge_mm=3, scribe_mm=0.1)
    wafer_mm2 = math.pi * 300**2 / 4
    assert charged_area_mm2(100.0, preset) == pytest.approx(wafer_mm2 / dies / 0.5)
    by_area = preset.with_values(accounting="area")
    assert charged_area_mm2(100.0, by_area) == pytest.approx(200.0)


@pytest.mark.property
@given(st.floats(1e-3, 5e3), st.floats(1.001, 2.0))
def test_a_larger_die_is_charged_more(area, factor):
    preset = load_preset("default")
    small, large = charged_area_mm2([area, min(area * factor, 8e3)], preset)
    assert small < large
    assert small > area


def eco_chip_g(kind, area_mm2, node_nm):
    """ECO-CHIP: dies pay for their yield, the edge of the wafer is added without one."""
    area = area_mm2 * ECO_AREA[kind, node_nm]
    density = {7: 0.002, 10: 0.0011, 14: 0.0009}[node_nm]
    good = die_yield(area, "negative_binomial", defects_per_mm2=density, clustering=10)
    dies = float(dies_per_wafer(area, wafer_mm=ECO_WAFER_MM, edge_mm=0, scribe_mm=0))
    wasted = (math.pi * ECO_WAFER_MM**2 / 4 - math.floor(dies) * area) / dies
    return ECO_G_PER_MM2[node_nm] * (area / float(good) + wasted)


@pytest.mark.reference
def test_every_die_that_eco_chip_prints(reference):
    table = reference("eco_chip.csv")
    dies = table[table["type"] != "package"]
    assert len(dies) == 14
    for _, row in dies.iterrows():
        got = eco_chip_g(row["type"], row["area_mm2"], int(row["node_nm"])) / 1000
        assert got == pytest.approx(row["carbon_kg"], abs=6e-7), row.to_dict()


@pytest.mark.reference
@pytest.mark.parametrize(
    ("case", "area_mm2", "node_nm", "density"),
    [("test-chiplet", 74.0, 7, 0.002), ("EMR2", 595.95, 10, 0.0011)],
)
def test_the_packages_of_two_dies_that_eco_chip_prints(reference, case, area_mm2, node_nm, density):
    """Two equal dies on 6 of 8 layers at 65 nm, 0.5 mm apart, and a router in each."""
    table = reference("eco_chip.csv")
    printed = table[(table["case"] == case) & (table["type"] == "package")]
    side = math.sqrt(area_mm2 * ECO_AREA["logic", node_nm] / 2)
    area = (2 * side + 0.5) * 2 * side
    good = die_yield(area, "negative_binomial", defects_per_mm2=0.0005, clustering=10)
    layers = ECO_G_PER_MM2[65] * 0.5675 * 6 / 8 * area / float(good)
    router_mm2 = 0.33 / 3.709574145 * ECO_AREA["logic", node_nm]
    router = router_mm2 * ECO_G_PER_MM2[node_nm]
    good = die_yield(2 * router_mm2, "negative_binomial", defects_per_mm2=density, clustering=10)
    got = (layers + 2 * router / float(good)) / 0.99 / 1000
    assert got == pytest.approx(printed["carbon_kg"].iloc[0], abs=6e-7)


def test_nodes_of_the_table_are_its_own():
    nodes, energies = node_points("epa")
    assert nodes == (3, 5, 7, 8, 10, 14, 20, 22, 28, 45, 65, 90, 130, 180)
    for node, energy in zip(nodes, energies, strict=True):
        assert node_carbon(node, 97).kwh_per_mm2 == energy / 100


def test_between_nodes_and_abatements():
    node = node_carbon(12, 97)
    assert node_carbon(14, 97).kwh_per_mm2 < node.kwh_per_mm2 < node_carbon(10, 97).kwh_per_mm2
    assert node.material_g_per_mm2 == pytest.approx(5.0, rel=1e-14)
    gases = [node_carbon(28, percent).gas_g_per_mm2 for percent in (95, 97, 99)]
    assert gases == [1.75, 1.375, 1.0]


@pytest.mark.parametrize("node", [28.5, 32, 45, 65, 180])
def test_a_preset_that_crosses_from_one_literature_to_the_other_is_warned_of_once(node):
    """Lookups are silent: nothing is said again for every design, sample or worker."""
    told = "a comparison with 28 nm lies where two literatures meet: EPA is 0.9 kWh/cm2 at 28 nm"
    with pytest.warns(UserWarning, match=told) as caught:
        made = deployed_preset(node_nm=node)
    assert len(caught) == 1
    assert made.at_node(45).fab_kwh_per_mm2 == node_carbon(45, 97).kwh_per_mm2 == 0.004


def test_no_such_warning_within_one_literature():
    with pytest.warns(UserWarning, match="node 22 nm: the carbon") as caught:
        deployed_preset(node_nm=22)
    assert not any("literatures" in str(each.message) for each in caught)


WAFER = {"wafer_mm": 300.0, "edge_mm": 3.0, "scribe_mm": 0.1}


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: die_yield(1.0, "fixed", fraction=1.5), "fraction: got 1.5, allowed: above 0"),
        (lambda: die_yield(1.0, "fixed", fraction=0.0), "fraction: got 0.0, allowed: above 0"),
        (lambda: die_yield(1.0, "poisson", defects_per_mm2=-1e-3), "defects_per_mm2: got -0.001"),
        (lambda: die_yield(1.0, "murphy", defects_per_mm2=math.nan), "defects_per_mm2: got nan"),
        (lambda: die_yield(1.0, "negative_binomial", clustering=0.0), "clustering: got 0.0"),
        (lambda: die_yield(1.0, "moore"), "model: got moore, allowed: fixed, poisson"),
        (lambda: dies_per_wafer(1.0, **WAFER | {"edge_mm": 150.0}), "edge_mm: got 150, allowed"),
        (lambda: dies_per_wafer(1.0, **WAFER | {"edge_mm": 200.0}), "edge_mm: got 200, allowed"),
        (lambda: dies_per_wafer(1.0, **WAFER | {"edge_mm": -1.0}), "edge_mm: got -1.0, allowed"),
        (lambda: dies_per_wafer(1.0, **WAFER | {"wafer_mm": 0.0}), "wafer_mm: got 0.0, allowed"),
        (lambda: dies_per_wafer(1.0, **WAFER | {"scribe_mm": -0.1}), "scribe_mm: got -0.1"),
        (lambda: operational_g(1.0, -1.0, 1.0), "use_g_per_kwh: got -1.0, allowed: 0 or more"),
        (lambda: operational_g(1.0, 1.0, 0.0), "pue: got 0.0, allowed: above 0"),
        (lambda: mean_over_lifetime(1.0, 1.0), "decarbonisation_per_year: got 1, allowed: 0 or"),
        (lambda: mean_over_lifetime(0.1, 0.0), "lifetime_s: got 0.0, allowed: above 0"),
    ],
)
def test_formulas_refuse_what_cannot_be(call, told):
    with pytest.raises(ModelRangeError, match=f"^{re.escape(told)}"):
        call()


@pytest.mark.parametrize(("node", "abatement"), [(2, 97), (250, 97), (28, 94), (28, 99.5)])
def test_outside_the_table_is_refused(node, abatement):
    with pytest.raises(ModelRangeError, match=r"got .*, allowed: .* to "):
        node_carbon(node, abatement)


def test_samples_of_defects_meet_designs():
    areas, densities = np.array([1.0, 10.0, 100.0]), np.array([[0.001], [0.002]])
    got = die_yield(areas, "murphy", defects_per_mm2=densities)
    assert got.shape == (2, 3)
    assert got[1, 2] == die_yield(100.0, "murphy", defects_per_mm2=0.002)
