"""Packages with several dies: worked by hand, and what splitting a die saves."""

from __future__ import annotations

import math

import numpy as np
import pytest

from carbonopt.carbon.embodied import embodied_g, embodied_total_g
from carbonopt.carbon.packaging import carrier_g, chiplets_g, package_by_area_g
from carbonopt.carbon.presets import load_preset
from carbonopt.carbon.uncertainty import sampled_preset
from carbonopt.carbon.wafer import over_reticle
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
    layers = BY_HAND.with_values(carrier="rdl", bonding_yield=0.9)
    free = chiplets_g(areas, nodes, layers.with_values(bonding_yield=1.0))
    side = chiplets_g(areas, nodes, layers)
    stack = chiplets_g(areas, nodes, layers.with_values(stacking="stacked"))
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
        layers = preset.with_values(carrier="rdl")
        return 1 - sum(chiplets_g([area / 2] * 2, [7, 7], layers).values()) / whole

    assert saved(20.0) < 0 < saved(600.0)


def test_a_package_by_area_broadcasts():
    got = package_by_area_g(np.array([100.0, 200.0]), np.array([[0.001], [0.002]]), 500.0)
    np.testing.assert_allclose(got, [[50, 100], [100, 200]])


@pytest.mark.parametrize("stacking", ["side_by_side", "stacked"])
@pytest.mark.parametrize("carrier", ["organic", "rdl", "interposer", "bridge"])
@pytest.mark.parametrize("dies", [1, 2, 5])
def test_a_chip_cut_into_equal_dies_is_as_many_chiplets(dies, carrier, stacking):
    values = {"dies": dies, "carrier": carrier, "stacking": stacking, "bonding_yield": 0.9}
    preset = load_preset("default").with_values(**values)
    parts = embodied_g([50.0, 600.0], 0.0, preset)
    for place, area in enumerate((50.0, 600.0)):
        by_hand = chiplets_g([area / dies] * dies, [28.0] * dies, preset)
        assert sum(part[place] for part in parts.values()) == pytest.approx(
            sum(by_hand.values()), rel=1e-13
        )
        assert parts["carrier"][place] == pytest.approx(by_hand["carrier"], rel=1e-13)
        assert parts["bonding"][place] == pytest.approx(by_hand["bonding"], rel=1e-11, abs=1e-12)
    total = embodied_total_g([50.0, 600.0], 0.0, preset)
    assert total == pytest.approx(sum(parts.values()), rel=1e-13)


def test_samples_of_chiplets_are_one_by_one():
    values = {"dies": 4, "carrier": "interposer"}
    drawn = {"fab_g_per_kwh": np.array([[100.0], [700.0]]), "bonding_yield": np.array([[0.9], [1]])}
    many = embodied_g([50.0, 600.0], 0.0, load_preset("default").with_values(**values, **drawn))
    for place in range(2):
        alone = {name: float(value[place, 0]) for name, value in drawn.items()}
        one = embodied_g([50.0, 600.0], 0.0, load_preset("default").with_values(**values, **alone))
        for part in one:
            np.testing.assert_allclose(many[part][place], one[part], rtol=1e-14)


def test_the_reticle_holds_each_die():
    preset = load_preset("default")
    assert over_reticle(1000.0, preset) > 0 > over_reticle(1000.0, preset.with_values(dies=2))


def test_faults_are_told():
    with pytest.raises(SpecError, match="nodes_nm: got 1, allowed: one for each of the areas"):
        chiplets_g([10.0, 10.0], [28], load_preset("default"))
    with pytest.raises(SpecError, match="carrier: got glass, allowed: organic, rdl"):
        carrier_g(10.0, load_preset("default"), "glass")
    assert math.isfinite(carrier_g(0.0, load_preset("default"), "rdl"))


def test_a_carrier_keeps_the_users_fab():
    given = {"defects_per_mm2": 0.0014, "fab_kwh_per_mm2": 0.018, "gas_g_per_mm2": 2.75}
    preset = BY_HAND.with_values(**given)
    # twice the defects, electricity and gases of 28 nm, so twice those of 65 nm
    cpa = (2 * 300 + 2 * 57.45 + 500) / 100
    good = (1 + 110 * 2 * 0.000125 / 10) ** -10
    got = carrier_g(100.0, preset, "interposer")
    assert got == pytest.approx(110 * cpa * 0.5675 / good, rel=1e-12)


def test_dies_of_another_node_keep_the_users_fab():
    preset = BY_HAND.with_values(defects_per_mm2=0.0014)
    got = chiplets_g([50.0, 50.0], [28, 7], preset.with_values(bonding_yield=1.0))
    at_28 = 50 * (900 + 137.5 + 500) / 100 * (1 + 50 * 0.0014 / 10) ** 10
    at_7 = 50 * (2150 + 275 + 500) / 100 * (1 + 50 * 0.004 / 10) ** 10
    assert got["dies"] == pytest.approx(at_28 + at_7, rel=1e-12)


def test_uncertain_fabs_make_uncertain_carriers():
    cut = load_preset("default").with_values(dies=2, carrier="interposer")
    drawn = sampled_preset(cut)
    carrier = embodied_g(100.0, 0.0, drawn)["carrier"][:, 0]
    apart = embodied_g(100.0, 0.0, cut.with_values(fab_g_per_kwh=drawn.fab_g_per_kwh))["carrier"]
    assert carrier.std() > 1.1 * apart.std()
    for place in (0, 100):
        one = {
            name: float(getattr(drawn, name)[place, 0])
            for name in ("fab_kwh_per_mm2", "gas_g_per_mm2", "material_g_per_mm2")
        }
        one |= {n: float(getattr(drawn, n)[place, 0]) for n in ("defects_per_mm2", "line_yield")}
        one["fab_g_per_kwh"] = float(drawn.fab_g_per_kwh[place, 0])
        alone = embodied_g(100.0, 0.0, cut.with_values(**one))["carrier"]
        assert carrier[place] == pytest.approx(float(alone), rel=1e-12)
