"""Conditions on designs: what can be asked, what meets it, by how much the rest misses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from carbonopt.errors import SpecError
from carbonopt.front.conditions import Condition, check_numeric, parse_conditions


@pytest.fixture
def designs():
    return pd.DataFrame(
        {
            "template": ["dimc", "aimc", "digital_os", "dimc"],
            "rows": [64, 128, 256, 512],
            "groups": pd.Series([8, None, None, 16], dtype=object),
            "cell": ["sram", None, None, "rram"],
            "sram_byte": [8192.0, 65536.0, 65536.0, 524288.0],
            "latency_s": [0.004, 0.005, 0.006, np.nan],
            "feasible": [True, True, False, True],
        }
    )


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("latency_s <= 5 ms", [1, 1, 0, 0]),
        ("latency_s<5ms", [1, 0, 0, 0]),
        ("latency_s >= 5000 us", [0, 1, 1, 0]),
        ("latency_s ≤ 0.005 s", [1, 1, 0, 0]),
        ("latency_s > 5 ms", [0, 0, 1, 0]),
        ("sram_byte = 64 KiB", [0, 1, 1, 0]),
        ("sram_byte = 64 KiB, 512KiB", [0, 1, 1, 1]),
        ("sram_byte != 64 KiB", [1, 0, 0, 1]),
        ("rows = 64,512", [1, 0, 0, 1]),
        ("rows > 1e2", [0, 1, 1, 1]),
        ("groups = 8", [1, 0, 0, 0]),
        ("groups >= 8", [1, 0, 0, 1]),
        ("template = dimc", [1, 0, 0, 1]),
        ("template == dimc, aimc", [1, 1, 0, 1]),
        ("template != dimc", [0, 1, 1, 0]),
        ("feasible = True", [1, 1, 0, 1]),
        ("groups = -", [0, 1, 1, 0]),
        ("groups = 8, -", [1, 1, 1, 0]),
        ("groups != -", [1, 0, 0, 1]),
        ("latency_s = -", [0, 0, 0, 1]),
        ("cell = -", [0, 1, 1, 0]),
        ("cell = -, rram", [0, 1, 1, 1]),
        ("cell != -", [1, 0, 0, 1]),
    ],
)
def test_designs_that_meet_a_condition(designs, text, met):
    (condition,) = parse_conditions([text], designs)
    assert condition.met(designs).tolist() == [bool(each) for each in met]
    assert (condition.missed(designs)[condition.met(designs)] == 0.0).all()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("latncy_s <= 5 ms", "where: got latncy_s, allowed: template, rows, groups"),
        ("latncy_s <= 5 ms", "(did you mean latency_s?)"),
        ("latency_s <= 5", "where: latency_s: got 5, allowed: a number with a unit of: s, ms"),
        ("latency_s <= 5 mJ", "where: latency_s: got 5 mJ, allowed: a number with a unit of: s"),
        ("latency_s <= 5 Ms", "(did you mean ms?)"),
        ("rows <= 5 mm2", "where: rows: got 5 mm2, allowed: a number without a unit"),
        ("template = dimm", "template: got dimm, allowed: aimc, digital_os, dimc (did you mean d"),
        ("template <= dimc", "template: got <= for a column of texts, allowed: = or !="),
        ("latency_s", "where: got 'latency_s', allowed: a column, one of <= >= < > = !=, and a"),
        ("latency_s <=", "allowed: a column, one of"),
        ("", "where: got '', allowed: a column"),
    ],
)
def test_a_condition_that_cannot_be_is_told(designs, text, told):
    with pytest.raises(SpecError) as caught:
        parse_conditions([text], designs)
    assert told in str(caught.value)


def test_all_faults_are_told_at_once(designs):
    with pytest.raises(SpecError) as caught:
        parse_conditions(["rows = 64", "row = 64", "template = tpu", "latency_s = 5"], designs)
    assert len(caught.value.faults) == 3


def test_misses_are_shares_of_the_limit(designs):
    limit = Condition("latency_s", "<=", (0.004,))
    np.testing.assert_allclose(limit.missed(designs), [0.0, 0.25, 0.5, np.inf])
    rows = Condition("rows", "=", (100.0, 512.0))
    np.testing.assert_allclose(rows.missed(designs), [0.36, 0.28, 0.5, 0.0])
    kind = Condition("template", "=", ("dimc",))
    assert kind.missed(designs).tolist() == [0.0, np.inf, np.inf, 0.0]
    zero = Condition("rows", "<=", (0.0,))
    assert zero.missed(designs).tolist() == [64.0, 128.0, 256.0, 512.0]


def test_a_condition_prints_as_it_is_read(designs):
    texts = ["latency_s <= 5 ms", "rows = 64, 128", "template != dimc", "sram_byte > 64 KiB"]
    assert [str(each) for each in parse_conditions(texts, designs)] == texts
    again = parse_conditions([str(each) for each in parse_conditions(texts, designs)], designs)
    assert again == parse_conditions(texts, designs)


def test_a_column_of_texts_is_no_number(designs):
    with pytest.raises(SpecError, match="least: got template, which holds text"):
        check_numeric(["rows", "groups", "template"], designs, "least")
