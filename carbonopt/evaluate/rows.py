"""One design for several networks, as a row of a table."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from carbonopt.carbon.design_node import COLUMN
from carbonopt.carbon.presets import CarbonPreset
from carbonopt.carbon.task import Task
from carbonopt.carbon.uncertainty import statistics_of
from carbonopt.carbon.wafer import over_reticle
from carbonopt.errors import MappingError, ModelRangeError, QualityError
from carbonopt.evaluate.design import Evaluation, evaluate_design
from carbonopt.evaluate.workload import Workload
from carbonopt.hardware.knobs import knobs_of_row
from carbonopt.hardware.precision import check_precision
from carbonopt.hardware.template import find_template
from carbonopt.hardware.variant import load_variant
from carbonopt.mapping.residency import machine_for
from carbonopt.objectives import BUILDABLE, GAP, GIVEN, PER_NETWORK
from carbonopt.performance.choices import MappingMode
from carbonopt.workload.compression import Target
from carbonopt.workload.network import Network

_PER_NETWORK = tuple(metric.name for metric in PER_NETWORK if not metric.factors)
_WORN = ("cell_inferences", "lifetime_ca_s", "lifetime_pa_s")
"""Columns of designs whose cells wear out; a lifetime only where they end it."""
Quality = Callable[[Sequence[Network], Mapping[str, float]], float]
"""Compressed networks and the values of their variables, to a loss."""


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
        ``optimal``, ``exhaustive`` or ``reference``.
    statistics
        Metrics of `carbonopt.objectives.UNCERTAIN` to compute, each for every workload too.
    objective
        What mappings are chosen for, one of `carbonopt.objectives.MAPPING_OBJECTIVES`.
    targets, quality
        Variables of the networks, and what says the loss of networks compressed so.
    """

    workloads: tuple[Workload, ...]
    preset: CarbonPreset
    mapping: MappingMode
    statistics: tuple[str, ...] = ()
    objective: str = "edp"
    targets: tuple[Target, ...] = ()
    quality: Quality | None = None

    def compressed(self, design: Mapping[str, Any]) -> Context:
        """Return what a design depends on once its networks have the bits that it says."""
        if not self.targets:
            return self
        workloads = (each.compressed(design, self.targets) for each in self.workloads)
        return replace(self, workloads=tuple(workloads))

    def quality_loss(self, design: Mapping[str, Any]) -> dict[str, float]:
        """Return the loss of quality of a design, none where nothing says it.

        Raises
        ------
        QualityError
            It cannot be told.
        """
        if self.quality is None:
            return {}
        chosen = {target.column: float(design[target.column]) for target in self.targets}
        networks = [workload.network for workload in self.workloads]
        return {GIVEN[0].name: self.quality(networks, chosen)}


def evaluate_row(design: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Evaluate one design for every workload, as one flat row of a table.

    Metrics are geometric means over the workloads, `metric@network` is one network's. The
    parts `metric.part` sum to the metric: each is the metric times the mean over the
    workloads of the part's share.

    Parameters
    ----------
    design
        `template` and its knobs, quantities in canonical units, and what it says of networks.
    context
        Workloads, preset and mapping.

    Returns
    -------
    dict
        A row with `status` ``ok``; or, where the design cannot be built, mapped or judged,
        ``error`` with the reason as `message`.
    """
    template, knobs = str(design["template"]), knobs_of_row(design)
    context = context.compressed(design)
    results = (
        evaluate_design(
            template, knobs, workload, context.preset, context.mapping, context.objective
        )
        for workload in context.workloads
    )
    row = row_of(results, context)
    try:
        return row | context.quality_loss(design) if row["status"] == "ok" else row
    except QualityError as error:
        return {BUILDABLE: 0.0, "status": "error", "message": str(error)}


def build_design(design: Mapping[str, Any], context: Context) -> None:
    """Build the machine of a design for the first workload, without mapping anything onto it.

    What can be built does not depend on the workload, but its multipliers may be too narrow for
    the bits of some network.

    Raises
    ------
    ModelRangeError
        It cannot be built; the message names each knob at fault.
    """
    template, knobs = find_template(str(design["template"])), knobs_of_row(design)
    context = context.compressed(design)
    workload, variant = context.workloads[0], load_variant(context.preset.hardware)
    machine = machine_for(workload.network, template, knobs, variant, dram_byte=workload.dram_byte)
    if context.targets:
        for each in context.workloads:
            check_precision(machine, each.network.layers)


def row_of(evaluations: Iterable[Evaluation], context: Context) -> dict[str, Any]:
    """Return the evaluations of a design, one per workload, as `evaluate_row` does."""
    try:
        results = list(evaluations)
    except (ModelRangeError, MappingError) as error:
        return {BUILDABLE: 1.0, "status": "error", "message": str(error)}
    row: dict[str, Any] = {BUILDABLE: 0.0, "status": "ok", "message": ""}
    first = results[0].metrics
    row |= {
        name: first[name] for name in ("area_mm2", "clock_ns", "idle_w", COLUMN) if name in first
    }
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
        if result.cost.gap is not None:
            row[f"{GAP}{network}"] = result.cost.gap
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
