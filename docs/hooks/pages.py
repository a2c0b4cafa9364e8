"""Pages of the site: sections and their order, generated references, notebooks as they ran."""

from __future__ import annotations

import posixpath
import re
import tempfile
from base64 import b64decode
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from nbclient import NotebookClient
from reference import reference_pages
from traitlets.config import Config

from carbonopt.data.tables import FOLDER

SECTIONS = {
    "start": "Start",
    "concepts": "Concepts",
    "how-to": "How-to",
    "reference": "Reference",
    "validation": "Validation",
    "problems": "Problems",
    "studies": "Studies",
}
SHIPPED = ("problems", "studies")
"""Folders beside docs whose READMEs are pages, with the files that these may show."""
PUBLISHED = (".png", ".svg", ".yaml", ".csv", ".json")
NEWCOMERS = "how-to"
"""Section of the pages that lie at the top of the folder."""
FIRST = (
    *("index", "install", "first_front", "tutorial"),
    *("own_network", "own_problem", "own_machine", "own_scenario", "own_objective", "own_searcher"),
    *("commands", "problem_file", "scenario", "study_file", "machine_file", "bom_file"),
    *("knobs", "metrics", "units", "glossary", "catalogue", "data", "api"),
)
"""Pages that stand before the others of their section, which are in alphabetical order."""
INDEX = "docs/reference/index.md"
"""What the repository has in place of the generated pages: a heading for each."""
LIST = "<!-- pages of this section -->"
LIMIT_S = 120
_FENCE = re.compile(r"(^```.*?^```$)", re.M | re.S)
_HEADING = re.compile(r"^## (.+)$", re.M)
_LINK = re.compile(r"(?P<head>!?\[(?P<text>[^]]*)\])\((?P<path>[^)\s#:]+)(?P<anchor>#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages, the tables and the notebooks, and set the navigation."""
    for place, text in reference_pages():
        files.append(File.generated(config, place, content=text))
    for table in sorted(FOLDER.glob("*.csv")):
        files.append(File.generated(config, f"data/{table.name}", abs_src_path=str(table)))
    for notebook in sorted(Path(config.docs_dir).rglob("*.ipynb")):
        place = notebook.relative_to(config.docs_dir).with_suffix(".md").as_posix()
        for name, content in notebook_files(notebook, place):
            files.append(File.generated(config, name, content=content))
    for place, file in shipped_files(Path(config.config_file_path).parent):
        files.append(File.generated(config, place, abs_src_path=str(file)))
    sections = {title: _section(files, folder) for folder, title in SECTIONS.items()}
    config.nav = [{"Home": "index.md"}, *({title: s} for title, s in sections.items() if s)]
    return files


def shipped_files(root: Path) -> Iterator[tuple[str, Path]]:
    """Visit the place in the site and the file of what problems and studies have to show."""
    for kind in SHIPPED:
        for file in sorted([*(root / kind).glob("README.md"), *(root / kind).glob("*/*")]):
            place = file.relative_to(root).as_posix()
            if file.name == "README.md" or file.suffix in PUBLISHED:
                yield _place(place), file


def on_page_markdown(markdown: str, page: Page, files: Files, **_: Any) -> str:
    """List the pages of a section where asked for; lead links of the repository into the site."""
    place = page.file.src_uri
    here = posixpath.dirname(place)
    if f"docs/{place}" == INDEX:
        markdown = _HEADING.sub(_linked_heading, markdown)
    entries = (_entry(files, other, here) for other in _section(files, here) if other != place)
    markdown = markdown.replace(LIST, "\n".join(entries)) if LIST in markdown else markdown
    parts = _FENCE.split(markdown)
    parts[::2] = [_LINK.sub(partial(_link, place=place, files=files), part) for part in parts[::2]]
    return "".join(parts)


def _linked_heading(found: re.Match[str]) -> str:
    """Lead a heading of the index of the reference to the page that it names."""
    return f"## [{found[1]}](index.md#{found[1].lower().replace(' ', '-')})"


def _link(found: re.Match[str], place: str, files: Files) -> str:
    """Write a link so that it holds in the site; what is not on the site keeps its text alone."""
    kind, name = posixpath.split(place)
    inside = kind not in SHIPPED
    folder = "" if name == "index.md" else name.removesuffix(".md")
    home = f"docs/{kind}" if inside else f"{kind}/{folder}"
    target = posixpath.normpath(posixpath.join(home, found["path"]))
    made = _made(target, found["anchor"])
    if files.get_file_from_path(made):
        return f"{found['head']}({posixpath.relpath(made, posixpath.dirname(place))})"
    if inside and target.startswith("docs/"):
        return found[0]
    there = _place(target)
    if files.get_file_from_path(there) is None:
        return found["text"]
    return f"{found['head']}({posixpath.relpath(there, kind)}{found['anchor'] or ''})"


def _made(target: str, anchor: str | None) -> str:
    """Where the site has what is made for it: a reference page, named by a heading of its index.

    A notebook is a page as well. '' for all else, which is where it is in the repository.
    """
    if target == INDEX and anchor:
        return f"reference/{anchor[1:].replace('-', '_')}.md"
    return _place(target).replace(".ipynb", ".md") if target.endswith(".ipynb") else ""


def _place(path: str) -> str:
    """Where the site has a file of the repository."""
    if path.startswith(SHIPPED) and path.endswith("/README.md"):
        page = "/index.md" if path.count("/") == 1 else ".md"
        return path.replace("/README.md", page)
    return path.removeprefix("docs/")


def _section(files: Files, folder: str) -> list[str]:
    """Places of the pages of a section, in order."""
    folders = (folder, "") if folder == NEWCOMERS else (folder,)
    places = [
        file.src_uri
        for file in files.documentation_pages()
        if posixpath.dirname(file.src_uri) in folders and file.src_uri != "index.md"
    ]

    def order(place: str) -> tuple[int, str]:
        stem = posixpath.basename(place).removesuffix(".md")
        return (FIRST.index(stem) if stem in FIRST else len(FIRST), stem)

    return sorted(places, key=order)


def _entry(files: Files, place: str, here: str) -> str:
    """Title of a page as a link, with its first sentence."""
    file = files.get_file_from_path(place)
    text = file.content_string if file else ""
    title, _, rest = text.partition("# ")[2].partition("\n")
    first = next((p for p in re.split(r"\n\s*\n", rest) if p.strip()), "")
    sentence = re.split(r"(?<=\.)\s", " ".join(first.split()))[0].rstrip(":")
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", sentence)
    return f"- [{title}]({posixpath.relpath(place, here)}): {plain}"


def notebook_files(notebook: Path, place: str) -> Iterator[tuple[str, str | bytes]]:
    """Run a notebook and visit its page and pictures."""
    told = nbformat.read(notebook, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        sockets = Config({"KernelManager": {"transport": "ipc", "ip": f"{folder}/kernel"}})
        NotebookClient(
            told, timeout=LIMIT_S, coalesce_streams=True, resources=resources, config=sockets
        ).execute()
    parts = []
    for number, cell in enumerate(told.cells):
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        for output in cell.outputs:
            picture = output.get("data", {}).get("image/png")
            if picture:
                name = place.replace(".md", f"_{number}.png")
                yield name, b64decode(picture)
                parts.append(f"![]({posixpath.basename(name)})")
            else:
                parts.append(_shown(output))
    yield place, "\n\n".join(parts) + "\n"


def _shown(output: Any) -> str:
    """Write what a cell gave: a table, or text."""
    data = output.get("data", {"text/plain": output.get("text", "")})
    if "text/html" in data:
        return re.sub(r"<style.*?</style>\s*|(?<=<table)[^>]*", "", data["text/html"], flags=re.S)
    return f"```text\n{data['text/plain'].rstrip()}\n```"
