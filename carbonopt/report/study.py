"""What the programs of studies share: where they write, what they say, if it is as expected."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from carbonopt.report import style
from carbonopt.report.scale import quantity
from carbonopt.report.table import aligned
from carbonopt.units import unit_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NUMBERS, EXPECTED = "numbers.json", "expected.json"
_SHOWN = 5
_NOUGHT = 1e-15
"""How far a number may be off that is nothing but rounding: at most ten times as large."""


def output_of(program: str, what: str | None) -> Path:
    """Read from the command line where a study writes: ``--out``, or runs/ and its folder's name.

    Parameters
    ----------
    program
        Path of the study's program, which lies in the folder of the study.
    what
        Text of its ``--help``.
    """
    parser = argparse.ArgumentParser(description=what)
    name = Path(program).resolve().parent.name
    parser.add_argument("--out", type=Path, default=Path("runs") / name)
    out: Path = parser.parse_args().out
    return out


def tell_study(
    program: str,
    out: Path,
    figures: Mapping[str, Figure],
    numbers: Mapping[str, Any],
    answer: pd.DataFrame,
) -> None:
    """Keep what a study found and print its answer; leave with status 1 if it is not as expected.

    Parameters
    ----------
    program
        Path of the study's program; beside it lies ``expected.json``: numbers, and the tolerance
        that they are compared with, relatively.
    out
        Folder of the figures, each as PNG and as SVG, and of ``numbers.json``.
    figures
        Figures by the name of their file, without ending.
    numbers
        What the study found, in the form of its ``expected.json``.
    answer
        What to print, its index before its columns.

    Raises
    ------
    SystemExit
        A number is not the expected one.
    """
    out.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        for ending in (".png", ".svg"):
            style.save(figure, out / f"{name}{ending}")
    file = Path(program).with_name(EXPECTED)
    expected = json.loads(file.read_text(encoding="utf-8"))
    found = {"tolerance": expected["tolerance"], **numbers}
    (out / NUMBERS).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    faults = list(differences(json.loads(json.dumps(found)), expected))
    sys.stdout.write(f"{answer_text(answer)}\n\n{out}: {', '.join(figures)} (PNG, SVG), {NUMBERS}")
    sys.stdout.write("\n" if faults else f", as expected to {expected['tolerance']:g}\n")
    if faults:
        more = [f"and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        sys.exit("\n".join([f"{file}: not what was found:", *faults[:_SHOWN], *more]))


def answer_text(answer: pd.DataFrame) -> str:
    """Return a table as text: four digits, with the unit that a column is named after.

    Examples
    --------
    >>> index = pd.Index(["CA"], name="when")
    >>> print(answer_text(pd.DataFrame({"best": ["dimc"], "least_g": [1.23456e-9]}, index)))
    when  best   least_g
    ----  ----  --------
    CA    dimc  1.235 ng
    """
    table = answer.reset_index() if any(answer.index.names) else answer
    return aligned({str(name): [_cell(str(name), each) for each in table[name]] for name in table})


def _cell(name: str, value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    unit = unit_of(name)
    if isinstance(value, float):
        return quantity(value, unit) if unit else f"{value:.4g}"
    return str(value)


def differences(found: Mapping[str, Any], expected: Mapping[str, Any]) -> Iterator[str]:
    """Visit what differs between numbers and those that are expected, in words.

    Parameters
    ----------
    found, expected
        Numbers and words, in dictionaries and lists.

    Examples
    --------
    >>> list(differences({"tolerance": 1e-3, "a": [1.0]}, {"tolerance": 1e-3, "a": [1.01]}))
    ['a.0: got 1.0, expected 1.01']
    >>> list(differences({"tolerance": 1e-3, "g": 1e-12}, {"tolerance": 1e-3, "g": 1.01e-12}))
    ['g: got 1e-12, expected 1.01e-12']
    """
    tolerance = expected["tolerance"]
    ours, theirs = dict(_flat(found)), dict(_flat(expected))
    for name in [*theirs, *(name for name in ours if name not in theirs)]:
        one, other = ours.get(name, "nothing"), theirs.get(name, "nothing")
        if not _agree(one, other, tolerance):
            yield f"{name}: got {one}, expected {other}"


def _agree(one: object, other: object, tolerance: float) -> bool:
    """Whether numbers are as near as they have to be, and all else equal."""
    if isinstance(one, int | float) and isinstance(other, int | float):
        nought = _NOUGHT if abs(other) <= 10 * _NOUGHT else 0.0
        return math.isclose(one, other, rel_tol=tolerance, abs_tol=nought)
    return one == other


def _flat(told: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Visit the leaves of dictionaries and lists by their paths."""
    if isinstance(told, Mapping | list):
        parts = told.items() if isinstance(told, Mapping) else enumerate(told)
        for name, value in parts:
            yield from _flat(value, f"{path}.{name}" if path else str(name))
    else:
        yield path, told
