"""Populations evaluated by real Dask workers, one of them killed on the way."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import postgres
import pytest
import toy

import carbonopt as co
from carbonopt.cluster import dask as module
from carbonopt.cluster.dask import dask_executor
from carbonopt.errors import SearchError, SpecError

pytest.importorskip("distributed", reason="needs the extra distributed")

HERE = Path(__file__).parent
LIMIT_S = 120
RESULTS = ("front.csv", "evaluations.csv")


@pytest.fixture
def cluster():
    """Start a scheduler, and workers when asked; gives the address and how to start one."""
    started = []
    paths = os.pathsep.join([str(HERE.parent), str(HERE.parents[1])])
    environment = {**os.environ, "PYTHONPATH": paths, "DASK_DISTRIBUTED__WORKER__DAEMON": "False"}
    port = postgres.free_port()

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli." + arguments[0], *arguments[1:]],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        wait_for_line(process)
        return process

    def worker():
        return start(
            "dask_worker", f"tcp://127.0.0.1:{port}", "--nthreads", "1", "--no-nanny",
            "--no-dashboard",
        )  # fmt: skip

    scheduler = start(
        "dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"
    )
    yield f"dask://127.0.0.1:{port}", worker, scheduler
    for process in started:
        process.kill()
        process.wait()
        process.stderr.close()


def wait_for_line(process):
    """Wait until a server says that it is there."""
    for line in process.stderr:
        if re.search(r"Scheduler at|Registered to", line):
            return
    pytest.fail("a server of Dask ended")


def read(directory):
    return [(directory / name).read_bytes() for name in RESULTS]


def rows(directory):
    file = directory / "evaluations.csv"
    return len(file.read_text().splitlines()) if file.exists() else 0


@pytest.mark.slow
def test_a_killed_worker_changes_nothing(cluster, tmp_path):
    address, worker, _ = cluster
    problem = toy.large(evaluate_row=toy.slow)
    co.search(problem, "nsga2", 120, seed=4, run_dir=tmp_path / "straight")
    victim, _ = worker(), worker()

    def progress(state):
        if state.distinct >= 20 and victim.poll() is None:
            victim.send_signal(signal.SIGKILL)
            victim.wait()

    fresh = toy.large(evaluate_row=toy.slow)
    with dask_executor(address) as executor:
        co.search(
            fresh, "nsga2", 120, seed=4, run_dir=tmp_path / "dask",
            executor=executor, progress=progress,
        )  # fmt: skip
    assert victim.returncode == -signal.SIGKILL
    assert read(tmp_path / "dask") == read(tmp_path / "straight")


@pytest.mark.slow
def test_a_worker_killed_at_work_is_replaced(cluster):
    address, worker, _ = cluster
    victim, _ = worker(), worker()
    problem = toy.small(evaluate_row=toy.slow)
    counted = []

    def on_rows(given):
        counted.extend(given)
        if victim.poll() is None:
            victim.send_signal(signal.SIGKILL)

    with dask_executor(address) as executor:
        table = problem.evaluate(problem.space.unravel(range(96)), executor, on_rows)
    assert len(counted) == 96
    assert table.equals(toy.small().evaluate(problem.space.unravel(range(96))))


@pytest.mark.slow
def test_a_scheduler_that_goes_away_ends_the_run_and_keeps_what_was_done(cluster, tmp_path):
    address, worker, scheduler = cluster
    worker()

    def progress(state):
        if state.distinct >= 20 and scheduler.poll() is None:
            scheduler.kill()
            scheduler.wait()

    def attempt(problem, **changes):
        return co.search(problem, "nsga2", 60, seed=4, run_dir=tmp_path / "run", **changes)

    with (
        pytest.raises(SearchError, match="the scheduler went away; what was stored is kept"),
        dask_executor(address) as executor,
    ):
        attempt(toy.large(), executor=executor, progress=progress)
    assert 20 <= rows(tmp_path / "run") - 1 < 60
    attempt(toy.large())
    co.search(toy.large(), "nsga2", 60, seed=4, run_dir=tmp_path / "straight")
    assert read(tmp_path / "run") == read(tmp_path / "straight")


@pytest.mark.slow
def test_workers_with_other_models_are_refused(cluster, monkeypatch):
    address, worker, _ = cluster
    worker()
    monkeypatch.setattr(module, "data_hash", lambda: "other")
    with pytest.raises(SpecError, match="with other models or data"), dask_executor(address):
        pass


@pytest.mark.slow
def test_a_cluster_without_workers_is_refused(cluster, monkeypatch):
    monkeypatch.setattr(module, "_WORKER_S", 1)
    with pytest.raises(SpecError, match="no worker is connected"), dask_executor(cluster[0]):
        pass


def test_an_address_where_nothing_answers_is_refused(monkeypatch):
    monkeypatch.setattr(module, "_ANSWER_S", 1)
    with (
        pytest.raises(SpecError, match="nothing answers within 1 s"),
        dask_executor("dask://127.0.0.1:9"),
    ):
        pass


@pytest.mark.parametrize("address", ["127.0.0.1:8786", "dask://"])
def test_an_address_of_another_kind_is_refused(address):
    with (
        pytest.raises(SpecError, match=f"executor: got {address}, allowed: dask://"),
        dask_executor(address),
    ):
        pass


def test_a_missing_library_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SpecError, match="pip install 'carbonopt"), dask_executor("dask://host:1"):
        pass
