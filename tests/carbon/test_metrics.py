"""Carbon metrics, by hand and against each other."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from carbonopt.carbon.embodied import embodied_g
from carbonopt.carbon.metrics import break_even_s, cci_g_per_eop, ncf, sci_g, task_metrics
from carbonopt.carbon.operational import mean_over_lifetime
from carbonopt.carbon.presets import load_preset
from carbonopt.carbon.scenario import carbon_ca
from carbonopt.carbon.task import Deployment, Task
from carbonopt.errors import ModelRangeError
from carbonopt.evaluate import Context, evaluate_row, load_workload
from carbonopt.objectives import GIVEN, METRICS, PER_NETWORK, metric

DESIGN = {"template": "dimc", "rows": 64, "cols": 64, "macros": 1, "sram_byte": 65536}


@pytest.fixture(scope="module")
def row():
    workloads = (load_workload("resnet8"), load_workload("autoencoder"))
    return evaluate_row(DESIGN, Context(workloads, load_preset("default"), "optimal"))


def making_and_use(parts):
    """Carbon of making and of electricity of a task [g]."""
    used = float(parts["operational"] + parts["idle"])
    return float(sum(parts.values())) - used, used


@pytest.mark.parametrize("activity", ["CA", "PA"])
@pytest.mark.parametrize(
    "values",
    [
        {},
        {"utilisation": 0.2, "interval_ratio": 0.5},
        {"decarbonisation_per_year": 0.05},
        {"utilisation": 0.2, "decarbonisation_per_year": 0.01},
        {"late_rule": "replicate"},
        {"late_rule": "fractional", "decarbonisation_per_year": 0.03},
    ],
)
def test_at_the_break_even_lifetime_making_and_operation_weigh_the_same(activity, values):
    preset = load_preset("default").with_values(use_g_per_kwh=800.0, **values)
    task = Task(Deployment("net", 2.0**20, 0.4), 8.0, 0.9, 5.0, idle_w=0.3)
    parts = task.parts_g(activity, preset)
    even = float(task_metrics(activity, parts, preset, 1.0)[f"break_even_{activity.lower()}_s"])
    making, used = making_and_use(task.parts_g(activity, preset.with_values(lifetime_s=even)))
    assert making == pytest.approx(used, rel=1e-12)
    assert 1e4 < even < 1e6


@pytest.mark.parametrize("activity", ["CA", "PA"])
def test_the_break_even_lifetime_is_the_root_of_the_carbon_that_was_drawn(activity):
    """Year by year: tasks of the year, at the intensity of its days."""
    preset = load_preset("default").with_values(utilisation=0.3, decarbonisation_per_year=0.08)
    task = Task(Deployment("net", 0.0, 3.0), 0.02, 0.9, 5.0, idle_w=0.001)
    parts = task.parts_g(activity, preset)
    even = float(task_metrics(activity, parts, preset, 1.0)[f"break_even_{activity.lower()}_s"])
    per_s = 0.3 / 0.9 if activity == "CA" else 1 / 3.0
    waiting_j = 0.0 if activity == "CA" else 0.001 * (3.0 - 0.9)
    first_day = per_s * (0.02 + 0.001 * 0.9 + waiting_j) * 473 / 3.6e6
    device = float(sum(embodied_g(5.0, 0.0, preset).values()))
    year = 365.25 * 86400

    def left(lifetime_s):
        ages = np.linspace(0.0, lifetime_s, 200_001)
        return np.trapezoid(first_day * 0.92 ** (ages / year), ages) - device

    assert even == pytest.approx(brentq(left, year, 200 * year), rel=1e-8)


def test_a_grid_that_gets_clean_too_fast_never_breaks_even():
    # M / r0 = 20 years at once; at 5 % a year all that can ever be drawn is r0 19.5 years
    year = 365.25 * 86400
    assert break_even_s(1.0, 1.0, 20 * year) == pytest.approx(20 * year)
    fall = mean_over_lifetime(0.05, 20 * year)
    assert break_even_s(1.0, fall, 20 * year, 0.05) == math.inf
    fall = mean_over_lifetime(0.04, 20 * year)
    rate = -math.log(0.96)
    expected = -math.log(1 - 20 * rate) / rate * year
    assert break_even_s(1.0, fall, 20 * year, 0.04) == pytest.approx(expected, rel=1e-12)
    assert break_even_s([0.0, 1.0, 0.0], [1.0, 0.0, 0.0], 1.0).tolist() == [0.0, math.inf, 0.0]


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


def test_every_metric_has_a_unit_and_a_reference():
    for name, each in METRICS.items():
        assert each.unit or each in GIVEN, name
        assert each.reference, name
    assert "Horowitz" in METRICS["edp_js"].reference


def test_metrics_of_a_row_by_hand(row):
    workloads = {name: load_workload(name) for name in ("resnet8", "autoencoder")}
    lifetime_s = load_preset("default").lifetime_s
    for network, workload in workloads.items():
        latency_s = row[f"latency_s@{network}"]
        seconds = {"ca": latency_s, "pa": workload.period_s}
        for activity, device_s in seconds.items():
            carbon = row[f"carbon_{activity}_g@{network}"]
            operations = 2 * workload.network.macs
            cci = row[f"cci_{activity}_g_per_eop@{network}"]
            assert cci == pytest.approx(carbon / operations * 1e18)
            drawn = (row[f"energy_j@{network}"] + row["idle_w"] * device_s) / 3.6e6 * 473
            assert row[f"operational_{activity}_g@{network}"] == pytest.approx(drawn)
            making = carbon - drawn
            even = row[f"break_even_{activity}_s@{network}"]
            assert even == pytest.approx(making * lifetime_s / drawn, rel=1e-9)
            assert even == pytest.approx(row["embodied_g"] / drawn * device_s, rel=1e-9)


def test_products_of_a_device_and_a_network():
    assert metric("ce2p_gj2@a").factors == ("embodied_g", "energy_j@a", "energy_j@a")
    assert metric("tcdp_pa_gs").factors == ("carbon_pa_g", "latency_s")


def test_on_a_grid_without_carbon_a_device_never_breaks_even():
    preset = load_preset("default").with_values(use_g_per_kwh=0.0)
    clean = evaluate_row(DESIGN, Context((load_workload("resnet8"),), preset, "optimal"))
    assert clean["operational_ca_g"] == clean["operational_pa_g"] == 0.0
    assert clean["break_even_ca_s"] == clean["break_even_pa_s"] == math.inf
