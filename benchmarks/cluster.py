"""What it costs to send designs to Dask, or to share a study in a database.

python benchmarks/cluster.py [--designs 960] [--trials 60] [--storage URL]

Evaluates designs whose model takes no time, on a Dask scheduler with one and two workers of its
own on this machine, and in a shared study (TPE) at `--storage`, by default a new SQLite file.
Prints wall and CPU time of this process per design; the CPU time of other processes comes on top.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from carbonopt.cluster.shared import open_study, work
from carbonopt.problem import Problem
from carbonopt.run.api import problem_of_text
from carbonopt.space import Variable


def row(design: Mapping[str, Any]) -> dict[str, Any]:
    """Give as many columns as a model of four networks does, in no time."""
    cost = {"latency_s": 1.0 / design["rows"], "area_mm2": float(design["rows"] * design["cols"])}
    return {**cost, **{f"latency_s.part{number}": 1.0 for number in range(120)}}


def problem() -> Problem:
    variables = [Variable.integer("rows", 1, 100), Variable.integer("cols", 1, 100)]
    return Problem("empty", variables, row, ["latency_s", "area_mm2"])


def per_design(name: str, designs: int, action: Callable[[], object]) -> None:
    wall, cpu = time.monotonic(), time.process_time()
    action()
    wall_ms = 1e3 * (time.monotonic() - wall) / designs
    cpu_ms = 1e3 * (time.process_time() - cpu) / designs
    print(f"| {name} | {designs} | {wall_ms:.2f} | {cpu_ms:.2f} |", flush=True)


def dask(designs: int, workers: int) -> None:
    from distributed import Client, LocalCluster

    quiet = logging.CRITICAL
    with (
        LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address=None, silence_logs=quiet
        ) as cluster,
        Client(cluster) as client,
    ):
        empty = problem()
        index = empty.space.unravel(np.arange(designs + 16))
        empty.evaluate(index[designs:], client.get_executor())
        name = f"Dask, {workers} workers, chunks of 16"
        per_design(name, designs, lambda: empty.evaluate(index[:designs], client.get_executor()))


def shared(trials: int, url: str) -> None:
    opened = open_study(url, f"bench-{time.time()}", problem_of_text, problem=problem(),
                        budget=trials)  # fmt: skip
    with opened as study:
        per_design(f"shared study, {url.partition(':')[0]}", trials, lambda: work(study))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--designs", type=int, default=960)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--storage", default="")
    options = parser.parse_args()
    print("| where | designs | wall ms | CPU ms |\n|---|---|---|---|")
    empty = problem()
    index = empty.space.unravel(np.arange(options.designs))
    per_design("this process", options.designs, lambda: empty.evaluate(index))
    for workers in (1, 2):
        dask(options.designs, workers)
    with tempfile.TemporaryDirectory() as folder:
        shared(options.trials, options.storage or f"sqlite:///{folder}/study.db")


if __name__ == "__main__":
    main()
