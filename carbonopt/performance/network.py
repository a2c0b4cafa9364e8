"""Energy and latency of a network: one mapping per layer, chosen for the whole."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np

from carbonopt.arrays import Floats
from carbonopt.errors import MappingError, SpecError
from carbonopt.hardware.machine import OPERANDS, Machine, Operand
from carbonopt.mapping.candidates import Mappings, joined, reference_mappings, why_not
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.residency import Hierarchy, residency, room_in_cells
from carbonopt.mapping.storage import Storage
from carbonopt.mapping.task import MappingTask
from carbonopt.mapping.tiles import IRRELEVANT, RELEVANCE
from carbonopt.performance.cost import MappedCost, mapped_cost
from carbonopt.performance.hull import lower_hull
from carbonopt.performance.mapper import BATCH, FEW, LayerSearch, solve_layer
from carbonopt.workload.network import Network

_SMALL = 1e-6
MappingMode = Literal["optimal", "exhaustive", "reference"]
Score = Callable[[Floats, Floats], Floats]
"""Energy [pJ] and latency [cycles] of n choices to what shall be least (n,)."""


SCORES: Mapping[str, Score] = {
    "edp": lambda energy_pj, cycles: energy_pj * cycles,
    "energy": lambda energy_pj, cycles: energy_pj,
    "latency": lambda energy_pj, cycles: cycles,
}
"""What mappings can be chosen for: energy x latency, energy, latency."""


@dataclass(frozen=True)
class MappedLayer:
    """One layer with its chosen mapping.

    Parameters
    ----------
    task, mappings, cost
        What was mapped, how, and at what cost; batches of one.
    cycles
        Latency [cycles], as the model variant counts it.
    """

    task: MappingTask
    mappings: Mappings
    cost: MappedCost
    cycles: float

    @property
    def group_weights(self) -> int:
        """Weights of the layer that each multiplier works with in turn."""
        indexed = RELEVANCE[OPERANDS.index("W"), self.mappings.dims[0]] != IRRELEVANT
        return int(self.mappings.sizes[0][indexed].prod())

    @property
    def energy_pj(self) -> float:
        """Energy of the layer [pJ]."""
        return float(self.cost.energy_pj[0])

    def energy_parts(self) -> dict[str, float]:
        """Energy by part: array, register, sram, dram [pJ]."""
        parts = {"array": sum(self._array_parts().values())}
        for o, operand in enumerate(OPERANDS):
            for level, m in enumerate(self.task.hierarchy[operand]):
                part = self.task.machine.memories[m].part
                parts[part] = parts.get(part, 0.0) + float(self.cost.memory_pj[0, o, level])
        return parts

    def _array_parts(self) -> dict[str, float]:
        """Energy of the array by part [pJ]."""
        return {part: float(values[0]) for part, values in self.cost.array_pj.items()}

    def cycle_parts(self) -> dict[str, float]:
        """Latency by part: compute, stall, and loading where the variant counts it [cycles]."""
        parts = {"compute": float(self.cost.compute_cycles[0]), "stall": float(self.cost.stall[0])}
        if self.task.machine.variant.loading_in_latency:
            loading = self.cost.onload[0] + self.cost.offload[0] + self.cost.drain[0]
            parts["loading"] = float(loading)
        return parts

    def describe(self) -> dict[str, Any]:
        """Return mapping, energy and cycles as nested names and numbers."""
        memories = self.task.machine.memories
        memory_pj = {
            operand: {
                memories[m].name: float(self.cost.memory_pj[0, o, level])
                for level, m in enumerate(self.task.hierarchy[operand])
            }
            for o, operand in enumerate(OPERANDS)
        }
        return {
            "name": self.task.layer.name,
            "macs": self.task.layer.macs,
            "energy_pj": self.energy_pj,
            "energy": {"array": self._array_parts(), "memory": memory_pj},
            "cycles": self.cycles,
            "cycles_by_part": self.cycle_parts(),
            "mapping": self.mappings.describe(self.task),
        }


@dataclass(frozen=True)
class NetworkCost:
    """A network on a machine: the sum over its mapped layers (L,)."""

    layers: tuple[MappedLayer, ...]

    @property
    def energy_pj(self) -> float:
        """Energy of one inference [pJ]."""
        return sum(layer.energy_pj for layer in self.layers)

    @property
    def cycles(self) -> float:
        """Latency of one inference [cycles]."""
        return sum(layer.cycles for layer in self.layers)

    def score(self, score: Score) -> float:
        """Return a score of energy and latency."""
        return float(score(np.array([self.energy_pj]), np.array([self.cycles]))[0])

    def energy_parts(self) -> dict[str, float]:
        """Energy by part [pJ]."""
        return _summed(layer.energy_parts() for layer in self.layers)

    def cycle_parts(self) -> dict[str, float]:
        """Latency by part [cycles]."""
        return _summed(layer.cycle_parts() for layer in self.layers)


def _summed(parts: Iterator[dict[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for each in parts:
        for name, value in each.items():
            total[name] = total.get(name, 0.0) + value
    return total


def network_cost(
    network: Network, machine: Machine, mode: MappingMode, score: Score = SCORES["edp"]
) -> NetworkCost:
    """Map every layer of a network and sum up.

    `reference` takes each layer's least energy x latency, loads and stores included, among
    the mappings that CarbonSpot tries. `optimal` takes the least score of the whole network, its
    energy x latency by default, among the mappings of each layer's exact front under the promising
    unrollings; `exhaustive` under all of them, which takes longer. Where all weights can
    stay in the cells of in-memory macros, one layer's beside the other's in the groups, they do
    if that is better.

    Raises
    ------
    SpecError
        If there is no such mode.
    MappingError
        If a layer cannot be mapped; the message names it and the memory that is too small.
    """
    if mode not in _CHOICES:
        raise SpecError(f"mapping: got {mode!r}, allowed: {', '.join(_CHOICES)}")
    network = oriented(network, machine)
    choose = _CHOICES[mode]
    cost = _mapped(network, machine, residency(network, machine), choose, score)
    if room := room_in_cells(network, machine):
        kept_there = residency(network, machine, in_cells=True)
        try:
            kept = _mapped(network, machine, kept_there, choose, score)
        except MappingError:
            return cost
        fits = sum(layer.group_weights for layer in kept.layers) <= room
        if fits and kept.score(score) <= cost.score(score):
            return kept
    return cost


def _mapped(
    network: Network,
    machine: Machine,
    hierarchies: list[Hierarchy],
    choose: Callable[[MappingTask, Plan], _Choices],
    score: Score,
) -> NetworkCost:
    """Map every layer onto the memories that hold its operands, and choose for the whole."""
    plans = {key: Plan(Storage(machine, dict(key))) for key in {*map(_key, hierarchies)}}
    tasks = [
        MappingTask(layer, machine, hierarchy, plans[_key(hierarchy)].storage)
        for layer, hierarchy in zip(network.layers, hierarchies, strict=True)
    ]
    keys = [(task.layer.anonymous, _key(task.hierarchy)) for task in tasks]
    first = dict(reversed([*zip(keys, tasks, strict=True)]))
    choices = {key: choose(first[key], plans[key[1]]) for key in dict.fromkeys(keys)}
    while True:
        chosen = least_sum([choices[key].points for key in keys], score)
        hoped = [key for key, point in zip(keys, chosen, strict=True) if point.number < 0]
        if not hoped:
            break
        rate = _cycle_worth(chosen, score)
        for key in dict.fromkeys(hoped):
            choices[key].look_further(rate)
    layers = {
        (key, point.number): choices[key].layer(point)
        for key, point in zip(keys, chosen, strict=True)
    }
    return NetworkCost(
        tuple(
            dataclasses.replace(layers[key, point.number], task=task)
            for key, point, task in zip(keys, chosen, tasks, strict=True)
        )
    )


def oriented(network: Network, machine: Machine) -> Network:
    """Swap kernel height and width where the model variant does."""
    if not machine.variant.kernel_axes_swapped:
        return network
    layers = []
    for layer in network.layers:
        b, k, g, ox, oy, c, width, height = layer.sizes
        layers.append(
            dataclasses.replace(
                layer,
                sizes=(b, k, g, ox, oy, c, height, width),
                stride=layer.stride[::-1],
                dilation=layer.dilation[::-1],
            )
        )
    return dataclasses.replace(network, layers=tuple(layers))


def _key(hierarchy: Hierarchy) -> tuple[tuple[Operand, tuple[int, ...]], ...]:
    """Return a hierarchy as a key."""
    return tuple(hierarchy.items())


def _cycle_worth(chosen: Sequence[Choice], score: Score) -> float:
    """Return the energy that a cycle more is worth, by the score of all that was chosen [pJ]."""
    energy_pj, cycles = sum(each.energy_pj for each in chosen), sum(each.cycles for each in chosen)
    more = 1 + np.array([0.0, _SMALL, 0.0]), 1 + np.array([0.0, 0.0, _SMALL])
    here, costlier, slower = score(energy_pj * more[0], cycles * more[1])
    if not slower > here:
        return 0.0
    return float(
        (slower - here) / max(costlier - here, _SMALL * (slower - here)) * energy_pj / cycles
    )


class Choice(NamedTuple):
    """One of the ways to map a layer.

    Parameters
    ----------
    energy_pj, cycles
        What it takes [pJ] [cycles]; at least, where no mapping is known yet.
    number
        Which of the mappings found; -1 - u for unrolling u that was not looked at yet.
    """

    energy_pj: float
    cycles: float
    number: int


class _Choices:
    """The lower convex hull of a layer's (latency, energy) points, fastest first.

    Unrollings that were not looked at stand for what they take at least, until one of them would
    be chosen.
    """

    def __init__(self, task: MappingTask, search: LayerSearch | None = None) -> None:
        self._task, self._search = task, search
        self._found: list[tuple[Mappings, MappedCost, int]] = []
        self._energy_pj = self._cycles = np.zeros(0)
        self.points: list[Choice] = []
        if search:
            self._settle(search)

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
            mappings = joined(found)
            cost = mapped_cost(self._task, mappings)
            cycles = cost.cycles(loading=self._task.machine.variant.loading_in_latency)
            self.take_in(mappings, cost, lower_hull(cycles, cost.energy_pj))
        self._settle(search)

    def _settle(self, search: LayerSearch) -> None:
        """Renew the hull of all mappings found and of unrollings that are left."""
        left = search.open()
        if not self._found and not len(left):
            raise MappingError(why_not(self._task))
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


def _reference_choices(task: MappingTask, plan: Plan) -> _Choices:
    """Return the mapping that CarbonSpot chooses: least energy x latency, the first on ties."""
    mappings = reference_mappings(task)
    cost = mapped_cost(task, mappings)
    choices = _Choices(task)
    best = int(np.argmin(cost.energy_pj * cost.cycles(loading=True)))
    choices.take_in(mappings, cost, [best])
    return choices


def _optimal_choices(task: MappingTask, plan: Plan) -> _Choices:
    """Return the exact front of a layer under its promising unrollings."""
    mappings = joined(solve_layer(task, plan, supported=True).mappings)
    cost = mapped_cost(task, mappings)
    cycles = cost.cycles(loading=task.machine.variant.loading_in_latency)
    choices = _Choices(task)
    choices.take_in(mappings, cost, lower_hull(cycles, cost.energy_pj))
    return choices


def _exhaustive_choices(task: MappingTask, plan: Plan) -> _Choices:
    """Return the exact front of a layer under all unrollings, as far as it is needed."""
    return _Choices(task, LayerSearch(task, plan, None, supported=True))


_CHOICES: dict[str, Callable[[MappingTask, Plan], _Choices]] = {
    "optimal": _optimal_choices,
    "exhaustive": _exhaustive_choices,
    "reference": _reference_choices,
}


def mapped_layer(task: MappingTask, mappings: Mappings, cost: MappedCost, row: int) -> MappedLayer:
    """Return one of n mappings of a layer with its cost."""
    here = cost.take(row)
    cycles = float(here.cycles(loading=task.machine.variant.loading_in_latency)[0])
    return MappedLayer(task, mappings.take(slice(row, row + 1)), here, cycles)


Cost = TypeVar("Cost", Choice, MappedLayer)


def least_sum(fronts: Sequence[Sequence[Cost]], score: Score) -> list[Cost]:
    """Choose one point per layer so that the score of total energy and total latency is least.

    A quasi-concave score, such as a weighted sum or the product, is least on a vertex of the sum
    of the layers' convex hulls. These vertices come from trading cycles for energy at falling
    rates, all of which are scored at once.
    """
    steps: list[tuple[float, int, float, float]] = []
    for position, front in enumerate(fronts):
        for slow, fast in zip(front[1:], front, strict=False):
            saved, spent = fast.energy_pj - slow.energy_pj, slow.cycles - fast.cycles
            steps.append((-saved / spent, position, saved, spent))
    steps.sort()
    less_pj, more_cycles = np.cumsum([(0.0, 0.0), *(each[2:] for each in steps)], axis=0).T
    energy_pj = sum(front[0].energy_pj for front in fronts) - less_pj
    cycles = sum(front[0].cycles for front in fronts) + more_cycles
    best = int(np.argmin(score(energy_pj, cycles)))
    taken = np.bincount([position for _, position, *_ in steps[:best]], minlength=len(fronts))
    return [front[i] for front, i in zip(fronts, taken, strict=True)]
