"""The study of kinds: its designs evaluate alike, its winners come out again, the page agrees."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from study_files import STUDIES, expected, figures_of, page_of

from carbonopt.carbon.presets import load_preset
from carbonopt.front.pricing import Scenario
from carbonopt.front.winners import winners
from carbonopt.problem.load import load_problem
from carbonopt.run.sources import load_front

NAME = "when-does-imc-pay"
KEYS = ["template", "rows", "cols", "macros", "sram_byte"]


def test_all_designs_of_the_exact_front_are_compared():
    kept = pd.read_csv(STUDIES / NAME / "designs.csv")
    front = load_front("scenario_free_edge").evaluations
    both = front.merge(kept, on=KEYS, suffixes=("", "_kept"))
    assert len(both) == len(front) == 251
    for name in ("latency_s", "energy_j", "idle_w", "area_mm2"):
        assert both[f"{name}_kept"].to_numpy() == pytest.approx(both[name].to_numpy(), rel=1e-12)


@pytest.mark.study
def test_designs_are_what_the_model_says():
    kept = pd.read_csv(STUDIES / NAME / "designs.csv")
    problem = load_problem(STUDIES / NAME / "problem.yaml")
    fixed = {v.name: v.values[0] for v in problem.space.variables if v.name not in KEYS}
    for kind in ("digital_os", "eyeriss"):
        rows = kept[(kept["template"] == kind) & (kept["rows"] == 8) & (kept["macros"] == 1)]
        given = fixed if kind == "eyeriss" else {"node_nm": fixed["node_nm"]}
        asked = rows.head(1).assign(**{**dict.fromkeys(fixed), **given})
        found = problem.evaluate(problem.space.encode(asked))
        for name in ("latency_s", "energy_j", "idle_w", "area_mm2"):
            assert found[name].item() == pytest.approx(rows[name].iloc[0], rel=1e-9)


@pytest.mark.study
def test_kinds_win_where_expected():
    study, (numbers, tolerance) = figures_of(NAME), expected(NAME)
    found = study.numbers()
    assert list(found) == list(numbers)
    for setting, lives in found.items():
        for life, own in lives.items():
            wanted = numbers[setting][life]
            assert (own["best"], own["sure"]) == (wanted["best"], wanted["sure"])
            assert own["lead"] == pytest.approx(wanted["lead"], rel=tolerance)


@pytest.mark.study
def test_lifetime_and_grid_count_as_their_product():
    study = figures_of(NAME)
    grams = study.least("low standby", 0.01, [600.0, 6000.0])
    table = study.DESIGNS.assign(embodied_g=study.DESIGNS["area_mm2"])
    table = table.assign(**{f"{n}@resnet8": table[n] for n in ("latency_s", "energy_j")})
    device = dataclasses.replace(study.load_workload("resnet8").deployment, period_s=0.01)
    preset = load_preset("default").with_values(leakage_factor=3e-4)
    lives_y, grids = np.array([2.0, 20.0]), np.array([30.0, 300.0])
    won = winners(table, [device], Scenario("PA", preset), lives_y * study.YEAR_S, grids)
    kinds = table["template"].to_numpy()[won]
    best = [study.KINDS[each] for each in grams.argmin(axis=1)]
    assert [kinds[0, 1], kinds[1, 0], kinds[1, 1]] == [best[0], best[0], best[1]]
    assert best == ["dimc", "aimc"]


def test_the_page_of_kinds_has_the_numbers_that_are_expected():
    page, (numbers, _) = page_of(NAME), expected(NAME)
    for named, lives in numbers.items():
        setting, duty = named.split(": ")
        cells = [f"**{own['best']}**" if own["sure"] else own["best"] for own in lives.values()]
        leads = [f"{own['lead']:.2%}".replace("%", " %") for own in lives.values()]
        told = " | ".join(f"{best}, {lead}" for best, lead in zip(cells, leads, strict=True))
        assert f"| {setting} | {duty} | {told} |" in page
