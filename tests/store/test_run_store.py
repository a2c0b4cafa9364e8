"""The files of a run: bit-exact, in order, honest about what is wrong."""

import json
import math

import pandas as pd
import pytest
import toy
from hypothesis import given
from hypothesis import strategies as st

from carbonopt.errors import BusyError, SpecError, StoreError
from carbonopt.objectives import Metric
from carbonopt.problem import Problem
from carbonopt.store import RunStore, read_table, table_bytes
from carbonopt.variable import Variable

MANIFEST = {"problem": "small"}


def make(path, problem=None):
    store = RunStore(path)
    with store.locked():
        store.start(problem or toy.small(), MANIFEST)
    return store


def rows_of(problem, index):
    return problem.evaluate(index).to_dict("records")


def test_rows_read_back_as_they_were(tmp_path):
    problem = toy.small()
    store = make(tmp_path)
    index = [[0, 0, 0, 0, 0], [3, 2, 1, 1, 1], [1, 1, 1, 1, 1]]
    store.append(rows_of(problem, index[:1]), problem)
    store.append(rows_of(problem, index), problem)
    pd.testing.assert_frame_equal(RunStore(tmp_path).evaluations(problem), problem.evaluate(index))


def test_a_row_is_stored_once(tmp_path):
    problem, store = toy.small(), make(tmp_path)
    for _ in range(2):
        store.append(rows_of(problem, [[0] * 5]), problem)
    assert len(store.evaluations(problem)) == 1


def test_later_rows_may_have_more_columns(tmp_path):
    problem = toy.large(variables=[Variable.integer("a", 1, 9)], evaluate_row=toy.failing)
    store = make(tmp_path, problem)
    store.append(rows_of(problem, [[0], [1]])[:1], problem)
    store.append([{**rows_of(problem, [[2]])[0], "extra_j": 1.5}], problem)
    table = RunStore(tmp_path).evaluations(problem)
    assert table["status"].tolist() == ["error", "ok"]
    assert math.isnan(table["extra_j"][0])
    assert table["extra_j"][1] == 1.5


@pytest.mark.property
@given(st.floats(allow_nan=True, allow_infinity=True))
def test_floats_keep_their_last_bit(tmp_path_factory, value):
    file = tmp_path_factory.mktemp("t") / "t.csv"
    file.write_bytes(table_bytes(pd.DataFrame({"energy_j": [value]})))
    back = read_table(file, {})["energy_j"][0]
    assert back == value or (math.isnan(back) and math.isnan(value))


def test_choices_keep_their_type(tmp_path):
    values = ["1", "NA", "true", "a, b"]
    problem = Problem(
        "odd",
        [
            Variable.choice("x", values),
            Variable.choice("y", [1, 2.5]),
            Variable.choice("z", [3, 1]),
        ],
        lambda design: {"noise_w": 1.0},
        [Metric("noise_w", "noise")],
    )
    index = [[i, i % 2, i % 2] for i in range(4)]
    store = make(tmp_path, problem)
    store.append(rows_of(problem, index), problem)
    pd.testing.assert_frame_equal(store.evaluations(problem), problem.evaluate(index))


def test_a_line_with_other_fields_is_told_with_its_number(tmp_path):
    problem, store = toy.small(), make(tmp_path)
    store.append(rows_of(problem, [[0] * 5]), problem)
    with (tmp_path / "evaluations.csv").open("a") as file:
        file.write("1,2,3\n")
    with pytest.raises(StoreError, match=r"evaluations.csv:3: got 3 fields, allowed: \d+"):
        store.evaluations(problem)


def test_a_design_of_another_space_is_told(tmp_path):
    store = make(tmp_path)
    store.append(rows_of(toy.large(), [[0] * 5]), toy.large())
    with pytest.raises(SpecError, match="rows: got 32, allowed: 64, 128, 256"):
        toy.small().remember(store.evaluations(toy.small()))


def test_a_directory_with_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(StoreError, match=r"got a directory with thesis.tex, allowed: a new"):
        make(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]


def test_what_a_killed_start_left_is_no_obstacle(tmp_path):
    (tmp_path / "manifest.json.tmp").write_text("{")
    make(tmp_path)
    assert json.loads((tmp_path / "manifest.json").read_text()) == MANIFEST


@pytest.mark.parametrize("kind", ["file in the way", "below a file"])
def test_a_directory_that_cannot_be_made_is_told(tmp_path, kind):
    blocked = tmp_path / "file"
    blocked.write_text("")
    path = blocked if kind == "file in the way" else blocked / "run"
    with pytest.raises(StoreError, match=r"cannot be written \(.*\), allowed: a directory"):
        make(path)


def test_two_processes_cannot_hold_a_run(tmp_path):
    store = make(tmp_path)
    with store.locked():
        with pytest.raises(BusyError, match="another process"), store.locked():
            pass
        assert store.is_running
    assert not store.is_running
    with store.locked():
        pass


def test_a_checkpoint_of_other_versions_says_what_to_do(tmp_path):
    store = make(tmp_path)
    assert store.checkpoint() is None
    (tmp_path / "checkpoint.pkl").write_bytes(b"junk")
    with pytest.raises(StoreError, match="delete it, and resume replays the stored rows"):
        store.checkpoint()


def test_a_run_that_failed_at_its_start_is_told_from_a_foreign_directory(tmp_path):
    store = RunStore(tmp_path)
    with pytest.raises(StoreError, match="a directory that `carbonopt run` made"):
        store.manifest()
    with store.locked():
        pass
    with pytest.raises(StoreError, match="got a run that failed at its start, allowed: to start"):
        store.manifest()


def test_a_broken_manifest_is_told(tmp_path):
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(StoreError, match=r"manifest.json: cannot be read"):
        RunStore(tmp_path).manifest()


@pytest.mark.parametrize("place", [0, 40, -1])
def test_a_flipped_bit_of_a_checkpoint_is_told(tmp_path, place):
    store = make(tmp_path)
    store.save_checkpoint({"designs": list(range(100))})
    content = bytearray((tmp_path / "checkpoint.pkl").read_bytes())
    content[place] ^= 1
    (tmp_path / "checkpoint.pkl").write_bytes(bytes(content))
    with pytest.raises(StoreError, match=r"checkpoint.pkl: got a damaged checkpoint, allowed: "):
        store.checkpoint()


def test_text_in_place_of_a_number_is_told_with_its_line(tmp_path):
    problem, store = toy.small(), make(tmp_path)
    store.append(rows_of(problem, [[0] * 5, [1] * 5]), problem)
    header, first, last = (tmp_path / "evaluations.csv").read_text().splitlines()
    broken = last.split(",")
    broken[header.split(",").index("energy_j")] = "1.2e#5"
    broken[header.split(",").index("feasible")] = "Tr"
    (tmp_path / "evaluations.csv").write_text("\n".join([header, first, ",".join(broken), ""]))
    with pytest.raises(StoreError) as caught:
        store.evaluations(problem)
    energy, feasible = str(caught.value).splitlines()
    assert "evaluations.csv:3: got text in the column energy_j, allowed: the file as" in energy
    assert "column feasible" in feasible
    assert "delete damaged lines, and resume evaluates their designs again" in feasible


def test_rows_without_their_manifest_are_left_alone(tmp_path):
    problem, store = toy.small(), make(tmp_path)
    store.append(rows_of(problem, [[0] * 5]), problem)
    (tmp_path / "manifest.json").unlink()
    for action in (store.manifest, lambda: make(tmp_path)):
        with pytest.raises(StoreError, match=r"manifest.json: put it back from a copy, or search"):
            action()
