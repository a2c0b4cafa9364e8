"""A run directory: created once, appended to, read back; a killed run loses no evaluated row."""

from __future__ import annotations

import csv
import io
import json
import os
import pickle
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from carbonopt.errors import StoreError
from carbonopt.problem import Problem, Row
from carbonopt.variable import kept_column

MANIFEST = "manifest.json"
EVALUATIONS = "evaluations.csv"
HISTORY = "history.csv"
CHECKPOINT = "checkpoint.pkl"
FRONT = "front.csv"
PROBLEM = "problem.yaml"
REFERENCE_FRONT = "reference_front.csv"
_LOCK = "lock"
_TEXT_COLUMNS = ("status", "message")
_MANIFEST_KEYS = (
    *("problem", "question", "searcher", "budget", "seed", "started", "finished", "notices"),
    *("variables", "objectives", "constraints", "reference_point"),
)
_HISTORY_COLUMNS = ("generation", "distinct", "feasible_share", "hypervolume", "elapsed_s")
_WHOLE_FILE = "allowed: the file as the run wrote it"


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
        self._stored: set[tuple[str, ...]] = set()

    @classmethod
    def create(cls, path: str | Path, problem: Problem, manifest: Mapping[str, Any]) -> RunStore:
        """Make a run directory; the manifest is written last, so that it vouches for the rest.

        Raises
        ------
        StoreError
            The directory holds something else, or cannot be written.
        """
        store = cls(path)
        try:
            store.path.mkdir(parents=True, exist_ok=True)
            foreign = {entry.name for entry in store.path.iterdir()} - _own_names()
            if foreign:
                fault = f"got a directory with {sorted(foreign)[0]}, allowed: a new or empty one"
                raise StoreError(f"{path}: {fault}")
            if problem.source:
                replace(store.path / PROBLEM, problem.source.encode())
            if problem.reference_front is not None:
                replace(store.path / REFERENCE_FRONT, problem.reference_front.read_bytes())
            store.write_manifest(manifest)
        except OSError as error:
            raise _unwritable(store.path, error) from error
        return store

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
            fault = "got no manifest.json, allowed: a directory that `carbonopt run` made"
            raise StoreError(f"{self.path}: {fault}") from error
        except (OSError, ValueError) as error:
            raise StoreError(f"{file}: cannot be read: {error}") from error
        known = content if isinstance(content, dict) else {}
        missing = [key for key in _MANIFEST_KEYS if key not in known]
        if missing:
            raise StoreError(f"{file}: got a manifest without {', '.join(missing)}, {_WHOLE_FILE}")
        return content

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Write the manifest."""
        replace(self.path / MANIFEST, json.dumps(manifest, indent=2).encode() + b"\n")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory for this process; the lock of a killed process is released.

        Raises
        ------
        StoreError
            Another process runs here, or the directory cannot be written.
        """
        try:
            handle = (self.path / _LOCK).open("w")
        except OSError as error:
            raise _unwritable(self.path, error) from error
        with handle:
            if not _lock(handle):
                raise StoreError(f"{self.path}: another process is running this run")
            yield

    @property
    def is_running(self) -> bool:
        """Whether a process holds the directory."""
        try:
            with (self.path / _LOCK).open() as handle:
                return not _lock(handle)
        except OSError:
            return False

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
        variables = {v.name: v.values for v in problem.space.variables}
        table = read_table(self.path / EVALUATIONS, variables)
        self._columns = table.columns.tolist()
        rows: list[Row] = table.to_dict("records")  # type: ignore[assignment]
        self._stored = {_key(row, problem) for row in rows}
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
        needed = [*manifest["variables"], *numbers, *_TEXT_COLUMNS, "feasible"]
        table = read_table(file, manifest["variables"])
        if table.columns.empty and not manifest["finished"]:
            return pd.DataFrame(columns=needed)
        missing = [name for name in needed if name not in table]
        if missing:
            raise StoreError(f"{file}: got no column {', '.join(missing)}, {_WHOLE_FILE}")
        texts = [name for name in numbers if not pd.api.types.is_numeric_dtype(table[name])]
        if len(table) and texts:
            raise StoreError(f"{file}: got text in the column {', '.join(texts)}, {_WHOLE_FILE}")
        return table

    def append(self, rows: Sequence[Row], problem: Problem) -> None:
        """Add rows that are not stored yet, at once."""
        new = {_key(row, problem): row for row in rows}
        fresh = [row for key, row in new.items() if key not in self._stored]
        if not fresh:
            return
        if not self._columns or any(set(row) - set(self._columns) for row in fresh):
            self._widen(problem.frame(fresh).columns.tolist(), problem)
        lines = _lines([[_text(row.get(name)) for name in self._columns] for row in fresh])
        _add(self.path / EVALUATIONS, lines)
        self._stored.update(new)

    def forget_evaluations(self) -> None:
        """Drop every row, such as those of a row function that returns too little."""
        (self.path / EVALUATIONS).unlink(missing_ok=True)
        self._columns, self._stored = [], set()

    def rewrite(self, evaluations: pd.DataFrame) -> None:
        """Replace the rows as a whole, such as by the same ones in order."""
        replace(self.path / EVALUATIONS, table_bytes(evaluations))
        self._columns = evaluations.columns.tolist()

    def append_history(self, entry: Mapping[str, float]) -> None:
        """Add one line to the history."""
        file = self.path / HISTORY
        head = [] if file.exists() and file.stat().st_size else [list(entry)]
        _add(file, _lines([*head, [_text(value) for value in entry.values()]]))

    def history(self) -> pd.DataFrame:
        """Read the history."""
        header, lines = read_rows(self.path / HISTORY)
        missing = [name for name in _HISTORY_COLUMNS if name not in header]
        if header and missing:
            fault = f"got no column {', '.join(missing)}, {_WHOLE_FILE}"
            raise StoreError(f"{self.path / HISTORY}: {fault}")
        return pd.DataFrame([[_number(text) for text in line] for line in lines], columns=header)

    def cut_history(self, generation: int) -> pd.DataFrame:
        """Drop what was written after a generation, return what is left."""
        history = self.history()
        kept = history[history["generation"] <= generation] if len(history) else history
        if len(kept) < len(history) or not len(kept):
            replace(self.path / HISTORY, table_bytes(kept) if len(kept) else b"")
        return kept

    def save_checkpoint(self, state: object) -> None:
        """Replace the checkpoint, after the rows are on the disk."""
        sync(self.path / EVALUATIONS)
        replace(self.path / CHECKPOINT, pickle.dumps(state))

    def checkpoint(self) -> Any:  # noqa: ANN401  whatever was saved
        """Load the checkpoint, None where there is none yet.

        Raises
        ------
        StoreError
            It was written by other versions.
        """
        file = self.path / CHECKPOINT
        if not file.exists():
            return None
        try:
            return pickle.loads(file.read_bytes())
        except Exception as error:  # unpickling fails in as many ways as there are versions
            fault = f"cannot be read ({error}); delete it, and resume replays the stored rows"
            raise StoreError(f"{file}: {fault}") from error

    def write_front(self, front: pd.DataFrame) -> None:
        """Write the front."""
        replace(self.path / FRONT, table_bytes(front))

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
        replace(self.path / EVALUATIONS, _lines([self._columns, *body]).encode())


def read_rows(file: Path) -> tuple[list[str], list[list[str]]]:
    """Read header and lines of a CSV file as text; both empty where there is no file.

    A last line without its end is still being written, or was cut short by a kill: left out.

    Raises
    ------
    StoreError
        It is no CSV text, or a line has another number of fields than the header.
    """
    if not file.exists():
        return [], []
    try:
        text = file.read_bytes().decode()
        lines = list(csv.reader(io.StringIO(text[: text.rfind("\n") + 1])))
    except (UnicodeDecodeError, csv.Error) as error:
        raise StoreError(f"{file}: got no CSV text ({error}), {_WHOLE_FILE}") from error
    if not lines:
        return [], []
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(lines[0]):
            fault = f"got {len(line)} fields, allowed: {len(lines[0])} as in the header"
            raise StoreError(f"{file}:{number}: {fault}")
    return lines[0], lines[1:]


def read_table(file: Path, variables: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """Read a table of designs to the last bit, given the values that each variable can take."""
    header, lines = read_rows(file)
    texts = {name: {str(value): value for value in values} for name, values in variables.items()}
    columns = {
        name: kept_column([_value(name, text, texts.get(name)) for text in column])
        for name, *column in zip(header, *lines, strict=True)
    }
    return pd.DataFrame(columns)


def table_bytes(table: pd.DataFrame) -> bytes:
    """Write a table as CSV, floats to the last bit."""
    body = [[_text(value) for value in row] for row in table.itertuples(index=False, name=None)]
    return _lines([table.columns.tolist(), *body]).encode()


def replace(file: Path, content: bytes) -> None:
    """Write a file as a whole: a kill leaves the old one or the new one."""
    temporary = file.with_name(file.name + ".tmp")
    try:
        temporary.write_bytes(content)
        sync(temporary)
        temporary.replace(file)
    except OSError as error:
        raise _unwritable(file.parent, error) from error


def _add(file: Path, text: str) -> None:
    """Add lines to a file, at once."""
    try:
        with file.open("ab") as handle:
            handle.write(text.encode())
    except OSError as error:
        raise _unwritable(file.parent, error) from error


def sync(file: Path) -> None:
    """Wait until a file is on the disk, where there is one."""
    if file.exists():
        with file.open("rb+") as handle:
            os.fsync(handle.fileno())


def _own_names() -> set[str]:
    """Names that a run whose start was killed may have left; such a directory is as good as new."""
    names = {PROBLEM, REFERENCE_FRONT, MANIFEST}
    return {_LOCK, *names, *(f"{name}.tmp" for name in names)}


def _key(row: Mapping[str, Any], problem: Problem) -> tuple[str, ...]:
    """Identify a design by its variables as text."""
    return tuple(_text(row[name]) for name in problem.space.names)


def _lines(rows: Sequence[Sequence[str]]) -> str:
    """Join rows to CSV text."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()


def _text(value: object) -> str:
    """Print a value so that it reads back the same; nothing for NaN."""
    if value is None or value != value:
        return ""
    return repr(float(value)) if isinstance(value, float) else str(value)


def _value(name: str, text: str, choices: Mapping[str, Any] | None) -> Any:  # noqa: ANN401
    """Read a field: a value of a variable, a verdict, a number or text."""
    if choices is not None:
        return choices.get(text, text or None)
    if name in _TEXT_COLUMNS:
        return text
    return text == "True" if name == "feasible" else _number(text)


def _number(text: str) -> float | str:
    """Read a number, NaN from nothing; leave other text alone."""
    if text.isdigit():
        return int(text)
    try:
        return float(text) if text else float("nan")
    except ValueError:
        return text


def _lock(handle: io.TextIOWrapper) -> bool:
    """Lock an open file, False where another process has it; without locks on Windows."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _unwritable(path: Path, error: OSError) -> StoreError:
    """Say that a run directory cannot be written, and what to do."""
    if isinstance(error, StoreError):
        return error
    reason = error.strerror or str(error)
    return StoreError(f"{path}: cannot be written ({reason}), allowed: a directory of your own")
