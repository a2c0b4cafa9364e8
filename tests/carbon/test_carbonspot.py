"""The preset `carbonspot` gives CarbonSpot's published carbon from its energy, time and area."""

from __future__ import annotations

import numpy as np
import pytest

from carbonopt.carbon.presets import load_preset
from carbonopt.carbon.scenario import PARTS, carbon_ca, carbon_pa

RELATIVE = 1e-12
SECONDS_PER_YEAR = 365 * 86400.0

pytestmark = pytest.mark.reference


def close(got, expected):
    np.testing.assert_allclose(got, expected, rtol=RELATIVE, atol=0)


@pytest.fixture(scope="module")
def published(reference):
    """Published design points without the geometric means, and the carbon recomputed for them."""
    table = reference("carbonspot_carbon.csv")
    table = table[table["workload"] != "geo"].reset_index(drop=True)
    preset = load_preset("carbonspot")
    energy_j = table["energy_pj"] * 1e-12
    latency_s = table["latency_cycles"] * table["clock_ns"] * 1e-9
    period_s = table["period_ns"] * 1e-9
    area_mm2, dram_gb = table["area_mm2"], table["dram_gb"]
    ca = carbon_ca(energy_j, latency_s, area_mm2, dram_gb, preset)
    pa = carbon_pa(energy_j, latency_s, area_mm2, period_s, dram_gb, preset)
    return table, {"ca": ca, "pa": pa}


def test_all_published_points_are_here(published):
    table, _ = published
    assert table.groupby("suite").size().to_dict() == {"mobile": 120, "tiny": 224}
    assert (~table["meets_period"]).sum() == 45


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("scenario", ["ca", "pa"])
def test_every_part_of_every_point(published, scenario, part):
    table, carbon = published
    close(carbon[scenario][part], table[f"{scenario}_{part}"])


@pytest.mark.parametrize("scenario", ["ca", "pa"])
def test_totals_with_and_without_package(published, scenario):
    table, carbon = published
    total = sum(carbon[scenario].values())
    close(total, table[f"{scenario}_total"])
    close(total - carbon[scenario]["package"], table[f"{scenario}_without_package"])


@pytest.mark.parametrize("scenario", ["ca", "pa"])
def test_geometric_means_over_the_tiny_suite(published, reference, scenario):
    table, carbon = published
    design = ["array", "sram_byte", "dim"]
    total = sum(carbon[scenario].values())
    totals = table.assign(total=total, without_package=total - carbon[scenario]["package"])
    tiny = totals[totals["suite"] == "tiny"].set_index(design)[["total", "without_package"]]
    means = np.exp(np.log(tiny).groupby(level=design).mean())
    geo = reference("carbonspot_carbon.csv")
    geo = geo[geo["workload"] == "geo"].set_index(design)
    assert len(geo) == len(means) == 56
    for name in ("total", "without_package"):
        close(means[name], geo[f"{scenario}_{name}"].loc[means.index])


def test_late_designs_pay_as_in_ca(published):
    table, carbon = published
    late = ~table["meets_period"].to_numpy()
    for part in ("fab_energy", "fab_gas", "fab_material", "package"):
        close(carbon["pa"][part][late], carbon["ca"][part][late])


@pytest.mark.parametrize("scenario", ["CA", "PA"])
def test_carbon_function_on_a_grid(reference, scenario):
    table = reference("carbonspot_calc_cf.csv")
    table = table[table["scenario"] == scenario]
    assert len(table) == 288
    for (years, fraction), rows in table.groupby(["lifetime_year", "yield_fraction"]):
        preset = load_preset("carbonspot").with_values(
            lifetime_s=years * SECONDS_PER_YEAR, yield_fraction=fraction
        )
        energy_j, latency_s = rows["energy_pj"] * 1e-12, rows["latency_ns"] * 1e-9
        area_mm2, dram_gb = rows["area_mm2"], rows["dram_gb"]
        if scenario == "CA":
            got = carbon_ca(energy_j, latency_s, area_mm2, dram_gb, preset)
        else:
            period_s = rows["period_ns"] * 1e-9
            got = carbon_pa(energy_j, latency_s, area_mm2, period_s, dram_gb, preset)
        for part in PARTS:
            close(got[part], rows[part])
        close(sum(got.values()), rows["total"])
