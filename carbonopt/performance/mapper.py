"""The mapper: the mappings of a layer that no other beats in energy and latency."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from carbonopt.arrays import Floats, Ints
from carbonopt.errors import MappingError
from carbonopt.mapping.candidates import Mappings, why_not
from carbonopt.mapping.floors import least_transfers, transfers_floor
from carbonopt.mapping.fronts import Point, UnrolledLayer
from carbonopt.mapping.nest import chain_mappings
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.spatial import Unrollings, unroll_all
from carbonopt.mapping.storage import Storage
from carbonopt.mapping.tables import Array, Tables
from carbonopt.mapping.task import MappingTask
from carbonopt.mapping.unrollings import Legal, legal, promising
from carbonopt.performance.array import array_energy, least_array_energy, writing_rows
from carbonopt.performance.cost import drain_cycles
from carbonopt.performance.hull import lower_hull

FEW = 16  # unrollings looked at first
_MARGIN = 1.01  # by which mappings are worse that are not searched for yet
BATCH = 32  # unrollings whose tables are made at once
_FIRST = 64  # unrollings of the fewest passes that are met first
_ROUNDING = 1e-12
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
    bounds
        Energies and latencies of which every mapping reaches or exceeds one pair, or lies above a
        line between two if points are supported ones (2, m).
    """

    mappings: tuple[Mappings, ...]
    energy_pj: Floats
    cycles: Floats
    bounds: Floats

    @property
    def complete(self) -> bool:
        """Whether nothing was left out that would be on the front."""
        return self.bounds.shape[1] == len(self.cycles)


class _Found(NamedTuple):
    """A point of the front, its position among some unrollings, and the extents of its tiles."""

    point: Point
    unrollings: Unrollings
    position: int
    extents: Floats


class _Front:
    """Points found so far, and how little energy a further one may take to matter.

    With `supported`, only points on the lower convex hull matter: those that minimise some
    weighting of energy and latency, and hence any product of their sums over layers.
    """

    def __init__(self, *, supported: bool) -> None:
        self.found: list[_Found] = []
        self._supported = supported
        self._cycles = self._energy_pj = np.zeros(0)

    def bounds_pj(self, cycles: Floats) -> Floats:
        """Return the energy below which a mapping of at least `cycles` (n,) matters [pJ]."""
        if not self.found:
            return np.full(len(cycles), math.inf)
        if self._supported:
            return np.interp(cycles, self._cycles, self._energy_pj, left=math.inf)
        faster = np.searchsorted(self._cycles, cycles, side="right")
        bounds: Floats = np.append(math.inf, self._energy_pj)[faster]
        return bounds

    def bound_pj(self, cycles: float) -> float:
        """Return `bounds_pj` of a single mapping [pJ]."""
        points = [each.point for each in self.found]
        slower = bisect_right(points, cycles, key=lambda point: point.cycles)
        if slower == 0:
            return math.inf
        fast = points[slower - 1]
        if not self._supported or slower == len(points):
            return fast.energy_pj
        slow = points[slower]
        share = (cycles - fast.cycles) / (slow.cycles - fast.cycles)
        return fast.energy_pj + share * (slow.energy_pj - fast.energy_pj)

    def least(self, rate: float) -> float:
        """Return the least energy of a point where a cycle is worth so much [pJ]."""
        return float((self._energy_pj + rate * self._cycles).min(initial=math.inf))

    def add(self, found: _Found) -> None:
        """Take a point in where it matters, and drop those that no longer do."""
        point = found.point
        if self.bound_pj(point.cycles) <= point.energy_pj * (1 + _ROUNDING):
            return
        kept = [
            each
            for each in self.found
            if each.point.energy_pj < point.energy_pj or each.point.cycles < point.cycles
        ]
        kept = sorted([*kept, found], key=lambda each: each.point.cycles)
        if self._supported:
            kept = [kept[i] for i in lower_hull(*_costs(kept))]
        self.found = kept
        self._cycles, self._energy_pj = _costs(kept)


def _costs(found: Sequence[_Found]) -> tuple[Floats, Floats]:
    """Return cycles and energies of points (n,) [pJ]."""
    cycles = np.array([each.point.cycles for each in found])
    return cycles, np.array([each.point.energy_pj for each in found])


class LayerSearch:
    """The mappings of a layer found so far, and the unrollings that may still have better ones.

    Parameters
    ----------
    task
        The layer on a machine.
    plan
        Of the memory hierarchy.
    unrollings
        Those to look at; all legal ones by default, or the fullest where there are more than
        `carbonopt.mapping.unrollings.MOST`.
    supported
        Keep points on the lower convex hull alone.

    Attributes
    ----------
    whole
        Whether what is proven holds for all legal unrollings.
    energy_pj, cycles
        What mappings under each unrolling met so far take at least (u,); inf where it was looked
        at.
    """

    def __init__(
        self, task: MappingTask, plan: Plan, unrollings: Unrollings | None, *, supported: bool
    ) -> None:
        self._task, self._plan = task, plan
        self._front = _Front(supported=supported)
        self._left: list[tuple[float, float]] = []
        self._legal = legal(task, every=False) if unrollings is None else None
        self.whole = self._legal is not None
        if self._legal is None:
            unrollings = promising(task) if unrollings is None else unrollings
        else:
            unrollings = self._next(self._legal, 0, _FIRST)
            self._moved_pj = least_transfers(task, plan)
        self._unrollings, self._array = unrollings, _array(task, unrollings)
        self.energy_pj, self.cycles = self._floors(unrollings, self._array)

    def _next(self, legal: Legal, start: int, stop: int) -> Unrollings:
        """Return the legal unrollings [start, stop), those with the fewest passes first."""
        machine = self._task.machine
        asked = legal.asked[start:stop].astype(np.int64)
        down = machine.variant.whole_units_down
        return unroll_all(self._task.layer, tuple(machine.shape), asked, down=down)

    def _floors(self, unrollings: Unrollings, array: Array) -> tuple[Floats, Floats]:
        """Return energies and cycles that no mapping of some unrollings undercuts (u,)."""
        cycles = unrollings.passes.prod(axis=1) * self._task.machine.array.passes
        energy_pj = array.energy_pj
        if self.whole:
            floor = transfers_floor(self._task, self._plan, unrollings, array.rows)
            energy_pj, cycles = energy_pj + floor.transfers_pj, floor.cycles
        return energy_pj * (1 - _ROUNDING), cycles + array.drain

    @property
    def beyond(self) -> tuple[float, float] | None:
        """Energy and latency that no unrolling not met yet undercuts; None if all were met."""
        if self._legal is None:
            return None
        passes = float(np.append(self._legal.passes, self._legal.others)[len(self.cycles)])
        if math.isinf(passes):
            return None
        cycles = passes * self._task.machine.array.passes
        return float(self._least_pj(np.array([passes]))[0]), cycles

    def _least_pj(self, passes: Floats) -> Floats:
        """Return the energy that no unrolling undercuts which leaves so many passes (n,) [pJ]."""
        array_pj = least_array_energy(self._task.layer, self._task.machine, passes)
        return (array_pj + self._moved_pj) * (1 - _ROUNDING)

    def _worth_meeting(self, rate: float, fewest: int) -> int:
        """Count the unrollings that may beat what was found at a `rate`, of those listed so far.

        `fewest` if these are more, but no more than there are; one more than are listed where
        others may as well.
        """
        if self._legal is None:
            return 0
        listed, others = self._legal.passes, self._legal.others
        every = len(listed) + (not math.isinf(others))
        least = self.least(rate)
        if math.isinf(least):
            return min(fewest, every)
        passes = np.append(listed, others)[:every]
        worth = rate * self._task.machine.array.passes * passes + self._least_pj(passes)
        return max(min(fewest, every), int(np.searchsorted(worth, least, side="right")))

    def meet(self, rate: float, growth: int = 1) -> bool:
        """Meet all unrollings that may beat what was found at a `rate`; return whether any are new.

        Those whose passes alone are worth so much that they cannot are left, see `beyond`. By then
        as many are met as were before times `growth`, where there are.
        """
        met = len(self.cycles)
        most = self._worth_meeting(rate, growth * met)
        if self._legal and most > len(self._legal.passes):
            self._legal = legal(self._task) or self._legal
            most = min(self._worth_meeting(rate, growth * met), len(self._legal.passes))
        if self._legal is None or most <= met:
            return False
        unrollings = self._next(self._legal, met, most)
        array = _array(self._task, unrollings)
        energy_pj, cycles = self._floors(unrollings, array)
        self._unrollings = self._unrollings.with_more(unrollings)
        self._array = Array(*map(np.concatenate, zip(self._array, array, strict=True)))
        self.energy_pj = np.concatenate([self.energy_pj, energy_pj])
        self.cycles = np.concatenate([self.cycles, cycles])
        return True

    def open(self) -> Ints:
        """Return the unrollings that may have mappings that matter, the most promising first."""
        open_ones = np.flatnonzero(self.energy_pj < self._front.bounds_pj(self.cycles))
        return open_ones[np.argsort(self.energy_pj[open_ones] * self.cycles[open_ones])]

    def look(self, rows: Ints, rate: float | None = None) -> list[_Found]:
        """Look at some unrollings; return the new points of the front.

        First at what all their tiles cost at least, then for mappings that beat the front. Given
        what a cycle is worth, `rate` [pJ], only for those that are not worse by more than
        `_MARGIN` than the best one by then; the others may be looked at again.
        """
        before = {id(each) for each in self._front.found}
        unrollings, array = self._unrollings.take(rows), self._array.take(rows)
        different = _different(self._plan.storage, unrollings, array)
        tables = Tables(self._plan, self._task, unrollings.take(different), array.take(different))
        self.energy_pj[rows] = math.inf
        rows = rows[different]
        self.energy_pj[rows], self.cycles[rows] = tables.least_pj, tables.least_cycles
        for u in np.lexsort((tables.least_pj, tables.least_cycles)):
            least = float(tables.least_cycles[u])
            if tables.least_pj[u] >= self._bound_pj(rate, least):
                continue
            layer = UnrolledLayer(tables, int(u))
            for point in layer.points(partial(self._bound_pj, rate)):
                self._front.add(_Found(point, tables.unrollings, int(u), tables.lattices.one(u)))
            self._left += layer.left
            self.energy_pj[rows[u]] = self._limit_pj(rate, least)
        return [each for each in self._front.found if id(each) not in before]

    def least(self, rate: float) -> float:
        """Return the least energy found where a cycle is worth so much [pJ]; inf if none."""
        return self._front.least(rate)

    def bounds(self) -> Floats:
        """Return energies and latencies that no mapping undercuts, as `Solved.bounds` (2, m)."""
        cycles, energy_pj = _costs(self._front.found)
        rest = [each for each in [*self._left, self.beyond] if each is not None]
        left = np.array([each for each in rest if self._front.bound_pj(each[1]) > each[0]])
        open_ones = self.open()
        return np.concatenate(
            [
                [energy_pj, cycles], left.reshape(-1, 2).T,
                [self.energy_pj[open_ones], self.cycles[open_ones]],
            ], axis=1,
        )  # fmt: skip

    def _limit_pj(self, rate: float | None, cycles: float) -> float:
        """Return the energy from which on mappings are left for later [pJ]."""
        return math.inf if rate is None else _MARGIN * self._front.least(rate) - rate * cycles

    def _bound_pj(self, rate: float | None, cycles: float) -> float:
        """Return the energy from which on mappings of at least `cycles` do not matter now [pJ]."""
        return min(self._front.bound_pj(cycles), self._limit_pj(rate, cycles))

    def mappings(self, found: _Found) -> Mappings:
        """Return the mappings of a point of the front."""
        unrolling = found.unrollings.one(found.position)
        return chain_mappings(self._plan, unrolling, found.extents, found.point.chain)

    def solved(self) -> Solved:
        """Return the front, fastest first.

        Raises
        ------
        MappingError
            If the layer cannot be mapped.
        """
        found = self._front.found
        if not found:
            raise MappingError(why_not(self._task))
        cycles, energy_pj = _costs(found)
        mappings = tuple(self.mappings(each) for each in found)
        return Solved(mappings, energy_pj, cycles, self.bounds())


def solve_layer(
    task: MappingTask, plan: Plan, unrollings: Unrollings | None = None, *, supported: bool = False
) -> Solved:
    """Return the front of a layer's mappings in energy and latency, fastest first.

    Parameters
    ----------
    task, plan, supported
        As `LayerSearch` takes them.
    unrollings
        Those looked at; the promising ones by default.

    Raises
    ------
    MappingError
        If the layer cannot be mapped.

    Notes
    -----
    All tilings, loop orders and allocations of each unrolling are covered: energies are exact
    minima, latencies lower bounds that hold for every mapping.
    """
    unrollings = promising(task) if unrollings is None else unrollings
    search = LayerSearch(task, plan, unrollings, supported=supported)
    search.look(np.arange(len(unrollings)))
    return search.solved()


def unrolled_tables(task: MappingTask, plan: Plan, unrollings: Unrollings | None = None) -> Tables:
    """Return what tiles cost under unrollings that differ in it; by default the promising ones."""
    unrollings = promising(task) if unrollings is None else unrollings
    array = _array(task, unrollings)
    different = _different(plan.storage, unrollings, array)
    if len(different) < len(unrollings):
        unrollings, array = unrollings.take(different), array.take(different)
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
