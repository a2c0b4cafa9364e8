"""What it costs a run to be watched: CPU time of `carbonopt dashboard` over that of the run.

python benchmarks/monitor.py [--study quickstart] [--budget 300]

The run and its watcher are processes of their own, started together; the watcher ends with the
run. Also printed: what the watcher needs to start and show a whole run at once, and how long
the run takes with and without it, in turns.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = [sys.executable, "-m", "carbonopt"]


def started(*arguments: str) -> subprocess.Popen[bytes]:
    quiet = subprocess.DEVNULL
    return subprocess.Popen([*COMMAND, *arguments], stdout=quiet, stderr=quiet)


def ended(process: subprocess.Popen[bytes]) -> float:
    """Wait for a process; returns its CPU time, with that of its children [s]."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime


def run(folder: Path, options: argparse.Namespace, *, is_watched: bool) -> tuple[float, ...]:
    """Run a study; returns wall and CPU time of the run and CPU time of its watcher [s]."""
    start = time.monotonic()
    budget = ("--budget", str(options.budget), "--workers", "1")
    process = started("run", options.study, *budget, "--out", str(folder))
    watcher = None
    if is_watched:
        while not (folder / "manifest.json").exists():
            time.sleep(0.01)
        watcher = started("dashboard", str(folder), "--port", "0")
    run_s = ended(process)
    wall_s = time.monotonic() - start
    if watcher is None:
        return wall_s, run_s, 0.0
    watcher.send_signal(signal.SIGTERM)
    return wall_s, run_s, ended(watcher)


def start_s(folder: Path) -> float:
    """CPU time until a watcher shows a whole run [s]."""
    command = [*COMMAND, "dashboard", str(folder), "--port", "0"]
    watcher = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert watcher.stdout is not None
    watcher.stdout.readline()
    watcher.send_signal(signal.SIGTERM)
    return ended(watcher)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", default="quickstart")
    parser.add_argument("--budget", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=2)
    options = parser.parse_args()
    print("| run | wall s | CPU s | watcher CPU s | of the run |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for repeat in range(options.repeats):
            for is_watched in (False, True):
                name = f"{'watched' if is_watched else 'alone'}-{repeat}"
                wall_s, run_s, watcher_s = run(Path(folder) / name, options, is_watched=is_watched)
                share = f"{watcher_s / run_s:.1%}"
                print(f"| {name} | {wall_s:.1f} | {run_s:.1f} | {watcher_s:.1f} | {share} |")
        alone = Path(folder) / "alone-0"
        print(f"\nstart, and one look at the whole run: {start_s(alone):.1f} CPU s")


if __name__ == "__main__":
    main()
