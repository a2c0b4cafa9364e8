"""A run directory: created once, appended to, read back; a killed run loses no evaluated row."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from carbonopt.errors import StoreError
from carbonopt.problem import Problem, Row
from carbonopt.store.files import add, is_locked, locked, replace, sync, unwritable
from carbonopt.store.tables import (
    DAMAGED_LINE,
    TEXT_COLUMNS,
    WHOLE_FILE,
    csv_lines,
    number_of,
    read_rows,
    read_table,
    table_bytes,
)

MANIFEST = "manifest.json"
EVALUATIONS = "evaluations.csv"
HISTORY = "history.csv"
CHECKPOINT = "checkpoint.pkl"
FRONT = "front.csv"
PROBLEM = "problem.yaml"
REFERENCE_FRONT = "reference_front.csv"
_LOCK = "lock"
_MANIFEST_KEYS = (
    *("problem", "question", "searcher", "budget", "seed", "started", "finished", "notices"),
    *("variables", "objectives", "constraints", "reference_point"),
)
_HISTORY_COLUMNS = ("generation", "distinct", "feasible_share", "hypervolume", "elapsed_s")
_DIGEST_BYTES = hashlib.sha256().digest_size


class RunStore:
    """The files of one run.

    Every row is written as soon as its design is evaluated, floats to the last bit. The
    checkpoint is replaced as a whole, after the rows that it knows of are on the disk.

    Parameters
    ----------
    path
        The run directory; `create` makes one.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._columns: list[str] = []
        self._stored: dict[tuple[Any, ...], None] = {}

    def start(self, problem: Problem, manifest: Mapping[str, Any]) -> None:
        """Start a run in the directory that this process holds.

        The manifest is written last, so that it vouches for the rest.

        Raises
        ------
        StoreError
            The directory cannot be written.
        """
        if problem.source:
            replace(self.path / PROBLEM, problem.source.encode())
        if problem.reference_front is not None:
            replace(self.path / REFERENCE_FRONT, problem.reference_front.read_bytes())
        self.write_manifest(manifest)

    @property
    def exists(self) -> bool:
        """Whether a run was started here."""
        return (self.path / MANIFEST).is_file()

    def manifest(self) -> dict[str, Any]:
        """Read the manifest.

        Raises
        ------
        StoreError
            There is none, or it cannot be read.
        """
        file = self.path / MANIFEST
        try:
            content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise StoreError(f"{self.path}: {self._without_manifest()}") from error
        except (OSError, ValueError) as error:
            advice = f"{WHOLE_FILE}; put it back from a copy"
            raise StoreError(f"{file}: cannot be read: {error}, {advice}") from error
        known = content if isinstance(content, dict) else {}
        missing = [key for key in _MANIFEST_KEYS if key not in known]
        if missing:
            raise StoreError(f"{file}: got a manifest without {', '.join(missing)}, {WHOLE_FILE}")
        return content

    @property
    def is_complete(self) -> bool:
        """Whether the run is finished, and every design that it evaluated is still stored.

        Raises
        ------
        StoreError
            The manifest or the evaluations cannot be read.
        """
        manifest = self.manifest()
        _, lines = read_rows(self.path / EVALUATIONS) if manifest["finished"] else ([], [])
        return bool(manifest["finished"]) and len(lines) >= manifest.get("distinct", 0)

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Write the manifest."""
        replace(self.path / MANIFEST, json.dumps(manifest, indent=2).encode() + b"\n")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory, made where there is none; the lock of a killed process is released.

        Raises
        ------
        BusyError
            Another process runs here.
        StoreError
            The directory holds something else, or cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            foreign = {entry.name for entry in self.path.iterdir()} - _own_names()
        except OSError as error:
            raise unwritable(self.path, error) from error
        if EVALUATIONS in foreign and not self.exists:
            raise StoreError(f"{self.path}: {self._without_manifest()}")
        if foreign and not self.exists:
            fault = f"got a directory with {sorted(foreign)[0]}, allowed: a new or empty one"
            raise StoreError(f"{self.path}: {fault}")
        with locked(self.path / _LOCK):
            yield

    @property
    def is_running(self) -> bool:
        """Whether a process holds the directory."""
        return is_locked(self.path / _LOCK)

    def evaluations(self, problem: Problem) -> pd.DataFrame:
        """Read every evaluated design; a line that a kill cut short is left out.

        Raises
        ------
        StoreError
            A line does not fit the header.
        SpecError
            A design does not belong to the problem's space.
        """
        self._repair()
        table = read_table(self.path / EVALUATIONS, problem.space.choices)
        self._refuse_text(table, [*problem.deciding, "feasible"])
        self._columns = table.columns.tolist()
        rows: list[Row] = table.to_dict("records")  # type: ignore[assignment]
        names = problem.space.names
        self._stored = dict.fromkeys(tuple(row[name] for name in names) for row in rows)
        return problem.frame(rows)

    def stored_evaluations(self) -> pd.DataFrame:
        """Read every evaluated design by the manifest alone; no rows where there is none yet.

        Raises
        ------
        StoreError
            The file is damaged, or a finished run has lost it.
        """
        manifest = self.manifest()
        file = self.path / EVALUATIONS
        numbers = [*(entry["name"] for entry in manifest["objectives"]), *manifest["constraints"]]
        needed = [*manifest["variables"], *numbers, *TEXT_COLUMNS, "feasible"]
        table = read_table(file, manifest["variables"])
        if table.columns.empty and not manifest["finished"]:
            return pd.DataFrame(columns=needed)
        missing = [name for name in needed if name not in table]
        if missing:
            raise StoreError(f"{file}: got no column {', '.join(missing)}, {WHOLE_FILE}")
        self._refuse_text(table, [*numbers, "feasible"])
        return table

    def append(self, rows: Sequence[Row], problem: Problem) -> None:
        """Add rows that are not stored yet, at once."""
        names = problem.space.names
        new = {tuple(map(row.__getitem__, names)): row for row in rows}
        fresh = [row for key, row in new.items() if key not in self._stored]
        if not fresh:
            return
        known = set(self._columns)
        if not all(map(known.issuperset, fresh)):
            self._widen(problem.frame(fresh).columns.tolist(), problem)
        lines = csv_lines(map(row.get, self._columns) for row in fresh)
        add(self.path / EVALUATIONS, lines)
        self._stored.update(dict.fromkeys(new))

    def forget_evaluations(self) -> None:
        """Drop every row, such as those of a row function that returns too little."""
        (self.path / EVALUATIONS).unlink(missing_ok=True)
        self._columns, self._stored = [], {}

    def rewrite(self, evaluations: pd.DataFrame, problem: Problem) -> None:
        """Bring the stored rows into the order and columns of a table of the same rows."""
        columns = [evaluations[name].tolist() for name in problem.space.names]
        keys = list(zip(*columns, strict=True))
        if keys == list(self._stored) and evaluations.columns.tolist() == self._columns:
            return
        replace(self.path / EVALUATIONS, table_bytes(evaluations))
        self._columns = evaluations.columns.tolist()

    def append_history(self, entry: Mapping[str, float]) -> None:
        """Add one line to the history."""
        file = self.path / HISTORY
        lines: list[Iterable[Any]] = [] if file.exists() and file.stat().st_size else [entry]
        lines.append(entry.values())
        add(file, csv_lines(lines))

    def history(self) -> pd.DataFrame:
        """Read the history."""
        header, lines = read_rows(self.path / HISTORY)
        missing = [name for name in _HISTORY_COLUMNS if name not in header]
        if header and missing:
            fault = f"got no column {', '.join(missing)}, {WHOLE_FILE}"
            raise StoreError(f"{self.path / HISTORY}: {fault}")
        return pd.DataFrame([[number_of(text) for text in line] for line in lines], columns=header)

    def cut_history(self, generation: int) -> pd.DataFrame:
        """Drop what was written after a generation, return what is left."""
        history = self.history()
        kept = history[history["generation"] <= generation] if len(history) else history
        if len(kept) < len(history) or not len(kept):
            replace(self.path / HISTORY, table_bytes(kept) if len(kept) else b"")
        return kept

    def save_checkpoint(self, state: object) -> None:
        """Replace the checkpoint, hash first, after the rows are on the disk."""
        sync(self.path / EVALUATIONS)
        content = pickle.dumps(state)
        replace(self.path / CHECKPOINT, hashlib.sha256(content).digest() + content)

    def checkpoint(self) -> Any:  # noqa: ANN401  whatever was saved
        """Load the checkpoint, None where there is none yet.

        Raises
        ------
        StoreError
            It is damaged, or was written by other versions.
        """
        file = self.path / CHECKPOINT
        if not file.exists():
            return None
        advice = "delete it, and resume replays the stored rows"
        stored = file.read_bytes()
        digest, content = stored[:_DIGEST_BYTES], stored[_DIGEST_BYTES:]
        if hashlib.sha256(content).digest() != digest:
            raise StoreError(f"{file}: got a damaged checkpoint, {WHOLE_FILE}; {advice}")
        try:
            return pickle.loads(content)
        except Exception as error:  # unpickling fails in as many ways as there are versions
            raise StoreError(f"{file}: cannot be read ({error}); {advice}") from error

    def write_front(self, front: pd.DataFrame) -> None:
        """Write the front."""
        replace(self.path / FRONT, table_bytes(front))

    def _without_manifest(self) -> str:
        """Say that there is no manifest, and how to save what lies beside it."""
        rows = self.path / EVALUATIONS
        if not rows.exists() and (self.path / _LOCK).exists():
            return "got a run that failed at its start, allowed: to start it again"
        if not rows.exists():
            return "got no manifest.json, allowed: a directory that `carbonopt run` made"
        other = f"or search anew with --out DIR --start-from {rows}"
        return f"got {EVALUATIONS} without its manifest.json: put it back from a copy, {other}"

    def _refuse_text(self, table: pd.DataFrame, columns: Sequence[str]) -> None:
        """Refuse rows with text where a number or a verdict belongs, by line.

        Raises
        ------
        StoreError
            With every column in which the file is damaged.
        """
        faults = []
        for name in columns if len(table) else ():
            texts = [place for place, v in enumerate(table.get(name, ())) if isinstance(v, str)]
            where = f"{self.path / EVALUATIONS}:{texts[0] + 2}" if texts else ""
            faults += [f"{where}: got text in the column {name}, {DAMAGED_LINE}"] if texts else []
        if faults:
            raise StoreError("\n".join(faults))

    def _repair(self) -> None:
        """Cut the file back to its last whole line."""
        for name in (EVALUATIONS, HISTORY):
            file = self.path / name
            content = file.read_bytes() if file.exists() else b"\n"
            if not content.endswith(b"\n"):
                replace(file, content[: content.rfind(b"\n") + 1])

    def _widen(self, columns: list[str], problem: Problem) -> None:
        """Write the header, again with more columns where later rows have more."""
        header, lines = read_rows(self.path / EVALUATIONS)
        rows = [dict(zip(header, line, strict=True)) for line in lines]
        known = dict.fromkeys([*columns, *self._columns])
        self._columns = problem.frame([dict.fromkeys(known)]).columns.tolist()
        body = [[row.get(name, "") for name in self._columns] for row in rows]
        replace(self.path / EVALUATIONS, csv_lines([self._columns, *body]).encode())


def _own_names() -> set[str]:
    """Names that a run whose start was killed may have left; such a directory is as good as new."""
    names = {PROBLEM, REFERENCE_FRONT, MANIFEST}
    return {_LOCK, *names, *(f"{name}.tmp" for name in names)}
