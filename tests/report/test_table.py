from __future__ import annotations

import pandas as pd
import pytest

from carbonopt.front.front import Front
from carbonopt.objectives import metric
from carbonopt.report.columns import limit_of, mean_note, metrics_of, short_label
from carbonopt.report.table import aligned, designs_table, telling_designs


def test_the_telling_designs_have_least_carbon_and_one_is_the_knee(front):
    chosen = telling_designs(front)
    rows = front.to_pandas()
    assert list(chosen["role"]) == ["lowest carbon CA", "lowest carbon PA", "knee"]
    assert chosen["carbon_ca_g"][0] == rows["carbon_ca_g"].min()
    assert chosen["carbon_pa_g"][1] == rows["carbon_pa_g"].min()
    assert chosen["energy_j"][2] == front.knee()["energy_j"]


def test_a_design_with_two_roles_is_listed_once(front):
    best = front.evaluations.nsmallest(1, "carbon_pa_g")
    chosen = telling_designs(Front("one", best, front.metrics, front.variables))
    assert list(chosen["role"]) == ["lowest carbon CA, lowest carbon PA, knee"]


def test_an_empty_front_has_no_telling_design(front):
    broken = front.evaluations.assign(feasible=False)
    assert telling_designs(Front("none", broken, front.metrics, front.variables)).empty


@pytest.mark.parametrize(
    ("objectives", "roles"),
    [
        (("latency_s", "energy_j"), {"lowest latency", "lowest energy", "knee"}),
        (("latency_s", "energy_j", "carbon_pa_g"), {"lowest carbon PA", "lowest latency", "knee"}),
        (("energy_j",), {"lowest energy", "knee"}),
    ],
)
def test_a_role_is_earned_in_an_objective(make_front, objectives, roles):
    front = make_front(objectives)
    chosen = telling_designs(front)
    assert set(", ".join(chosen["role"]).split(", ")) == roles
    feasible = front.evaluations[front.evaluations["feasible"]]
    lowest = chosen[chosen["role"].str.contains(f"lowest {short_label(objectives[0])}")]
    assert lowest[objectives[0]].tolist() == [feasible[objectives[0]].min()]


def test_without_carbon_the_first_objectives_stand_in(front):
    table = front.evaluations.drop(columns=["carbon_ca_g", "carbon_pa_g"])
    metrics = (metric("latency_s"), metric("energy_j"))
    chosen = telling_designs(Front("plain", table, metrics, front.variables))
    assert set(", ".join(chosen["role"]).split(", ")) == {"lowest latency", "lowest energy", "knee"}


def test_the_table_is_aligned_and_names_units(front):
    chosen = telling_designs(front)
    text = designs_table(chosen, ["role", *front.variables], front.metrics)
    head, rule, *rows = text.splitlines()
    assert head.endswith("latency [ms]  energy [µJ]  carbon CA [ng]  carbon PA [ng]")
    assert len(rows) == 3
    assert {len(line) for line in (head, rule, *rows)} == {len(head)}
    assert "128 KiB" in text


def test_missing_numbers_are_dashes():
    text = aligned({"value": ["1.5", "-"]})
    assert text.splitlines() == ["value", "-----", "  1.5", "    -"]


def test_further_metrics_follow_the_objectives_once(front):
    names = [m.name for m in metrics_of(front.evaluations, front.metrics, ["energy_j", "area_mm2"])]
    assert names == [*front.objectives, "area_mm2"]


def test_the_limit_of_a_mean_over_networks_is_not_known():
    table = pd.DataFrame({"latency_s": [1.0], "limit.period@a": [0.0], "limit.period@b": [0.5]})
    assert pd.isna(limit_of(table, "latency_s"))


def test_bits_of_many_layers_share_a_column_and_are_no_networks():
    names = [f"weight_bits@layer{number}" for number in range(4)]
    rows = pd.DataFrame([{"rows": 32, **dict(zip(names, (8, 4, 4, 2), strict=True)),
                          "energy_j": 1e-6, "energy_j@resnet8": 1e-6}])  # fmt: skip
    lines = designs_table(rows, ["rows", *names], [metric("energy_j")]).splitlines()
    assert lines[0].split() == ["rows", "weight_bits@...", "energy", "[µJ]"]
    assert lines[2].split() == ["32", "8", "4", "4", "2", "1"]
    few = designs_table(rows, ["rows", *names[:2]], [metric("energy_j")])
    assert "weight_bits@layer1" in few
    assert mean_note(rows) == []
