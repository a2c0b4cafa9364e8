"""One study in a database, searched by workers on any number of hosts."""

from __future__ import annotations

import os
import platform
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from optuna.exceptions import DuplicatedStudyError, UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from carbonopt.database import close_storage, open_storage, quiet_optuna, shown, storage_faults
from carbonopt.encoding.optuna_objective import constraint_keys, suggested, to_index, to_params
from carbonopt.errors import SpecError, StoreError
from carbonopt.problem import Problem, Row
from carbonopt.run.manifest import differences, manifest_of, origin_of
from carbonopt.run.start import start_designs
from carbonopt.search.base import Key, SearchTask
from carbonopt.search.optuna_sampler import make_sampler
from carbonopt.search.sampling import first_designs, neighbour
from carbonopt.search.stop import StopRules

SEARCHERS = {"tpe": "tpe", "gp": "gp", "optuna-nsga2": "nsga2", "optuna-nsga3": "nsga3"}
"""Searchers that can share a study, and what `make_sampler` calls them."""
HEARTBEAT_S = 60
_MANIFEST, _SOURCE, _ROW, _WORKER = "manifest", "problem_yaml", "row", "worker"
_LIVE = (TrialState.COMPLETE, TrialState.RUNNING, TrialState.WAITING)
_SPREAD = 20
_TOO_LATE = "Cannot tell a"
_WAIT_S = 30.0
_PAUSE_S = 0.5


class RepeatError(Exception):
    """A design that another worker has, or that is beyond the budget: nothing was evaluated."""


@dataclass(frozen=True)
class SharedStudy:
    """A study in a database, with the problem that it searches.

    Parameters
    ----------
    study
        The study.
    problem
        What is searched.
    manifest
        What the study was started with, as the manifest of a run.
    url
        Where it is.
    """

    study: optuna.Study
    problem: Problem
    manifest: Mapping[str, Any]
    url: str

    @property
    def target(self) -> int:
        """Distinct designs after which the search ends."""
        return min(int(self.manifest["budget"]), self.problem.size)

    def key(self, trial: FrozenTrial) -> Key | None:
        """Index vector of a trial, None where it has not got all its parameters yet."""
        space = self.problem.space
        if set(trial.params) != set(space.names):
            return None
        return tuple(to_index(space, trial.params)[0].tolist())

    def live(self) -> list[FrozenTrial]:
        """Trials that are done, at work or waiting to be."""
        return self.study.get_trials(deepcopy=False, states=_LIVE)

    def done(self, trials: Sequence[FrozenTrial] | None = None) -> dict[Key, FrozenTrial]:
        """Finished trials by design, in order of number; of a design that two have, the first."""
        found: dict[Key, FrozenTrial] = {}
        for trial in self.live() if trials is None else trials:
            key = self.key(trial) if trial.state is TrialState.COMPLETE else None
            if key is not None:
                found.setdefault(key, trial)
        return found

    def rows(self) -> list[Row]:
        """Rows of the evaluation table, one per design."""
        return [dict(trial.user_attrs[_ROW]) for trial in self.done().values()]

    def workers(self) -> list[str]:
        """Workers that evaluated a design, as host and process."""
        return sorted({trial.user_attrs[_WORKER] for trial in self.done().values()})


@contextmanager
def open_study(
    url: str,
    name: str,
    make_problem: Callable[[str], Problem],
    *,
    problem: Problem | None = None,
    searcher: str = "tpe",
    budget: int = 200,
    seed: int = 1,
    heartbeat_s: int = HEARTBEAT_S,
) -> Iterator[SharedStudy]:
    """Open a shared study for a ``with`` block; a problem starts it where there is none.

    Parameters
    ----------
    url, name
        Storage and name of the study.
    make_problem
        Makes a problem again from the text of its file.
    problem
        The problem: needed to start a study, checked against the study's otherwise.
    searcher, budget, seed
        How a new study is searched, as in `carbonopt.search`.
    heartbeat_s
        Seconds between two signs of life of a design that is being evaluated.

    Raises
    ------
    SpecError
        There is no such study and no problem to start it; a wrong searcher.
    StoreError
        The storage does not answer; the study is of another problem, model or data.
    """
    if searcher not in SEARCHERS:
        raise SpecError(f"searcher: got {searcher}, allowed: {', '.join(SEARCHERS)}")
    with quiet_optuna(), storage_faults(url):
        storage = open_storage(url, heartbeat_s=heartbeat_s)
        try:
            study = optuna.load_study(study_name=name, storage=storage)
        except KeyError as error:
            if problem is None:
                fault = f"got {name}, which {shown(url)} does not have"
                raise SpecError(f"study: {fault}, allowed: with --problem to start it") from error
            task = SearchTask(problem, budget, seed, start_designs(None, problem.space))
            study = _start(storage, name, task, searcher)
        manifest = _manifest(study, url)
        solved = problem or make_problem(study.user_attrs[_SOURCE])
    _check_same(url, name, manifest, solved)
    try:
        yield SharedStudy(study, solved, manifest, url)
    finally:
        close_storage(storage)


def work(shared: SharedStudy, told: Callable[[int, int], None] | None = None) -> int:
    """Evaluate designs of a shared study until its budget is spent; returns how many.

    A design is evaluated once: a worker that finds another one at it takes a design nearby. A
    design whose worker gives no sign of life is queued again, for any worker.

    Parameters
    ----------
    shared
        The study.
    told
        Called after each design with the number that all workers have done, and the target.

    Raises
    ------
    StoreError
        The storage has gone; what was finished is kept there.
    """
    worker = _Worker(shared)
    with quiet_optuna(), storage_faults(shared.url):
        while True:
            trials = shared.live()
            finished = len(shared.done(trials))
            if told is not None:
                told(finished, shared.target)
            if finished >= shared.target:
                return worker.evaluated
            states = [trial.state for trial in trials]
            is_busy = finished + states.count(TrialState.RUNNING) >= shared.target
            if is_busy and TrialState.WAITING not in states:
                time.sleep(_PAUSE_S)
                optuna.storages.fail_stale_trials(shared.study)
            else:
                worker.step(len(trials))


class _Worker:
    """Evaluates one design after the other for a shared study."""

    def __init__(self, shared: SharedStudy) -> None:
        self.shared = shared
        self.name = f"{platform.node()}:{os.getpid()}"
        seed = int(shared.manifest["seed"])
        own = np.random.SeedSequence([seed, zlib.crc32(self.name.encode())]).generate_state(2)
        self.rng = np.random.default_rng(own)
        start = start_designs(None, shared.problem.space)
        task = SearchTask(shared.problem, shared.target, int(own[0]), start)
        shared.study.sampler = make_sampler(task, SEARCHERS[shared.manifest["searcher"]])
        self.first = first_designs(task, _SPREAD, np.random.default_rng([seed, 2]))
        self.evaluated = 0

    def step(self, begun: int) -> None:
        """Take a design and evaluate it, unless it is given to another worker.

        The first designs of a study cover each value of each variable evenly.
        """
        study, before = self.shared.study, self.evaluated
        if begun < len(self.first):
            study.enqueue_trial(to_params(self.shared.problem.space, self.first[begun]))
        try:
            study.optimize(self._objective, n_trials=1, catch=(RepeatError,))
        except (UpdateFinishedTrialError, ValueError) as error:
            # this process stood still for so long that its design was queued again
            if isinstance(error, ValueError) and not str(error).startswith(_TOO_LATE):
                raise
            self.evaluated = before

    def _objective(self, trial: Trial) -> Sequence[float]:
        """Evaluate the design of a trial, and leave its row there."""
        problem = self.shared.problem
        index = suggested(trial, problem.space)
        self._claim(trial, tuple(index[0].tolist()))
        try:
            rows = problem.rows(index)
        except KeyboardInterrupt:
            self.shared.study.enqueue_trial(trial.params)
            raise
        trial.set_user_attr(_ROW, rows[0])
        trial.set_user_attr(_WORKER, self.name)
        over = zip(constraint_keys(problem), problem.violations(rows)[0].tolist(), strict=True)
        of_lost_worker = trial.constraints
        for key, value in over:
            if key not in of_lost_worker:
                trial.set_constraint(key, value)
        self.evaluated += 1
        values: list[float] = problem.objective_values(rows)[0].tolist()
        return values

    def _claim(self, trial: Trial, key: Key) -> None:
        """Make sure that no one else has this design, and that the budget has room for it.

        Of two workers at one design both may withdraw, but never none: each has told its design
        before it looks.
        """
        shared = self.shared
        others = [other for other in shared.live() if other.number != trial.number]
        known = {
            shared.key(other): None for other in others if other.state is not TrialState.WAITING
        }
        if key in known:
            taken = {other for other in known if other is not None}
            for fresh in neighbour(shared.problem.space, key, taken, self.rng):
                shared.study.enqueue_trial(to_params(shared.problem.space, fresh))
            raise RepeatError
        if sum(other.number < trial.number for other in others) >= shared.target:
            raise RepeatError


def _start(storage: BaseStorage, name: str, task: SearchTask, searcher: str) -> optuna.Study:
    """Start a study, or take up the one that somebody else has just started."""
    try:
        study = optuna.create_study(
            study_name=name,
            storage=storage,
            directions=["minimize"] * len(task.problem.metrics),
        )
    except DuplicatedStudyError:
        return optuna.load_study(study_name=name, storage=storage)
    study.set_metric_names([m.title for m in task.problem.metrics])
    study.set_user_attr(_SOURCE, task.problem.source)
    study.set_user_attr(_MANIFEST, manifest_of(task, searcher, StopRules()))
    return study


def _manifest(study: optuna.Study, url: str) -> dict[str, Any]:
    """Read what a study was started with; the manifest is written last."""
    deadline = time.monotonic() + _WAIT_S
    while _MANIFEST not in study.user_attrs:
        if time.monotonic() > deadline:
            fault = f"got {study.study_name} in {shown(url)}, which no worker of ours started"
            raise SpecError(f"study: {fault}, allowed: one that `carbonopt worker` started")
        time.sleep(_PAUSE_S)
    manifest: dict[str, Any] = study.user_attrs[_MANIFEST]
    return manifest


def _check_same(url: str, name: str, manifest: Mapping[str, Any], problem: Problem) -> None:
    """Refuse to evaluate with another problem, other models or other data than the study has."""
    wanted = origin_of(problem)
    told = differences(manifest, wanted, list(wanted))
    if told:
        where = f"study {name} in {shown(url)}"
        advice = "run the version of carbonopt that started it, or start another with --study"
        raise StoreError(
            "\n".join([*(f"{where}: {fault}" for fault in told), f"{where}: {advice}"])
        )
