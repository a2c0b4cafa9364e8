"""The footprint of one design, as a record for machines."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from carbonopt.arrays import Floats
from carbonopt.carbon.deployment import mixed_nodes
from carbonopt.carbon.design_node import preset_of_designs
from carbonopt.carbon.die import NODES, across_literatures
from carbonopt.carbon.embodied import FURTHER_PARTS
from carbonopt.carbon.grid import grid_source
from carbonopt.carbon.operational import operational_g
from carbonopt.carbon.presets import FIELDS, RULES, TABLE, Activity, CarbonPreset, load_preset
from carbonopt.carbon.task import Deployment, Task
from carbonopt.carbon.uncertainty import SAMPLES, TAIL, Prior, load_priors, shared_sample
from carbonopt.data.tables import data_hash, describe_facts, load_table
from carbonopt.front.pricing import Scenario, price, price_device
from carbonopt.front.uncertainty import carbon_samples, causes_of
from carbonopt.front.winners import keeps_periods
from carbonopt.report.table import describe_design

SCHEMA = "carbonopt-footprint-1"
OUTSIDE = (
    "the host, its power supply and cooling beyond PUE, network and storage",
    "training of the network, software and data",
    "buildings and machines of the fab",
    "layers that the model does not map (see `carbonopt workload`)",
    "leakage of arrays and registers, of macros unless it is asked for, self-refresh of the DRAM",
)
"""What no preset charges."""
LATE = "periodic activity: the design takes longer than its period (late_rule infeasible)"

_MADE_BY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "region": ("use_g_per_kwh",),
        "profile": ("use_hours_ratio", "use_g_per_kwh"),
        "fab_region": ("fab_g_per_kwh",),
        "memory": ("dram_ca_g_per_gb", "dram_pa_g_per_gb", "memory_yield"),
        "abatement": ("gas_g_per_mm2",),
        "node": ("fab_kwh_per_mm2", "gas_g_per_mm2", "material_g_per_mm2", "defects_per_mm2"),
        "fab_yield": ("yield_model",),
    }
)
"""Keys of a scenario to the numbers that they look up or imply."""

ACCURACY = (
    "Models of this kind meet published life-cycle assessments within a factor of 1.05 to 2.2. "
    "The interval covers the numbers of the carbon model, not energy, latency, area and leakage."
)


def footprint(
    design: pd.Series[Any],
    variables: Sequence[str],
    deployments: Sequence[Deployment],
    preset: CarbonPreset,
    scenario: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Account for one design: inputs with sources, boundary, breakdown and interval.

    Parameters
    ----------
    design
        A row of an evaluation table.
    variables
        Names of its variables.
    deployments, preset
        What it is used for, and the numbers of the carbon model.
    scenario
        Keys of the scenario that made the preset, as they were given.

    Returns
    -------
    dict
        Ready for JSON: ``design``, ``workloads``, ``device``, ``task`` (by activity),
        ``endurance`` (lives that worn cells end), ``boundary``, ``inputs``, ``uncertainty`` and
        ``model``. Masses in g CO2e. Inputs of a die with a node of its own are those of that node.
    """
    table, own = pd.DataFrame([design]), preset_of_designs(preset, dict(design))
    known = all(each.period_s is not None for each in deployments)
    in_time = known and keeps_periods(table, deployments, Scenario("PA", preset)).all()
    activities: tuple[Activity, ...] = ("CA", "PA") if in_time else ("CA",)
    tasks = {each: _task(table, deployments, Scenario(each, preset)) for each in activities}
    device = _device(table, deployments, preset)
    charged = {part for each in (device, *tasks.values()) for part in each["parts"]}
    return {
        "schema": SCHEMA,
        **_asked(design, variables, deployments, preset),
        "scenario": dict(scenario or {}),
        "device": device,
        "task": tasks,
        "endurance": [
            life for each in tasks for life in _lives(design, deployments, Scenario(each, preset))
        ],
        "boundary": {
            "included": sorted(charged),
            "left_out": [*_uncharged(charged, late=known and "PA" not in tasks), *OUTSIDE],
        },
        "inputs": _inputs(own, scenario or {}, is_made_apart=own is not preset),
        "uncertainty": {
            "samples": SAMPLES,
            "interval": [1 - TAIL, TAIL],
            "priors": [_prior(prior) for prior in load_priors(own)],
        },
        "model": _model(preset, own),
    }


def _asked(
    design: pd.Series[Any],
    variables: Sequence[str],
    deployments: Sequence[Deployment],
    preset: CarbonPreset,
) -> dict[str, Any]:
    """Say which design does what."""
    device = {"area_mm2": design["area_mm2"], "dies": preset.dies}
    return {
        "design": {**{name: design[name] for name in variables}, **device},
        "text": describe_design(design, variables),
        "workloads": [
            {"network": d.network, "period_s": d.period_s, "dram_byte": d.dram_byte}
            for d in deployments
        ],
    }


def _model(preset: CarbonPreset, own: CarbonPreset) -> dict[str, str]:
    """Say which version and data gave the numbers, and how far to trust them."""
    nodes = [float(each.node_nm) for each in (preset, own)]
    return {
        "version": _version(),
        "data_hash": data_hash(),
        "accuracy": ACCURACY,
        "notice": mixed_nodes(preset) if own is preset else across_literatures(nodes),
    }


def _lives(
    design: pd.Series[Any], deployments: Sequence[Deployment], scenario: Scenario
) -> list[dict[str, Any]]:
    """Say which networks wear out the cells of a device before its use ends, and when."""
    lives = []
    for each in deployments:
        task = Task.of(each, dict(design), f"@{each.network}")
        wear = task.wear(scenario.activity, scenario.preset)
        if wear.binds:
            ends = {"lifetime_s": float(wear.wear_s), "used_s": float(wear.used_s)}
            lives.append({"network": each.network, "activity": scenario.activity, **ends})
    return lives


def _device(
    table: pd.DataFrame, deployments: Sequence[Deployment], preset: CarbonPreset
) -> dict[str, Any]:
    """Account for making one device."""
    columns = price_device(table, deployments, preset)
    drawn = price_device(table, deployments, shared_sample(preset))["embodied_g"]
    return _account("embodied_g", columns, drawn[:, 0])


def _task(
    table: pd.DataFrame, deployments: Sequence[Deployment], scenario: Scenario
) -> dict[str, Any]:
    """Account for one inference, the geometric mean over the networks."""
    columns = price(table, deployments, scenario)
    drawn = replace(scenario, preset=shared_sample(scenario.preset))
    account = _account(scenario.metric, columns, carbon_samples(table, deployments, drawn)[:, 0])
    causes = causes_of(table, deployments, scenario)
    account["networks"] = {
        each.network: float(columns[f"{scenario.metric}@{each.network}"][0]) for each in deployments
    }
    account["variance"] = causes.to_dict("records")
    return account


def _account(name: str, columns: Mapping[str, Floats], samples: Floats) -> dict[str, Any]:
    """Collect total, parts above 0, interval and mean of a metric."""
    parts = {
        column.partition(".")[2]: float(values[0])
        for column, values in columns.items()
        if column.startswith(f"{name}.") and values[0] > 0
    }
    low, high = np.quantile(samples, [1 - TAIL, TAIL])
    return {
        "total_g": float(columns[name][0]),
        "parts": parts,
        "mean_g": float(samples.mean()),
        "low_g": float(low),
        "high_g": float(high),
    }


def _uncharged(charged: Collection[str], *, late: bool) -> list[str]:
    """Parts that a preset can charge and does not here, as a reader knows them."""
    chargeable = ("package", "dram", *FURTHER_PARTS, "idle")
    return [*(part for part in chargeable if part not in charged), *([LATE] if late else [])]


def _inputs(
    preset: CarbonPreset, scenario: Mapping[str, Any], *, is_made_apart: bool
) -> list[dict[str, Any]]:
    """Every number and rule of a preset with its source, or that it was set and by what.

    A die that is made apart has a node of its own, which gives the numbers of the fab.
    """
    causes = {field: key for key, made in _MADE_BY.items() if key in scenario for field in made}
    shipped, facts, rules = load_preset(preset.name), describe_facts(TABLE), _rules(preset.name)
    inputs = []
    for field in FIELDS:
        value, fact = getattr(preset, field), facts.get(f"{preset.name}.{field}")
        entry: dict[str, Any] = {"quantity": field, "value": value}
        if fact is not None:
            entry |= {"unit": fact.unit, "source": f"{fact.source}; {fact.locator}"}
            entry |= {"year": fact.year, "low": fact.low, "high": fact.high}
        else:
            entry |= {"unit": "", "low": None, "high": None, **rules[field]}
        if value != getattr(shipped, field):
            key = causes.get(field)
            why = "" if key is None else f" by {key} {scenario[key]}"
            if key in ("region", "fab_region"):
                why += f": {grid_source(str(scenario[key]))}"
            if is_made_apart and field in ("node_nm", *_MADE_BY["node"]):
                why = f" by the design's own node of {preset.node_nm:g} nm ({NODES})"
            entry |= {"source": f"set for this run{why}", "year": None, "low": None, "high": None}
        inputs.append(entry)
    return inputs


def _rules(preset_name: str) -> dict[str, dict[str, Any]]:
    """Source and year of every rule of a preset."""
    table = load_table(RULES)
    rows = table[table["preset"] == preset_name].to_dict("records")
    return {
        str(row["rule"]): {"source": f"{row['source']}; {row['locator']}", "year": int(row["year"])}
        for row in rows
    }


def _prior(prior: Prior) -> dict[str, Any]:
    """Describe a prior."""
    lognormal = prior.distribution == "lognormal"
    numbers = {"spread": prior.spread} if lognormal else {"low": prior.low, "high": prior.high}
    return {
        "parameter": prior.name,
        "distribution": prior.distribution,
        "middle": prior.mode,
        **numbers,
        "source": prior.source,
    }


def _version() -> str:
    """Version of this package, '' where it is not installed."""
    try:
        return version("carbonopt")
    except PackageNotFoundError:
        return ""


def search_record(energy_j: float, meter: str, preset: CarbonPreset) -> dict[str, Any]:
    """Account for the search itself, on the grid of the scenario.

    Parameters
    ----------
    energy_j
        Energy that it drew [J].
    meter
        What measured it.
    preset
        Its grid and power overhead in use count.
    """
    carbon = operational_g(energy_j, preset.drawn_g_per_kwh, preset.pue)
    return {"energy_j": energy_j, "carbon_g": float(carbon), "meter": f"{meter}, whole machine"}
