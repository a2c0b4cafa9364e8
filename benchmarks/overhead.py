"""What carbonopt itself costs per design: bookkeeping, cache, archive and store.

python benchmarks/overhead.py [--designs 8000] [--repeats 5]

CPU microseconds per design of a whole run, from its start to its last file, the least of some
runs. The model is a few multiplications, whose own time is taken off. `handed` hands out the next
200 designs of a list and learns nothing; `pymoo` is pymoo's own NSGA-II with 200 parents. What the
two of NSGA-II take to ask and to tell, timed in the same runs, is taken off and shown. For random
and sobol, which are carbonopt's own, nothing is taken off.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.population import Population
from pymoo.core.termination import NoTermination
from pymoo.operators.crossover.sbx import SBX
from pymoo.operators.mutation.pm import PM
from pymoo.operators.repair.rounding import RoundingRepair
from pymoo.operators.sampling.rnd import IntegerRandomSampling
from timing import least_cpu_s

import carbonopt as co
from carbonopt.encoding.pymoo_problem import pymoo_shell
from carbonopt.problem import Problem
from carbonopt.run.session import Session
from carbonopt.search.base import Key, Searcher, SearchLoop, SearchTask
from carbonopt.search.registry import make_searcher
from carbonopt.search.sampling import unseen
from carbonopt.search.stop import StopRules
from carbonopt.store import RunStore

POPULATION = 200
EVOLVING = ("pymoo", "nsga2-plain")
VARIABLES = ("rows", "cols", "macros", "sram", "node", "supply")
LEVELS = 16


def row(design: Mapping[str, Any]) -> dict[str, float]:
    """Three objectives that conflict, two limits and four further columns.

    Arrays that are not square and memories that do not fit them are worse in all of them.
    """
    size, waste = 1.0, 1.0 + abs(design["rows"] - design["cols"]) / 4.0
    for name in VARIABLES:
        size *= 1.0 + design[name]
    waste *= 1.0 + abs(design["macros"] - design["sram"]) / 4.0
    latency, energy = waste / size, waste * size * (1.0 + design["node"])
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

    def __init__(self, task: SearchTask) -> None:
        rng = np.random.default_rng(task.seed)
        self.designs = unseen(task.problem.space, (), task.budget, rng)
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


class Evolving:
    """NSGA-II of pymoo, a population at a time; it may propose a design again."""

    def __init__(self, task: SearchTask) -> None:
        self.algorithm = NSGA2(
            pop_size=POPULATION,
            sampling=IntegerRandomSampling(),
            crossover=SBX(vtype=float, repair=RoundingRepair()),
            mutation=PM(vtype=float, repair=RoundingRepair()),
        )
        shell = pymoo_shell(task.problem)
        self.algorithm.setup(shell, seed=task.seed, termination=NoTermination())

    def ask(self, seen: Collection[Key]) -> np.ndarray:
        """Propose a generation (n, v)."""
        return self.algorithm.ask().get("X").astype(np.int64)

    def tell(self, index: np.ndarray, objectives: np.ndarray, violations: np.ndarray) -> None:
        """Select the next population."""
        told = Population.new("X", index, "F", objectives, "G", violations)
        self.algorithm.tell(infills=told)


class Timed:
    """A searcher whose own CPU time is counted."""

    def __init__(self, searcher: Searcher) -> None:
        self.searcher = searcher
        self.own_s = 0.0

    def ask(self, seen: Collection[Key]) -> np.ndarray:
        """Propose designs (n, v)."""
        start = time.process_time()
        designs = self.searcher.ask(seen)
        self.own_s += time.process_time() - start
        return designs

    def tell(self, index: np.ndarray, objectives: np.ndarray, violations: np.ndarray) -> None:
        """Take results."""
        start = time.process_time()
        self.searcher.tell(index, objectives, violations)
        self.own_s += time.process_time() - start


OWN = {"handed": Handed, "pymoo": Evolving}


def run(searcher: str, designs: int, *, stored: bool) -> tuple[float, float]:
    """Search so many designs, kept in a directory or in memory; CPU time, the searcher's of it."""
    solved = problem()
    task = SearchTask(solved, designs, 1)
    timed = Timed(OWN[searcher](task) if searcher in OWN else make_searcher(searcher, task))
    start = time.process_time()
    search(solved, SearchLoop(timed, designs), stored=stored)
    return time.process_time() - start, timed.own_s


def search(solved: Problem, loop: SearchLoop, *, stored: bool) -> None:
    """Run a loop to its end, kept in a directory or in memory."""
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


def least_us(searcher: str, designs: int, repeats: int, *, stored: bool) -> tuple[float, float]:
    """CPU time per design outside of ask and tell, and in them [us]: the least of some runs."""
    times = np.array([run(searcher, designs, stored=stored) for _ in range(repeats)])
    outside, inside = (times[:, 0] - times[:, 1]).min(), times[:, 1].min()
    return 1e6 * outside / designs, 1e6 * inside / designs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--designs", type=int, default=8000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    index = np.random.default_rng(0).integers(0, LEVELS, (options.designs, len(VARIABLES)))
    decoded = problem().space.decode(index)
    model_s = least_cpu_s(lambda: [row(design) for design in decoded], options.repeats)
    model_us = 1e6 * model_s / options.designs
    print(f"model {model_us:.1f} us, taken off")
    print("| searcher | in memory [us] | in a run directory [us] | ask and tell [us] |")
    print("|---|---|---|---|")
    for searcher in ("handed", *EVOLVING, "random", "sobol"):
        costs = [
            least_us(searcher, options.designs, options.repeats, stored=stored)
            for stored in (False, True)
        ]
        whole = 0.0 if searcher in EVOLVING else 1.0
        memory, stored_us = (outside + whole * inside - model_us for outside, inside in costs)
        asked = min(inside for _, inside in costs)
        print(f"| {searcher} | {memory:.0f} | {stored_us:.0f} | {asked:.0f} |", flush=True)


if __name__ == "__main__":
    main()
