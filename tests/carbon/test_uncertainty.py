"""Priors, the shared sample, statistics and variance shares."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from carbonopt.carbon.embodied import embodied_g
from carbonopt.carbon.presets import load_preset
from carbonopt.carbon.task import Deployment, Task
from carbonopt.carbon.uncertainty import (
    SAMPLES,
    STATISTICS,
    Prior,
    load_priors,
    mean_carbon_g,
    sampled_preset,
    shared_sample,
    sobol_shares,
    statistics_of,
    tail_mean,
    variance_shares,
)
from carbonopt.errors import SpecError

SHARES = np.linspace(0.01, 0.99, 99)


def prior(name: str, **values: float):
    preset = load_preset("default").with_values(**values)
    return next(entry for entry in load_priors(preset) if entry.name == name)


def test_quantiles_are_those_of_scipy():
    package = prior("package")
    expected = stats.lognorm(np.log(2.0), scale=150.0).ppf(SHARES)
    assert package.quantile(SHARES) == pytest.approx(expected, rel=1e-12)
    grid = prior("fab grid")
    shape = (grid.mode - grid.low) / (grid.high - grid.low)
    expected = stats.triang(shape, grid.low, grid.high - grid.low).ppf(SHARES)
    assert grid.quantile(SHARES) == pytest.approx(expected, rel=1e-12)


def test_priors_hold_the_presets_own_figures():
    for name in ("act", "carbonspot", "default"):
        for entry in load_priors(load_preset(name).with_values(fab_g_per_kwh=11.0)):
            if entry.distribution == "triangular":
                assert entry.low <= entry.mode <= entry.high, entry
            assert entry.source
    assert prior("lifetime").high / prior("lifetime").mode == pytest.approx(5 / 3)


def test_the_grid_is_better_known_once_it_was_set():
    assert prior("grid in use").spread == 1.6
    assert prior("grid in use", use_g_per_kwh=44.0).spread == 1.1


def test_a_device_outside_a_data_centre_has_no_power_overhead():
    assert (prior("power overhead").quantile(SHARES) == 1.0).all()
    centre = prior("power overhead", pue=1.2)
    assert (centre.low, centre.mode, centre.high) == pytest.approx((1.1, 1.2, 2.0))


def test_one_sample_serves_all_designs():
    preset = load_preset("default")
    sample = shared_sample(preset)
    assert sample is shared_sample(load_preset("default"))
    assert sample.package_g.shape == (SAMPLES, 1)
    assert sample.dram_ca_g_per_gb is not None
    assert (sample.dram_ca_g_per_gb == sample.dram_pa_g_per_gb).all()
    assert np.median(sample.package_g) == pytest.approx(150.0, rel=0.02)
    again = sampled_preset(preset, sobol_shares(SAMPLES, len(load_priors(preset))))
    assert (again.lifetime_s == sample.lifetime_s).all()


@pytest.mark.parametrize("count", [0, 1, 100, 257])
def test_only_balanced_samples_are_drawn(count):
    with pytest.raises(SpecError, match=f"samples: got {count}, allowed: a power of two"):
        sobol_shares(count, 2)


@pytest.mark.reference
def test_the_priors_give_the_spread_that_carbonclarity_reports():
    """7 nm, 1 cm2, per good area: mean 2.52, sd 0.99 kg/cm2, p95/mean 1.6 (arXiv 2025)."""
    preset = load_preset("default").with_values(
        node_nm=7, fab_g_per_kwh=583.0, accounting="area", defects_per_mm2=0.002
    )
    shares = sobol_shares(4096, len(load_priors(preset)))
    parts = embodied_g(100.0, 0.0, sampled_preset(preset, shares))
    kilograms = (parts["fab_energy"] + parts["fab_gas"] + parts["fab_material"]) / 1000
    assert kilograms.mean() == pytest.approx(2.52, rel=0.05)
    assert kilograms.std() == pytest.approx(0.99, rel=0.12)
    assert np.quantile(kilograms, 0.95) / kilograms.mean() == pytest.approx(1.6, rel=0.05)


def test_statistics_of_samples():
    samples = np.arange(1.0, 201.0)[:, None] * np.array([1.0, 2.0])
    assert STATISTICS["mean"](samples) == pytest.approx([100.5, 201.0])
    assert STATISTICS["p95"](samples) == pytest.approx([190.05, 380.1])
    assert tail_mean(samples) == pytest.approx([195.5, 391.0])
    assert tail_mean(samples[:3, :1]) == pytest.approx([3.0])


def test_a_row_holds_statistics_of_the_mean_and_of_each_network():
    preset = load_preset("default")
    tasks = [
        Task(Deployment("a", 2**20, 0.04), 1e-6, 1e-3, 4.0),
        Task(Deployment("b", 2**20, 1.0), 2e-6, 3e-3, 4.0),
    ]
    row = statistics_of(tasks, ["carbon_ca_mean_g", "carbon_pa_cvar_g"], preset)
    assert sorted(row) == [
        *("carbon_ca_mean_g", "carbon_ca_mean_g@a", "carbon_ca_mean_g@b"),
        *("carbon_pa_cvar_g", "carbon_pa_cvar_g@a", "carbon_pa_cvar_g@b"),
    ]
    mean, each = mean_carbon_g(tasks, "CA", shared_sample(preset))
    assert row["carbon_ca_mean_g"] == pytest.approx(float(mean.mean()))
    assert row["carbon_ca_mean_g@b"] == pytest.approx(float(each[1].mean()))
    with pytest.raises(SpecError, match="period: a: got no period"):
        statistics_of(
            [Task(Deployment("a", 0, None), 1e-6, 1e-3, 4.0)], ["carbon_pa_p95_g"], preset
        )


def ishigami(shares):
    """Sobol' indices in closed form: 0.3139, 0.4424, 0 alone; 0.5576, 0.4424, 0.2437 in all."""
    x = np.pi * (2.0 * shares - 1.0)
    return np.sin(x[:, 0]) + 7.0 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def test_variance_shares_of_a_known_function():
    first, total = variance_shares(ishigami, 3)
    assert first == pytest.approx([0.3139, 0.4424, 0.0], abs=0.02)
    assert total == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.02)


def test_nothing_varies_where_the_model_is_constant():
    first, total = variance_shares(lambda shares: np.ones(len(shares)), 2, count=8)
    assert not first.any()
    assert not total.any()


@pytest.mark.reference
@pytest.mark.filterwarnings("ignore")
def test_variance_shares_of_carbon_are_those_of_salib():
    sobol = pytest.importorskip("SALib.analyze.sobol")
    preset = load_preset("default")
    dimensions, count = len(load_priors(preset)), 1024
    seen = []

    def carbon(shares):
        task = Task(Deployment("a", 2**20, 0.04), 3e-6, 1e-3, 6.0)
        seen.append(task.carbon_g("PA", sampled_preset(preset, shares))[:, 0])
        return seen[-1]

    first, total = variance_shares(carbon, dimensions, count)
    from_first, from_second, *mixed = seen
    results = np.column_stack([from_first, *mixed, from_second]).ravel()
    problem = {"num_vars": dimensions, "names": [str(i) for i in range(dimensions)]}
    problem["bounds"] = [[0.0, 1.0]] * dimensions
    expected = sobol.analyze(problem, results, calc_second_order=False, num_resamples=2)
    assert first == pytest.approx(expected["S1"], abs=2e-3)
    assert total == pytest.approx(expected["ST"], rel=1e-9, abs=1e-12)
    assert total[[entry.name for entry in load_priors(preset)].index("package")] > 0.5


def test_a_prior_without_width_is_a_number():
    flat = Prior("x", ("x",), "triangular", 2.0, 2.0, 2.0, 0.0, "")
    assert (flat.quantile([0.1, 0.9]) == 2.0).all()
