"""CPU seconds of pricing many designs: a whole reprice under one scenario, and samples.

python benchmarks/carbon.py
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from timing import least_cpu_s

from carbonopt.carbon.presets import load_preset
from carbonopt.carbon.task import Deployment
from carbonopt.carbon.uncertainty import shared_sample
from carbonopt.front.front import Front
from carbonopt.front.pricing import Scenario, price
from carbonopt.front.reprice import reprice
from carbonopt.front.uncertainty import carbon_samples
from carbonopt.objectives import metric

REPEATS = 5
PRICED, SAMPLED = 100_000, 10_000
TARGETS_S = {"reprice": 0.1, "sample": 2.0}


def designs(count: int, networks: int) -> tuple[pd.DataFrame, list[Deployment]]:
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"area_mm2": 10.0 ** rng.uniform(-1, 2, count)})
    for i in range(networks):
        table[f"energy_j@n{i}"] = 10.0 ** rng.uniform(-6, -3, count)
        table[f"latency_s@n{i}"] = 10.0 ** rng.uniform(-6, -2, count)
        table[f"carbon_ca_g@n{i}"], table[f"cci_ca_g_per_eop@n{i}"] = 1e-9, 100.0
    means = {
        name: np.exp(np.log(table.filter(like=f"{name}@")).mean(axis=1))
        for name in ("latency_s", "energy_j")
    }
    table = table.assign(**means, status="ok", feasible=True)
    return table, [Deployment(f"n{i}", 2.0**20, 0.1) for i in range(networks)]


def worn(table: pd.DataFrame, networks: int) -> pd.DataFrame:
    """Add that devices leak, are made at nodes of their own, and half of them wear out."""
    rng, count = np.random.default_rng(2), len(table)
    survived = {
        f"cell_inferences@n{i}": np.where(
            rng.random(count) < 0.5, np.nan, 10.0 ** rng.uniform(4, 12, count)
        )
        for i in range(networks)
    }
    nodes = rng.choice([22.0, 28.0, 65.0], count)
    return table.assign(idle_w=1e-3, node_nm=nodes, **survived)


def run(count: int, networks: int, *, wears: bool) -> tuple[Front, list[Deployment]]:
    """Designs with all columns that a run has."""
    table, deployed = designs(count, networks)
    table = worn(table, networks) if wears else table
    front = Front("made up", table, (metric("latency_s"), metric("energy_j")), ())
    return reprice(front, deployed, Scenario("PA", load_preset("act"))), deployed


def main() -> None:
    preset = load_preset("default")
    for networks in (1, 4):
        for activity in ("CA", "PA"):
            scenario = Scenario(activity, preset)
            front, deployed = run(PRICED, networks, wears=False)
            worse, _ = run(PRICED, networks, wears=True)
            few, _ = designs(SAMPLED, networks)
            drawn = Scenario(activity, shared_sample(preset))
            once = least_cpu_s(partial(price, front.evaluations, deployed, scenario), REPEATS)
            whole = least_cpu_s(partial(reprice, front, deployed, scenario), REPEATS)
            wearing = least_cpu_s(partial(reprice, worse, deployed, scenario), REPEATS)
            sampled = least_cpu_s(partial(carbon_samples, few, deployed, drawn), REPEATS)
            print(
                f"{networks} networks, {activity}: reprice {PRICED:,} designs, all metrics, limits "
                f"and the new front: {whole:.3f} s (target {TARGETS_S['reprice']} s), of it "
                f"prices with all parts {once:.3f} s; with leakage, nodes and cells that wear "
                f"{wearing:.3f} s; "
                f"256 samples of {SAMPLED:,} designs {sampled:.2f} s "
                f"(target {TARGETS_S['sample']} s)"
            )


if __name__ == "__main__":
    main()
