"""Commands that ask the models: one design, one network, and whether files are sound."""

from __future__ import annotations

import math
import warnings
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carbonopt.cli_text import (
    BAD_INPUT,
    DONE,
    gap_text,
    quantity_of,
    say,
    say_json,
    tell_of_compiling,
    together,
)
from carbonopt.errors import SpecError

if TYPE_CHECKING:
    from carbonopt.carbon.presets import CarbonPreset

NETWORK_SUFFIX = ".onnx"
SPEC_SUFFIXES = (".yaml", ".yml")
NAME_WIDTH = 40
J_PER_PJ, S_PER_NS = 1e-12, 1e-9
LEAST_SHARE = 0.005
METRIC_NAMES = {
    "area_mm2": "area",
    "clock_ns": "clock",
    "latency_s": "latency",
    "energy_j": "energy",
    "idle_w": "idle power",
    "embodied_g": "embodied",
    "carbon_ca_g": "carbon CA",
    "carbon_pa_g": "carbon PA",
}
KIND_NAMES = {
    "conv": "convolutional",
    "gemm": "fully connected",
    "matmul": "of two activations",
}
WORN = {"carbon_ca_g": "lifetime_ca_s", "carbon_pa_g": "lifetime_pa_s"}
LIFETIMES = {"break_even_ca_s": "CA", "break_even_pa_s": "PA"}


def evaluate(options: Namespace) -> None:
    """Evaluate one design on one network."""
    from carbonopt.cli_carbon import write_footprint
    from carbonopt.cli_scenario import scenario_of
    from carbonopt.evaluate import evaluate_one
    from carbonopt.problem.scenario import preset_of_options

    refuse_faults(options)
    preset = preset_of_options(scenario_of(options))
    tell_of_compiling()
    found = evaluate_one(
        options.workload,
        options.template,
        knobs_of(options.knobs),
        preset=preset,
        mapping=options.mapping,
        objective=options.mapping_objective,
        period_s=quantity_of(options.period, "s", "--period"),
        dram_byte=quantity_of(options.dram, "byte", "--dram"),
        batch=options.batch,
    )
    files: tuple[Path, ...] = ()
    if options.footprint:
        record = footprint_of(found, preset, scenario_of(options))
        files = write_footprint(record, Path(options.footprint))
    if options.json:
        say_json({**found, "files": [str(file) for file in files]})
        return
    say(evaluation_text(found))
    for file in files:
        say(str(file))


def refuse_faults(options: Namespace) -> None:
    """Refuse a request with the faults of design, network, deployment and scenario together."""
    from carbonopt.cli_scenario import scenario_of
    from carbonopt.evaluate import load_workload
    from carbonopt.hardware.knob_check import check_knobs
    from carbonopt.hardware.knobs import parse_knobs
    from carbonopt.hardware.template import find_template
    from carbonopt.problem.scenario import preset_of_options
    from carbonopt.workload.compression import is_network_knob, parse_settings

    def design() -> None:
        settings = knobs_of(options.knobs)
        own = {name: value for name, value in settings.items() if not is_network_knob(name)}
        check_knobs(find_template(options.template), parse_knobs(options.template, own))

    def network() -> None:
        loaded = load_workload(options.workload, batch=options.batch).network
        settings = knobs_of(options.knobs)
        parse_settings(loaded, {n: v for n, v in settings.items() if is_network_knob(n)})

    def scenario() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # said when the preset is made for good
            preset_of_options(scenario_of(options))

    together(
        design,
        network,
        lambda: quantity_of(options.period, "s", "--period"),
        lambda: quantity_of(options.dram, "byte", "--dram"),
        scenario,
    )


def footprint_of(
    found: Mapping[str, Any], preset: CarbonPreset, scenario: Mapping[str, str]
) -> dict[str, Any]:
    """Return the carbon record of an evaluated design."""
    import pandas as pd

    from carbonopt.carbon.task import Deployment
    from carbonopt.report.footprint import footprint

    design = {"template": found["template"], **found["knobs"]}
    network = found["workload"]
    told = ("energy_j", "latency_s", "cell_inferences")
    task = {f"{name}@{network}": found[name] for name in told if name in found}
    device = {name: found[name] for name in ("area_mm2", "idle_w")}
    deployment = Deployment(network, found["dram_byte"], found["period_s"])
    row = pd.Series({**design, **task, **device}, dtype=object)
    return footprint(row, list(design), [deployment], preset, scenario)


def _mapping_text(found: Mapping[str, Any]) -> str:
    """Say how layers are mapped, and for what where that was asked for."""
    mode, objective = found["mapping"], found["mapping_objective"]
    if mode == "chip":
        return "mapping of the chip's own rules"
    text = f"{mode} mapping" + (f" for {objective}" if objective != "edp" else "")
    if found["mapping_gap"] is None:
        return text
    covered = "all unrollings" if mode == "exhaustive" else "the promising unrollings"
    covered = "those that share evenly" if found["template"] == "eyeriss" else covered
    return f"{text} ({gap_text(found['mapping_gap'], f'least of {covered}')})"


def evaluation_text(found: Mapping[str, Any]) -> str:
    """Return the evaluation of a design: what was asked, each metric by part, each layer."""
    from carbonopt.report.scale import quantity
    from carbonopt.report.table import aligned, describe_design

    knobs = {"template": found["template"], **found["knobs"]}
    rate = "no period known"
    if found["period_s"] is not None:
        kept = "kept" if found["period_met"] else "missed"
        rate = f"period {quantity(found['period_s'], 's')} {kept}"
    lines = [
        f"{found['workload']} on {describe_design(knobs, list(knobs))}",
        f"preset {found['preset']} with hardware models {found['hardware']}, "
        f"grid {found['grid_g_per_kwh']:.4g} g/kWh, {_mapping_text(found)}",
        f"{rate}, DRAM {quantity(found['dram_byte'], 'byte')}",
    ]
    layers = found["layers"]
    per_layer = {
        "layer": [short_name(layer["name"]) for layer in layers],
        "MACs": [f"{layer['macs']:,}" for layer in layers],
        "cycles": [f"{layer['cycles']:,.0f}" for layer in layers],
        "energy": [quantity(layer["energy_pj"] * J_PER_PJ, "J", digits=3) for layer in layers],
        "unrolled over the array": [unrolling_text(layer["mapping"]) for layer in layers],
    }
    tables = [
        aligned(metric_columns(found)),
        "",
        break_even_text(found),
        "",
        aligned(per_layer),
        "",
    ]
    if len(found["by_kind"]) > 1:
        tables += [aligned(kind_columns(found["by_kind"])), ""]
    return "\n".join([*lines, "", *tables, *found["notes"]])


def kind_columns(kinds: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return what the layers of each kind take together, with their shares, as columns of text."""
    from carbonopt.report.scale import quantity

    def shared(name: str, written: Callable[[float], str]) -> list[str]:
        whole = sum(each[name] for each in kinds.values())
        return [f"{written(each[name])} ({each[name] / whole:.0%})" for each in kinds.values()]

    return {
        "kind": [KIND_NAMES[kind] for kind in kinds],
        "layers": [str(each["layers"]) for each in kinds.values()],
        "MACs": shared("macs", "{:,}".format),
        "cycles": shared("cycles", "{:,.0f}".format),
        "energy": shared("energy_pj", lambda pj: quantity(pj * J_PER_PJ, "J", digits=3)),
    }


def break_even_text(found: Mapping[str, Any]) -> str:
    """Say after which time in use electricity has cost as much carbon as making.

    Examples
    --------
    >>> break_even_text({"break_even_ca_s": 6.3e7, "break_even_pa_s": float("inf")})
    'break-even lifetime: CA 1.996 y, PA never'
    """
    from carbonopt.report.scale import quantity

    told = [
        f"{activity} {quantity(found[name], 's') if math.isfinite(found[name]) else 'never'}"
        for name, activity in LIFETIMES.items()
        if found.get(name) is not None
    ]
    return f"break-even lifetime: {', '.join(told)}"


def metric_columns(found: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return name, value and shares of the parts of each metric, as columns of text."""
    from carbonopt.report.scale import quantity
    from carbonopt.units import unit_of

    columns: dict[str, list[str]] = {"metric": [], "value": [], "made of": []}
    for name, label in METRIC_NAMES.items():
        if found.get(name) is None:
            continue
        value = found[name] * (S_PER_NS if name == "clock_ns" else 1.0)
        unit = "s" if name == "clock_ns" else unit_of(name)
        parts = sorted(found["breakdown"][name].items(), key=lambda part: -part[1])
        shares = [
            f"{part.replace('_', ' ')} {part_value / found[name]:.0%}"
            for part, part_value in parts
            if part_value >= LEAST_SHARE * found[name]
        ]
        worn_s = found.get(WORN.get(name, ""))
        worn = [] if worn_s is None else [f"cells worn out after {quantity(worn_s, 's')}"]
        columns["metric"].append(label)
        columns["value"].append(quantity(value, unit))
        columns["made of"].append(", ".join([*worn, *shares]))
    return columns


def unrolling_text(mapping: Mapping[str, Any]) -> str:
    """Return which loops run side by side on each dimension of the array.

    Examples
    --------
    >>> unrolling_text({"spatial": {"D1": [["K", 16.0], ["OX", 2.0]], "D2": [["C", 3.0]]}})
    'K16 OX2 | C3'
    """
    dimensions = mapping["spatial"].values()
    texts = (" ".join(f"{loop}{size:g}" for loop, size in loops) for loops in dimensions)
    return " | ".join(text for text in texts if text)


def knobs_of(settings: list[str]) -> dict[str, str]:
    """Read ``name=value`` settings.

    Raises
    ------
    SpecError
        Every setting without a value, and every knob that is set twice.

    Examples
    --------
    >>> knobs_of(["rows=128", "sram=512KiB"])
    {'rows': '128', 'sram': '512KiB'}
    """
    knobs: dict[str, str] = {}
    faults = []
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not (name and equals and value):
            faults.append(f"--set: got {setting!r}, allowed: KNOB=VALUE, such as rows=128")
        elif name in knobs:
            faults.append(f"--set: {name}: got it twice ({knobs[name]}, {value}), allowed: once")
        knobs[name] = value
    if faults:
        raise SpecError(faults)
    return knobs


def workload(options: Namespace) -> None:
    """Describe a network: its layers as loops, and what is not modelled."""
    from carbonopt.workload.load import describe, load_network

    described = describe(load_network(options.workload, batch=options.batch))
    if options.json:
        say_json(described)
    else:
        say(workload_text(described))


def workload_text(described: Mapping[str, Any]) -> str:
    """Return the description of a network as an aligned table, one line per layer."""
    from carbonopt.report.table import aligned

    layers = described["layers"]
    columns = {"layer": [short_name(layer["name"]) for layer in layers]}
    columns["kind"] = [layer["kind"] for layer in layers]
    for dimension in layers[0]["loops"] if layers else ():
        columns[dimension] = [str(layer["loops"][dimension]) for layer in layers]
    columns["stride"] = ["x".join(str(s) for s in layer["stride"].values()) for layer in layers]
    columns["MACs"] = [f"{layer['macs']:,}" for layer in layers]
    columns["weights"] = [f"{layer['weights']:,}" for layer in layers]
    left_out = ", ".join(f"{count} {kind}" for kind, count in described["not_modelled"].items())
    return "\n".join(
        [
            f"{described['name']}: {len(layers)} layers, {described['macs']:,} MACs, "
            f"{described['weights']:,} weights",
            "",
            aligned(columns),
            "",
            f"not modelled: {left_out or 'nothing'}",
        ]
    )


def short_name(name: str) -> str:
    """Return the end of a long node name: converters put the path first, the node last.

    Examples
    --------
    >>> len(short_name("model/" * 20 + "Conv2D"))
    40
    """
    return name if len(name) <= NAME_WIDTH else "…" + name[1 - NAME_WIDTH :]


def check(options: Namespace) -> int:
    """Check problem, study and ONNX files and report every fault of all of them."""
    faults: dict[str, list[str]] = {}
    told: dict[str, str] = {}
    for file in dict.fromkeys(options.files):
        try:
            told[file] = sound(Path(file))
            faults[file] = []
        except SpecError as error:
            faults[file] = error.faults
    if options.json:
        entries = [
            {"file": f, "sound": not found, "faults": found, "holds": told.get(f)}
            for f, found in faults.items()
        ]
        say_json(entries)
        return BAD_INPUT if any(faults.values()) else DONE
    for file, description in told.items():
        say(f"{file}: {description}")
    if any(faults.values()):
        raise SpecError([fault for found in faults.values() for fault in found])
    return DONE


def sound(file: Path) -> str:
    """Return what a file holds.

    Raises
    ------
    SpecError
        Every fault of the file.
    """
    if file.suffix == NETWORK_SUFFIX:
        from carbonopt.workload.load import load_network

        network = load_network(file)
        return f"network of {len(network.layers)} layers, {network.macs:,} MACs"
    if file.suffix not in SPEC_SUFFIXES:
        raise SpecError(f"{file}: got {file.suffix or 'no suffix'}, allowed: .yaml, .yml, .onnx")
    from carbonopt.problem import load_problem
    from carbonopt.problem.sample import build_sample
    from carbonopt.spec.load import read_document
    from carbonopt.units import format_count

    content = read_document(file, last_wins=True).data
    if isinstance(content, dict) and "memories" in content:
        from carbonopt.hardware.file import load_machine

        machine = load_machine(file)
        units, memories = math.prod(machine.shape.values()), len(machine.memories)
        return f"machine of {units:,} multipliers, {memories} memories"
    if isinstance(content, dict) and "problem" in content:
        from carbonopt.run import load_study

        study = load_study(file)
        problems = ", ".join(load_problem(problem).name for problem in study.problem)
        cells = f" in {study.cells} runs" if study.cells > 1 else ""
        return f"study of {problems} with {', '.join(study.searcher)}{cells}"
    problem = load_problem(file)
    built = build_sample(problem)
    if built.tried and built.failed == built.tried:
        raise SpecError(f"{file}: variables: {built.told}")
    many = f"{format_count(problem.size)} designs, {len(problem.objectives)} objectives"
    return f"problem of {many}" + (f"; {built.told}" if built.told else "")
