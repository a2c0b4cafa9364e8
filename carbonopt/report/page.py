"""One HTML page per front: opens from disk without network, in the browser and on paper."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

import numpy as np
from matplotlib.figure import Figure

from carbonopt.front.front import Front
from carbonopt.report import style
from carbonopt.report.breakdown import BROKEN_DOWN, plot_breakdown
from carbonopt.report.columns import mean_note, parts_of
from carbonopt.report.figures import CARBON, measured, plot_carbon, plot_front, plot_hypervolume
from carbonopt.report.files import write_file
from carbonopt.report.page_data import page_data, shown_designs
from carbonopt.report.page_tables import (
    front_table,
    nearest_table,
    provenance_table,
    scenario_table,
    telling_table,
)
from carbonopt.report.table import hidden_note
from carbonopt.run.sources import Source

_FOLDER = Path(__file__).parent
_SCRIPTS = ("page_model.js", "page_draw.js", "page_plots.js", "page_panels.js")
_MANY_MARKS = 400
_IDS = re.compile(r"(\bid=\"|href=\"#|url\(#)")


def write_page(source: Source, path: str | Path, summary: Sequence[str] = ()) -> Path:
    """Write the page of a front.

    Parameters
    ----------
    source
        The front and what it was made from.
    path
        File to write.
    summary
        Sentences that say what was found.

    Raises
    ------
    StoreError
        The file cannot be written.
    """
    return write_file(path, page_html(source, summary).encode())


def page_html(source: Source, summary: Sequence[str] = ()) -> str:
    """Return the page of a front as text; arguments as for `write_page`."""
    front, manifest = source.front, source.manifest
    designs = shown_designs(front)
    sections = {
        "title": escape(front.name),
        "lead": escape(str(manifest.get("question", ""))),
        "summary": _paragraphs([line for line in summary if line not in front.notices]),
        "notices": _notices(front),
        "explorer": _explorer(front, len(designs)),
        "figures": _figures(front),
        "telling": _section("telling", "Designs to look at first", _telling(front)),
        "designs": _section("front", f"Front: {len(front):,} designs", _designs(front)),
        "scenario": _section("scenario", "Scenario", scenario_table(front, manifest)),
        "provenance": _section(
            "provenance", "Where this comes from", provenance_table(manifest, source.name)
        ),
        "style": _part("page.css"),
        "script": "\n".join(_part(name) for name in _SCRIPTS) if len(designs) else "",
        "data": _embedded(front),
    }
    return Template(_part("page.html")).substitute(sections)


def _embedded(front: Front) -> str:
    """Return the data of the plots as JSON that cannot end its own element; empty without any."""
    designs = shown_designs(front)
    if not len(designs):
        return "{}"
    text = json.dumps(page_data(front, designs), separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _section(name: str, title: str, body: str) -> str:
    """Return a section with its heading, nothing where it would be empty."""
    if not body:
        return ""
    return f"<section id='{name}'><h2>{escape(title)}</h2>\n{body}\n</section>"


def _paragraphs(lines: Sequence[str]) -> str:
    """Return lines as paragraphs."""
    return "\n".join(f"<p>{escape(line)}</p>" for line in lines)


def _notices(front: Front) -> str:
    """Return what there is to know of a front before its numbers are believed."""
    told = list(front.notices)
    if not len(front.evaluations):
        told.insert(0, "No design has been evaluated yet.")
    elif not len(front):
        told.insert(0, "No design keeps every limit: there is no front to show.")
    if len(front) > len(shown_designs(front)):
        shown = f"{len(shown_designs(front)):,} of the {len(front):,} designs of the front"
        told.append(f"{shown} are shown here; front.csv and carbonopt export have all of them.")
    if not told:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in told)
    return f"<section id='notices' role='note'><h2>Notices</h2><ul>{items}</ul></section>"


def _telling(front: Front) -> str:
    """Return the telling designs, or those that come nearest to being feasible."""
    if len(front):
        return telling_table(front) + _paragraphs(mean_note(front.evaluations))
    if not len(front.evaluations):
        return ""
    return "<p>None keeps every limit. The nearest:</p>" + nearest_table(front)


def _designs(front: Front) -> str:
    """Return the table of the front."""
    if not len(front):
        return ""
    table = front_table(front, shown_designs(front))
    notes = _paragraphs([*mean_note(front.evaluations), *hidden_note(front.variables)])
    frame = "<div class='scroll tall' tabindex='0' role='region' aria-label='Designs'>"
    return f"{frame}{table}</div>{notes}"


def _explorer(front: Front, shown: int) -> str:
    """Return the frame that scripts fill with plots and filters; nothing without designs."""
    if not shown:
        return ""
    return Template(_part("page_explorer.html")).substitute(count=shown, name=escape(front.name))


def _figures(front: Front) -> str:
    """Return the figures of a front; the one that the plots repeat is for paper alone."""
    drawn: dict[str, tuple[Figure, str]] = {}
    if len(front):
        drawn["front"] = (plot_front(front), "The front and what it dominates.")
        if set(CARBON) <= set(front.evaluations):
            drawn["carbon"] = (plot_carbon(front), "Carbon of one task in both scenarios.")
        if any(parts_of(front.evaluations, name) for name in BROKEN_DOWN):
            drawn["breakdown"] = (plot_breakdown(front), "Where energy, time and carbon go.")
    if measured(front):
        drawn["hypervolume"] = (plot_hypervolume(front), "Hypervolume over evaluations.")
    parts = [
        f"<figure id='figure-{name}'>{_inline(figure, name, words)}</figure>"
        for name, (figure, words) in drawn.items()
    ]
    return _section("figures", "Figures", "\n".join(parts))


def _inline(figure: Figure, name: str, words: str) -> str:
    """Return a figure as an SVG element; clouds of many marks become an image within it."""
    for panel in figure.axes:
        for marks in panel.collections:
            marks.set_rasterized(np.size(marks.get_offsets()) > 2 * _MANY_MARKS)
    text = style.svg(figure, name)
    element = _IDS.sub(rf"\1{name}-", text[text.index("<svg") :])
    return element.replace("<svg", f'<svg role="img" aria-label="{escape(words)}"', 1)


def _part(name: str) -> str:
    """Read a part of the page that ships with carbonopt."""
    return (_FOLDER / name).read_text(encoding="utf-8")
