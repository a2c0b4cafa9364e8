"""One run: a searcher on a problem, kept in a run directory where one is given."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from carbonopt.errors import SpecError
from carbonopt.front.front import Front
from carbonopt.front.notices import table_notices
from carbonopt.objectives import Metric
from carbonopt.problem import Problem, load_problem
from carbonopt.problem.source import drop_front
from carbonopt.run.energy import metered
from carbonopt.run.manifest import check_same_run, manifest_of
from carbonopt.run.session import Progress, Session, reference_of
from carbonopt.run.start import Designs, start_designs
from carbonopt.search.base import SearchLoop, SearchTask
from carbonopt.search.pool import process_pool
from carbonopt.search.registry import make_searcher
from carbonopt.search.stop import StopRules
from carbonopt.store import (
    PROBLEM,
    REFERENCE_FRONT,
    RunStore,
    read_table,
    replace,
    table_bytes,
)


def search(
    problem: Problem | str | Path,
    searcher: str = "nsga2",
    budget: int = 2000,
    seed: int = 1,
    *,
    start: Designs | str | Path | None = None,
    stop: StopRules | None = None,
    run_dir: str | Path | None = None,
    workers: int = 1,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Front:
    """Search a problem for its front; a space that the budget covers is evaluated in order.

    Parameters
    ----------
    problem
        A problem, or the name or file of one.
    searcher
        A name of `carbonopt.search.registry.searcher_names`.
    budget
        Distinct designs to evaluate; a repeat costs nothing.
    seed
        Same seed, same designs in the same order, whatever the number of workers.
    start
        Designs to evaluate first, such as known chips: by name, as index vectors (n, v), as a
        CSV file, or as the run directory whose front they are.
    stop
        Rules that end the search before its budget is spent.
    run_dir
        Where to keep the run. A directory that holds this very run is continued.
    workers
        Worker processes; from a script, keep the call under ``if __name__ == "__main__":`` when
        there are several.
    executor
        Any `concurrent.futures.Executor` instead of worker processes of our own.
    progress
        Called with a `SearchState` after every batch.

    Raises
    ------
    SpecError
        An argument is wrong.
    StoreError
        `run_dir` holds another run, or cannot be written.
    """
    solved = _solved(problem)
    for name, value, least in (("budget", budget, 1), ("seed", seed, 0), ("workers", workers, 1)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise SpecError(f"{name}: got {value!r}, allowed: a whole number from {least}")
    task = SearchTask(solved, budget, seed, start_designs(start, solved.space))
    loop = _loop(task, searcher)
    rules = stop or StopRules()
    _check_rules(rules, solved)
    pool = process_pool(workers) if executor is None else nullcontext(executor)
    if run_dir is None:
        with pool as workforce:
            return Session(solved, loop, None, rules).run(workforce, progress)
    manifest = manifest_of(task, searcher, rules)
    store = RunStore(run_dir)
    if _is_finished(store, manifest):
        return load_run(run_dir)
    with store.locked():
        if _is_finished(store, manifest):  # by another process, a moment ago
            return load_run(run_dir)
        if not store.exists:
            store.start(solved, manifest)
        _keep_reference(store, solved)
        with pool as workforce, metered(store):
            return Session(solved, loop, store, rules).run(workforce, progress)


def resume(
    run_dir: str | Path,
    *,
    problem: Problem | None = None,
    workers: int = 1,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Front:
    """Continue a run where it was stopped or killed; a finished one is only read.

    Parameters
    ----------
    run_dir
        The run directory; problem, searcher, budget and seed are read from it.
    problem
        The problem, where it was made in Python and not from a file.
    workers, executor, progress
        As for `search`.

    Raises
    ------
    StoreError
        There is no run, or it was made from another problem or other data.
    """
    store = RunStore(run_dir)
    manifest = store.manifest()
    return search(
        problem or stored_problem(store, manifest["problem"]),
        manifest["searcher"],
        manifest["budget"],
        manifest["seed"],
        start=manifest.get("start") or None,
        stop=StopRules(**manifest.get("stop", {})),
        run_dir=run_dir,
        workers=workers,
        executor=executor,
        progress=progress,
    )


def enumerate_all(
    problem: Problem | str | Path,
    *,
    run_dir: str | Path | None = None,
    workers: int = 1,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Front:
    """Evaluate every design of a problem: its exact front. Arguments as for `search`."""
    solved = _solved(problem)
    return search(
        solved,
        "exhaustive",
        solved.size,
        run_dir=run_dir,
        workers=workers,
        executor=executor,
        progress=progress,
    )


def evaluate(
    problem: Problem | str | Path,
    designs: Designs,
    *,
    workers: int = 1,
) -> pd.DataFrame:
    """Evaluate designs of a problem.

    Parameters
    ----------
    problem
        A problem, or the name or file of one.
    designs
        Named values, as a table or as one or more mappings, or index vectors (n, v).
    workers
        Worker processes.

    Returns
    -------
    pandas.DataFrame
        One row per design, see `Problem.evaluate`.

    Raises
    ------
    SpecError
        A design does not belong to the space.
    """
    solved = _solved(problem)
    rows = [designs] if isinstance(designs, Mapping) else designs
    index = rows if isinstance(rows, np.ndarray) else solved.space.encode(rows)
    with process_pool(workers) as pool:
        return solved.evaluate(index, pool)


def load_run(run_dir: str | Path) -> Front:
    """Read a run directory, finished or not, without evaluating anything.

    Raises
    ------
    StoreError
        There is no run, or it cannot be read.
    """
    store = RunStore(run_dir)
    manifest = store.manifest()
    reference = store.path / REFERENCE_FRONT
    variables = manifest["variables"]
    evaluations = store.stored_evaluations()
    deciding = [*(entry["name"] for entry in manifest["objectives"]), *manifest["constraints"]]
    return Front(
        name=manifest["problem"],
        evaluations=evaluations,
        metrics=tuple(
            Metric(
                entry["name"], entry["label"], tuple(entry["factors"]), entry.get("reference", "")
            )
            for entry in manifest["objectives"]
        ),
        variables=tuple(variables),
        constraint_names=tuple(manifest["constraints"]),
        reference_point=manifest["reference_point"],
        history=store.history(),
        reference=read_table(reference, variables) if reference.exists() else None,
        run_dir=store.path,
        notices=(*manifest["notices"], *table_notices(evaluations, deciding)),
        choices=variables,
    )


def run_dir_name(problem: Problem, searcher: str, seed: int) -> str:
    """Name of the run directory where none is given."""
    return f"{problem.name}-{searcher}-s{seed}"


def _loop(task: SearchTask, searcher: str) -> SearchLoop:
    """Make the loop of a search; a space that the budget covers needs no searcher."""
    problem, budget = task.problem, task.budget
    if len(task.start) > budget:
        fault = f"got {len(task.start)} designs to start from"
        raise SpecError(f"start: {fault}, allowed: up to the budget of {budget}")
    chosen, notices = make_searcher(searcher, task), []
    if problem.size <= budget and searcher != "exhaustive":
        chosen = make_searcher("exhaustive", task)
        covered = f"the budget of {budget} covers all {problem.size} designs"
        notices.append(f"{covered}: they are evaluated in order, without {searcher}")
    return SearchLoop(chosen, min(budget, problem.size), notices=notices)


def _is_finished(store: RunStore, wanted: Mapping[str, Any]) -> bool:
    """Whether a directory holds this very run, finished; False where it holds none."""
    if not store.exists:
        return False
    stored = store.manifest()
    check_same_run(store.path, stored, wanted)
    return store.is_complete


def _check_rules(rules: StopRules, problem: Problem) -> None:
    """Refuse to watch a hypervolume that nobody can measure."""
    if rules.stall is not None and problem.reference_point is None:
        fault = f"got {rules.stall} for the problem {problem.name} without reference_point"
        raise SpecError(f"stall: {fault}, allowed: a problem with one")


def _keep_reference(store: RunStore, problem: Problem) -> None:
    """Write the front that a run is measured against, where it does not come with the problem."""
    file = store.path / REFERENCE_FRONT
    reference = None if file.exists() else reference_of(problem)
    if reference is not None:
        replace(file, table_bytes(reference))


def _solved(problem: Problem | str | Path) -> Problem:
    """Load a problem that was given by name or file."""
    return problem if isinstance(problem, Problem) else load_problem(problem)


def stored_problem(store: RunStore, name: str) -> Problem:
    """Load the problem that a run directory keeps."""
    file = store.path / PROBLEM
    if not file.is_file():
        fault = "got a run of a problem made in Python, allowed: resume(run_dir, problem=...)"
        raise SpecError(f"{store.path}: problem {name}: {fault}")
    return load_problem(file)


def problem_of_text(text: str) -> Problem:
    """Load a problem from the text of its file, such as a shared study keeps it, without its front.

    Raises
    ------
    SpecError
        With every fault of the text; the problem was made in Python, and has none.
    """
    if not text:
        fault = "got a problem made in Python, allowed: to hand it over"
        raise SpecError(f"problem: {fault}")
    with TemporaryDirectory() as folder:
        file = Path(folder) / PROBLEM
        file.write_text(text, encoding="utf-8")
        drop_front(file)
        return load_problem(file)
