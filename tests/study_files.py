"""What the tests of the shipped studies share: their programs, expected numbers and pages."""

from __future__ import annotations

import csv
import importlib.util
import json
import re
import shutil
from collections.abc import Collection
from pathlib import Path
from types import ModuleType
from typing import Any

from carbonopt.report.study import differences

STUDIES = Path(__file__).parents[1] / "studies"
NAMES = sorted(
    each.name for each in STUDIES.iterdir() if each.is_dir() and each.name[0] not in "._"
)


def figures_of(name: str) -> ModuleType:
    """Load the program of a study."""
    spec = importlib.util.spec_from_file_location(
        name.replace("-", "_"), STUDIES / name / "figures.py"
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def expected(name: str) -> tuple[dict, float]:
    """Read what a study shall give, and how exactly."""
    numbers = json.loads((STUDIES / name / "expected.json").read_text())
    return numbers, numbers.pop("tolerance")


def apart(found: dict[Any, Any], wanted: dict[Any, Any], tolerance: float) -> list[str]:
    """Say what differs from what a study shall give, as its program does."""
    both = ({"tolerance": tolerance, **numbers} for numbers in (found, wanted))
    return list(differences(*both))


def page_of(name: str) -> str:
    """Read the page of a study."""
    return (STUDIES / name / "README.md").read_text()


def flat(numbers: dict, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], float]:
    """Name every number by its path."""
    found = {}
    for name, value in numbers.items():
        here = (*path, name)
        found |= flat(value, here) if isinstance(value, dict) else {here: value}
    return found


def parted(numbers: dict) -> tuple[dict[tuple[str, ...], object], dict[tuple[str, ...], float]]:
    """Tell what a study names, which has to be the same, from what it measures."""
    whole = flat(numbers)
    measured = {path for path, value in whole.items() if isinstance(value, float | int)}
    named = {path: value for path, value in whole.items() if path not in measured}
    return named, {path: whole[path] for path in whole if path in measured}


def grid_of(folder: Path) -> list[dict[str, str]]:
    """Read the designs that a study of a grid evaluates."""
    with (folder / "grid.csv").open() as stream:
        return list(csv.DictReader(stream))


def part_of(
    name: str, designs: Collection[str], folder: Path, networks: Collection[str] = ()
) -> Path:
    """Copy a study of a grid, with some of its designs and perhaps not all of its networks."""
    shutil.copytree(STUDIES / name, folder)
    for file in folder.glob("*.yaml") if networks else ():
        some = f"workloads: [{', '.join(networks)}]"
        file.write_text(re.sub(r"(?m)^workloads: .*$", some, file.read_text()))
    whole = grid_of(folder)
    rows = [
        row for row in whole if f"{row['template']} {row['cols']}, {row['sram_byte']}" in designs
    ]
    assert len(rows) == len(designs)
    lines = [",".join(whole[0]), *(",".join(row.values()) for row in rows)]
    (folder / "grid.csv").write_text("\n".join(lines) + "\n")
    return folder
