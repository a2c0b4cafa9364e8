"""The README's commands and snippets do what a reader expects of them, from a fresh clone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHELL = ("sh", "bash")
SETUP = ("git clone", "cd ", "pip install", "python3 -m venv", "source ", "make ")
"""Commands that prepare a checkout; the targets of make are checked, the rest is taken as read."""
LIMIT_S = 900


def blocks(*languages: str) -> list[str]:
    """Fenced code blocks of the README in these languages, in order."""
    fenced = re.findall(r"^```(\w+)\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    return [body for language, body in fenced if language in languages]


def run(command: list[str], folder: Path) -> str:
    """Run a command with this environment's programs first on the path; return what it said."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


@pytest.fixture
def checkout(tmp_path):
    """Stand-in for a checkout: the shipped data by name, this environment as .venv."""
    for name in ("problems", "studies"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


def test_make_targets_of_the_readme_exist():
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M)
    named = re.findall(r"^make (\S+)", "\n".join(blocks(*SHELL)), re.M)
    assert "quickstart" in named
    assert set(named) <= set(targets)


@pytest.mark.study
def test_shell_commands_run(checkout):
    lines = "".join(blocks(*SHELL)).splitlines()
    if any(line.startswith("make quickstart") for line in lines):
        run(["carbonopt", "run", "studies/quickstart/study.yaml"], checkout)
    script = [line for line in lines if not line.startswith(SETUP)]
    run(["bash", "-euo", "pipefail", "-c", "\n".join(script)], checkout)


@pytest.mark.study
def test_python_snippets_run_in_order(checkout):
    snippets = blocks("python")
    assert snippets, "the README shows no Python"
    (checkout / "readme.py").write_text("\n".join(snippets))
    run([sys.executable, "readme.py"], checkout)


@pytest.mark.slow
def test_quickstart_from_a_fresh_checkout(tmp_path):
    listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], ROOT)
    for name in filter(None, listed.split("\0")):
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    run(["make", "quickstart"], tmp_path)
    assert list(tmp_path.glob("runs/*/front.csv")), "make quickstart left no front"
