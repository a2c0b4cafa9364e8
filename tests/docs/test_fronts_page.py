"""What docs/how-to/fronts.md shows: its Python runs, its picture is there and small."""

from __future__ import annotations

import re
from pathlib import Path

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
TEXT = (HOW_TO / "fronts.md").read_text(encoding="utf-8")


def test_the_python_of_the_page_runs(capsys):
    (snippet,) = re.findall(r"^```python\n(.*?)^```$", TEXT, re.M | re.S)
    exec(compile(snippet, "fronts.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("52 ")
    assert lines[1] == "digital_ws"
    assert lines[2].split() == ["latency_s", "misses", "by"]


def test_the_picture_is_there_and_small():
    (picture,) = re.findall(r"!\[[^]]+\]\((\.\./images/[^)]+)\)", TEXT)
    assert 10_000 < (HOW_TO / picture).stat().st_size < 300_000
