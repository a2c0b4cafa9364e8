"""From a design to its metrics: build, map, time, energy, carbon."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from carbonopt.carbon.design_node import preset_of_designs
from carbonopt.carbon.embodied import embodied_g
from carbonopt.carbon.endurance import Wear
from carbonopt.carbon.metrics import task_metrics
from carbonopt.carbon.presets import Activity, CarbonPreset, load_preset
from carbonopt.carbon.task import Deployment, Task
from carbonopt.carbon.uncertainty import statistics_of
from carbonopt.carbon.wafer import over_reticle
from carbonopt.errors import MappingError, ModelRangeError, SpecError
from carbonopt.hardware.imc import ImcMacro
from carbonopt.hardware.knob_table import Knobs
from carbonopt.hardware.knobs import knobs_of_row, parse_knobs
from carbonopt.hardware.machine import Machine
from carbonopt.hardware.technology import load_technology
from carbonopt.hardware.template import find_template
from carbonopt.hardware.variant import load_variant
from carbonopt.mapping.residency import machine_for
from carbonopt.objectives import PER_NETWORK, needs_period
from carbonopt.performance.network import MappingMode, NetworkCost, network_cost
from carbonopt.performance.rewrites import cell_inferences
from carbonopt.workload.load import deployment_facts, load_network
from carbonopt.workload.network import Network

_PER_NETWORK = tuple(metric.name for metric in PER_NETWORK if not metric.factors)
_WORN = ("cell_inferences", "lifetime_ca_s", "lifetime_pa_s")
"""Columns of designs whose cells wear out; a lifetime only where they end it."""


@dataclass(frozen=True)
class Workload:
    """A network and what its deployment asks of it.

    Parameters
    ----------
    network
        What is computed.
    dram_byte
        Size of the DRAM beside the chip [byte].
    period_s
        Time between two inferences, None where it is not known [s].
    """

    network: Network
    dram_byte: float
    period_s: float | None

    @property
    def deployment(self) -> Deployment:
        """What it asks of a device, without the network itself."""
        return Deployment(self.network.name, self.dram_byte, self.period_s)


@dataclass(frozen=True)
class Context:
    """All that an evaluation depends on, apart from the design.

    Parameters
    ----------
    workloads
        Every one runs on the design.
    preset
        Numbers of the carbon model; it selects the hardware models too.
    mapping
        ``optimal`` or ``reference``.
    statistics
        Metrics of `carbonopt.objectives.UNCERTAIN` to compute, each for every workload too.
    """

    workloads: tuple[Workload, ...]
    preset: CarbonPreset
    mapping: MappingMode
    statistics: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evaluation:
    """One workload on one machine, with every metric and its additive breakdown.

    Parameters
    ----------
    machine, cost
        The machine built and the mapped network.
    metrics
        Name, with its unit as suffix, to value.
    breakdown
        Metric to its parts, which sum to it.
    """

    machine: Machine
    cost: NetworkCost
    metrics: Mapping[str, float]
    breakdown: Mapping[str, Mapping[str, float]]


def load_workload(
    name_or_path: str,
    *,
    period_s: float | None = None,
    dram_byte: float | None = None,
    batch: int | None = None,
) -> Workload:
    """Load a network with its deployment; what is not given comes from the shipped facts.

    For a network without facts the period stays unknown, and the DRAM is the smallest power
    of two that holds all weights and the largest activations, at least 1 MiB.

    Raises
    ------
    SpecError
        If the network cannot be read, or the period or DRAM is not positive.
    """
    for name, value in (("period", period_s), ("dram", dram_byte)):
        if value is not None and not value > 0:
            raise SpecError(f"{name}: got {value:g}, allowed: > 0")
    network = load_network(name_or_path, batch=batch)
    facts = deployment_facts(name_or_path)
    return Workload(
        network,
        dram_byte or facts.dram_byte or _enough_dram(network),
        period_s or facts.period_s,
    )


def _enough_dram(network: Network) -> float:
    """Return the smallest power of two, at least 1 MiB, that holds a network [byte]."""
    bits = sum(layer.weights * layer.weight_bits for layer in network.layers)
    bits += max(
        layer.inputs * layer.input_bits + layer.outputs * layer.psum_bits
        for layer in network.layers
    )
    return float(max(2**20, 2 ** math.ceil(math.log2(bits / 8))))


def evaluate_design(
    template: str,
    knobs: Knobs,
    workload: Workload,
    preset: CarbonPreset,
    mapping: MappingMode,
) -> Evaluation:
    """Evaluate one design for one workload.

    Raises
    ------
    ModelRangeError
        If a knob lies outside the range of a model.
    MappingError
        If a layer cannot be mapped.
    """
    machine = machine_for(
        workload.network, find_template(template), knobs, load_variant(preset.hardware),
        dram_byte=workload.dram_byte,
    )  # fmt: skip
    cost = network_cost(workload.network, machine, mapping)
    return evaluate_mapped(machine, cost, workload, preset)


def evaluate_mapped(
    machine: Machine, cost: NetworkCost, workload: Workload, preset: CarbonPreset
) -> Evaluation:
    """Evaluate a workload that is mapped onto a machine."""
    seconds = machine.clock_ns * 1e-9
    breakdown: dict[str, dict[str, float]] = {
        "area_mm2": dict(machine.area_parts),
        "clock_ns": dict(machine.clock_parts),
        "idle_w": dict(machine.leakage_parts),
        "latency_cycles": cost.cycle_parts(),
        "latency_s": {part: cycles * seconds for part, cycles in cost.cycle_parts().items()},
        "energy_pj": cost.energy_parts(),
        "energy_j": {part: pj * 1e-12 for part, pj in cost.energy_parts().items()},
    }
    metrics = {
        "area_mm2": machine.area_mm2,
        "clock_ns": machine.clock_ns,
        "idle_w": machine.idle_w,
        "latency_cycles": cost.cycles,
        "latency_s": cost.cycles * seconds,
        "energy_pj": cost.energy_pj,
        "energy_j": cost.energy_pj * 1e-12,
    }
    metrics |= _own_facts(machine, cost)
    breakdown |= _carbon(metrics, workload, preset)
    metrics |= {name: sum(breakdown[name].values()) for name in breakdown if name not in metrics}
    for activity, wear in _wear(metrics, workload, preset).items():
        if wear.binds:
            metrics[f"lifetime_{activity.lower()}_s"] = float(wear.wear_s)
    operations = 2 * workload.network.macs
    activities: list[Activity] = ["CA"] if workload.period_s is None else ["CA", "PA"]
    for activity in activities:
        parts = breakdown[f"carbon_{activity.lower()}_g"]
        derived = task_metrics(activity, parts, preset, operations)
        metrics |= {name: float(value) for name, value in derived.items()}
    return Evaluation(machine, cost, metrics, breakdown)


def _own_facts(machine: Machine, cost: NetworkCost) -> dict[str, float]:
    """Return what a device does not share with all others: its node, cells that wear out."""
    node_nm, facts = float(machine.technology.node_nm), {}
    if node_nm != load_technology().node_nm:
        facts["node_nm"] = node_nm
    inferences = cell_inferences(cost, machine)
    return facts if math.isinf(inferences) else {**facts, "cell_inferences": inferences}


def _wear(
    metrics: Mapping[str, float], workload: Workload, preset: CarbonPreset
) -> dict[Activity, Wear]:
    """Return how long a device with cells that wear out lasts, by activity; none without them."""
    if "cell_inferences" not in metrics:
        return {}
    task = Task.of(workload.deployment, metrics)
    activities: list[Activity] = ["CA"] if workload.period_s is None else ["CA", "PA"]
    return {activity: task.wear(activity, preset) for activity in activities}


def _carbon(
    metrics: Mapping[str, float], workload: Workload, preset: CarbonPreset
) -> dict[str, dict[str, float]]:
    """Carbon by scenario and part [g]; PA only where the period is known."""
    task = Task.of(workload.deployment, metrics)
    parts = {
        "embodied_g": embodied_g(
            metrics["area_mm2"], task.deployment.dram_gb, preset_of_designs(preset, metrics)
        ),
        "carbon_ca_g": task.parts_g("CA", preset),
    }
    if workload.period_s is not None:
        parts["carbon_pa_g"] = task.parts_g("PA", preset)
    return {
        metric: {part: float(grams) for part, grams in values.items()}
        for metric, values in parts.items()
    }


def evaluate_one(
    workload: str,
    template: str,
    knobs: Mapping[str, Any],
    *,
    preset: str | CarbonPreset = "default",
    mapping: MappingMode = "optimal",
    period_s: float | None = None,
    dram_byte: float | None = None,
    batch: int | None = None,
) -> dict[str, Any]:
    """Evaluate one design for one network, as nested names and numbers ready for JSON.

    Parameters
    ----------
    workload
        Name of a shipped network, or the path of an ONNX file.
    template, knobs
        The design, see `carbonopt.hardware.knob_table.knob_table`; quantities with their unit.
    preset
        Carbon preset, or the name of a shipped one; `carbonopt.carbon.deployment.deployed_preset`
        makes one for a region, a lifetime and more.
    mapping
        ``optimal`` or ``reference``.
    period_s, dram_byte, batch
        Deployment, where it differs from the shipped facts.

    Raises
    ------
    SpecError, ModelRangeError, MappingError
        If the request, a knob or a layer is at fault.

    Examples
    --------
    >>> knobs = {"rows": 128, "cols": 128, "sram": "512KiB"}
    >>> round(evaluate_one("resnet8", "dimc", knobs, preset="carbonspot")["area_mm2"], 4)
    2.3581
    """
    parsed = parse_knobs(template, knobs)
    numbers = load_preset(preset) if isinstance(preset, str) else preset
    task = load_workload(workload, period_s=period_s, dram_byte=dram_byte, batch=batch)
    result = evaluate_design(template, parsed, task, numbers, mapping)
    late = _is_late(result, task, numbers)
    metrics = {n: None if late and needs_period(n) else v for n, v in result.metrics.items()}
    parts = {n: v for n, v in result.breakdown.items() if not (late and needs_period(n))}
    return {
        "workload": task.network.name,
        "template": template,
        "knobs": {"rows": parsed.rows, "cols": parsed.cols, "macros": parsed.macros,
                  "sram_byte": parsed.sram_byte, **parsed.options.given},
        "preset": numbers.name,
        "hardware": numbers.hardware,
        "grid_g_per_kwh": float(numbers.drawn_g_per_kwh),
        "mapping": mapping,
        "carbon_pa_g": None,
        **metrics,
        "period_s": task.period_s,
        "period_met": None if task.period_s is None else bool(
            result.metrics["latency_s"] <= task.period_s
        ),
        "dram_byte": task.dram_byte,
        "breakdown": parts,
        "layers": [layer.describe() for layer in result.cost.layers],
        "notes": _notes(result, task, numbers),
    }  # fmt: skip


def _is_late(result: Evaluation, task: Workload, preset: CarbonPreset) -> bool:
    """Whether a design has no PA carbon because it misses its period."""
    if task.period_s is None or preset.late_rule != "infeasible":
        return False
    return bool(result.metrics["latency_s"] > task.period_s)


def _notes(result: Evaluation, task: Workload, preset: CarbonPreset) -> list[str]:
    """Say what is missing, and why: PA carbon, a lifetime to break even, layers."""
    notes, network = [], task.network
    if task.period_s is None:
        notes.append(f"carbon_pa_g: no period is known for {network.name}: give one with --period")
    elif _is_late(result, task, preset):
        times = result.metrics["latency_s"] / task.period_s
        notes.append(
            f"carbon_pa_g: none, the design is late: its latency is {times:.4g} times the period; "
            "give a longer --period, or --late-rule replicate or fractional"
        )
    for activity in ("ca", "pa"):
        if result.metrics.get(f"break_even_{activity}_s") == math.inf:
            notes.append(
                f"break_even_{activity}_s: never: on this grid electricity never costs as much "
                "carbon as making"
            )
    notes += _wear_notes(result, task, preset)
    if network.not_modelled:
        skipped = ", ".join(f"{kind} x{n}" for kind, n in network.not_modelled.items())
        notes.append(f"not modelled: {skipped}")
    return notes


def _wear_notes(result: Evaluation, task: Workload, preset: CarbonPreset) -> list[str]:
    """Say whether cells end the life of a device; nothing of SRAM, which does not wear."""
    macro = result.machine.array
    if not isinstance(macro, ImcMacro) or macro.cell is None:
        return []
    found = _wear(result.metrics, task, preset)
    if not found:
        stays = "all weights stay in the cells: endurance does not bind"
        return [f"cell {macro.cell.name}: {stays}"]
    return [f"carbon_{a.lower()}_g: {wear.statement()}" for a, wear in found.items()]


def evaluate_row(design: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Evaluate one design for every workload, as one flat row of a table.

    Metrics are geometric means over the workloads, `metric@network` is one network's. The
    parts `metric.part` sum to the metric: each is the metric times the mean over the
    workloads of the part's share.

    Parameters
    ----------
    design
        `template` and its knobs, quantities in canonical units.
    context
        Workloads, preset and mapping.

    Returns
    -------
    dict
        A row with `status` ``ok``; or, where the design cannot be built or mapped,
        ``error`` with the reason as `message`.
    """
    template, knobs = str(design["template"]), knobs_of_row(design)
    results = (
        evaluate_design(template, knobs, workload, context.preset, context.mapping)
        for workload in context.workloads
    )
    return row_of(results, context)


def row_of(evaluations: Iterable[Evaluation], context: Context) -> dict[str, Any]:
    """Return the evaluations of a design, one per workload, as `evaluate_row` does."""
    try:
        results = list(evaluations)
    except (ModelRangeError, MappingError) as error:
        return {"limit.buildable": 1.0, "status": "error", "message": str(error)}
    row: dict[str, Any] = {"limit.buildable": 0.0, "status": "ok", "message": ""}
    row |= {name: results[0].metrics[name] for name in ("area_mm2", "clock_ns", "idle_w")}
    for name in (*_PER_NETWORK, "embodied_g"):
        if all(name in result.metrics for result in results):
            row |= _aggregate(name, results)
    tasks = [
        Task.of(w.deployment, r.metrics) for w, r in zip(context.workloads, results, strict=True)
    ]
    row |= statistics_of(tasks, context.statistics, context.preset)
    row["limit.reticle"] = float(over_reticle(row["area_mm2"], context.preset))
    row |= {f"area_mm2.{part}": area for part, area in results[0].machine.area_by_group.items()}
    for workload, result in zip(context.workloads, results, strict=True):
        network = workload.network.name
        for name in (*_PER_NETWORK, *_WORN):
            if name in result.metrics:
                row[f"{name}@{network}"] = result.metrics[name]
        if workload.period_s is not None:
            late = result.metrics["latency_s"] / workload.period_s - 1
            row[f"limit.period@{network}"] = late
    return row


def _aggregate(name: str, results: list[Evaluation]) -> dict[str, float]:
    """Return the geometric mean of a metric and its parts, which sum to it."""
    values = [result.metrics[name] for result in results]
    total = math.exp(sum(map(math.log, values)) / len(values)) if min(values) > 0 else 0.0
    parts: dict[str, float] = {}
    for result in results:
        for part, value in result.breakdown.get(name, {}).items():
            share = value / result.metrics[name] / len(results)
            parts[part] = parts.get(part, 0.0) + total * share
    return {name: total, **{f"{name}.{part}": value for part, value in parts.items()}}


def period_constraints(workloads: Iterable[Workload]) -> list[str]:
    """Return the constraint columns that `evaluate_row` gives for these workloads."""
    return [f"limit.period@{w.network.name}" for w in workloads if w.period_s is not None]
