"""The energy of a search: measured where codecarbon is installed, summed over legs."""

from __future__ import annotations

import importlib.machinery
import json
import sys
import types

import pytest
import toy

import carbonopt as co
import carbonopt.run.energy
from carbonopt.run.energy import ENERGY, METER


@pytest.fixture
def codecarbon(monkeypatch):
    """A stand-in that says 0.5 Wh for every leg."""

    class Tracker:
        def __init__(self, **options):
            assert options["save_to_file"] is False
            self.final_emissions_data = types.SimpleNamespace(energy_consumed=0.0)

        def start(self):
            pass

        def stop(self):
            self.final_emissions_data.energy_consumed = 5e-4

    module = types.ModuleType("codecarbon")
    module.__spec__ = importlib.machinery.ModuleSpec("codecarbon", None)
    module.OfflineEmissionsTracker = Tracker
    monkeypatch.setitem(sys.modules, "codecarbon", module)
    monkeypatch.setattr(carbonopt.run.energy, "version", lambda name: "3.0")


def test_legs_of_a_run_add_up(tmp_path, codecarbon):
    def stop(state):
        raise KeyboardInterrupt

    run = {"budget": 30, "run_dir": tmp_path / "run"}
    with pytest.raises(KeyboardInterrupt):
        co.search(toy.small(), "random", progress=stop, **run)
    co.search(toy.small(), "random", **run)
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["finished"]
    assert manifest[ENERGY] == pytest.approx(2 * 5e-4 * 3.6e6)
    assert manifest[METER] == "codecarbon 3.0"


def test_without_codecarbon_nothing_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "codecarbon", None)
    co.search(toy.small(), "random", budget=5, run_dir=tmp_path / "run")
    assert ENERGY not in json.loads((tmp_path / "run" / "manifest.json").read_text())
