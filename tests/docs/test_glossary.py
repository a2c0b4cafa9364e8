"""The glossary: its names are those of the code, its words stand in order."""

from __future__ import annotations

import re

from doc_pages import DOCS, ROOT

SYMBOLS, WORDS = (DOCS / "reference" / "glossary.md").read_text(encoding="utf-8").split("## Words")


def rows(text):
    """Cells of the rows of a table, without its head."""
    cells = [re.split(r" *\| *", line)[1:-1] for line in text.splitlines() if line.startswith("|")]
    return cells[2:]


def test_names_of_symbols_are_names_of_the_code():
    named = {name for row in rows(SYMBOLS) for name in re.findall(r"`(\w+)`", row[1])}
    code = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "carbonopt").rglob("*.py"))
    assert len(named) > 30
    assert [name for name in named if not re.search(rf"\b{name}\b", code)] == []


def test_every_symbol_has_a_unit_or_none():
    assert [row for row in rows(SYMBOLS) if not row[2]] == []


def test_words_stand_in_order_and_once():
    words = [row[0].lower() for row in rows(WORDS)]
    assert len(words) == len(set(words)) > 35
    assert all(row[1] for row in rows(WORDS))
    assert [re.split(r"[ ,(]", word)[0] for word in words] == sorted(
        re.split(r"[ ,(]", word)[0] for word in words
    )
