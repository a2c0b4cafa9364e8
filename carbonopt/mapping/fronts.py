"""Mappings of an unrolled layer that no other beats in energy and latency, with proof."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from carbonopt.arrays import Ints
from carbonopt.mapping.chains import Limits
from carbonopt.mapping.limits import resource_limits
from carbonopt.mapping.search import cheapest_chain
from carbonopt.mapping.tables import Tables

_ROUNDING = 1e-9
_EVERY, _STEP = 8, 0.02  # points after the first few are at least this share of latency apart
_LARGE = 512  # where a layer has more tiles than this
_UNLIMITED = Limits(
    np.zeros((0, 1, 1)), np.zeros((0, 1, 1)), np.zeros((0, 1, 4), dtype=np.bool_), np.zeros(0),
    np.zeros((1, 1), dtype=np.bool_), np.zeros(3, dtype=np.bool_),
)  # fmt: skip
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
    tables, position
        What tiles cost under some unrollings, and which one this is.

    Attributes
    ----------
    left
        Energies and latencies [pJ] [cycles] of which every mapping that was left out reaches one
        pair at least.
    """

    def __init__(self, tables: Tables, position: int) -> None:
        self._tables = tables
        self._position = position
        self.left: list[tuple[float, float]] = []
        self.least_cycles = float(tables.least_cycles[position])
        layer = tables.unrolled
        passes = layer.size[layer.start[position + 1] - 1] * layer.passes
        self._drain = float(layer.drain[position])
        self._computing = float(passes) + self._drain
        self.least_pj = float(tables.least_pj[position])

    def _base(self, resource: Resource) -> float:
        """Cycles of a resource beside those of the nodes."""
        port, waits, _ = resource
        return self._computing if waits or port < 0 else self._drain

    def _limits(self, active: list[Resource]) -> Limits:
        """Return the tables of the resources that limit the latency."""
        plan, rows = self._tables.plan, np.array(active, dtype=np.int64).reshape(-1, 3)
        layer = self._tables.unrolled
        found: Limits = resource_limits(plan.orders, plan.places, layer, self._position, rows)
        return found

    def points(self, bound_pj: Callable[[float], float]) -> Iterator[Point]:
        """Visit the front from the least energy on, each point faster than the one before.

        `bound_pj` gives the energy [pJ] from which on mappings of at least so many cycles are of
        no interest. Every point has the least energy of all chains at its latency, but for those
        that are `left`: where the search was cut short for want of places, and where a layer has
        many tiles and many points, of which, after the first `_EVERY`, those within 2 % of the
        latency of the one before are left out.
        """
        plan, layer, u = self._tables.plan, self._tables.unrolled, self._position
        beside_pj = float(layer.beside_pj[u])
        large = layer.start[u + 1] - layer.start[u] > _LARGE
        active: list[Resource] = []
        least, last = self.least_pj - beside_pj, math.inf
        found, step, near = 0, _ROUNDING, (math.inf, math.inf)
        limits: Limits | None = _UNLIMITED
        while True:
            limit = last * (1 - step)
            bound = bound_pj(self.least_cycles) - beside_pj
            bound = float(self._tables.most_pj[u]) if math.isinf(bound) else bound
            if least > bound:
                return
            limits = limits or self._limits(active)
            most = np.array([limit - self._base(each) for each in active])
            energy, cycles, resource, skipped = math.inf, math.inf, (-1, 0, 0), math.inf
            if limit >= self.least_cycles and (limits.to_go[:, 0, 0] <= most).all():
                energy, cycles, resource, chain, skipped = cheapest_chain(
                    plan.orders, plan.places, layer, u, limits._replace(most=most), least, bound
                )
                if skipped < min(energy, bound):
                    self.left.append((skipped + beside_pj, self.least_cycles))
            if math.isinf(energy) or (cycles > limit and resource in active):
                if step == _ROUNDING:
                    return
                step = _ROUNDING
                self.left.remove(near)
                continue
            least = min(energy, skipped)
            if cycles <= limit:
                yield Point(energy + beside_pj, cycles, chain)
                last, found = cycles, found + 1
                step = _STEP if found == _EVERY and large else step
                near = energy + beside_pj, max(last * (1 - step), self.least_cycles)
                self.left += [near] * (step == _STEP)
            if resource not in active:
                active.append(resource)
                limits = None
