"""The preset `act`, every node, memory and bill of materials as ACT v2 has them."""

from __future__ import annotations

import numpy as np
import pytest

from carbonopt.carbon.embodied import embodied_g
from carbonopt.carbon.operational import operational_g
from carbonopt.carbon.presets import load_preset

MM2_PER_CM2 = 100.0

pytestmark = pytest.mark.reference


def test_carbon_per_area_on_every_grid(reference):
    table = reference("act_28nm.csv")
    table = table[table["function"] == "cpa"]
    assert len(table) == 19
    for _, row in table.iterrows():
        preset = load_preset("act").with_values(
            fab_g_per_kwh=row["g_per_kwh"], yield_fraction=1.0, package_g=0.0
        )
        parts = embodied_g(MM2_PER_CM2, 0.0, preset)
        np.testing.assert_allclose(sum(parts.values()), row["value"], rtol=1e-14)


def test_operation_on_every_grid(reference):
    table = reference("act_28nm.csv")
    table = table[table["function"] == "operation"]
    assert len(table) >= 10
    energy_j = 1.0 * 0.5 * 3 * 365.25 * 86400
    for _, row in table.iterrows():
        got = operational_g(energy_j, row["g_per_kwh"], pue=1.0)
        np.testing.assert_allclose(got, row["value"], rtol=1e-14)


def test_yield_divides_the_whole_die_and_spares_the_package():
    full = embodied_g(10.0, 1.0, load_preset("act").with_values(yield_fraction=1.0))
    half = embodied_g(10.0, 1.0, load_preset("act").with_values(yield_fraction=0.5))
    for part in ("fab_energy", "fab_gas", "fab_material"):
        assert half[part] == 2 * full[part]
    assert half["package"] == full["package"] == 150.0
    assert half["dram"] == full["dram"] == 48 / 0.875
