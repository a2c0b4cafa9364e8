"""What a result was made from: hashes, versions, seed, host."""

from __future__ import annotations

import hashlib
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from carbonopt.catalog import repository_root
from carbonopt.data.tables import data_hash
from carbonopt.errors import StoreError
from carbonopt.problem import Problem
from carbonopt.search.base import SearchTask
from carbonopt.search.stop import StopRules

_PACKAGES = ("carbonopt", "numpy", "pandas", "numba", "pymoo", "optuna", "moocore")
_MODELS = ("workload", "hardware", "mapping", "performance", "carbon", "evaluate", "compress")
_IDENTITY = ("spec_hash", "data_hash", "model_hash", "searcher", "budget", "seed", "start", "stop")
_CHANGED = {
    "spec_hash": "the problem has changed since this run was made",
    "data_hash": "the data that carbonopt ships have changed since this run was made",
    "model_hash": "carbonopt's models have changed since this run was made",
}
_LATER_KEYS: dict[str, Any] = {"start": [], "stop": StopRules().to_dict()}
"""Keys that a run of an earlier version lacks, and what it did."""
_SHOWN_DIGITS = 12


def manifest_of(task: SearchTask, searcher: str, rules: StopRules) -> dict[str, Any]:
    """Describe a run that is about to start."""
    problem = task.problem
    return {
        "problem": problem.name,
        "question": problem.question,
        **origin_of(problem),
        "searcher": searcher,
        "budget": task.budget,
        "seed": task.seed,
        "start": problem.space.decode(task.start),
        "stop": rules.to_dict(),
        "variables": {v.name: list(v.values) for v in problem.space.variables},
        "designs": problem.size,
        "objectives": [asdict(m) for m in problem.metrics],
        "constraints": problem.constraint_names,
        "limits": problem.limits,
        "reference_point": problem.reference_point,
        "content": problem.content,
        "versions": {"python": platform.python_version(), **_versions()},
        "platform": platform.platform(),
        "git_commit": _git_commit(),
        "command": sys.argv,
        "started": now(),
        "finished": None,
        "evaluations": 0,
        "distinct": 0,
        "notices": [],
    }


def origin_of(problem: Problem) -> dict[str, str]:
    """Fingerprints (SHA-256) of what decides the rows of a problem: itself, data and models."""
    return {"spec_hash": problem.hash, "data_hash": data_hash(), "model_hash": model_hash()}


def check_same_run(run_dir: Path, stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Refuse to go on with a run of another problem, other data or another search.

    Raises
    ------
    StoreError
        The manifests differ in what decides the result.
    """
    refuse_changes(run_dir, differences(stored, wanted, _IDENTITY))


def differences(
    stored: Mapping[str, Any], wanted: Mapping[str, Any], keys: Sequence[str]
) -> list[str]:
    """List in which keys two manifests differ, and how."""
    faults = []
    for key in keys:
        there, asked = stored.get(key, _LATER_KEYS.get(key)), wanted[key]
        if there != asked:
            values = f"stored {_shown(there)}, asked {_shown(asked)}"
            faults.append(f"{_CHANGED.get(key, key)}: {values}")
    return faults


def refuse_changes(directory: Path, faults: Sequence[str]) -> None:
    """Refuse to go on in a directory where something differs, and say what to do.

    Raises
    ------
    StoreError
        With every difference.
    """
    if faults:
        advice = f"take another run directory (--out DIR), or delete {directory}"
        raise StoreError("\n".join(f"{directory}: {fault}" for fault in [*faults, advice]))


def _shown(value: object) -> str:
    """Show a value of the manifest: the designs of a start by number, a hash by its beginning."""
    if isinstance(value, list):
        return f"{len(value)} designs"
    if isinstance(value, dict):
        return ", ".join(f"{key} {held}" for key, held in value.items() if held is not None)
    return str(value)[:_SHOWN_DIGITS]


def now() -> str:
    """Tell the time, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def model_hash() -> str:
    """Fingerprint (SHA-256) of the models' sources: designs of two models do not mix."""
    package = Path(__file__).parents[1]
    files = [file for folder in _MODELS for file in sorted((package / folder).glob("*.py"))]
    digest = hashlib.sha256()
    for file in [*files, package / "problem" / "genes.py"]:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _versions() -> dict[str, str]:
    """Versions of what takes part; a package that is not installed has none."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = ""
    return found


def _git_commit() -> str:
    """Commit of the checkout that runs, '' where it is an installed package."""
    root = repository_root()
    if root is None:
        return ""
    command = ["git", "-C", str(root), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
