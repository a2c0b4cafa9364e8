"""The mapper: the mappings of a layer that no other beats in energy and latency."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from carbonopt.arrays import Floats
from carbonopt.errors import MappingError
from carbonopt.mapping.candidates import Mappings, why_not
from carbonopt.mapping.chains import Beside
from carbonopt.mapping.fronts import Point, UnrolledLayer
from carbonopt.mapping.nest import chain_mappings
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.spatial import Unrolling, array_shape
from carbonopt.mapping.tables import Tables
from carbonopt.mapping.task import MappingTask
from carbonopt.mapping.unrollings import Unrollings, promising_unrollings
from carbonopt.performance.array import array_energy, written_rows
from carbonopt.performance.cost import waits_for_ports
from carbonopt.performance.hull import lower_hull


@dataclass(frozen=True)
class Solved:
    """What is proven of a layer's mappings under the unrollings that were looked at.

    Parameters
    ----------
    mappings
        For each point of the front some mappings that have its energy and differ in waiting.
    energy_pj, cycles
        Of each point: exact energy, and latency that none of its mappings undercuts (n,).
    complete
        Nothing was left out for want of memory.
    """

    mappings: tuple[Mappings, ...]
    energy_pj: Floats
    cycles: Floats
    complete: bool


class _Front:
    """Points found so far, and how little energy a further one may take to matter.

    With `supported`, only points on the lower convex hull matter: those that minimise some
    weighting of energy and latency, and hence any product of their sums over layers.
    """

    def __init__(self, *, supported: bool) -> None:
        self.found: list[tuple[Point, int]] = []
        self._supported = supported

    def bound_pj(self, cycles: float) -> float:
        """Return the energy below which a mapping of at least `cycles` matters [pJ]."""
        bound = math.inf
        slower: Point | None = None
        for point, _ in self.found:
            if point.cycles <= cycles:
                bound = point.energy_pj
                if self._supported and slower is not None:
                    share = (cycles - point.cycles) / (slower.cycles - point.cycles)
                    bound += share * (slower.energy_pj - point.energy_pj)
                break
            slower = point
        return bound

    def add(self, point: Point, unrolling: int) -> None:
        """Take a point in where it matters, and drop those that no longer do."""
        if self.bound_pj(point.cycles) <= point.energy_pj:
            return
        kept = [
            (other, u)
            for other, u in self.found
            if other.energy_pj < point.energy_pj or other.cycles < point.cycles
        ]
        self.found = sorted([*kept, (point, unrolling)], key=lambda each: -each[0].cycles)
        if self._supported:
            cycles, energy = (
                np.array(values)
                for values in zip(
                    *((each.cycles, each.energy_pj) for each, _ in self.found), strict=True
                )
            )
            self.found = [self.found[i] for i in lower_hull(cycles, energy)[::-1]]


def solve_layer(
    task: MappingTask, plan: Plan, unrollings: Unrollings | None = None, *, supported: bool = False
) -> Solved:
    """Return the front of a layer's mappings in energy and latency, fastest first.

    Parameters
    ----------
    task
        The layer on a machine.
    plan
        Of the memory hierarchy.
    unrollings
        Those looked at; the promising ones by default.
    supported
        Keep points on the lower convex hull alone.

    Raises
    ------
    MappingError
        If the layer cannot be mapped.

    Notes
    -----
    All tilings, loop orders and allocations of each unrolling are covered: energies are exact
    minima, latencies lower bounds that hold for every mapping.
    """
    if unrollings is None:
        unrollings = promising(task)
    tables = Tables(plan, task, unrollings)
    beside = _beside(task, unrollings.each, tables.outputs_pj)
    front = _Front(supported=supported)
    complete = True
    layers = [UnrolledLayer(plan, tables, u, each) for u, each in enumerate(beside)]
    for u in sorted(range(len(layers)), key=lambda u: (layers[u].least_cycles, layers[u].least_pj)):
        for point in layers[u].points(front.bound_pj):
            front.add(point, u)
        complete = complete and layers[u].complete
    if not front.found:
        raise MappingError(why_not(task))
    found = sorted(front.found, key=lambda each: each[0].cycles)
    return Solved(
        tuple(
            chain_mappings(plan, unrollings.each[u], tables.lattices[u], point.chain)
            for point, u in found
        ),
        np.array([point.energy_pj for point, _ in found]),
        np.array([point.cycles for point, _ in found]),
        complete,
    )


def promising(task: MappingTask) -> Unrollings:
    """Return the unrollings that are worth a look."""
    machine = task.machine
    array = array_shape(machine, task.layer)
    return promising_unrollings(
        task.layer.anonymous, array,
        carbonspot_rules=machine.carbonspot_rules, down=machine.variant.whole_units_down,
    )  # fmt: skip


def _beside(task: MappingTask, unrollings: Sequence[Unrolling], outputs_pj: Floats) -> list[Beside]:
    """Return what each unrolling costs beside its transfers."""
    machine, layer = task.machine, task.layer
    variant = machine.variant
    loading = variant.loading_in_latency and not variant.overlapped_loading
    waits = waits_for_ports(task)
    found = []
    for used, outputs in zip(unrollings, outputs_pj, strict=True):
        drain = sum(math.ceil(used.as_asked.product(dim)) - 1 for dim in machine.systolic)
        rows = -1.0 if waits else written_rows(layer, used, machine) * machine.row_cycles
        found.append(
            Beside(
                sum(array_energy(layer, machine, used).values()) + float(outputs),
                float(drain) if variant.loading_in_latency else 0.0,
                rows, machine.overlapped_writing, machine.waits_for_activations,
                float(machine.array.passes), loading, variant.outputs_double_buffered,
            )
        )  # fmt: skip
    return found
