"""One leg of a run: from where it stands to its end, kept after every batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from carbonopt.errors import SpecError
from carbonopt.front.dominance import front_rows, non_dominated
from carbonopt.front.front import Front
from carbonopt.front.indicators import hypervolume
from carbonopt.front.notices import mapping_gaps, table_notices
from carbonopt.problem import Problem, Row
from carbonopt.run.manifest import now
from carbonopt.search.base import Key, SearchLoop, SearchState
from carbonopt.search.stop import StopRules
from carbonopt.store import RunStore, read_table

Progress = Callable[[SearchState], None]
_PAUSE_PER_CHECKPOINT = 50.0
"""So that at most one part in fifty of a run goes into checkpoints, which grow with it."""


@dataclass
class Tally:
    """What is known of all designs so far: how many, how many feasible, the front.

    Parameters
    ----------
    problem
        Whose designs they are.
    """

    problem: Problem
    distinct: int = 0
    feasible: int = 0
    values: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)))
    volume: float | None = None

    def add(self, rows: Sequence[Row]) -> None:
        """Count new rows, and let them compete with the front."""
        feasible = [row for row in rows if row["feasible"]]
        new = self.problem.objective_values(feasible)
        known = self.values.reshape(-1, len(self.problem.metrics))
        both = np.vstack([known, new])
        kept = non_dominated(both)
        if kept[len(known) :].any():
            self.values, self.volume = both[kept], None
        self.distinct += len(rows)
        self.feasible += len(feasible)

    def hypervolume(self) -> float:
        """Log hypervolume, NaN without a reference point or where an objective has no logarithm."""
        point = self.problem.reference_point
        if point is None:
            return float("nan")
        if self.volume is None:
            self.volume = hypervolume(self.values, [point[m] for m in self.problem.objectives])
        return self.volume


class Session:
    """A search loop on a problem, with a store or without.

    Parameters
    ----------
    problem
        What is searched.
    loop
        The search at its start; a checkpoint in the store takes its place.
    store
        Where the run is kept, None to keep it in memory alone.
    rules
        What ends the search before its budget is spent.
    """

    def __init__(
        self, problem: Problem, loop: SearchLoop, store: RunStore | None, rules: StopRules
    ) -> None:
        self.problem = problem
        self.loop = loop
        self.store = store
        self.rules = rules
        self.tally = Tally(problem)
        self.history: list[dict[str, float]] = []
        self.stored: list[Key] = []
        self.unchecked: list[Row] = []
        self.is_checked = False
        self.next_checkpoint_s = 0.0
        if store is not None:
            self._recover(store)

    def run(self, executor: Executor | None, progress: Progress | None) -> Front:
        """Search to the end and return the front."""
        before = self.history[-1]["elapsed_s"] if self.history else 0.0
        start = time.monotonic() - before
        while not self.loop.finished:
            self.tally.add(self.loop.step(self.problem, executor, self._keep))
            self._check_columns()
            self._note(time.monotonic() - start)
            if progress is not None:
                progress(self.state(time.monotonic() - start))
        return self._finish()

    def state(self, elapsed_s: float) -> SearchState:
        """Tell how far the search is."""
        return SearchState(
            evaluations=self.loop.evaluations,
            distinct=self.tally.distinct,
            budget=self.loop.budget,
            generation=self.loop.generation,
            hypervolume=self.tally.hypervolume(),
            feasible_share=self.tally.feasible / max(self.tally.distinct, 1),
            front_size=len(self.tally.values),
            elapsed_s=elapsed_s,
            finished=self.loop.finished,
        )

    def _recover(self, store: RunStore) -> None:
        """Take up what an earlier leg left: its rows, its checkpoint and its history."""
        rows = store.evaluations(self.problem)
        self.problem.remember(rows)
        self.stored = [tuple(row) for row in self.problem.space.encode(rows).tolist()]
        self.loop = store.checkpoint() or self.loop
        if self.loop.seen:
            self.tally.add(self.problem.rows(list(self.loop.seen)))
        kept = store.cut_history(self.loop.generation)
        self.history = [{str(k): v for k, v in row.items()} for row in kept.to_dict("records")]

    def _keep(self, rows: list[Row]) -> None:
        """Store rows as they come."""
        if self.store is not None:
            self.store.append(rows, self.problem)
        if not self.is_checked:
            self.unchecked += rows

    def _check_columns(self) -> None:
        """Stop a search whose rows lack a column that decides, as after a slip of the pen.

        Raises
        ------
        SpecError
            No row has it that did not fail or break a limit.
        """
        rows = [row for row in self.unchecked if self.problem.is_whole(row)]
        missing = self.problem.missing_columns(rows) if rows else []
        if missing and self.store is not None and self.loop.generation == 1:
            self.store.forget_evaluations()
        if missing:
            returned = ", ".join(sorted(set().union(*rows) - set(self.problem.space.names)))
            faults = [f"column {name}: missing in all rows, got: {returned}" for name in missing]
            raise SpecError([f"problem {self.problem.name}: {fault}" for fault in faults])
        self.is_checked = bool(rows)
        self.unchecked = []

    def _note(self, elapsed_s: float) -> None:
        """Close a batch: first the history, then the checkpoint that vouches for it.

        Batches since the last checkpoint are gone through again after a kill: their rows are kept.
        """
        state = self.state(elapsed_s)
        entry = {
            "generation": state.generation,
            "evaluations": state.evaluations,
            "distinct": state.distinct,
            "front_size": state.front_size,
            "feasible_share": state.feasible_share,
            "hypervolume": state.hypervolume,
            "elapsed_s": round(elapsed_s, 3),
        }
        self.history.append(entry)
        reached = self.rules.reached(self.history)
        if reached and not self.loop.finished:
            self.loop.stop(reached)
        if self.store is not None:
            self.store.append_history(entry)
            self._save(self.store)

    def _save(self, store: RunStore) -> None:
        """Write a checkpoint at the end, and whenever the last one is long enough ago."""
        start = time.monotonic()
        if start < self.next_checkpoint_s and not self.loop.finished:
            return
        store.save_checkpoint(self.loop)
        end = time.monotonic()
        self.next_checkpoint_s = end + _PAUSE_PER_CHECKPOINT * (end - start)

    def _finish(self) -> Front:
        """Put the rows in order, write the front and close the manifest."""
        problem = self.problem
        whole = problem.evaluate(list(dict.fromkeys([*self.loop.seen, *self.stored])))
        evaluations = _without_empty_columns(whole, problem)
        front = Front(
            name=problem.name,
            evaluations=evaluations,
            metrics=problem.metrics,
            variables=tuple(problem.space.names),
            constraint_names=tuple(problem.constraint_names),
            reference_point=problem.reference_point,
            history=pd.DataFrame(self.history),
            reference=reference_of(problem),
            run_dir=self.store.path if self.store else None,
            notices=(*self.loop.notices, *table_notices(evaluations, problem.deciding)),
            choices=problem.space.choices,
        )
        if self.store is not None:
            self._close(self.store, front)
        return front

    def _close(self, store: RunStore, front: Front) -> None:
        """Write what a finished run has."""
        store.rewrite(front.evaluations, self.problem)
        store.write_front(front.to_pandas())
        manifest = store.manifest()
        done = {
            "finished": now(),
            "evaluations": self.loop.evaluations,
            "distinct": self.tally.distinct,
            "notices": self.loop.notices,
            **_mapping_facts(front.evaluations),
        }
        store.write_manifest({**manifest, **done})


def _mapping_facts(evaluations: pd.DataFrame) -> dict[str, float | int]:
    """Tell how well the mappings of a table are proven, for its manifest; nothing without any."""
    gaps = mapping_gaps(evaluations)
    proven = gaps[np.isfinite(gaps)]
    if not len(gaps):
        return {}
    return {
        "largest_mapping_gap": float(proven.max(initial=0.0)),
        "designs_without_mapping_proof": len(gaps) - len(proven),
    }


def _without_empty_columns(rows: pd.DataFrame, problem: Problem) -> pd.DataFrame:
    """Drop columns that no row has, which other runs may have taught a problem."""
    kept = {*problem.deciding, "status", "message", "feasible"}
    return rows[[name for name in rows if name in kept or rows[name].notna().any()]]


def reference_of(problem: Problem) -> pd.DataFrame | None:
    """Read the reference front that ships with a problem, or solve for the exact one."""
    if problem.reference_front is not None:
        return read_table(problem.reference_front, problem.space.choices)
    exact = front_rows(problem.solved, problem.objectives)
    return exact.dropna(axis="columns", how="all") if len(exact) else None
