"""Finds problems, studies and machines by name, in a checkout and in an installed package alike."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from carbonopt.errors import SpecError

_PACKAGE = Path(__file__).parent
_QUESTION = re.compile(r"\*\*Question\.\*\*\s+([^?]*\?)")
_DRAWN = "figures.py"
"""Name of the program that draws the figures of a study."""


@dataclass(frozen=True)
class ShippedStudy:
    """A shipped study: what it searches, what draws its figures, either or both.

    Attributes
    ----------
    name
        Its name, which is that of its folder.
    searched
        The study file that `carbonopt run` takes, None where it searches nothing.
    drawn
        The program that draws its figures, None where its runs say it all.
    """

    name: str
    searched: Path | None
    drawn: Path | None

    @property
    def question(self) -> str:
        """What it answers, after its README, or after its study file where it has none."""
        import yaml

        readme = _folder("study") / self.name / "README.md"
        found = _QUESTION.search(readme.read_text("utf-8")) if readme.is_file() else None
        if found is None and self.searched is not None:
            return " ".join(yaml.safe_load(self.searched.read_text("utf-8"))["question"].split())
        return " ".join(found[1].split()) if found else ""


def problem_names() -> list[str]:
    """List the shipped problems."""
    return _names("problem")


def study_names() -> list[str]:
    """List the shipped studies."""
    return _names("study")


def shipped_studies() -> list[ShippedStudy]:
    """List the shipped studies, also those that search nothing."""
    folders = sorted(folder for folder in _folder("study").glob("*") if folder.is_dir())
    found = [(f.name, _file(f / "study.yaml"), _file(f / _DRAWN)) for f in folders]
    return [ShippedStudy(*each) for each in found if any(each[1:])]


def machine_names() -> list[str]:
    """List the shipped machines."""
    return sorted(file.stem for file in _machines().glob("*.yaml"))


def find_problem(name_or_path: str | Path) -> Path:
    """Find the file of a problem by its name, its folder or its path.

    Raises
    ------
    SpecError
        There is no such problem.
    """
    return _find("problem", name_or_path)


def find_study(name_or_path: str | Path) -> Path:
    """Find the file of a study by its name, its folder or its path.

    Raises
    ------
    SpecError
        There is no such study.
    """
    return _find("study", name_or_path)


def find_machine(name_or_path: str | Path, others: Sequence[str] = ()) -> Path:
    """Find the file of a machine by its name or its path.

    Parameters
    ----------
    name_or_path
        What is sought.
    others
        Names that would be allowed too, for the message.

    Raises
    ------
    SpecError
        There is no such machine.
    """
    wanted = Path(name_or_path)
    for candidate in (wanted, _machines() / f"{wanted}.yaml"):
        if candidate.is_file():
            return candidate
    raise _unknown("machine", wanted, [*machine_names(), *others])


def repository_root() -> Path | None:
    """Folder of the checkout that this package is imported from, None where it is installed."""
    root = _PACKAGE.parent
    return root if (root / "pyproject.toml").is_file() and (root / "problems").is_dir() else None


def _folder(kind: str) -> Path:
    """Folder with everything of a kind: inside an installed package, else in the checkout."""
    plural = "problems" if kind == "problem" else "studies"
    inside = _PACKAGE / f"_{plural}"
    return inside if inside.is_dir() else _PACKAGE.parent / plural


def _machines() -> Path:
    """Folder of the machines: beside the problems that may use them."""
    return _folder("problem") / "hardware"


def _names(kind: str) -> list[str]:
    """Names of the folders that hold a file of a kind."""
    return sorted(file.parent.name for file in _folder(kind).glob(f"*/{kind}.yaml"))


def _file(path: Path) -> Path | None:
    """Return the path of a file, None where there is none."""
    return path if path.is_file() else None


def _find(kind: str, name_or_path: str | Path) -> Path:
    """Find a file by name, folder or path."""
    wanted = Path(name_or_path)
    for candidate in (wanted, wanted / f"{kind}.yaml", _folder(kind) / wanted / f"{kind}.yaml"):
        if candidate.is_file():
            return candidate
    other, does = ("study", "run") if kind == "problem" else ("problem", "enumerate")
    if (wanted / f"{other}.yaml").is_file() or str(wanted) in _names(other):
        allowed = f"a {kind}, or: carbonopt {does} {name_or_path}"
        raise SpecError(f"{kind}: got {name_or_path}, which is a {other}, allowed: {allowed}")
    drawn = next(filter(Path.is_file, (wanted / _DRAWN, _folder("study") / wanted / _DRAWN)), None)
    if kind == "study" and drawn:
        allowed = f"a study that searches, or: {sys.executable} {drawn}"
        raise SpecError(f"study: got {name_or_path}, which searches nothing, allowed: {allowed}")
    known = _names(kind) if kind == "problem" else [each.name for each in shipped_studies()]
    raise _unknown(kind, wanted, known)


def _unknown(kind: str, wanted: Path, names: list[str]) -> SpecError:
    """Say that there is nothing of a name, and which name is near."""
    near = get_close_matches(str(wanted), names, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    allowed = f"a file, or one of: {', '.join(names)}{hint}"
    return SpecError(f"{kind}: got {wanted}, allowed: {allowed}")
