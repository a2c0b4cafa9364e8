"""Presets: their numbers, their sources, and replacing some of them."""

from __future__ import annotations

import dataclasses
import math
import pickle

import numpy as np
import pytest

from carbonopt.carbon.embodied import embodied_g
from carbonopt.carbon.presets import FIELDS, compare_presets, load_preset, preset_names
from carbonopt.data.tables import describe_facts
from carbonopt.errors import SpecError


def test_shipped_presets():
    assert preset_names() == ["act", "carbonspot", "default"]


def test_carbonspot_keeps_the_oddities():
    preset = load_preset("carbonspot")
    assert preset.lifetime_s == 3 * 365 * 86400
    assert preset.use_g_per_kwh == preset.fab_g_per_kwh == 301
    assert preset.dram_ca_g_per_gb == 230 * (28 / 30) ** 2
    assert preset.dram_pa_g_per_gb == 200 * (28 / 30) ** 2
    assert preset.late_rule == "fractional"


def test_default_resolves_them():
    preset = load_preset("default")
    assert preset.lifetime_s == 3 * 365.25 * 86400
    assert (preset.use_g_per_kwh, preset.fab_g_per_kwh) == (473, 635)
    assert preset.dram_g_per_gb("CA") == preset.dram_g_per_gb("PA") == 290
    assert (preset.yield_model, preset.accounting) == ("negative_binomial", "wafer")
    assert preset.late_rule == "infeasible"


def test_act_keeps_its_own():
    preset = load_preset("act")
    assert preset.lifetime_s == 2 * 365.25 * 86400
    assert (preset.use_g_per_kwh, preset.fab_g_per_kwh) == (380, 583)
    assert (preset.yield_model, preset.yield_fraction) == ("fixed", 0.875)
    assert preset.dram_g_per_gb("CA") == preset.dram_g_per_gb("PA") == 48 / 0.875
    assert preset.accounting == "area"


@pytest.mark.parametrize("name", ["act", "carbonspot", "default"])
def test_presets_agree_with_the_table_of_nodes(name):
    preset = load_preset(name)
    again = preset.with_values(node_nm=preset.node_nm, abatement_percent=preset.abatement_percent)
    for field in FIELDS:
        value = getattr(preset, field)
        expected = value if isinstance(value, str) else pytest.approx(value, rel=1e-15)
        assert getattr(again, field) == expected, field


def test_all_presets_state_the_same_quantities():
    quantities = {name: set() for name in preset_names()}
    for key in describe_facts("carbon_presets.csv"):
        name, quantity = key.split(".")
        quantities[name].add(quantity)
    assert quantities["act"] == quantities["carbonspot"] == quantities["default"]


def test_presets_side_by_side():
    table = compare_presets()
    assert list(table.columns) == preset_names()
    assert list(table.index) == list(FIELDS)
    assert table.loc["late_rule"].tolist() == ["infeasible", "fractional", "infeasible"]


def test_unknown_preset_names_the_known_ones():
    with pytest.raises(SpecError, match=r"got 'defalt', allowed: act, carbonspot, default"):
        load_preset("defalt")


def test_with_values_replaces_only_what_is_given():
    base = load_preset("default")
    changed = base.with_values(lifetime_s=1.0, use_g_per_kwh=0.0, package_g=0.0)
    assert (changed.lifetime_s, changed.use_g_per_kwh, changed.package_g) == (1.0, 0.0, 0.0)
    same = {"name", "fab_g_per_kwh", "yield_fraction", "dram_ca_g_per_gb", "late_rule"}
    assert all(getattr(changed, field) == getattr(base, field) for field in same)
    assert base.with_values() == base


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lifetime_s", 0.0),
        ("lifetime_s", math.inf),
        ("use_g_per_kwh", -1.0),
        ("fab_g_per_kwh", math.nan),
        ("yield_fraction", 0.0),
        ("yield_fraction", 1.5),
        ("package_g", -150.0),
        ("utilisation", 0.0),
        ("pue", 0.9),
        ("decarbonisation_per_year", 1.0),
        ("node_nm", 2.0),
        ("abatement_percent", 94.0),
        ("volume", 0.0),
        ("yield_model", "triangle"),
        ("late_rule", "late"),
    ],
)
def test_with_values_refuses_what_cannot_be(name, value):
    with pytest.raises(SpecError, match=rf"{name}: got {value}, allowed: "):
        load_preset("default").with_values(**{name: value})


def test_an_edge_leaves_something_of_the_wafer():
    with pytest.raises(SpecError, match=r"edge_mm: got 150.0, allowed: less than half of 300"):
        load_preset("default").with_values(edge_mm=150.0)
    assert load_preset("default").with_values(edge_mm=20.0, wafer_mm=200.0).edge_mm == 20.0


def test_with_values_reports_all_faults_at_once():
    with pytest.raises(SpecError) as caught:
        load_preset("default").with_values(lifetime_s=-1.0, yield_fraction=2.0)
    assert len(caught.value.faults) == 2


def test_a_design_is_never_charged_to_one_device_unasked():
    told = r"design_g: got 1000.0 without a volume, allowed: beside a volume"
    with pytest.raises(SpecError, match=told):
        load_preset("default").with_values(design_g=1000.0)
    shared = load_preset("default").with_values(design_g=1000.0, volume=50.0)
    assert embodied_g(1.0, 0.0, shared)["design"] == 20.0
    assert embodied_g(1.0, 0.0, shared.with_values(design_g=500.0))["design"] == 10.0
    one = load_preset("default").with_values(design_g=1000.0, volume=1.0)
    assert embodied_g(1.0, 0.0, one)["design"] == 1000.0


def test_unknown_names_get_the_nearest():
    with pytest.raises(SpecError, match=r"pew: unknown \(did you mean pue\?\)"):
        load_preset("default").with_values(pew=1.0)


def test_a_fixed_yield_takes_the_place_of_the_model():
    preset = load_preset("default").with_values(yield_fraction=0.9)
    assert (preset.yield_model, preset.yield_fraction) == ("fixed", 0.9)
    modelled = load_preset("act").with_values(yield_model="murphy", defects_per_mm2=0.001)
    assert (modelled.yield_model, modelled.defects_per_mm2) == ("murphy", 0.001)


def test_a_node_brings_its_numbers_and_what_is_given_wins():
    preset = load_preset("default").with_values(node_nm=7, defects_per_mm2=0.001)
    assert (preset.fab_kwh_per_mm2, preset.gas_g_per_mm2) == (0.0215, 2.75)
    assert preset.defects_per_mm2 == 0.001


def test_samples_are_checked_one_by_one():
    samples = np.full((4, 1), 0.9)
    preset = load_preset("default").with_values(yield_fraction=samples)
    assert preset.yield_fraction is samples
    samples[2] = 1.5
    with pytest.raises(SpecError, match=r"yield_fraction: got 1.5, allowed"):
        load_preset("default").with_values(yield_fraction=samples)


def test_presets_travel_to_worker_processes():
    preset = load_preset("default")
    assert pickle.loads(pickle.dumps(preset)) == preset
    with pytest.raises(dataclasses.FrozenInstanceError):
        preset.pue = 2.0
