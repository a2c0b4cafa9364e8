"""The footprint of one design: a record for machines and a model card for people."""

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
from carbonopt.carbon.embodied import FURTHER_PARTS
from carbonopt.carbon.grid import grid_source
from carbonopt.carbon.operational import operational_g
from carbonopt.carbon.presets import FIELDS, RULES, TABLE, Activity, CarbonPreset, load_preset
from carbonopt.carbon.task import Deployment
from carbonopt.carbon.uncertainty import SAMPLES, TAIL, Prior, load_priors, shared_sample
from carbonopt.data.tables import data_hash, describe_facts, load_table
from carbonopt.front.pricing import Scenario, price, price_device
from carbonopt.front.uncertainty import carbon_samples, causes_of
from carbonopt.front.winners import keeps_periods
from carbonopt.report.scale import quantity
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

ESTIMATE = (
    "An estimate of a model, before anything is built: for choosing between designs, no "
    "declaration of a product."
)
LEAST_CAUSE = 0.01
_ACTIVITIES = MappingProxyType(
    {
        "CA": "CA: tasks back to back for the whole lifetime",
        "PA": "PA: one task per period, the device waits in between",
    }
)
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
        ``boundary``, ``inputs``, ``uncertainty`` and ``model``. Masses in g CO2e.
    """
    table = pd.DataFrame([design])
    known = all(each.period_s is not None for each in deployments)
    in_time = known and keeps_periods(table, deployments, Scenario("PA", preset)).all()
    activities: tuple[Activity, ...] = ("CA", "PA") if in_time else ("CA",)
    tasks = {each: _task(table, deployments, Scenario(each, preset)) for each in activities}
    device = _device(table, deployments, preset)
    charged = {part for each in (device, *tasks.values()) for part in each["parts"]}
    return {
        "schema": SCHEMA,
        "design": {
            **{name: design[name] for name in variables},
            "area_mm2": design["area_mm2"],
            "dies": preset.dies,
        },
        "text": describe_design(design, variables),
        "workloads": [
            {"network": d.network, "period_s": d.period_s, "dram_byte": d.dram_byte}
            for d in deployments
        ],
        "scenario": dict(scenario or {}),
        "device": device,
        "task": tasks,
        "boundary": {
            "included": sorted(charged),
            "left_out": [*_uncharged(charged, late=known and "PA" not in tasks), *OUTSIDE],
        },
        "inputs": _inputs(preset, scenario or {}),
        "uncertainty": {
            "samples": SAMPLES,
            "interval": [1 - TAIL, TAIL],
            "priors": [_prior(prior) for prior in load_priors(preset)],
        },
        "model": _model(preset),
    }


def _model(preset: CarbonPreset) -> dict[str, str]:
    """Say which version and data gave the numbers, and how far to trust them."""
    return {
        "version": _version(),
        "data_hash": data_hash(),
        "accuracy": ACCURACY,
        "notice": mixed_nodes(preset),
    }


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


def _inputs(preset: CarbonPreset, scenario: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every number and rule of a preset with its source, or that it was set and by what."""
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


def model_card(record: Mapping[str, Any]) -> str:
    """Write a footprint as a model card in Markdown.

    Parameters
    ----------
    record
        What `footprint` returns.
    """
    lines = [f"# Carbon footprint: {record['text']}", "", _said(record), ""]
    given = ", ".join(f"{_words(key)} {value}" for key, value in record["scenario"].items())
    lines += [f"Scenario: {given}.", ""] if given else []
    model = record["model"]
    lines += [f"{ESTIMATE} {model['accuracy']}", ""]
    lines += ["## Making one device", "", *_parts(record["device"]), ""]
    for activity, task in record["task"].items():
        lines += [f"## One inference, {_ACTIVITIES[activity]}", "", *_parts(task), ""]
        lines += [*_variance(task), ""]
    boundary = record["boundary"]
    included = ", ".join(_words(part) for part in boundary["included"])
    lines += ["## Boundary", "", f"Included: {included}.", "", "Left out, or 0 here:", ""]
    lines += [f"- {_words(entry)}" for entry in boundary["left_out"]]
    lines += ["", "## Inputs", "", *_input_rows(record["inputs"])]
    lines += ["", "## Priors", "", *_prior_rows(record["uncertainty"]["priors"])]
    lines += _searched(record)
    lines += ["", f"{model['notice'].capitalize()}."] if model["notice"] else []
    return "\n".join([*lines, "", f"Data tables {model['data_hash'][:12]}."]) + "\n"


def _input_rows(inputs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Write the inputs as a table."""
    rows = []
    for entry in inputs:
        value = entry["value"]
        shown = value if isinstance(value, str) else f"{value:.6g}"
        ends = [entry["low"], entry["high"]]
        span = "" if None in ends else f"{ends[0]:g} to {ends[1]:g}"
        cells = (shown, span, entry["unit"], entry["year"] or "", entry["source"])
        rows.append(f"| {entry['quantity']} | " + " | ".join(map(str, cells)) + " |")
    head = ["| quantity | value | range of sources | unit | year | source |"]
    return [*head, "|---|---|---|---|---|---|", *rows]


def _prior_rows(priors: Sequence[Mapping[str, Any]]) -> list[str]:
    """Write the priors as a table."""
    rows = []
    for prior in priors:
        ends = f"{prior['low']:g} to {prior['high']:g}" if "low" in prior else ""
        ends = f"within a factor of {prior['spread']:g}" if "spread" in prior else ends
        cells = (prior["distribution"], f"{prior['middle']:g}", ends, prior["source"])
        rows.append(f"| {prior['parameter']} | " + " | ".join(cells) + " |")
    head = ["| parameter | distribution | middle | range (lognormal: 68 %) | source |"]
    return [*head, "|---|---|---|---|---|", *rows]


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


def _searched(record: Mapping[str, Any]) -> list[str]:
    """Say what the search took."""
    search = record.get("search")
    if search is None:
        return []
    drawn, carbon = quantity(search["energy_j"], "J"), quantity(search["carbon_g"], "g")
    return ["", f"The search itself drew {drawn}: {carbon} on the same grid ({search['meter']})."]


def _said(record: Mapping[str, Any]) -> str:
    """Say in a sentence what the design is for."""
    uses = [
        f"{each['network']}"
        + (f" every {quantity(each['period_s'], 's')}" if each["period_s"] else "")
        for each in record["workloads"]
    ]
    mean = ", geometric mean" if len(uses) > 1 else ""
    area = quantity(record["design"]["area_mm2"], "mm2")
    dies = record["design"]["dies"]
    chip = f"Die of {area}" if dies == 1 else f"{dies} dies of {area} together"
    return f"{chip}. Functional unit: one inference of {', '.join(uses)}{mean}."


def _parts(account: Mapping[str, Any]) -> list[str]:
    """Write an account as a table, the largest part first."""
    total = account["total_g"]
    rows = [
        f"| {_words(part)} | {quantity(value, 'g')} | {value / total:.1%} |"
        for part, value in sorted(account["parts"].items(), key=lambda part: -part[1])
    ]
    interval = f"{quantity(account['low_g'], 'g', 3)} to {quantity(account['high_g'], 'g', 3)}"
    return [
        *("| part | carbon | share |", "|---|---|---|", *rows),
        f"| total | {quantity(total, 'g')} | |",
        "",
        f"5 to 95 % of {SAMPLES} samples of the inputs: {interval}; "
        f"mean {quantity(account['mean_g'], 'g', 3)}.",
    ]


def _variance(task: Mapping[str, Any]) -> list[str]:
    """Write which parameters carry the variance, alone and with their interactions."""
    rows = [
        f"| {cause['parameter']} | {max(cause['first'], 0.0):.0%} | {cause['total']:.0%} |"
        for cause in task["variance"]
        if cause["total"] >= LEAST_CAUSE
    ]
    said = (
        "Shares of the variance (Sobol' indices): alone (first order), with interactions (total)."
    )
    return [said, "", "| parameter | first order | total |", "|---|---|---|", *rows]


def _words(name: str) -> str:
    """Name as words."""
    return name.replace("_", " ")
