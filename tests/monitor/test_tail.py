"""A table read as it grows has every design once, to the last bit."""

import pandas as pd
import pytest
import toy

import carbonopt as co
from carbonopt.errors import StoreError
from carbonopt.monitor.tail import Tail


def variables(problem):
    return {v.name: v.values for v in problem.space.variables}


@pytest.fixture
def run(tmp_path):
    front = co.enumerate_all(toy.small(), run_dir=tmp_path)
    return tmp_path / "evaluations.csv", front.evaluations


def test_pieces_add_up_to_the_table(run, tmp_path):
    file, table = run
    text = file.read_bytes()
    growing = tmp_path / "growing.csv"
    tail = Tail(growing, variables(toy.small()))
    assert len(tail.read()) == 0
    pieces = []
    for end in (10, 2000, 2001, 9999, len(text)):
        growing.write_bytes(text[:end])
        pieces.append(tail.read())
    together = pd.concat([piece for piece in pieces if len(piece)], ignore_index=True)
    pd.testing.assert_frame_equal(together, table, check_dtype=False, check_exact=True)
    assert len(tail.read()) == 0


def test_a_replaced_table_gives_only_designs_that_are_new(run):
    file, _ = run
    tail = Tail(file, variables(toy.small()))
    assert len(tail.read()) == 96
    header, *lines = file.read_text().splitlines(keepends=True)
    for kept in (lines[::-1], lines):
        temporary = file.with_suffix(".tmp")
        temporary.write_text("".join([header, *kept]))
        temporary.replace(file)
        assert len(tail.read()) == 0


def test_a_damaged_table_is_told(run):
    file, _ = run
    tail = Tail(file, variables(toy.small()))
    tail.read()
    with file.open("a") as handle:
        handle.write("dimc,64,too,many,fields" + "," * 40 + "\n")
    with pytest.raises(StoreError, match=r"evaluations\.csv: cannot be read"):
        tail.read()
