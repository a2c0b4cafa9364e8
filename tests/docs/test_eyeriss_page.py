"""docs/concepts/eyeriss.md: its commands run, its table has every knob of the template."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from carbonopt.cli import main
from carbonopt.hardware.template import find_template

PAGE = (Path(__file__).parents[2] / "docs" / "concepts" / "eyeriss.md").read_text()


def test_commands_run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    layers = re.search(r"printf '(.*)' > layers.yaml", PAGE)
    assert layers
    Path("layers.yaml").write_text(layers.group(1).replace("\\n", "\n"))
    ran = 0
    for block in re.findall(r"^```sh\n(.*?)^```$", PAGE, re.M | re.S):
        for line in block.splitlines():
            program, *arguments = shlex.split(line)
            if program == "carbonopt":
                assert main(arguments) == 0
                ran += 1
    assert ran == 7
    assert len(list(Path("runs/alexnet").iterdir())) == 10
    assert "19,413,479,256" in capsys.readouterr().out


def test_the_table_has_every_knob():
    table = re.search(r"^\| `--set` .*?\n\n", PAGE, re.M | re.S)
    assert table
    rows = table.group().strip().splitlines()[2:]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named == {knob.name for knob in find_template("eyeriss").knobs}


@pytest.mark.parametrize("asked", ["map", "machine"])
def test_what_is_for_loop_nests_is_refused(capsys, asked):
    layer = ["--machine", "eyeriss", "--workload", "resnet8", "--layer", "3"]
    assert main(["map", *layer] if asked == "map" else ["machine", "eyeriss"]) == 2
    assert "row-stationary" in capsys.readouterr().err
