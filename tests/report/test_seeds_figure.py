"""The table and figure of a campaign."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from carbonopt.front.seeds import SeedStatistics, Surface, comparison_table, group_table
from carbonopt.objectives import metric
from carbonopt.report.seeds import plot_seeds, statistics_page, statistics_text, write_statistics


@pytest.fixture
def found():
    rng = np.random.default_rng(3)
    levels = {("tpe", 50): 0.7, ("tpe", 500): 0.9, ("random", 50): 0.4, ("random", 500): 0.5}
    rows = [
        {"problem": "p", "budget": budget, "searcher": name, "seed": seed}
        | {"hypervolume_log_ratio": (ratio := level + 0.02 * rng.random())}
        | {"share_within_2_percent": ratio / 2, "epsilon": 1 / ratio}
        for (name, budget), level in levels.items()
        for seed in range(5)
    ]
    runs = pd.DataFrame(rows)
    pair = (metric("latency_s"), metric("energy_j"))
    corners = pd.DataFrame(
        [("tpe", 500, 1e-4, 2e-6), ("random", 500, 2e-4, 3e-6)],
        columns=["searcher", "budget", "latency_s", "energy_j"],
    )
    surface = Surface("p", pair, corners, np.array([[9e-5, 1.9e-6]]))
    return SeedStatistics(
        name="which",
        question="Which searcher?",
        runs=runs,
        groups=group_table(runs),
        comparisons=comparison_table(runs),
        surfaces=(surface,),
        notices=("p: against its reference front of 9 designs",),
    )


def test_the_table_says_who_is_better_than_whom(found):
    lines = statistics_text(found).splitlines()
    assert lines[0].split() == [
        *("budget", "searcher", "seeds", "log-HV", "quartiles"),
        *("within", "2", "%", "eps", "better", "than"),
    ]
    best = next(line for line in lines if line.split()[:2] == ["500", "tpe"])
    assert best.endswith("random 1.00")
    assert max(map(len, lines)) <= 104
    assert lines[-1] == "p: against its reference front of 9 designs"


def test_the_page_is_markdown_with_the_same_table(found):
    page = statistics_page(found)
    assert page.startswith("# which\n\nWhich searcher?\n\n| budget | searcher | seeds | log-HV |")
    assert page.count("\n| 50 |") == page.count("\n| 500 |") == 2
    assert "![statistics](statistics.svg)" in page


def test_the_figure_has_a_row_per_problem(found):
    left, right = plot_seeds(found).axes
    assert left.get_title(loc="left") == "p"
    assert [text.get_text() for text in left.get_xticklabels()] == ["50", "500"]
    assert right.get_title(loc="left") == "median attainment after 500 designs"
    assert len(right.lines) == 2


def test_with_a_single_budget_searchers_are_named_below(found):
    single = replace(found, groups=found.groups[found.groups["budget"] == 500])
    left, _ = plot_seeds(single).axes
    assert left.get_xscale() == "linear"
    assert {text.get_text() for text in left.get_xticklabels()} == {"tpe", "random"}
    assert left.get_xlabel() == "500 designs evaluated"


def test_files_are_the_same_each_time(found, tmp_path):
    files = write_statistics(found, tmp_path / "a")
    again = write_statistics(found, tmp_path / "b")
    assert [file.name for file in files] == [
        *("statistics.png", "statistics.svg", "runs.csv", "groups.csv", "comparisons.csv"),
        *("attainment.csv", "statistics.md"),
    ]
    for one, other in zip(files, again, strict=True):
        assert one.read_bytes() == other.read_bytes()
