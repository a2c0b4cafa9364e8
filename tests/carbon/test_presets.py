"""Presets: their numbers, their sources, and replacing some of them."""

from __future__ import annotations

import dataclasses
import math
import pickle

import pytest

from carbonopt.carbon.presets import load_preset, preset_names
from carbonopt.data.tables import describe_facts
from carbonopt.errors import SpecError


def test_shipped_presets():
    assert preset_names() == ["carbonspot", "default"]


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
    assert preset.yield_fraction == 0.875
    assert preset.late_rule == "infeasible"


def test_both_presets_state_the_same_quantities():
    quantities = {name: set() for name in preset_names()}
    for key in describe_facts("carbon_presets.csv"):
        name, quantity = key.split(".")
        quantities[name].add(quantity)
    assert quantities["carbonspot"] == quantities["default"]


def test_unknown_preset_names_the_known_ones():
    with pytest.raises(SpecError, match=r"got 'defalt', allowed: carbonspot, default"):
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
    ],
)
def test_with_values_refuses_what_cannot_be(name, value):
    with pytest.raises(SpecError, match=rf"{name}: got {value}, allowed: "):
        load_preset("default").with_values(**{name: value})


def test_with_values_reports_all_faults_at_once():
    with pytest.raises(SpecError) as caught:
        load_preset("default").with_values(lifetime_s=-1.0, yield_fraction=2.0)
    assert len(caught.value.faults) == 2


def test_presets_travel_to_worker_processes():
    preset = load_preset("default")
    assert pickle.loads(pickle.dumps(preset)) == preset
    with pytest.raises(dataclasses.FrozenInstanceError):
        preset.pue = 2.0
