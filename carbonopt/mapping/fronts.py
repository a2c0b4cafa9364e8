"""Mappings of an unrolled layer that no other beats in energy and latency, with proof."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from carbonopt.arrays import Ints
from carbonopt.mapping.chains import Beside
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.search import cheapest_chain, resource_limits
from carbonopt.mapping.tables import Tables

_ROUNDING = 1e-9
_EVERY, _STEP = 8, 0.02  # points after the first few are at least this share of latency apart
_LARGE = 512  # where a layer has more tiles than this
Resource = tuple[int, int, int]
"""A port (-1: none), whether waiting for it counts instead of its time, and the input whose first
loads count."""


@dataclass(frozen=True)
class Point:
    """A mapping on the front of an unrolled layer.

    Parameters
    ----------
    energy_pj
        Exact energy [pJ].
    cycles
        Least latency of the mapping [cycles].
    chain
        Nodes and the tiles (points of the lattice) that they keep, innermost first (v, 2).
    """

    energy_pj: float
    cycles: float
    chain: Ints


class UnrolledLayer:
    """A layer under one unrolling, whose best chains of tiles are sought.

    Parameters
    ----------
    plan, tables, position, beside
        The memory hierarchy, what tiles cost under some unrollings, which one this is, and what
        there is beside them.
    """

    def __init__(self, plan: Plan, tables: Tables, position: int, beside: Beside) -> None:
        self._plan = plan
        self._tables = tables
        self._position = position
        self._beside = beside
        self.complete = True
        passes = tables.lattices[position].size[-1]
        self.least_cycles = float(passes * beside.passes + beside.cycles)

    @property
    def least_pj(self) -> float:
        """No mapping takes less energy [pJ]; inf where nothing fits."""
        return float(self._tables.least_pj[self._position]) + self._beside.energy_pj

    def _base(self, resource: Resource) -> float:
        """Cycles of a resource beside those of the nodes."""
        port, waits, _ = resource
        computing = waits or port < 0
        return self.least_cycles if computing else self._beside.cycles

    def points(self, bound_pj: Callable[[float], float]) -> Iterator[Point]:
        """Visit the front from the least energy on, each point faster than the one before.

        `bound_pj` gives the energy [pJ] from which on mappings of at least so many cycles are of
        no interest. Every point has the least energy of all chains at its latency, as long as
        `complete` stays true. It does not where a layer has many tiles and many points: then,
        after the first `_EVERY`, those within 2 % of the latency of the one before are left out.
        """
        if self.least_pj >= bound_pj(self.least_cycles):
            return
        plan, beside = self._plan, self._beside
        tiles = self._tables.tiles(self._position)
        costs = self._tables.costs(self._position, beside)
        known = (plan.orders, tiles, plan.places, costs, beside)
        finite = np.where(np.isinf(costs.energy), 0.0, costs.energy)
        most_pj = float(finite.max(axis=1).sum()) * (1 + _ROUNDING)
        active: list[Resource] = []
        least, last = self.least_pj - beside.energy_pj, math.inf
        found, step = 0, _ROUNDING
        limits = resource_limits(*known, _rows(active))
        while True:
            limit = last * (1 - step)
            bound = min(bound_pj(self.least_cycles) - beside.energy_pj, most_pj)
            if least > bound:
                return
            most = np.array([limit - self._base(each) for each in active])
            energy, cycles, resource = math.inf, math.inf, (-1, 0, 0)
            if limit >= self.least_cycles and (limits.to_go[:, 0, 0] <= most).all():
                energy, cycles, resource, chain, complete = cheapest_chain(
                    *known, limits._replace(most=most), least, bound
                )
                self.complete = self.complete and complete
            if math.isinf(energy) or (cycles > limit and resource in active):
                if step == _ROUNDING:
                    return
                step = _ROUNDING
                continue
            least = energy
            if cycles <= limit:
                yield Point(least + beside.energy_pj, cycles, chain)
                last, found = cycles, found + 1
                if found == _EVERY and len(tiles.size) > _LARGE:
                    step, self.complete = _STEP, False
            if resource not in active:
                active.append(resource)
                limits = resource_limits(*known, _rows(active))


def _rows(active: list[Resource]) -> Ints:
    """Return resources as an array (r, 3)."""
    return np.array(active, dtype=np.int64).reshape(-1, 3)
