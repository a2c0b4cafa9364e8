"""What carbonopt itself costs per design: bookkeeping, cache, archive and store.

python benchmarks/overhead.py [--designs 4000] [--repeats 5]

The model is a few multiplications, whose own time is taken off, and the searcher hands out the
next 200 designs of a list, so that neither a model nor pymoo is in the number. It is the slope
between so many designs and twice as many, so that starting and ending a run is not in it either.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from timing import least_cpu_s

import carbonopt as co
from carbonopt.problem import Problem
from carbonopt.run.session import Session
from carbonopt.search.base import Key, SearchLoop, SearchTask
from carbonopt.search.registry import make_searcher
from carbonopt.search.stop import StopRules
from carbonopt.store import RunStore

POPULATION = 200
VARIABLES = ("rows", "cols", "macros", "sram", "node", "supply")
LEVELS = 8


def row(design: Mapping[str, Any]) -> dict[str, float]:
    """Three objectives that conflict, two limits and four further columns."""
    size = 1.0
    for name in VARIABLES:
        size *= 1.0 + design[name]
    latency, energy = 1.0 / size, size * (1.0 + design["node"])
    return {
        **{"latency_s": latency, "energy_j": energy, "carbon_ca_g": latency + energy / 1e3},
        **{"area_mm2": size, "limit.period": latency - 0.5, "limit.buildable": 0.0},
        **{"energy_j.array": energy / 2, "energy_j.sram": energy / 4, "embodied_g": 0.5},
    }


def problem() -> Problem:
    return Problem(
        "overhead",
        [co.Variable.integer(name, 0, LEVELS - 1) for name in VARIABLES],
        row,
        ["latency_s", "energy_j", "carbon_ca_g"],
        constraints=["limit.period", "limit.buildable"],
        limits={"area_mm2": 1e4},
        reference_point={"latency_s": 2.0, "energy_j": 1e6, "carbon_ca_g": 1e3},
    )


class Handed:
    """Hands out designs of a shuffled list, a population at a time; learns nothing."""

    def __init__(self, size: int, shape: tuple[int, ...]) -> None:
        order = np.random.default_rng(1).permutation(size)
        self.designs = np.stack(np.unravel_index(order, shape), axis=1)
        self.place = 0

    def ask(self, seen: Collection[Key]) -> np.ndarray:
        """Hand out the next designs (n, v)."""
        self.place += POPULATION
        return self.designs[self.place - POPULATION : self.place]

    def tell(self, index: np.ndarray, objectives: np.ndarray, violations: np.ndarray) -> None:
        """Learn nothing."""

    def __getstate__(self) -> dict[str, Any]:
        """Keep the list out of the checkpoint, which is no part of this searcher's state."""
        return {"place": self.place}


def run(searcher: str, designs: int, *, stored: bool) -> None:
    """Search so many designs, kept in a directory or in memory."""
    solved = problem()
    chosen = (
        Handed(solved.size, solved.space.shape)
        if searcher == "handed"
        else make_searcher(searcher, SearchTask(solved, designs, 1))
    )
    loop = SearchLoop(chosen, designs)
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(Path(folder) / "run") if stored else None
        if store is None:
            Session(solved, loop, None, StopRules()).run(None, None)
            return
        manifest = {"problem": solved.name}
        with store.locked():
            store.start(solved, manifest)
            Unclosed(solved, loop, store, StopRules()).run(None, None)


class Unclosed(Session):
    """A run whose manifest is not closed, because it has none worth the name."""

    def _close(self, store: RunStore, front: co.Front) -> None:
        store.rewrite(front.evaluations, self.problem)
        store.write_front(front.to_pandas())


def slope_us(searcher: str, designs: int, repeats: int, *, stored: bool) -> float:
    """CPU time per design [us], of the second half of twice as many."""
    once, twice = (
        least_cpu_s(partial(run, searcher, many * designs, stored=stored), repeats)
        for many in (1, 2)
    )
    return 1e6 * (twice - once) / designs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--designs", type=int, default=4000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    index = np.random.default_rng(0).integers(0, LEVELS, (options.designs, len(VARIABLES)))
    decoded = problem().space.decode(index)
    model_s = least_cpu_s(lambda: [row(design) for design in decoded], options.repeats)
    model_us = 1e6 * model_s / options.designs
    print("| searcher | in memory [us] | in a run directory [us] |\n|---|---|---|")
    for searcher in ("handed", "random", "sobol"):
        costs = [
            slope_us(searcher, options.designs, options.repeats, stored=stored) - model_us
            for stored in (False, True)
        ]
        print(f"| {searcher} | {costs[0]:.0f} | {costs[1]:.0f} |", flush=True)


if __name__ == "__main__":
    main()
