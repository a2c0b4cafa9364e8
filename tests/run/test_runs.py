"""Runs: the same from Python, from a directory, after an error and after a kill."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import toy

import carbonopt as co
from carbonopt.errors import BusyError, SpecError, StoreError
from carbonopt.search.registry import searcher_names
from carbonopt.store import RunStore

HERE = Path(__file__).parent
RESULTS = ("front.csv", "evaluations.csv")


class StopError(Exception):
    """Ends a run from its progress callback."""


def stop_after(batches):
    def progress(state):
        if state.generation >= batches:
            raise StopError

    return progress


def read(directory, names=RESULTS):
    return [(Path(directory) / name).read_bytes() for name in names]


def test_three_lines_give_a_front():
    front = co.search(toy.large(), searcher="nsga2", budget=100, seed=1)
    table = front.to_pandas()
    assert 0 < len(table) == len(front)
    assert table["feasible"].all()
    assert len(front.evaluations) == 100
    assert front.history["distinct"].iloc[-1] == 100
    assert front.history["hypervolume"].is_monotonic_increasing
    assert front.hypervolume() == pytest.approx(front.history["hypervolume"].iloc[-1])


def test_an_enumeration_is_the_exact_front():
    front = co.enumerate_all(toy.small())
    assert front.notices == ("all 96 designs were evaluated: the front is exact",)
    found = co.search(toy.small(), budget=96)
    pd.testing.assert_frame_equal(found.to_pandas(), front.to_pandas())


def test_designs_by_name_by_table_and_by_index_are_the_same():
    problem = toy.small()
    index = np.array([[0, 1, 0, 1, 0], [3, 0, 0, 0, 1]])
    named = problem.space.decode(index)
    expected = co.evaluate(problem, index)
    pd.testing.assert_frame_equal(co.evaluate(problem, named), expected)
    pd.testing.assert_frame_equal(co.evaluate(problem, pd.DataFrame(named)), expected)
    pd.testing.assert_frame_equal(co.evaluate(problem, named[0]), expected.head(1))


def test_progress_is_told_after_every_batch():
    states = []
    co.search(toy.large(), budget=50, progress=states.append)
    assert [s.distinct for s in states] == sorted({s.distinct for s in states})
    assert [s.finished for s in states] == [False] * (len(states) - 1) + [True]
    assert states[-1].distinct == states[-1].budget == 50
    assert 0 < states[-1].feasible_share < 1


def test_a_stored_run_reads_back_as_it_was(tmp_path):
    front = co.search(toy.large(), budget=60, run_dir=tmp_path / "r")
    again = co.load_run(tmp_path / "r")
    pd.testing.assert_frame_equal(again.evaluations, front.evaluations)
    pd.testing.assert_frame_equal(again.to_pandas(), front.to_pandas())
    pd.testing.assert_frame_equal(again.history, front.history)
    assert again.metrics == front.metrics
    assert again.hypervolume() == front.hypervolume()
    assert again.constraint_names == front.constraint_names


def test_the_manifest_says_what_a_result_was_made_from(tmp_path):
    co.search(toy.small(), "random", budget=10, seed=7, run_dir=tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["spec_hash"] == toy.small().hash
    assert (manifest["searcher"], manifest["budget"], manifest["seed"]) == ("random", 10, 7)
    assert len(manifest["data_hash"]) == 64
    assert manifest["versions"]["numpy"] == np.__version__
    assert manifest["started"] <= manifest["finished"]
    assert manifest["distinct"] == 10


QUICK = [name for name in searcher_names() if name != "gp"]
LEGS = [(toy.small, name) for name in QUICK]
LEGS += [(toy.mixed, name) for name in QUICK if name != "exhaustive"]


@pytest.mark.parametrize(("make", "searcher"), LEGS)
def test_a_run_that_stops_again_and_again_ends_as_the_straight_one(tmp_path, make, searcher):
    budget = 96 if searcher == "exhaustive" else 60
    co.search(make(), searcher, budget, run_dir=tmp_path / "straight")
    for batches in range(1, 40):
        try:
            arguments = {"run_dir": tmp_path / "legs", "progress": stop_after(batches)}
            co.search(make(), searcher, budget, **arguments)
        except StopError:
            continue
        break
    assert read(tmp_path / "legs") == read(tmp_path / "straight")
    straight, legs = (co.load_run(tmp_path / n).history for n in ("straight", "legs"))
    timeless = [name for name in straight if name != "elapsed_s"]
    pd.testing.assert_frame_equal(legs[timeless], straight[timeless])


def test_workers_change_nothing(tmp_path):
    co.search(toy.small(), budget=60, run_dir=tmp_path / "one")
    co.search(toy.small(), budget=60, run_dir=tmp_path / "two", workers=2)
    assert read(tmp_path / "one") == read(tmp_path / "two")


def test_a_finished_run_is_only_read(tmp_path):
    co.search(toy.small(), budget=30, run_dir=tmp_path)
    before = read(tmp_path, (*RESULTS, "manifest.json", "history.csv"))
    front = co.resume(tmp_path, problem=toy.small(evaluate_row=toy.evaluate_row))
    assert len(front.evaluations) == 30
    assert read(tmp_path, (*RESULTS, "manifest.json", "history.csv")) == before


def test_a_finished_run_that_lost_rows_is_completed(tmp_path):
    co.search(toy.small(), budget=30, run_dir=tmp_path)
    before = read(tmp_path)
    table = tmp_path / "evaluations.csv"
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join([*lines[:5], *lines[6:]]))
    assert not RunStore(tmp_path).is_complete
    co.resume(tmp_path, problem=toy.small())
    assert read(tmp_path) == before
    assert RunStore(tmp_path).is_complete


def stored_rows(directory):
    file = directory / "evaluations.csv"
    return set(file.read_text().splitlines()[1:-1]) if file.exists() else set()


def kill_run(directory, searcher, workers, rows):
    """Start a run and kill it with SIGKILL once it has so many rows."""
    command = [sys.executable, str(HERE / "killed_run.py"), str(directory), searcher, str(workers)]
    paths = os.pathsep.join([str(HERE.parent), str(HERE.parents[1])])
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": paths})
    deadline = time.monotonic() + 60
    while len(stored_rows(directory)) < rows and process.poll() is None:
        assert time.monotonic() < deadline, "the run does not get on"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize(
    ("searcher", "workers", "moments"),
    [
        ("nsga2", 1, (0, 5, 50)),
        pytest.param("nsga2", 2, (0, 1, 17, 33, 64, 90, 119), marks=pytest.mark.slow),
        pytest.param("tpe", 1, (1, 22, 60, 100), marks=pytest.mark.slow),
        pytest.param("random", 2, (3, 70), marks=pytest.mark.slow),
    ],
)
def test_sigkill_loses_no_row_and_changes_no_front(tmp_path, searcher, workers, moments):
    problem = toy.large(evaluate_row=toy.slow)
    co.search(problem, searcher, 120, seed=4, run_dir=tmp_path / "straight", workers=2)
    known = set()
    for rows in moments:
        kill_run(tmp_path / "killed", searcher, workers, rows)
        now = stored_rows(tmp_path / "killed")
        assert known <= now
        known = now
    co.resume(tmp_path / "killed", problem=toy.large(evaluate_row=toy.slow))
    assert known <= {*(tmp_path / "killed" / "evaluations.csv").read_text().splitlines()}
    assert read(tmp_path / "killed") == read(tmp_path / "straight")


def test_a_line_cut_short_is_evaluated_again(tmp_path):
    co.search(toy.small(), budget=40, run_dir=tmp_path / "straight")
    with pytest.raises(StopError):
        co.search(toy.small(), budget=40, run_dir=tmp_path / "cut", progress=stop_after(2))
    for name in ("evaluations.csv", "history.csv"):
        file = tmp_path / "cut" / name
        file.write_bytes(file.read_bytes()[:-5])
    co.resume(tmp_path / "cut", problem=toy.small())
    assert read(tmp_path / "cut") == read(tmp_path / "straight")


def test_stored_rows_are_not_evaluated_again(tmp_path):
    with pytest.raises(StopError):
        co.search(toy.small(), budget=40, run_dir=tmp_path, progress=stop_after(1))
    (tmp_path / "checkpoint.pkl").unlink()
    stored = len(stored_rows(tmp_path)) + 1
    calls = []

    def row(design):
        calls.append(design)
        return toy.evaluate_row(design)

    problem = toy.small(evaluate_row=row, content={"evaluate_row": "toy.evaluate_row"})
    front = co.resume(tmp_path, problem=problem)
    assert len(calls) == 40 - stored
    assert len(front.evaluations) == 40


def test_a_row_that_no_searcher_asks_for_again_is_kept(tmp_path):
    with pytest.raises(StopError):
        co.search(toy.small(), budget=40, run_dir=tmp_path, progress=stop_after(1))
    stranger = toy.small().evaluate([[2, 2, 1, 1, 1]])
    RunStore(tmp_path).evaluations(toy.small())
    store = RunStore(tmp_path)
    store.evaluations(toy.small())
    store.append(stranger.to_dict("records"), toy.small())
    front = co.resume(tmp_path, problem=toy.small())
    assert {tuple(row) for row in toy.small().space.encode(front.evaluations).tolist()} >= {
        (2, 2, 1, 1, 1)
    }


def test_designs_of_two_models_do_not_mix(tmp_path):
    co.search(toy.small(), budget=20, run_dir=tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["model_hash"] = "0" * 64
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(StoreError, match="models have changed since this run was made"):
        co.search(toy.small(), budget=20, run_dir=tmp_path)


def test_another_run_is_not_continued(tmp_path):
    co.search(toy.small(), budget=20, run_dir=tmp_path)
    with pytest.raises(StoreError) as caught:
        co.search(toy.large(), budget=30, run_dir=tmp_path)
    text = str(caught.value)
    asked, stored = toy.large().hash[:12], toy.small().hash[:12]
    assert f"has changed since this run was made: stored {stored}, asked {asked}\n" in text
    assert "budget: stored 20, asked 30" in text
    assert "take another run directory" in text


def test_a_run_from_python_needs_its_problem_again(tmp_path):
    co.search(toy.small(), budget=20, run_dir=tmp_path)
    with pytest.raises(SpecError, match=r"problem small: .*resume\(run_dir, problem="):
        co.resume(tmp_path)


def test_a_directory_without_a_run_is_refused(tmp_path):
    with pytest.raises(StoreError, match=r"got no manifest\.json"):
        co.resume(tmp_path)
    with pytest.raises(StoreError, match=r"got no manifest\.json"):
        co.load_run(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"budget": 0}, "budget: got 0, allowed: a whole number from 1"),
        ({"budget": 1.5}, "budget: got 1.5"),
        ({"seed": -1}, "seed: got -1"),
        ({"workers": 0}, "workers: got 0"),
        ({"searcher": "tpee"}, "did you mean tpe"),
    ],
)
def test_a_wrong_argument_is_refused(changes, fault):
    with pytest.raises(SpecError, match=fault):
        co.search(toy.small(), **changes)


def misspelt(design):
    row = toy.evaluate_row(design)
    return {"enrgy_j" if name == "energy_j" else name: value for name, value in row.items()}


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"evaluate_row": misspelt}, "energy_j"),
        ({"constraints": ["limit.periods", "limit.buildable"]}, "limit.periods"),
        ({"limits": {"aera_mm2": 1.0}}, "aera_mm2"),
    ],
)
def test_a_misspelt_column_stops_the_search_at_once(tmp_path, changes, column):
    with pytest.raises(SpecError, match=f"^problem small: column {column}: missing in all rows"):
        co.search(toy.small(**changes), budget=60, run_dir=tmp_path)
    assert not (tmp_path / "evaluations.csv").exists()


def test_designs_that_failed_are_counted_with_the_most_frequent_reason(tmp_path):
    problem = toy.small(
        variables=[toy.Variable.integer("a", 1, 9)], evaluate_row=toy.failing, limits={}
    )
    front = co.enumerate_all(problem, run_dir=tmp_path)
    told = "6 of 9 designs could not be evaluated, most often (6): ZeroDivisionError: "
    assert front.notices[-1].startswith(told.strip())
    assert co.load_run(tmp_path).notices == front.notices


def test_two_starts_in_one_empty_directory_make_one_run(tmp_path):
    """Whoever comes second is told, whenever it comes; the first is not disturbed."""
    together, ends = threading.Barrier(2), []

    def begin():
        together.wait()
        try:
            front = co.search(toy.small(evaluate_row=toy.slow), budget=40, run_dir=tmp_path / "run")
            ends.append(len(front.evaluations))
        except BusyError as error:
            ends.append(str(error))

    both = [threading.Thread(target=begin) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert 40 in ends
    assert f"{tmp_path / 'run'}: another process is running this run" in ends
    co.search(toy.small(), budget=40, run_dir=tmp_path / "straight")
    assert read(tmp_path / "run") == read(tmp_path / "straight")


def test_slow_checkpoints_are_few_and_a_run_goes_on_from_an_old_one(tmp_path, monkeypatch):
    straight = co.search(toy.large(), "nsga2-plain", 200, 1, run_dir=tmp_path / "straight")
    assert straight.history["generation"].max() > 8
    saved, save = [], RunStore.save_checkpoint

    def slowly(store, state):
        time.sleep(0.2)
        saved.append(state.generation)
        save(store, state)

    monkeypatch.setattr(RunStore, "save_checkpoint", slowly)
    with pytest.raises(StopError):
        co.search(
            toy.large(), "nsga2-plain", 200, 1, run_dir=tmp_path / "run", progress=stop_after(6)
        )
    assert saved[0] == 1
    assert len(saved) < 4
    front = co.search(toy.large(), "nsga2-plain", 200, 1, run_dir=tmp_path / "run")
    assert saved[-1] == front.history["generation"].max()
    assert read(tmp_path / "run") == read(tmp_path / "straight")
