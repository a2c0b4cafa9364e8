"""A page that is put anywhere under docs/ is found in the navigation, without being listed."""

from __future__ import annotations

import pytest
from doc_pages import DOCS


@pytest.fixture
def hooks(monkeypatch):
    pytest.importorskip("mkdocs", reason="needs the extra docs")
    monkeypatch.syspath_prepend(DOCS / "hooks")
    import pages

    return pages


def files_of(places):
    from mkdocs.structure.files import File, Files

    return Files([File(place, "", "", use_directory_urls=False) for place in places])


def test_pages_take_their_place_by_folder(hooks):
    found = files_of(["index.md", "fronts.md", "how-to/own_network.md", "how-to/index.md"])
    assert hooks._section(found, "how-to") == [
        *("how-to/index.md", "fronts.md", "how-to/own_network.md")
    ]
    assert hooks._section(found, "concepts") == []


def test_newcomers_are_led_through_the_start_in_order(hooks):
    found = files_of(["start/tutorial.md", "start/first_front.md", "start/install.md"])
    assert hooks._section(found, "start") == [
        *("start/install.md", "start/first_front.md", "start/tutorial.md")
    ]
