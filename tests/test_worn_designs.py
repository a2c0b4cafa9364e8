"""Cells that wear out, and dies of other nodes, from a design to its carbon, rows and repricing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from carbonopt.carbon.design_node import preset_at_nodes
from carbonopt.carbon.embodied import embodied_g
from carbonopt.carbon.metrics import task_metrics
from carbonopt.carbon.operational import mean_over_lifetime
from carbonopt.carbon.packaging import carrier_g
from carbonopt.carbon.presets import load_preset
from carbonopt.carbon.task import Deployment, Task
from carbonopt.carbon.uncertainty import sampled_preset
from carbonopt.cli_model import metric_columns
from carbonopt.evaluate import Context, evaluate_one, evaluate_row, load_workload
from carbonopt.front.front import Front
from carbonopt.front.notices import wear_notices
from carbonopt.front.pricing import price, price_device
from carbonopt.front.reprice import Scenario, reprice
from carbonopt.front.winners import winners
from carbonopt.hardware.nvm import load_cell
from carbonopt.objectives import metric

DEFAULT = load_preset("default")
SIZE = {"rows": 128, "cols": 128, "sram": "512KiB"}
DAY_S = 86400.0
MADE = ("fab_energy", "fab_gas", "fab_material", "package")


def evaluated(**knobs: Any) -> dict[str, Any]:
    return evaluate_one("resnet8", "aimc", {**SIZE, **knobs}, mapping="reference")


def notes(found: dict[str, Any]) -> list[str]:
    return [note for note in found["notes"] if "endurance" in note]


def test_worn_cells_are_told_beside_the_carbon_that_they_cause():
    columns = metric_columns(evaluated(cell="rram"))
    told = dict(zip(columns["metric"], columns["made of"], strict=True))
    assert told["carbon PA"].startswith("cells worn out after 1.596 h, package ")
    assert told["carbon CA"].startswith("cells worn out after ")
    assert "worn out" not in str(metric_columns(evaluated()))


def test_worn_cells_end_the_life_of_a_device_and_load_its_making_on_fewer_tasks():
    """PA, every 40 ms: inferences that the cells survive x 40 ms, in place of 3 years."""
    found = evaluated(cell="rram")
    survived = found["cell_inferences"]
    life = survived * 0.040
    assert found["lifetime_pa_s"] == pytest.approx(life)
    assert life < 1 * DAY_S < DEFAULT.lifetime_s
    assert found["lifetime_ca_s"] == pytest.approx(survived * found["latency_s"])
    for activity, interval in (("ca", found["latency_s"]), ("pa", 0.040)):
        parts = found["breakdown"][f"carbon_{activity}_g"]
        device = found["breakdown"]["embodied_g"]
        for part in MADE:
            assert parts[part] == pytest.approx(device[part] / survived)
            assert parts[part] > device[part] * interval / DEFAULT.lifetime_s
    told = notes(found)
    assert told[0].startswith("carbon_ca_g: endurance binds: cells are worn out after ")
    assert told[1] == "carbon_pa_g: endurance binds: cells are worn out after 1.6 h, of 3 y of use"


def test_the_break_even_lifetime_does_not_know_how_long_cells_last():
    """A device is made for M and draws r = C_use / interval at first: T = -ln(1 - l M / r) / l."""
    cleaner = DEFAULT.with_values(decarbonisation_per_year=0.02, use_g_per_kwh=2000.0)
    for preset, cell in ((DEFAULT, "sram"), (DEFAULT, "rram"), (cleaner, "rram")):
        found = evaluate_one("resnet8", "aimc", {**SIZE, "cell": cell}, preset=preset,
                             mapping="reference")  # fmt: skip
        assert ("lifetime_pa_s" in found) == (cell == "rram")
        for activity, interval in (("ca", found["latency_s"]), ("pa", 0.040)):
            life = found.get(f"lifetime_{activity}_s", DEFAULT.lifetime_s)
            fall = mean_over_lifetime(preset.decarbonisation_per_year, life)
            g_per_s = found[f"operational_{activity}_g"] / fall / interval
            even = found["embodied_g"] / g_per_s
            if preset is cleaner:
                rate = -math.log(0.98) / (365.25 * DAY_S)
                even = -math.log1p(-rate * even) / rate
            assert found[f"break_even_{activity}_s"] == pytest.approx(even, rel=1e-9)
    lives = [Task(Deployment("n", 0.0, 0.1), 1e-3, 0.01, 1.0, cell_inferences=n) for n in (99, 1e5)]
    for activity in ("CA", "PA"):
        evens = [
            task_metrics(activity, each.parts_g(activity, cleaner), each.worn(activity, cleaner), 1)
            [f"break_even_{activity.lower()}_s"] for each in lives
        ]  # fmt: skip
        assert evens[0] == pytest.approx(evens[1], rel=1e-9)


def test_a_lifetime_that_cells_outlive_stays():
    found = evaluated(cell="stt_mram")
    writes = load_cell("stt_mram").endurance / found["cell_inferences"]
    assert found["lifetime_pa_s"] < DEFAULT.lifetime_s
    preset = DEFAULT.with_values(lifetime_s=0.5 * found["lifetime_pa_s"])
    short = evaluate_one("resnet8", "aimc", {**SIZE, "cell": "stt_mram"}, preset=preset,
                         mapping="reference")  # fmt: skip
    assert "lifetime_pa_s" not in short
    assert notes(short)[1] == "carbon_pa_g: endurance does not bind"
    assert 10 < writes < 100


def test_weights_that_stay_wear_nothing():
    small = {**SIZE, "sram": "64KiB", "cell": "rram"}
    found, loaded = (
        evaluate_one("resnet8", "aimc", {**small, "group_depth": depth}) for depth in (32, 1)
    )
    assert "cell_inferences" not in found
    assert notes(found) == ["cell rram: all weights stay in the cells: endurance does not bind"]
    saved = loaded["breakdown"]["energy_j"]["dram"] - found["breakdown"]["energy_j"]["dram"]
    assert saved == pytest.approx(77_360 * 8 * 3.7e-12, rel=0.05)
    sram = evaluated()
    assert "cell_inferences" not in sram
    assert notes(sram) == []


def test_a_die_is_made_at_its_own_node():
    found = evaluated(node="22 nm")
    at_22 = embodied_g(found["area_mm2"], found["dram_byte"] / 2**30, DEFAULT.at_node(22.0))
    assert found["node_nm"] == 22.0
    for part, grams in at_22.items():
        assert found["breakdown"]["embodied_g"][part] == pytest.approx(float(grams))
    share = 0.040 / DEFAULT.lifetime_s
    carbon = found["breakdown"]["carbon_pa_g"]
    assert carbon["fab_energy"] == pytest.approx(float(at_22["fab_energy"]) * share)


def test_a_design_beyond_the_presets_literature_says_so_once():
    told = "nodes of 28, 45 nm: a comparison lies where two literatures meet"
    assert [told in note for note in evaluated(node="45 nm")["notes"]].count(True) == 1
    unasked = evaluate_one("resnet8", "eyeriss", {"rows": 12, "cols": 14, "sram": "108KiB"})
    assert "made at its own node of 65 nm, not the scenario's 28 nm" in unasked["notes"]
    assert not any("literatures" in note for note in evaluated(node="22 nm")["notes"])


def test_presets_of_several_nodes_keep_samples():
    several = preset_at_nodes(DEFAULT, [28.0, 65.0])
    assert several.defects_per_mm2 == pytest.approx([0.0007, 0.0005])
    drawn = sampled_preset(DEFAULT)
    both = preset_at_nodes(drawn, [28.0, 65.0]).fab_kwh_per_mm2
    assert both.shape == (len(drawn.fab_kwh_per_mm2), 2)
    np.testing.assert_allclose(both[:, :1], drawn.fab_kwh_per_mm2)
    ratio = both[:, 1] / both[:, 0]
    np.testing.assert_allclose(ratio, ratio[0])
    assert preset_at_nodes(DEFAULT, np.nan) is DEFAULT
    seven = preset_at_nodes(DEFAULT.with_values(node_nm=7.0), [np.nan, 28.0])
    assert seven.fab_kwh_per_mm2 == pytest.approx([0.0215, 0.009])


def test_more_nodes_than_a_choice_takes():
    """Node by node, each on its own, and what carries the dies at one node for all."""
    nodes = np.linspace(46.0, 180.0, 100)
    several = preset_at_nodes(DEFAULT, nodes)
    alone = [DEFAULT.at_node(float(node)) for node in nodes]
    for name in ("fab_kwh_per_mm2", "gas_g_per_mm2", "material_g_per_mm2", "defects_per_mm2"):
        expected = [getattr(each, name) for each in alone]
        np.testing.assert_allclose(getattr(several, name), expected, rtol=1e-14)
    carried = carrier_g(1.5, DEFAULT, "interposer")
    np.testing.assert_allclose(carrier_g(1.5, several, "interposer"), carried, rtol=1e-12)


SIZES = {"rows": 64, "cols": 64, "macros": 1, "sram_byte": 2**18, "template": "aimc"}
DESIGNS = [
    {**SIZES, **node, "cell": cell} for node in ({"node_nm": 22.0}, {}) for cell in ("sram", "pcm")
]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    workload = load_workload("resnet8")
    context = Context((workload,), DEFAULT, "reference")
    return pd.DataFrame([{**evaluate_row(d, context), **d, "feasible": True} for d in DESIGNS])


def front_of(rows: pd.DataFrame) -> tuple[Front, list[Deployment]]:
    metrics = (metric("latency_s"), metric("carbon_pa_g"))
    names = ("template", "node_nm", "cell")
    return Front("worn", rows, metrics, names, ()), [load_workload("resnet8").deployment]


def test_rows_say_which_lifetime_results(rows):
    worn = rows["cell"] == "pcm"
    assert rows["lifetime_pa_s@resnet8"].notna().tolist() == worn.tolist()
    life = rows["cell_inferences@resnet8"] * 0.040
    np.testing.assert_allclose(rows["lifetime_pa_s@resnet8"][worn], life[worn])
    ca, pa = wear_notices(rows)
    assert pa.startswith("endurance binds in PA in 2 of 4 designs: cells are worn out after ")
    assert "in CA in 2 of 4" in ca
    assert wear_notices(rows[~worn]) == []


def test_repricing_knows_nodes_and_worn_cells(rows):
    """The same scenario gives the same carbon; a short life is what it says, worn or not."""
    front, deployments = front_of(rows)
    again = reprice(front, deployments, Scenario("PA", DEFAULT)).evaluations
    evens = ("break_even_ca_s", "break_even_pa_s@resnet8")
    for name in ("carbon_pa_g", "carbon_ca_g", "embodied_g", "lifetime_pa_s@resnet8", *evens):
        np.testing.assert_allclose(again[name], rows[name], rtol=1e-12, err_msg=name)
    hour = Scenario("PA", DEFAULT.with_values(lifetime_s=3600.0))
    short = reprice(front, deployments, hour).evaluations
    assert short["lifetime_pa_s@resnet8"].isna().all()
    long = reprice(front, deployments, Scenario("PA", DEFAULT.with_values(lifetime_s=3e8)))
    parts = [f"carbon_pa_g.{part}" for part in MADE]
    worn = rows["cell"] == "pcm"
    ratio = long.evaluations[parts].sum(axis=1) / again[parts].sum(axis=1)
    np.testing.assert_allclose(ratio[worn], 1.0)
    np.testing.assert_allclose(ratio[~worn], DEFAULT.lifetime_s / 3e8)


def test_a_scenario_of_another_node_holds_for_dies_without_one_of_their_own(rows):
    """At 7 nm: those without a node follow the scenario, those of 22 nm not, in rows and again."""
    seven = DEFAULT.with_values(node_nm=7.0)
    front, deployments = front_of(rows)
    again = reprice(front, deployments, Scenario("PA", seven)).evaluations
    context = Context((load_workload("resnet8"),), seven, "reference")
    afresh = pd.DataFrame([evaluate_row(design, context) for design in DESIGNS])
    for name in ("embodied_g", "carbon_ca_g", "carbon_pa_g"):
        np.testing.assert_allclose(again[name], afresh[name], rtol=1e-12, err_msg=name)
    own = rows["node_nm"] == 22.0
    same = np.isclose(again["embodied_g"], rows["embodied_g"], rtol=1e-9)
    assert same.tolist() == own.tolist()


@pytest.mark.parametrize("node_nm", [22.0, 28.0])
def test_a_node_that_is_asked_for_stays_whatever_the_scenario(node_nm):
    """28 nm too, which is also that of the gates: what stands beside 22 nm in a sweep."""
    seven, workload = DEFAULT.with_values(node_nm=7.0), load_workload("resnet8")
    design = {**SIZES, "node_nm": node_nm, "cell": "sram"}
    plain, there = (
        pd.DataFrame([{**evaluate_row(design, Context((workload,), preset, "reference")), **design,
                       "feasible": True}]) for preset in (DEFAULT, seven)
    )  # fmt: skip
    front, deployments = front_of(plain)
    again = reprice(front, deployments, Scenario("CA", seven)).evaluations
    for name in ("embodied_g", "carbon_ca_g"):
        np.testing.assert_allclose(there[name], plain[name], rtol=1e-12)
        np.testing.assert_allclose(again[name], plain[name], rtol=1e-12)


CHIPLETS = {
    carrier: DEFAULT.with_values(dies=3, carrier=carrier) for carrier in ("interposer", "bridge")
}


@pytest.mark.parametrize("carrier", CHIPLETS)
def test_chiplets_of_several_nodes_sit_on_a_carrier_of_one(rows, carrier):
    """Repricing, rows, one design alone and its samples agree, whatever else is in the table."""
    cut, workload = CHIPLETS[carrier], load_workload("resnet8")
    statistics = ("carbon_ca_mean_g", "carbon_pa_p95_g")
    front, deployments = front_of(rows.assign(**dict.fromkeys(statistics, 0.0)))
    again = reprice(front, deployments, Scenario("PA", cut)).evaluations
    context = Context((workload,), cut, "reference", statistics)
    afresh = pd.DataFrame([evaluate_row(design, context) for design in DESIGNS])
    parts = [f"carbon_pa_g.{part}" for part in ("carrier", "bonding", "fab_energy")]
    for name in ("embodied_g", "embodied_g.carrier", "carbon_ca_g", *parts, *statistics):
        np.testing.assert_allclose(again[name], afresh[name], rtol=1e-9, err_msg=name)
    on_one = carrier_g(afresh["area_mm2"], cut, carrier, bridges=2)
    np.testing.assert_allclose(again["embodied_g.carrier"], on_one, rtol=1e-9)
    knobs = {"rows": 64, "cols": 64, "sram": "256KiB", "node": "22 nm"}
    one = evaluate_one("resnet8", "aimc", knobs, preset=cut, mapping="reference")
    assert one["embodied_g"] == pytest.approx(again["embodied_g"][0], rel=1e-9)
    assert one["breakdown"]["embodied_g"]["carrier"] == pytest.approx(on_one[0], rel=1e-9)


def test_no_map_of_scenarios_forgets_that_cells_wear(rows):
    """The winner of every lifetime is that of repricing, though PCM makes the smaller die."""
    front, deployments = front_of(rows)
    lifetimes = np.array([60.0, 3600.0, 1e5, 1e8])
    intensities = np.array([1.0, 100.0, 1000.0])
    for activity in ("CA", "PA"):
        found = winners(rows, deployments, Scenario(activity, DEFAULT), lifetimes, intensities)
        for k, lifetime_s in enumerate(lifetimes):
            for j, intensity in enumerate(intensities):
                preset = DEFAULT.with_values(lifetime_s=lifetime_s, use_g_per_kwh=intensity)
                scenario = Scenario(activity, preset)
                carbon = reprice(front, deployments, scenario).evaluations[scenario.metric]
                least = carbon[found[k, j]]
                assert least == pytest.approx(carbon.min(), rel=1e-9), (activity, k, j)
    assert set(rows["cell"].iloc[found[-1]]) == {"sram"}


def test_cells_that_last_less_than_a_second_are_counted_once():
    """Worn after 100 tasks in 0.1 s: each carries M / 100, in every life beyond."""
    table = pd.DataFrame({"area_mm2": [300.0, 103.0, 100.0], "energy_j@n": 1e-6})
    table["latency_s@n"], table["cell_inferences@n"] = [1e-3] * 3, [np.inf, 120.0, 100.0]
    table["latency_s"], table["energy_j"] = 1e-3, 1e-6
    deployments = [Deployment("n", 0.0, 1e-3)]
    table["embodied_g"] = price_device(table, deployments, DEFAULT)["embodied_g"]
    lifetimes, clean = np.array([0.01, 0.11, 0.5, 2.0]), np.array([0.0])
    found = winners(table, deployments, Scenario("PA", DEFAULT), lifetimes, clean)[:, 0]
    for lifetime_s, winner in zip(lifetimes, found, strict=True):
        there = DEFAULT.with_values(lifetime_s=lifetime_s, use_g_per_kwh=0.0)
        carbon = price(table, deployments, Scenario("PA", there))["carbon_pa_g"]
        assert winner == carbon.argmin(), lifetime_s
    assert found.tolist() == [2, 1, 0, 0]


def test_devices_that_take_turns_wear_more_slowly():
    """Of three devices that take turns every 0.1 s each is worn three times as late."""
    task = Task(Deployment("late", 0.0, 0.1), 1e-6, 0.25, 1.0, cell_inferences=1000.0)
    turns = DEFAULT.with_values(late_rule="replicate")
    assert float(task.wear("PA", turns).wear_s) == pytest.approx(1000 * 0.3)
    assert float(task.wear("PA", DEFAULT).wear_s) == pytest.approx(1000 * 0.1)
    half = DEFAULT.with_values(utilisation=0.5)
    assert float(task.wear("CA", half).wear_s) == pytest.approx(1000 * 0.5)
    assert math.isinf(float(Task(task.deployment, 1e-6, 0.25, 1.0).wear("CA", DEFAULT).wear_s))
