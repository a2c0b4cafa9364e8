"""Statistics over seeds, against values worked out by hand or by counting."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from carbonopt.front.seeds import comparison_table, group_table, holm, median_attainment

POINTS = st.lists(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=4), min_size=1, max_size=7
)


def runs(measures, *, budget=50, problem="p", **columns):
    """Rows of runs: the logarithmic hypervolume ratios of each searcher."""
    return pd.DataFrame(
        {"problem": problem, "budget": budget, "searcher": name, "seed": seed}
        | {"hypervolume_log_ratio": value, "share_within_2_percent": value, "epsilon": 1 / value}
        | columns
        for name, values in measures.items()
        for seed, value in enumerate(values, start=1)
    )


def test_groups_have_median_range_and_quartiles():
    table = group_table(runs({"a": [0.1, 0.5, 0.2, 0.4, 0.3], "b": [0.9]}))
    first = table.iloc[0]
    assert (first["seeds"], first["searcher"]) == (5, "a")
    names = ("low", "q1", "median", "q3", "high")
    assert [first[f"hypervolume_log_ratio_{n}"] for n in names] == pytest.approx(
        [0.1, 0.2, 0.3, 0.4, 0.5]
    )
    assert first["epsilon_median"] == pytest.approx(1 / 0.3)
    assert table.iloc[1]["hypervolume_log_ratio_q1"] == 0.9


def test_a_run_without_a_feasible_design_is_the_worst_of_its_group():
    table = group_table(runs({"a": [0.5, 0.6, 0.7]}).assign(epsilon=[np.inf, 2.0, 1.5]))
    assert table.loc[0, ["epsilon_low", "epsilon_median", "epsilon_high"]].tolist() == [
        1.5,
        2.0,
        np.inf,
    ]


def test_a_clear_difference_is_found_with_its_size():
    """Five against five without overlap: U = 25, p = 2/252 exactly."""
    table = comparison_table(
        runs({"a": [0.9, 0.91, 0.92, 0.93, 0.94], "b": [0.1, 0.2, 0.3, 0.4, 0.5]})
    )
    (row,) = table.to_dict("records")
    assert (row["first"], row["second"], row["better"]) == ("a", "b", "a")
    assert (row["a12"], row["u"]) == (1.0, 25.0)
    assert row["p"] == row["p_holm"] == pytest.approx(2 / 252)


def test_the_effect_size_counts_pairs_with_ties_half():
    first, second = [0.3, 0.5, 0.5, 0.7], [0.2, 0.5, 0.6]
    pairs = [(a > b) + 0.5 * (a == b) for a, b in itertools.product(first, second)]
    table = comparison_table(runs({"a": first, "b": second}))
    assert table.loc[0, "a12"] == pytest.approx(np.mean(pairs))
    assert table.loc[0, "p"] == pytest.approx(mannwhitneyu(first, second).pvalue)
    assert table.loc[0, "better"] == ""


def test_searchers_are_compared_at_equal_budgets_and_corrected_together():
    rng = np.random.default_rng(1)
    samples = {
        name: 0.5 + shift + 0.01 * rng.random(6)
        for name, shift in {"a": 0, "b": 0, "c": 0.2}.items()
    }
    both = [runs(samples, budget=b, problem=p) for p in "pq" for b in (10, 20)]
    table = comparison_table(pd.concat(both))
    assert len(table) == 2 * 2 * 3
    for _, part in table.groupby(["problem", "budget"]):
        assert part["p_holm"].tolist() == pytest.approx(holm(part["p"]).tolist())
    assert set(table.loc[table["second"] == "c", "better"]) == {"c"}


def test_without_a_reference_point_epsilon_decides_and_less_is_better():
    table = runs({"a": [0.2, 0.21, 0.22, 0.23, 0.24], "b": [0.9, 0.91, 0.92, 0.93, 0.94]})
    (row,) = comparison_table(table.assign(hypervolume_log_ratio=np.nan)).to_dict("records")
    assert (row["measure"], row["better"], row["a12"]) == ("epsilon", "b", 0.0)


def test_holm_of_published_example():
    """Wikipedia's four p-values 0.01, 0.04, 0.03, 0.005: two stay below 0.05."""
    assert holm([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]).tolist() == []


@pytest.mark.property
@given(POINTS)
def test_half_of_the_fronts_attain_the_median_surface_and_nothing_beyond(fronts):
    level = -(-len(fronts) // 2)
    surface = median_attainment(fronts)

    def attained(x, y):
        return sum(any(a <= x and b <= y for a, b in front) for front in fronts) >= level

    for x, y in itertools.product(range(8), repeat=2):
        below = bool(np.any(np.all(surface <= [x, y], axis=1)))
        assert below == attained(x, y)
