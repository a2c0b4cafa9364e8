"""The study of searchers and budgets: its numbers come out again, and its page says them."""

from __future__ import annotations

import pytest
from study_files import STUDIES, expected, figures_of, page_of

from carbonopt.campaign import Campaign, CampaignStore
from carbonopt.campaign.plan import campaign_of
from carbonopt.campaign.statistics import statistics_of
from carbonopt.campaign.worker import run_cells
from carbonopt.run import load_study
from carbonopt.search.stop import StopRules

STUDY = STUDIES / "nsga2-vs-tpe"
EXPECTED, TOLERANCE = expected("nsga2-vs-tpe")


def test_the_page_has_the_numbers_that_are_expected():
    page = page_of("nsga2-vs-tpe")
    for name, group in EXPECTED["groups"].items():
        median = f"{group['hypervolume_log_ratio_median']:.3f}"
        cells = f"| {name.replace(', ', ' | ')} |"
        (line,) = [line for line in page.splitlines() if line.startswith(cells)]
        assert f"| {median} (" in line


def test_the_study_asks_for_what_is_expected():
    asked = {cell.name for cell in campaign_of(load_study(STUDY), StopRules()).cells}
    assert set(EXPECTED["runs"]) == asked


@pytest.mark.study
@pytest.mark.slow
def test_runs_of_the_study_come_out_again(tmp_path):
    """Two seeds of the smallest budget, with every searcher, on the problem with an exact front."""
    study = campaign_of(load_study(STUDY), StopRules())
    part = Campaign(study.name, study.problems[:1], study.searchers, [50], [1, 2])
    store = CampaignStore(tmp_path)
    store.keep(part)
    run_cells(store, part, part.cells, lambda event: None)
    found, program = statistics_of(tmp_path), figures_of("nsga2-vs-tpe")
    ratios = program.numbers(found)["runs"]
    known = {cell.name: EXPECTED["runs"][cell.name] for cell in part.cells}
    assert ratios == pytest.approx(known, rel=TOLERANCE)
    assert list(program.answer(found)) == list(study.searchers)
