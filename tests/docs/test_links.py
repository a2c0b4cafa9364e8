"""Links of the pages that are read in the repository lead to files and headings."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from doc_pages import ROOT, pages

PAGES = {page.relative_to(ROOT).as_posix(): page for page in pages()}
GENERATED = ("reference/", "start/tutorial.md")
"""Pages that are there once the site is built; tests/docs/test_site.py follows links to them."""


def anchors(text):
    """Headings of a page as GitHub and the site name them."""
    titles = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def fault(page, link):
    """What is wrong with a link, '' where nothing is."""
    parts = urlsplit(link)
    if parts.scheme:
        return "" if parts.scheme in ("http", "https") and "." in parts.netloc else "no address"
    target = (page.parent / parts.path).resolve() if parts.path else page
    if not target.exists():
        inside = target.as_posix().removeprefix(f"{ROOT.as_posix()}/docs/")
        return "" if inside.startswith(GENERATED) else "no such file"
    found = not parts.fragment or parts.fragment in anchors(target.read_text(encoding="utf-8"))
    return "" if found else "no such heading"


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_files_and_headings(name):
    page = PAGES[name]
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    links = re.findall(r"(?<!`)\[[^]`]*(?:`[^`]*`[^]`]*)*\]\(([^)\s]+)\)", text)
    assert {link: said for link in links if (said := fault(page, link))} == {}
