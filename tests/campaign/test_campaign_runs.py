"""Campaigns: each cell as if it were run alone, once, whoever works on it."""

import json
import os
import shutil
import signal
import threading

import pytest
import toy
from campaigns import campaign, results, run_here

import carbonopt as co
from carbonopt.campaign import CampaignStore, Cell, Share, run_campaign
from carbonopt.campaign.worker import KnownRows, run_cells
from carbonopt.errors import SearchError, SpecError
from carbonopt.search.stop import StopRules
from carbonopt.store import RunStore


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A finished campaign, to be read only."""
    path = tmp_path_factory.mktemp("done")
    run_here(campaign(), path)
    return path


def test_a_cell_is_the_run_that_it_would_be_alone(done, tmp_path):
    for cell in campaign().cells:
        co.search(toy.small(), cell.searcher, 30, cell.seed, run_dir=tmp_path / "cells" / cell.name)
    assert results(done, campaign().cells) == results(tmp_path, campaign().cells)


def uneven(design):
    """Rows of some templates have columns that others lack."""
    row = toy.evaluate_row(design)
    return {**row, f"energy_j.{design['template']}": row["energy_j"]}


def test_rows_of_other_cells_leave_no_trace(tmp_path):
    """Cells of a few designs see a few templates only, and have the columns of these."""
    asked = campaign(toy.small(evaluate_row=uneven), budgets=[3], seeds=[1, 2, 3])
    run_here(asked, tmp_path)
    for cell in asked.cells:
        alone = toy.small(evaluate_row=uneven)
        directory = tmp_path / "alone" / "cells" / cell.name
        co.search(alone, cell.searcher, 3, cell.seed, run_dir=directory)
    assert results(tmp_path, asked.cells) == results(tmp_path / "alone", asked.cells)


def test_what_another_cell_has_evaluated_is_not_evaluated_again(tmp_path):
    calls = []

    def row(design):
        calls.append(tuple(design.values()))
        return toy.evaluate_row(design)

    def problem():
        return toy.small(evaluate_row=row, content={"evaluate_row": "row"})

    run_here(campaign(problem()), tmp_path)
    run_here(campaign(problem(), seeds=[1, 2, 3]), tmp_path)
    assert len(calls) == len(set(calls)) < 6 * 30


def test_a_search_with_a_time_limit_learns_nothing_from_others(done):
    limited = campaign(rules=StopRules(after_s=60.0))
    problem = KnownRows(CampaignStore(done), limited).problem(limited.cells[0])
    assert not problem._cache
    asked = campaign()
    known = KnownRows(CampaignStore(done), asked)
    assert len(known.problem(asked.cells[0])._cache) > 30


def test_done_cells_are_passed_over_and_added_seeds_are_run(done, tmp_path):
    assert run_here(campaign(), tmp_path)[-1].ended
    fronts = [tmp_path / "cells" / cell.name / "front.csv" for cell in campaign().cells]
    before = [front.stat() for front in fronts]
    told = run_here(campaign(seeds=[1, 2, 3]), tmp_path)
    assert {event.cell.seed for event in told} == {3}
    assert [front.stat() for front in fronts] == before


def test_a_cell_that_fails_stops_no_other_and_gets_another_chance(tmp_path):
    asked = campaign(searchers=["exhaustive", "sobol"], seeds=[1])
    told = run_here(asked, tmp_path)
    assert [bool(event.reason) for event in told if event.ended] == [True, False]
    failed, sound = (CampaignStore(tmp_path).state(cell) for cell in asked.cells)
    assert (failed.state, sound.state) == ("failed", "done")
    assert failed.reason.startswith("budget: got 30 for the exhaustive searcher, allowed: at least")
    assert run_here(asked, tmp_path) == []
    CampaignStore(tmp_path).forget_failure(asked.cells[0])
    assert run_here(asked, tmp_path)[-1].reason == failed.reason


def test_a_cell_that_another_process_holds_is_left_to_it(tmp_path):
    asked, store, told = campaign(), CampaignStore(tmp_path), []
    store.keep(asked)
    held = asked.cells[1]
    with RunStore(store.run_dir(held)).locked():
        run_cells(store, asked, asked.cells, told.append)
        assert store.state(held).state == "running"
    assert {event.cell for event in told if event.ended} == {*asked.cells} - {held}


def test_two_that_work_in_one_directory_run_each_cell_once(tmp_path):
    sides = [campaign(toy.small(evaluate_row=toy.slow), seeds=[1, 2, 3]) for _ in range(2)]
    told: list[list] = [[], []]
    CampaignStore(tmp_path).keep(sides[0])
    crew = [
        threading.Thread(
            target=run_cells, args=(CampaignStore(tmp_path), asked, asked.cells, tell.append)
        )
        for asked, tell in zip(sides, told, strict=True)
    ]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    first, second = ({event.cell for event in side if event.designs} for side in told)
    assert first | second == set(sides[0].cells)
    assert not first & second
    assert not any(event.reason for side in told for event in side)


def test_processes_give_what_one_process_gives(done, tmp_path):
    """Parts of a job array, one after the other, each with two processes."""
    told = []
    for part in (1, 2):
        states = run_campaign(campaign(), tmp_path, jobs=2, share=Share(part, 2), watch=told.append)
        assert {state.state for state in states} == {"done"}
    assert {event.cell for event in told if event.ended} == {*campaign().cells}
    assert results(tmp_path, campaign().cells) == results(done, campaign().cells)


def killer(design):
    """Kill the process at a certain design, as running out of memory does."""
    if design["rows"] == 128:
        os.kill(os.getpid(), signal.SIGKILL)
    return toy.evaluate_row(design)


@pytest.mark.slow
def test_a_cell_that_kills_its_process_fails_after_three_times(tmp_path):
    asked = campaign(toy.small(evaluate_row=killer), toy.large(), searchers=["sobol"], seeds=[1])
    states = {s.cell.problem: s for s in run_campaign(asked, tmp_path)}
    assert states["large"].state == "done"
    assert states["small"].state == "failed"
    assert states["small"].reason == "its process got signal 9 3 times: killed, or out of memory"


def test_wrong_jobs_are_refused(tmp_path):
    with pytest.raises(SpecError, match="jobs: got 0, allowed: a whole number from 1"):
        run_campaign(campaign(), tmp_path, jobs=0)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_processes_that_cannot_begin_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr("carbonopt.campaign.crew.work", os.abort)
    with pytest.raises(SearchError, match="worker processes die before they begin"):
        run_campaign(campaign(), tmp_path)
    assert not CampaignStore(tmp_path).is_done(Cell("small", "sobol", 30, 1))


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("checkpoint.pkl", "got a damaged checkpoint"),
        ("evaluations.csv", "got 3 fields, allowed: "),
        ("manifest.json", "cannot be read"),
    ],
)
def test_a_damaged_cell_fails_alone_and_goes_on_after_its_repair(done, tmp_path, name, fault):
    asked, store = campaign(), CampaignStore(tmp_path)
    shutil.copytree(done, tmp_path, dirs_exist_ok=True)
    cell, other = asked.cells[:2]
    for each in (cell, other):  # as if both had been stopped at the very end
        manifest = store.run_dir(each) / "manifest.json"
        content = {**json.loads(manifest.read_text()), "finished": None}
        manifest.write_text(json.dumps(content))
    file = store.run_dir(cell) / name
    whole = file.read_bytes()
    file.write_bytes(whole + b"1,2,3\n" if name == "evaluations.csv" else whole[:-9])
    told = run_here(asked, tmp_path)
    assert {e.cell for e in told if e.ended and not e.reason} == {other}
    (reason,) = (event.reason for event in told if event.reason)
    assert f"{cell.name}/{name}" in reason
    assert fault in reason
    file.write_bytes(whole)
    store.forget_failure(cell)
    run_here(asked, tmp_path)
    assert results(tmp_path, asked.cells) == results(done, asked.cells)
