"""Repricing: the same carbon as an evaluation, and no scenario's optimum off the front."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonopt.carbon.presets import CarbonPreset, load_preset
from carbonopt.carbon.task import Deployment
from carbonopt.errors import SpecError
from carbonopt.evaluate import Context, evaluate_row, load_workload
from carbonopt.front.dominance import front_rows, non_dominated
from carbonopt.front.front import Front
from carbonopt.front.pricing import Scenario, price, price_device
from carbonopt.front.reprice import reprice
from carbonopt.front.winners import scenario_free_rows, winners
from carbonopt.objectives import UNCERTAIN, metric

NETWORKS = ("resnet8", "ds_cnn")
DESIGNS = [
    {"template": template, "rows": rows, "cols": 32, "macros": 1, "sram_byte": sram}
    for template in ("dimc", "digital_ws")
    for rows in (32, 64)
    for sram in (65536, 262144)
]
PRICED = ("carbon_", "embodied_g", "operational_", "cci_", "break_even_")
YEAR_S = 365.25 * 86400.0


def evaluated(preset: CarbonPreset) -> tuple[pd.DataFrame, list[Deployment]]:
    """Rows of the real model, one of them a design that cannot be built."""
    workloads = tuple(load_workload(name) for name in NETWORKS)
    context = Context(workloads, preset, "reference", tuple(m.name for m in UNCERTAIN))
    rows = [evaluate_row(design, context) for design in DESIGNS]
    broken = {"limit.buildable": 1.0, "status": "error", "message": "no"}
    table = pd.DataFrame([{**d, **row} for d, row in zip(DESIGNS, rows, strict=True)])
    table = pd.concat([table, pd.DataFrame([{**DESIGNS[0], **broken}])], ignore_index=True)
    table["feasible"] = table["status"] == "ok"
    deployments = [Deployment(w.network.name, w.dram_byte, w.period_s) for w in workloads]
    return table, deployments


@pytest.fixture(scope="module")
def run() -> tuple[Front, list[Deployment]]:
    table, deployments = evaluated(load_preset("default"))
    names = ("latency_s", "carbon_ca_g")
    front = Front(
        "little",
        table,
        tuple(metric(name) for name in names),
        ("template", "rows", "cols", "macros", "sram_byte"),
        constraint_names=("limit.buildable",),
    )
    return front, deployments


@pytest.mark.parametrize("activity", ["CA", "PA"])
@pytest.mark.parametrize("name", ["default", "act"])
def test_repricing_is_evaluating_under_the_other_scenario(run, activity, name):
    front, deployments = run
    preset = load_preset(name).with_values(lifetime_s=7 * YEAR_S, use_g_per_kwh=25.0)
    again = reprice(front, deployments, Scenario(activity, preset)).evaluations
    expected, _ = evaluated(preset)
    columns = [c for c in expected if c.startswith(PRICED)]
    assert len([c for c in columns if "." not in c]) == 7 + 18 + 6 * 3
    for column in columns:
        assert again[column].to_numpy() == pytest.approx(
            expected[column].to_numpy(), rel=1e-12, nan_ok=True
        ), column


def test_the_new_front_is_the_front_of_the_new_carbon(run):
    front, deployments = run
    found = reprice(front, deployments, Scenario("PA", load_preset("act")))
    assert found.objectives == ["latency_s", "energy_j", "carbon_pa_g"]
    best = front_rows(found.evaluations, found.objectives)
    assert found.to_pandas()["rows"].tolist() == best["rows"].tolist()
    assert not found.evaluations["feasible"].iloc[-1]


def test_a_shorter_period_rules_designs_out(run):
    front, deployments = run
    slowest = front.evaluations["latency_s@resnet8"].max()
    tight = [replace(d, period_s=0.99 * slowest) for d in deployments]
    scenario = Scenario("PA", load_preset("default"))
    found = reprice(front, tight, scenario).evaluations
    late = (found["latency_s@resnet8"] > 0.99 * slowest) | (found["status"] != "ok")
    assert late.sum() > 1
    assert (found["feasible"] == ~late).all()
    taking_turns = replace(scenario, preset=scenario.preset.with_values(late_rule="replicate"))
    assert reprice(front, tight, taking_turns).evaluations["feasible"].iloc[:-1].all()


def test_a_die_that_fits_no_wafer_is_infeasible(run):
    front, deployments = run
    huge = front.evaluations.copy()
    huge.loc[0, "area_mm2"] = 1e5
    front = replace(front, evaluations=huge)
    found = reprice(front, deployments, Scenario("CA", load_preset("default"))).evaluations
    assert found["feasible"].tolist() == [False, *[True] * 7, False]
    assert np.isnan(found["carbon_ca_g"][0])
    by_area = reprice(front, deployments, Scenario("CA", load_preset("act"))).evaluations
    assert by_area["feasible"][0]


def test_a_die_beyond_the_reticle_is_saved_by_cutting_it(run):
    front, deployments = run
    large = front.evaluations.copy()
    large.loc[0, "area_mm2"] = 1000.0
    front = replace(front, evaluations=large)
    whole, free = load_preset("default"), load_preset("act")
    for preset, kept in (
        (whole, False),
        (whole.with_values(dies=2, carrier="rdl"), True),
        (free, True),
        (free.with_values(reticle_rule="met"), False),
    ):
        found = reprice(front, deployments, Scenario("CA", preset))
        assert found.evaluations["feasible"][0] == kept
        assert ("limit.reticle" in found.constraint_names) == (preset.reticle_rule == "met")
    parts = found.evaluations[[c for c in found.evaluations if c.startswith("carbon_ca_g.")]]
    whole_g = found.evaluations["carbon_ca_g"].to_numpy()
    assert parts.sum(axis=1).to_numpy()[:8] == pytest.approx(whole_g[:8])


def test_limits_follow_the_new_carbon(run):
    front, deployments = run
    scenario = Scenario("CA", load_preset("default").with_values(use_g_per_kwh=900.0))
    limit = float(front.evaluations["carbon_ca_g"].median())
    limited = replace(front, constraint_names=("limit.buildable", "limit.carbon_ca_g"))
    found = reprice(limited, deployments, scenario, {"carbon_ca_g": limit}).evaluations
    kept = found["carbon_ca_g"] <= limit
    assert found["feasible"].tolist() == kept.tolist()


def test_ca_needs_no_period_and_pa_says_which_is_missing(run):
    front, deployments = run
    unknown = [replace(deployments[0], period_s=None), deployments[1]]
    ca = reprice(front, unknown, Scenario("CA", load_preset("default")))
    assert not any(str(name).startswith("carbon_pa_g") for name in ca.evaluations)
    with pytest.raises(SpecError, match="period: resnet8: got no period"):
        reprice(front, unknown, Scenario("PA", load_preset("default")))


def test_designs_without_the_networks_columns_are_refused(run):
    front, deployments = run
    stranger = [replace(deployments[0], network="other")]
    with pytest.raises(SpecError, match="designs without energy_j@other, latency_s@other"):
        reprice(front, stranger, Scenario("CA", load_preset("default")))


def made_up(seed: int, networks: int, *, idle: bool) -> tuple[pd.DataFrame, list[Deployment]]:
    """Random designs on a coarse grid, so that many tie and many are dominated."""
    rng = np.random.default_rng(seed)
    count = 40
    names = [f"net{i}" for i in range(networks)]
    table = pd.DataFrame({"area_mm2": 2.0 ** rng.integers(-6, 9, count)})
    for name in names:
        table[f"energy_j@{name}"] = 1e-6 * 2.0 ** rng.integers(-4, 5, count)
        table[f"latency_s@{name}"] = 1e-3 * 2.0 ** rng.integers(-6, 4, count)
    if idle:
        table["idle_w"] = 1e-4 * rng.integers(0, 4, count)
    deployments = [
        Deployment(name, 2.0**20 * (1 + i), 1e-3 * 2.0 ** rng.integers(-2, 7))
        for i, name in enumerate(names)
    ]
    means = [np.exp(np.log(table.filter(like=m)).mean(axis=1)) for m in ("latency_s", "energy_j")]
    table["latency_s"], table["energy_j"] = means
    table["embodied_g"] = price_device(table, deployments, load_preset("default"))["embodied_g"]
    return table, deployments


SCENARIOS = st.builds(
    lambda activity, name, rule, values: Scenario(
        activity, load_preset(name).with_values(late_rule=rule, **values)
    ),
    st.sampled_from(["CA", "PA"]),
    st.sampled_from(["act", "carbonspot", "default"]),
    st.sampled_from(["infeasible", "replicate", "fractional"]),
    st.fixed_dictionaries(
        {
            "use_g_per_kwh": st.floats(0.0, 1200.0),
            "lifetime_s": st.floats(0.1 * YEAR_S, 20 * YEAR_S),
            "utilisation": st.floats(0.01, 1.0),
            "interval_ratio": st.floats(0.01, 1.0),
            "pue": st.floats(1.0, 2.0),
            "package_g": st.floats(0.0, 300.0),
            "fab_g_per_kwh": st.floats(0.0, 1000.0),
            "defects_per_mm2": st.floats(0.0, 0.01),
            "decarbonisation_per_year": st.floats(0.0, 0.2),
        },
        optional={
            "yield_model": st.sampled_from(["poisson", "murphy", "seeds", "negative_binomial"]),
            "accounting": st.sampled_from(["area", "wafer"]),
            "node_nm": st.sampled_from([3, 7, 28, 65, 180]),
            "leakage_factor": st.floats(0.0, 2.0),
            "dies": st.integers(1, 6),
            "carrier": st.sampled_from(["organic", "rdl", "interposer", "bridge"]),
            "stacking": st.sampled_from(["side_by_side", "stacked"]),
            "bonding_yield": st.floats(0.5, 1.0),
        },
    ),
)


@pytest.mark.property
@given(st.integers(0, 10**6), st.integers(1, 3), st.booleans(), SCENARIOS)
def test_no_scenarios_optimum_lies_off_the_scenario_free_front(seed, networks, idle, scenario):
    table, deployments = made_up(seed, networks, idle=idle)
    front = scenario_free_rows(table, [d.network for d in deployments])
    carbon = price(table, deployments, scenario)
    for column in [scenario.metric, *(f"{scenario.metric}@{d.network}" for d in deployments)]:
        values = carbon[column]
        assert values[front].min() <= values.min() * (1 + 1e-12)
    kept = np.ones(len(table), dtype=bool)
    if scenario.activity == "PA" and scenario.preset.late_rule == "infeasible":
        late = [table[f"latency_s@{d.network}"] > d.period_s for d in deployments]
        kept = ~np.any(late, axis=0)
    if kept.any():
        values = carbon[scenario.metric]
        assert values[front & kept].min() <= values[kept].min() * (1 + 1e-12)


def test_means_over_the_networks_are_not_enough():
    """A design that is worse in both means wins where one network is served far more often."""
    table = pd.DataFrame(
        {
            "area_mm2": [10.0, 10.0],
            **{"latency_s@a": [1e-3, 1e-3], "latency_s@b": [1e-3, 1e-3]},
            **{"energy_j@a": [1e-3, 2.2e-5], "energy_j@b": [1e-6, 5e-5]},
            **{"latency_s": [1e-3, 1e-3], "energy_j": [3.1e-5, 3.3e-5]},
        }
    )
    deployments = [Deployment("a", 2**20, 1e-3), Deployment("b", 2**20, 10.0)]
    scenario = Scenario("PA", load_preset("default"))
    table["embodied_g"] = price_device(table, deployments, scenario.preset)["embodied_g"]
    assert price(table, deployments, scenario)["carbon_pa_g"].argmin() == 1
    means = non_dominated(table[["latency_s", "energy_j", "embodied_g"]].to_numpy())
    assert means.tolist() == [True, False]
    assert scenario_free_rows(table, ["a", "b"]).all()


def test_only_dies_of_one_node_compete_for_every_scenario():
    """At 65 nm a die takes less electricity and more area: which is better depends on the fab."""
    table = pd.DataFrame({"area_mm2": [10.0, 16.0, 17.0], "node_nm": [28.0, 65.0, 65.0]})
    for name in ("latency_s", "energy_j"):
        table[name] = table[f"{name}@a"] = [1e-3, 1.1e-3, 1.2e-3]
    deployments, preset = [Deployment("a", 0.0, 1.0)], load_preset("default")
    table["embodied_g"] = price_device(table, deployments, preset)["embodied_g"]
    assert scenario_free_rows(table, ["a"]).tolist() == [True, True, False]
    for grid, best in ((0.0, 0), (2000.0, 1)):
        fab = preset.with_values(fab_g_per_kwh=grid, use_g_per_kwh=0.0)
        assert price(table, deployments, Scenario("PA", fab))["carbon_pa_g"].argmin() == best


@pytest.mark.parametrize("activity", ["CA", "PA"])
def test_the_map_of_winners_is_what_pricing_each_scenario_gives(activity):
    table, deployments = made_up(3, 2, idle=True)
    preset = load_preset("default").with_values(late_rule="replicate")
    lifetimes, intensities = np.array([0.5, 4.0]) * YEAR_S, np.array([5.0, 300.0, 900.0])
    found = winners(table, deployments, Scenario(activity, preset), lifetimes, intensities)
    for i, lifetime in enumerate(lifetimes):
        for j, intensity in enumerate(intensities):
            there = preset.with_values(lifetime_s=lifetime, use_g_per_kwh=intensity)
            carbon = price(table, deployments, Scenario(activity, there))
            values = carbon[f"carbon_{activity.lower()}_g"]
            assert values[found[i, j]] == pytest.approx(values.min(), rel=1e-12)


def test_a_map_without_designs_is_refused():
    table, deployments = made_up(3, 1, idle=False)
    scenario = Scenario("CA", load_preset("default"))
    with pytest.raises(SpecError, match="no feasible design"):
        winners(table.head(0), deployments, scenario, np.array([1.0]), np.array([1.0]))
