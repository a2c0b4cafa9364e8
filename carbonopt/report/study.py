"""What the programs of studies share: where they write, and what they say."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carbonopt.report import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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


def save_study(
    out: Path, figures: Mapping[str, Figure], numbers: Mapping[str, Any], tolerance: float = 1e-6
) -> str:
    """Save the figures of a study, and return its numbers and the files as text.

    Parameters
    ----------
    out
        Folder of the figures, each as PNG and as SVG.
    figures
        Figures by the name of their file, without ending.
    numbers
        What the study found, in the form of its ``expected.json``.
    tolerance
        How far from it a repetition may be, relatively.
    """
    files = [
        style.save(figure, out / f"{name}{ending}")
        for name, figure in figures.items()
        for ending in (".png", ".svg")
    ]
    return "\n".join([json.dumps({"tolerance": tolerance, **numbers}, indent=1), *map(str, files)])
