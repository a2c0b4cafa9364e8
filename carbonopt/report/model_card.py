"""The footprint of one design as a model card for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from carbonopt.carbon.uncertainty import SAMPLES
from carbonopt.report.scale import quantity

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


def model_card(record: Mapping[str, Any]) -> str:
    """Write a footprint as a model card in Markdown.

    Parameters
    ----------
    record
        What `carbonopt.report.footprint.footprint` returns.
    """
    lines = [f"# Carbon footprint: {record['text']}", "", _said(record), ""]
    given = ", ".join(f"{_words(key)} {value}" for key, value in record["scenario"].items())
    lines += [f"Scenario: {given}.", ""] if given else []
    model = record["model"]
    lines += [f"{ESTIMATE} {model['accuracy']}", "", *_worn(record["endurance"])]
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
    notice = model["notice"]
    lines += ["", f"{notice[0].upper()}{notice[1:]}."] if notice else []
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


def _worn(lives: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say where the cells of a device end its life."""
    said = [
        f"- {life['activity']}, {life['network']}: after {quantity(life['lifetime_s'], 's')}, of "
        f"{quantity(life['used_s'], 's')} of use"
        for life in lives
    ]
    head = "Endurance binds: cells are worn out, and making is shared out over the time until then:"
    return [head, "", *said, ""] if said else []


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
