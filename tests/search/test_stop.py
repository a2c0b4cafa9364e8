"""Stop rules: when they are met, and which of them can be."""

import pytest

from carbonopt.errors import SpecError
from carbonopt.search.stop import StopRules


def history(*entries):
    names = ("distinct", "hypervolume", "elapsed_s")
    return [dict(zip(names, entry, strict=True)) for entry in entries]


def test_no_rule_is_never_met():
    assert StopRules().reached(history((10, 0.0, 1e9), (20, 0.0, 2e9))) == ""


def test_the_time_limit_counts_what_the_history_counts():
    rules = StopRules(after_s=600.0)
    assert rules.reached(history((10, 0.0, 599.9))) == ""
    told = "stopped: the time limit of 600 s was reached"
    assert rules.reached(history((10, 0.0, 600.0))) == told


def test_a_stall_needs_so_many_designs_without_enough_growth():
    rules = StopRules(stall=20, gain=0.01)
    assert rules.reached(history((10, 1.0, 0.0), (29, 1.0, 0.0))) == ""
    assert rules.reached(history((10, 1.0, 0.0), (30, 1.011, 0.0))) == ""
    told = "stopped: the hypervolume grew by less than 1 % over the last 20 designs"
    assert rules.reached(history((10, 1.0, 0.0), (30, 1.01, 0.0))) == told
    grown = history((10, 1.0, 0.0), (20, 1.5, 0.0), (30, 1.5, 0.0), (40, 1.5, 0.0))
    assert [rules.reached(grown[:n]) != "" for n in (1, 2, 3, 4)] == [False, False, False, True]


def test_all_rules_that_cannot_be_are_named_at_once():
    with pytest.raises(SpecError) as told:
        StopRules(after_s=0.0, stall=0, gain=1.0)
    assert told.value.faults == [
        "stop_after: got 0 s, allowed: above 0 s",
        "stall: got 0, allowed: a whole number from 1",
        "stall_gain: got 1, allowed: from 0 to below 1",
    ]
