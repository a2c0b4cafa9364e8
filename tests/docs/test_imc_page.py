"""docs/concepts/imc.md: its table has every knob, its count of weights is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from designs import machine, network

from carbonopt.hardware.knob_table import MACROS, knob_table
from carbonopt.performance.network import network_cost

PAGE = (Path(__file__).parents[2] / "docs" / "concepts" / "imc.md").read_text()


def test_the_table_has_every_knob_of_macros():
    first = re.search(r"^\| `--set` .*?\n\n", PAGE, re.M | re.S)
    assert first
    named = {
        name
        for line in first.group().strip().splitlines()[2:]
        for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    assert (named - {"aimc"}) | {"macros"} == {
        knob.name for knob in knob_table().values() if set(knob.kinds) & set(MACROS)
    }


@pytest.mark.parametrize(("depth", "stays"), [(21, False), (22, True)])
def test_resnet8_stays_in_groups_of_22(depth, stays):
    assert "`resnet8` on 128 x 128: 22" in PAGE
    built = machine("aimc", 128, 128, 1, 2**19, group_depth=depth)
    cost = network_cost(network("resnet8"), built, "optimal")
    assert (cost.cycle_parts()["stall"] == 0.0) == stays
