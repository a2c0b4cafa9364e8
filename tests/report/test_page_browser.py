"""The page in a real browser: what is drawn, what follows what, and that it stays alone."""

from __future__ import annotations

import pytest
from test_page import MANIFEST

from carbonopt.report.page import write_page
from carbonopt.run.sources import Source, open_source

pytestmark = pytest.mark.browser
PASSING = "document.querySelectorAll('#designs tbody tr:not(.out)').length"


@pytest.fixture(scope="module")
def file(front, tmp_path_factory):
    source = Source("runs/tiny", front, MANIFEST)
    return write_page(source, tmp_path_factory.mktemp("page") / "report.html", ["some designs"])


@pytest.fixture
def page(browser, file):
    page = browser.open(file)
    yield page
    assert page.complaints == []
    assert page.external == []
    page.close()


def test_every_design_is_drawn_in_every_plot(page, front):
    panels = page.run("document.querySelectorAll('#scatters svg').length")
    assert panels == 4
    assert page.run("document.querySelectorAll('#scatters .mark').length") == panels * len(front)
    assert page.run("document.querySelectorAll('#parallel .line').length") == len(front)
    assert page.run(PASSING) == len(front)
    assert page.run("document.title") == "tiny-demo: front"


def test_marks_lie_where_the_numbers_say(page, front):
    script = """(() => {
      const places = [...document.querySelectorAll('#scatters svg:first-child .mark')]
        .map((m) => m.getAttribute('transform').match(/translate\\(([-.\\d]+) ([-.\\d]+)/));
      return places.map((p) => [Number(p[1]), Number(p[2])]);
    })()"""
    places = page.run(script)
    rows = front.to_pandas()
    across = rows["latency_s"].rank(method="first").tolist()
    by_latency = sorted(range(len(rows)), key=lambda row: places[row][0])
    assert [across[row] for row in by_latency] == pytest.approx(sorted(across), abs=2.0)
    lowest = max(range(len(rows)), key=lambda row: places[row][1])
    assert rows["energy_j"][lowest] == pytest.approx(rows["energy_j"].min(), rel=0.01)
    inside = [0 <= x <= 400 and 0 <= y <= 310 for x, y in places]
    assert all(inside)


def test_the_knee_is_described_before_anything_is_pointed_at(page, front):
    assert ", the knee" in page.run("document.querySelector('#detail h3').textContent")
    template = page.run("document.querySelector('#detail dd').textContent")
    assert template == front.knee()["template"]


def test_pointing_at_a_mark_shows_its_design_everywhere(page):
    page.point(*page.middle("#scatters svg:nth-child(2) .mark:nth-child(7)"))
    row = page.run("page.hovered")
    assert row >= 0
    assert page.run("document.querySelectorAll('#scatters .mark.hovered').length") == 4
    assert page.run("document.querySelectorAll('#parallel .line.hovered').length") == 1
    assert page.run("document.querySelector('#designs tr.hovered').dataset.row") == str(row)
    assert page.run("document.querySelector('#detail h3').textContent").startswith(
        f"Design {row + 1}"
    )
    bars = page.run("[...document.querySelectorAll('#detail h4')].map((e) => e.textContent)")
    assert [bar.split(":")[0] for bar in bars] == ["energy", "latency", "carbon CA", "carbon PA"]
    shown = page.run("document.querySelector('#detail .stack').getBoundingClientRect().width")
    parts = "[...document.querySelectorAll('#detail .stack:first-of-type i')]"
    widths = page.run(f"{parts}.map((e) => e.getBoundingClientRect().width)")
    assert sum(widths[:4]) == pytest.approx(shown, rel=0.02)


def test_a_click_keeps_a_design_until_escape(page):
    page.click("#designs tbody tr:nth-child(5)")
    assert page.run("page.pinned") == 4
    page.point(2, 2)
    assert page.run("page.hovered") == -1
    assert page.run("document.querySelector('#detail h3').textContent") == "Design 5, kept"
    assert page.run("document.querySelectorAll('.mark.pinned').length") == 4
    page.press("Escape")
    assert page.run("page.pinned") == -1


def test_a_rectangle_over_one_plot_chooses_designs_in_all(page, front):
    page.middle("#scatters svg:nth-child(2)")
    box = page.run(
        "(() => { const b = document.querySelector('#scatters svg:nth-child(2)')"
        ".getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; })()"
    )
    left, top, width, height = box
    page.drag((left + width * 0.14, top + 5), (left + width * 0.5, top + height * 0.86))
    chosen = page.run(PASSING)
    assert 0 < chosen < len(front)
    assert page.run("page.shown()") == chosen
    out = page.run("document.querySelectorAll('#scatters svg:first-child .mark.out').length")
    assert out == len(front) - chosen
    assert page.run("document.querySelectorAll('#parallel .line.out').length") == out
    told = page.run("document.querySelector('#status').textContent")
    assert told.startswith(f"{chosen} of {len(front)} designs; least carbon CA among them: ")
    page.click("#reset")
    assert page.run(PASSING) == len(front)


def test_limits_let_through_what_a_query_finds(page, front):
    page.run(
        "(() => { const s = document.querySelector('#filters input[type=range]');"
        "s.value = 20; s.dispatchEvent(new Event('input')); })()"
    )
    limit = sorted(set(front.to_pandas()["latency_s"]))[20]
    assert page.run(PASSING) == len(front.where(f"latency_s <= {limit * 1.0001!r} s")) == 21
    page.run("document.querySelector('#filters fieldset input').click()")
    texts = page.run("document.querySelector('#filters fieldset').textContent")
    first = sorted(front.to_pandas()["template"].unique())[0]
    assert texts.startswith(f"template {first}")
    rows = front.to_pandas()
    kept = rows[(rows["latency_s"] <= limit) & (rows["template"] != first)]
    assert page.run(PASSING) == len(kept)


def test_no_design_left_is_said(page):
    page.run(
        "document.querySelectorAll('#filters fieldset:first-of-type input')"
        ".forEach((box) => box.click())"
    )
    told = page.run("document.querySelector('#status').textContent")
    assert told.endswith("no design keeps all these limits")


def test_the_table_sorts_both_ways(page, front):
    energies = front.to_pandas()["energy_j"].tolist()
    head = "#designs th[data-key='m1']"
    for descending in (False, True):
        page.click(f"{head} button")
        order = page.run(
            "[...document.querySelectorAll('#designs tbody tr')].map((r) => +r.dataset.row)"
        )
        assert [energies[row] for row in order] == pytest.approx(
            sorted(energies, reverse=descending), rel=1e-5
        )
        wanted = "descending" if descending else "ascending"
        assert page.run(f'document.querySelector("{head}").getAttribute("aria-sort")') == wanted


def test_the_keyboard_walks_the_table(page):
    page.run("document.querySelector('#designs tbody tr').focus()")
    page.press("ArrowDown")
    page.press("ArrowDown")
    assert page.run("page.hovered") == 2
    page.press("Enter")
    assert page.run("page.pinned") == 2
    page.press("ArrowUp")
    assert page.run("document.activeElement.dataset.row") == "1"
    assert page.run("document.querySelectorAll('#designs tr[tabindex=\"0\"]').length") == 1


def test_nothing_is_wider_than_the_window(page):
    for width in (1400, 800, 400):
        page.size(width, 900)
        assert page.run("document.documentElement.scrollWidth") <= width


def test_all_columns_of_a_front_with_many_variables_are_seen(browser, tmp_path):
    page = browser.open(write_page(open_source("imc_vs_digital"), tmp_path / "many.html", []))
    page.size(1300, 900)
    hidden = "((table) => table.scrollWidth - table.clientWidth)(document.querySelector('.tall'))"
    assert page.run("document.querySelectorAll('#designs thead th').length") == 16
    assert page.run(hidden) <= 0
    page.close()


def test_dark_and_light_differ_and_paper_is_white(page):
    look = "getComputedStyle(document.body).backgroundColor"
    light = page.run(look)
    page.prefer(dark=True)
    dark = page.run(look)
    assert light == "rgb(255, 255, 255)"
    assert dark == "rgb(21, 24, 28)"
    page.prefer(media="print", dark=True)
    assert page.run(look) == light


def test_paper_has_every_figure_and_design_and_no_controls(page, front):
    page.run(
        "(() => { const s = document.querySelector('#filters input[type=range]');"
        "s.value = 3; s.dispatchEvent(new Event('input')); })()"
    )
    page.prefer(media="print")
    seen = "[...document.querySelectorAll('{}')].filter((e) => e.getClientRects().length).length"
    assert page.run(seen.format("#designs tbody tr")) == len(front)
    assert page.run(seen.format("figure")) == 4
    assert page.run(seen.format("#explorer, button#reset, input")) == 0
    assert page.pdf().startswith(b"%PDF")


def test_without_scripts_the_tables_are_there(browser, file, front):
    page = browser.open("about:blank")
    page.call("Emulation.setScriptExecutionDisabled", {"value": True})
    page.call("Page.navigate", {"url": file.as_uri()})
    page.wait("document.readyState === 'complete' && document.querySelector('#designs')")
    assert page.run(PASSING) == len(front)
    assert page.run("document.querySelector('noscript').getClientRects().length") > 0
    assert page.run("document.querySelectorAll('#designs button').length") == 0
    page.close()
