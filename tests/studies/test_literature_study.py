"""The study of published accelerators: its numbers, CarbonSpot's where it gives them, its page."""

from __future__ import annotations

import pytest
from study_files import apart, expected, figures_of, page_of

from carbonopt.report.scale import quantity

NAME = "carbonspot-literature"
SUITES = ("MLPerf Tiny", "MLPerf Mobile")
ACTIVITIES = {"carbon_ca_g": "CA", "carbon_pa_g": "PA"}
ENDS = {"carbonspot": "CarbonSpot", "default": "default"}


@pytest.mark.study
@pytest.mark.reference
def test_carbon_of_the_chips_is_carbonspots(reference):
    study, (numbers, tolerance) = figures_of(NAME), expected(NAME)
    found = study.steps()
    assert apart(study.numbers(found), numbers, tolerance) == []
    published = reference("literature_tiny.csv").set_index("source")
    ours = found["carbonspot"][SUITES[0]].set_index("source")
    assert len(ours) == 13
    for name in ACTIVITIES:
        theirs = published.loc[ours.index, name].to_numpy()
        assert ours[name].to_numpy() == pytest.approx(theirs, rel=1e-12)


def test_the_last_step_is_the_preset_default():
    study = figures_of(NAME)
    last = list(study.steps().values())[-1]
    default = study.solve("default", study.load_preset("default"))
    for suite in SUITES:
        for name in ACTIVITIES:
            given = default[suite][name].to_numpy()
            assert last[suite][name].to_numpy() == pytest.approx(given, rel=1e-12, nan_ok=True)


def test_the_page_has_the_numbers_that_are_expected():
    page, (numbers, _) = page_of(NAME), expected(NAME)
    for end, title in ENDS.items():
        for suite in SUITES:
            for name, activity in ACTIVITIES.items():
                each = numbers[end][suite][name]
                row = (
                    f"| {title} | {suite}, {activity} | {each['chips']} | {each['best']:.0f} "
                    f"| {quantity(each['least_g'], 'g')} "
                    f"| {each['median_operational_share']:.2f} "
                    f"| {each['rank_agrees_with_tops_per_w']:.2f} "
                    f"| {each['rank_agrees_with_area']:.2f} |"
                )
                assert row in page
    for step, found in numbers.items():
        if step not in ENDS:
            assert f"| {step} | {' | '.join(f'{times:.3f}' for times in found.values())} |" in page
