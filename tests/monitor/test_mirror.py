"""The mirror of a run: its front, its failures, its figures and files, and no more than a page."""

import json
import subprocess
import sys

import numpy as np
import optuna
import pytest
import toy

import carbonopt as co
from carbonopt.database import open_storage

pytest.importorskip("optuna_dashboard", reason="needs the extra dashboard")

from optuna.artifacts import get_all_artifact_meta
from optuna.trial import TrialState
from optuna_dashboard import get_note

from carbonopt.monitor import mirror as module
from carbonopt.monitor.mirror import Mirror
from carbonopt.store import RunStore

TITLES = [
    "latency per inference [s]",
    "energy per inference [J]",
    "carbon CA per inference [g]",
    "carbon PA per inference [g]",
]


def mirrored(run_dir, url=None):
    folder = run_dir / "dashboard"
    folder.mkdir(exist_ok=True)
    return Mirror(RunStore(run_dir), open_storage(url or str(folder / "journal.log")), folder)


def values(trials):
    return sorted(tuple(trial.values) for trial in trials)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return co.enumerate_all(toy.small(), run_dir=folder), folder


@pytest.mark.parametrize("database", [None, "sqlite:///{}/study.db"])
def test_a_finished_run_has_its_front_and_its_failures(finished, tmp_path, database):
    front, folder = finished
    mirror = mirrored(folder, database and database.format(tmp_path))
    mirror.look()
    study = mirror.study
    assert study.metric_names == TITLES
    assert values(study.best_trials) == sorted(map(tuple, front.values.tolist()))
    states = [trial.state for trial in study.trials]
    feasible = int(front.evaluations["feasible"].sum())
    assert states.count(TrialState.COMPLETE) == feasible
    assert states.count(TrialState.PRUNED) == 96 - feasible
    assert mirror.is_settled


def test_a_trial_says_what_it_is_and_what_it_misses(finished):
    front, folder = finished
    mirror = mirrored(folder)
    mirror.look()
    rows = front.evaluations.set_index(list(front.variables))
    for trial in mirror.study.trials:
        row = rows.loc[tuple(trial.params[name] for name in front.variables)]
        assert trial.user_attrs["area_mm2"] == row["area_mm2"]
        assert ("misses" in trial.user_attrs) == (not row["feasible"])
    pruned = [t for t in mirror.study.trials if t.state is TrialState.PRUNED]
    assert {t.user_attrs["misses"] for t in pruned} == {"period"}


def test_a_run_in_progress_is_followed_to_its_end(tmp_path):
    mirrors, seen = [], []

    def progress(state):
        if not mirrors:
            mirrors.append(mirrored(tmp_path))
        mirrors[0].look()
        done = mirrors[0].study.get_trials(states=[TrialState.COMPLETE])
        best = values(mirrors[0].study.best_trials)
        seen.append((state.front_size, len(best), len(done)))

    front = co.search(toy.large(), budget=120, seed=2, run_dir=tmp_path, progress=progress)
    assert all(size == shown for size, shown, _ in seen)
    assert seen[0][2] < seen[-1][2]
    mirrors[0].look()
    assert values(mirrors[0].study.best_trials) == sorted(map(tuple, front.values.tolist()))
    assert len(mirrors[0].study.trials) == 120


def test_a_second_mirror_adds_nothing_twice(finished):
    _, folder = finished
    first = mirrored(folder)
    first.look()
    second = mirrored(folder)
    assert second.look() == 0
    assert len(second.study.trials) == 96
    assert len(get_all_artifact_meta(second.study)) == 3


def test_many_designs_are_shown_by_the_front_and_a_sample(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_TRIALS", 60)
    monkeypatch.setattr(module, "_SAMPLED", 30)
    mirrors = []

    def progress(state):
        if not mirrors:
            mirrors.append(mirrored(tmp_path))
        mirrors[0].look()
        assert len(mirrors[0].study.trials) <= 60

    front = co.search(toy.large(), budget=400, seed=2, run_dir=tmp_path, progress=progress)
    mirrors[0].look()
    best = set(values(mirrors[0].study.best_trials))
    on_front = set(map(tuple, front.values.tolist()))
    assert len(best & on_front) >= min(30, len(on_front))


def test_note_figures_and_files_say_what_the_run_is(finished):
    front, folder = finished
    mirror = mirrored(folder)
    mirror.look()
    note = get_note(mirror.study)
    manifest = json.loads((folder / "manifest.json").read_text())
    for text in ("exhaustive", "seed 1", manifest["spec_hash"], manifest["data_hash"], "toy"):
        assert text in note
    attributes = mirror.storage.get_study_system_attrs(mirror.study_id)
    plots = {key.split(":")[2] for key in attributes if key.startswith("dashboard:plot_data:")}
    assert plots == {"breakdown-energy-j", "hypervolume"}
    files = {
        meta.filename: (folder / "dashboard" / meta.artifact_id).read_text()
        for meta in get_all_artifact_meta(mirror.study)
    }
    assert set(files) == {"spec.yaml", "front.csv", "knee.json"}
    assert files["front.csv"].count("\n") == len(front) + 1
    assert json.loads(files["knee.json"])["design"]["template"] == front.knee()["template"]


def test_breakdown_of_the_front_adds_up(finished):
    front, _ = finished
    figure = module.breakdown_figure(front.to_pandas(), "energy_j", front.variables)
    totals = np.sum([bar.y for bar in figure.data], axis=0)
    wanted = np.sort(front.to_pandas()["energy_j"].to_numpy())
    scale = totals[0] / wanted[0]
    assert totals == pytest.approx(wanted * scale, rel=1e-12)
    assert figure.layout.yaxis.title.text.startswith("energy [")


def test_failed_designs_are_failed_trials(tmp_path):
    problem = toy.small(
        variables=[toy.Variable.integer("a", 1, 9)], evaluate_row=toy.failing, limits={}
    )
    co.enumerate_all(problem, run_dir=tmp_path)
    mirror = mirrored(tmp_path)
    mirror.look()
    failed = mirror.study.get_trials(states=[TrialState.FAIL])
    assert len(failed) == 6
    assert failed[0].user_attrs["message"].startswith("ZeroDivisionError")


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ((32, 64, 128), optuna.distributions.IntDistribution(32, 128, log=True)),
        ((1, 2, 3), optuna.distributions.IntDistribution(1, 3)),
        ((0.6, 0.7), optuna.distributions.FloatDistribution(0.6, 0.7)),
        (("a", "b"), optuna.distributions.CategoricalDistribution(("a", "b"))),
        ((5,), optuna.distributions.IntDistribution(5, 5)),
    ],
)
def test_a_variable_keeps_its_values(values, wanted):
    assert module._distribution(toy.Variable("x", values)) == wanted


def test_a_mirror_with_a_journal_starts_without_what_it_does_not_need():
    code = "import sys, carbonopt.monitor.mirror; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"matplotlib", "sqlalchemy"} & set(done.stdout.split())
