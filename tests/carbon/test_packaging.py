"""Packages with several dies: worked by hand, and what splitting a die saves."""

from __future__ import annotations

import math

import numpy as np
import pytest

from carbonopt.carbon.embodied import embodied_g
from carbonopt.carbon.packaging import carrier_g, chiplets_g, package_by_area_g
from carbonopt.carbon.presets import load_preset
from carbonopt.errors import SpecError

BY_HAND = load_preset("default").with_values(
    accounting="area", line_yield=1.0, fab_g_per_kwh=1000.0
)


def test_an_interposer_by_hand():
    # 65 nm: EPA 0.3 kWh/cm2, GPA97 (72.9 + 42) / 2, MPA 500 g/cm2; D0 0.05 / 4 per cm2
    cpa = (300 + 57.45 + 500) / 100
    good = (1 + 110 * 0.000125 / 10) ** -10
    whole = carrier_g(100.0, BY_HAND, "interposer")
    assert whole == pytest.approx(110 * cpa * 0.5675 / good, rel=1e-12)
    assert carrier_g(100.0, BY_HAND, "rdl") == pytest.approx(whole * 6 / 8, rel=1e-12)
    assert carrier_g(100.0, BY_HAND, "organic") == 0.0


def test_bridges_by_hand():
    cpa = (1077 + 149.14 + 500) / 100
    good = (1 + 25 * 0.0002 / 10) ** -10
    got = carrier_g(100.0, BY_HAND, "bridge", bridges=3)
    assert got == pytest.approx(3 * 25 * cpa * 0.4855 / good, rel=1e-12)


def test_bonding_loses_dies_and_carrier():
    areas, nodes = [50.0, 30.0, 20.0], [28, 28, 28]
    free = chiplets_g(areas, nodes, BY_HAND, carrier="rdl", bonding_yield=1.0)
    side = chiplets_g(areas, nodes, BY_HAND, carrier="rdl", bonding_yield=0.9)
    stack = chiplets_g(areas, nodes, BY_HAND, carrier="rdl", bonding_yield=0.9, stacked=True)
    bonded = free["dies"] + free["carrier"]
    assert free["bonding"] == 0.0
    assert side["bonding"] == pytest.approx(bonded * (1 / 0.9 - 1))
    assert stack["bonding"] == pytest.approx(bonded * (1 / 0.9**3 - 1))
    assert side["package"] == free["package"] == 150.0


def test_one_die_is_the_device_itself():
    preset = load_preset("default")
    parts = embodied_g(60.0, 0.0, preset)
    assert sum(chiplets_g([60.0], [28], preset).values()) == pytest.approx(
        float(sum(parts.values())), rel=1e-14
    )


def test_splitting_pays_for_large_dies_alone():
    preset = load_preset("default")

    def saved(area):
        whole = sum(chiplets_g([area], [7], preset).values())
        return 1 - sum(chiplets_g([area / 2] * 2, [7, 7], preset, carrier="rdl").values()) / whole

    assert saved(20.0) < 0 < saved(600.0)


def test_a_package_by_area_broadcasts():
    got = package_by_area_g(np.array([100.0, 200.0]), np.array([[0.001], [0.002]]), 500.0)
    np.testing.assert_allclose(got, [[50, 100], [100, 200]])


def test_faults_all_at_once():
    with pytest.raises(SpecError) as caught:
        chiplets_g([10.0, 10.0], [28], load_preset("default"), bonding_yield=0.0)
    assert len(caught.value.faults) == 2
    with pytest.raises(SpecError, match="carrier: got glass, allowed: organic, rdl"):
        carrier_g(10.0, load_preset("default"), "glass")
    assert math.isfinite(carrier_g(0.0, load_preset("default"), "rdl"))
