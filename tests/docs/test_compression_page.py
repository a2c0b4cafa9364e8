"""docs/concepts/compression.md: its function and commands run, its numbers are theirs."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from designs import network

from carbonopt.cli import main
from carbonopt.compress.quality import quality_function
from carbonopt.workload.compression import NETWORK_KNOBS

PAGE = (Path(__file__).parents[2] / "docs" / "concepts" / "compression.md").read_text()


def commands():
    """Commands of the page, each with its arguments."""
    text = "".join(re.findall(r"^```sh\n(.*?)^```$", PAGE, re.M | re.S)).replace("\\\n", "")
    return [shlex.split(line)[1:] for line in text.splitlines()]


def test_commands_run(capsys):
    for arguments in commands():
        assert main(arguments) == 0, capsys.readouterr().err


def test_the_function_of_the_page_is_one(tmp_path):
    body = re.search(r"^  ```python\n(.*?)^  ```$", PAGE, re.M | re.S)
    assert body
    (tmp_path / "accuracy.py").write_text(re.sub("^  ", "", body[1], flags=re.M))
    loss = quality_function("accuracy:loss", tmp_path)
    assert loss([network("resnet8")], {"pruned_share": 0.5}) == 0.01


def test_the_orders_are_those_of_the_command(capsys):
    (arguments,) = (each for each in commands() if each[0] == "prune")
    assert main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    shares = {each["order"]: each["energy_j"] / found["before"]["energy_j"]
              for each in found["orders"]}  # fmt: skip
    said = {name: float(share) / 100 for name, share in
            re.findall(r"^\| most (.*) first \| (\d+) %", PAGE, re.M)}  # fmt: skip
    names = {"weights": "weights", "energy": "energy", "MACs": "macs",
             "energy over weights": "energy/weight"}  # fmt: skip
    assert set(said) == set(names)
    for name, share in said.items():
        assert shares[names[name]] == pytest.approx(share, abs=0.005)


@pytest.mark.parametrize("knob", NETWORK_KNOBS)
def test_every_knob_is_listed(knob):
    assert re.search(rf"^\| `{knob}` \|", PAGE, re.M)
