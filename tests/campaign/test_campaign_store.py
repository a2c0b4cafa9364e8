"""The directory of a campaign: grows with the study, refuses another one, tells what is wrong."""

import json

import pytest
import toy
from campaigns import campaign, run_here

import carbonopt as co
from carbonopt.campaign import CampaignStore
from carbonopt.errors import SpecError, StoreError
from carbonopt.search.stop import StopRules


def test_what_it_asks_is_read_back(tmp_path):
    asked = campaign(seeds=[1, 5], rules=StopRules(stall=9), question="Why?")
    CampaignStore(tmp_path).keep(asked)
    again = CampaignStore(tmp_path).load([toy.small()])
    assert again.cells == asked.cells
    assert (again.rules, again.question) == (asked.rules, "Why?")


def test_a_problem_file_is_kept_so_that_the_original_may_go(tmp_path):
    asked = campaign(co.load_problem("mlperf_tiny"))
    CampaignStore(tmp_path).keep(asked)
    problem = CampaignStore(tmp_path).load().problems[0]
    assert problem.hash == asked.problems[0].hash
    assert problem.reference_front == tmp_path / "problems" / "mlperf_tiny" / "reference_front.csv"


def test_a_problem_made_in_python_is_asked_for(tmp_path):
    CampaignStore(tmp_path).keep(campaign())
    with pytest.raises(SpecError, match=r"problem small: got one made in Python, allowed: Camp"):
        CampaignStore(tmp_path).load()


def test_axes_may_change_but_not_problems_or_rules(tmp_path):
    store = CampaignStore(tmp_path)
    store.keep(campaign())
    store.keep(campaign(seeds=[1, 2, 3], searchers=["tpe"]))
    store.keep(campaign(toy.large()))
    with pytest.raises(StoreError, match="problem small: the problem has changed since this run"):
        store.keep(campaign(toy.small(limits={"area_mm2": 3.0})))
    with pytest.raises(StoreError, match=r"stop: stored gain 0.001, asked stall 9"):
        store.keep(campaign(rules=StopRules(stall=9)))
    assert len(store.load([toy.large()]).cells) == 4


def test_a_directory_with_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(StoreError, match=r"got a directory with thesis.tex, allowed: a new or emp"):
        CampaignStore(tmp_path).keep(campaign())


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, r"got no campaign.json, allowed: a directory that `carbonopt run` made"),
        ("{", r"campaign.json: cannot be read: .*delete it and run the study again: what is done"),
        ("{}", r"campaign.json: got no name, question"),
    ],
)
def test_a_campaign_file_that_is_no_good_is_told(tmp_path, content, fault):
    store = CampaignStore(tmp_path)
    store.keep(campaign())
    if content is None:
        (tmp_path / "campaign.json").unlink()
    else:
        (tmp_path / "campaign.json").write_text(content)
    with pytest.raises(StoreError, match=fault):
        store.load([toy.small()])


def test_a_lost_campaign_file_costs_nothing(tmp_path):
    run_here(campaign(), tmp_path)
    (tmp_path / "campaign.json").unlink()
    told = run_here(campaign(), tmp_path)
    assert told == []


def test_states_of_cells(tmp_path):
    store, asked = CampaignStore(tmp_path), campaign()
    run_here(asked, tmp_path)
    done, begun, waiting, failed = asked.cells
    manifest = store.run_dir(begun) / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "finished": None}))
    for file in [*store.run_dir(waiting).iterdir(), *store.run_dir(failed).iterdir()]:
        file.unlink()
    store.note_failure(failed, "no room")
    states = [store.state(cell) for cell in asked.cells]
    assert [state.state for state in states] == ["done", "begun", "waiting", "failed"]
    assert [state.designs for state in states] == [30, 30, 0, 0]
    assert states[3].reason == "no room"
    store.forget_failure(failed)
    assert store.state(failed).state == "waiting"
    (store.run_dir(done) / "manifest.json").write_text("{")
    broken = store.state(done)
    assert broken.state == "failed"
    assert "manifest.json: cannot be read" in broken.reason
