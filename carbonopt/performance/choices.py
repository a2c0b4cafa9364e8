"""The ways to map a layer that are worth a choice, and the choice for a whole network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol, TypeVar

import numpy as np

from carbonopt.arrays import Floats
from carbonopt.errors import MappingError
from carbonopt.mapping.candidates import Mappings, joined, reference_mappings, why_not
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.task import MappingTask
from carbonopt.performance.cost import MappedCost, mapped_cost
from carbonopt.performance.hull import lower_hull
from carbonopt.performance.mapped import MappedLayer, mapped_layer
from carbonopt.performance.mapper import BATCH, FEW, LayerSearch, solve_layer

MappingMode = Literal["optimal", "exhaustive", "reference"]
Score = Callable[[Floats, Floats], Floats]
"""Energy [pJ] and latency [cycles] of n choices to what shall be least (n,)."""


SCORES: Mapping[str, Score] = {
    "edp": lambda energy_pj, cycles: energy_pj * cycles,
    "energy": lambda energy_pj, cycles: energy_pj,
    "latency": lambda energy_pj, cycles: cycles,
}
"""What mappings can be chosen for: energy x latency, energy, latency."""
_SMALL = 1e-6
_GROWTH = 2  # of the unrollings that were met, where it is not known how many matter
NOT_MET = -(2**62)
"""Number of a choice that stands for all unrollings not met yet."""


class Choice(NamedTuple):
    """One of the ways to map a layer.

    Parameters
    ----------
    energy_pj, cycles
        What it takes [pJ] [cycles]; at least, where no mapping is known yet.
    number
        Which of the mappings found; -1 - u for unrolling u that was not looked at yet, `NOT_MET`
        for all that were not met.
    """

    energy_pj: float
    cycles: float
    number: int


class LayerChoices:
    """The lower convex hull of a layer's (latency, energy) points, fastest first.

    Unrollings that were not looked at stand for what they take at least, until one of them would
    be chosen.

    Parameters
    ----------
    task
        The layer on a machine.
    search
        What looks at unrollings, where not all that matter were looked at.
    bounds
        Energies and latencies that no mapping undercuts, as `Solved.bounds` (2, m); of `search` if
        there is one. Nothing is proven without either.
    """

    def __init__(
        self, task: MappingTask, search: LayerSearch | None = None, bounds: Floats | None = None
    ) -> None:
        self._task, self._search, self._bounds = task, search, bounds
        self._found: list[tuple[Mappings, MappedCost, int]] = []
        self._energy_pj = self._cycles = np.zeros(0)
        self.points: list[Choice] = []
        if search:
            self._settle(search)

    def least(self) -> list[Choice]:
        """Return the lower hull of what is proven of all mappings; empty where nothing is."""
        bounds = self._bounds
        if self._search and self._search.whole:
            bounds = self._search.bounds()
        if bounds is None:
            return []
        return [Choice(float(bounds[0, i]), float(bounds[1, i]), -1)
                for i in lower_hull(bounds[1], bounds[0])]  # fmt: skip

    def hull(self) -> list[Choice]:
        """Return the points and what unrollings that were not met yet take at least."""
        beyond = self._search and self._search.beyond
        if not beyond:
            return self.points
        points = [*self.points, Choice(*beyond, NOT_MET)]
        cycles, energy_pj = (np.array([getattr(p, name) for p in points])
                             for name in ("cycles", "energy_pj"))  # fmt: skip
        return [points[i] for i in lower_hull(cycles, energy_pj)]

    def take_in(self, mappings: Mappings, cost: MappedCost, rows: Sequence[int]) -> None:
        """Add some mappings to those found."""
        cycles = cost.cycles(loading=self._task.machine.variant.loading_in_latency)
        self._found += [(mappings, cost, row) for row in rows]
        self._energy_pj = np.append(self._energy_pj, cost.energy_pj[rows])
        self._cycles = np.append(self._cycles, cycles[rows])
        self.points = [
            Choice(float(self._energy_pj[i]), float(self._cycles[i]), i)
            for i in lower_hull(self._cycles, self._energy_pj)
        ]

    def widen(self, rate: float, growth: int = 1) -> bool:
        """Meet unrollings that may beat all found where a cycle is worth so much [pJ].

        Returns whether there are any.
        """
        widened = self._search is not None and self._search.meet(rate, growth)
        if self._search and widened:
            self._settle(self._search)
        return widened

    def look_further(self, rate: float) -> None:
        """Look at unrollings that may beat all found where a cycle is worth so much [pJ]."""
        search = self._search
        if search is None:
            return
        left = search.open()
        least = search.energy_pj[left] + rate * search.cycles[left]
        hoped = [-1 - point.number for point in self.points if point.number < 0]
        rows = left[np.argsort(least, kind="stable")][: int((least < search.least(rate)).sum())]
        rows = rows[: BATCH if self._found else FEW]
        found = search.look(rows, rate) if len(rows) else search.look(np.array(hoped))
        if found:
            mappings = joined([search.mappings(each) for each in found])
            cost = mapped_cost(self._task, mappings)
            cycles = cost.cycles(loading=self._task.machine.variant.loading_in_latency)
            self.take_in(mappings, cost, lower_hull(cycles, cost.energy_pj))
        self._settle(search)

    def _settle(self, search: LayerSearch) -> None:
        """Renew the hull of all mappings found and of unrollings that are left."""
        left = search.open()
        while not self._found and not len(left):
            if not search.meet(0.0, _GROWTH):
                raise MappingError(why_not(self._task))
            left = search.open()
        numbers = np.append(np.arange(len(self._found)), -1 - left)
        energy_pj = np.append(self._energy_pj, search.energy_pj[left])
        cycles = np.append(self._cycles, search.cycles[left])
        self.points = [
            Choice(float(energy_pj[i]), float(cycles[i]), int(numbers[i]))
            for i in lower_hull(cycles, energy_pj)
        ]

    def layer(self, choice: Choice) -> MappedLayer:
        """Return what was chosen."""
        return mapped_layer(self._task, *self._found[choice.number])


def _reference_choices(task: MappingTask, plan: Plan) -> LayerChoices:
    """Return the mapping that CarbonSpot chooses: least energy x latency, the first on ties."""
    mappings = reference_mappings(task)
    cost = mapped_cost(task, mappings)
    choices = LayerChoices(task)
    best = int(np.argmin(cost.energy_pj * cost.cycles(loading=True)))
    choices.take_in(mappings, cost, [best])
    return choices


def _optimal_choices(task: MappingTask, plan: Plan) -> LayerChoices:
    """Return the exact front of a layer under its promising unrollings."""
    solved = solve_layer(task, plan, supported=True)
    mappings = joined(solved.mappings)
    cost = mapped_cost(task, mappings)
    cycles = cost.cycles(loading=task.machine.variant.loading_in_latency)
    choices = LayerChoices(task, bounds=solved.bounds)
    choices.take_in(mappings, cost, lower_hull(cycles, cost.energy_pj))
    return choices


def _exhaustive_choices(task: MappingTask, plan: Plan) -> LayerChoices:
    """Return the exact front of a layer under all unrollings, as far as it is needed."""
    return LayerChoices(task, LayerSearch(task, plan, None, supported=True))


CHOICES: dict[str, Callable[[MappingTask, Plan], LayerChoices]] = {
    "optimal": _optimal_choices,
    "exhaustive": _exhaustive_choices,
    "reference": _reference_choices,
}


class _Costly(Protocol):
    """What has an energy and a latency."""

    @property
    def energy_pj(self) -> float:
        """Energy [pJ]."""

    @property
    def cycles(self) -> float:
        """Latency [cycles]."""


Costly = TypeVar("Costly", bound=_Costly)


class _Sums(NamedTuple):
    """The vertices of a sum of convex hulls, the fastest first.

    Parameters
    ----------
    energy_pj, cycles
        Of each vertex (n,).
    layers
        Which layer takes its next point from each vertex to the one after (n - 1,).
    """

    energy_pj: Floats
    cycles: Floats
    layers: list[int]


def _vertices(fronts: Sequence[Sequence[Costly]]) -> _Sums:
    """Return the vertices of a sum of hulls: cycles are traded for energy at falling rates."""
    steps: list[tuple[float, int, float, float]] = []
    for position, front in enumerate(fronts):
        for slow, fast in zip(front[1:], front, strict=False):
            saved, spent = fast.energy_pj - slow.energy_pj, slow.cycles - fast.cycles
            steps.append((-saved / spent, position, saved, spent))
    steps.sort()
    less_pj, more_cycles = np.cumsum([(0.0, 0.0), *(each[2:] for each in steps)], axis=0).T
    return _Sums(
        sum(front[0].energy_pj for front in fronts) - less_pj,
        sum(front[0].cycles for front in fronts) + more_cycles,
        [position for _, position, *_ in steps],
    )


def least_sum(fronts: Sequence[Sequence[Costly]], score: Score) -> list[Costly]:
    """Choose one point per layer so that the score of total energy and total latency is least.

    A quasi-concave score, such as a weighted sum or the product, is least on a vertex of the sum
    of the layers' convex hulls, all of which are scored at once.
    """
    sums = _vertices(fronts)
    best = int(np.argmin(score(sums.energy_pj, sums.cycles)))
    taken = np.bincount(sums.layers[:best], minlength=len(fronts))
    return [front[i] for front, i in zip(fronts, taken, strict=True)]


def least_score(fronts: Sequence[Sequence[Costly]], score: Score) -> float:
    """Return what no choice of points on or above the hulls of layers undercuts in score.

    The least score of a vertex of their sum. Where a latency is not allowed any more, between two
    vertices, it is that of the faster one's latency and the slower one's energy.
    """
    energy_pj, cycles, _ = _vertices(fronts)
    scores = score(energy_pj, cycles)
    last = np.isfinite(scores[:-1]) & np.isinf(scores[1:])
    between = score(energy_pj[1:][last], cycles[:-1][last])
    return float(np.append(scores, between).min())


def cycle_worth(chosen: Sequence[Choice], score: Score) -> float:
    """Return the energy that a cycle more is worth, by the score of all that was chosen [pJ]."""
    energy_pj, cycles = sum(each.energy_pj for each in chosen), sum(each.cycles for each in chosen)
    more = 1 + np.array([0.0, _SMALL, 0.0]), 1 + np.array([0.0, 0.0, _SMALL])
    here, costlier, slower = score(energy_pj * more[0], cycles * more[1])
    if not slower > here:
        return 0.0
    return float(
        (slower - here) / max(costlier - here, _SMALL * (slower - here)) * energy_pj / cycles
    )
