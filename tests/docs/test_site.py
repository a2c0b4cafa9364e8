"""The site: built strictly without network, with links that lead somewhere and whole references."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from doc_pages import DOCS, ROOT
from pydantic import TypeAdapter

import carbonopt
from carbonopt.cli import make_parser
from carbonopt.data.tables import FOLDER
from carbonopt.hardware.knob_table import knob_table
from carbonopt.objectives import METRICS
from carbonopt.spec.bom import BomSpec
from carbonopt.spec.machine import MachineSpec
from carbonopt.spec.problem import ProblemSpec
from carbonopt.spec.scenario import ScenarioSpec
from carbonopt.spec.study import StudySpec

pytestmark = pytest.mark.slow  # the build takes more than 20 s
INDEXED = re.findall(r"^## (.+)$", (DOCS / "reference" / "index.md").read_text(), re.M)
NOWHERE = "http://127.0.0.1:9"
"""A proxy that nothing listens at: whatever asks the network fails."""


@dataclass
class Page(HTMLParser):
    """What a page links to, what can be linked to in it, and what it loads."""

    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag in ("script", "img", "iframe") and "src" in given:
            self.loads.append(given["src"])
        elif tag == "link" and given.get("rel") in ("stylesheet", "icon"):
            self.loads.append(given["href"])


@dataclass
class Site:
    """A built site: its folder, what the build said, and its pages."""

    folder: Path
    said: str
    pages: dict[Path, Page]

    def text(self, place: str) -> str:
        """Source of a page."""
        return (self.folder / place).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site").resolve()
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), NOWHERE)
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | proxies | {"NO_MKDOCS_2_WARNING": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    parsed = {}
    for file in folder.rglob("*.html"):
        parsed[file] = Page()
        parsed[file].feed(file.read_text(encoding="utf-8"))
    return Site(folder, done.stdout, parsed)


def test_the_build_gives_no_warning(site):
    assert not re.search(r"warning|error", site.said, re.I), site.said


def test_the_build_needs_every_page_in_the_navigation(site):
    """What is not in it is a warning, so that a strict build tells."""
    assert "omitted_files: warn" in (ROOT / "mkdocs.yml").read_text()
    for page in DOCS.rglob("*.md"):
        assert (site.folder / page.relative_to(DOCS).with_suffix(".html")).is_file(), page


def _fault(site, file, link):
    """What is wrong with a link, '' where nothing is."""
    parts = urlsplit(link)
    if parts.scheme:
        known = parts.scheme in ("https", "http") and re.fullmatch(r"[\w.-]+\.\w+", parts.netloc)
        return "" if known and " " not in link else f"{link}: no address"
    target = file if not parts.path else (file.parent / unquote(parts.path)).resolve()
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return f"{link}: no such file"
    if parts.fragment and unquote(parts.fragment) not in site.pages[target].anchors:
        return f"{link}: no such place"
    return ""


def test_every_link_leads_somewhere(site):
    faults = [
        f"{file.relative_to(site.folder)}: {fault}"
        for file, page in site.pages.items()
        if file.name != "404.html"
        for link in page.links
        if (fault := _fault(site, file, link))
    ]
    assert faults == []


def test_the_index_of_the_reference_leads_to_each_of_its_pages(site):
    folder = site.folder / "reference"
    made = {file.name for file in folder.glob("*.html")} - {"index.html"}
    assert len(made) == 15
    assert made <= set(site.pages[folder / "index.html"].links)
    listed = {f"{title.lower().replace(' ', '_')}.html" for title in INDEXED}
    assert listed == made - {"glossary.html"}


def test_pages_load_nothing_from_elsewhere(site):
    for file, page in site.pages.items():
        assert [load for load in page.loads if urlsplit(load).netloc] == [], file


def test_search_works_from_a_file(site):
    index = site.text("search/search_index.js")
    assert all(word in index for word in ("hypervolume", "late_rule", "mobilenet_edgetpu"))
    assert 'src="assets/iframe-worker.js"' in site.text("index.html")


def _keys(model):
    """Every key of a model and of its parts, from its JSON schema; values are no parts."""
    schema = TypeAdapter(model).json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return {key for part in parts if part["title"].endswith("Spec") for key in part["properties"]}


def _rows(site, place):
    """Cells of a page's tables by the key in front, where a key is first told."""
    rows = re.findall(r"<td><code>(\w+)</code></td>(.*?)</tr>", site.text(place), re.S)
    return {key: re.findall(r"<td>(.*?)</td>", cells, re.S) for key, cells in reversed(rows)}


@pytest.mark.parametrize(
    ("place", "model"),
    [
        ("problem_file", ProblemSpec),
        ("study_file", StudySpec),
        ("machine_file", MachineSpec),
        ("bom_file", BomSpec),
        ("scenario", ScenarioSpec),
    ],
)
def test_every_key_of_every_file_is_described(site, place, model):
    keys = _keys(model) - (_keys(ScenarioSpec) if model is ProblemSpec else set())
    assert len(keys) > 8
    told = _rows(site, f"reference/{place}.html")
    assert keys - set(told) == set()
    assert [key for key in keys if not told[key][0].strip()] == [], "takes nothing"
    assert [key for key in keys if not told[key][1].strip()] == [], "has no default, not even none"
    assert [key for key in keys if told[key][-1].strip() in ("", "None")] == [], "says nothing"


def test_units_bounds_defaults_and_words_are_told(site):
    energy = _rows(site, "reference/machine_file.html")["mac_energy"]
    assert re.sub("<.*?>", "", energy[0]) == "J, &gt;= 0"
    assert energy[1] == "required"
    assert _rows(site, "reference/study_file.html")["budget"][:2] == [
        *("whole number, &gt; 0; or a list", "<code>2000</code>")
    ]
    late = _rows(site, "reference/scenario.html")["late_rule"][1]
    assert re.findall("<code>(.*?)</code>", late) == ["fractional", "infeasible", "replicate"]


def test_every_command_and_option_is_described(site):
    page = site.text("reference/commands.html")
    parser = make_parser()
    (commands,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    for name, command in commands.choices.items():
        part = page.partition(f'<h2 id="{name}">')[2].partition("<h2 ")[0]
        told = command.format_help()
        assert part, name
        for option in re.findall(r"^  (?:-\w, )?(--[\w-]+)", told, re.M):
            assert option == "--help" or option in part, (name, option)
    options = page.partition('<h2 id="evaluate">')[2].partition("<h2 ")[0]
    keys = ScenarioSpec.model_fields
    assert [key for key in keys if f"--{key.replace('_', '-')} " not in options] == []


def test_metrics_knobs_tables_and_public_names_are_all_there(site):
    for place, names in (
        ("metrics", METRICS),
        ("knobs", knob_table()),
        ("data", [file.name for file in FOLDER.glob("*.csv")]),
        ("api", carbonopt.__all__),
    ):
        page = site.text(f"reference/{place}.html")
        assert [name for name in names if name not in page] == []
    assert (site.folder / "data" / "fab_nodes.csv").read_bytes() == (
        FOLDER / "fab_nodes.csv"
    ).read_bytes()


def test_the_tutorial_ran(site):
    page = site.text("start/tutorial.html")
    assert "192 designs" in page
    assert page.count("<img ") == 1
    table = page.partition("<th>least PA carbon</th>")[2].partition("</tr>")[0]
    least = float(re.findall(r"<td>([\d.e-]+)</td>", table)[-1])
    again = page.partition("<th>France</th>")[2].partition("</tr>")[0]
    assert 0 < float(re.findall(r"<td>([\d.e-]+)</td>", again)[-1]) < least
