"""Commands that account for carbon: of published accelerators, of a run under other scenarios."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carbonopt.cli_text import (
    least_infeasible_text,
    plain,
    quantity_of,
    say,
    say_json,
    summary,
    summary_lines,
    telling_text,
)
from carbonopt.errors import SpecError
from carbonopt.units import format_quantity

if TYPE_CHECKING:
    import pandas as pd

    from carbonopt.carbon.presets import Activity, CarbonPreset
    from carbonopt.carbon.task import Deployment
    from carbonopt.front.front import Front
    from carbonopt.front.pricing import Scenario
    from carbonopt.front.uncertainty import Uncertainty

MOST_SHOWN, LEAST_CAUSE = 8, 0.01
RUNS = Path("runs")


def literature(options: Namespace) -> None:
    """Account for published accelerators, print them by suite, write figure and table."""
    import pandas as pd

    from carbonopt.carbon.literature import (
        PUBLISHED,
        literature_carbon,
        load_chips,
        load_suites,
        read_chips,
    )
    from carbonopt.carbon.presets import load_preset
    from carbonopt.report.literature import plot_literature
    from carbonopt.report.style import save

    preset = load_preset(options.preset)
    chips = load_chips()
    if preset.name == PUBLISHED:
        chips = chips[chips["number_in_paper"] > 0]
    if options.chips:
        chips = pd.concat([chips, read_chips(options.chips)], ignore_index=True)
    suites = load_suites(preset.name)
    tables = {suite.title: literature_carbon(chips, suite, preset) for suite in suites}
    folder = Path(options.out or RUNS / f"literature-{preset.name}")
    figure = save(plot_literature(tables, preset), folder / "literature.png")
    whole = pd.concat([table.assign(suite=name) for name, table in tables.items()])
    whole.to_csv(folder / "literature.csv", index=False)
    if options.json:
        say_json({"preset": preset.name, "figure": str(figure), "chips": whole.to_dict("records")})
        return
    for suite in suites:
        say(f"{suite.title}: {suite.op_per_task:,.0f} operations every {suite.period_s:.4g} s")
        say(literature_text(tables[suite.title]))
        say()
    without = [name for name in chips["name"] if name not in set(whole["name"])]
    if without:
        say(f"no fab figure at the node of: {', '.join(without)}")
    say(str(folder / "literature.csv"))
    say(str(figure))


def bom(options: Namespace) -> None:
    """Account for a bill of materials, part by part."""
    from carbonopt.carbon.bom import read_bom

    parts = read_bom(options.file)
    total_g = float(parts["carbon_g"].sum())
    if options.json:
        say_json({"parts": parts.to_dict("records"), "carbon_g": total_g})
        return
    for kind, grams in parts.groupby("carbon_type", sort=False)["carbon_g"].sum().items():
        say(f"{str(kind).lower():12} {format_quantity(float(grams), 'g', 6)}")
    say(f"{'total':12} {format_quantity(total_g, 'g', 6)}, {len(parts)} entries")


def reprice(options: Namespace) -> None:
    """Price the designs of a run under another scenario; write the new front and the map."""
    from carbonopt.cli_scenario import scenario_of
    from carbonopt.report.figures import plot_run
    from carbonopt.report.scenario_map import plot_scenario_map
    from carbonopt.report.style import save
    from carbonopt.run.deployment import deployment_of, reprice_run
    from carbonopt.store import FRONT, replace, table_bytes

    activity: Activity = "CA" if options.scenario == "ca" else "PA"
    preset = asked_preset(scenario_of(options), deployment_of(options.run_dir).preset)
    period_s = quantity_of(options.period, "s", "--period")
    found, networks, scenario = reprice_run(
        options.run_dir, activity, preset=preset, period_s=period_s
    )
    if not len(found):
        raise SpecError(nothing_left_text(found, networks, scenario))
    name = scenario_name(scenario, {**scenario_of(options), "period": options.period})
    folder = Path(options.out or Path(options.run_dir) / "repriced" / name)
    folder.mkdir(parents=True, exist_ok=True)
    replace(folder / FRONT, table_bytes(found.to_pandas()))
    files = [folder / FRONT, *plot_run(found, folder)]
    files.append(save(plot_scenario_map(found, networks, scenario), folder / "map.png"))
    if options.json:
        asked = {"activity": scenario.activity, "preset": asdict(scenario.preset)}
        deployed = [asdict(network) for network in networks]
        told = {"scenario": asked, "networks": deployed, **summary(found)}
        say_json({**told, "notices": found.notices, "files": [str(file) for file in files]})
        return
    say(scenario_text(scenario, networks))
    for line in summary_lines(found):
        say(line)
    say()
    say(telling_text(found))
    say()
    for file in files:
        say(str(file))


def uncertainty(options: Namespace) -> None:
    """Sample the uncertain numbers: who stays on the front, how far it moves, and why."""
    from carbonopt.front.pricing import Scenario
    from carbonopt.front.uncertainty import assess
    from carbonopt.front.winners import keeps_periods
    from carbonopt.report.style import save
    from carbonopt.report.uncertainty import plot_uncertainty
    from carbonopt.run import load_run
    from carbonopt.run.deployment import deployment_of

    stored = deployment_of(options.run_dir)
    front = load_run(options.run_dir)
    known = all(network.period_s is not None for network in stored.networks)
    scenarios, periodic = [Scenario("CA", stored.preset)], Scenario("PA", stored.preset)
    if known and keeps_periods(front.evaluations, stored.networks, periodic).any():
        scenarios.append(periodic)
    found = [
        assess(front.evaluations, stored.networks, scenario, options.samples)
        for scenario in scenarios
    ]
    folder = Path(options.run_dir) / "figures"
    figure = save(plot_uncertainty(front.name, found, options.samples), folder / "uncertainty.png")
    if options.json:
        say_json({"figure": str(figure), "samples": options.samples, **uncertain_record(found)})
        return
    for each in found:
        say(uncertainty_text(each, front.variables))
        say()
    say(str(figure))


def footprint(options: Namespace) -> None:
    """Account for one design of a front: a record for machines, a model card for people."""
    from carbonopt.report.footprint import footprint as account
    from carbonopt.report.footprint import search_record
    from carbonopt.report.model_card import model_card
    from carbonopt.run import load_run
    from carbonopt.run.deployment import deployment_of

    stored, front = deployment_of(options.run_dir), load_run(options.run_dir)
    design = chosen_design(front, options.design)
    networks, scenario = stored.networks, stored.scenario
    record = account(design, front.variables, networks, stored.preset, scenario)
    if stored.search_energy_j is not None:
        record["search"] = search_record(stored.search_energy_j, stored.meter, stored.preset)
    folder = Path(options.out or Path(options.run_dir) / f"footprint-{options.design}")
    files = write_footprint(record, folder)
    if options.json:
        say_json(record)
        return
    say(model_card(record))
    for file in files:
        say(str(file))


def write_footprint(record: Mapping[str, Any], folder: Path) -> tuple[Path, Path]:
    """Write a footprint as a record and as a model card; return the files."""
    import json

    from carbonopt.report.model_card import model_card
    from carbonopt.store import replace

    folder.mkdir(parents=True, exist_ok=True)
    files = folder / "footprint.json", folder / "model_card.md"
    replace(files[0], json.dumps(plain(record), indent=2, ensure_ascii=False).encode())
    replace(files[1], model_card(record).encode())
    return files


def chosen_design(front: Front, which: str) -> pd.Series[Any]:
    """Take the knee of a front, or the design in a row of its table, counted from 1.

    Raises
    ------
    SpecError
        There is no such row.
    SearchError
        The front is empty.
    """
    if which == "knee":
        return front.knee()
    if not (which.isdecimal() and 1 <= int(which) <= len(front)):
        rows = f"knee, or a row of the front from 1 to {len(front)}"
        raise SpecError(f"--design: got {which}, allowed: {rows}")
    return front.to_pandas().iloc[int(which) - 1]


def uncertain_record(found: Sequence[Uncertainty]) -> dict[str, Any]:
    """Return what was found, ready for JSON."""
    return {
        each.scenario.metric: {
            "designs": each.designs[each.designs["share"] > 0].to_dict("records"),
            "causes": each.causes.to_dict("records"),
        }
        for each in found
    }


def uncertainty_text(found: Uncertainty, variables: Sequence[str]) -> str:
    """Return the designs that are often on the front with their carbon, and the causes."""
    from carbonopt.report.columns import short_label
    from carbonopt.report.scale import quantity
    from carbonopt.report.table import aligned, describe_design

    ever = found.designs[found.designs["share"] > 0]
    often = ever.sort_values("share", ascending=False, kind="stable").head(MOST_SHOWN)
    columns = {
        "design": [describe_design(design, variables) for _, design in often.iterrows()],
        "latency": [quantity(value, "s", 3) for value in often["latency_s"]],
        **{
            name: [quantity(value, "g", 3) for value in often[name]]
            for name in ("nominal", "mean", "p95", "cvar")
        },
        "on the front": [f"{share:.0%}" for share in often["share"]],
    }
    causes = found.causes[found.causes["total"] >= LEAST_CAUSE]
    shares = {
        "parameter": causes["parameter"].tolist(),
        "first order": [f"{max(share, 0.0):.0%}" for share in causes["first"]],
        "total": [f"{share:.0%}" for share in causes["total"]],
    }
    label = short_label(found.scenario.metric)
    head = f"{label}, designs that stay on the front most often"
    why = f"shares of the variance of the {label} of the design with the least (Sobol' indices)"
    return "\n".join([head, aligned(columns), "", why, aligned(shares)])


def scenario_name(scenario: Scenario, given: Mapping[str, str | None] | None = None) -> str:
    """Name a scenario for a folder: by its own numbers, and by what else was given.

    Examples
    --------
    >>> from carbonopt.carbon.presets import load_preset
    >>> from carbonopt.front.pricing import Scenario
    >>> scenario_name(Scenario("PA", load_preset("default")))
    'pa-default-473gkwh-3y'
    >>> scenario_name(Scenario("CA", load_preset("act")), {"dies": "2", "period": "40 ms"})
    'ca-act-380gkwh-2y-dies2-period40ms'
    """
    from carbonopt.units import UNITS

    preset = scenario.preset
    years = float(preset.lifetime_s) / UNITS["s"]["y"]
    grid = f"{float(preset.drawn_g_per_kwh):.4g}gkwh"
    told = ("preset", "region", "use_intensity", "lifetime")
    further = [
        f"-{key}{value}" for key, value in (given or {}).items() if value and key not in told
    ]
    name = f"{scenario.activity.lower()}-{preset.name}-{grid}-{years:.3g}y{''.join(further)}"
    return re.sub(r"[^\w.-]", "", name.replace("/", "_"))


def asked_preset(options: Mapping[str, str], own: CarbonPreset) -> CarbonPreset:
    """Replace what the options say in a run's preset.

    Raises
    ------
    SpecError
        Every fault of the options; hardware models that are not the run's.
    """
    from carbonopt.problem.scenario import preset_of_options

    preset = preset_of_options(options, own)
    if "hardware" in options and preset.hardware != own.hardware:
        fault = f"got {preset.hardware}, but the run was evaluated with the models {own.hardware}"
        raise SpecError(f"--hardware: {fault}, allowed: a run of those, nothing is mapped again")
    return preset


def nothing_left_text(front: Front, networks: Sequence[Deployment], scenario: Scenario) -> str:
    """Say why no design is left, and what to change: all late, or the limits that they miss."""
    from carbonopt.front.winners import keeps_periods

    sound = front.evaluations[front.evaluations["status"] == "ok"].reset_index(drop=True)
    if not len(sound) or keeps_periods(sound, networks, scenario).any():
        return f"reprice: nothing is written: {least_infeasible_text(front)}"
    times = sound[[f"latency_s@{each.network}" for each in networks]].to_numpy(dtype=float)
    times = times / [each.period_s or 1.0 for each in networks]
    best = int(times.max(axis=1).argmin())
    slowest = networks[int(times[best].argmax())]
    latency_s = times[best].max() * (slowest.period_s or 1.0)
    return (
        f"period: nothing is written: all {len(sound):,} designs are late, which PA does not "
        f"allow under late_rule infeasible; the least late takes {format_quantity(latency_s, 's')} "
        f"for {slowest.network}, {times[best].max():.3g} times its period; "
        "allowed: a longer --period, --late-rule replicate or fractional, or --scenario ca"
    )


def scenario_text(scenario: Scenario, networks: Sequence[Deployment]) -> str:
    """Say in a line what a scenario is."""
    preset = scenario.preset
    grid = grid_text(preset)
    life = format_quantity(float(preset.lifetime_s), "s")
    rates = [
        f"{each.network} every {format_quantity(each.period_s, 's')}"
        for each in networks
        if each.period_s is not None
    ]
    models = f"preset {preset.name} with hardware models {preset.hardware}"
    fall = float(preset.decarbonisation_per_year)
    grid += f" falling by {fall:.3g} a year" if fall else ""
    return ", ".join([scenario.activity, models, f"grid {grid}", f"lifetime {life}", *rates])


def grid_text(preset: CarbonPreset) -> str:
    """Say what electricity a device draws: the level, and what its hours make of it.

    Examples
    --------
    >>> from carbonopt.carbon.deployment import deployed_preset
    >>> grid_text(deployed_preset(region="France"))
    '44.18 g/kWh'
    >>> grid_text(deployed_preset(region="France", profile="US/CISO", when="best 4 h"))
    '30.63 g/kWh (mean of the day 44.18, hours in use 0.6933 of it)'
    """
    drawn, mean = float(preset.drawn_g_per_kwh), float(preset.use_g_per_kwh)
    ratio = float(preset.use_hours_ratio)
    hours = f" (mean of the day {mean:.4g}, hours in use {ratio:.4g} of it)" if ratio != 1 else ""
    return f"{drawn:.4g} g/kWh{hours}"


def literature_text(table: pd.DataFrame) -> str:
    """Return chips with their carbon in both scenarios and the share of operation, aligned."""
    from carbonopt.report.scale import quantity
    from carbonopt.report.table import aligned

    columns = {
        "chip": table["name"].tolist(),
        "type": table["type"].tolist(),
        "TOPS/W": [f"{value:.3g}" for value in table["tops_per_w"]],
        "area": [quantity(value, "mm2", 3) for value in table["area_mm2"]],
    }
    for scenario in ("ca", "pa"):
        carbon = table[f"carbon_{scenario}_g"]
        columns[f"carbon {scenario.upper()}"] = [quantity(value, "g") for value in carbon]
        shares = table["operational_g"] / carbon
        columns[f"in use {scenario.upper()}"] = [
            "late" if share != share else f"{share:.1%}" for share in shares
        ]
    return aligned(columns)
