"""How far preset `default` is from other tools: ratios that docs/validation/carbon.md explains."""

from __future__ import annotations

import pytest

from carbonopt.carbon.packaging import carrier_g, package_by_area_g
from carbonopt.carbon.presets import load_preset
from carbonopt.carbon.wafer import charged_area_mm2

pytestmark = pytest.mark.reference
MM2_PER_CM2 = 100.0


def test_dies_and_wafer_area_of_other_tools(reference):
    for _, row in reference("carbon_peers.csv").iterrows():
        preset = load_preset("default").with_values(
            node_nm=row["node_nm"], fab_g_per_kwh=row["fab_g_per_kwh"]
        )
        area = row["area_mm2"]
        charged = float(charged_area_mm2(area, preset)) if area else MM2_PER_CM2
        got = charged * float(preset.fab_g_per_mm2) / 1000 / row["carbon_kg"]
        assert got == pytest.approx(row["ratio"], abs=6e-4), row.to_dict()


@pytest.mark.parametrize(
    ("case", "scaled", "ratio"),
    [
        ("test-chiplet", 1.0, 1.195),
        ("TigerLake", 1.0, 0.923),
        ("A15", 1.0, 0.902),
        ("GA102", 1.0, 0.783),
        ("EMR2", 1.0, 0.348),
        ("EMR2", 1.949555068, 1.001),
    ],
)
def test_packages_with_redistribution_layers_of_eco_chip(reference, case, scaled, ratio):
    table = reference("eco_chip.csv")
    table = table[table["case"] == case]
    printed = table[table["type"] == "package"]["carbon_kg"].iloc[0]
    preset = load_preset("default").with_values(fab_g_per_kwh=700.0)
    got = carrier_g(table["area_mm2"].sum() * scaled, preset, "rdl")
    assert got / (1000 * printed) == pytest.approx(ratio, abs=6e-4)


def test_the_package_of_an_epyc_by_its_area():
    """3D-Carbon 14e1a7f prints 3.47 kg: flip-chip, 0.135 kWh/cm2, fab at 583 g/kWh, SP3 socket."""
    assert float(package_by_area_g(58.5 * 75.4, 0.00135, 583.0)) == pytest.approx(3470, abs=5)
