"""Designs as files: what is written reads back the same."""

from __future__ import annotations

import builtins
import json

import numpy as np
import pandas as pd
import pytest

from carbonopt.errors import SpecError
from carbonopt.report.export import export_table
from carbonopt.store import read_table


def test_csv_reads_back_to_the_last_bit(front, tmp_path):
    rows = front.to_pandas()
    file = export_table(rows, tmp_path / "new" / "front.csv", front)
    pd.testing.assert_frame_equal(read_table(file, {}), rows, check_dtype=False)
    everything = export_table(front.evaluations, tmp_path / "all.csv", front)
    assert len(read_table(everything, {})) == len(front.evaluations)


def test_json_reads_back_with_units(front, tmp_path):
    rows = front.evaluations
    file = export_table(rows, tmp_path / "front.json", front)
    content = json.loads(file.read_text())
    assert content["problem"] == "tiny-demo"
    assert content["objectives"] == front.objectives
    assert (content["units"]["latency_s"], content["units"]["sram_byte"]) == ("s", "byte")
    read = pd.DataFrame(content["designs"])
    np.testing.assert_array_equal(read["energy_j"], rows["energy_j"])
    assert read["template"].tolist() == rows["template"].tolist()
    assert content["designs"][int(rows["energy_j"].isna().argmax())]["energy_j"] is None


def test_parquet_reads_back_with_units(front, tmp_path):
    pytest.importorskip("pyarrow")
    rows = front.evaluations.assign(odd=["a", 1] * (len(front.evaluations) // 2) + ["b"])
    file = export_table(rows, tmp_path / "all.parquet", front)
    read = pd.read_parquet(file)
    pd.testing.assert_frame_equal(read.drop(columns="odd"), front.evaluations, check_dtype=False)
    assert read["odd"].tolist()[:2] == ["a", "1"]
    assert read.attrs["units"]["carbon_ca_g"] == "g"
    assert read.attrs["objectives"] == front.objectives


def test_parquet_without_pyarrow_says_what_to_install(front, tmp_path, monkeypatch):
    taken = builtins.__import__

    def without(name, *arguments, **options):
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return taken(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SpecError, match=r"needs pyarrow, allowed: pip install 'carbonopt\[parquet"):
        export_table(front.to_pandas(), tmp_path / "front.parquet", front)
    assert not list(tmp_path.iterdir())


def test_latex_is_a_table_of_booktabs(front, tmp_path):
    rows = front.to_pandas().head(2)
    lines = export_table(rows, tmp_path / "front.tex", front).read_text().splitlines()
    assert lines[0] == "% tiny-demo: 2 designs; needs \\usepackage{booktabs}"
    assert lines[1:3] == [r"\begin{tabular}{lrrrrrrrr}", r"\toprule"]
    assert lines[3] == (
        r"template & rows & cols & sram & latency [$\mu$s] & energy [$\mu$J] & carbon CA [ng] "
        r"& carbon PA [ng] & die area [mm$^2$] \\"
    )
    assert lines[4] == r"\midrule"
    assert lines[7:] == [r"\bottomrule", r"\end{tabular}"]
    cells = lines[5].removesuffix(r" \\").split(" & ")
    assert cells[0] == rows["template"][0].replace("_", r"\_")
    assert float(cells[4]) == pytest.approx(1e6 * rows["latency_s"][0], rel=1e-3)
    assert all(line.count(" & ") == 8 for line in lines[5:7])


def test_latex_escapes_what_latex_would_take_for_its_own(front, tmp_path):
    rows = pd.DataFrame({"name": [r"50%_a&b#$\{~^"], "count": [1.5e-9], "gap": [np.nan]})
    columns = ["name", "count", "gap"]
    text = export_table(rows, tmp_path / "odd.tex", front, columns=columns).read_text()
    assert (
        r"50\%\_a\&b\#\$\textbackslash{}\{\textasciitilde{}\textasciicircum{} "
        r"& $1.5 \times 10^{-9}$ & - \\"
    ) in text


def test_only_the_columns_that_were_asked_for(front, tmp_path):
    columns = ["template", "energy_j"]
    file = export_table(front.to_pandas(), tmp_path / "some.csv", front, columns=columns)
    assert file.read_text().splitlines()[0] == "template,energy_j"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("front.xlsx", "got .*front.xlsx, allowed: a file ending in .csv, .json, .parquet, .tex"),
        ("front.jsn", "did you mean .json"),
        ("front", "allowed: a file ending in"),
    ],
)
def test_a_format_that_is_not_known_is_told(front, tmp_path, name, told):
    with pytest.raises(SpecError, match=told):
        export_table(front.to_pandas(), tmp_path / name, front)


def test_a_file_that_cannot_be_written_is_told(front, tmp_path):
    (tmp_path / "front.csv").mkdir()
    with pytest.raises(SpecError, match=r"front\.csv: got a directory, allowed: a file to write"):
        export_table(front.to_pandas(), tmp_path / "front.csv", front)
