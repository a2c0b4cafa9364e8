"""A worker process of a campaign: takes cell after cell that nobody else holds."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from carbonopt.campaign.plan import Campaign, Cell
from carbonopt.campaign.store import CampaignStore
from carbonopt.errors import BusyError, CarbonoptError
from carbonopt.problem import Problem
from carbonopt.run import search
from carbonopt.search.base import SearchState
from carbonopt.search.pool import follow_parent
from carbonopt.store import FRONT, RunStore


@dataclass(frozen=True)
class Event:
    """What a worker tells.

    Parameters
    ----------
    cell
        Which cell it is about.
    designs
        Distinct designs so far.
    ended
        Whether the worker is through with the cell.
    reason
        Why the cell failed, '' where it did not.
    """

    cell: Cell
    designs: int = 0
    ended: bool = False
    reason: str = ""


Tell = Callable[[Event], None]


def work(connection: Connection, path: Path, campaign: Campaign, cells: Sequence[Cell]) -> None:
    """Run cells in a process of its own, and tell its parent."""
    follow_parent()
    run_cells(CampaignStore(path), campaign, cells, connection.send)


def run_cells(store: CampaignStore, campaign: Campaign, cells: Sequence[Cell], tell: Tell) -> None:
    """Run cells in this process until none is left that nobody else holds.

    Parameters
    ----------
    store, campaign
        Where the cells are kept, and what they belong to.
    cells
        Those to run; what is done or has failed is passed over.
    tell
        Called with an `Event` whenever a cell gets on.
    """
    known, left = KnownRows(store, campaign), list(cells)
    while left:
        busy = [cell for cell in left if not _settled(store, known, cell, tell)]
        left = busy if len(busy) < len(left) else []


class KnownRows:
    """Problems that remember what other cells have evaluated, so that nothing is computed twice.

    A search with a time limit gets a problem that remembers nothing: its result would depend on
    what others did.

    Parameters
    ----------
    store, campaign
        Where the cells are, and which.
    """

    def __init__(self, store: CampaignStore, campaign: Campaign) -> None:
        self.store = store
        self.campaign = campaign
        self._read: set[Cell] = set()

    def problem(self, cell: Cell) -> Problem:
        """Return the problem of a cell, which knows the rows of finished cells."""
        problem = self.campaign.problem(cell.problem)
        if self.campaign.rules.after_s is not None:
            return copy.copy(problem)
        for other in self._news(problem):
            self._read.add(other)
            problem.remember(RunStore(self.store.run_dir(other)).stored_evaluations())
        return problem

    def done(self, cell: Cell) -> None:
        """Note that a cell was run here, so that its rows are known."""
        self._read.add(cell)

    def _news(self, problem: Problem) -> Iterator[Cell]:
        """Finished cells of a problem whose rows were not read yet."""
        for cell in self.campaign.cells:
            is_news = cell.problem == problem.name and cell not in self._read
            if is_news and (self.store.run_dir(cell) / FRONT).is_file():
                yield cell


def _settled(store: CampaignStore, known: KnownRows, cell: Cell, tell: Tell) -> bool:
    """Run a cell, unless it is done or has failed; False where another process holds it."""

    def progress(state: SearchState) -> None:
        tell(Event(cell, state.distinct))

    if store.failure(cell):
        return True
    reason = ""
    try:
        if store.is_done(cell):
            return True
        tell(Event(cell))
        search(
            known.problem(cell),
            cell.searcher,
            cell.budget,
            cell.seed,
            start=list(known.campaign.start.get(cell.problem, ())) or None,
            stop=known.campaign.rules,
            run_dir=store.run_dir(cell),
            progress=progress,
        )
    except BusyError:
        return False
    except CarbonoptError as error:
        reason = str(error)
    except Exception as error:  # a fault of ours or of a library ends this cell, not the others
        reason = f"{type(error).__name__}: {error}"
    if reason:
        store.note_failure(cell, reason)
    known.done(cell)
    tell(Event(cell, ended=True, reason=reason))
    return True
