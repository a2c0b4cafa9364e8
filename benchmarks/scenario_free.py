"""What a search without a scenario is worth: regret over random scenarios, by objectives.

python benchmarks/scenario_free.py RUN

RUN is the directory of `carbonopt enumerate mlperf_tiny`: every design, so that the best one of
each scenario is known. Searches are replayed on its rows and cost nothing.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import yaml

import carbonopt as co
from carbonopt.carbon.presets import load_preset
from carbonopt.carbon.task import Deployment
from carbonopt.front.dominance import non_dominated
from carbonopt.front.pricing import Scenario, price
from carbonopt.front.winners import scenario_free_rows
from carbonopt.run.deployment import RunDeployment, deployment_of

SCENARIOS, BUDGETS, SEEDS = 1000, (500, 1000), (1, 2, 3)
YEAR_S = 365.25 * 86400.0
MEANS = ["latency_s", "energy_j", "idle_w", "embodied_g"]
DIRECT = ["latency_s", "energy_j", "carbon_ca_g", "carbon_pa_g"]

Drawn = list[tuple[Scenario, list[Deployment]]]


def draw(stored: RunDeployment) -> Drawn:
    """Random grids, lifetimes, periods, packages, fabs; half of them CA, half PA."""
    rng = np.random.default_rng(5)
    drawn: Drawn = []
    for place in range(SCENARIOS):
        preset = load_preset("default").with_values(
            use_g_per_kwh=10 ** rng.uniform(0.7, 3.08),
            lifetime_s=10 ** rng.uniform(-0.3, 1.3) * YEAR_S,
            package_g=rng.choice([0.0, 150.0, rng.uniform(0, 300)]),
            fab_g_per_kwh=rng.uniform(0, 900),
            defects_per_mm2=rng.uniform(0, 0.003),
            accounting=str(rng.choice(["area", "wafer"])),
            late_rule="replicate",
        )
        scale = 10 ** rng.uniform(-2, 1)
        networks = [replace(d, period_s=(d.period_s or 1.0) * scale) for d in stored.networks]
        drawn.append((Scenario("PA" if place % 2 else "CA", preset), networks))
    return drawn


def least(table: pd.DataFrame, drawn: Drawn) -> np.ndarray:
    """Least carbon of every scenario among some designs."""
    return np.array([price(table, d, s)[s.metric].min() for s, d in drawn])


def told(regret: np.ndarray) -> str:
    """Regret in CA and in PA: mean, worst, and how often there is none."""
    texts = []
    for name, values in (("CA", regret[0::2]), ("PA", regret[1::2])):
        hit = np.mean(values <= 1e-9)
        texts.append(f"{name} mean {values.mean():.2%}, worst {values.max():.1%}, none {hit:.0%}")
    return "; ".join(texts)


def variant(run_dir: Path, objectives: object) -> co.Problem:
    """Make the run's problem with other objectives."""
    content = yaml.safe_load((run_dir / "problem.yaml").read_text())
    content = {k: v for k, v in content.items() if not k.startswith("reference_")}
    with TemporaryDirectory() as folder:
        file = Path(folder, "problem.yaml")
        file.write_text(yaml.safe_dump({**content, "objectives": objectives}))
        return co.load_problem(file)


def main() -> None:
    run_dir = Path(sys.argv[1])
    stored, evaluations = deployment_of(run_dir), co.load_run(run_dir).evaluations
    drawn = draw(stored)
    feasible = evaluations[evaluations["feasible"]].reset_index(drop=True)
    best = least(feasible, drawn)
    names = [d.network for d in stored.networks]
    for text, rows in (
        ("front per network", scenario_free_rows(feasible, names)),
        ("front of the means", non_dominated(feasible[MEANS].to_numpy())),
    ):
        regret = least(feasible[rows], drawn) / best - 1
        print(f"{text}: {rows.sum()} of {len(feasible)} designs; {told(regret)}")
    for text, objectives in (
        ("scenario_free", "scenario_free"),
        ("means", MEANS),
        ("CA, PA", DIRECT),
    ):
        for searcher in ("nsga2-plain", "random"):
            for budget in BUDGETS:
                regrets = []
                for seed in SEEDS:
                    problem = variant(run_dir, objectives)
                    problem.remember(evaluations)
                    seen = co.search(problem, searcher, budget, seed).evaluations
                    regrets.append(least(seen[seen["feasible"]], drawn) / best - 1)
                print(f"{text}, {searcher}, {budget}: {told(np.concatenate(regrets))}")


if __name__ == "__main__":
    main()
