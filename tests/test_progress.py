from __future__ import annotations

import io
from dataclasses import replace

import pytest

from carbonopt.progress import ProgressDisplay, progress_text
from carbonopt.search.base import SearchState

STATE = SearchState(
    evaluations=640,
    distinct=500,
    budget=2000,
    generation=16,
    hypervolume=8.0,
    feasible_share=0.83,
    front_size=41,
    elapsed_s=12.0,
    finished=False,
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """Moves on by a fixed time at every look."""

    def __init__(self, step_s: float) -> None:
        self.now_s, self.step_s = 0.0, step_s

    def __call__(self) -> float:
        self.now_s += self.step_s
        return self.now_s


FIRST = replace(STATE, distinct=100, elapsed_s=8.0)


def test_the_line_tells_evaluations_hypervolume_feasible_share_and_time_left():
    assert progress_text(STATE, 10.0, FIRST) == (
        "500/2,000 | hypervolume 8 (80.0% of exact) | feasible 83% | 0:15 left"
    )


def test_what_the_first_designs_waited_for_is_no_part_of_the_time_left():
    stream = Terminal()
    with ProgressDisplay(stream, clock=Clock(1.0)) as display:
        display(replace(STATE, distinct=10, elapsed_s=60.0))
        display(replace(STATE, distinct=20, elapsed_s=61.0))
    _, first, second = stream.getvalue().split("\r\x1b[K")
    assert "left" not in first
    assert second.rstrip().endswith("| 3:18 left")


@pytest.mark.parametrize("exact", [float("nan"), 0.0])
def test_without_an_exact_front_no_share_is_named(exact):
    assert "hypervolume 8 |" in progress_text(STATE, exact, FIRST)


def test_without_a_reference_point_no_hypervolume_is_named():
    unknown = replace(STATE, hypervolume=float("nan"))
    assert "hypervolume" not in progress_text(unknown, 10.0, FIRST)


def test_a_finished_search_has_no_time_left():
    assert progress_text(replace(STATE, finished=True), 10.0, FIRST).endswith("| took 0:12")


@pytest.mark.parametrize(("columns", "start"), [(50, "500/"), (120, "[#####")])
def test_a_terminal_gets_one_line_that_renews_itself(monkeypatch, columns, start):
    monkeypatch.setenv("COLUMNS", str(columns))
    stream = Terminal()
    with ProgressDisplay(stream, clock=Clock(1.0)) as display:
        display(STATE)
        display(replace(STATE, distinct=600))
    shown = stream.getvalue()
    assert shown.count("\n") == 1
    assert shown.endswith("\n")
    before, first, second = shown.split("\r\x1b[K")
    assert before == ""
    assert first.startswith(start)
    assert max(len(first), len(second)) <= columns


def test_a_log_gets_a_plain_line_now_and_then_and_the_last_one():
    stream = io.StringIO()
    with ProgressDisplay(stream, clock=Clock(2.0)) as display:
        for distinct in range(100, 600, 100):
            display(replace(STATE, distinct=distinct))
        display(replace(STATE, distinct=2000, finished=True))
    lines = stream.getvalue().splitlines()
    assert [line.split("/")[0] for line in lines] == ["100", "400", "2,000"]
    assert "\r" not in stream.getvalue()
