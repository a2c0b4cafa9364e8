"""CPU seconds of pricing many designs: one scenario, a whole reprice, and samples.

python benchmarks/carbon.py
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from carbonopt.carbon.presets import load_preset
from carbonopt.carbon.task import Deployment
from carbonopt.carbon.uncertainty import shared_sample
from carbonopt.front.front import Front
from carbonopt.front.reprice import Scenario, price, reprice
from carbonopt.front.uncertainty import carbon_samples
from carbonopt.objectives import metric

REPEATS = 5
PRICED, SAMPLED = 100_000, 10_000
TARGETS_S = {"price": 0.1, "sample": 2.0}


def designs(count: int, networks: int) -> tuple[pd.DataFrame, list[Deployment]]:
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"area_mm2": 10.0 ** rng.uniform(-1, 2, count)})
    for i in range(networks):
        table[f"energy_j@n{i}"] = 10.0 ** rng.uniform(-6, -3, count)
        table[f"latency_s@n{i}"] = 10.0 ** rng.uniform(-6, -2, count)
    table["latency_s"], table["energy_j"] = table["latency_s@n0"], table["energy_j@n0"]
    table = table.assign(status="ok", feasible=True)
    return table, [Deployment(f"n{i}", 2.0**20, 0.1) for i in range(networks)]


def seconds(action: Callable[[], object]) -> float:
    """Least CPU time of some repeats, of this process alone."""
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        action()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    preset = load_preset("default")
    for networks in (1, 4):
        for activity in ("CA", "PA"):
            scenario = Scenario(activity, preset)
            table, deployed = designs(PRICED, networks)
            front = Front("made up", table, (metric("latency_s"), metric("energy_j")), ())
            few, _ = designs(SAMPLED, networks)
            drawn = Scenario(activity, shared_sample(preset))
            once = seconds(partial(price, table, deployed, scenario))
            whole = seconds(partial(reprice, front, deployed, scenario))
            sampled = seconds(partial(carbon_samples, few, deployed, drawn))
            print(
                f"{networks} networks, {activity}: "
                f"price {PRICED:,} designs {once:.3f} s (target {TARGETS_S['price']} s), "
                f"with all metrics and the new front {whole:.3f} s; "
                f"256 samples of {SAMPLED:,} designs {sampled:.2f} s "
                f"(target {TARGETS_S['sample']} s)"
            )


if __name__ == "__main__":
    main()
