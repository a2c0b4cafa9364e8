"""Fifty kills of any process at any moment: the same rows and fronts, and none lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from campaigns import results, run_here
from killed_campaign import campaign_of
from little import PROBLEM as LITTLE

HERE = Path(__file__).parent
PROBLEM = LITTLE.replace("[32, 64]", "[32, 256]").replace(
    "{choice: [64 KiB, 256 KiB]}", "{pow2: [64 KiB, 512 KiB]}"
)


def stored(directory: Path) -> dict[str, set[str]]:
    """Whole rows on the disk, by cell."""
    rows = {}
    for file in directory.glob("cells/*/evaluations.csv"):
        text = file.read_text()
        header, *lines = text[: text.rfind("\n") + 1].splitlines() or [""]
        rows[file.parent.name] = {
            ",".join(
                f"{n}={v}" for n, v in zip(header.split(","), line.split(","), strict=True) if v
            )
            for line in lines
        }
    return rows


def family(process: subprocess.Popen) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    try:
        return [process.pid, *map(int, children.read_text().split())]
    except OSError:
        return [process.pid]


def start(directory: Path, which: str) -> subprocess.Popen:
    command = [sys.executable, str(HERE / "killed_campaign.py"), str(directory), which]
    paths = os.pathsep.join(map(str, [HERE, HERE.parent, HERE.parents[1]]))
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": paths})


def kill_again_and_again(directory: Path, which: str, kills: int, seed: int) -> int:
    """Kill one process of a campaign after another; return how many were killed."""
    chance, killed, known = random.Random(seed), 0, {}
    process = start(directory, which)
    while killed < kills:
        before, patience = sum(map(len, known.values())), time.monotonic() + 20.0
        while sum(map(len, stored(directory).values())) <= before and time.monotonic() < patience:
            if process.poll() is not None:
                break
            time.sleep(0.01)
        time.sleep(chance.random() * 0.1)
        victim = chance.choice(family(process))
        if process.poll() is None:
            os.kill(victim, signal.SIGKILL)
            killed += 1
        time.sleep(0.02)
        now = stored(directory)
        for cell, rows in known.items():
            assert rows <= now[cell], f"{cell} has lost rows"
        known = now
        if process.poll() is not None:
            if process.returncode == 0:
                break
            process = start(directory, which)
    process.kill()
    process.wait()
    return killed


@pytest.mark.slow
@pytest.mark.parametrize(("which", "kills"), [("toy", 35), ("whole", 5), ("real", 10)])
def test_killed_campaigns_end_as_the_straight_ones(tmp_path, which, kills):
    if which == "real":
        which = str(tmp_path / "problem.yaml")
        Path(which).write_text(PROBLEM)
    asked = campaign_of(which)
    run_here(asked, tmp_path / "straight")
    killed = kill_again_and_again(tmp_path / "killed", which, kills, seed=len(which))
    assert start(tmp_path / "killed", which).wait(timeout=300) == 0
    assert killed == kills
    assert results(tmp_path / "killed", asked.cells) == results(tmp_path / "straight", asked.cells)
