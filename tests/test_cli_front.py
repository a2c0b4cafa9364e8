"""Fronts through the command line: asked, compared, shown on a page, exported."""

from __future__ import annotations

import csv
import io
import json
import shutil

import pandas as pd
import pytest
import toy

import carbonopt as co
from carbonopt.cli import main


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for seed in (1, 2):
        co.search(toy.small(), "random", budget=40, seed=seed, run_dir=folder / f"s{seed}")
    return folder


@pytest.fixture
def runs(made, tmp_path, monkeypatch):
    """A working directory with the runs s1 and s2."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(capsys, *arguments):
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def refused(capsys, *arguments):
    try:
        code = main(list(arguments))
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    spoken = capsys.readouterr().err
    assert "Traceback" not in spoken
    return spoken


def records(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_a_budget_query_finds_the_least(runs, capsys):
    table = co.load_run("s1").evaluations
    fits = table[table["feasible"] & (table["latency_s"] <= 40e-6)]
    asked = ("front", "s1", "--least", "carbon_ca_g", "--where", "latency_s <= 40us")
    (row,) = records(told(capsys, *asked, "--csv"))
    assert float(row["carbon_ca_g"]) == fits["carbon_ca_g"].min()
    text = told(capsys, *asked)
    assert f"least carbon_ca_g of the {(table['latency_s'] <= 40e-6).sum()} of 40 designs" in text
    assert text.rstrip().endswith("that meet latency_s <= 40 us")
    answer = json.loads(told(capsys, *asked, "--json"))
    assert answer["conditions"] == ["latency_s <= 40us"]
    assert len(answer["designs"]) == 1


def test_a_budget_that_no_design_keeps_says_what_the_nearest_misses(runs, capsys):
    asked = ("front", "s1", "--where", "latency_s <= 1 ns")
    spoken = refused(capsys, *asked, "--least", "carbon_ca_g")
    assert "least carbon_ca_g: no design meets latency_s <= 1 ns; the nearest has" in spoken
    assert "times as much" in spoken
    assert "knee: no design meets latency_s <= 1 ns" in refused(capsys, *asked, "--knee")
    assert "no design meets latency_s <= 1 ns; the nearest has" in told(capsys, *asked)
    assert records(told(capsys, *asked, "--csv")) == []
    assert json.loads(told(capsys, *asked, "--json"))["designs"] == []


def test_designs_are_filtered_sorted_and_cut(runs, capsys):
    run = co.load_run("s1")
    kept = run.where("template = dimc, aimc", "rows >= 128").to_pandas()
    asked = ("front", "s1", "--where", "template = dimc, aimc", "--where", "rows>=128")
    rows = records(told(capsys, *asked, "--sort", "energy_j", "--reverse", "--csv"))
    assert [float(r["energy_j"]) for r in rows] == sorted(kept["energy_j"], reverse=True)
    text = told(capsys, *asked, "--limit", "1")
    assert f"front of {len(kept)} designs, among the " in text
    assert f"1 of {len(kept)} shown" in text
    everything = records(told(capsys, "front", "s1", "--all", "--csv"))
    assert len(everything) == 40
    assert {"yes", "no"} & set(told(capsys, "front", "s1", "--all").split())


def test_only_the_columns_that_were_asked_for(runs, capsys):
    text = told(capsys, "front", "s1", "--columns", "template,energy_j.array")
    assert text.splitlines()[0].split() == ["template", "energy_j.array", "[µJ]"]
    text = told(capsys, "front", "s1", "--columns", "rows", "--csv")
    assert text.splitlines()[0] == "rows"
    assert json.loads(told(capsys, "front", "s1", "--columns", "rows", "--json"))["designs"][0] in (
        {"rows": rows} for rows in (64, 128, 256)
    )


def test_the_knee_is_the_knee(runs, capsys):
    (row,) = records(told(capsys, "front", "s1", "--knee", "--csv"))
    assert float(row["energy_j"]) == co.load_run("s1").knee()["energy_j"]
    assert "knee of the front of" in told(capsys, "front", "s1", "--knee")


def test_a_value_of_the_space_that_no_design_has_is_no_fault(runs, capsys):
    text = told(capsys, "front", "mlperf_tiny", "--where", "template = aimc")
    assert text.startswith("no design meets template = aimc; the nearest has template ")
    assert "only the front of mlperf_tiny ships, not the designs behind it: carbonopt enum" in text
    asked = ("front", "mlperf_tiny", "--where", "template = aimc", "--csv")
    assert records(told(capsys, *asked)) == []
    assert "template: got aimcc, allowed: aimc, digital_os" in refused(
        capsys, "front", "mlperf_tiny", "--where", "template = aimcc"
    )


def test_fronts_of_tables_and_problems_can_be_asked(runs, capsys):
    shutil.copy("s1/front.csv", "mine.csv")
    assert "mine.csv: objectives latency_s, energy_j" in told(capsys, "front", "mine.csv")
    assert "objectives" not in told(capsys, "front", "mine.csv", "--objectives", "energy_j")
    text = told(
        capsys, "front", "mlperf_tiny", "--least", "carbon_ca_g", "--where", "latency_s<=1ms"
    )
    assert "least carbon_ca_g of the 163 of 163 designs evaluated that meet" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("front", "s1", "--where", "latncy_s <= 5 ms"), "(did you mean latency_s?)"),
        (("front", "s1", "--where", "latency_s <= 5"), "--where: latency_s: got 5, allowed: a num"),
        (("front", "s1", "--where", "energy_j <= 5 ms"), "energy_j: got 5 ms, allowed: a number"),
        (("front", "s1", "--where", "template = dimm"), "(did you mean dimc?)"),
        (("front", "s1", "--sort", "energy"), "--sort: got energy, allowed: template, rows"),
        (("front", "s1", "--columns", "a,rowz"), "--columns: got rowz, allowed: "),
        (("front", "s1", "--least", "template"), "least: got template, which holds text"),
        (("front", "s1", "--least", "carbon"), "least: got carbon, allowed: "),
        (("front", "s1", "--objectives", "speed"), "objectives: got speed, allowed: "),
        (("front", "s1", "--limit", "0"), "--limit: got 0, allowed: a whole number >= 1"),
        (("front", "s1", "--all", "--knee"), "not allowed with argument"),
        (("front", "nowhere"), "nowhere: got no run and no CSV file"),
        (("export", "s1", "--to", "front.xls"), "--to: got front.xls, allowed: a file ending in"),
        (("export", "s1"), "--to"),
        (("compare", "s1"), "compare: got 1 run, allowed: two or more"),
        (("compare", "s1", "nowhere"), "nowhere: got no run"),
        (("report", "nowhere"), "nowhere: got no run"),
        (("report", "s1", "-o", "s1"), "s1: got a directory, allowed: a file to write"),
        (("export", "s1", "--to", "s1/front.csv/x.csv"), "s1/front.csv: cannot be read or written"),
        (("compare", "s1", "s2", "--figure", "both.doc"), "--figure: got both.doc, allowed: a"),
    ],
)
def test_what_cannot_be_asked_is_told(runs, capsys, arguments, said):
    assert said in refused(capsys, *arguments)


def test_designs_that_meet_a_condition_but_no_limit_are_counted(runs, capsys):
    table = co.load_run("s1").evaluations
    longest_s = float(table.loc[table["feasible"].astype(bool), "latency_s"].max())
    slow = (table["latency_s"] > longest_s).sum()
    asked = f"latency_s > {longest_s!r} s"
    told_lines = told(capsys, "front", "s1", "--where", asked).splitlines()
    assert slow > 0
    assert told_lines[1].startswith(f"{slow} of 40 designs evaluated meet latency_s > ")
    assert told_lines[1].endswith("of these no design keeps every limit; the nearest:")


@pytest.fixture
def hopeless(runs):
    """A run in which no design keeps its limits."""
    co.search(toy.small(limits={"area_mm2": 1e-6}), "random", budget=9, seed=1, run_dir="none")
    return "none"


def test_a_run_without_a_feasible_design_still_says_something(hopeless, capsys):
    assert "no design keeps every limit; the nearest:" in told(capsys, "front", hopeless)
    assert "no design keeps every limit; the nearest:" in told(
        capsys, "front", hopeless, "--where", "rows = 64"
    )
    spoken = refused(capsys, "front", hopeless, "--least", "energy_j")
    assert "least energy_j: no design keeps every limit of the problem" in spoken
    assert "knee: no design keeps every limit" in refused(capsys, "front", hopeless, "--knee")
    assert told(capsys, "report", hopeless) == "none/report.html\n"
    assert told(capsys, "export", hopeless, "--to", "x.csv") == "x.csv: 0 designs\n"
    assert "none: no feasible design" in told(capsys, "compare", "s1", hopeless)


def test_an_empty_run_still_says_something(runs, capsys):
    (runs / "s1" / "evaluations.csv").write_text("")
    manifest = json.loads((runs / "s1" / "manifest.json").read_text())
    (runs / "s1" / "manifest.json").write_text(json.dumps(manifest | {"finished": None}))
    assert "no design evaluated yet" in told(capsys, "front", "s1", "--where", "rows = 64")
    assert json.loads(told(capsys, "front", "s1", "--json"))["designs"] == []
    assert len(told(capsys, "front", "s1", "--csv").splitlines()) <= 1
    for form in ((), ("--json",), ("--csv",)):
        assert "no design evaluated yet" in refused(capsys, "front", "s1", "--knee", *form)
        assert "no design evaluated" in refused(capsys, "front", "s1", "--least", "energy_j", *form)
    assert "no design evaluated yet" in refused(capsys, "export", "s1", "--to", "x.csv")
    assert told(capsys, "report", "s1") == "s1/report.html\n"
    assert "No design has been evaluated yet." in (runs / "s1" / "report.html").read_text()
    assert "s1: no feasible design" in told(capsys, "compare", "s1", "s2")


def test_compare_prints_tables_and_draws_a_figure(runs, capsys):
    text = told(capsys, "compare", "s1", "s2")
    lines = text.splitlines()
    assert lines[0].split()[:5] == ["run", "evaluated", "front", "hypervolume", "epsilon"]
    assert [line.split()[:2] for line in lines[2:4]] == [["s1", "40"], ["s2", "40"]]
    assert lines[-1] == "runs/compare-s1-s2.png"
    assert (runs / lines[-1]).stat().st_size > 10_000
    found = json.loads(told(capsys, "compare", "s1", "s2", "--json", "--figure", "both.svg"))
    assert [run["run"] for run in found["runs"]] == ["s1", "s2"]
    assert found["coverage"]["s1"]["s1"] == 1.0
    assert (runs / "both.svg").exists()
    assert "in latency_s:" in told(capsys, "compare", "s1", "s2", "--objectives", "latency_s")


def test_a_page_lies_beside_its_run(runs, capsys):
    assert told(capsys, "report", "s1") == "s1/report.html\n"
    content = json.loads(told(capsys, "report", "s1", "-o", "new/page.html", "--json"))
    assert content["file"] == "new/page.html"
    assert (runs / "new" / "page.html").read_text() == (runs / "s1" / "report.html").read_text()
    assert "random, seed 1" in (runs / "s1" / "report.html").read_text()
    shutil.copy("s1/front.csv", "mine.csv")
    assert told(capsys, "report", "mine.csv") == "runs/mine.html\n"


def test_exports_take_the_same_questions(runs, capsys):
    said = told(capsys, "export", "s1", "--to", "out/all.csv", "--all", "--where", "rows = 64")
    table = co.load_run("s1").evaluations
    assert said == f"out/all.csv: {(table['rows'] == 64).sum()} designs\n"
    read = pd.read_csv("out/all.csv")
    assert read["latency_s"].tolist() == table.loc[table["rows"] == 64, "latency_s"].tolist()
    content = json.loads(told(capsys, "export", "s1", "--to", "front.tex", "--json"))
    assert content == {"file": "front.tex", "designs": len(co.load_run("s1"))}
    assert (runs / "front.tex").read_text().count(r"\\") == len(co.load_run("s1")) + 1
