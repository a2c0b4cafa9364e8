"""How far the preset `default` is from other tools: the ratios that docs/validation.md explains."""

from __future__ import annotations

import pytest

from carbonopt.carbon.packaging import chiplets_g
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


def test_a_package_with_redistribution_layers_of_eco_chip(reference):
    table = reference("eco_chip.csv")
    printed = table[(table["case"] == "test-chiplet") & (table["type"] == "package")]
    preset = load_preset("default").with_values(fab_g_per_kwh=700.0)
    parts = chiplets_g([74.0, 74.0], [7, 7], preset.with_values(carrier="rdl"))
    ratio = parts["carrier"] / (1000 * printed["carbon_kg"].iloc[0])
    assert ratio == pytest.approx(1.195, abs=6e-4)
