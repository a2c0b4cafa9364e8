"""Commands that account for carbon: published chips, bills of materials, grids, metrics."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from carbonopt.carbon.grid import region_names
from carbonopt.cli import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_literature_prints_both_suites_and_names_its_files(folder, capsys):
    assert main(["literature", "--preset", "carbonspot"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "MLPerf Tiny: 21,071,992 operations every 0.2703 s"
    first = next(line for line in told if line.startswith("ISSCC 2021 22 nm"))
    assert first.endswith("0.07182 ng      99.3%   5.809 ng       1.2%")
    table, figure = (Path(line) for line in told[-2:])
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert set(pd.read_csv(table)["suite"]) == {"MLPerf Tiny", "MLPerf Mobile"}


def test_literature_takes_chips_of_a_user_and_speaks_json(folder, capsys):
    header = "name,type,node_nm,tops_per_w,tops,tops_per_mm2,source\n"
    (folder / "mine.csv").write_text(header + "mine,dimc,28,10,0.1,2,my paper\n")
    assert main(["literature", "--chips", "mine.csv", "--out", "out", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    mine = [chip for chip in told["chips"] if chip["name"] == "mine"]
    assert [chip["suite"] for chip in mine] == ["MLPerf Tiny", "MLPerf Mobile"]
    assert mine[1]["late"]
    assert mine[1]["carbon_pa_g"] is None
    assert Path(told["figure"]).parent == Path("out")


def test_literature_names_chips_whose_node_the_preset_lacks(folder, capsys):
    header = "name,type,node_nm,tops_per_w,tops,tops_per_mm2,source\n"
    (folder / "old.csv").write_text(header + "old,aimc,65,1,1,1,my paper\n")
    assert main(["literature", "--chips", "old.csv", "--preset", "carbonspot"]) == 0
    assert "no fab figure at the node of: old" in capsys.readouterr().out


def test_literature_names_a_file_that_is_not_there(folder, capsys):
    assert main(["literature", "--chips", "none.csv"]) == 2
    told = capsys.readouterr().err
    assert told == "carbonopt: none.csv: cannot be read: No such file or directory\n"


def test_literature_tells_a_fault_by_file_and_line(folder, capsys):
    (folder / "mine.csv").write_text("name,type\n")
    assert main(["literature", "--chips", "mine.csv"]) == 2
    assert "mine.csv:1: got no column source" in capsys.readouterr().err
    assert main(["literature", "--preset", "defualt"]) == 2
    assert "allowed: act, carbonspot, default" in capsys.readouterr().err


BILL = """\
name: small
silicon:
  chip: {area: 10 mm2, process: 14nm, n_ics: 1}
  ram: {model: dram, process: lpddr4, capacity: 2 GB}
"""


def test_a_bill_of_materials_part_by_part(folder, capsys):
    (folder / "bill.yaml").write_text(BILL)
    assert main(["bom", "bill.yaml"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "packaging    150 g",
        "fabrication  265.383 g",
        "total        415.383 g, 4 entries",
    ]
    assert main(["bom", "bill.yaml", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["carbon_g"] == pytest.approx(150 + 0.1 * (583 * 1.2 + 662.5) / 0.875 + 96 / 0.875)
    assert len(told["parts"]) == 4


def test_a_faulty_bill_is_named_by_line(folder, capsys):
    (folder / "bill.yaml").write_text(BILL.replace("14nm", "1nm").replace("2 GB", "2"))
    assert main(["bom", "bill.yaml"]) == 2
    assert "bill.yaml:4: silicon.ram.capacity: got 2" in capsys.readouterr().err


def test_a_design_on_the_grid_of_a_region(capsys):
    design = ["evaluate", "--workload", "ds_cnn", "--template", "dimc", "--set", "rows=64"]
    design += ["--set", "cols=64", "--set", "sram=64KiB", "--json"]
    assert main(design) == 0
    world = json.loads(capsys.readouterr().out)
    assert main([*design, "--region", "France", "--fab-region", "wind"]) == 0
    france = json.loads(capsys.readouterr().out)
    assert france["operational_ca_g"] < 0.2 * world["operational_ca_g"]
    assert france["embodied_g"] < world["embodied_g"]
    assert main([*design, "--region", "Frence", "--use-intensity", "1g/kWh"]) == 2
    faults = capsys.readouterr().err
    assert "region: got 'Frence', nearest: France" in faults
    assert "beside an intensity" in faults


def test_metrics_are_listed_with_unit_and_reference(capsys):
    assert main(["metrics"]) == 0
    told = capsys.readouterr().out
    assert "break_even_pa_s" in told
    assert "R. Gonzalez, M. Horowitz, IEEE JSSC 31(9), 1996" in told
    assert main(["metrics", "--json"]) == 0
    entries = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert all(entry["reference"] for entry in entries.values())
    assert [name for name, entry in entries.items() if not entry["unit"]] == ["quality_loss"]
    assert entries["sci_pa_g"]["product_of"] == ["carbon_pa_g"]
    assert not entries["embodied_g"]["of_one_network"]


def test_regions_are_listed_by_name_and_code(capsys):
    assert main(["regions", "fra", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    france = next(entry for entry in found if entry["region"] == "France")
    assert (france["iso3"], france["year"]) == ("FRA", 2024)
    assert main(["regions"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(region_names()) + 2
    assert main(["regions", "atlantis"]) == 2
    assert "got 'atlantis', which no name or code holds" in capsys.readouterr().err


def test_the_bill_in_the_docs_is_accounted_for(capsys, tmp_path):
    page = (Path(__file__).parents[1] / "docs" / "concepts" / "carbon.md").read_text()
    example = page.partition('```yaml title="sensor.yaml"\n')[2].partition("```")[0]
    (tmp_path / "bom.yaml").write_text(example)
    assert main(["bom", str(tmp_path / "bom.yaml"), "--json"]) == 0
    parts = json.loads(capsys.readouterr().out)["parts"]
    assert {part["component"] for part in parts} == {
        *("controller", "memory", "capacitors", "board", "case", "cell")
    }
    assert sum(part["carbon_g"] for part in parts) < 2000.0
