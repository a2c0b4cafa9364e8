"""Fronts wherever they come from: a run, a table of designs, the reference front of a problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from carbonopt.catalog import find_problem
from carbonopt.errors import SpecError
from carbonopt.front.conditions import check_numeric
from carbonopt.front.front import Front
from carbonopt.objectives import METRICS, Metric, metric
from carbonopt.problem import load_problem
from carbonopt.run.api import load_run
from carbonopt.run.session import reference_of
from carbonopt.store import EVALUATIONS, FRONT, MANIFEST, REFERENCE_FRONT, RunStore, read_table

_GUESSED = ("latency_s", "energy_j", "carbon_ca_g", "carbon_pa_g")
"""Objectives of a table that does not say its own."""
_OWN_TABLES = (EVALUATIONS, FRONT, REFERENCE_FRONT)
_LISTED = 12
_VERDICTS = ("status", "message", "feasible")


@dataclass(frozen=True)
class Source:
    """A front and what it was made from.

    Parameters
    ----------
    name
        What was asked for.
    front
        Its designs.
    manifest
        The manifest of the run; of a problem what such a manifest says of it; empty for a table.
    """

    name: str
    front: Front
    manifest: Mapping[str, Any] = field(default_factory=dict)


def load_front(source: str | Path, objectives: Sequence[str] = ()) -> Front:
    """Read a front from a run directory, a CSV file, or a problem that ships one.

    Parameters
    ----------
    source
        Directory of a run or an enumeration; a CSV file of designs; name, file or folder of a
        problem with a reference front.
    objectives
        In place of the source's own. A CSV file outside a run has none of its own: those of
        latency, energy and carbon that it has are taken, and `Front.notices` says so.

    Raises
    ------
    StoreError, SpecError
        There is no such front, or it cannot be read.
    """
    return open_source(source, objectives).front


def open_source(source: str | Path, objectives: Sequence[str] = ()) -> Source:
    """Read a front with what it was made from; arguments and errors as for `load_front`."""
    found = _open(Path(source), list(objectives))
    own = {m.name: m for m in found.front.metrics}
    if not objectives or list(objectives) == list(own):
        return found
    asked = [own.get(name) or _metric(name) for name in objectives]
    return replace(found, front=found.front.judged_by(asked))


def _open(path: Path, objectives: list[str]) -> Source:
    """Find out what a path or name stands for, and read it."""
    name = str(path)
    if (path / MANIFEST).is_file():
        return Source(name, load_run(path), RunStore(path).manifest())
    if path.is_file() and path.suffix == ".csv":
        if (path.parent / MANIFEST).is_file() and path.name in _OWN_TABLES:
            return _table_of_run(path)
        return Source(name, _bare_table(path, objectives))
    if path.is_dir() and not (path / "problem.yaml").is_file():
        return Source(name, load_run(path), RunStore(path).manifest())
    if path.suffix == ".csv":
        raise SpecError(f"{path}: got no such file, allowed: a CSV file of designs")
    return _reference_front(path)


def _table_of_run(file: Path) -> Source:
    """Read one table of a run directory, with what the run says of it."""
    run = load_run(file.parent)
    manifest = RunStore(file.parent).manifest()
    if file.name == EVALUATIONS:
        return Source(str(file), run, manifest)
    table = _judged(read_table(file, manifest["variables"]))
    front = replace(run, evaluations=table, history=None, notices=())
    return Source(str(file), front, manifest)


def _bare_table(file: Path, objectives: Sequence[str]) -> Front:
    """Take a CSV file as designs; the objectives that it does not name are told."""
    table = _judged(read_table(file, {}))
    chosen = list(objectives) or [name for name in _GUESSED if name in table]
    if not chosen:
        own = [name for name in map(str, table) if name not in _VERDICTS]
        columns = ", ".join(own[:_LISTED]) or "nothing"
        fault = f"got columns {columns}, allowed: one of {', '.join(_GUESSED)}, or --objectives"
        raise SpecError(f"{file}: objectives: {fault}")
    guess = f"{file}: objectives {', '.join(chosen)}, as the file does not say which (--objectives)"
    check_numeric(chosen, table, f"{file}: objectives")
    return Front(
        name=file.stem,
        evaluations=table,
        metrics=tuple(_metric(name) for name in chosen),
        variables=_variables(list(map(str, table))),
        constraint_names=tuple(n for n in map(str, table) if n.startswith("limit.")),
        notices=() if objectives or table.empty else (guess,),
    )


def _reference_front(path: Path) -> Source:
    """Read the reference front of a problem, or solve for it.

    Raises
    ------
    SpecError
        There is no such problem, or it has no reference front.
    """
    try:
        file = find_problem(path)
    except SpecError as error:
        raise SpecError(f"{path}: got no run and no CSV file; {error}") from error
    problem = load_problem(file)
    table = reference_of(problem)
    if table is None:
        allowed = f"a run, a CSV file, or: carbonopt enumerate {path}"
        raise SpecError(f"{path}: got no manifest.json and no reference front, allowed: {allowed}")
    front = Front(
        name=problem.name,
        evaluations=_judged(table),
        metrics=problem.metrics,
        variables=tuple(problem.space.names),
        constraint_names=tuple(n for n in problem.constraint_names if n in table),
        reference_point=problem.reference_point,
        notices=(f"reference front that ships with the problem {problem.name}",),
        choices=problem.space.choices,
    )
    told = {
        "problem": problem.name,
        "question": problem.question,
        "spec_hash": problem.hash,
        "limits": problem.limits,
        "content": problem.content,
    }
    return Source(str(path), front, told)


def _judged(table: pd.DataFrame) -> pd.DataFrame:
    """Give designs the verdict that a table leaves out: those beyond a limit are infeasible."""
    if "feasible" in table:
        return table
    limits = table[[name for name in map(str, table) if name.startswith("limit.")]]
    return table.assign(feasible=(limits <= 0.0).all(axis=1).to_numpy(dtype=bool))


def _variables(names: Sequence[str]) -> tuple[str, ...]:
    """Variables of a bare table: what stands left of its metrics, else what is no metric."""
    other = [name for name in names if "." in name or "@" in name or name in _VERDICTS]
    metrics = [name for name in names if name in METRICS]
    first = names.index(metrics[0]) if metrics else 0
    return tuple(n for n in names[:first] or names if n not in other and n not in metrics)


def _metric(name: str) -> Metric:
    """Look up a metric; one that carbonopt does not know is its own label."""
    try:
        return metric(name)
    except SpecError:
        return Metric(name, name)
