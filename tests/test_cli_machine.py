"""The commands about machines: the list, and files to start from."""

from __future__ import annotations

import pytest
from test_cli_model import answer

from carbonopt.catalog import find_machine, machine_names
from carbonopt.cli import main
from carbonopt.hardware.file import load_machine

KNOBS = ("--set", "rows=32", "--set", "cols=8", "--set", "sram=256KiB")


def test_machines_and_templates_are_listed(capsys):
    entries = {each["name"]: each for each in answer(capsys, "machines")}
    assert [*entries] == [*machine_names(), "digital_os", "digital_ws", "dimc", "aimc", "eyeriss"]
    assert entries["tpu_like"]["array"] == {"cols": 32, "rows": 32}
    assert entries["tpu_like"]["on_chip_byte"] == 2 * 2**20 + 32 * 32 * (128 + 2)
    assert entries["digital_ws"]["knobs"] == [*("rows", "cols", "macros", "sram", "node", "supply")]
    assert entries["dimc"]["knobs"][:5] == ["rows", "cols", "macros", "sram", "group_depth"]
    analog = set(entries["aimc"]["knobs"]) - set(entries["dimc"]["knobs"])
    assert analog == {"adc", "adc_bits", "adc_share", "cell"}
    assert main(["machines"]) == 0
    told = capsys.readouterr().out
    assert "32 x 2 x 4 x 4  cols, rows, x, y" in told
    supply = next(line.split() for line in told.splitlines() if line.startswith("supply "))
    assert (supply[1:3], supply[-6:]) == (
        ["digital,", "dimc,"],
        ["0.9", "V", "0.6", "to", "1.2", "V"],
    )
    assert max(map(len, told.splitlines())) <= 120


def test_a_shipped_machine_is_printed_as_it_is(capsys):
    assert main(["machine", "tpu_like"]) == 0
    assert capsys.readouterr().out == find_machine("tpu_like").read_text(encoding="utf-8")


def test_a_template_is_printed_as_a_file(capsys, tmp_path):
    path = tmp_path / "mine.yaml"
    for more, levels in (((), (0, 4)), (("--workload", "resnet8"), (0, 3))):
        assert main(["machine", "digital_ws", *KNOBS, *more]) == 0
        path.write_text(capsys.readouterr().out, encoding="utf-8")
        assert path.read_text(encoding="utf-8").startswith(
            "# Made by: carbonopt machine digital_ws"
        )
        assert load_machine(path).levels("W") == levels
    found = answer(capsys, "map", "--machine", str(path), "--workload", "resnet8", "--layer", "1")
    assert found["machine"] == "digital_ws"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("tpu_lik",), "(did you mean tpu_like?)"),
        (("digital_o", *KNOBS), "(did you mean digital_os?)"),
        (("tpu_like", *KNOBS), "--set: got one with tpu_like, allowed: beside a template alone"),
        (("dimc", *KNOBS), "template: got dimc, allowed: digital_os, digital_ws; a machine file"),
        (
            ("digital_os", "--set", "rows=2"),
            "cols: not given, required by every template but eyeriss",
        ),
    ],
)
def test_faults_are_told(capsys, asked, message):
    assert main(["machine", *asked]) == 2
    assert message in capsys.readouterr().err


def test_the_real_ranges_of_sizes_are_listed(capsys):
    assert main(["machines"]) == 0
    told = capsys.readouterr().out
    assert "whole numbers from 1 to 16777216" in told
    assert "(digital_ws, dimc: a power of two)" in told
    assert (
        "together: the sram holds 32 words or more, each of macros x max(8 rows, 16 cols)" in told
    )
