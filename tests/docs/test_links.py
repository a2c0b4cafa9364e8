"""Links of the pages that are read in the repository lead to files and headings.

The same links in the site, where some pages are generated, are followed by test_site.py.
"""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

import pytest
from doc_pages import ROOT, pages

PAGES = {page.relative_to(ROOT).as_posix(): page for page in pages()}
TUTORIAL = ROOT / "docs" / "start" / "tutorial.ipynb"


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
        return "no such file"
    found = not parts.fragment or parts.fragment in anchors(target.read_text(encoding="utf-8"))
    return "" if found else "no such heading"


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_files_and_headings(name):
    page = PAGES[name]
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    assert faults(page, text) == {}


def test_links_of_the_tutorial_lead_to_files_and_headings():
    cells = json.loads(TUTORIAL.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    assert "](" in text
    assert faults(TUTORIAL, text) == {}


def faults(page, text):
    """What is wrong with the links in a text, by link."""
    links = re.findall(r"(?<!`)\[[^]`]*(?:`[^`]*`[^]`]*)*\]\(([^)\s]+)\)", text)
    return {link: said for link in links if (said := fault(page, link))}
