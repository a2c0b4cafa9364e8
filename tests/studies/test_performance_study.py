"""The study of performance against carbon: its numbers in part, and its page."""

from __future__ import annotations

import pytest
from study_files import apart, expected, figures_of, page_of, part_of, parted

NAME, PART = "performance-versus-carbon", "carbonspot-tiny"
SETTINGS = ("CarbonSpot", "default")
NETWORKS = ("autoencoder", "ds_cnn", "mobilenet_v1", "resnet8")


def cases_of(numbers, networks):
    """The cases of some networks, by setting."""
    return {
        setting: {
            case: told
            for case, told in numbers[setting].items()
            if case.split(",")[0] in networks
        }
        for setting in SETTINGS
    }  # fmt: skip


@pytest.mark.study
@pytest.mark.slow
def test_the_best_of_mlperf_tiny_come_out_again(tmp_path):
    study, (numbers, tolerance) = figures_of(NAME), expected(NAME)
    cases = cases_of(numbers, NETWORKS)
    best = set()
    for told in [told for of_setting in cases.values() for told in of_setting.values()]:
        best |= {told["least carbon"], *(told[merit]["best"] for merit in study.MARKS)}
    found = study.numbers(study.solve([part_of(PART, best, tmp_path / "study")], tmp_path, 1))
    (named, amounts), (names, expected_amounts) = parted(cases_of(found, NETWORKS)), parted(cases)
    assert named == names
    assert apart(amounts, expected_amounts, tolerance) == []


def test_all_cases_are_drawn():
    study, (numbers, _) = figures_of(NAME), expected(NAME)
    panels = study.draw(numbers).axes
    assert [panel.get_title(loc="left") for panel in panels] == [
        f"{setting}, {activity}" for setting in SETTINGS for activity in ("CA", "PA")
    ]
    assert {len(panel.get_yticks()) for panel in panels} == {8}


def test_the_page_has_the_numbers_that_are_expected():
    page, (numbers, _) = page_of(NAME), expected(NAME)
    for case, told in numbers["default"].items():
        fast, lean = told["TOP/s"], told["TOP/s/W"]
        assert (
            f"| {case} | {told['least carbon']} | {fast['best']} | {fast['carbon']:.3g} "
            f"| {fast['behind']:.3g} | {lean['carbon']:.3g} |"
        ) in page
    for name, told in numbers["all"].items():
        setting, activity, merit = name.split(", ")
        cells = f"{told['differ']} of 8 | {told['median']:.3g} | {told['most']:.3g}"
        assert f"| {setting} | {activity} | {merit} | {cells} |" in page
