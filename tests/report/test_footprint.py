from __future__ import annotations

import pandas as pd
import pytest

from carbonopt.carbon.presets import FIELDS, load_preset
from carbonopt.carbon.task import Deployment
from carbonopt.report.footprint import footprint, search_record
from carbonopt.report.model_card import model_card

DEPLOYMENTS = [Deployment("resnet8", 2.0**20, 0.04)]
PRESET = load_preset("default").with_values(use_g_per_kwh=44.0, board_g=20.0)


@pytest.fixture(scope="module")
def record(front):
    return footprint(front.knee(), front.variables, DEPLOYMENTS, PRESET)


def test_parts_sum_to_the_total_and_the_interval_holds_it(record):
    for account in (record["device"], *record["task"].values()):
        assert sum(account["parts"].values()) == pytest.approx(account["total_g"], rel=1e-12)
        assert account["low_g"] < account["mean_g"] < account["high_g"]
        assert account["low_g"] < account["total_g"] < account["high_g"]
    assert set(record["task"]) == {"CA", "PA"}
    assert record["task"]["PA"]["networks"]["resnet8"] == pytest.approx(
        record["task"]["PA"]["total_g"]
    )


def test_every_input_has_a_source_and_what_was_set_says_so(record):
    inputs = {entry["quantity"]: entry for entry in record["inputs"]}
    assert set(inputs) == set(FIELDS)
    assert all(entry["source"] for entry in inputs.values())
    assert inputs["use_g_per_kwh"]["source"] == "set for this run"
    assert inputs["package_g"]["source"].startswith("ACT v2")
    assert inputs["yield_model"]["source"].startswith("ECO-CHIP")
    assert inputs["yield_model"]["year"] == 2024
    assert (inputs["package_g"]["low"], inputs["package_g"]["high"]) == (75.0, 300.0)
    assert all(prior["source"] for prior in record["uncertainty"]["priors"])


def test_the_boundary_lists_what_is_charged_and_what_is_not(record):
    assert "board" in record["boundary"]["included"]
    assert "board" not in record["boundary"]["left_out"]
    assert {"idle", "design", "end_of_life"} <= set(record["boundary"]["left_out"])


def test_without_a_period_there_is_no_pa(front):
    unknown = [Deployment("resnet8", 2.0**20, None)]
    record = footprint(front.knee(), front.variables, unknown, PRESET)
    assert set(record["task"]) == {"CA"}
    assert "one inference of resnet8." in model_card(record)


def test_the_card_shows_all_of_it(record):
    search = search_record(3.6e6, "codecarbon 3", PRESET)
    assert search["carbon_g"] == pytest.approx(44.0)
    card = model_card({**record, "search": search})
    for head in ("Making one device", "Boundary", "Inputs", "Priors"):
        assert f"\n## {head}\n" in card
    assert "\n## One inference, CA: tasks back to back for the whole lifetime\n" in card
    assert "An estimate of a model" in card
    assert "alone (first order), with interactions (total)" in card
    assert "| board | 20 g |" in card
    assert "The search itself drew 3600 kJ: 44 g on the same grid (codecarbon 3, whole" in card
    assert "The search itself" not in model_card(record)


def test_the_variance_is_told_alone_and_with_interactions(record):
    for account in record["task"].values():
        shares = {
            cause["parameter"]: (cause["first"], cause["total"]) for cause in account["variance"]
        }
        assert len(shares) == 11
        assert all(total >= first - 0.02 for first, total in shares.values())
        assert sum(total for _, total in shares.values()) > 1.0


def test_a_late_design_has_no_pa_and_the_boundary_says_why(front):
    late = [Deployment("resnet8", 2.0**20, 1e-9)]
    record = footprint(front.knee(), front.variables, late, PRESET)
    assert set(record["task"]) == {"CA"}
    assert any("takes longer than its period" in entry for entry in record["boundary"]["left_out"])
    in_turns = footprint(
        front.knee(), front.variables, late, PRESET.with_values(late_rule="replicate")
    )
    assert set(in_turns["task"]) == {"CA", "PA"}


def worn_at_22_nm(front):
    """The knee, made at 22 nm, with cells that survive 90,000 inferences: one hour at 40 ms."""
    worn = {"node_nm": 22.0, "cell_inferences@resnet8": 90_000.0, "idle_w": 0.0}
    return pd.concat([front.knee(), pd.Series(worn)])


def test_inputs_of_a_die_with_its_own_node_are_those_of_that_node(front):
    """EPA 0.9 kWh/cm2 at 28 nm; at 22 nm by the table, and no word of another node's hardware."""
    seven = PRESET.with_values(node_nm=7.0)
    record = footprint(worn_at_22_nm(front), front.variables, DEPLOYMENTS, seven)
    inputs = {entry["quantity"]: entry for entry in record["inputs"]}
    there = seven.at_node(22.0)
    for name in ("fab_kwh_per_mm2", "gas_g_per_mm2", "material_g_per_mm2", "defects_per_mm2"):
        assert inputs[name]["value"] == pytest.approx(getattr(there, name))
    assert inputs["node_nm"]["value"] == 22.0
    told = "set for this run by the design's own node of 22 nm (fab_nodes.csv)"
    assert inputs["fab_kwh_per_mm2"]["source"] == told
    priors = {prior["parameter"]: prior["middle"] for prior in record["uncertainty"]["priors"]}
    assert priors["fab energy"] == pytest.approx(there.fab_kwh_per_mm2)
    fab = record["device"]["parts"]
    charged = fab["fab_energy"] / (there.fab_kwh_per_mm2 * there.fab_g_per_kwh)
    assert fab["fab_gas"] == pytest.approx(charged * inputs["gas_g_per_mm2"]["value"])
    assert record["model"]["notice"] == ""


def test_a_life_that_cells_end_is_told_by_activity(front):
    record = footprint(worn_at_22_nm(front), front.variables, DEPLOYMENTS, PRESET)
    ca, pa = record["endurance"]
    assert (ca["activity"], pa["activity"]) == ("CA", "PA")
    assert pa["lifetime_s"] == pytest.approx(90_000 * 0.04)
    assert ca["lifetime_s"] == pytest.approx(90_000 * front.knee()["latency_s"])
    made = record["task"]["PA"]["parts"]["package"]
    assert made == pytest.approx(record["device"]["parts"]["package"] / 90_000)
    card = model_card(record)
    assert "\nEndurance binds: cells are worn out, and making is shared out over" in card
    assert "\n- PA, resnet8: after 1 h, of 3 y of use\n" in card
    plain = footprint(front.knee(), front.variables, DEPLOYMENTS, PRESET)
    assert plain["endurance"] == []
    assert "Endurance" not in model_card(plain)
