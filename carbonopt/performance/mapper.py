"""The mapper: the mappings of a layer that no other beats in energy and latency."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from carbonopt.arrays import Floats, Ints
from carbonopt.errors import MappingError
from carbonopt.mapping.candidates import Mappings, why_not
from carbonopt.mapping.fronts import Point, UnrolledLayer
from carbonopt.mapping.nest import chain_mappings
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.spatial import Unrollings
from carbonopt.mapping.storage import Storage
from carbonopt.mapping.tables import Array, Tables
from carbonopt.mapping.task import MappingTask
from carbonopt.mapping.unrollings import promising
from carbonopt.performance.array import array_energy, writing_rows
from carbonopt.performance.cost import drain_cycles
from carbonopt.performance.hull import lower_hull

_DECIMALS = 9  # means over the passes are the same only up to rounding


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
    tables = unrolled_tables(task, plan, unrollings)
    front = _Front(supported=supported)
    complete = True
    for u in np.lexsort((tables.least_pj, tables.least_cycles)):
        if tables.least_pj[u] >= front.bound_pj(tables.least_cycles[u]):
            continue
        layer = UnrolledLayer(tables, int(u))
        for point in layer.points(front.bound_pj):
            front.add(point, int(u))
        complete = complete and layer.complete
    if not front.found:
        raise MappingError(why_not(task))
    found = sorted(front.found, key=lambda each: each[0].cycles)
    return Solved(
        tuple(
            chain_mappings(plan, tables.unrollings.one(u), tables.lattices[u], point.chain)
            for point, u in found
        ),
        np.array([point.energy_pj for point, _ in found]),
        np.array([point.cycles for point, _ in found]),
        complete,
    )


def unrolled_tables(task: MappingTask, plan: Plan, unrollings: Unrollings | None = None) -> Tables:
    """Return what tiles cost under unrollings that differ in it; by default the promising ones."""
    unrollings = promising(task) if unrollings is None else unrollings
    array = _array(task, unrollings)
    different = _different(plan.storage, unrollings, array)
    if len(different) < len(unrollings):
        unrollings, array = unrollings.take(different), Array(*(each[different] for each in array))
    return Tables(plan, task, unrollings, array)


def _array(task: MappingTask, unrollings: Unrollings) -> Array:
    """Return what the array takes under each unrolling."""
    machine, layer = task.machine, task.layer
    rows = np.zeros(len(unrollings))
    if not task.waits_for_ports:
        rows = writing_rows(layer, unrollings, machine)
    energy: Floats = sum(array_energy(layer, machine, unrollings).values(), np.zeros(1))
    drain = drain_cycles(machine, unrollings) * machine.variant.loading_in_latency
    return Array(energy, drain, rows)


def _different(storage: Storage, unrollings: Unrollings, array: Array) -> Ints:
    """Return the unrollings of which no earlier one costs the same, whatever the mapping.

    Loops may change places between array dimensions that all memories serve alike.
    """
    if len({*zip(*storage.places.tolist(), strict=True)}) == storage.places.shape[1]:
        return np.arange(len(unrollings))
    spread = (
        storage.spread(sizes).reshape(len(unrollings), -1)
        for sizes in (unrollings.mean, unrollings.whole)
    )
    keys = np.column_stack([*spread, unrollings.passes, *array])
    _, first = np.unique(np.round(keys, _DECIMALS), axis=0, return_index=True)
    return np.sort(first)
