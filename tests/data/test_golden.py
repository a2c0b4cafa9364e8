"""No shipped number changes unseen: the golden copy is written by one command, read by a person.

python tests/data/shipped_values.py
"""

from __future__ import annotations

import pytest
from shipped_values import read_golden, shipped_values

pytestmark = pytest.mark.golden


def changes(old: dict[str, str], new: dict[str, str]) -> list[str]:
    """``place: old → new`` of every number that is not the same."""
    places = dict.fromkeys([*old, *new])
    return [
        f"{place}: {old.get(place, 'nothing')} → {new.get(place, 'nothing')}"
        for place in places
        if old.get(place) != new.get(place)
    ]


def test_shipped_numbers_are_the_golden_ones():
    found = changes(read_golden(), shipped_values())
    assert not found, "\n".join(
        ["shipped numbers changed: name them in CHANGELOG.md, then run", __doc__ or "", *found]
    )


def test_a_changed_number_shows_old_and_new():
    golden = read_golden()
    place = "carbon_presets.csv: default.package_g: value"
    assert golden[place] == "150"
    assert changes(golden, golden | {place: "151"}) == [f"{place}: 150 → 151"]
    assert changes({"a": "1"}, {}) == ["a: 1 → nothing"]
