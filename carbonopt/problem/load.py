"""From a problem file to a problem: names looked up, networks loaded, limits set."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carbonopt.carbon.presets import CarbonPreset, preset_names
from carbonopt.catalog import find_problem
from carbonopt.errors import SpecError
from carbonopt.hardware.cacti import least_sram_byte
from carbonopt.objectives import (
    BUILDABLE,
    GIVEN,
    MAPPING_OBJECTIVES,
    METRICS,
    PER_NETWORK,
    SCENARIO_BOUND,
    UNCERTAIN,
    needs_period,
    scenario_free,
    uncertain,
)
from carbonopt.problem.base import Problem
from carbonopt.problem.scenario import preset_of, scenario_words
from carbonopt.problem.source import source_of
from carbonopt.problem.variables import quality_of, read_variables, with_targets
from carbonopt.spec.fields import Vocabulary
from carbonopt.spec.load import Document, load_model, read_document, sound_part
from carbonopt.spec.problem import SCENARIO_FREE, ProblemSpec, VariableSpec, WorkloadSpec
from carbonopt.spec.scenario import ScenarioSpec
from carbonopt.units import format_quantity
from carbonopt.variable import Variable
from carbonopt.workload.compression import NETWORK_KNOBS, ZEROS, parse_settings
from carbonopt.workload.load import network_names

if TYPE_CHECKING:
    from carbonopt.evaluate import Context, Workload
    from carbonopt.hardware.machine import Machine


def load_problem(name_or_path: str | Path) -> Problem:
    """Load a problem by its name, its folder or its file.

    Raises
    ------
    SpecError
        With every fault of the file: ``file:line: key: got …, allowed: …``.
    """
    from carbonopt.evaluate import Context, build_design, period_constraints

    file = find_problem(name_or_path)
    spec, document = _spec(file)
    faults: list[str] = []
    read = read_variables(spec.variables, document, faults)
    judged = [*spec.objectives, *spec.limits]
    workloads = _workloads(spec.workloads, judged, document, faults)
    networks = [workload.network for workload in workloads]
    variables, of_networks = with_targets(read, spec.variables, networks)
    quality = None if faults else quality_of(spec, variables, document, faults)
    preset = _preset(spec.scenario, document, faults)
    machine = _machine(spec, document, faults)
    front = _reference_front(spec, document, faults)
    _refuse_late(spec, preset, document, faults)
    _refuse_bound(variables, preset, document, faults)
    if faults or preset is None:
        raise SpecError(faults)
    constraints = period_constraints(workloads) if _periods_are_met(spec, preset) else []
    constraints += ["limit.reticle"] if preset.reticle_rule == "met" else []
    point, mode = spec.reference_point, spec.mapping.mode
    content = _content(spec, workloads, preset, file.parent)
    content |= {"quality": quality.content} if quality else {}
    context = Context(
        tuple(workloads), preset, "optimal" if mode == "genes" else mode, uncertain(judged),
        spec.mapping.objective or "edp", of_networks, quality,
    )  # fmt: skip
    return Problem(
        spec.name,
        **_evaluation(context, mode == "genes", machine, variables, content),
        objectives=spec.objectives,
        constraints=[BUILDABLE, *constraints],
        limits={name: limit.max for name, limit in spec.limits.items() if name != "period"},
        reference_point={name: entry.value for name, entry in point.items()} if point else None,
        reference_front=front,
        build=partial(build_design, context=context) if machine is None else None,
        question=" ".join(spec.question.split()),
        source=source_of(document),
    )


def _spec(file: Path) -> tuple[ProblemSpec, Document]:
    """Read a problem file, or refuse it with the faults of its keys and those that models find."""
    _refuse_study(file)
    try:
        return load_model(file, ProblemSpec, _vocabulary())
    except SpecError as error:
        raise SpecError(list(dict.fromkeys([*error.faults, *_further_faults(file)]))) from None


def _evaluation(
    context: Context,
    has_genes: bool,
    machine: Machine | None,
    hardware: list[Variable],
    content: dict[str, Any],
) -> dict[str, Any]:
    """Return what evaluates designs, the variables, what decides the result, what solves it."""
    from carbonopt.evaluate import evaluate_row
    from carbonopt.problem.genes import GeneEvaluation

    if not has_genes:
        evaluate = partial(evaluate_row, context=context)
        return {"evaluate_row": evaluate, "variables": hardware, "content": content}
    genes = GeneEvaluation.of(context, machine)
    return {
        "evaluate_row": genes,
        "variables": [*hardware, *genes.variables],
        "content": {**content, "layers": genes.layers},
        "exact_rows": partial(genes.exact_rows, hardware),
    }


def _periods_are_met(spec: ProblemSpec, preset: CarbonPreset) -> bool:
    """Whether every period is a constraint: as the limits say, else as the rule for late designs.

    Devices that take turns, or that serve fewer tasks, need not keep a period.
    """
    if "period" in spec.limits:
        return bool(spec.limits["period"].rule == "met")
    return preset.late_rule == "infeasible"


def _refuse_late(
    spec: ProblemSpec, preset: CarbonPreset | None, document: Document, faults: list[str]
) -> None:
    """Refuse to judge late designs by a carbon that their rule does not give them."""
    periodic = [name for name in [*spec.objectives, *spec.limits] if needs_period(name)]
    if preset is None or not periodic or _periods_are_met(spec, preset):
        return
    if preset.late_rule == "infeasible":
        fault = (
            f"got free, but a late design has no {periodic[0]} under late_rule infeasible, "
            "allowed: met, or late_rule replicate or fractional"
        )
        faults.append(document.fault(("limits", "period"), fault))


def _refuse_bound(
    variables: list[Variable], preset: CarbonPreset | None, document: Document, faults: list[str]
) -> None:
    """Refuse nodes and cells beside ``scenario_free``, which does not know what becomes of them."""
    if document.data.get("objectives") != SCENARIO_FREE:
        return
    values = {variable.name: variable.values for variable in variables}
    nodes, cells = (values.get(name, ()) for name in SCENARIO_BOUND)
    why = f"beside objectives: {SCENARIO_FREE}"
    aim = "or objectives of the scenario that counts, such as carbon_pa_g"
    if len(set(nodes)) > 1:
        listed = ", ".join(f"{float(node):g}" for node in nodes)
        fault = f"got {listed} nm {why}, whose embodied_g is that of one fab, allowed: one node"
        faults.append(document.fault(("variables", "node_nm"), f"{fault}, {aim}"))
    elif preset and not nodes and (others := _made_elsewhere(values.get("template", ()), preset)):
        fault = f"got {others} {why}, whose embodied_g is that of one fab, allowed: node_nm of one"
        faults.append(document.fault(("variables", "template"), f"{fault} value, {aim}"))
    if worn := [str(cell) for cell in cells if cell != "sram"]:
        fault = f"got {', '.join(worn)} {why}, which knows no cells that wear out, allowed: sram"
        faults.append(document.fault(("variables", "cell"), f"{fault}, {aim}"))


def _made_elsewhere(templates: Sequence[object], preset: CarbonPreset) -> str:
    """Say which template has a node of its own beside others at the scenario's, '' if none has."""
    from carbonopt.hardware.eyeriss import chip_node_nm
    from carbonopt.hardware.template import TEMPLATES

    own = [str(name) for name in templates if TEMPLATES[str(name)].always_solved]
    others = [str(name) for name in templates if str(name) not in own]
    if not own or not others or chip_node_nm() == preset.node_nm:
        return ""
    return f"{own[0]} at {chip_node_nm():g} nm and {others[0]} at {preset.node_nm:g} nm"


def _machine(spec: ProblemSpec, document: Document, faults: list[str]) -> Machine | None:
    """Load the machine of a problem that searches none."""
    from carbonopt.hardware.file import load_machine

    if spec.machine is None:
        return None
    try:
        return load_machine(document.path.parent / spec.machine)
    except SpecError as error:
        faults += error.faults
        return None


def _refuse_study(file: Path) -> None:
    """Tell a study file from a problem file, which would be full of faults otherwise."""
    document = read_document(file)
    data = document.data
    if isinstance(data, dict) and "problem" in data and "variables" not in data:
        fault = f"got a study, allowed: a problem, or: carbonopt run {file}"
        raise SpecError(document.fault(("problem",), fault))


def _vocabulary() -> Vocabulary:
    """Names and ranges that the model knows."""
    from carbonopt.hardware.knob_table import knob_table
    from carbonopt.hardware.template import TEMPLATES

    knobs, least = knob_table().values(), least_sram_byte()
    return Vocabulary(
        workloads=tuple(network_names()),
        presets=tuple(preset_names()),
        templates=tuple(TEMPLATES),
        metrics=tuple(METRICS),
        mapping_objectives=MAPPING_OBJECTIVES,
        network_metrics=tuple(m.name for m in PER_NETWORK + UNCERTAIN),
        required=("template", *(knob.column for knob in knobs if knob.required)),
        knob_units={knob.column: knob.unit for knob in knobs} | dict.fromkeys(NETWORK_KNOBS, ""),
        knob_ranges={knob.column: (knob.low, knob.high) for knob in knobs}
        | {"sram_byte": (least, math.inf)}
        | {knob.name: knob.range for knob in NETWORK_KNOBS.values()},
        knob_allowed={knob.column: knob.allowed for knob in knobs}
        | {"sram_byte": f"{format_quantity(least, 'byte')} or more"}
        | {knob.name: knob.allowed for knob in NETWORK_KNOBS.values()},
        knob_words={knob.column: knob.words for knob in knobs if knob.words},
        whole_knobs=tuple(knob.column for knob in knobs if knob.whole)
        + tuple(knob.name for knob in NETWORK_KNOBS.values() if knob.whole),
        scenario_free=scenario_free,
        scenario_words=scenario_words(),
        network_knobs=tuple(NETWORK_KNOBS),
        given_metrics=tuple(metric.name for metric in GIVEN),
        always_solved=tuple(name for name, each in TEMPLATES.items() if each.always_solved),
    )


def _further_faults(file: Path) -> list[str]:
    """Return what models would find at fault in those parts of a file whose keys are sound."""
    document, words = read_document(file), _vocabulary()
    data, faults = document.data if isinstance(document.data, dict) else {}, list[str]()
    said = data.get("variables")
    read = {
        name: sound_part({**entry, "name": name}, VariableSpec, words)
        for name, entry in (said.items() if isinstance(said, dict) else ())
        if isinstance(entry, dict)
    }
    read_variables({name: entry for name, entry in read.items() if entry}, document, faults)
    networks, objectives = data.get("workloads"), data.get("objectives")
    listed = networks if isinstance(networks, list) else []
    entries = [sound_part(entry, WorkloadSpec, words) for entry in listed]
    names = objectives if isinstance(objectives, list) else []
    sound = [entry for entry in entries if entry is not None]
    if len(sound) == len(entries):  # places are those of the file
        _workloads(sound, [name for name in names if isinstance(name, str)], document, faults)
    scenario = sound_part(data.get("scenario") or {}, ScenarioSpec, words)
    if scenario is not None:
        _preset(scenario, document, faults)
    return faults


def _workloads(
    entries: Sequence[WorkloadSpec], metrics: Sequence[str], document: Document, faults: list[str]
) -> list[Workload]:
    """Load the networks, each with what its deployment asks."""
    from carbonopt.evaluate import load_workload

    workloads: list[Workload] = []
    periodic = [name for name in metrics if needs_period(name)]
    for place, entry in enumerate(entries):
        name = entry.name or str(document.path.parent / str(entry.path))
        try:
            loaded = load_workload(
                name, period_s=entry.period, dram_byte=entry.dram, batch=entry.batch
            )
            loaded = _with_zeros(loaded, entry.zero_share)
        except SpecError as error:
            faults += [document.fault(("workloads", place), fault) for fault in error.faults]
            continue
        if loaded.network.name in {other.network.name for other in workloads}:
            fault = f"got {loaded.network.name} again, allowed: each network once"
            faults.append(document.fault(("workloads", place), fault))
        if loaded.period_s is None and periodic:
            fault = f"got no period, allowed: a time, which {periodic[0].partition('@')[0]} needs"
            faults.append(document.fault(("workloads", place, "period"), fault))
        workloads.append(loaded)
    return workloads


def _with_zeros(loaded: Workload, said: float | Mapping[str, float] | None) -> Workload:
    """Return a workload whose data has zeros, as a file says of all layers or of single ones."""
    if said is None:
        return loaded
    values: dict[str, object] = {ZEROS.name: said}
    if isinstance(said, Mapping):
        values = {f"{ZEROS.name}@{layer}": share for layer, share in said.items()}
    return loaded.compressed(*parse_settings(loaded.network, values))


def _preset(scenario: ScenarioSpec, document: Document, faults: list[str]) -> CarbonPreset | None:
    """Take a carbon preset and replace what the file replaces."""
    if str(scenario.profile).endswith(".csv"):
        profile = str(document.path.parent / str(scenario.profile))
        scenario = scenario.model_copy(update={"profile": profile})
    try:
        return preset_of(scenario)
    except SpecError as error:
        for fault in error.faults:
            key, _, rest = fault.partition(": ")
            known = key in ScenarioSpec.model_fields
            place = ("scenario", key) if known else ("scenario",)
            faults.append(document.fault(place, rest if known else fault))
        return None


def _reference_front(spec: ProblemSpec, document: Document, faults: list[str]) -> Path | None:
    """Find the file with the reference front."""
    if spec.reference_front is None:
        return None
    file = document.path.parent / spec.reference_front.file
    if not file.is_file():
        fault = f"got {spec.reference_front.file}, which is no file, allowed: a CSV file"
        faults.append(document.fault(("reference_front", "file"), fault))
    return file


def _content(
    spec: ProblemSpec, workloads: list[Workload], preset: CarbonPreset, folder: Path
) -> dict[str, Any]:
    """Collect what decides a result beyond space, objectives and limits."""
    networks = [
        {
            "name": loaded.network.name,
            "period_s": loaded.period_s,
            "dram_byte": float(loaded.dram_byte),
            "file": hashlib.sha256((folder / entry.path).read_bytes()).hexdigest()
            if entry.path
            else "",
            **({"batch": entry.batch} if entry.batch else {}),
            **({} if entry.zero_share is None else {ZEROS.name: entry.zero_share}),
        }
        for entry, loaded in zip(spec.workloads, workloads, strict=True)
    ]
    content = {"workloads": networks, "preset": asdict(preset), "mapping": spec.mapping.mode}
    if spec.mapping.objective is not None:
        content["mapping_objective"] = spec.mapping.objective
    if spec.machine is not None:
        machine = (folder / spec.machine).read_bytes()
        content["machine"] = hashlib.sha256(machine).hexdigest()
    return content
