"""What a stored run was evaluated for: its networks, carbon preset and limits."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from carbonopt.carbon.presets import Activity, CarbonPreset
from carbonopt.carbon.task import Deployment
from carbonopt.errors import SpecError, StoreError
from carbonopt.front.front import Front
from carbonopt.front.pricing import Scenario
from carbonopt.front.reprice import PERIOD_LIMIT, reprice
from carbonopt.objectives import SCENARIO_BOUND
from carbonopt.run.api import load_run
from carbonopt.run.energy import ENERGY, METER
from carbonopt.spec.load import read_document
from carbonopt.store import PROBLEM, RunStore
from carbonopt.units import format_count


@dataclass(frozen=True)
class RunDeployment:
    """Networks, preset and limits of a run.

    Parameters
    ----------
    networks
        What runs on every design.
    preset
        The carbon numbers that the run was evaluated with.
    limits
        Largest allowed values of columns.
    space_size
        Number of designs in the run's space.
    scenario
        Keys of its scenario, as the problem file gives them.
    search_energy_j, meter
        Energy that the search drew, None where it was not measured [J], and what measured it.
    """

    networks: tuple[Deployment, ...]
    preset: CarbonPreset
    limits: dict[str, float]
    space_size: int
    scenario: dict[str, Any]
    search_energy_j: float | None
    meter: str


def deployment_of(run_dir: str | Path) -> RunDeployment:
    """Read what a run was evaluated for.

    Raises
    ------
    StoreError
        There is no run, or it was stored by another version.
    SpecError
        The problem was made in Python, with a model that is not ours.
    """
    manifest = RunStore(run_dir).manifest()
    content = manifest.get("content", {})
    if "evaluate_row" in content:
        fault = f"got a run of {content['evaluate_row']}, allowed: one of a problem file"
        raise SpecError(f"{run_dir}: {fault}")
    try:
        networks = [
            Deployment(entry["name"], entry["dram_byte"], entry["period_s"])
            for entry in content["workloads"]
        ]
        preset = CarbonPreset(**content["preset"])
    except (KeyError, TypeError) as error:
        advice = "run the problem again to reprice it"
        raise StoreError(f"{run_dir}: got a run of another version ({error}), {advice}") from error
    size = manifest.get("designs") or math.prod(map(len, manifest["variables"].values()))
    file = Path(run_dir) / PROBLEM
    scenario = read_document(file).data.get("scenario", {}) if file.is_file() else {}
    drawn = (manifest.get(ENERGY), manifest.get(METER, ""))
    return RunDeployment(tuple(networks), preset, manifest["limits"], size, scenario, *drawn)


def reprice_run(
    run_dir: str | Path,
    activity: Activity,
    *,
    preset: CarbonPreset | None = None,
    period_s: float | None = None,
) -> tuple[Front, tuple[Deployment, ...], Scenario]:
    """Price every design of a run under another scenario; nothing is evaluated again.

    Parameters
    ----------
    run_dir
        The run directory.
    activity
        ``CA`` or ``PA``.
    preset
        Carbon numbers in place of the run's own. The hardware models stay the run's. A rule other
        than ``infeasible`` for late designs lifts the periods that the run had to meet under
        ``infeasible``.
    period_s
        Period of every network [s], in place of the run's own.

    Returns
    -------
    tuple
        The front with what there is to say of it, the networks with their periods, and the
        scenario.

    Raises
    ------
    StoreError, SpecError
        As `deployment_of`; PA lacks a period.
    """
    if period_s is not None and not period_s > 0:
        raise SpecError(f"period: got {period_s:g} s, allowed: above 0 s")
    stored = deployment_of(run_dir)
    networks = tuple(replace(d, period_s=period_s or d.period_s) for d in stored.networks)
    asked = preset or stored.preset
    scenario = Scenario(activity, replace(asked, hardware=stored.preset.hardware))
    run = load_run(run_dir)
    if stored.preset.late_rule == "infeasible" != scenario.preset.late_rule:
        kept = [name for name in run.constraint_names if not name.startswith(PERIOD_LIMIT)]
        run = replace(run, constraint_names=tuple(kept))
    front = reprice(run, networks, scenario, stored.limits)
    notices = (_reach(front, stored), *front.notices)
    return replace(front, notices=notices), networks, scenario


def _reach(front: Front, stored: RunDeployment) -> str:
    """Say whether the front is exact."""
    seen = len(front.evaluations)
    if seen == stored.space_size:
        return f"exact: all {seen:,} designs of the space were priced"
    of_all = f"{seen:,} of {format_count(stored.space_size)} designs"
    advice = "with the objectives scenario_free it looks for the best of every scenario"
    if bound := [name for name in SCENARIO_BOUND if name in front.variables]:
        advice = f"which {' and '.join(bound)} is best depends on the scenario: search under it"
    return f"{of_all} were priced, those that the search looked at; {advice}"
