"""As many designs are priced at once as a question may have; benchmarks/carbon.py says how fast."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from carbonopt.carbon.presets import load_preset
from carbonopt.carbon.scenario import total_ca
from carbonopt.carbon.task import Deployment
from carbonopt.front.front import Front
from carbonopt.front.pricing import Scenario
from carbonopt.front.reprice import reprice
from carbonopt.objectives import metric


def designs(rng, n):
    return {
        "energy_j": rng.lognormal(-10, 1, n),
        "latency_s": rng.lognormal(-6, 1, n),
        "area_mm2": rng.lognormal(1, 1, n),
        "dram_gb": 0.001,
    }


@pytest.mark.parametrize("activity", ["CA", "PA"])
@pytest.mark.parametrize("networks", [1, 4])
def test_a_hundred_thousand_designs_are_repriced_at_once(rng, activity, networks):
    """Prices in both activities, device, metrics, limits and the new front: all of `reprice`."""
    names = [f"n{place}" for place in range(networks)]
    table = pd.DataFrame({"area_mm2": rng.lognormal(1, 1, 100_000), "status": "ok"})
    for name in names:
        table[f"energy_j@{name}"] = rng.lognormal(-10, 1, len(table))
        table[f"latency_s@{name}"] = rng.lognormal(-6, 1, len(table))
        table[f"carbon_ca_g@{name}"], table[f"cci_ca_g_per_eop@{name}"] = 1e-9, 100.0
    for name in ("latency_s", "energy_j"):
        table[name] = np.exp(np.log(table.filter(like=f"{name}@")).mean(axis=1))
    metrics = (metric("latency_s"), metric("energy_j"))
    front = Front("made up", table.assign(feasible=True), metrics, ())
    deployed = [Deployment(name, 2.0**20, 1.0) for name in names]
    scenario = Scenario(activity, load_preset("default"))
    front = reprice(front, deployed, scenario)
    carbon = front.evaluations[scenario.metric]
    assert front.lowest(scenario.metric)[scenario.metric] == carbon.min()
    assert "break_even_pa_s@n0" in front.evaluations


def test_samples_of_ten_thousand_designs_are_taken_at_once(rng):
    names = ("fab_kwh_per_mm2", "gas_g_per_mm2", "material_g_per_mm2", "defects_per_mm2")
    names += ("fab_g_per_kwh", "package_g", "use_g_per_kwh", "lifetime_s", "dram_ca_g_per_gb")
    preset = load_preset("default")
    samples = {name: getattr(preset, name) * rng.lognormal(0, 0.3, (256, 1)) for name in names}
    preset, many = preset.with_values(**samples), designs(rng, 10_000)
    sampled = total_ca(**many, preset=preset)
    assert sampled.shape == (256, 10_000)
    one = {name: values[:1] if name != "dram_gb" else values for name, values in many.items()}
    assert total_ca(**one, preset=preset)[:, 0] == pytest.approx(sampled[:, 0], rel=1e-12)
