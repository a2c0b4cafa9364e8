"""Who stays on the front when the carbon is uncertain."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from carbonopt.carbon.presets import load_preset
from carbonopt.carbon.task import Deployment
from carbonopt.errors import SpecError
from carbonopt.front.dominance import non_dominated
from carbonopt.front.pricing import Scenario, price
from carbonopt.front.uncertainty import assess, carbon_samples, on_front


def table(rng: np.random.Generator, count: int = 60) -> pd.DataFrame:
    designs = pd.DataFrame({"area_mm2": rng.uniform(0.1, 50.0, count)})
    designs["energy_j@a"] = 10.0 ** rng.uniform(-6, -4, count)
    designs["latency_s@a"] = np.round(10.0 ** rng.uniform(-5, -2, count), 4) + 1e-4
    designs["latency_s"], designs["energy_j"] = designs["latency_s@a"], designs["energy_j@a"]
    return designs.assign(feasible=rng.random(count) < 0.8)


DEPLOYED = [Deployment("a", 2.0**20, 5e-3)]


def test_fronts_are_those_of_brute_force(rng):
    latency = np.sort(rng.integers(1, 12, 40).astype(float))
    carbon = rng.integers(1, 30, (25, 40)).astype(float)
    fronts, reached = on_front(latency, carbon)
    for row, front, least in zip(carbon, fronts, reached, strict=True):
        assert (front == non_dominated(np.column_stack([latency, row]))).all()
        assert [row[latency <= at].min() for at in latency] == least.tolist()


@pytest.mark.parametrize("activity", ["CA", "PA"])
def test_shares_and_band_follow_from_the_samples(rng, activity):
    designs = table(rng)
    scenario = Scenario(activity, load_preset("default"))
    found = assess(designs, DEPLOYED, scenario, 64)
    kept = designs[designs["feasible"] & ((designs["latency_s"] <= 5e-3) | (activity == "CA"))]
    assert len(found.designs) == len(kept)
    assert found.designs["latency_s"].is_monotonic_increasing
    assert found.designs["share"].between(0, 1).all()
    assert found.designs["share"].sum() >= 1
    assert (found.band["low"] <= found.band["middle"]).all()
    assert (found.band["middle"] <= found.band["high"]).all()
    for name in ("low", "middle", "high"):
        assert found.band[name].is_monotonic_decreasing
    told = found.designs
    assert (told["low"] <= told["mean"]).all()
    assert (told["p95"] <= told["cvar"]).all()
    nominal = price(told, DEPLOYED, scenario)[scenario.metric]
    assert told["nominal"].to_numpy() == pytest.approx(nominal, rel=1e-12)
    best = non_dominated(told[["latency_s", "nominal"]].to_numpy())
    assert told["nominal_front"].tolist() == best.tolist()


def test_without_samples_the_carbon_is_the_nominal_one(rng):
    designs = table(rng)
    scenario = Scenario("CA", load_preset("act"))
    assert carbon_samples(designs, DEPLOYED, scenario) == pytest.approx(
        price(designs, DEPLOYED, scenario)["carbon_ca_g"], rel=1e-12
    )


def test_causes_are_sorted_and_sum_to_about_one(rng):
    causes = assess(table(rng), DEPLOYED, Scenario("PA", load_preset("default")), 16).causes
    assert causes["total"].is_monotonic_decreasing
    assert causes["first"].sum() == pytest.approx(1.0, abs=0.15)
    assert {"package", "lifetime", "grid in use"} <= set(causes["parameter"])


def test_no_feasible_design_is_a_fault(rng):
    with pytest.raises(SpecError, match="no feasible design"):
        assess(table(rng).assign(feasible=False), DEPLOYED, Scenario("CA", load_preset("act")), 16)
