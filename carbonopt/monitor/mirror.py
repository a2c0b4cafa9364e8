"""A run directory as a study of Optuna, brought up to date look by look."""

from __future__ import annotations

import hashlib
import io
import json
import math
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import optuna_dashboard
import pandas as pd
from optuna.artifacts import FileSystemArtifactStore, get_all_artifact_meta, upload_artifact
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from carbonopt.database import quiet_optuna
from carbonopt.front.dominance import front_rows
from carbonopt.monitor.note import front_text, knee_text, note_text, spec_text
from carbonopt.monitor.plots import (
    BROKEN_DOWN,
    breakdown_figure,
    evenly,
    hypervolume_figure,
)
from carbonopt.monitor.tail import Key, Tail
from carbonopt.objectives import BUILDABLE, METRICS, Metric
from carbonopt.report.columns import exact_hypervolume, parts_of
from carbonopt.report.table import shown_variables
from carbonopt.run.api import load_run
from carbonopt.store import EVALUATIONS, REFERENCE_FRONT, RunStore, read_table
from carbonopt.variable import Variable

MOST_TRIALS = 2000
"""What optuna-dashboard shows within about two seconds."""
_SAMPLED = MOST_TRIALS // 2
_LOG_FROM_RATIO = 2.0
_GROWTH = 1.2
"""How many times more designs make it worth to draw the figures again."""
_DIGEST = "design"
_ATTRIBUTES = ("clock_ns", "node_nm", "limit.reticle")


class Mirror:
    """Keeps a study of Optuna like a run: the front, and an even sample of the rest.

    Designs that break a limit become pruned trials, because optuna-dashboard takes every complete
    trial for a feasible one. Where more than 2000 trials came together, the study is made again
    from the front as it is then.

    Parameters
    ----------
    store
        The run.
    storage
        Where the study is; one that an earlier mirror of this run left is continued.
    folder
        Where the files beside the study are kept.
    """

    def __init__(self, store: RunStore, storage: BaseStorage, folder: Path) -> None:
        self.store = store
        self.storage = storage
        self.manifest = store.manifest()
        self.metrics = [Metric(m["name"], m["label"]) for m in self.manifest["objectives"]]
        self.variables = {
            name: Variable(name, tuple(values))
            for name, values in self.manifest["variables"].items()
            if name in shown_variables(list(self.manifest["variables"]))
        }
        self.tail = Tail(store.path / EVALUATIONS, self.manifest["variables"])
        self.stride = max(1, math.ceil(int(self.manifest["budget"]) / _SAMPLED))
        self.front = pd.DataFrame()
        self.sample: list[pd.DataFrame] = []
        self.read = 0
        self.drawn = 0
        self.written: dict[str, str] = {}
        self.artifacts = FileSystemArtifactStore(folder)
        self.is_whole = False
        self.study = self._study()
        self.mirrored = self._known()

    @property
    def objectives(self) -> list[str]:
        """Names of the objectives."""
        return [m.name for m in self.metrics]

    @property
    def study_id(self) -> int:
        """Number of the study in its storage, as in the address of its page."""
        number: int = self.study._study_id
        return number

    @property
    def is_settled(self) -> bool:
        """Whether the end of the run is mirrored, so that there is nothing left to look for."""
        return self.is_finished and self.is_whole

    @property
    def is_finished(self) -> bool:
        """Whether the run had ended at the last look."""
        return self.manifest["finished"] is not None

    @property
    def has_ended(self) -> bool:
        """Whether the run has ended by now."""
        return self.store.manifest()["finished"] is not None

    def look(self) -> int:
        """Mirror what is new in the run, and say how many trials that made."""
        with quiet_optuna():
            self.manifest = self.store.manifest()
            if self.is_finished:
                self.tail.rewind()
            rows = self.tail.read()
            added = self._add(rows) if len(rows) else 0
            if self._is_news("manifest", json.dumps(self.manifest)):
                optuna_dashboard.save_note(self.study, note_text(self.store, self.manifest))
                self._write_file("spec.yaml", spec_text(self.manifest))
            if self.is_finished or self.read > _GROWTH * self.drawn:
                self.drawn = self.read
                self._write_figures()
                self._write_file("front.csv", front_text(self.front))
            if self.is_finished and len(self.front) and not self.is_whole:
                self._write_file("knee.json", knee_text(load_run(self.store.path), self.store))
            self.is_whole = self.is_finished
        return added

    def _study(self) -> optuna.Study:
        """Make the study, or take up the one that is there."""
        with quiet_optuna():
            study = optuna.create_study(
                storage=self.storage,
                study_name=f"{self.store.path.resolve().name} ({self.manifest['started']})",
                directions=["minimize"] * len(self.metrics),
                load_if_exists=True,
            )
            study.set_metric_names([m.title for m in self.metrics])
        for key in ("problem", "searcher", "seed", "budget", "spec_hash", "data_hash"):
            study.set_user_attr(key, self.manifest.get(key))
        return study

    def _known(self) -> set[str]:
        """Designs that the study has."""
        trials = self.study.get_trials(deepcopy=False)
        return {str(trial.user_attrs.get(_DIGEST)) for trial in trials}

    def _add(self, rows: pd.DataFrame) -> int:
        """Add the rows that are on the front now, and those of the sample."""
        rows = rows.assign(number=range(self.read, self.read + len(rows)))
        self.read += len(rows)
        together = pd.concat([self.front, rows], ignore_index=True) if len(self.front) else rows
        self.front = front_rows(together, self.objectives)
        sampled = rows[rows["number"] % self.stride == 0]
        self.sample.append(sampled)
        trials = self._new_trials([sampled, self.front])
        if len(self.mirrored) + len(trials) > MOST_TRIALS:
            self._begin_again()
            trials = self._new_trials([*self.sample, evenly(self.front, MOST_TRIALS - _SAMPLED)])
        self.study.add_trials(list(trials.values()))
        self.mirrored.update(trials)
        return len(trials)

    def _begin_again(self) -> None:
        """Empty the study."""
        optuna.delete_study(study_name=self.study.study_name, storage=self.storage)
        self.study, self.mirrored, self.written = self._study(), set(), {}

    def _new_trials(self, tables: Sequence[pd.DataFrame]) -> dict[str, FrozenTrial]:
        """Make a trial of each row that the study does not have, by the digest of its design."""
        trials: dict[str, FrozenTrial] = {}
        for table in tables:
            for key, row in zip(self.tail.keys(table), table.to_dict("records"), strict=True):
                digest = _digest(key)
                if digest not in self.mirrored and digest not in trials:
                    named = {str(name): value for name, value in row.items()}
                    trials[digest] = self._trial(digest, named)
        return trials

    def _trial(self, digest: str, row: Mapping[str, Any]) -> FrozenTrial:
        """Make the trial of a row."""
        is_failed = row["status"] == "error" and not row.get(BUILDABLE, 0.0) > 0.0
        verdict = TrialState.FAIL if is_failed else TrialState.PRUNED
        values = [float(row[name]) for name in self.objectives] if row["feasible"] else None
        return create_trial(
            state=TrialState.COMPLETE if row["feasible"] else verdict,
            values=values,
            params={name: row[name] for name in self.variables},
            distributions={name: _distribution(v) for name, v in self.variables.items()},
            user_attrs={
                _DIGEST: digest,
                "evaluated": int(row["number"]) + 1,
                **self._attributes(row),
            },
        )

    def _attributes(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a trial tells beyond its objectives: metrics, limits, why it is out."""
        names = [*METRICS, *self.objectives, *_ATTRIBUTES, *self.manifest["constraints"]]
        told: dict[str, Any] = {
            name: float(row[name])
            for name in dict.fromkeys(names)
            if name in row and math.isfinite(float(row[name]))
        }
        missed = [name for name in self.manifest["constraints"] if told.get(name, 0.0) > 0.0]
        if missed:
            told["misses"] = ", ".join(name.removeprefix("limit.") for name in missed)
        if row["message"]:
            told["message"] = str(row["message"])
        return told

    def _write_figures(self) -> None:
        """Draw where carbon and energy go, and the hypervolume, where these have changed."""
        figures = {
            f"breakdown-{name}": breakdown_figure(self.front, name, list(self.variables))
            for name in BROKEN_DOWN
            if len(self.front) and parts_of(self.front, name)
        }
        history = self.store.history()
        if len(history) and np.isfinite(history["hypervolume"].to_numpy(float)).any():
            figures["hypervolume"] = hypervolume_figure(history, self._exact())
        for name, figure in figures.items():
            if self._is_news(name, figure.to_json()):
                graph = name.replace("_", "-")
                optuna_dashboard.save_plotly_graph_object(self.study, figure, graph_object_id=graph)

    def _exact(self) -> float:
        """Log hypervolume of the exact front, NaN where it is not known."""
        file = self.store.path / REFERENCE_FRONT
        table = read_table(file, self.manifest["variables"]) if file.exists() else None
        return exact_hypervolume(table, self.objectives, self.manifest["reference_point"])

    def _write_file(self, name: str, text: str) -> None:
        """Put a file beside the study, in the place of the one with its name."""
        held = {meta.filename: meta.artifact_id for meta in get_all_artifact_meta(self.study)}
        if name in held:
            self.artifacts.write(held[name], io.BytesIO(text.encode()))
        else:
            self._upload(name, text)

    def _upload(self, name: str, text: str) -> None:
        """Put a file beside the study."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / name
            file.write_text(text, encoding="utf-8")
            upload_artifact(
                artifact_store=self.artifacts, file_path=str(file), study_or_trial=self.study
            )

    def _is_news(self, name: str, text: str) -> bool:
        """Whether a text differs from what this mirror wrote last; remembers it."""
        digest = hashlib.sha256(text.encode()).hexdigest()
        is_news = self.written.get(name) != digest
        self.written[name] = digest
        return is_news


def _digest(key: Key) -> str:
    """Identify a design in few letters."""
    return hashlib.sha256("\0".join(key).encode()).hexdigest()[:12]


def _distribution(variable: Variable) -> BaseDistribution:
    """Return what a variable's values are drawn from; logarithmic where they grow by factors."""
    values = variable.values
    if not variable.ordered:
        return CategoricalDistribution(values)
    numbers = np.sort(np.asarray(values, dtype=float))
    grows = bool(numbers[0] > 0 and np.all(numbers[1:] >= _LOG_FROM_RATIO * numbers[:-1]))
    low, high = min(values), max(values)
    if all(isinstance(value, int) for value in values):
        return IntDistribution(int(low), int(high), log=grows and len(values) > 1)
    return FloatDistribution(float(low), float(high), log=grows and len(values) > 1)
