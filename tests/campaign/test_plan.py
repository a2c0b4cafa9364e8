"""Cells of a campaign, and the parts that they fall into."""

import pytest
import toy
from campaigns import campaign

from carbonopt.campaign import Cell, Share
from carbonopt.errors import SpecError


def test_every_combination_is_a_cell_of_its_own():
    asked = campaign(toy.small(), toy.large(), budgets=[30, 5000])
    names = [cell.name for cell in asked.cells]
    assert len(set(names)) == len(names) == 2 * 2 * 2 * 2
    assert names[0] == "small-nsga2-b30-s1"
    assert {cell.seed for cell in asked.cells[:8]} == {1}
    assert [asked.designs(Cell(p, "nsga2", 5000, 1)) for p in ("small", "large")] == [96, 2880]


@pytest.mark.parametrize("parts", [1, 2, 3, 7, 100])
def test_parts_are_disjoint_and_cover_everything(parts):
    cells = campaign(budgets=[10, 20, 30], seeds=range(1, 11)).cells
    holders = [[k for k in range(1, parts + 1) if Share(k, parts).holds(c)] for c in cells]
    assert all(len(held) == 1 for held in holders)
    counts = [sum(held == [k] for held in holders) for k in range(1, parts + 1)]
    assert max(counts) - min(counts) <= 6  # one per problem, budget and searcher


def test_added_seeds_move_no_cell_to_another_part():
    few, more = campaign(seeds=[1, 2]).cells, campaign(seeds=[1, 2, 3, 4, 5]).cells
    for part in (1, 2, 3):
        held = [cell for cell in few if Share(part, 3).holds(cell)]
        assert held == [c for c in more if Share(part, 3).holds(c) and c in few]


@pytest.mark.parametrize("text", ["3/2", "0/2", "1/0", "2", "a/b", "1/2/3", "-1/2"])
def test_a_part_that_is_none_is_refused(text):
    with pytest.raises(SpecError, match=f"--only: got {text}, allowed: K/N with K from 1 to N"):
        Share.of(text)
    assert Share.of("2/4") == Share(2, 4)


def test_two_problems_of_one_name_and_empty_axes_are_told_at_once():
    with pytest.raises(SpecError) as caught:
        campaign(toy.small(), toy.small(), seeds=[])
    assert str(caught.value).splitlines() == [
        "problem: got two of the name small, allowed: one",
        "seed: got none, allowed: at least one",
    ]
