"""Commands for more than one machine: work on a shared study, and collect it."""

from __future__ import annotations

import signal
import sys
from argparse import Namespace
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from carbonopt.cli_run import RUNS, show
from carbonopt.cli_text import DONE, INTERRUPTED, say, tell
from carbonopt.units import parse_quantity

if TYPE_CHECKING:
    from carbonopt.cluster.shared import SharedStudy


def worker(options: Namespace) -> int:
    """Evaluate designs of a shared study until its budget is spent."""
    from carbonopt.cluster.shared import work

    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with _opened(options) as shared:
            problem, target = shared.problem.name, shared.target
            say(f"{options.study}: {problem}, {shared.manifest['searcher']}, {target} designs")
            many = work(shared, _told)
    except KeyboardInterrupt:
        return tell("interrupted; the design at hand is queued for another worker", INTERRUPTED)
    finally:
        signal.signal(signal.SIGTERM, before)
    say(f"{many} designs evaluated here; all {target} are done: carbonopt collect")
    return DONE


def collect(options: Namespace) -> int:
    """Write a shared study as a run directory."""
    from carbonopt.cluster.collect import collect as write

    run_dir = Path(options.out or RUNS / options.study)
    with _opened(options) as shared:
        front = write(shared, run_dir)
    show(front, run_dir)
    return DONE


def _opened(options: Namespace) -> AbstractContextManager[SharedStudy]:
    """Open the study that was named, with what it is to be started with."""
    from carbonopt.cluster.shared import HEARTBEAT_S, open_study
    from carbonopt.problem import load_problem
    from carbonopt.run.api import problem_of_text

    given = vars(options)
    named = {name: given[name] for name in ("searcher", "budget", "seed") if given.get(name)}
    asked, heartbeat_s = given.get("heartbeat"), HEARTBEAT_S
    if asked is not None:
        heartbeat_s = max(1, round(parse_quantity(asked, "s", "--heartbeat")))
    return open_study(
        options.storage,
        options.study,
        problem_of_text,
        problem=load_problem(given["problem"]) if given.get("problem") else None,
        heartbeat_s=heartbeat_s,
        **named,
    )


def _told(done: int, target: int) -> None:
    """Say how far all workers together are, on a line that renews itself."""
    end = "\n" if done >= target or not sys.stderr.isatty() else "\r"
    sys.stderr.write(f"{done:,}/{target:,}{end}")
    sys.stderr.flush()
