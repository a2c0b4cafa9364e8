"""Fronts wherever they come from: runs, their tables, bare tables, problems."""

from __future__ import annotations

import pandas as pd
import pytest
import toy

import carbonopt as co
from carbonopt.errors import SpecError, StoreError
from carbonopt.run.sources import load_front, open_source


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "toy"
    co.search(toy.small(), "random", budget=40, seed=2, run_dir=folder)
    return folder


def test_a_run_and_each_of_its_tables_is_a_source(run_dir):
    run = co.load_run(run_dir)
    for source in (run_dir, str(run_dir), run_dir / "evaluations.csv"):
        assert load_front(source).to_pandas().equals(run.to_pandas())
    front = load_front(run_dir / "front.csv")
    assert front.to_pandas()[run.objectives].equals(run.to_pandas()[run.objectives])
    assert front.reference_point == run.reference_point
    assert open_source(run_dir).manifest["seed"] == 2


def test_a_bare_table_says_which_objectives_it_was_given(run_dir, tmp_path):
    file = tmp_path / "mine.csv"
    run = co.load_run(run_dir)
    run.to_pandas().to_csv(file, index=False)
    found = load_front(file)
    assert found.objectives == ["latency_s", "energy_j", "carbon_ca_g", "carbon_pa_g"]
    assert found.variables == ("template", "rows", "cols", "macros", "sram_byte")
    assert "objectives latency_s, energy_j, carbon_ca_g, carbon_pa_g, as the" in found.notices[0]
    chosen = load_front(file, ["latency_s", "area_mm2"])
    assert chosen.objectives == ["latency_s", "area_mm2"]
    assert not chosen.notices


def test_a_table_from_elsewhere_needs_no_more_than_numbers(tmp_path):
    file = tmp_path / "chips.csv"
    file.write_text("chip,speed,limit.power\na,1.5,-0.1\nb,1.0,0.2\nc,2.5,-1\n")
    found = load_front(file, ["speed"])
    assert found.evaluations["feasible"].tolist() == [True, False, True]
    assert found.to_pandas()["chip"].tolist() == ["a"]
    assert found.variables == ("chip", "speed")


def test_other_objectives_of_a_run(run_dir):
    front = load_front(run_dir, ["area_mm2", "latency_s"])
    assert front.objectives == ["area_mm2", "latency_s"]
    assert front.reference_point is None
    assert len(front.evaluations) == 40
    subset = load_front(run_dir, ["latency_s", "energy_j"])
    assert subset.hypervolume() > 0.0


def test_the_reference_front_of_a_problem_is_a_source():
    source = open_source("mlperf_tiny")
    front = source.front
    assert [w["name"] for w in source.manifest["content"]["workloads"]][:2] == ["resnet8", "ds_cnn"]
    assert len(front) == len(front.evaluations) == 163
    assert front.least("carbon_ca_g", "latency_s <= 20 us")["latency_s"] <= 20e-6
    assert front.notices == ("reference front that ships with the problem mlperf_tiny",)


@pytest.mark.parametrize(
    ("name", "error", "told"),
    [
        ("nowhere", SpecError, "nowhere: got no run and no CSV file; problem: got "),
        ("mlperf_tin", SpecError, "(did you mean mlperf_tiny?)"),
        ("none.csv", SpecError, "none.csv: got no such file, allowed: a CSV file of designs"),
        ("empty", StoreError, "empty: got no manifest.json"),
        (
            "words.csv",
            SpecError,
            "words.csv: objectives: got columns name, allowed: one of latency",
        ),
        ("damaged.csv", StoreError, "damaged.csv:3: got 1 fields, allowed: 2"),
    ],
)
def test_what_is_no_front_is_told(tmp_path, monkeypatch, name, error, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "words.csv").write_text("name\nchip\n")
    (tmp_path / "damaged.csv").write_text("a,latency_s\n1,2\n3\n")
    with pytest.raises(error) as caught:
        load_front(name)
    assert told in str(caught.value)


def test_objectives_that_are_no_numbers_are_told(run_dir, tmp_path):
    with pytest.raises(SpecError, match=r"objectives: got latncy_s.*did you mean latency_s"):
        load_front(run_dir, ["latncy_s"])
    file = tmp_path / "words.csv"
    pd.DataFrame({"name": ["chip"], "latency_s": [1.0]}).to_csv(file, index=False)
    with pytest.raises(SpecError, match="objectives: got name, which holds text"):
        load_front(file, ["name"])
