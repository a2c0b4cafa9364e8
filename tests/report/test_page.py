"""The page of a front as text: complete, self-contained, and useful whatever the run found."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from carbonopt.front.front import Front
from carbonopt.objectives import metric
from carbonopt.report.page import page_html, write_page
from carbonopt.report.page_data import CLOUD, SHOWN_DESIGNS, page_data, shown_designs
from carbonopt.report.page_tables import scenario_table
from carbonopt.run.sources import Source

MANIFEST = {
    "problem": "tiny-demo",
    "question": "Which array is <best>?",
    "searcher": "nsga2",
    "seed": 7,
    "budget": 400,
    "command": ["/somewhere/bin/carbonopt", "run", "my study.yaml"],
    "started": "2026-11-21T10:00:00+00:00",
    "finished": None,
    "platform": "Linux-x86_64",
    "git_commit": "7db980ec",
    "versions": {"carbonopt": "0.1.0", "numpy": "2.4.6", "none": ""},
    "spec_hash": "5bec", "data_hash": "da7a", "model_hash": "30de1",
    "limits": {"area_mm2": 80},
    "content": {
        "workloads": [{"name": "resnet8", "period_s": 0.04, "dram_byte": 1048576.0, "file": ""}],
        "preset": {"name": "default", "lifetime_s": 94672800.0, "gas_g_per_mm2": 1.375, "dies": 1},
        "mapping": "optimal",
    },
}  # fmt: skip
VOID = {"meta", "link", "input", "br", "img"}


class Checker(HTMLParser):
    """Every element that is opened is closed, in order."""

    def __init__(self):
        super().__init__()
        self.open, self.ids = [], []

    def handle_starttag(self, tag, attrs):
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def checked(text):
    checker = Checker()
    checker.feed(text)
    assert not checker.open
    assert len(checker.ids) == len(set(checker.ids)), "an id is used twice"
    return text


def embedded(text):
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    return json.loads(found[1])


@pytest.fixture(scope="module")
def page(front):
    return checked(page_html(Source("runs/tiny", front, MANIFEST), ["320 designs evaluated"]))


def test_a_page_needs_nothing_from_elsewhere(page):
    assert "default-src 'none'" in page
    assert not re.search(r"<(script|img|iframe)[^>]+\bsrc=\"?http", page)
    assert not re.search(r"<link[^>]+href=\"http", page)
    assert "@import" not in page
    assert "fetch(" not in page
    assert len(page) < 2_000_000


def test_every_design_of_the_front_is_in_table_and_data(page, front):
    rows = front.to_pandas()
    assert page.count("<tr data-row=") == len(rows)
    data = embedded(page)
    assert len(data["look"]) == len(rows)
    latency = data["metrics"][0]
    assert (latency["name"], latency["unit"], latency["objective"]) == ("latency_s", "ms", True)
    np.testing.assert_allclose(latency["values"], 1e3 * rows["latency_s"], rtol=1e-5)
    dominated = front.evaluations["feasible"].astype(bool).sum() - len(rows)
    assert len(latency["cloud"]) == dominated
    assert len(latency["exact"]) == len(front.reference)
    knee = front.knee()
    assert data["metrics"][1]["values"][data["knee"]] == pytest.approx(1e6 * knee["energy_j"], 1e-5)


def test_parts_of_a_design_add_up_to_its_metric(page):
    data = embedded(page)
    labels = [each["label"] for each in data["breakdowns"]]
    assert labels == ["energy", "latency", "carbon CA", "carbon PA"]
    for breakdown in data["breakdowns"]:
        whole = next(m["values"] for m in data["metrics"] if m["label"] == breakdown["label"])
        np.testing.assert_allclose(np.sum(breakdown["values"], axis=0), whole, rtol=1e-4)


def test_variables_are_coded_in_order(page, front):
    data = embedded(page)
    sram = next(v for v in data["variables"] if v["name"] == "sram_byte")
    assert sram["label"] == "sram"
    assert sram["values"][0].endswith("KiB")
    sizes = front.to_pandas()["sram_byte"].tolist()
    order = np.argsort(sizes, kind="stable")
    assert np.all(np.diff(np.array(sram["codes"])[order]) >= 0)


def test_scenario_and_provenance_are_told(page):
    for told in (
        *("Which array is &lt;best&gt;?", "320 designs evaluated", "every 40 ms, DRAM 1 MiB"),
        *("<th scope='row'>lifetime_s</th><td>3 y</td>", "nsga2, seed 7", "Linux-x86_64", "5bec"),
        *("<th scope='row'>gas_g_per_mm2</th><td>1.375</td>", "<td>not yet</td>", "30de1"),
        *("carbonopt run &#x27;my study.yaml&#x27;", "carbonopt 0.1.0, numpy 2.4.6", "7db980ec"),
        *("<th scope='row'>limit of die area</th><td>80 mm²</td>", "2026-11-21T10:00:00+00:00"),
    ):
        assert told in page, told


def test_figures_are_inline_and_share_no_names(page):
    assert re.findall(r"<figure id='figure-(\w+)'>", page) == [
        *("front", "carbon", "breakdown", "hypervolume"),
    ]
    assert page.count("<svg role=") == 4


def test_text_of_a_run_cannot_become_markup(front):
    named = replace(front, name="<b>&", notices=("</script><script>alert(1)</script>",))
    text = checked(page_html(Source("x", named, {**MANIFEST, "platform": "<i>"})))
    assert "<script>alert" not in text
    assert "<b>" not in text.replace("<b>CA</b>", "").replace("<b>PA</b>", "")
    evil = front.evaluations.assign(template="</script><script>alert(2)</script>")
    text = checked(page_html(Source("x", replace(front, evaluations=evil))))
    assert "<script>alert" not in text


def test_a_front_without_a_manifest_has_no_scenario(front):
    bare = replace(front, history=None, reference=None, reference_point=None)
    text = checked(page_html(Source("front.csv", bare)))
    assert "id='scenario'" not in text
    assert "<td>front.csv</td>" in text
    assert "figure-hypervolume" not in text


def test_a_run_without_a_feasible_design_shows_the_nearest(front):
    nothing = front.evaluations.assign(feasible=False)
    found = replace(front, evaluations=nothing)
    text = checked(page_html(Source("runs/tiny", found, MANIFEST)))
    assert "No design keeps every limit: there is no front to show." in text
    assert "None keeps every limit. The nearest:" in text
    assert "id='figure-hypervolume'" in text
    assert embedded(text) == {}
    assert "explorer" not in text.split("</style>")[1]


def test_a_run_without_any_design_says_so(front):
    empty = replace(front, evaluations=front.evaluations.head(0), history=None)
    text = checked(page_html(Source("runs/tiny", empty, MANIFEST)))
    assert "No design has been evaluated yet." in text
    assert "nsga2, seed 7" in text


@pytest.mark.parametrize("objectives", [("energy_j",), ("latency_s", "energy_j"), ("area_mm2",)])
def test_any_number_of_objectives_is_drawn(make_front, objectives):
    data = embedded(checked(page_html(Source("x", make_front(objectives)))))
    assert len(data["pairs"]) == 1
    assert [m["name"] for m in data["metrics"] if m["objective"]] == list(objectives)


def wide_front(count):
    """A front of many designs in two objectives, with a cloud behind it."""
    share = np.linspace(0.001, 1.0, count)
    best = pd.DataFrame({"rows": range(count), "latency_s": share, "energy_j": 1.0 / share})
    cloud = best.assign(latency_s=best["latency_s"] * 2, energy_j=best["energy_j"] * 2)
    table = pd.concat([best, cloud, cloud * 1.5], ignore_index=True).assign(feasible=True)
    return Front("wide", table, (metric("latency_s"), metric("energy_j")), ("rows",))


def test_a_huge_front_is_thinned_and_says_so():
    front = wide_front(5000)
    shown = shown_designs(front)
    assert len(shown) <= SHOWN_DESIGNS
    assert shown["latency_s"].min() == front.to_pandas()["latency_s"].min()
    assert shown["energy_j"].min() == front.to_pandas()["energy_j"].min()
    assert (shown["latency_s"] == front.knee()["latency_s"]).any()
    data = page_data(front, shown)
    assert len(data["metrics"][0]["cloud"]) == CLOUD
    text = checked(page_html(Source("wide", front)))
    assert f"{len(shown):,} of the 5,000 designs of the front are shown here" in text
    assert len(text) < 5_000_000


def test_five_hundred_designs_fit_in_five_megabytes(make_front):
    front = make_front()
    rows = pd.concat([front.to_pandas()] * 16, ignore_index=True).head(500)
    many = replace(front, evaluations=rows)
    assert len(many) == 500
    assert len(page_html(Source("many", many, MANIFEST)).encode()) < 5_000_000


def test_the_same_front_makes_the_same_page(front, tmp_path):
    source = Source("runs/tiny", front, MANIFEST)
    first = write_page(source, tmp_path / "new" / "a.html").read_bytes()
    assert first == write_page(source, tmp_path / "b.html").read_bytes()


def test_the_scenario_names_the_nodes_of_designs_that_have_one_of_their_own(front):
    manifest = {"content": {"preset": {"node_nm": 28.0}}}
    mixed = replace(front, evaluations=front.evaluations.assign(node_nm=65.0))
    assert "28 nm, for dies without a node of their own; others 65 nm" in scenario_table(
        mixed, manifest
    )
    assert "<td>28 nm</td>" in scenario_table(front, manifest)
