"""Commands that price finished runs: other scenarios, uncertainty, footprints."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from carbonopt.cli import main

PROBLEM = """\
name: free
question: Which small array is best for keyword spotting, wherever it runs?
workloads: [ds_cnn]
variables:
  template: {choice: [dimc, digital_ws]}
  rows: {pow2: [32, 64]}
  cols: {pow2: [32, 64]}
  sram_byte: {choice: [64 KiB]}
objectives: scenario_free
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run of a scenario-free problem, all its designs."""
    place = tmp_path_factory.mktemp("free")
    (place / "problem.yaml").write_text(PROBLEM)
    assert main(["enumerate", str(place / "problem.yaml"), "--out", str(place / "run")]) == 0
    return place / "run"


def test_reprice_writes_a_front_and_a_map(finished, capsys):
    asked = ["reprice", str(finished), "--scenario", "pa", "--region", "France"]
    assert main([*asked, "--lifetime", "5y"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith(
        "PA, preset default with hardware models default, grid 44.18 g/kWh, lifetime 5 y, ds_cnn"
    )
    assert told[2] == "exact: all 8 designs of the space were priced"
    folder = next((finished / "repriced").glob("pa-default-*gkwh-5y"))
    assert {file.name for file in folder.iterdir()} == {
        *("front.csv", "front.png", "carbon.png", "breakdown.png", "map.png")
    }
    assert told[-5:] == [
        str(folder / name)
        for name in ("front.csv", "front.png", "carbon.png", "breakdown.png", "map.png")
    ]
    assert "carbon_pa_g" in pd.read_csv(folder / "front.csv")


def test_repricing_for_the_runs_own_scenario_changes_nothing(finished, capsys, tmp_path):
    assert main(["reprice", str(finished), "--out", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["scenario"]["activity"] == "CA"
    assert told["networks"][0]["network"] == "ds_cnn"
    again = pd.read_csv(tmp_path / "front.csv")
    stored = pd.read_csv(finished / "evaluations.csv")
    both = stored.merge(again, on=["template", "rows", "cols", "sram_byte"], suffixes=("", "_new"))
    assert len(both) == told["front_size"]
    for name in ("carbon_ca_g", "carbon_pa_g", "embodied_g", "carbon_ca_g.package"):
        assert both[f"{name}_new"].to_numpy() == pytest.approx(both[name].to_numpy(), rel=1e-12)


def test_reprice_where_all_designs_are_late_says_what_to_change(finished, capsys, tmp_path):
    asked = ["reprice", str(finished), "--scenario", "pa", "--out", str(tmp_path)]
    assert main(asked) == 0
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    capsys.readouterr()
    for more in ((), ("--json",)):
        assert main([*asked, "--period", "1us", *more]) == 2
        out, err = capsys.readouterr()
        assert not out
        fastest = pd.read_csv(finished / "evaluations.csv")["latency_s"].min()
        assert "period: nothing is written: all 8 designs are late" in err
        assert f"for ds_cnn, {fastest / 1e-6:.3g} times its period" in err
        assert "allowed: a longer --period, --late-rule replicate or fractional" in err
        assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_rule_for_late_designs_lifts_the_period_of_the_run(finished, tmp_path, capsys):
    stored = pd.read_csv(finished / "evaluations.csv")
    period_s = float(stored["latency_s"].median())
    file = tmp_path / "problem.yaml"
    workload = f"[{{name: ds_cnn, period: {period_s * 1e6:.3f} us}}]"
    file.write_text(PROBLEM.replace("[ds_cnn]", workload) + "limits: {period: met}\n")
    assert main(["enumerate", str(file), "--out", str(tmp_path / "run")]) == 0
    feasible = {}
    for rule in ("infeasible", "replicate", "fractional"):
        capsys.readouterr()
        asked = ["reprice", str(tmp_path / "run"), "--scenario", "pa", "--late-rule", rule]
        assert main([*asked, "--json", "--out", str(tmp_path / rule)]) == 0
        feasible[rule] = json.loads(capsys.readouterr().out)["feasible_share"]
    assert feasible == {"infeasible": 0.5, "replicate": 1.0, "fractional": 1.0}
    capsys.readouterr()
    asked = ["reprice", str(tmp_path / "run"), "--scenario", "pa", "--preset", "carbonspot"]
    assert main([*asked, "--json", "--out", str(tmp_path / "spot")]) == 0
    assert json.loads(capsys.readouterr().out)["feasible_share"] == 1.0


def test_reprice_without_a_design_within_the_limits_names_the_nearest(tmp_path, capsys):
    file = tmp_path / "problem.yaml"
    file.write_text(PROBLEM + "limits: {embodied_g: {max: 200 g}}\n")
    assert main(["enumerate", str(file), "--out", str(tmp_path / "run")]) == 0
    asked = ["reprice", str(tmp_path / "run"), "--package", "500g", "--out", str(tmp_path / "new")]
    assert main(asked) == 2
    told = capsys.readouterr().err
    assert "nothing is written: no design keeps every limit; the nearest:" in told
    assert "embodied_g" in told
    assert not (tmp_path / "new").exists()


def test_hours_fab_and_packaging_are_options_of_reprice(finished, capsys, tmp_path):
    def priced(*options):
        out = str(tmp_path / str(len(options)))
        asked = ["reprice", str(finished), "--scenario", "pa", "--out", out, "--json"]
        assert main([*asked, *options]) == 0
        preset = json.loads(capsys.readouterr().out)["scenario"]["preset"]
        return preset, pd.read_csv(f"{out}/front.csv")

    own, front = priced()
    hours = ("--profile", "US/CISO", "--season", "JJA", "--when", "22:00-06:00", "--pue", "1.2")
    night, _ = priced(*hours)
    assert night["use_g_per_kwh"] == own["use_g_per_kwh"]
    assert 1.0 < night["use_hours_ratio"] < 1.5
    assert night["pue"] == 1.2
    cut, split = priced("--fab-region", "France", "--dies", "4", "--carrier", "interposer")
    assert cut["fab_g_per_kwh"] < 0.1 * own["fab_g_per_kwh"]
    assert front["carbon_pa_g.carrier"].sum() == 0 < split["carbon_pa_g.carrier"].sum()
    _, dark = priced("--leakage-factor", "0")
    assert dark["carbon_pa_g.idle"].sum() == 0 < front["carbon_pa_g.idle"].sum()


def test_a_profile_of_23_hours_is_refused(finished, capsys, tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text("hour,g_per_kwh\n" + "".join(f"{hour},100\n" for hour in range(23)))
    assert main(["reprice", str(finished), "--profile", str(file)]) == 2
    assert "mine.csv: got 23 hours, required: 24; missing: 23" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--region", "Frrance"), "nearest: France"),
        (("--region", "France", "--use-intensity", "9g/kWh"), "allowed: one of the two"),
        (("--lifetime", "0y"), "--lifetime: got 0y, allowed: > 0"),
        (("--lifetime", "0"), "--lifetime: got 0, allowed: > 0, with a unit of: s, ms, us"),
        (("--lifetime", "5"), "--lifetime: got 5, allowed: a number with a unit of: s, ms, us"),
        (("--period", "0s"), "period: got 0 s, allowed: above 0 s"),
        (("--period", "40"), "--period: got 40, allowed: a number with a unit of: s, ms"),
        (("--preset", "deflt"), "--preset: got deflt, allowed: act, carbonspot, default"),
        (("--fab-yield", "1.5"), "--fab-yield: got 1.5, allowed: "),
        (("--fab-yield", "0"), "--fab-yield: got 0, allowed: > 0"),
        (("--fab-region", "Tiwan"), "--fab-region: got 'Tiwan', nearest: Taiwan"),
        (("--node", "2nm"), "--node: got 2.0, allowed: 3 to 180 nm"),
        (("--node", "29"), "--node: got 29, allowed: a number with a unit of: nm"),
        (("--memory", "lpdr5"), "--memory: got lpdr5, allowed: "),
        (("--carrier", "glass"), "--carrier: got glass, allowed: organic, rdl"),
        (("--dies", "2.5"), "--dies: got 2.5, allowed: a whole number"),
        (("--dies", "0"), "--dies: got 0, allowed: "),
        (("--bonding-yield", "0.9"), "--bonding-yield: got 0.9, which one die does not use"),
        (("--season", "summer"), "--season: got summer without a profile, allowed: beside one"),
        (("--profile", "US/CISO", "--season", "jja"), "--season: got 'jja' (did you mean JJA?)"),
        (
            ("--package", "3g", "--package-energy", "0.1kWh/cm2"),
            "--package: got 3.0 g beside a package by its area, allowed: one of the two",
        ),
        (("--when", "best 4 h"), "--when: got best 4 h without a profile"),
        (("--profile", "US/CICO"), "--profile: "),
        (
            ("--defect-density", "1 1/cm2", "--yield-model", "fixed"),
            "--defect-density: got 0.01, which a fixed yield does not use",
        ),
    ],
)
def test_a_scenario_that_cannot_be_is_refused(finished, capsys, options, told):
    assert main(["reprice", str(finished), *options]) == 2
    assert told in capsys.readouterr().err


def test_a_run_that_cannot_be_repriced_says_why(finished, capsys, tmp_path):
    assert main(["reprice", str(tmp_path)]) == 2
    assert "got no manifest.json" in capsys.readouterr().err
    manifest = json.loads((finished / "manifest.json").read_text())
    for content, told in (
        ({"evaluate_row": "mine.row"}, "got a run of mine.row, allowed: one of a problem file"),
        ({}, "got a run of another version"),
    ):
        (tmp_path / "manifest.json").write_text(json.dumps({**manifest, "content": content}))
        assert main(["reprice", str(tmp_path)]) == 2
        assert told in capsys.readouterr().err


def test_a_search_that_saw_part_of_the_space_says_so(finished, capsys, tmp_path):
    manifest = json.loads((finished / "manifest.json").read_text())
    manifest["variables"]["rows"] += [128]
    manifest["designs"] = 12
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "evaluations.csv").write_bytes((finished / "evaluations.csv").read_bytes())
    assert main(["reprice", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    assert "8 of 12 designs were priced" in capsys.readouterr().out


def test_uncertainty_tells_who_stays_and_why(finished, capsys):
    assert main(["uncertainty", str(finished), "--samples", "64"]) == 0
    told = capsys.readouterr().out
    assert "carbon CA, designs that stay on the front most often" in told
    assert "shares of the variance of the carbon CA of the design with the least" in told
    head = next(line for line in told.splitlines() if line.startswith("parameter"))
    assert head.split() == ["parameter", "first", "order", "total"]
    assert told.splitlines()[-1] == str(finished / "figures" / "uncertainty.png")
    assert main(["uncertainty", str(finished), "--samples", "64", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert set(record) == {"figure", "samples", "carbon_ca_g", "carbon_pa_g"}
    assert max(design["share"] for design in record["carbon_pa_g"]["designs"]) > 0.5
    assert main(["uncertainty", str(finished), "--samples", "100"]) == 2
    assert "samples: got 100, allowed: a power of two" in capsys.readouterr().err


def test_a_problem_can_minimise_the_carbon_of_the_bad_case(tmp_path, capsys):
    file = tmp_path / "problem.yaml"
    file.write_text(
        PROBLEM.replace("scenario_free", "[latency_s, carbon_ca_p95_g, carbon_pa_cvar_g@ds_cnn]")
    )
    assert main(["enumerate", str(file), "--out", str(tmp_path / "run")]) == 0
    rows = pd.read_csv(tmp_path / "run" / "evaluations.csv")
    assert (rows["carbon_ca_p95_g"] > rows["carbon_ca_g"]).all()
    assert (rows["carbon_pa_cvar_g"] > rows["carbon_pa_g"]).all()


def test_a_footprint_is_a_record_and_a_model_card(finished, capsys, tmp_path):
    asked = ["footprint", str(finished), "--out", str(tmp_path)]
    assert main(asked) == 0
    told = capsys.readouterr().out
    assert told.startswith("# Carbon footprint: ")
    assert (tmp_path / "model_card.md").read_text() in told
    assert main([*asked, "--design", "1", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record == json.loads((tmp_path / "footprint.json").read_text())
    first = pd.read_csv(finished / "front.csv").iloc[0]
    assert record["device"]["total_g"] == pytest.approx(first["embodied_g"], rel=1e-12)
    assert record["task"]["CA"]["total_g"] == pytest.approx(first["carbon_ca_g"], rel=1e-12)
    for wrong in ("0", "99", "best"):
        assert main([*asked, "--design", wrong]) == 2
        assert "allowed: knee, or a row of the front from 1 to" in capsys.readouterr().err


def test_a_footprint_tells_what_the_search_drew(finished, capsys, tmp_path):
    manifest = json.loads((finished / "manifest.json").read_text())
    measured = {**manifest, "search_energy_j": 7.2e3, "search_energy_meter": "codecarbon 3.3"}
    (tmp_path / "manifest.json").write_text(json.dumps(measured))
    (tmp_path / "evaluations.csv").write_bytes((finished / "evaluations.csv").read_bytes())
    assert main(["footprint", str(tmp_path), "--json"]) == 0
    search = json.loads(capsys.readouterr().out)["search"]
    assert search["carbon_g"] == pytest.approx(7.2e3 / 3.6e6 * 473.0)


def test_a_profile_alone_keeps_the_region_of_the_run(tmp_path, capsys):
    file = tmp_path / "problem.yaml"
    file.write_text(PROBLEM + "scenario: {region: France}\n")
    assert main(["enumerate", str(file), "--out", str(tmp_path / "run")]) == 0
    capsys.readouterr()
    rows = [f"{hour},{100 if hour < 12 else 300}" for hour in range(24)]
    (tmp_path / "mine.csv").write_text("\n".join(["hour,g_per_kwh", *rows]) + "\n")
    asked = ["reprice", str(tmp_path / "run"), "--profile", str(tmp_path / "mine.csv")]
    assert main([*asked, "--when", "00:00-12:00", "--out", str(tmp_path / "night")]) == 0
    told = capsys.readouterr().out.splitlines()[0]
    assert "grid 22.09 g/kWh (mean of the day 44.18, hours in use 0.5 of it)" in told
    stored = pd.read_csv(tmp_path / "run" / "evaluations.csv")
    front = pd.read_csv(tmp_path / "night" / "front.csv")
    both = stored.merge(front, on=["template", "rows", "cols"], suffixes=("", "_night"))
    used = both["carbon_ca_g.operational_night"] / both["carbon_ca_g.operational"]
    assert used.to_numpy() == pytest.approx(0.5, rel=1e-12)


def test_a_pipelined_device_in_a_problem_in_evaluate_and_in_reprice(finished, tmp_path, capsys):
    file = tmp_path / "problem.yaml"
    file.write_text(PROBLEM + "scenario: {initiation_interval: 0.25}\n")
    assert main(["enumerate", str(file), "--out", str(tmp_path / "run")]) == 0
    again = ["reprice", str(finished), "--initiation-interval", "0.25", "--scenario", "pa"]
    assert main([*again, "--out", str(tmp_path / "again")]) == 0
    stored, own = (pd.read_csv(run / "evaluations.csv") for run in (finished, tmp_path / "run"))
    packages = [table["carbon_ca_g.package"].to_numpy() for table in (stored, own)]
    assert packages[1] == pytest.approx(0.25 * packages[0], rel=1e-12)
    both = own.merge(pd.read_csv(tmp_path / "again" / "front.csv"), on=["template", "rows", "cols"])
    for name in ("carbon_ca_g", "carbon_pa_g", "carbon_pa_g.idle"):
        assert both[f"{name}_y"].to_numpy() == pytest.approx(both[f"{name}_x"].to_numpy(), rel=1e-9)
    row = own.iloc[0]
    capsys.readouterr()
    design = ["evaluate", "--workload", "ds_cnn", "--template", str(row["template"]), "--json"]
    design += [f"--set={knob}={int(row[knob])}" for knob in ("rows", "cols")]
    assert main([*design, "--set", "sram=64KiB", "--initiation-interval", "0.25"]) == 0
    assert json.loads(capsys.readouterr().out)["carbon_ca_g"] == pytest.approx(row["carbon_ca_g"])
    assert main([*again[:2], "--initiation-interval", "1.5"]) == 2
    assert "--initiation-interval: got 1.5, allowed: " in capsys.readouterr().err


def test_a_preset_brings_hardware_models_which_reprice_cannot_change(finished, tmp_path, capsys):
    asked = ["reprice", str(finished), "--preset", "carbonspot", "--out", str(tmp_path)]
    assert main([*asked, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["scenario"]["preset"]
    assert (told["name"], told["hardware"]) == ("carbonspot", "default")
    row = pd.read_csv(tmp_path / "front.csv").iloc[0]
    assert main([*asked, "--hardware", "carbonspot"]) == 2
    assert "--hardware: got carbonspot, but the run was evaluated with" in capsys.readouterr().err
    design = ["evaluate", "--workload", "ds_cnn", "--template", str(row["template"]), "--json"]
    design += [f"--set={knob}={int(row[knob])}" for knob in ("rows", "cols")]
    design += ["--set", "sram=64KiB", "--preset", "carbonspot"]
    carbon = {}
    for models in ("default", "carbonspot"):
        assert main([*design, "--hardware", models]) == 0
        carbon[models] = json.loads(capsys.readouterr().out)["carbon_ca_g"]
    assert carbon["default"] == pytest.approx(row["carbon_ca_g"], rel=1e-12)
    assert abs(carbon["carbonspot"] / row["carbon_ca_g"] - 1) > 0.01
    assert main([*design[:-1], "carbonspot"]) == 0
    assert json.loads(capsys.readouterr().out)["carbon_ca_g"] == carbon["carbonspot"]
