"""A run in progress in a real browser, and what can go wrong before."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest
import toy

import carbonopt as co
from carbonopt.cli import main

pytest.importorskip("optuna_dashboard", reason="needs the extra dashboard")


HERE = Path(__file__).parent
LIMIT_S = 120
TITLES = ("latency per inference [s]", "energy per inference [J]", "carbon PA per inference [g]")


@pytest.fixture
def environment():
    paths = os.pathsep.join([str(HERE.parent), str(HERE.parents[1])])
    return {**os.environ, "PYTHONPATH": paths}


def wait_for(told, what):
    deadline = time.monotonic() + LIMIT_S
    while not (found := told()):
        assert time.monotonic() < deadline, f"no {what} within {LIMIT_S} s"
        time.sleep(0.1)
    return found


@pytest.fixture
def dashboard(environment):
    """Start the command on a run directory; gives the address of the page."""
    started = []

    def start(run_dir, *options):
        command = [sys.executable, "-m", "carbonopt", "dashboard", str(run_dir), "--port", "0"]
        process = subprocess.Popen(
            [*command, *options], env=environment, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        line = process.stdout.readline()
        return re.search(r"http://\S+", line)[0]

    yield start
    for process in started:
        process.terminate()
        assert process.wait(timeout=LIMIT_S) == 0
        process.stdout.close()


def study_of(address):
    with urlopen(address.replace("/dashboard/", "/api/")) as answer:
        return json.load(answer)


def best_of(address):
    return sorted(tuple(trial["values"]) for trial in study_of(address)["best_trials"])


@pytest.mark.slow
@pytest.mark.browser
def test_a_run_in_progress_is_on_the_page(tmp_path, environment, dashboard, browser):
    run_dir, enough = tmp_path / "run", tmp_path / "enough"
    command = [sys.executable, str(HERE / "watched_run.py"), str(run_dir), str(enough)]
    with subprocess.Popen(command, env=environment) as run:
        table = run_dir / "evaluations.csv"
        wait_for(table.exists, "evaluation")
        address = dashboard(run_dir)
        wait_for(lambda: len(study_of(address)["best_trials"]) > 1, "front")
        early = markup(browser, address)
        assert run.poll() is None, "the run ended before the page was read"
        many = count_points(early)
        assert many > 0
        assert all(title in early for title in TITLES)
        assert "Hypervolume of the front so far" in early
        assert "Where the energy of the front goes" in early
        enough.touch()
        assert run.wait(timeout=LIMIT_S) == 0
    wait_for(lambda: len(study_of(address)["artifacts"]) == 3, "mapping of the knee")
    front = sorted(map(tuple, co.load_run(run_dir).values.tolist()))
    wait_for(lambda: best_of(address) == front, "front of the whole run")  # trials are cached
    assert count_points(markup(browser, address)) > many


def markup(browser, address):
    """What the page has become once all of its plots have points."""
    page = browser.open(address)
    page.wait("document.querySelectorAll('path.point').length > 0", LIMIT_S)
    page.wait("document.body.innerText.includes('Hypervolume of the front so far')", LIMIT_S)
    found = page.run("document.documentElement.outerHTML")
    page.close()
    return found


def count_points(text):
    """Points of the Pareto plot and of the histories on the page."""
    return text.count('class="point"')


def test_the_page_is_served_and_ends_with_a_signal(tmp_path, dashboard):
    front = co.enumerate_all(toy.small(), run_dir=tmp_path)
    study = study_of(dashboard(tmp_path, "--storage", f"sqlite:///{tmp_path}/study.db"))
    assert len(study["trials"]) == 96
    assert len(study["best_trials"]) == len(front)
    assert (tmp_path / "study.db").exists()


def fault(capsys, *arguments):
    assert main(["dashboard", *map(str, arguments)]) == 2
    told = capsys.readouterr().err
    assert "Traceback" not in told
    return told


def test_a_directory_without_a_run_is_refused(tmp_path, capsys):
    assert "got no manifest.json" in fault(capsys, tmp_path)


def test_a_missing_library_names_the_extra(tmp_path, capsys, monkeypatch):
    co.enumerate_all(toy.small(), run_dir=tmp_path)
    monkeypatch.setitem(sys.modules, "optuna_dashboard", None)
    monkeypatch.delitem(sys.modules, "carbonopt.monitor.mirror", raising=False)
    assert "pip install 'carbonopt[dashboard]'" in fault(capsys, tmp_path)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://me:secret@127.0.0.1:9/none", "does not answer"),
        ("oracle9://host/none", "got oracle9://host/none"),
        ("postgresql://host:port/none", "storage: got postgresql://... (invalid"),
    ],
)
def test_a_storage_that_is_not_there_is_told(tmp_path, capsys, url, told):
    co.enumerate_all(toy.small(), run_dir=tmp_path)
    text = fault(capsys, tmp_path, "--storage", url)
    assert told in text
    assert "secret" not in text


def test_a_port_that_is_taken_is_told(tmp_path, capsys, dashboard):
    co.enumerate_all(toy.small(), run_dir=tmp_path)
    port = re.search(r":(\d+)/", dashboard(tmp_path))[1]
    text = fault(capsys, tmp_path, "--port", port)
    assert f"port: got {port} on 127.0.0.1 (" in text
