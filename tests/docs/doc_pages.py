"""The pages of README and docs, and the fenced blocks in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
NOT_RUN = "not run: "
"""How the title of a block begins that no test runs; the reason follows, and readers see it."""
_FENCE = re.compile(r"^( *)```(\w+)([^\n]*)\n(.*?)^\1```$", re.M | re.S)


def pages() -> list[Path]:
    """README and every page of docs, of the shipped problems and studies too."""
    shipped = [*ROOT.glob("problems/*/README.md"), *ROOT.glob("studies/**/README.md")]
    return [ROOT / "README.md", *sorted(DOCS.rglob("*.md")), *sorted(shipped)]


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its title ('' where it has none) and its text."""

    language: str
    title: str
    text: str


def blocks(page: Path) -> list[Block]:
    """List the fenced blocks of a page, in order."""
    return [
        Block(language, "".join(re.findall(r'title="([^"]*)"', info)), dedent(text))
        for _, language, info, text in _FENCE.findall(page.read_text(encoding="utf-8"))
    ]
