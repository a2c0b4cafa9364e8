"""docs/imc.md: its snippets run, its commands too, its table has every knob."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from designs import machine, network

from carbonopt.cli import main
from carbonopt.hardware.knob_table import MACROS, knob_table
from carbonopt.performance.network import network_cost

PAGE = (Path(__file__).parents[1] / "docs" / "imc.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)


def test_snippets_run(capsys):
    for snippet in blocks("python"):
        exec(compile(snippet, "docs/imc.md", "exec"), {})
    assert "worn out after 65.3 d, of 3 y of use" in capsys.readouterr().out


def test_commands_run(capsys):
    for block in blocks("sh"):
        for line in block.replace("\\\n", " ").splitlines():
            program, *arguments = shlex.split(line)
            assert program == "carbonopt"
            assert main(arguments) == 0
    assert "all weights stay in the cells: endurance does not bind" in capsys.readouterr().out


def test_the_table_has_every_knob_of_macros():
    first = re.search(r"^\| `--set` .*?\n\n", PAGE, re.M | re.S)
    assert first
    named = {
        name
        for line in first.group().strip().splitlines()[2:]
        for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    assert named - {"aimc"} == {
        knob.name for knob in knob_table().values() if set(knob.kinds) & set(MACROS)
    }


@pytest.mark.parametrize(("depth", "stays"), [(21, False), (22, True)])
def test_resnet8_stays_in_groups_of_22(depth, stays):
    assert "`resnet8` on 128 x 128: 22" in PAGE
    built = machine("aimc", 128, 128, 1, 2**19, group_depth=depth)
    cost = network_cost(network("resnet8"), built, "optimal")
    assert (cost.cycle_parts()["stall"] == 0.0) == stays
