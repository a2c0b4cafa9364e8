"""Designs to metrics: requests that are refused, metrics that add up, published carbon."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from designs import CARBONSPOT_ARRAYS

from carbonopt.carbon.presets import load_preset
from carbonopt.errors import MappingError, ModelRangeError, SpecError
from carbonopt.evaluate import (
    Context,
    evaluate_one,
    evaluate_row,
    load_workload,
    period_constraints,
)
from carbonopt.workload import zoo

RELATIVE = 1e-9
KNOBS = {"rows": 64, "cols": 32, "sram": "64KiB"}
DESIGN = {"template": "dimc", "rows": 64, "cols": 32, "macros": 2, "sram_byte": 65536.0}
METRICS = (
    *("area_mm2", "clock_ns", "idle_w", "latency_cycles", "latency_s"),
    *("energy_pj", "energy_j", "carbon_ca_g", "carbon_pa_g", "embodied_g"),
)
PER_NETWORK = ("latency_s", "energy_j", "carbon_ca_g", "carbon_pa_g")


@pytest.fixture(scope="module")
def resnet8():
    return evaluate_one("resnet8", "dimc", KNOBS)


def test_one_design_as_plain_data(resnet8):
    assert json.loads(json.dumps(resnet8)) == resnet8
    assert (resnet8["workload"], resnet8["template"]) == ("resnet8", "dimc")
    assert resnet8["knobs"] == {"rows": 64, "cols": 32, "macros": 1, "sram_byte": 65536.0}
    assert (resnet8["preset"], resnet8["mapping"]) == ("default", "optimal")
    assert (resnet8["period_s"], resnet8["period_met"]) == (0.04, True)
    assert resnet8["dram_byte"] == 2**20
    assert resnet8["notes"] == [
        "not modelled: Add x3, Flatten x1, GlobalAveragePool x1, Relu x7, Softmax x1"
    ]


@pytest.mark.parametrize("template", CARBONSPOT_ARRAYS.values())
def test_breakdowns_sum_to_their_metrics(template):
    result = evaluate_one("ds_cnn", template, {**KNOBS, "macros": 2})
    assert set(result["breakdown"]) == set(METRICS)
    for metric, parts in result["breakdown"].items():
        assert sum(parts.values()) == pytest.approx(result[metric], rel=1e-12), metric
        assert min(parts.values()) >= 0, metric


def test_layers_sum_to_the_network(resnet8):
    layers = resnet8["layers"]
    assert len(layers) == 10
    for layer, network in (("energy_pj", "energy_pj"), ("cycles", "latency_cycles")):
        assert sum(each[layer] for each in layers) == pytest.approx(resnet8[network], rel=1e-12)
    for each in layers:
        energy = sum(each["energy"]["array"].values())
        energy += sum(sum(levels.values()) for levels in each["energy"]["memory"].values())
        assert energy == pytest.approx(each["energy_pj"], rel=1e-12)
        assert sum(each["cycles_by_part"].values()) == pytest.approx(each["cycles"], rel=1e-12)


def test_layers_of_a_kind_sum_to_their_subtotal(resnet8):
    kinds, layers = resnet8["by_kind"], resnet8["layers"]
    assert {kind: each["layers"] for kind, each in kinds.items()} == {"conv": 9, "gemm": 1}
    for kind, total in kinds.items():
        alike = [each for each in layers if each["kind"] == kind]
        for name in ("macs", "energy_pj", "cycles"):
            assert total[name] == pytest.approx(sum(each[name] for each in alike), rel=1e-12)
        assert sum(total["cycles_by_part"].values()) == pytest.approx(total["cycles"], rel=1e-12)
        memories = total["energy"]["memory"].values()
        parts = [*total["energy"]["array"].values(), *(pj for m in memories for pj in m.values())]
        assert sum(parts) == pytest.approx(total["energy_pj"], rel=1e-12)


@pytest.mark.reference
def test_the_convolutions_of_the_chip_are_a_subtotal():
    """Processing and total latency of AlexNet on Eyeriss: 103.5 and 115.3 ms (JSSC 2017, table V).

    Its 16 bit without zeros, so that inputs come from DRAM uncoded.
    """
    knobs = {"mappings": "chip", "weight_bits": 16, "activation_bits": 16}
    found = evaluate_one("alexnet", "eyeriss", knobs, batch=4, dram_byte=2.0**27)
    convolutions, ms = found["by_kind"]["conv"], found["clock_ns"] * 1e-6
    parts = convolutions["cycles_by_part"]
    processing = (parts["compute"] + parts["stall"] + parts["fill"]) * ms
    assert processing / 103.5 == pytest.approx(0.966, abs=0.001)
    assert convolutions["cycles"] * ms / 115.3 == pytest.approx(1.000, abs=0.001)
    assert convolutions["accesses"]["sram"]["O"] == 87_103_744
    assert found["by_kind"]["gemm"]["layers"] == 3


def test_mappings_of_the_layers_make_up_their_macs(resnet8):
    for each in resnet8["layers"]:
        spatial = [size for loops in each["mapping"]["spatial"].values() for _, size in loops]
        for operand, memories in each["mapping"]["temporal"].items():
            temporal = [size for loops in memories.values() for _, size in loops]
            product = math.prod(spatial) * math.prod(temporal)
            assert product == pytest.approx(each["macs"], rel=1e-9), (each["name"], operand)


def test_seconds_and_joules_follow_from_cycles_and_picojoules(resnet8):
    seconds = resnet8["latency_cycles"] * resnet8["clock_ns"] * 1e-9
    assert resnet8["latency_s"] == pytest.approx(seconds, rel=1e-12)
    assert resnet8["energy_j"] == pytest.approx(resnet8["energy_pj"] * 1e-12, rel=1e-12)


@pytest.mark.reference
@pytest.mark.parametrize("array", CARBONSPOT_ARRAYS)
def test_published_carbon(reference, array):
    """One design per network; over all 224 points the largest relative deviation is 4.5e-16."""
    table = reference("carbonspot_carbon.csv")
    rows = table[(table["suite"] == "tiny") & (table["array"] == array)]
    rows = rows[rows["workload"] != "geo"].groupby("workload").nth(5)
    assert len(rows) == 4
    for row in rows.itertuples():
        got = evaluate_one(
            row.workload, CARBONSPOT_ARRAYS[array],
            {"rows": row.dim, "cols": row.dim, "sram": f"{row.sram_byte} byte"},
            preset="carbonspot", mapping="reference",
        )  # fmt: skip
        for metric, value in {
            "carbon_ca_g": row.ca_total,
            "carbon_pa_g": row.pa_total,
            "area_mm2": row.area_mm2,
            "energy_pj": row.energy_pj,
            "latency_cycles": row.latency_cycles,
        }.items():
            assert got[metric] == pytest.approx(value, rel=RELATIVE), (row, metric)
        assert got["period_met"] == row.meets_period


def test_deployment_given_by_the_user_counts(resnet8):
    late = evaluate_one("resnet8", "dimc", KNOBS, period_s=1e-9, dram_byte=2**21, batch=2)
    assert (late["period_met"], late["dram_byte"]) == (False, 2**21)
    macs = [sum(layer["macs"] for layer in each["layers"]) for each in (late, resnet8)]
    assert macs[0] == 2 * macs[1]


def test_a_late_design_has_no_pa_carbon_unless_a_rule_gives_it_one(resnet8):
    period_s = resnet8["latency_s"] / 2.5
    late = evaluate_one("resnet8", "dimc", KNOBS, period_s=period_s)
    for name in ("carbon_pa_g", "operational_pa_g", "cci_pa_g_per_eop", "break_even_pa_s"):
        assert late[name] is None
        assert isinstance(resnet8[name], float)
    assert "carbon_pa_g" not in late["breakdown"]
    assert late["carbon_ca_g"] == resnet8["carbon_ca_g"]
    assert late["notes"][0] == (
        "carbon_pa_g: none, the design is late: its latency is 2.5 times the period; "
        "give a longer --period, or --late-rule replicate or fractional"
    )
    for rule, devices in (("replicate", 3.0), ("fractional", 2.5)):
        preset = load_preset("default").with_values(late_rule=rule)
        ruled = evaluate_one("resnet8", "dimc", KNOBS, period_s=period_s, preset=preset)
        package = devices * period_s / preset.lifetime_s * 150
        assert ruled["breakdown"]["carbon_pa_g"]["package"] == pytest.approx(package, rel=1e-12)
        assert not any("late" in note for note in ruled["notes"])


def test_a_device_that_never_breaks_even_says_so():
    clean = load_preset("default").with_values(use_g_per_kwh=0.0)
    found = evaluate_one("resnet8", "dimc", KNOBS, preset=clean)
    assert found["break_even_pa_s"] == math.inf
    assert any(note.startswith("break_even_pa_s: never: on this grid") for note in found["notes"])


def test_preset_values_replace_those_of_the_preset(resnet8):
    unpowered = load_preset("default").with_values(use_g_per_kwh=0.0)
    clean = evaluate_one("resnet8", "dimc", KNOBS, preset=unpowered)
    assert clean["breakdown"]["carbon_ca_g"]["operational"] == 0
    for part, grams in resnet8["breakdown"]["carbon_ca_g"].items():
        if part != "operational":
            assert clean["breakdown"]["carbon_ca_g"][part] == grams


def test_a_network_of_unknown_period_has_no_carbon_per_period():
    result = evaluate_one("llm_decode_block", "digital_ws", {**KNOBS, "sram": "1MiB"})
    assert (result["period_s"], result["period_met"], result["carbon_pa_g"]) == (None, None, None)
    assert "carbon_pa_g" not in result["breakdown"]
    assert any("no period is known for llm_decode_block" in note for note in result["notes"])
    assert result["carbon_ca_g"] > 0


def test_an_onnx_file_is_a_workload(tmp_path, resnet8):
    path = tmp_path / "mine.onnx"
    zoo.save("resnet8", path)
    result = evaluate_one(str(path), "dimc", KNOBS, dram_byte=2**20)
    assert (result["workload"], result["period_s"]) == ("mine", None)
    for metric in ("energy_pj", "latency_cycles", "carbon_ca_g"):
        assert result[metric] == resnet8[metric]


def test_dram_that_is_not_given_holds_the_network(tmp_path):
    path = tmp_path / "mine.onnx"
    zoo.save("mobilenet_v1", path)
    assert load_workload(str(path)).dram_byte == 2**20
    big = load_workload("vgg16")
    weights = sum(layer.weights for layer in big.network.layers)
    assert big.dram_byte > weights
    assert math.log2(big.dram_byte).is_integer()


@pytest.mark.parametrize(
    ("name", "changes", "error", "message"),
    [
        ("resnet9", {}, SpecError, "network: got 'resnet9'.*did you mean resnet8"),
        ("resnet8", {"preset": "carbon"}, SpecError, "carbon"),
        ("resnet8", {"period_s": 0}, SpecError, "period: got 0, allowed: > 0"),
        ("resnet8", {"dram_byte": -1}, SpecError, "dram: got -1, allowed: > 0"),
        ("resnet8", {"batch": 0}, SpecError, "batch: got 0, allowed: >= 1"),
        ("resnet8", {"dram_byte": 1024}, MappingError, "dram needs .* B for .*, has 1024 B"),
        ("resnet8", {"knobs": {**KNOBS, "rows": 48}}, ModelRangeError, "rows: got 48"),
    ],
)
def test_bad_requests_say_what_is_wrong(name, changes, error, message):
    knobs = changes.pop("knobs", KNOBS)
    with pytest.raises(error, match=message):
        evaluate_one(name, "dimc", knobs, **changes)


@pytest.fixture(scope="module")
def context():
    workloads = tuple(load_workload(name) for name in ("resnet8", "ds_cnn"))
    return Context(workloads, load_preset("default"), "optimal")


@pytest.fixture(scope="module")
def row(context):
    return evaluate_row(DESIGN, context)


def test_a_row_is_flat_and_ok(row):
    assert (row["status"], row["message"], row["limit.buildable"]) == ("ok", "", 0.0)
    for name, value in row.items():
        if name not in ("status", "message"):
            assert isinstance(value, float), name
            assert np.isfinite(value), name


def test_metrics_of_a_row_are_geometric_means_of_the_networks(row):
    for metric in PER_NETWORK:
        own = [row[f"{metric}@{network}"] for network in ("resnet8", "ds_cnn")]
        assert row[metric] == pytest.approx(math.sqrt(math.prod(own)), rel=1e-12)


def test_networks_of_a_row_are_those_evaluated_alone(row):
    knobs = {"rows": 64, "cols": 32, "macros": 2, "sram": "64KiB"}
    for network in ("resnet8", "ds_cnn"):
        alone = evaluate_one(network, "dimc", knobs)
        for metric in PER_NETWORK:
            assert row[f"{metric}@{network}"] == alone[metric]
        late = alone["latency_s"] / alone["period_s"] - 1
        assert row[f"limit.period@{network}"] == pytest.approx(late, rel=1e-12)
        for metric in ("area_mm2", "clock_ns"):
            assert row[metric] == alone[metric]


def test_parts_of_a_row_sum_to_its_metrics(row):
    for metric in (*PER_NETWORK, "embodied_g", "area_mm2"):
        parts = [value for name, value in row.items() if name.startswith(f"{metric}.")]
        assert len(parts) >= 2
        assert sum(parts) == pytest.approx(row[metric], rel=1e-12), metric


def test_constraints_of_a_row_are_those_announced(row, context):
    limits = [name for name in row if name.startswith("limit.period@")]
    assert limits == period_constraints(context.workloads)
    assert limits == ["limit.period@resnet8", "limit.period@ds_cnn"]


def test_a_row_without_a_known_period_has_no_carbon_per_period():
    workloads = (load_workload("resnet8"), load_workload("llm_decode_block"))
    context = Context(workloads, load_preset("default"), "optimal")
    row = evaluate_row({**DESIGN, "template": "digital_ws"}, context)
    assert row["status"] == "ok"
    assert "carbon_pa_g" not in row
    assert "carbon_pa_g@llm_decode_block" not in row
    assert "carbon_pa_g@resnet8" in row
    assert period_constraints(workloads) == ["limit.period@resnet8"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": 48}, "dimc: rows: got 48, allowed: powers of two"),
        ({"rows": 16}, "rows: got 16, allowed: rows x group_depth from 32"),
        ({"sram_byte": 64.0}, "x macros up to 2, or an sram from "),
        ({"cols": 0}, "cols: got 0"),
    ],
)
def test_designs_that_cannot_be_built_are_rows_too(context, changes, message):
    row = evaluate_row({**DESIGN, **changes}, context)
    assert set(row) == {"status", "message", "limit.buildable"}
    assert (row["status"], row["limit.buildable"]) == ("error", 1.0)
    assert message in row["message"]


def test_designs_that_cannot_be_mapped_are_rows_too():
    small = load_workload("resnet8", dram_byte=2048)
    row = evaluate_row(DESIGN, Context((small,), load_preset("default"), "optimal"))
    assert row["status"] == "error"
    assert "dram needs" in row["message"]


def test_macros_are_one_unless_given(context, row):
    without = {name: value for name, value in DESIGN.items() if name != "macros"}
    one = evaluate_row(without, context)
    assert one == evaluate_row({**DESIGN, "macros": 1}, context)
    assert one["area_mm2"] != row["area_mm2"]


LEAST = {
    "edp": ("energy_j", "latency_s"),
    "energy": ("energy_j",),
    "latency": ("latency_s",),
    "carbon_ca": ("carbon_ca_g",),
    "carbon_pa": ("carbon_pa_g",),
}


def test_mappings_are_chosen_for_what_is_asked():
    found = {name: evaluate_one("resnet8", "digital_ws", KNOBS, objective=name) for name in LEAST}
    for name, factors in LEAST.items():
        scores = {
            other: math.prod(each[factor] for factor in factors) for other, each in found.items()
        }
        assert scores[name] == pytest.approx(min(scores.values()), rel=1e-12), name
    assert found["latency"]["energy_j"] > found["energy"]["energy_j"]
    assert found["latency"]["latency_s"] < found["energy"]["latency_s"]


def test_mappings_for_a_period_keep_it_where_one_does():
    """The least energy that is in time costs more than the least energy of all."""
    frugal, fast = (
        evaluate_one("resnet8", "digital_ws", KNOBS, objective=name)
        for name in ("energy", "latency")
    )
    period_s = (frugal["latency_s"] + fast["latency_s"]) / 2
    kept = evaluate_one("resnet8", "digital_ws", KNOBS, objective="carbon_pa", period_s=period_s)
    assert kept["latency_s"] <= period_s
    assert frugal["energy_j"] < kept["energy_j"] < fast["energy_j"]


def test_a_mapping_objective_that_cannot_be_met_is_refused():
    with pytest.raises(SpecError, match=r"got 'speed', allowed: edp, energy, latency, carbon_ca"):
        evaluate_one("resnet8", "dimc", KNOBS, objective="speed")
    with pytest.raises(SpecError, match="got carbon_pa without a period, allowed: with one"):
        evaluate_one("llm_decode_block", "digital_ws", {**KNOBS, "sram": "1MiB"},
                     objective="carbon_pa")  # fmt: skip
