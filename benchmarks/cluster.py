"""What it costs to send designs to Dask, or to share a study in a database.

python benchmarks/cluster.py [--designs 240] [--design-ms 0,50] [--workers 1,2,4] [--storage URL]

Evaluates designs whose model sleeps for so long: in this process, on so many Dask workers, and by
so many workers of a shared study (TPE) at `--storage`, by default a new SQLite file. Sleeping takes
no core, so that more workers than cores show what the way of sharing allows.
"""

from __future__ import annotations

import argparse
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import numpy as np

from carbonopt.cluster.shared import SharedStudy, open_study, work
from carbonopt.problem import Problem
from carbonopt.run.api import problem_of_text
from carbonopt.variable import Variable


def row(design: Mapping[str, Any], design_ms: float) -> dict[str, Any]:
    """Give as many columns as a model of four networks does, after a while."""
    time.sleep(design_ms / 1e3)
    cost = {"latency_s": 1.0 / design["rows"], "area_mm2": float(design["rows"] * design["cols"])}
    return {**cost, **{f"latency_s.part{number}": 1.0 for number in range(120)}}


def problem(design_ms: float) -> Problem:
    variables = [Variable.integer("rows", 1, 100), Variable.integer("cols", 1, 100)]
    asleep = partial(row, design_ms=design_ms)
    return Problem("asleep", variables, asleep, ["latency_s", "area_mm2"])


def per_design(name: str, designs: int, action: Callable[[], object]) -> None:
    wall, cpu = time.monotonic(), time.process_time()
    action()
    wall_ms = 1e3 * (time.monotonic() - wall) / designs
    cpu_ms = 1e3 * (time.process_time() - cpu) / designs
    print(f"| {name} | {designs} | {wall_ms:.2f} | {cpu_ms:.2f} |", flush=True)


def dask(designs: int, design_ms: float, workers: int) -> None:
    from distributed import Client, LocalCluster

    local = LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        dashboard_address=None,
        silence_logs=logging.CRITICAL,
    )
    with local as cluster, Client(cluster) as client:
        asleep = problem(design_ms)
        index = asleep.space.unravel(np.arange(designs + 16 * workers))
        asleep.evaluate(index[designs:], client.get_executor())
        name = f"Dask, {workers} workers, {design_ms:g} ms"
        per_design(name, designs, lambda: asleep.evaluate(index[:designs], client.get_executor()))


def opened(
    url: str, name: str, designs: int, design_ms: float
) -> AbstractContextManager[SharedStudy]:
    return open_study(url, name, problem_of_text, problem=problem(design_ms), budget=designs)


def shared(url: str, designs: int, design_ms: float, workers: int) -> None:
    """Let other processes work too; time from when all have joined."""
    name = f"bench-{time.time()}"
    asked = ["--storage", url, "--designs", str(designs), "--design-ms", str(design_ms)]
    with opened(url, name, designs, design_ms) as study:
        others = [
            subprocess.Popen([sys.executable, __file__, *asked, "--work", name])
            for _ in range(workers - 1)
        ]
        while len(study.done()) < workers - 1:
            time.sleep(0.05)
        told = f"shared study, {workers} workers, {design_ms:g} ms"
        per_design(told, designs - len(study.done()), partial(finish, study))
        for other in others:
            other.wait()


def finish(study: SharedStudy) -> None:
    work(study)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--designs", type=int, default=240)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--design-ms", default="0,50")
    parser.add_argument("--workers", default="1,2,4")
    parser.add_argument("--storage", default="")
    parser.add_argument("--work", default="", help="join this study: what the benchmark starts")
    options = parser.parse_args()
    if options.work:
        with opened(options.storage, options.work, options.designs, float(options.design_ms)) as s:
            work(s)
        return
    print("| where | designs | wall ms | CPU ms |\n|---|---|---|---|")
    counts = [int(count) for count in options.workers.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        url = options.storage or f"sqlite:///{folder}/study.db"
        for design_ms in map(float, options.design_ms.split(",")):
            asleep = problem(design_ms)
            index = asleep.space.unravel(np.arange(options.designs))
            name = f"this process, {design_ms:g} ms"
            per_design(name, options.designs, partial(asleep.evaluate, index))
            for workers in counts:
                dask(options.designs, design_ms, workers)
            for workers in counts[:2]:
                shared(url, options.trials, design_ms, workers)


if __name__ == "__main__":
    main()
