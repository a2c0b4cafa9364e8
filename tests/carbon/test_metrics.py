"""Carbon metrics, by hand and against each other."""

from __future__ import annotations

import numpy as np
import pytest

from carbonopt.carbon.metrics import break_even_s, cci_g_per_eop, ncf, sci_g
from carbonopt.carbon.presets import load_preset
from carbonopt.carbon.scenario import carbon_ca
from carbonopt.errors import ModelRangeError
from carbonopt.evaluate import Context, evaluate_row, load_workload
from carbonopt.objectives import PER_DEVICE, PER_NETWORK, metric

DESIGN = {"template": "dimc", "rows": 64, "cols": 64, "macros": 1, "sram_byte": 65536}


@pytest.fixture(scope="module")
def row():
    workloads = (load_workload("resnet8"), load_workload("autoencoder"))
    return evaluate_row(DESIGN, Context(workloads, load_preset("default"), "optimal"))


def test_at_the_break_even_lifetime_making_and_operation_weigh_the_same():
    preset = load_preset("default")
    parts = carbon_ca(1e-6, 1e-3, 5.0, 0.001, preset)
    embodied = sum(parts.values()) - parts["operational"]
    even = break_even_s(embodied * preset.lifetime_s / 1e-3, parts["operational"], 1e-3)
    again = carbon_ca(1e-6, 1e-3, 5.0, 0.001, preset.with_values(lifetime_s=float(even)))
    embodied = sum(again.values()) - again["operational"]
    assert embodied == pytest.approx(float(again["operational"]), rel=1e-12)


def test_compute_carbon_intensity_by_hand():
    np.testing.assert_allclose(cci_g_per_eop([1e-6, 2e-6], 2e9), [500.0, 1000.0])


def test_the_task_carbon_is_the_software_carbon_intensity_of_one_inference():
    preset = load_preset("default")
    parts = carbon_ca(3.6, 1.0, 5.0, 0.0, preset)
    share = sum(parts.values()) - parts["operational"]
    got = sci_g(1e-6, preset.use_g_per_kwh, share, 1.0)
    assert got == pytest.approx(float(sum(parts.values())), rel=1e-12)


def test_a_footprint_against_a_baseline():
    assert ncf(1.0, 1.0, 0.3) == 1.0
    assert ncf(2.0, 0.5, 0.8) > 1 > ncf(2.0, 0.5, 0.2)
    with pytest.raises(ModelRangeError, match=r"embodied_weight: got 1.5, allowed: 0 to 1"):
        ncf(1.0, 1.0, 1.5)


def test_the_registry_covers_every_metric_of_the_row(row):
    for wanted in PER_NETWORK:
        if wanted.factors:
            assert all(factor in row for factor in wanted.factors), wanted.name
        else:
            assert row[wanted.name] > 0
            assert row[f"{wanted.name}@resnet8"] > 0


def test_every_carbon_metric_names_who_defined_it():
    plain = {"latency_s", "energy_j", "edp_js", "area_mm2", "idle_w"}
    assert {m.name for m in PER_NETWORK + PER_DEVICE if not m.reference} == plain


def test_metrics_of_a_row_by_hand(row):
    macs = {w: load_workload(w).network.macs for w in ("resnet8", "autoencoder")}
    for network, count in macs.items():
        carbon = row[f"carbon_ca_g@{network}"]
        assert row[f"cci_g_per_eop@{network}"] == pytest.approx(carbon / (2 * count) * 1e18)
        leaked_j = row["idle_w"] * row[f"latency_s@{network}"]
        drawn = (row[f"energy_j@{network}"] + leaked_j) / 3.6e6 * 473
        assert row[f"operational_g@{network}"] == pytest.approx(drawn)
        even = row["embodied_g"] / drawn * row[f"latency_s@{network}"]
        assert row[f"break_even_s@{network}"] == pytest.approx(even, rel=1e-9)


def test_products_of_a_device_and_a_network():
    assert metric("ce2p_gj2@a").factors == ("embodied_g", "energy_j@a", "energy_j@a")
    assert metric("tcdp_pa_gs").factors == ("carbon_pa_g", "latency_s")


def test_a_grid_without_carbon_has_no_break_even():
    preset = load_preset("default").with_values(use_g_per_kwh=0.0)
    clean = evaluate_row(DESIGN, Context((load_workload("resnet8"),), preset, "optimal"))
    assert clean["operational_g"] == 0.0
    assert "break_even_s" not in clean
