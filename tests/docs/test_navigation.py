"""A page that is put anywhere under docs/ is found in the navigation, without being listed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from doc_pages import DOCS, ROOT


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
        *("how-to/index.md", "how-to/own_network.md", "fronts.md")
    ]
    assert hooks._section(found, "concepts") == []


def test_newcomers_are_led_through_the_start_in_order(hooks):
    found = files_of(["start/tutorial.md", "start/first_front.md", "start/install.md"])
    assert hooks._section(found, "start") == [
        *("start/install.md", "start/first_front.md", "start/tutorial.md")
    ]


def shown(hooks, place, markdown, others):
    page = SimpleNamespace(file=SimpleNamespace(src_uri=place))
    return hooks.on_page_markdown(markdown, page=page, files=files_of([place, *others]))


def test_links_between_docs_problems_and_studies_hold_in_the_site(hooks):
    others = ["validation/index.md", "studies/quickstart.md", "studies/quickstart/front.png"]
    links = "[why](../../docs/validation/index.md#search) ![front](front.png) [code](../../x.py)"
    assert shown(hooks, "studies/quickstart.md", links, others) == (
        "[why](../validation/index.md#search) ![front](quickstart/front.png) code"
    )
    study = "[a study](../../studies/quickstart/README.md), [ours](../gone.md)"
    assert shown(hooks, "concepts/fronts.md", study, others) == (
        "[a study](../studies/quickstart.md), [ours](../gone.md)"
    )
    listed = "[a study](quickstart/README.md), [ours](../docs/validation/index.md)"
    assert shown(hooks, "studies/index.md", listed, others) == (
        "[a study](quickstart.md), [ours](../validation/index.md)"
    )
    top = "[a study](../studies/quickstart/README.md) `[a](b)`\n```python\nx[a](../b)\n```"
    assert shown(hooks, "fronts.md", top, others) == top.replace(
        "../studies/quickstart/README.md", "studies/quickstart.md"
    )


def test_what_the_site_generates_is_linked_by_what_the_repository_has(hooks):
    others = ["reference/index.md", "reference/problem_file.md", "start/tutorial.md"]
    links = "[keys](../reference/index.md#problem-file) [all](../reference/index.md)"
    assert shown(hooks, "how-to/own_problem.md", links, others) == (
        "[keys](../reference/problem_file.md) [all](../reference/index.md)"
    )
    assert shown(hooks, "index.md", "[a](start/tutorial.ipynb)", others) == "[a](start/tutorial.md)"
    study = "[keys](../../docs/reference/index.md#problem-file)"
    assert shown(hooks, "studies/quickstart.md", study, others) == (
        "[keys](../reference/problem_file.md)"
    )
    index = shown(hooks, "reference/index.md", "## Problem file\n\n## BOM file", others)
    assert index == "## [Problem file](problem_file.md)\n\n## [BOM file](index.md#bom-file)"


def test_problems_and_studies_are_pages(hooks):
    found = dict(hooks.shipped_files(ROOT))
    assert found["problems/hardware.md"] == ROOT / "problems" / "hardware" / "README.md"
    assert "studies/quickstart/study.yaml" in found
    assert found["studies/index.md"] == ROOT / "studies" / "README.md"
