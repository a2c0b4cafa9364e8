"""Energy and latency of a network: one mapping per layer, chosen for the whole."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

import numpy as np

from carbonopt.arrays import Floats
from carbonopt.errors import MappingError, SpecError
from carbonopt.hardware.eyeriss import RowStationaryArray
from carbonopt.hardware.machine import OPERANDS, Machine, Operand
from carbonopt.hardware.precision import check_precision, fitted
from carbonopt.mapping.candidates import Mappings, joined, reference_mappings
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.residency import Hierarchy, residency, room_in_cells
from carbonopt.mapping.storage import Storage
from carbonopt.mapping.task import MappingTask
from carbonopt.mapping.tiles import IRRELEVANT, RELEVANCE
from carbonopt.performance.cost import MappedCost, mapped_cost
from carbonopt.performance.hull import lower_hull
from carbonopt.performance.mapper import solve_layer
from carbonopt.performance.row_stationary import row_stationary_fronts
from carbonopt.workload.layer import Layer
from carbonopt.workload.network import Network

MappingMode = Literal["optimal", "reference"]
Score = Callable[[Floats, Floats], Floats]
"""Energy [pJ] and latency [cycles] of n choices to what shall be least (n,)."""


SCORES: Mapping[str, Score] = {
    "edp": lambda energy_pj, cycles: energy_pj * cycles,
    "energy": lambda energy_pj, cycles: energy_pj,
    "latency": lambda energy_pj, cycles: cycles,
}
"""What mappings can be chosen for: energy x latency, energy, latency."""


class LayerCost(Protocol):
    """One layer on the mapping chosen for it, whatever a mapping is."""

    @property
    def layer(self) -> Layer:
        """What is computed."""

    @property
    def energy_pj(self) -> float:
        """Energy of the layer [pJ]."""

    @property
    def cycles(self) -> float:
        """Latency of the layer [cycles]."""

    def energy_parts(self) -> dict[str, float]:
        """Energy by part [pJ]."""

    def cycle_parts(self) -> dict[str, float]:
        """Latency by part [cycles]."""

    def describe(self) -> dict[str, Any]:
        """Return name, macs, energy, cycles and mapping as nested names and numbers."""


AnyLayer = TypeVar("AnyLayer", bound=LayerCost)


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
    def layer(self) -> Layer:
        """What is computed."""
        return self.task.layer

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

    layers: tuple[LayerCost, ...]

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


class SolvedLayers:
    """Fronts of layers by machine, kept from one network to the next that differs in few layers."""

    def __init__(self) -> None:
        self._known: list[tuple[Machine, dict[Any, list[MappedLayer]]]] = []

    def on(self, machine: Machine) -> dict[Any, list[MappedLayer]]:
        """Return what is known on a machine, to be added to."""
        for known, fronts in self._known:
            if known == machine:
                return fronts
        self._known.append((machine, {}))
        return self._known[-1][1]


def _summed(parts: Iterator[dict[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for each in parts:
        for name, value in each.items():
            total[name] = total.get(name, 0.0) + value
    return total


def network_cost(
    network: Network,
    machine: Machine,
    mode: MappingMode,
    score: Score = SCORES["edp"],
    solved: SolvedLayers | None = None,
) -> NetworkCost:
    """Map every layer of a network and sum up.

    `reference` takes each layer's least energy x latency, loads and stores included, among
    the mappings that CarbonSpot tries. `optimal` takes the least score of the whole network, its
    energy x latency by default, among the mappings of each layer's exact front. Where all weights
    can stay in the cells of in-memory macros, one layer's beside the other's in the groups, they
    do if that is better. Layers that `solved` knows in this mode are not mapped again. A
    row-stationary array has its own mappings, `optimal` only.

    Raises
    ------
    SpecError
        If there is no such mode.
    ModelRangeError
        If an operand of a layer is wider than the multipliers.
    MappingError
        If a layer cannot be mapped; the message names it and the memory that is too small.
    """
    if mode not in _CHOICES:
        raise SpecError(f"mapping: got {mode!r}, allowed: {', '.join(_CHOICES)}")
    network = oriented(network, machine)
    check_precision(machine, network.layers)
    if isinstance(machine.array, RowStationaryArray):
        if mode != "optimal":
            raise MappingError(f"{machine.name}: mapping: got {mode}, allowed: optimal")
        best = least_sum(row_stationary_fronts(network, machine), score)
        return NetworkCost(tuple(best))
    choose = _CHOICES[mode]
    fronts = {} if solved is None else solved.on(machine)
    hierarchies = residency(network, machine)
    cost = NetworkCost(_mapped(network, machine, hierarchies, choose, score, fronts))
    if room := room_in_cells(network, machine):
        kept_there = residency(network, machine, in_cells=True)
        try:
            layers = _mapped(network, machine, kept_there, choose, score, fronts)
        except MappingError:
            return cost
        kept = NetworkCost(layers)
        fits = sum(layer.group_weights for layer in layers) <= room
        if fits and kept.score(score) <= cost.score(score):
            return kept
    return cost


def _mapped(
    network: Network,
    machine: Machine,
    hierarchies: list[Hierarchy],
    choose: Callable[[MappingTask, Plan], list[MappedLayer]],
    score: Score,
    fronts: dict[Any, list[MappedLayer]],
) -> tuple[MappedLayer, ...]:
    """Map every layer onto the memories that hold its operands, and choose for the whole."""
    plans: dict[Any, Plan] = {}
    tasks = []
    for layer, hierarchy in zip(network.layers, hierarchies, strict=True):
        place = (layer.precisions, _key(hierarchy))
        if place not in plans:
            plans[place] = Plan(Storage(fitted(machine, layer), hierarchy))
        storage = plans[place].storage
        tasks.append(MappingTask(layer, storage.machine, hierarchy, storage))
        key = (layer.anonymous, _key(hierarchy))
        if key not in fronts:
            fronts[key] = choose(tasks[-1], plans[place])
    chosen = least_sum(
        [fronts[task.layer.anonymous, _key(task.hierarchy)] for task in tasks], score
    )
    return tuple(
        dataclasses.replace(mapped, task=task) for task, mapped in zip(tasks, chosen, strict=True)
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


def _reference_layer(task: MappingTask, plan: Plan) -> list[MappedLayer]:
    """Return the mapping that CarbonSpot chooses: least energy x latency, the first on ties."""
    mappings = reference_mappings(task)
    cost = mapped_cost(task, mappings)
    return [
        mapped_layer(
            task, mappings, cost, int(np.argmin(cost.energy_pj * cost.cycles(loading=True)))
        )
    ]


def mapped_layer(task: MappingTask, mappings: Mappings, cost: MappedCost, row: int) -> MappedLayer:
    """Return one of n mappings of a layer with its cost."""
    here = cost.take(row)
    cycles = float(here.cycles(loading=task.machine.variant.loading_in_latency)[0])
    return MappedLayer(task, mappings.take(slice(row, row + 1)), here, cycles)


def _layer_front(task: MappingTask, plan: Plan) -> list[MappedLayer]:
    """Return the lower convex hull of a layer's (latency, energy) points, fastest first."""
    mappings = joined(solve_layer(task, plan, supported=True).mappings)
    cost = mapped_cost(task, mappings)
    cycles = cost.cycles(loading=task.machine.variant.loading_in_latency)
    return [mapped_layer(task, mappings, cost, row) for row in lower_hull(cycles, cost.energy_pj)]


_CHOICES: dict[str, Callable[[MappingTask, Plan], list[MappedLayer]]] = {
    "optimal": _layer_front,
    "reference": _reference_layer,
}


def least_sum(fronts: list[list[AnyLayer]], score: Score) -> list[AnyLayer]:
    """Choose one point per layer so that the score of total energy and total latency is least.

    A quasi-concave score, such as a weighted sum or the product, is least on a vertex of the sum
    of the layers' convex hulls. These vertices come from trading cycles for energy at falling
    rates, all of which are scored at once.
    """
    steps = []
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
