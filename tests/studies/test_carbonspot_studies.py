"""The studies that reproduce CarbonSpot: its winners, what they cost, what the pages say."""

from __future__ import annotations

from itertools import product

import pytest
from designs import CARBONSPOT_ARRAYS
from study_files import STUDIES, apart, expected, figures_of, grid_of, page_of, part_of, parted

from carbonopt.carbon.presets import load_preset
from carbonopt.problem import load_problem
from carbonopt.report.activities import carbon_column
from carbonopt.report.scale import quantity
from carbonopt.run import evaluate
from carbonopt.units import parse_quantity

RELATIVE = 1e-9
FEWEST_ROWS, WORD_BIT_PER_COLUMN = 32, 16
DIMS = [2**power for power in range(5, 11)]
GRIDS = {
    "tiny": ("8 KiB", "32 KiB", "128 KiB", "512 KiB", "1 MiB"),
    "mobile": ("1 MiB", "4 MiB", "16 MiB", "64 MiB", "512 MiB"),
}
NETWORKS = {"ae": "autoencoder", "mobilenet": "mobilenet_v1", "mobilenet_v2": "ssd_mobilenet_v2"}
"""CarbonSpot's names of networks that have another one here."""
APART = {"mobilebert": 0.04}
"""Networks that are not CarbonSpot's to the last operation, and how far their carbon is off."""
TRIED = {"tiny": (), "mobile": ("mobilenet_edgetpu", "mobilebert")}
"""Networks whose numbers are computed again; all where none is named, the others take longer."""


@pytest.mark.parametrize("suite", GRIDS)
def test_the_grid_is_that_of_carbonspot(suite):
    whole = {
        (template, str(dim), str(dim), sram)
        for template, sram, dim in product(CARBONSPOT_ARRAYS.values(), GRIDS[suite], DIMS)
        if parse_quantity(sram, "byte") * 8 / (WORD_BIT_PER_COLUMN * dim) >= FEWEST_ROWS
    }
    rows = grid_of(STUDIES / f"carbonspot-{suite}")
    assert {tuple(row.values()) for row in rows} == whole
    assert len(rows) == {"tiny": 104, "mobile": 120}[suite]


@pytest.mark.study
@pytest.mark.slow
@pytest.mark.reference
@pytest.mark.parametrize("suite", GRIDS)
def test_winners_are_those_of_the_reference(suite, reference, tmp_path):
    """On the designs and networks that the reference table has, in settings of parity."""
    published = reference("carbonspot_carbon.csv")
    published = published[(published["suite"] == suite) & (published["workload"] != "geo")]
    published = published.assign(
        template=published["array"].map(CARBONSPOT_ARRAYS), rows=published["dim"],
        cols=published["dim"], network=published["workload"].replace(NETWORKS),
    )  # fmt: skip
    designs = published[["template", "rows", "cols", "sram_byte"]].drop_duplicates()
    names = sorted(set(published["network"]))
    folder = part_of(f"carbonspot-{suite}", (), tmp_path / "study", names)
    table = evaluate(load_problem(folder / "parity.yaml"), designs.to_dict("records"))
    study = figures_of("carbonspot-tiny")
    for package_g, total in ((150.0, "total"), (0.0, "without_package")):
        preset = load_preset("carbonspot").with_values(package_g=package_g)
        found = study.carbon_of(table, preset).set_index(designs.index)
        for name, activity in product(names, ("CA", "PA")):
            theirs = published[published["network"] == name][f"{activity.lower()}_{total}"]
            ours = found[carbon_column(activity, name)].to_numpy()
            assert ours == pytest.approx(theirs.to_numpy(), rel=APART.get(name, RELATIVE))
            assert ours.argmin() == theirs.to_numpy().argmin(), (name, activity, package_g)


@pytest.mark.study
@pytest.mark.slow
@pytest.mark.parametrize("suite", GRIDS)
def test_who_wins_costs_what_is_expected(suite, tmp_path):
    """The numbers come out of the designs that win somewhere; that no other wins takes longer."""
    name, networks = f"carbonspot-{suite}", TRIED[suite]
    numbers, tolerance = expected(name)
    told = {step: {k: v for k, v in each.items() if networks == () or k.endswith(networks)}
            for step, each in numbers.items()}  # fmt: skip
    won = [each for step in told.values() for each in step.values() if isinstance(each, dict)]
    study, folder = figures_of(name), tmp_path / "study"
    part_of(name, {each["best"] for each in won}, folder, networks)
    tables = study.solve(folder, tmp_path, workers=1)
    steps = study.priced(tables)
    found = {step: {k: each[k] for k in told[step]} for step, each in study.numbers(steps).items()}
    (named, amounts), (names, given) = parted(found), parted(told)
    assert named == names
    assert apart(amounts, given, tolerance) == []
    for column in steps["leakage"].filter(like="carbon_"):
        own = tables["default"][column].to_numpy()
        assert steps["leakage"][column].to_numpy() == pytest.approx(own, rel=RELATIVE)
    assert len(study.draw(steps).axes) == 2 * (len(networks) or 4)


@pytest.mark.parametrize("suite", GRIDS)
def test_the_page_has_the_winners_and_steps_that_are_expected(suite):
    numbers, _ = expected(f"carbonspot-{suite}")
    page = page_of(f"carbonspot-{suite}")
    ends = ("CarbonSpot without the package", "CarbonSpot", "default")
    for column in [name for name in numbers["default"] if "@" in name]:
        activity, network = column.split("_")[1].upper(), column.split("@")[1]
        cells = [
            f"{w['best']}: {quantity(w['g'], 'g', 3)}" for w in (numbers[e][column] for e in ends)
        ]
        times = numbers["CarbonSpot"][column]["regret"]
        regret = "none: too large" if times is None else f"{times:.3g}"
        assert f"| {network}, {activity} | {' | '.join(cells)} | {regret} |" in page
    for step, found in numbers.items():
        if step != ends[0]:
            told = f"| {found['winners_changed']} | {found['ca']:.3g} | {found['pa']:.3g} |"
            (line,) = [line for line in page.splitlines() if line.startswith(f"| {step} |")]
            assert line.endswith(told)
