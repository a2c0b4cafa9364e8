"""On which ground runs are compared, and what is told where it is not everything."""

from __future__ import annotations

import json
import shutil

import pytest
import toy

import carbonopt as co
from carbonopt.errors import SpecError
from carbonopt.run.compare import compare

WORKLOADS = [{"name": "resnet8", "period_s": 0.04, "dram_byte": 0.0, "file": ""}]
PRESET = {"name": "default", "lifetime_s": 9.4e7, "use_g_per_kwh": 301.0, "hardware": "default"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two runs of one problem, with the manifests of a problem file."""
    folder = tmp_path_factory.mktemp("runs")
    for seed in (1, 2):
        co.search(toy.small(), "random", budget=30, seed=seed, run_dir=folder / f"s{seed}")
        change(folder / f"s{seed}", content={"workloads": WORKLOADS, "preset": PRESET})
    return folder


@pytest.fixture
def runs(made, tmp_path):
    shutil.copytree(made, tmp_path / "runs")
    return tmp_path / "runs"


def change(run_dir, **keys):
    file = run_dir / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | keys))


def pair(runs):
    return [runs / "s1", runs / "s2"]


def test_runs_of_one_problem_are_compared_in_all_objectives(runs):
    found = compare(pair(runs))
    assert not found.notices
    assert list(found.table.index) == ["s1", "s2"]
    assert [m.name for m in found.metrics] == [
        "latency_s",
        "energy_j",
        "carbon_ca_g",
        "carbon_pa_g",
    ]
    assert found.table["hypervolume"].iloc[0] == co.load_run(runs / "s1").hypervolume()
    assert (found.table["evaluated"] == 30).all()


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"model_hash": "other"}, "carbonopt's models differ: part of what differs may be theirs"),
        ({"data_hash": "other"}, "the data that carbonopt ships differ"),
        ({"spec_hash": "other"}, "the problems differ (spaces, limits or scenarios)"),
        ({"limits": {"area_mm2": 3.0}}, "the limits differ: each run's designs keep its own"),
        (
            {"content": {"workloads": WORKLOADS, "preset": PRESET, "mapping": "reference"}},
            "the mappings differ",
        ),
    ],
)
def test_what_differs_is_told(runs, keys, told):
    change(runs / "s2", **keys)
    assert any(told in notice for notice in compare(pair(runs)).notices)


def test_carbon_of_two_scenarios_is_left_out(runs):
    preset = PRESET | {"use_g_per_kwh": 56.0}
    slow = [WORKLOADS[0] | {"period_s": 0.02}]
    change(runs / "s2", content={"workloads": slow, "preset": preset})
    found = compare(pair(runs))
    assert [m.name for m in found.metrics] == ["latency_s", "energy_j"]
    assert found.notices[0] == (
        "the runs were priced under different scenarios (use_g_per_kwh 301 g/kWh and 56 g/kWh; "
        "period_s@resnet8 40 ms and 20 ms): not compared in carbon_ca_g, carbon_pa_g "
        "(price them alike with reprice)"
    )
    with pytest.raises(SpecError, match="carbon_ca_g: the runs were priced under different"):
        compare(pair(runs), ["latency_s", "carbon_ca_g"])


def test_other_networks_are_refused(runs):
    other = [WORKLOADS[0] | {"name": "ds_cnn"}]
    change(runs / "s2", content={"workloads": other, "preset": PRESET})
    with pytest.raises(SpecError) as caught:
        compare(pair(runs), ["latency_s", "energy_j"])
    assert "different networks (s1: resnet8; s2: ds_cnn)" in str(caught.value)
    assert [m.name for m in compare(pair(runs), ["area_mm2"]).metrics] == ["area_mm2"]


def test_objectives_in_common_are_stated(runs):
    manifest = json.loads((runs / "s2" / "manifest.json").read_text())
    kept = [o for o in manifest["objectives"] if o["name"] in ("energy_j", "latency_s")]
    point = {o["name"]: manifest["reference_point"][o["name"]] for o in kept}
    change(runs / "s2", objectives=kept, reference_point=point)
    found = compare(pair(runs))
    assert found.notices[0] == (
        "compared in the objectives in common: latency_s, energy_j; not in carbon_ca_g, carbon_pa_g"
    )
    assert found.reference_point == point
    change(runs / "s1", objectives=[manifest["objectives"][2]])
    with pytest.raises(SpecError, match=r"no objective in common \(s1: carbon_ca_g; s2: lat"):
        compare(pair(runs))


def test_the_larger_of_two_reference_points_counts(runs):
    point = co.load_run(runs / "s1").reference_point
    change(runs / "s2", reference_point=point | {"energy_j": 2 * point["energy_j"]})
    found = compare(pair(runs))
    assert "reference points differ: hypervolume is measured from the larger" in found.notices[0]
    assert found.reference_point["energy_j"] == 2 * point["energy_j"]
    for name in ("s1", "s2"):
        change(runs / name, reference_point=None)
    assert "no problem has a reference point" in compare(pair(runs)).notices[0]


def test_a_bare_table_takes_part_and_is_told(runs):
    (runs / "bare.csv").write_bytes((runs / "s1" / "front.csv").read_bytes())
    found = compare([runs / "s1", runs / "bare.csv"])
    assert found.table["share_of_joined"].tolist() == [1.0, 1.0]
    assert "bare.csv: a table, so what it was evaluated with is not known" in found.notices[-1]


def test_one_run_or_the_same_twice_is_refused(runs):
    with pytest.raises(SpecError, match="compare: got 1 run, allowed: two or more"):
        compare([runs / "s1"])
    with pytest.raises(SpecError, match="twice, allowed: different runs"):
        compare([runs / "s1", runs / "s1"])
    with pytest.raises(SpecError, match="s1: objectives: got nope, allowed: "):
        compare(pair(runs), ["nope"])


def test_runs_with_the_same_last_name_go_by_their_full_one(runs):
    shutil.copytree(runs / "s2", runs / "again" / "s1")
    found = compare([runs / "s1", runs / "again" / "s1"])
    assert list(found.fronts) == [str(runs / "s1"), str(runs / "again" / "s1")]
