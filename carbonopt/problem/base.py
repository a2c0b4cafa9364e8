"""A design problem: a space, a row function, objectives and limits; knows no search library."""

from __future__ import annotations

import hashlib
import json
import math
import pickle
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from carbonopt.errors import SearchError, SpecError
from carbonopt.objectives import Metric, metric
from carbonopt.problem.rows import (
    Evaluate,
    OnRows,
    Row,
    numbers_of,
    refuse_text,
    run_chunk,
    safe_row,
)
from carbonopt.space import Space
from carbonopt.variable import Variable, kept_column

#: what stands in for the objectives of a design that has none, so that a searcher sees a number
MISSING_OBJECTIVE = 1e30
_MAX_CHUNK = 16
_TOGETHER_S = 0.02
"""Rows that this process computes within so long are handed on together; a kill loses no more."""
_DEAD_WORKER = (
    "a worker process died: it was killed, ran out of memory, or was started from a script "
    'without `if __name__ == "__main__":`; what was stored is kept, so the run can be resumed'
)


class Problem:
    """A question about hardware, ready to be searched.

    Parameters
    ----------
    name
        Name of the problem, part of the name of a run directory.
    variables
        The knobs.
    evaluate_row
        Takes the decoded variables of one design, returns its metrics and constraints as a flat
        mapping. It must be picklable when worker processes are to run it.
    objectives
        Metrics to minimise: names of `carbonopt.objectives`, or a `Metric` of your own.
    constraints
        Columns that `evaluate_row` returns, each met where it is <= 0.
    limits
        Largest allowed value of a column: adds the constraint ``limit.<column>``, which is
        value/limit - 1.
    reference_point
        Value of each objective from which hypervolume is measured.
    reference_front
        File with the exact or best-known front.
    question
        What the problem asks, in a sentence.
    content
        What decides the result beyond the arguments above, JSON-able; enters the hash.
    source
        Text of a problem file that makes this problem again.
    exact_rows
        Returns rows among which the exact front is, where it can be had without a search.
    build
        Builds the hardware of a design and maps nothing, `ModelRangeError` where it cannot be.

    Examples
    --------
    >>> def row(design):
    ...     return {"latency_s": 1.0 / design["rows"], "area_mm2": design["rows"] / 100}
    >>> problem = Problem("toy", [Variable.pow2("rows", 32, 256)], row, ["latency_s", "area_mm2"])
    >>> problem.evaluate([[0], [3]])["latency_s"].tolist()
    [0.03125, 0.00390625]
    """

    def __init__(
        self,
        name: str,
        variables: Sequence[Variable],
        evaluate_row: Evaluate,
        objectives: Sequence[str | Metric],
        *,
        constraints: Sequence[str] = (),
        limits: Mapping[str, float] | None = None,
        reference_point: Mapping[str, float] | None = None,
        reference_front: Path | None = None,
        question: str = "",
        content: Mapping[str, Any] | None = None,
        source: str = "",
        exact_rows: Callable[[], list[Row]] | None = None,
        build: Callable[[Row], None] | None = None,
    ) -> None:
        self.name = name
        self.question = question
        self.space = Space(variables)
        self.metrics = tuple(m if isinstance(m, Metric) else metric(m) for m in objectives)
        self.limits = dict(limits or {})
        self.constraint_names = [*constraints, *(f"limit.{column}" for column in self.limits)]
        self.reference_point = dict(reference_point) if reference_point else None
        self.reference_front = reference_front
        self.content = dict(content or {"evaluate_row": _qualified_name(evaluate_row)})
        self.source = source
        self.evaluate_row = evaluate_row
        self.build = build
        self._exact_rows = exact_rows
        self._payload = b""
        self._cache: dict[tuple[int, ...], Row] = {}
        _check(self)

    @property
    def objectives(self) -> list[str]:
        """Names of the objectives, all minimised."""
        return [m.name for m in self.metrics]

    @property
    def deciding(self) -> list[str]:
        """Columns that decide about a design: objectives and constraints."""
        return [*self.objectives, *self.constraint_names]

    @property
    def size(self) -> int:
        """Number of designs in the space."""
        return self.space.size

    @property
    def hash(self) -> str:
        """Fingerprint (SHA-256) of everything that decides an evaluation or a search."""
        resolved = {
            "variables": {v.name: v.values for v in self.space.variables},
            **self._conditions,
            "objectives": self.objectives,
            "constraints": self.constraint_names,
            "limits": self.limits,
            "reference_point": self.reference_point,
            "content": self.content,
        }
        return hashlib.sha256(
            json.dumps(resolved, sort_keys=True, default=str).encode()
        ).hexdigest()

    @property
    def _conditions(self) -> dict[str, Any]:
        """What tells where variables matter, where some do not matter everywhere."""
        found = {v.name: v.condition for v in self.space.variables if v.condition is not None}
        return {"conditions": found} if found else {}

    def evaluate(
        self, index: npt.ArrayLike, executor: Executor | None = None, on_rows: OnRows | None = None
    ) -> pd.DataFrame:
        """Evaluate designs, see `rows`, and make one table of them.

        Returns
        -------
        pandas.DataFrame
            One row per design (n): variables, metrics, constraints, ``status``, ``message`` and
            ``feasible``. A design whose evaluation failed has status ``error``.
        """
        return self.frame(self.rows(index, executor, on_rows))

    def rows(
        self, index: npt.ArrayLike, executor: Executor | None = None, on_rows: OnRows | None = None
    ) -> list[Row]:
        """Evaluate designs; one that was evaluated before comes from the cache.

        Parameters
        ----------
        index
            Index vectors (n, v).
        executor
            Any `concurrent.futures.Executor`: chunks of designs run there.
        on_rows
            Called with the rows of each distinct design as soon as they are there.

        Returns
        -------
        list
            One row per design (n), which the cache keeps: not to be changed.

        Raises
        ------
        SpecError
            `index` does not fit the space.
        SearchError
            A worker process died.
        """
        keys = [tuple(row) for row in self.space.canonical(self.space.check(index)).tolist()]
        distinct = list(dict.fromkeys(keys))
        known = [self._cache[key] for key in distinct if key in self._cache]
        if known and on_rows:
            on_rows(known)
        missing = [key for key in distinct if key not in self._cache]
        for chunk_keys, rows in self._computed(missing, executor):
            complete = [self._complete(row) for row in rows]
            self._cache.update(zip(chunk_keys, complete, strict=True))
            if on_rows:
                on_rows(complete)
        return [self._cache[key] for key in keys]

    def frame(self, rows: Iterable[Row]) -> pd.DataFrame:
        """Make the evaluation table of some rows; has the columns of every objective and limit."""
        listed = list(rows)
        head = [*self.space.names, *self.objectives]
        tail = ["status", "message", "feasible"]
        others = set(self.constraint_names).union(*listed) - {*head, *tail}
        names = [*head, *sorted(others), *tail]
        columns = {name: [row.get(name, math.nan) for row in listed] for name in names}
        table = pd.DataFrame(columns, dtype=None if listed else object)
        for name in self.space.conditional:
            table[name] = kept_column([row[name] for row in listed])
        return table

    @cached_property
    def solved(self) -> pd.DataFrame:
        """Rows (n) among which the exact front is; none where only a search can tell."""
        rows = self._exact_rows() if self._exact_rows else []
        return self.frame([self._complete(row) for row in rows])

    def remember(self, evaluations: pd.DataFrame) -> None:
        """Feed rows of an evaluation table to the cache, so that they are not computed again."""
        keys = [tuple(row) for row in self.space.encode(evaluations).tolist()]
        decoded = self.space.decode(keys) if keys else []
        for key, variables, row in zip(keys, decoded, evaluations.to_dict("records"), strict=True):
            self._cache[key] = {**{str(k): v for k, v in row.items()}, **variables}

    def objective_values(self, rows: Sequence[Row]) -> npt.NDArray[np.float64]:
        """Objectives (n, m) of some rows, a large finite number where a design has none."""
        values = numbers_of(rows, self.objectives)
        return np.where(np.isfinite(values), values, MISSING_OBJECTIVE)

    def violations(self, rows: Sequence[Row]) -> npt.NDArray[np.float64]:
        """Constraints (n, c + 1), <= 0 where met; the last one says whether there is a result.

        A violation v becomes v / (1 + v) < 1, so that no single one drowns the others and each
        still shows how far a design is from meeting it; a value that is missing counts as 1.
        """
        values = numbers_of(rows, self.constraint_names)
        over = np.maximum(values, 0.0)
        graded = np.where(values > 0.0, over / (1.0 + over), values)
        graded = np.where(np.isfinite(values), graded, 1.0)
        has_numbers = np.isfinite(numbers_of(rows, self.objectives)).all(axis=1)
        usable = has_numbers & np.array([row["status"] == "ok" for row in rows], dtype=bool)
        return np.column_stack([graded, np.where(usable, -1.0, 1.0)])

    def is_whole(self, row: Row) -> bool:
        """Whether a row can be expected to have every column: no fault, no limit broken."""
        needed = [row.get(name, np.nan) for name in self.constraint_names]
        return row["status"] == "ok" and not any(value > 0.0 for value in needed)

    def missing_columns(self, rows: Sequence[Row]) -> list[str]:
        """Columns that decide, by themselves or as a factor, and that none of the rows has."""
        derived = {f"limit.{column}" for column in self.limits}
        limited = [_product(column) or Metric(column, column) for column in self.limits]
        given = [Metric(name, name) for name in self.constraint_names if name not in derived]
        return [
            column
            for wanted in dict.fromkeys([*self.metrics, *given, *limited])
            if not any(np.isfinite(row.get(wanted.name, np.nan)) for row in rows)
            for column in wanted.factors or (wanted.name,)
            if not any(column in row for row in rows)
        ]

    def to_pymoo(self) -> Any:  # noqa: ANN401  a class of pymoo, which has no types
        """Make a ``pymoo.core.problem.Problem`` of index vectors, for any algorithm of pymoo."""
        from carbonopt.encoding.pymoo_problem import PymooProblem

        return PymooProblem(self)

    def objective(self) -> Callable[[Any], Sequence[float]]:
        """Make an objective function for ``optuna.Study.optimize``; all are to be minimised."""
        from carbonopt.encoding.optuna_objective import optuna_objective

        return optuna_objective(self)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the cache behind: a worker or a checkpoint has no use for it."""
        return {**self.__dict__, "_cache": {}, "_payload": b""}

    def _computed(
        self, keys: list[tuple[int, ...]], executor: Executor | None
    ) -> Iterable[tuple[list[tuple[int, ...]], list[Row]]]:
        """Yield chunks of keys with their raw rows, in the order in which they are finished."""
        if executor is None:
            yield from self._computed_here(keys)
            return
        self._payload = self._payload or _pickled(self.evaluate_row)
        size = min(_MAX_CHUNK, max(1, len(keys) // 16))
        chunks = [keys[start : start + size] for start in range(0, len(keys), size)]
        pending = {
            executor.submit(run_chunk, self._payload, self.space.decode(chunk)): chunk
            for chunk in chunks
        }
        try:
            for future in as_completed(pending):
                yield pending[future], future.result()
        except BrokenProcessPool as error:
            raise SearchError(_DEAD_WORKER) from error
        finally:
            for future in pending:
                future.cancel()

    def _computed_here(
        self, keys: list[tuple[int, ...]]
    ) -> Iterable[tuple[list[tuple[int, ...]], list[Row]]]:
        """Yield keys with their raw rows: one by one, or together where they take no time."""
        rows: list[Row] = []
        started_s = time.monotonic()
        designs = self.space.decode(keys) if keys else []
        for place, design in enumerate(designs, start=1):
            rows.append(safe_row(self.evaluate_row, design))
            if place == len(keys) or time.monotonic() - started_s >= _TOGETHER_S:
                yield keys[place - len(rows) : place], rows
                rows, started_s = [], time.monotonic()

    @cached_property
    def _products(self) -> list[Metric]:
        """Metrics of the objectives and limits that are products of columns."""
        wanted = [*self.metrics, *(_product(column) for column in self.limits)]
        return [metric for metric in wanted if metric is not None and metric.factors]

    @cached_property
    def _numbers(self) -> list[str]:
        """Columns that must be numbers."""
        factors = [name for product in self._products for name in product.factors]
        return list(dict.fromkeys([*self.deciding, *self.limits, *factors]))

    def _complete(self, row: Row) -> Row:
        """Add derived metrics, the limits of this problem and the verdict to a raw row."""
        refuse_text(row, self._numbers)
        for wanted in self._products:
            if wanted.name not in row:
                row[wanted.name] = _multiplied(row, wanted.factors)
        for column, limit in self.limits.items():
            row[f"limit.{column}"] = float(row.get(column, math.nan)) / limit - 1.0
        row["feasible"] = (
            row["status"] == "ok"
            and all(row.get(name, math.nan) <= 0.0 for name in self.constraint_names)
            and all(math.isfinite(row.get(m.name, math.nan)) for m in self.metrics)
        )
        return row


def _check(problem: Problem) -> None:
    """Refuse a problem without objectives, or with a reference point or limit that cannot be."""
    faults = []
    names = problem.objectives
    if not names or len(set(names)) < len(names):
        faults.append(f"objectives: got {names}, allowed: at least one, each once")
    point = problem.reference_point
    if point is not None and set(point) != set(names):
        faults.append(f"reference_point: got {sorted(point)}, allowed: a value for each of {names}")
    for where, values in (("limits", problem.limits), ("reference_point", point or {})):
        for key, value in values.items():
            if not (np.isfinite(value) and value > 0):
                faults.append(f"{where}.{key}: got {value}, allowed: a number > 0")
    if faults:
        raise SpecError(faults)


def _pickled(function: Evaluate) -> bytes:
    """Pickle a row function for the workers."""
    try:
        return pickle.dumps(function)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        fault = f"got one that cannot be pickled ({error})"
        allowed = "a function of a module, where other processes are to run it"
        raise SpecError(f"evaluate_row: {fault}, allowed: {allowed}") from error


def _product(column: str) -> Metric | None:
    """Find the metric of a limited column, None where the column is none of ours."""
    try:
        return metric(column)
    except SpecError:
        return None


def _multiplied(row: Row, factors: Sequence[str]) -> float:
    """Multiply some columns of a row."""
    return float(np.prod([float(row.get(name, np.nan)) for name in factors]))


def _qualified_name(function: Evaluate) -> str:
    """Name a row function for the hash; that of a partial is the function behind it."""
    inner = getattr(function, "func", function)
    return f"{inner.__module__}.{getattr(inner, '__qualname__', type(inner).__qualname__)}"
