"""The README is a shop window of which the first command works; tests/docs runs all its blocks."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from carbonopt import load_front, load_problem

ROOT = Path(__file__).parents[1]
LIMIT_S = 900


def run(command: list[str], folder: Path) -> str:
    """Run a command; return what it said."""
    done = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


@pytest.mark.slow
def test_quickstart_from_a_fresh_checkout(tmp_path):
    listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], ROOT)
    for name in filter(None, listed.split("\0")):
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    run(["make", "quickstart"], tmp_path)
    assert list(tmp_path.glob("runs/*/front.csv")), "make quickstart left no front"


def test_the_readme_is_short_and_its_picture_small():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 200
    (picture,) = re.findall(r"!\[[^]]*\]\(([^)]+)\)", text)
    assert (ROOT / picture).stat().st_size <= 200_000
    front = load_front("mlperf_tiny")
    assert f"The {len(front)} designs of {load_problem('mlperf_tiny').space.size} that" in text
    best = front.to_pandas().loc[lambda table: table["carbon_pa_g"].idxmin()]
    for part, share in (("package", "62 %"), ("idle", "36 %")):
        assert f"{best[f'carbon_pa_g.{part}'] / best['carbon_pa_g']:.0%}" == share.replace(" ", "")
        assert share in text


def test_readme_and_citation_file_cite_the_same():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert citation["version"] == version
    assert f"version = {{{version}}}" in text
    assert f"title   = {{{citation['title']}}}" in text
    assert f"author  = {{{{{citation['authors'][0]['name']}}}}}" in text
