"""`carbonopt estimate`: the published numbers from the command line, and what is refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from carbonopt.cli import main

NO_LAYER = (
    "{knob}@conw2: got no such layer (did you mean '{knob}@conv2'?), "
    "allowed: {knob}@LAYER, with a layer of alexnet that has it"
)
PUBLISHED = Path(__file__).parent / "reference" / "eyeriss_reference.csv"


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert main(["estimate", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def published_layers() -> list[dict[str, str]]:
    """The published rows of the pruned AlexNet, under the names of our layers."""
    names = [*(f"conv{i}" for i in range(1, 6)), *(f"dense{i}" for i in range(1, 4))]
    with PUBLISHED.open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if float(row["w_pruned"]) > 0]
        stream.seek(0)
        case = rows[0]["case"]
        rows = [row for row in csv.DictReader(stream) if row["case"] == case]
    return [{**row, "name": name} for row, name in zip(rows, names, strict=True)]


def test_the_published_totals(capsys, tmp_path):
    assert asked(capsys, "alexnet", "--ungrouped")["energy"] == 19413479256
    rows = published_layers()
    table = tmp_path / "layers.csv"
    lines = [f"{row['name']},{row['w_bits']},{row['a_bits']},{row['w_pruned']}" for row in rows]
    table.write_text("\n".join(["layer,weight_bits,activation_bits,pruned_share", *lines]))
    found = asked(capsys, "alexnet", "--ungrouped", "--layers", str(table))
    assert found["energy"] == pytest.approx(5178642000.623875, rel=1e-12)
    sheet = tmp_path / "layers.yaml"
    sheet.write_text("\n".join(
        f"{row['name']}: {{weight_bits: {row['w_bits']}, activation_bits: {row['a_bits']}, "
        f"pruned_share: {row['w_pruned']}}}" for row in rows
    ))  # fmt: skip
    assert asked(capsys, "alexnet", "--ungrouped", "--layers", str(sheet)) == found


def test_the_terminal_has_levels_types_and_layers(capsys):
    assert main(["estimate", "alexnet", "--ungrouped"]) == 0
    told = capsys.readouterr().out
    assert "alexnet on an Eyeriss-like array of 12 x 14\nenergy 19,413,479,256 in units" in told
    lines = {line.split()[0]: line.split() for line in told.splitlines() if line}
    assert lines["DRAM"][1:] == [
        "12,704,339,800", "12,473,555,200", "98,930,200", "131,854,400", "65.4%",
    ]  # fmt: skip
    assert lines["dense1"][:6] == ["dense1", "16/16", "0%", "37,748,736", "8,054,151,168", "41.5%"]


def test_bits_and_pruning_of_all_layers(capsys):
    plain, less = (
        asked(capsys, "resnet8", *more)
        for more in ((), ("--weight-bits", "8", "--activation-bits", "8", "--pruned-share", "0.5"))
    )
    assert less["by_level"]["compute"] == plain["by_level"]["compute"] / 8
    assert less["by_type"]["ifmap"] == plain["by_type"]["ifmap"] / 2
    assert less["by_type"]["weights"] == plain["by_type"]["weights"] / 4


def test_five_figures_each_as_picture_and_vectors(capsys, tmp_path):
    found = asked(capsys, "mobilebert", "--figures", str(tmp_path))
    names = {"layers_by_type", "layers_by_level", "shares_by_type", "shares_by_level",
             "shares_by_layer"}  # fmt: skip
    assert {Path(file).stem for file in found["files"]} == names
    for name in names:
        assert (tmp_path / f"{name}.png").read_bytes()[1:4] == b"PNG"
        assert (tmp_path / f"{name}.pdf").read_bytes()[:4] == b"%PDF"


def test_bad_options_are_refused(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["estimate", "alexnet", "--rows", "0"])
    assert ended.value.code == 2
    assert "argument --rows: got 0, allowed: a whole number >= 1" in capsys.readouterr().err
    assert main(["estimate", "alexnet", "--weight-bits", "17", "--pruned-share", "1"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "carbonopt: weight_bits: got 17, allowed: whole numbers from 1 to 16",
        "carbonopt: pruned_share: got 1, allowed: from 0 to below 1",
    ]


def test_all_faults_of_a_file_are_told_with_their_lines(capsys, tmp_path):
    table = tmp_path / "layers.csv"
    table.write_text(
        "layer,weight_bits,activation_bits,pruned_share\nconv1,8,,\nconw2,8,,1.0\nconv3,1.5,17,"
    )
    assert main(["estimate", "alexnet", "--layers", str(table)]) == 2
    told = capsys.readouterr().err.splitlines()
    assert told == [
        f"carbonopt: {table}:{line}: {fault}"
        for line, fault in (
            (3, NO_LAYER.format(knob="weight_bits")),
            (3, NO_LAYER.format(knob="pruned_share")),
            (4, "weight_bits@conv3: got 1.5, allowed: whole numbers from 1 to 16"),
            (4, "activation_bits@conv3: got 17, allowed: whole numbers from 1 to 16"),
        )
    ]


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("a.yaml", "conv1: 8", ":1: conv1: got 8, allowed: names of layers, each with"),
        ("a.yaml", "- 8", ":1: got [8], allowed: names of layers, each with"),
        ("a.yaml", "", ":1: got nothing, allowed: names of layers, each with"),
        ("a.yaml", "\nconv1: {bits: 8}", ":2: conv1: got bits, allowed: weight_bits, activation"),
        ("a.csv", "name,bits\n", ":1: got columns name, bits, allowed: layer, weight_bits"),
        ("a.txt", "", ": got .txt, allowed: .yaml, .yml, .csv"),
    ],
)
def test_other_files_are_refused(capsys, tmp_path, name, text, fault):
    file = tmp_path / name
    file.write_text(text)
    assert main(["estimate", "alexnet", "--layers", str(file)]) == 2
    assert f"{file}{fault}" in capsys.readouterr().err


def test_a_layer_that_stands_twice_in_a_table_is_told_with_both_lines(capsys, tmp_path):
    table = tmp_path / "layers.csv"
    table.write_text("layer,weight_bits,pruned_share\nconv1,8,\nconv2,8,\nconv1,4,0.5\n")
    assert main(["estimate", "alexnet", "--layers", str(table)]) == 2
    told = f"{table}:4: conv1: got weight_bits again, allowed: once (see line 2)"
    assert capsys.readouterr().err == f"carbonopt: {told}\n"


def test_a_missing_file_is_told(capsys, tmp_path):
    for name in ("no.csv", "no.yaml"):
        assert main(["estimate", "alexnet", "--layers", str(tmp_path / name)]) == 2
        assert f"{tmp_path / name}: cannot be read" in capsys.readouterr().err
