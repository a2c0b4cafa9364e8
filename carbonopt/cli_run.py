"""Commands that search: start a run, go on with one, evaluate a whole space."""

from __future__ import annotations

import os
import signal
import sys
from argparse import Namespace
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from carbonopt.cli_text import (
    DONE,
    INTERRUPTED,
    RUN_FAILED,
    least_infeasible_text,
    say,
    summary_lines,
    tell,
    tell_of_compiling,
    telling_text,
)
from carbonopt.errors import SpecError, StoreError
from carbonopt.units import format_count, parse_quantity

if TYPE_CHECKING:
    from carbonopt.front.front import Front
    from carbonopt.search.base import SearchTask
    from carbonopt.search.stop import StopRules
    from carbonopt.spec.study import StopSpec, StudySpec

RUNS = Path("runs")


def run(options: Namespace) -> int:
    """Search what a study asks, draw the result and name the files."""
    from carbonopt.problem import load_problem
    from carbonopt.run import load_study
    from carbonopt.run.start import start_designs
    from carbonopt.search.base import SearchTask
    from carbonopt.search.registry import check_searcher

    study = _asked(load_study(options.study), options)
    rules = _rules(study.stop, options)
    for searcher in study.searcher:
        check_searcher(searcher)
    if study.cells > 1:
        from carbonopt import cli_campaign
        from carbonopt.campaign.plan import campaign_of

        _refuse_executor(options)
        path = Path(options.out or RUNS / study.name)
        return cli_campaign.run(campaign_of(study, rules), path, options)
    _refuse_campaign_options(options, "a study of one run")
    problem = load_problem(study.problem[0])
    start = start_designs(study.start_from or None, problem.space)
    task = SearchTask(problem, study.budget[0], study.seed[0], start)
    return _start(task, study.searcher[0], rules, options)


def enumerate(options: Namespace) -> int:
    """Evaluate every design of a problem and keep its exact front."""
    from carbonopt.problem import load_problem
    from carbonopt.run.start import start_designs
    from carbonopt.search.base import SearchTask
    from carbonopt.search.stop import StopRules

    problem = load_problem(options.problem)
    task = SearchTask(problem, problem.size, 1, start_designs(None, problem.space))
    return _start(task, "exhaustive", StopRules(), options)


def resume(options: Namespace) -> int:
    """Go on with a run or campaign where it was interrupted; one that is complete is shown."""
    from carbonopt import cli_campaign
    from carbonopt.report.columns import exact_hypervolume
    from carbonopt.run import resume as go_on
    from carbonopt.store import REFERENCE_FRONT, RunStore, read_table

    if cli_campaign.is_campaign(options.run_dir):
        _refuse_executor(options)
        return cli_campaign.resume(options)
    _refuse_campaign_options(options, "one run")
    store = RunStore(options.run_dir)
    manifest = store.manifest()
    if store.is_complete:
        say(f"{options.run_dir}: already complete")
    file = store.path / REFERENCE_FRONT
    reference = read_table(file, manifest["variables"]) if file.exists() else None
    objectives = [entry["name"] for entry in manifest["objectives"]]
    exact = exact_hypervolume(reference, objectives, manifest["reference_point"])
    return _watched(partial(go_on, options.run_dir), exact, store.path, options)


def _asked(study: StudySpec, options: Namespace) -> StudySpec:
    """Put options in the place of what a study lists."""
    given = {
        "searcher": options.searcher and (options.searcher,),
        "budget": options.budget and (options.budget,),
        "seed": None if options.seed is None else (options.seed,),
        "start_from": options.start_from,
    }
    return study.model_copy(update={name: value for name, value in given.items() if value})


def _refuse_campaign_options(options: Namespace, what: str) -> None:
    """Refuse options that only many runs have.

    Raises
    ------
    SpecError
        With each of them.
    """
    given = {"--jobs": options.jobs, "--only": getattr(options, "only", None)}
    allowed = "a study with lists (problem, searcher, budget or seed)"
    faults = [
        f"{name}: got {value} for {what}, allowed: {allowed}"
        for name, value in given.items()
        if value
    ]
    if faults:
        raise SpecError(faults)


def _refuse_executor(options: Namespace) -> None:
    """Refuse workers elsewhere for many runs, which go side by side on cores of this machine."""
    if options.executor is not None:
        allowed = "beside one run; many go side by side with --jobs, or on many hosts with --only"
        raise SpecError(f"--executor: got {options.executor} for many runs, allowed: {allowed}")


def _rules(stop: StopSpec, options: Namespace) -> StopRules:
    """Take the stop rules of a study, each in the option's place where there is none."""
    from carbonopt.search.stop import StopRules

    after_s = stop.after
    if options.stop_after is not None:
        after_s = parse_quantity(options.stop_after, "s", "--stop-after")
    gain = stop.gain if options.stall_gain is None else options.stall_gain
    return StopRules(after_s, options.stall or stop.stall, gain)


def _start(task: SearchTask, searcher: str, rules: StopRules, options: Namespace) -> int:
    """Search a problem in a new run directory; the same run, complete, is shown."""
    from carbonopt.report.columns import exact_hypervolume
    from carbonopt.run import run_dir_name, search
    from carbonopt.run.session import reference_of

    problem, budget = task.problem, task.budget
    run_dir = Path(options.out or RUNS / run_dir_name(problem, searcher, task.seed))
    begin = partial(
        search, problem, searcher, budget, task.seed, start=task.start, stop=rules, run_dir=run_dir
    )
    if not _is_complete(run_dir, task, searcher, rules):
        many, all_of_them = (format_count(n) for n in (min(budget, problem.size), problem.size))
        start = f", the first {len(task.start)} given" if len(task.start) else ""
        say(f"{problem.name}: {searcher}, seed {task.seed}, {many} of {all_of_them} designs{start}")
    exact = exact_hypervolume(reference_of(problem), problem.objectives, problem.reference_point)
    return _watched(begin, exact, run_dir, options)


def _is_complete(run_dir: Path, task: SearchTask, searcher: str, rules: StopRules) -> bool:
    """Whether a directory holds just this run, complete; says so.

    Raises
    ------
    StoreError
        It holds the beginning of this run, or another run.
    """
    from carbonopt.run.manifest import check_same_run, manifest_of
    from carbonopt.store import RunStore

    store = RunStore(run_dir)
    if not store.exists:
        return False
    stored = store.manifest()
    check_same_run(run_dir, stored, manifest_of(task, searcher, rules))
    if not store.is_complete:
        advice = f"allowed: carbonopt resume {run_dir}, or --out with another directory"
        raise StoreError(f"{run_dir}: got a run that was interrupted, {advice}")
    say(f"{run_dir}: already complete; delete it, or choose another directory with --out")
    return True


def _watched(search: Callable[..., Front], exact: float, run_dir: Path, options: Namespace) -> int:
    """Search with a progress display; an interrupt says how to go on."""
    from carbonopt.progress import ProgressDisplay

    tell_of_compiling()
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ProgressDisplay(sys.stderr, exact) as display:
        try:
            with _workforce(options) as executor:
                front = search(
                    workers=options.workers or cores(), executor=executor, progress=display
                )
        except KeyboardInterrupt:
            display.close()
            # the workers end with the designs at hand: nothing is left to interrupt
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            return tell(f"interrupted; go on with: carbonopt resume {run_dir}", INTERRUPTED)
        finally:
            signal.signal(signal.SIGTERM, before)
    show(front, run_dir)
    return DONE if (front.evaluations["status"] == "ok").any() else RUN_FAILED


def _workforce(options: Namespace) -> AbstractContextManager[Executor | None]:
    """Return what evaluates designs in place of processes of our own, where it is asked for."""
    if options.executor is None:
        return nullcontext()
    from carbonopt.cluster.dask import dask_executor

    return dask_executor(options.executor)


def show(front: Front, run_dir: Path) -> None:
    """Draw a result, put its telling designs in a table and name the files."""
    from carbonopt.report.figures import plot_run
    from carbonopt.store import FRONT

    for line in summary_lines(front):
        say(line)
    if (front.evaluations["status"] != "ok").all():
        return
    say()
    say(telling_text(front) if len(front) else least_infeasible_text(front))
    say()
    for path in [run_dir / FRONT, *plot_run(front, run_dir / "figures")]:
        say(str(path))


def cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
