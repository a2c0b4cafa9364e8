"""What a run was made from, as the note and the files beside its mirror."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

import pandas as pd
import yaml

from carbonopt.front.front import Front
from carbonopt.run.api import stored_problem
from carbonopt.store import PROBLEM, RunStore

_HASHES = {"spec_hash": "problem", "data_hash": "shipped data", "model_hash": "models"}
_SPEC = ("variables", "objectives", "constraints", "limits", "reference_point", "content")


def note_text(store: RunStore, manifest: Mapping[str, Any]) -> str:
    """Write the note of a run as Markdown: question, scenario, hashes, command."""
    lines = [
        f"# {manifest['problem']}",
        str(manifest["question"]),
        f"**{manifest['searcher']}**, seed {manifest['seed']}, "
        f"budget {manifest['budget']} designs; started {manifest['started']}, "
        + (f"finished {manifest['finished']}" if manifest["finished"] else "in progress"),
        *(f"- {notice}" for notice in manifest["notices"]),
        "## Scenario",
        f"```yaml\n{_scenario(store, manifest)}```",
        "## Made from",
        "| what | hash or version |\n|---|---|\n" + "\n".join(_origin(manifest)),
        f"Run directory `{store.path.resolve()}`, made by "
        f"`{shlex.join(map(str, manifest.get('command', [])))}`",
        "Designs that break a limit or cannot be built are *pruned* here, those whose evaluation "
        "failed are *failed*; `misses` and `message` of a trial say why.",
    ]
    return "\n\n".join(line for line in lines if line)


def spec_text(manifest: Mapping[str, Any]) -> str:
    """Write the problem of a run as it was resolved: every value, limit and carbon number."""
    return _yaml({key: manifest[key] for key in _SPEC if key in manifest})


def knee_text(front: Front, store: RunStore) -> str:
    """Write the knee of a front with the mapping of every layer, as JSON."""
    knee = front.knee()
    design = {name: knee[name] for name in front.variables}
    told = {
        "design": design,
        "objectives": {name: knee[name] for name in front.objectives},
        "mappings": _mappings(design, store),
    }
    return json.dumps(told, indent=1, ensure_ascii=False, default=float)


def front_text(front: pd.DataFrame) -> str:
    """Write a front as CSV."""
    return str(front.to_csv(index=False))


def _mappings(design: Mapping[str, Any], store: RunStore) -> dict[str, Any]:
    """Map every network of a run onto a design; where mappings are variables, they say it."""
    from carbonopt.evaluate import Context, evaluate_design
    from carbonopt.hardware.knobs import knobs_of_row

    if not (store.path / PROBLEM).is_file():
        return {}
    problem = stored_problem(store, "")
    context = getattr(problem.evaluate_row, "keywords", {}).get("context")
    if not isinstance(context, Context):
        return {}
    return {
        workload.network.name: [
            layer.describe()
            for layer in evaluate_design(
                str(design["template"]),
                knobs_of_row(design),
                workload,
                context.preset,
                context.mapping,
                context.objective,
            ).cost.layers
        ]
        for workload in context.workloads
    }


def _scenario(store: RunStore, manifest: Mapping[str, Any]) -> str:
    """Return the scenario as the problem file gives it, else what decides the result."""
    file = store.path / PROBLEM
    if file.is_file():
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        told = content.get("scenario", {"preset": "default"})
    else:
        told = manifest.get("content", {})
    return _yaml(told)


def _yaml(content: object) -> str:
    """Write nested names and numbers as YAML."""
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def _origin(manifest: Mapping[str, Any]) -> list[str]:
    """Return hashes, commit and versions as the rows of a table."""
    rows = {label: manifest.get(key, "") for key, label in _HASHES.items()}
    rows |= {"commit": manifest.get("git_commit", ""), **manifest.get("versions", {})}
    return [f"| {label} | `{value}` |" for label, value in rows.items() if value]
