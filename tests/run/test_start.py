"""Where a run starts and why it stops: known designs, earlier fronts, stop rules, resume."""

import json

import pandas as pd
import pytest
import toy

import carbonopt as co
from carbonopt.errors import SpecError, StoreError
from carbonopt.run.start import start_designs

CHIPS = [
    {"template": "aimc", "rows": 256, "cols": 64, "macros": 2, "sram_byte": 2**15},
    {"template": "dimc", "rows": 32, "cols": 1024, "macros": 8, "sram_byte": 2**13},
]


def first_designs(front, count):
    names = list(toy.large().space.names)
    return front.evaluations[names].head(count).to_dict("records")


class StopError(Exception):
    """Ends a run from its progress callback."""


def interrupted(state):
    raise StopError


@pytest.mark.parametrize("searcher", ["nsga2", "tpe", "sobol"])
def test_known_chips_are_the_first_designs(searcher):
    front = co.search(toy.large(), searcher, 40, start=CHIPS)
    assert first_designs(front, 2) == CHIPS
    assert len(front.evaluations) == 40


def test_a_search_goes_on_from_an_earlier_front(tmp_path):
    earlier = co.search(toy.large(), budget=200, run_dir=tmp_path / "earlier")
    cold = co.search(toy.large(), budget=120, seed=2)
    warm = co.search(toy.large(), budget=120, seed=2, start=tmp_path / "earlier")
    names = list(toy.large().space.names)
    known = earlier.to_pandas()[names].to_dict("records")
    assert 20 < len(known) < 100
    assert first_designs(warm, len(known)) == known
    assert earlier.hypervolume() <= warm.hypervolume()
    assert warm.hypervolume() > cold.hypervolume()


def test_a_start_survives_a_kill_before_and_after_the_first_batch(tmp_path):
    straight = co.search(toy.large(), budget=60, start=CHIPS, run_dir=tmp_path / "straight")
    (tmp_path / "chips.csv").write_text(pd.DataFrame(CHIPS).to_csv(index=False))
    arguments = {"budget": 60, "start": tmp_path / "chips.csv", "run_dir": tmp_path / "killed"}
    with pytest.raises(StopError):
        co.search(toy.large(), progress=interrupted, **arguments)
    (tmp_path / "chips.csv").unlink()
    (tmp_path / "killed" / "checkpoint.pkl").unlink()
    resumed = co.resume(tmp_path / "killed", problem=toy.large())
    pd.testing.assert_frame_equal(resumed.evaluations, straight.evaluations)
    with pytest.raises(StoreError, match="start: stored 2 designs, asked 0 designs"):
        co.search(toy.large(), budget=60, run_dir=tmp_path / "killed")


def test_values_of_a_file_are_read_as_printed_as_numbers_and_with_units(tmp_path):
    file = tmp_path / "chips.csv"
    file.write_text(
        "note,sram_byte,template,rows,cols,macros\n"
        "a,32768,aimc,256,64,2\nb,32 KiB,aimc,256.0,64,2\nc,8KiB,dimc,32,1024,8\n"
    )
    space = toy.large().space
    assert space.decode(start_designs(file, space)) == CHIPS


def test_every_value_that_does_not_fit_is_named_by_line(tmp_path):
    file = tmp_path / "chips.csv"
    file.write_text(
        "template,rows,cols,macros,sram_byte\n"
        "aimc,48,64,2,32768\ndimc,32,64,2,8192\ntpu,32,64,3,1 lightyear\n"
    )
    with pytest.raises(SpecError) as told:
        start_designs(file, toy.large().space)
    values = "allowed: 8192, 16384, 32768, 65536, 131072"
    assert told.value.faults == [
        f"{file}:2: rows: got 48.0, allowed: 32, 64, 128, 256, 512, 1024",
        f"{file}:4: template: got tpu, allowed: digital_os, digital_ws, dimc, aimc",
        f"{file}:4: macros: got 3.0, allowed: 1, 2, 4, 8",
        f"{file}:4: sram_byte: got 1 lightyear, {values}",
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("template,rows\naimc,32\n", ":1: got no column cols, macros, sram_byte, allowed: a CSV"),
        ("template,rows,cols,macros,sram_byte\n", "got no design, allowed: at least one"),
        (None, "start_from: got .*chips.csv, allowed: a directory with front.csv, or a CSV file"),
    ],
)
def test_a_file_without_designs_is_refused(tmp_path, content, told):
    if content is not None:
        (tmp_path / "chips.csv").write_text(content)
    with pytest.raises(SpecError, match=told):
        co.search(toy.large(), budget=10, start=tmp_path / "chips.csv")


def test_more_designs_to_start_from_than_the_budget_are_refused():
    with pytest.raises(
        SpecError, match="start: got 2 designs to start from, allowed: up to the budget of 1"
    ):
        co.search(toy.large(), budget=1, start=CHIPS)


def test_a_stalled_search_stops_and_says_so(tmp_path):
    rules = co.StopRules(stall=100, gain=0.02)
    front = co.search(toy.large(), budget=1000, stop=rules, run_dir=tmp_path)
    told = "stopped: the hypervolume grew by less than 2 % over the last 100 designs"
    assert told in front.notices
    assert 100 < len(front.evaluations) < 1000
    last = front.history.iloc[-1]
    before = front.history[front.history["distinct"] <= last["distinct"] - 100].iloc[-1]
    assert last["hypervolume"] <= 1.02 * before["hypervolume"]
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["stop"] == {"after_s": None, "stall": 100, "gain": 0.02}
    assert manifest["notices"] == [told]


def test_a_stall_is_the_same_after_a_resume(tmp_path):
    rules = co.StopRules(stall=100, gain=0.02)
    straight = co.search(toy.large(), budget=1000, stop=rules)
    with pytest.raises(StopError):
        co.search(toy.large(), budget=1000, stop=rules, run_dir=tmp_path, progress=interrupted)
    resumed = co.resume(tmp_path, problem=toy.large())
    pd.testing.assert_frame_equal(resumed.evaluations, straight.evaluations)


def test_the_time_limit_adds_up_over_legs(tmp_path):
    problem = toy.large(evaluate_row=toy.slow)
    rules = co.StopRules(after_s=0.6)
    with pytest.raises(StopError):
        co.search(problem, budget=400, stop=rules, run_dir=tmp_path, progress=interrupted)
    first_leg = co.load_run(tmp_path).history["elapsed_s"].iloc[-1]
    front = co.resume(tmp_path, problem=problem)
    elapsed = front.history["elapsed_s"]
    assert 0.0 < first_leg < 0.6
    assert elapsed.iloc[-1] >= 0.6 > elapsed.iloc[-2]
    assert front.notices == ("stopped: the time limit of 600 ms was reached",)


def test_a_stall_needs_a_reference_point():
    with pytest.raises(SpecError, match="stall: got 10 for the problem small without reference"):
        co.search(toy.small(reference_point=None), budget=20, stop=co.StopRules(stall=10))


def test_a_space_that_the_budget_covers_is_evaluated_in_order():
    front = co.search(toy.small(), "tpe", budget=500)
    assert front.notices == (
        "the budget of 500 covers all 96 designs: they are evaluated in order, without tpe",
        "all 96 designs were evaluated: the front is exact",
    )
    index = toy.small().space.encode(front.evaluations)
    assert index.tolist() == sorted(index.tolist())
    assert len(index) == 96
