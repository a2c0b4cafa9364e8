"""The study of grids and hours: a part of its numbers comes out again, the page agrees."""

from __future__ import annotations

import pytest
from study_files import apart, expected, figures_of, page_of

from carbonopt.run.sources import load_front

NAME = "where-and-when"
USES = ("CA", "PA", "PA, low standby")


@pytest.mark.study
def test_grids_cost_what_is_expected():
    study, (numbers, tolerance) = figures_of(NAME), expected(NAME)
    study.REGIONS = ("Norway", "World")
    front = load_front("scenario_free_edge")
    for use in USES:
        told = study.regions(front, use)
        for region, own in told.items():
            wanted = numbers[f"regions {use}"][region]
            assert apart(own, wanted, tolerance) == []
        for hours in (4, 24):
            clean = {"profile": "US/CISO", "when": f"best {hours} h"}
            found, name = study.priced(front, use, hours, **clean)
            least = numbers[f"days {use}"]["US/CISO"][str(hours)]
            assert found.lowest(name)[name] == pytest.approx(least, rel=tolerance)


@pytest.mark.study
def test_the_figure_of_grids_is_drawn():
    study, (numbers, _) = figures_of(NAME), expected(NAME)
    assert len(study.draw(numbers).axes) == 2


def test_the_page_of_grids_has_the_numbers_that_are_expected():
    page, (numbers, _) = page_of(NAME), expected(NAME)
    assert page.count(" ng, ") == 3 * len(numbers["regions CA"])
    for region in numbers["regions CA"]:
        cells = []
        for use, digits, years in zip(USES, (3, 1, 1), (2, 1, 0), strict=True):
            own = numbers[f"regions {use}"][region]
            grams, age = f"{own['carbon_g'] * 1e9:.{digits}f}", f"{own['break_even_y']:.{years}f}"
            cells.append(f"{grams} ng, {own['making']:.0%}, {age} y")
        assert f"| {region} | {' | '.join(cells)} |" in page
    busy, waiting, quiet = (numbers[f"days {use}"] for use in USES)
    for grid, day in busy.items():
        best = min(day, key=lambda hours: day[hours])
        four = [own[grid]["4"] / own[grid]["24"] for own in (busy, waiting, quiet)]
        told = f"{best} h, {day[best] / day['24']:.2f} | {four[0]:.2f} | {four[1]:.2f}"
        row = next(line for line in page.splitlines() if line.startswith(f"| {grid} ("))
        assert row.endswith(f"| {told} | {four[2]:.3f} |")
    regrets = [own["regret"] for use in USES for own in numbers[f"regions {use}"].values()]
    assert f"{max(regrets):.1%}".replace("%", " %") in page
