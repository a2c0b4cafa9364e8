"""A study shared through PostgreSQL: workers come, die and come again, and no design is lost."""

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import postgres
import pytest
import shared_worker
from optuna.trial import TrialState
from shared_worker import opened, problem

import carbonopt as co
from carbonopt.cluster import shared as module
from carbonopt.cluster.collect import collect
from carbonopt.cluster.shared import open_study, work
from carbonopt.errors import SpecError, StoreError
from carbonopt.problem import load_problem
from carbonopt.run.api import problem_of_text

pytest.importorskip("psycopg", reason="needs the extra distributed")

HERE = Path(__file__).parent
LIMIT_S = 240
SIZE = 24


def wait_for(told, what):
    deadline = time.monotonic() + LIMIT_S
    while not (found := told()):
        assert time.monotonic() < deadline, f"no {what} within {LIMIT_S} s"
        time.sleep(0.1)
    return found


def finished(shared):
    return len(shared.done())


def just_begun(shared, within_s):
    """Count the designs that are at work since a moment ago."""
    running = shared.study.get_trials(deepcopy=False, states=[TrialState.RUNNING])
    ages_s = [(datetime.now() - trial.datetime_start).total_seconds() for trial in running]
    known = [shared.key(trial) is not None for trial in running]
    return sum(age_s < within_s and key for age_s, key in zip(ages_s, known, strict=True))


@pytest.fixture
def worker():
    """Start a worker in a process of its own."""
    started = []

    def start(url, name, budget=SIZE, pause_s=0.0):
        paths = os.pathsep.join([str(HERE.parent), str(HERE.parents[1])])
        arguments = [url, name, str(budget), str(pause_s)]
        process = subprocess.Popen(
            [sys.executable, str(HERE / "shared_worker.py"), *arguments],
            env={**os.environ, "PYTHONPATH": paths},
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stderr.close()


@pytest.fixture
def server():
    """A PostgreSQL server of our own."""
    if postgres.PROGRAMS is None:
        pytest.skip("needs PostgreSQL, which .ci/run installs")
    running = postgres.Postgres()
    running.start()
    yield running
    running.remove()


@pytest.fixture
def opening():
    """Open a shared study until the end of the test, or earlier."""
    with ExitStack() as stack:
        yield lambda *arguments, **changes: stack.enter_context(opened(*arguments, **changes))


@pytest.mark.slow
def test_a_killed_worker_loses_nothing_and_the_front_is_exact(server, worker, tmp_path, opening):
    shared = opening(server.url, "killed", SIZE)
    victim, survivor = (worker(server.url, "killed", pause_s=2.0) for _ in range(2))
    wait_for(lambda: len(shared.workers()) == 2, "design of each worker")
    wait_for(lambda: just_begun(shared, within_s=1.2) == 2, "moment with both at work")
    victim.send_signal(signal.SIGKILL)
    before = set(shared.done())
    _, told = survivor.communicate(timeout=LIMIT_S)
    assert survivor.returncode == 0, told
    done = [t for t in shared.study.trials if t.state.name == "COMPLETE"]
    keys = [shared.key(trial) for trial in done]
    assert len(keys) == len(set(keys)) == SIZE
    assert before <= set(keys)
    queued_again = ["failed_trial" in trial.system_attrs for trial in shared.study.trials]
    assert any(queued_again), "the design that was at work was not queued again"
    front = collect(shared, tmp_path / "collected")
    exact = co.enumerate_all(problem(0.0))
    columns = list(exact.to_pandas())
    assert front.to_pandas()[columns].equals(exact.to_pandas())
    assert len(co.load_run(tmp_path / "collected").evaluations) == SIZE


@pytest.mark.slow
def test_a_server_that_goes_away_ends_the_worker_and_keeps_what_was_done(server, worker, opening):
    shared = opening(server.url, "away", SIZE)
    process = worker(server.url, "away", pause_s=0.5)
    wait_for(lambda: finished(shared) >= 3, "design")
    server.stop()
    _, told = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 1
    assert told.startswith("StoreError: storage postgresql://carbonopt@127.0.0.1")
    assert "does not answer" in told
    assert "Traceback" not in told
    with pytest.raises(StoreError, match="does not answer"):
        opening(server.url, "away", SIZE)
    server.start()
    again = opening(server.url, "away", SIZE)
    assert 3 <= finished(again) < SIZE
    work(again)
    assert finished(again) == SIZE


def sqlite(folder):
    return f"sqlite:///{folder}/study.db"


def test_a_budget_is_kept_and_no_design_evaluated_twice(tmp_path, opening):
    shared = opening(sqlite(tmp_path), "alone", 10)
    assert work(shared) == 10
    assert finished(shared) == 10
    assert work(opening(sqlite(tmp_path), "alone", 10)) == 0


def test_a_collection_is_a_run_and_can_grow(tmp_path, opening):
    shared = opening(sqlite(tmp_path), "grows", 8)
    for begun in range(3):
        module._Worker(shared).step(begun)
    early = collect(shared, tmp_path / "run")
    assert len(early.evaluations) == finished(shared) < 8
    assert "collect it again later" in early.notices[-1]
    work(shared)
    late = collect(shared, tmp_path / "run")
    stored = co.load_run(tmp_path / "run")
    assert len(stored.evaluations) == len(late.evaluations) == 8
    assert stored.to_pandas().equals(late.to_pandas())
    assert "another search finds others" in stored.notices[0]


def test_an_interrupted_design_is_queued_again(tmp_path, monkeypatch, opening):
    shared = opening(sqlite(tmp_path), "stopped", 4)

    def interrupt(index):
        raise KeyboardInterrupt

    monkeypatch.setattr(shared.problem, "rows", interrupt)
    with pytest.raises(KeyboardInterrupt):
        work(shared)
    states = [trial.state.name for trial in shared.study.trials]
    assert states == ["FAIL", "WAITING"]
    monkeypatch.undo()
    assert work(shared) == 4


def test_another_model_is_refused(tmp_path, monkeypatch, opening):
    opening(sqlite(tmp_path), "models", 4)
    monkeypatch.setattr("carbonopt.run.manifest.model_hash", lambda: "0" * 64)
    with pytest.raises(StoreError, match="models have changed") as caught:
        opening(sqlite(tmp_path), "models", 4)
    assert "run the version of carbonopt that started it" in str(caught.value)


def test_another_problem_is_refused(tmp_path, opening):
    opening(sqlite(tmp_path), "problems", 4)
    with (
        pytest.raises(StoreError, match=r"study problems .*: the problem has changed"),
        open_study(
            sqlite(tmp_path), "problems", problem_of_text, problem=shared_worker.toy.large()
        ),
    ):
        pass


def test_a_study_that_is_not_there_needs_a_problem(tmp_path):
    with (
        pytest.raises(SpecError, match=r"study: got none, which .* does not have"),
        open_study(sqlite(tmp_path), "none", problem_of_text),
    ):
        pass


def test_a_problem_with_a_reference_front_is_made_again_without_its_file(tmp_path):
    shipped = load_problem("mlperf_tiny")
    with open_study(sqlite(tmp_path), "shipped", problem_of_text, problem=shipped):
        pass
    with open_study(sqlite(tmp_path), "shipped", problem_of_text) as joined:
        assert joined.problem.hash == shipped.hash
        assert joined.problem.reference_front is None


def test_a_searcher_that_cannot_share_is_refused(tmp_path, opening):
    with pytest.raises(SpecError, match="searcher: got nsga2, allowed: tpe"):
        opening(sqlite(tmp_path), "nsga2", 4, searcher="nsga2")


def test_a_problem_from_python_cannot_be_made_again(tmp_path, opening):
    opening(sqlite(tmp_path), "python", 4)
    with (
        pytest.raises(SpecError, match="problem: got a problem made in Python"),
        open_study(sqlite(tmp_path), "python", problem_of_text),
    ):
        pass
