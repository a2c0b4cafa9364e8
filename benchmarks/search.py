"""How near each searcher comes to an exact front, by replaying an enumeration of a problem.

carbonopt enumerate mlperf_tiny --out runs/whole
python benchmarks/search.py runs/whole [--searchers nsga2,tpe] [--seeds 10] [--shares 1,5,20]
python benchmarks/search.py runs/whole [--budgets 100,250,500]

Prints a table of medians over the seeds: log hypervolume relative to the exact front (with the
worst and the best seed), share of the exact front reached within 2 %, and the factor epsilon.

A searcher sets its sizes by its budget, so each budget has runs of its own; from 2000 designs on
all sizes are at their largest, and one run to the largest budget is read at each of them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

import carbonopt as co
from carbonopt.front.dominance import front_rows
from carbonopt.front.indicators import epsilon, hypervolume, share_found
from carbonopt.problem import Problem
from carbonopt.search.base import Key, SearchLoop, SearchTask
from carbonopt.search.registry import make_searcher, searcher_names

SETTLED = 2000
"""Budget from which on no searcher depends on it."""


class Replay:
    """A problem whose designs were all evaluated before."""

    def __init__(self, run_dir: str) -> None:
        whole = co.load_problem(f"{run_dir}/problem.yaml")
        self.table = co.load_run(run_dir).evaluations
        if len(self.table) != whole.size:
            raise SystemExit(f"{run_dir}: got {len(self.table)} of {whole.size} designs")
        self.whole = whole
        self.objectives, self.point = whole.objectives, whole.reference_point
        self.exact = self.values(front_rows(self.table, self.objectives))
        self.places = {
            tuple(key): place for place, key in enumerate(whole.space.encode(self.table).tolist())
        }

    def values(self, rows: pd.DataFrame) -> np.ndarray:
        """Objectives (n, m) of some rows."""
        return rows[self.objectives].to_numpy(dtype=float)

    def problem(self) -> Problem:
        """Make the problem without a model: its rows have what decides, and nothing else."""
        whole = self.whole
        problem = Problem(
            whole.name,
            whole.space.variables,
            _refuse,
            whole.metrics,
            constraints=whole.constraint_names,
            reference_point=self.point,
        )
        columns = [*whole.space.names, *whole.deciding, "status", "message", "feasible"]
        problem.remember(self.table[columns])
        return problem

    def quality(self, designs: list[tuple[int, ...]]) -> tuple[float, float, float]:
        """Measure hypervolume ratio, share of the exact front and epsilon of some designs."""
        rows = self.table.iloc[[self.places[key] for key in designs]]
        found = self.values(front_rows(rows, self.objectives))
        point = [self.point[name] for name in self.objectives]
        ratio = hypervolume(found, point) / hypervolume(self.exact, point)
        return ratio, share_found(found, self.exact), epsilon(found, self.exact)


def _refuse(design: Mapping[str, Any]) -> dict[str, Any]:
    raise LookupError(f"not enumerated: {design}")


def found(problem: Problem, name: str, budget: int, seed: int) -> list[Key]:
    """Search with so many designs; returns them in order."""
    loop = SearchLoop(make_searcher(name, SearchTask(problem, budget, seed)), budget)
    while not loop.finished:
        loop.step(problem, None, lambda rows: None)
    return list(loop.seen)


def line(replay: Replay, problem: Problem, name: str, budgets: list[int], seeds: int) -> str:
    searched_s, designs = 0.0, 0
    results: dict[int, list[tuple[float, float, float]]] = {budget: [] for budget in budgets}
    for seed in range(1, seeds + 1):
        for budget in {max(budgets) if b >= SETTLED else b for b in budgets}:
            start = time.process_time()
            order = found(problem, name, budget, seed)
            searched_s, designs = searched_s + time.process_time() - start, designs + budget
            read = [b for b in budgets if b >= SETTLED] if budget >= SETTLED else [budget]
            for at in read:
                results[at].append(replay.quality(order[:at]))
    cells = []
    for at in budgets:
        ratio, share, factor = np.median(results[at], axis=0)
        low, high = (f(r[0] for r in results[at]) for f in (min, max))
        cells.append(f"{ratio:.3f} ({low:.3f}-{high:.3f}), {share:.0%}, {factor:.2f}")
    return f"| {name} | {' | '.join(cells)} | {1e3 * searched_s / designs:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run_dir")
    parser.add_argument("--searchers", default=",".join(searcher_names()[:-1]))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--shares", default="1,5,20", help="budgets in percent of the space")
    parser.add_argument("--budgets", default="", help="budgets in designs, in place of shares")
    options = parser.parse_args()
    replay = Replay(options.run_dir)
    problem = replay.problem()
    if options.budgets:
        budgets = [int(budget) for budget in options.budgets.split(",")]
        heads = [str(budget) for budget in budgets]
    else:
        shares = [float(share) for share in options.shares.split(",")]
        budgets = [round(share / 100 * problem.size) for share in shares]
        heads = [f"{share:g} % ({budget})" for share, budget in zip(shares, budgets, strict=True)]
    print(f"| searcher | {' | '.join(heads)} | CPU ms per design |")
    print("|---" * (len(heads) + 2) + "|")
    for name in options.searchers.split(","):
        print(line(replay, problem, name, budgets, options.seeds), flush=True)


if __name__ == "__main__":
    main()
