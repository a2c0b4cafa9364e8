"""What a stored run was evaluated for: its networks, carbon preset and limits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from carbonopt.carbon.grid import grid_intensity
from carbonopt.carbon.presets import Activity, CarbonPreset, load_preset
from carbonopt.errors import SpecError, StoreError
from carbonopt.front.front import Front
from carbonopt.front.reprice import Deployment, Scenario, reprice
from carbonopt.run.api import load_run
from carbonopt.run.energy import ENERGY, METER
from carbonopt.store import RunStore
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
    search_energy_j, meter
        Energy that the search drew, None where it was not measured [J], and what measured it.
    """

    networks: tuple[Deployment, ...]
    preset: CarbonPreset
    limits: dict[str, float]
    space_size: int
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
    size = 1
    for values in manifest["variables"].values():
        size *= len(values)
    drawn = (manifest.get(ENERGY), manifest.get(METER, ""))
    return RunDeployment(tuple(networks), preset, manifest["limits"], size, *drawn)


def reprice_run(
    run_dir: str | Path,
    activity: Activity,
    *,
    preset: str | None = None,
    region: str | None = None,
    use_g_per_kwh: float | None = None,
    lifetime_s: float | None = None,
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
        A shipped preset in place of the run's own numbers. The hardware models stay the run's.
    region, use_g_per_kwh
        Grid in use, by name or as a number [g/kWh].
    lifetime_s, period_s
        Lifetime of the device and period of every network [s].

    Returns
    -------
    tuple
        The front, the networks with their periods, and the scenario.

    Raises
    ------
    StoreError, SpecError
        As `deployment_of`; a value is out of range; PA lacks a period.
    """
    if region is not None and use_g_per_kwh is not None:
        raise SpecError(f"region: got {region} beside an intensity, allowed: one of the two")
    if period_s is not None and not period_s > 0:
        raise SpecError(f"period: got {period_s:g} s, allowed: above 0 s")
    stored = deployment_of(run_dir)
    base = stored.preset if preset is None else load_preset(preset)
    numbers = base.with_values(
        lifetime_s=lifetime_s,
        use_g_per_kwh=use_g_per_kwh if region is None else grid_intensity(region),
    )
    networks = tuple(replace(d, period_s=period_s or d.period_s) for d in stored.networks)
    scenario = Scenario(activity, numbers)
    front = reprice(load_run(run_dir), networks, scenario, stored.limits)
    return replace(front, notices=(_reach(front, stored),)), networks, scenario


def _reach(front: Front, stored: RunDeployment) -> str:
    """Say whether the front is exact."""
    seen = len(front.evaluations)
    if seen == stored.space_size:
        return f"exact: all {seen:,} designs of the space were priced"
    of_all = f"{seen:,} of {format_count(stored.space_size)} designs"
    return (
        f"{of_all} were priced, those that the search looked at; "
        "with the objectives scenario_free it looks for the best of every scenario"
    )
