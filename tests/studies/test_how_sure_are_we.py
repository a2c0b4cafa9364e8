"""The study of uncertainty: its numbers come out again, the figure is drawn, the page agrees."""

from __future__ import annotations

import pytest
from study_files import apart, expected, figures_of, page_of

NAME = "how-sure-are-we"
USES = ("CA", "CA, grid known", "PA", "PA, low standby")


@pytest.mark.study
@pytest.mark.parametrize("use", USES)
def test_one_network_is_as_sure_as_expected(use):
    study, (numbers, tolerance) = figures_of(NAME), expected(NAME)
    found = study.numbers(*study.sample("scenario_free_edge", use))
    wanted = numbers[f"scenario_free_edge, {use}"]
    assert list(found["causes"]) == list(wanted["causes"])
    assert apart(found, wanted, tolerance) == []


def test_the_page_of_uncertainty_has_the_numbers_that_are_expected():
    page, (numbers, _) = page_of(NAME), expected(NAME)
    for named, own in numbers.items():
        problem, use = named.split(", ", 1)
        causes = [f"{name} {share:.0%}" for name, share in own["causes"].items() if share >= 0.05]
        cells = [
            *(f"`{problem}`", use, f"{own['p95_over_p5']:.2f}", f"{own['best_in']:.1%}"),
            *(f"{own['regret']:.1%}", f"{own['stay']} of {own['front']}, {own['ever']}"),
            ", ".join(causes),
        ]
        assert f"| {' | '.join(cells)} |" in page
    busy, waiting = (numbers[f"mlperf_tiny, {use}"]["kinds"] for use in ("CA", "PA"))
    for ends in (busy["dimc"]["beside"], waiting["digital_os"]["beside"]):
        assert f"{ends[0]:.2f}" in page
        assert f"{ends[1]:.2f}" in page
    assert f"{busy['dimc']['nominal'][0]:.2f} times" in page
