"""A shared study as a run directory, like any other."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import numpy.typing as npt

from carbonopt.cluster.shared import SharedStudy
from carbonopt.database import shown
from carbonopt.errors import SearchError
from carbonopt.front.front import Front
from carbonopt.run.manifest import check_same_run
from carbonopt.run.session import Session
from carbonopt.search.base import Key, SearchLoop
from carbonopt.search.stop import StopRules
from carbonopt.space import IndexArray
from carbonopt.store import CHECKPOINT, EVALUATIONS, FRONT, HISTORY, RunStore

_BATCHES = 50


class Replayed:
    """Proposes designs that were evaluated elsewhere, in the order in which they were begun.

    Parameters
    ----------
    keys
        Their index vectors.
    """

    def __init__(self, keys: list[Key]) -> None:
        self.keys = keys
        self.size = max(1, -(-len(keys) // _BATCHES))

    def ask(self, seen: Collection[Key]) -> IndexArray:
        """Propose the next designs (n, v)."""
        return np.array(self.keys[len(seen) : len(seen) + self.size], dtype=np.int64)

    def tell(
        self,
        index: IndexArray,
        objectives: npt.NDArray[np.float64],
        violations: npt.NDArray[np.float64],
    ) -> None:
        """Learn nothing."""


def collect(shared: SharedStudy, run_dir: str | Path) -> Front:
    """Write the designs of a shared study so far as a run; an earlier collection is replaced.

    Raises
    ------
    SearchError
        No design is finished yet.
    StoreError
        `run_dir` holds another run, or cannot be written.
    """
    problem, done = shared.problem, shared.done()
    if not done:
        raise SearchError(f"study {shared.study.study_name}: no design is finished yet")
    workers = shared.workers()
    manifest = {**shared.manifest, "storage": shown(shared.url), "workers": workers}
    store = RunStore(run_dir)
    problem.remember(problem.frame(shared.rows()))
    loop = SearchLoop(Replayed(list(done)), len(done), notices=_notices(shared, len(done), workers))
    with store.locked():
        if store.exists:
            check_same_run(store.path, store.manifest(), manifest)
            store.write_manifest(manifest)
        else:
            store.start(problem, manifest)
        for name in (EVALUATIONS, HISTORY, CHECKPOINT, FRONT):
            (store.path / name).unlink(missing_ok=True)
        return Session(problem, loop, store, StopRules()).run(None, None)


def _notices(shared: SharedStudy, done: int, workers: list[str]) -> list[str]:
    """Say how the designs came about."""
    notices = [
        f"collected from the study {shared.study.study_name} of {len(workers)} workers: which "
        "designs they chose depended on their timing, so another search finds others"
    ]
    if done < shared.target:
        notices.append(f"collected after {done} of {shared.target} designs: collect it again later")
    return notices
