"""Every code block of README and docs does what a reader expects of it, from a fresh checkout.

The blocks of a page run in order, in one folder: shell, Python in one session, files by title. A
block that cannot run says why in its title, where readers see it, too.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
import yaml
from doc_pages import NOT_RUN, ROOT, blocks, pages

SHELL = ("sh", "bash")
FILES = ("yaml", "csv")
SHOWN = ("text",)
SETUP = ("git clone", "cd ", "pip install", "python3 -m venv", "source ", "make ")
SETUP += (".venv/bin/python -m pip install",)
"""Commands that prepare a checkout; the targets of make are checked, the rest is taken as read."""
FEW = 12
LIMIT_S = 900
SAID = {
    "docs/concepts/imc.md": (
        "worn out after 65.3 d, of 3 y of use",
        "all weights stay in the cells: endurance does not bind",
    ),
}
"""What the blocks of a page print that the page builds on."""
RUNNER = """
import json, pathlib, subprocess, sys
names = {"__name__": "__main__"}
for kind, title, text in json.load(sys.stdin):
    sys.stdout.flush()
    if kind == "file":
        pathlib.Path(title).write_text(text, encoding="utf-8")
    elif kind == "shell":
        script = ["bash", "-euo", "pipefail", "-c", text]
        subprocess.run(script, check=True, stdin=subprocess.DEVNULL)
    else:
        exec(compile(text, "<python block>", "exec"), names)
"""
PAGES = {page.relative_to(ROOT).as_posix(): page for page in pages()}


def steps(page):
    """What has to be done for a page: kind, title and text of each block that runs."""
    found = []
    for block in blocks(page):
        if block.title.startswith(NOT_RUN):
            continue
        if block.language in SHELL:
            lines = block.text.splitlines(keepends=True)
            text = "".join(line for line in lines if not line.startswith(SETUP))
            found.append(("shell", "", text))
        elif block.language == "python":
            found.append(("python", "", block.text))
        elif block.title:
            found.append(("file", block.title, block.text))
    return found


@pytest.fixture
def checkout(tmp_path):
    """Stand-in for a checkout: the shipped data by name, this environment as .venv."""
    for name in ("problems", "studies"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


RUNNABLE = [
    pytest.param(name, marks=() if name == "README.md" else pytest.mark.slow)
    for name, page in PAGES.items()
    if steps(page)
]


@pytest.mark.study
@pytest.mark.parametrize("name", RUNNABLE)
def test_blocks_run_in_order(name, checkout):
    path = os.pathsep.join([f"{sys.prefix}/bin", os.environ["PATH"]])
    done = subprocess.run(
        [sys.executable, "-c", RUNNER],
        cwd=checkout,
        env=os.environ | {"PATH": path},
        input=json.dumps(steps(PAGES[name])),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, f"{name} ended with {done.returncode}:\n{done.stdout}"
    assert [said for said in SAID.get(name, ()) if said not in done.stdout] == []


@pytest.mark.parametrize("name", PAGES)
def test_every_block_is_of_a_kind_that_is_tested(name):
    text = PAGES[name].read_text(encoding="utf-8")
    found = blocks(PAGES[name])
    assert len(re.findall(r"^\s*```", text, re.M)) == 2 * len(found), "a fence without language"
    assert {block.language for block in found} <= {*SHELL, *FILES, *SHOWN, "python"}
    for block in found:
        if block.language == "yaml":
            assert isinstance(yaml.safe_load(block.text), dict), block.text


def test_few_blocks_do_not_run_and_say_why():
    skipped = [b.title for page in pages() for b in blocks(page) if b.title.startswith(NOT_RUN)]
    assert len(skipped) <= FEW
    assert all(len(title.removeprefix(NOT_RUN)) > 10 for title in skipped), skipped


def test_make_targets_of_the_pages_exist():
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M)
    shell = (b.text for page in pages() for b in blocks(page) if b.language in SHELL)
    named = re.findall(r"^make (\w+)", "\n".join(shell), re.M)
    assert "quickstart" in named
    assert set(named) <= set(targets)
