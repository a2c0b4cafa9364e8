"""The directory of a campaign: what it asks, its problems, and a run directory for each cell."""

from __future__ import annotations

import contextlib
import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from carbonopt.campaign.plan import Campaign, Cell
from carbonopt.errors import SpecError, StoreError
from carbonopt.problem import Problem, load_problem
from carbonopt.run.manifest import differences, now, origin_of, refuse_changes
from carbonopt.search.stop import StopRules
from carbonopt.store import HISTORY, PROBLEM, REFERENCE_FRONT, RunStore, replace
from carbonopt.store.files import locked, unwritable

CAMPAIGN = "campaign.json"
_LOCK = "lock"
_CELLS, _PROBLEMS, _FAILED = "cells", "problems", ".failed"
_AXES = ("searchers", "budgets", "seeds")
_KEYS = ("name", "question", "problems", *_AXES, "start", "stop")

DONE, RUNNING, FAILED, BEGUN, WAITING = "done", "running", "failed", "begun", "waiting"
STATES = (DONE, RUNNING, BEGUN, FAILED, WAITING)
"""States of a cell; one that has begun was interrupted."""


@dataclass(frozen=True)
class CellState:
    """How far a cell is.

    Parameters
    ----------
    cell
        Which one.
    state
        ``done``, ``running``, ``failed``, ``begun`` or ``waiting``.
    designs
        Distinct designs evaluated so far.
    reason
        Why it failed.
    """

    cell: Cell
    state: str
    designs: int
    reason: str = ""

    @property
    def is_done(self) -> bool:
        """Whether the cell is finished."""
        return self.state == DONE


class CampaignStore:
    """The files of one campaign; several processes and machines may work in it at once.

    Parameters
    ----------
    path
        The directory; `keep` makes it.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @property
    def exists(self) -> bool:
        """Whether a campaign was started here."""
        return (self.path / CAMPAIGN).is_file()

    def run_dir(self, cell: Cell) -> Path:
        """Directory of the run of a cell."""
        return self.path / _CELLS / cell.name

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold what all cells share, waiting for others, which need it for moments only."""
        with locked(self.path / _LOCK, wait=True):
            yield

    def keep(self, campaign: Campaign) -> None:
        """Write down what a campaign asks; axes may have grown or shrunk since the last time.

        Raises
        ------
        StoreError
            The directory holds something else or another campaign, or cannot be written.
        """
        wanted = _content(campaign)
        try:
            (self.path / _CELLS).mkdir(parents=True, exist_ok=True)
            foreign = {entry.name for entry in self.path.iterdir()} - {_CELLS, _PROBLEMS, _LOCK}
        except OSError as error:
            raise unwritable(self.path, error) from error
        if foreign and not self.exists and foreign != {f"{CAMPAIGN}.tmp"}:
            fault = f"got a directory with {sorted(foreign)[0]}, allowed: a new or empty one"
            raise StoreError(f"{self.path}: {fault}")
        with self.locked():
            stored = self._stored() if self.exists else {}
            refuse_changes(self.path, _changes(stored, wanted))
            known = {**stored.get("problems", {}), **wanted["problems"]}
            for problem in campaign.problems:
                self._keep_problem(problem)
            content = {**wanted, "problems": known, "listed": list(wanted["problems"])}
            started = {"started": stored.get("started", now())}
            replace(self.path / CAMPAIGN, json.dumps({**content, **started}, indent=2).encode())

    def load(self, problems: Sequence[Problem] = ()) -> Campaign:
        """Read what the campaign asks.

        Parameters
        ----------
        problems
            Those that were made in Python and not from a file.

        Raises
        ------
        StoreError
            There is no campaign, it cannot be read, or it was made from other problems or data.
        SpecError
            A problem was made in Python and is not given.
        """
        stored = self._stored()
        given = {problem.name: problem for problem in problems}
        campaign = Campaign(
            name=stored["name"],
            question=stored["question"],
            problems=[given.get(name) or self._problem(name) for name in stored["listed"]],
            **{axis: stored[axis] for axis in _AXES},
            start=stored["start"],
            rules=StopRules(**stored["stop"]),
        )
        refuse_changes(self.path, _changes(stored, _content(campaign)))
        return campaign

    def is_done(self, cell: Cell) -> bool:
        """Whether a cell is finished."""
        run = RunStore(self.run_dir(cell))
        return run.exists and bool(run.manifest()["finished"])

    def state(self, cell: Cell) -> CellState:
        """Look how far a cell is; one whose manifest cannot be read has failed."""
        run, reason = RunStore(self.run_dir(cell)), self.failure(cell)
        designs = _designs_so_far(run.path / HISTORY)
        try:
            if self.is_done(cell):
                return CellState(cell, DONE, designs)
        except StoreError as error:
            reason = str(error)
        if run.is_running:
            return CellState(cell, RUNNING, designs)
        if reason:
            return CellState(cell, FAILED, designs, reason)
        return CellState(cell, BEGUN if run.exists else WAITING, designs)

    def failure(self, cell: Cell) -> str:
        """Read why a cell failed, '' where it did not."""
        file = self._failed(cell)
        return file.read_text(encoding="utf-8") if file.is_file() else ""

    def note_failure(self, cell: Cell, reason: str) -> None:
        """Write down why a cell failed, where the disk lets us."""
        with contextlib.suppress(StoreError):
            replace(self._failed(cell), reason.encode())

    def forget_failure(self, cell: Cell) -> None:
        """Give a cell another chance."""
        try:
            self._failed(cell).unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(self.path, error) from error

    def _failed(self, cell: Cell) -> Path:
        return self.path / _CELLS / (cell.name + _FAILED)

    def _stored(self) -> dict[str, Any]:
        """Read the file that says what the campaign asks."""
        file = self.path / CAMPAIGN
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            missing = [key for key in (*_KEYS, "listed") if key not in content]
        except FileNotFoundError as error:
            fault = f"got no {CAMPAIGN}, allowed: a directory that `carbonopt run` made"
            raise StoreError(f"{self.path}: {fault}") from error
        except (OSError, ValueError, TypeError) as error:
            advice = "delete it and run the study again: what is done is kept"
            raise StoreError(f"{file}: cannot be read: {error}; {advice}") from error
        if missing:
            fault = f"got no {', '.join(missing)}, allowed: the file as the campaign wrote it"
            raise StoreError(f"{file}: {fault}")
        return dict(content)

    def _keep_problem(self, problem: Problem) -> None:
        """Copy a problem file, so that the campaign goes on without the original."""
        folder = self.path / _PROBLEMS / problem.name
        if not problem.source or (folder / PROBLEM).is_file():
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(folder, error) from error
        if problem.reference_front is not None:
            replace(folder / REFERENCE_FRONT, problem.reference_front.read_bytes())
        replace(folder / PROBLEM, problem.source.encode())

    def _problem(self, name: str) -> Problem:
        """Load the copy of a problem."""
        file = self.path / _PROBLEMS / name / PROBLEM
        if not file.is_file():
            fault = "got one made in Python, allowed: CampaignStore(path).load([problem])"
            raise SpecError(f"{self.path}: problem {name}: {fault}")
        return load_problem(file)


def _content(campaign: Campaign) -> dict[str, Any]:
    """Put what a campaign asks in a form that JSON can hold."""
    return {
        "name": campaign.name,
        "question": campaign.question,
        "problems": {problem.name: origin_of(problem) for problem in campaign.problems},
        **{axis: list(getattr(campaign, axis)) for axis in _AXES},
        "start": {name: list(designs) for name, designs in campaign.start.items()},
        "stop": asdict(campaign.rules),
    }


def _changes(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """List what has changed since the campaign was started, and may not change."""
    if not stored:
        return []
    faults = differences(stored, wanted, ("start", "stop"))
    for name, origin in wanted["problems"].items():
        told = differences(stored["problems"].get(name, origin), origin, tuple(origin))
        faults += [f"problem {name}: {fault}" for fault in told]
    return faults


def _designs_so_far(history: Path) -> int:
    """Read the last count of distinct designs, 0 where there is none."""
    if not history.is_file():
        return 0
    lines = list(csv.DictReader(history.read_text().splitlines()))
    counts = [line["distinct"] for line in lines if (line.get("distinct") or "").isdigit()]
    return int(counts[-1]) if counts else 0
