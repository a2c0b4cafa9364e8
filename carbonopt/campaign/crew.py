"""The worker processes of a campaign, and who replaces them when they are killed."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

from carbonopt.campaign.plan import Campaign, Cell, Share
from carbonopt.campaign.store import FAILED, CampaignStore, CellState
from carbonopt.campaign.worker import Event, work
from carbonopt.errors import SearchError, SpecError

Watch = Callable[[Event], None]

_DEATHS = 3
"""How often a worker may die of one cell before the cell counts as failed."""
_NO_START = (
    "worker processes die before they begin: keep the call under "
    '`if __name__ == "__main__":` in a script'
)


def run_campaign(
    campaign: Campaign,
    path: str | Path,
    *,
    jobs: int = 1,
    share: Share | None = None,
    watch: Watch | None = None,
) -> list[CellState]:
    """Run the cells of a campaign that are not done; a cell that fails stops no other.

    Parameters
    ----------
    campaign
        What to run.
    path
        Its directory; others, on any machine that sees it, may work in it at the same time.
    jobs
        Worker processes; each takes whole cells. From a script, keep the call under
        ``if __name__ == "__main__":``.
    share
        Part of the campaign to run, all of it unless given.
    watch
        Called with an `Event` whenever a cell gets on.

    Returns
    -------
    list of CellState
        One for each cell of the share.

    Raises
    ------
    StoreError
        The directory holds another campaign, or cannot be written.
    SearchError
        No worker process can be started.
    """
    if jobs < 1:
        raise SpecError(f"jobs: got {jobs}, allowed: a whole number from 1")
    store = CampaignStore(path)
    store.keep(campaign)
    cells = [cell for cell in campaign.cells if (share or Share()).holds(cell)]
    for cell in cells:
        store.forget_failure(cell)
    left = [state.cell for cell in cells if not (state := store.state(cell)).is_done]
    crew = Crew(store, campaign, left, watch or (lambda event: None))
    crew.run(min(jobs, len(left)))
    return [crew.state(cell) for cell in cells]


@dataclass
class _Worker:
    """A process, what it tells, and where it is."""

    process: SpawnProcess
    connection: Connection
    cell: Cell | None = None


class Crew:
    """Worker processes on the same cells; each takes those that nobody else holds.

    Parameters
    ----------
    store, campaign
        Where the cells are kept, and what they belong to.
    cells
        Those to run.
    watch
        Called with whatever a worker tells.
    """

    def __init__(
        self, store: CampaignStore, campaign: Campaign, cells: Sequence[Cell], watch: Watch
    ) -> None:
        self.store = store
        self.campaign = campaign
        self.cells = cells
        self.watch = watch
        self.deaths: Counter[Cell | None] = Counter()
        self.failures: dict[Cell, str] = {}
        self.workers: list[_Worker] = []

    def run(self, jobs: int) -> None:
        """Start so many workers and wait until all are through; a dead one is replaced.

        Raises
        ------
        SearchError
            Workers die before they begin.
        """
        try:
            self.workers = [self._start() for _ in range(jobs)]
            while self.workers:
                ready = wait([worker.connection for worker in self.workers])
                for worker in [w for w in self.workers if w.connection in ready]:
                    self._hear(worker)
        finally:
            for worker in self.workers:
                worker.process.kill()  # what it has evaluated is on the disk
                worker.process.join()

    def state(self, cell: Cell) -> CellState:
        """Look how far a cell is; why it failed is known also where no disk could keep it."""
        state, reason = self.store.state(cell), self.failures.get(cell, "")
        return state if state.is_done or not reason else replace(state, state=FAILED, reason=reason)

    def _start(self) -> _Worker:
        """Start a worker: a fresh interpreter, on every platform."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        arguments = (theirs, self.store.path, self.campaign, self.cells)
        process = context.Process(target=work, args=arguments, daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def _hear(self, worker: _Worker) -> None:
        """Take what a worker tells; one that tells no more is through, or dead."""
        try:
            event: Event = worker.connection.recv()
        except (EOFError, OSError):
            self._end(worker)
            return
        worker.cell = None if event.ended else event.cell
        self.deaths[None] = 0
        self._pass_on(event)

    def _pass_on(self, event: Event) -> None:
        """Remember why a cell failed, and tell whoever watches."""
        if event.reason:
            self.failures[event.cell] = event.reason
        self.watch(event)

    def _end(self, worker: _Worker) -> None:
        """Let a worker go; another one takes the place of one that died."""
        worker.process.join()
        worker.connection.close()
        self.workers.remove(worker)
        code, cell = worker.process.exitcode or 0, worker.cell
        if code == 0:
            return
        self.deaths[cell] += 1
        if cell is None and self.deaths[cell] >= _DEATHS:
            raise SearchError(_NO_START)
        if cell is not None and self.deaths[cell] >= _DEATHS:
            how = f"ended with exit code {code}" if code > 0 else f"got signal {-code}"
            reason = f"its process {how} {_DEATHS} times: killed, or out of memory"
            self.store.note_failure(cell, reason)
            self.cells = [other for other in self.cells if other != cell]
            self._pass_on(Event(cell, ended=True, reason=reason))
        self.workers.append(self._start())
