"""What the tests of the shipped studies share: their programs, expected numbers and pages."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

STUDIES = Path(__file__).parents[1] / "studies"


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
