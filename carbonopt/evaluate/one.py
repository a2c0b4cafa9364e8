"""One design for one network, as a user asks for it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from carbonopt.carbon.design_node import COLUMN
from carbonopt.carbon.die import across_literatures
from carbonopt.carbon.presets import CarbonPreset, load_preset
from carbonopt.evaluate.design import Evaluation, evaluate_design, wear_of
from carbonopt.evaluate.kinds import described_layers, sum_by_kind
from carbonopt.evaluate.workload import Workload, load_workload
from carbonopt.hardware.digital import DigitalArray
from carbonopt.hardware.eyeriss import RowStationaryArray
from carbonopt.hardware.imc import ImcMacro
from carbonopt.hardware.knobs import parse_knobs
from carbonopt.mapping.unrollings import UNPROVEN
from carbonopt.objectives import needs_period
from carbonopt.performance.choices import MappingMode
from carbonopt.workload.compression import is_network_knob, parse_settings


def evaluate_one(
    workload: str,
    template: str,
    knobs: Mapping[str, Any],
    *,
    preset: str | CarbonPreset = "default",
    mapping: MappingMode = "optimal",
    objective: str = "edp",
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
        Bit widths and pruned shares of the network too, see
        `carbonopt.workload.compression.parse_settings`.
    preset
        Carbon preset, or the name of a shipped one; `carbonopt.carbon.deployment.deployed_preset`
        makes one for a region, a lifetime and more.
    mapping, objective
        ``optimal``, ``exhaustive`` or ``reference``, and what is least among the mappings, one of
        `carbonopt.objectives.MAPPING_OBJECTIVES`. `mapping_gap` of the result is how far that is
        at most above the least of all that the mode covers; inf where it is not proven. Template
        ``eyeriss`` with ``mappings=chip`` follows its own rules: `mapping` of the result is
        ``chip``.
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
    own = {name: value for name, value in knobs.items() if is_network_knob(name)}
    parsed = parse_knobs(template, {n: v for n, v in knobs.items() if n not in own})
    numbers = load_preset(preset) if isinstance(preset, str) else preset
    plain = load_workload(workload, period_s=period_s, dram_byte=dram_byte, batch=batch)
    chosen, known = parse_settings(plain.network, own)
    task = plain.compressed(chosen, known)
    result = evaluate_design(template, parsed, task, numbers, mapping, objective)
    return {
        "workload": task.network.name,
        "template": template,
        "knobs": {"rows": parsed.rows, "cols": parsed.cols, "macros": parsed.macros,
                  "sram_byte": parsed.sram_byte, **parsed.given, **chosen},
        "preset": numbers.name,
        "hardware": numbers.hardware,
        "grid_g_per_kwh": float(numbers.drawn_g_per_kwh),
        "mapping": "chip" if _keeps_chip_rules(result) else mapping,
        "mapping_objective": objective,
        "mapping_gap": result.cost.gap,
        **_found(result, task, numbers),
        "notes": _notes(result, task, numbers, is_asked=COLUMN in parsed.given),
    }  # fmt: skip


def _found(result: Evaluation, task: Workload, preset: CarbonPreset) -> dict[str, Any]:
    """Return metrics, deployment, parts and layers; no PA carbon of a design that is late."""
    late, period_s = _is_late(result, task, preset), task.period_s
    layers = described_layers(result.cost.layers)
    missing = {name for name in result.metrics if late and needs_period(name)}
    return {
        "carbon_pa_g": None,
        **{name: None if name in missing else v for name, v in result.metrics.items()},
        "period_s": period_s,
        "period_met": None if period_s is None else bool(result.metrics["latency_s"] <= period_s),
        "dram_byte": task.dram_byte,
        "breakdown": {name: v for name, v in result.breakdown.items() if name not in missing},
        "layers": layers,
        "by_kind": sum_by_kind(layers),
    }


def _keeps_chip_rules(result: Evaluation) -> bool:
    """Whether layers take the mappings that the Eyeriss chip would take."""
    array = result.machine.array
    return isinstance(array, RowStationaryArray) and array.keeps_chip_rules


def _is_late(result: Evaluation, task: Workload, preset: CarbonPreset) -> bool:
    """Whether a design has no PA carbon because it misses its period."""
    if task.period_s is None or preset.late_rule != "infeasible":
        return False
    return bool(result.metrics["latency_s"] > task.period_s)


def _notes(
    result: Evaluation, task: Workload, preset: CarbonPreset, *, is_asked: bool
) -> list[str]:
    """Say what is missing, and why: PA carbon, a lifetime to break even, layers.

    Only a node that was asked for is there to be compared with the scenario's.
    """
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
    if result.cost.gap == math.inf:
        notes.append(f"mapping_gap: not proven: {UNPROVEN}")
    own_nm = result.metrics.get(COLUMN, preset.node_nm)
    if own_nm != preset.node_nm:
        made = f"made at its own node of {own_nm:g} nm, not the scenario's {preset.node_nm:g} nm"
        said = across_literatures([float(preset.node_nm), float(own_nm)] if is_asked else [])
        notes.append(f"{made}; {said}" if said else made)
    notes += _compression_notes(result, task)
    if network.not_modelled:
        skipped = ", ".join(f"{kind} x{n}" for kind, n in network.not_modelled.items())
        notes.append(f"not modelled: {skipped}")
    return notes


def _compression_notes(result: Evaluation, task: Workload) -> list[str]:
    """Say what the numbers of narrow operands and pruned weights leave out."""
    notes, array, layers = [], result.machine.array, task.network.layers
    if isinstance(array, DigitalArray | ImcMacro) and any(
        each.weight_bits < array.weight_bits or each.input_bits < array.input_bits
        for each in layers
    ):
        notes.append("narrow operands: to split multipliers is taken to cost nothing")
    if any(each.pruned_share for each in layers):
        notes.append("pruned weights: to say which ones they are is taken to cost nothing")
    return notes


def _wear_notes(result: Evaluation, task: Workload, preset: CarbonPreset) -> list[str]:
    """Say whether cells end the life of a device; nothing of SRAM, which does not wear."""
    macro = result.machine.array
    if not isinstance(macro, ImcMacro) or macro.cell is None:
        return []
    found = wear_of(result.metrics, task, preset)
    if not found:
        stays = "all weights stay in the cells: endurance does not bind"
        return [f"cell {macro.cell.name}: {stays}"]
    return [f"carbon_{a.lower()}_g: {wear.statement()}" for a, wear in found.items()]
