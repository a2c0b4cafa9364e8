"""Run every program of every study, two at a time, and say what each took and found.

Every study writes into a folder of its own under --out, from nothing. Leaves with status 1 if a
program fails or finds other numbers than are expected.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from carbonopt.report.table import aligned

STUDIES = Path(__file__).parent
AFTER = {"performance-versus-carbon": ("carbonspot-mobile", "carbonspot-tiny")}
"""Studies that read the runs of others."""
LONG = (*AFTER["performance-versus-carbon"], "nsga2-vs-tpe", "when-does-imc-pay")
"""Studies that are begun first: others wait for them, or they take longest."""
AT_ONCE = 2


@dataclass
class Took:
    """What a program took [s], and the status that it left with."""

    program: str
    wall_s: float
    cpu_s: float
    status: int

    @property
    def end(self) -> str:
        """Whether it found what was expected, in words."""
        return f"FAILED: {self.status}" if self.status else "as expected"


def run(program: Path, out: Path, before: Iterable[Future]) -> Took:
    """Run a program once others have ended; what it says goes into a file beside its folder."""
    for other in before:
        other.result()
    out.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    with out.with_name(f"{out.name}-{program.stem}.txt").open("w") as said:
        command = [sys.executable, str(program), "--out", str(out)]
        own = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(own.pid, 0)
    own.returncode = os.waitstatus_to_exitcode(status)
    name, cpu_s = f"{program.parent.name}/{program.name}", used.ru_utime + used.ru_stime
    took = Took(name, time.monotonic() - start, cpu_s, own.returncode)
    print(f"{took.program}: {took.cpu_s:.1f} CPU s, {took.end}", flush=True)
    return took


def run_all(folders: Iterable[Path], out: Path) -> list[Took]:
    """Run the programs of studies, each study into a folder of its name."""
    found: dict[str, list[Future]] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for folder in sorted(folders, key=lambda each: (each.name not in LONG, each.name)):
            before = [each for name in AFTER.get(folder.name, ()) for each in found[name]]
            found[folder.name] = [
                pool.submit(run, program, out / folder.name, before)
                for program in sorted(folder.glob("*.py"))
            ]
    return [each.result() for futures in found.values() for each in futures]


def table(found: list[Took], wall_s: float) -> str:
    """Return a line per program and one for all."""
    rows = [*found, Took("all", wall_s, sum(each.cpu_s for each in found), 0)]
    columns = {
        "program": [each.program for each in rows],
        "CPU s": [f"{each.cpu_s:.1f}" for each in rows],
        "wall s": [f"{each.wall_s:.1f}" for each in rows],
        "numbers": [*(each.end for each in found), f"{AT_ONCE} at a time"],
    }
    return aligned(columns)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build") / "studies")
    out, start = parser.parse_args().out, time.monotonic()
    if out.exists():
        sys.exit(f"--out: got {out}, which is there already, allowed: a new folder")
    found = run_all((each for each in STUDIES.iterdir() if each.is_dir()), out)
    print(table(found, time.monotonic() - start))
    failed = [each.program for each in found if each.status]
    sys.exit(f"failed: {', '.join(failed)}; what they say is in {out}" if failed else 0)
