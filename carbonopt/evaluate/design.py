"""From a design to its metrics: build, map, time, energy, carbon."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from carbonopt.arrays import Floats, Number
from carbonopt.carbon.design_node import COLUMN, preset_of_designs
from carbonopt.carbon.embodied import embodied_g
from carbonopt.carbon.endurance import Wear
from carbonopt.carbon.metrics import task_metrics
from carbonopt.carbon.presets import Activity, CarbonPreset
from carbonopt.carbon.task import Task
from carbonopt.errors import SpecError
from carbonopt.evaluate.workload import Workload
from carbonopt.hardware.knob_table import Knobs
from carbonopt.hardware.machine import Machine
from carbonopt.hardware.template import find_template
from carbonopt.hardware.variant import load_variant
from carbonopt.mapping.residency import machine_for
from carbonopt.objectives import MAPPING_OBJECTIVES
from carbonopt.performance.choices import SCORES, MappingMode, Score
from carbonopt.performance.network import NetworkCost, SolvedLayers, network_cost
from carbonopt.performance.rewrites import cell_inferences

_CARBON_SCORES: Mapping[str, Activity] = {"carbon_ca": "CA", "carbon_pa": "PA"}
_J_PER_PJ, _S_PER_NS = 1e-12, 1e-9


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


def evaluate_design(
    template: str,
    knobs: Knobs,
    workload: Workload,
    preset: CarbonPreset,
    mapping: MappingMode,
    objective: str = "edp",
    solved: SolvedLayers | None = None,
) -> Evaluation:
    """Evaluate one design for one workload, its mappings chosen for one of `MAPPING_OBJECTIVES`.

    Layers that `solved` knows are not mapped again.

    Raises
    ------
    SpecError
        There is no such objective, or it needs a period and there is none.
    ModelRangeError
        If a knob lies outside the range of a model.
    MappingError
        If a layer cannot be mapped.
    """
    machine = machine_for(
        workload.network, find_template(template), knobs, load_variant(preset.hardware),
        dram_byte=workload.dram_byte,
    )  # fmt: skip
    score = _score(objective, machine, workload, preset)
    cost = network_cost(workload.network, machine, mapping, score, solved)
    return evaluate_mapped(machine, cost, workload, preset)


def _score(objective: str, machine: Machine, workload: Workload, preset: CarbonPreset) -> Score:
    """Return what shall be least over the choices of mappings.

    In PA, choices that miss the period come after all others where no late design is allowed.
    """
    if objective in SCORES:
        return SCORES[objective]
    if objective not in _CARBON_SCORES:
        allowed = ", ".join(MAPPING_OBJECTIVES)
        raise SpecError(f"mapping objective: got {objective!r}, allowed: {allowed}")
    activity, period_s = _CARBON_SCORES[objective], workload.period_s
    if activity == "PA" and period_s is None:
        raise SpecError(f"mapping objective: got {objective} without a period, allowed: with one")
    judged = activity == "PA" and preset.late_rule == "infeasible"
    latest_s = period_s if judged and period_s is not None else math.inf

    def carbon_g(energy_pj: Floats, cycles: Floats) -> Floats:
        latency_s = cycles * machine.clock_ns * _S_PER_NS
        columns: dict[str, Number] = {
            "area_mm2": machine.area_mm2, "idle_w": machine.idle_w, **_own_node(machine),
            "energy_j": energy_pj * _J_PER_PJ, "latency_s": latency_s,
        }  # fmt: skip
        carbon = Task.of(workload.deployment, columns).carbon_g(activity, preset)
        return np.where(latency_s > latest_s, np.inf, carbon)

    return carbon_g


def evaluate_mapped(
    machine: Machine, cost: NetworkCost, workload: Workload, preset: CarbonPreset
) -> Evaluation:
    """Evaluate a workload that is mapped onto a machine."""
    seconds = machine.clock_ns * _S_PER_NS
    cycle_parts, energy_parts = cost.cycle_parts(), cost.energy_parts()
    breakdown: dict[str, dict[str, float]] = {
        "area_mm2": dict(machine.area_parts),
        "clock_ns": dict(machine.clock_parts),
        "idle_w": dict(machine.leakage_parts),
        "latency_cycles": cycle_parts,
        "latency_s": {part: cycles * seconds for part, cycles in cycle_parts.items()},
        "energy_pj": energy_parts,
        "energy_j": {part: pj * _J_PER_PJ for part, pj in energy_parts.items()},
    }
    metrics = {
        "area_mm2": machine.area_mm2,
        "clock_ns": machine.clock_ns,
        "idle_w": machine.idle_w,
        "latency_cycles": cost.cycles,
        "latency_s": cost.cycles * seconds,
        "energy_pj": cost.energy_pj,
        "energy_j": cost.energy_pj * _J_PER_PJ,
    }
    metrics |= _own_facts(machine, cost)
    breakdown |= _carbon(metrics, workload, preset)
    metrics |= {name: sum(breakdown[name].values()) for name in breakdown if name not in metrics}
    for activity, wear in wear_of(metrics, workload, preset).items():
        if wear.binds:
            metrics[f"lifetime_{activity.lower()}_s"] = float(wear.wear_s)
    metrics |= _derived(metrics, breakdown, workload, preset)
    return Evaluation(machine, cost, metrics, breakdown)


def _derived(
    metrics: Mapping[str, float],
    breakdown: Mapping[str, Mapping[str, float]],
    workload: Workload,
    preset: CarbonPreset,
) -> dict[str, float]:
    """Return what follows from the carbon of a task, by activity, over the life of its device."""
    task = Task.of(workload.deployment, metrics)
    found: dict[str, Floats] = {}
    for activity in workload.deployment.activities:
        parts = breakdown[f"carbon_{activity.lower()}_g"]
        own = task.worn(activity, preset)
        found |= task_metrics(activity, parts, own, 2 * workload.network.macs)
    return {name: float(value) for name, value in found.items()}


def _own_node(machine: Machine) -> dict[str, float]:
    """Return the node of a device that has one of its own, whatever the scenario."""
    node_nm = machine.own_node_nm
    return {} if node_nm is None else {COLUMN: float(node_nm)}


def _own_facts(machine: Machine, cost: NetworkCost) -> dict[str, float]:
    """Return what a device does not share with all others: its node, cells that wear out."""
    facts, inferences = _own_node(machine), cell_inferences(cost, machine)
    return facts if math.isinf(inferences) else {**facts, "cell_inferences": inferences}


def wear_of(
    metrics: Mapping[str, float], workload: Workload, preset: CarbonPreset
) -> dict[Activity, Wear]:
    """Return how long a device with cells that wear out lasts, by activity; none without them."""
    if "cell_inferences" not in metrics:
        return {}
    task = Task.of(workload.deployment, metrics)
    return {activity: task.wear(activity, preset) for activity in task.deployment.activities}


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
