"""Energy and latency of a network: one mapping per layer, chosen for the whole."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from carbonopt.errors import MappingError, SpecError
from carbonopt.hardware.eyeriss import RowStationaryArray
from carbonopt.hardware.machine import Machine, Operand
from carbonopt.hardware.precision import check_precision, fitted
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.residency import Hierarchy, residency, room_in_cells
from carbonopt.mapping.storage import Storage
from carbonopt.mapping.task import MappingTask
from carbonopt.performance.choices import (
    CHOICES,
    NOT_MET,
    SCORES,
    Choice,
    LayerChoices,
    MappingMode,
    Score,
    cycle_worth,
    least_score,
    least_sum,
)
from carbonopt.performance.mapped import LayerCost, MappedLayer
from carbonopt.performance.row_stationary import row_stationary_fronts
from carbonopt.workload.network import Network


@dataclass(frozen=True)
class NetworkCost:
    """A network on a machine: the sum over its mapped layers.

    Parameters
    ----------
    layers
        Mapped layers (L,).
    gap
        How far the score that they were chosen by is at most above the least of all mappings that
        the mode covers, as a share of that; inf where that is not proven, None where the mode does
        not look for the least.
    """

    layers: tuple[LayerCost, ...]
    gap: float | None = None

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
        self._known: list[tuple[Machine, dict[Any, Any]]] = []

    def on(self, machine: Machine) -> dict[Any, Any]:
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
    energy x latency by default, among the mappings of each layer's exact front under the promising
    unrollings; `exhaustive` under all of them, which takes longer. Where all weights can stay in
    the cells of in-memory macros, one layer's beside the other's in the groups, they do if that is
    better. Layers that `solved` knows in this mode are not mapped again. A row-stationary array has
    its own mappings, all of which are looked at. The result says how far it is at most from the
    least: energies and latencies that no mapping undercuts take the mappings' place.

    Raises
    ------
    SpecError
        If there is no such mode.
    ModelRangeError
        If an operand of a layer is wider than the multipliers.
    MappingError
        If a layer cannot be mapped; the message names it and the memory that is too small.
    """
    if mode not in CHOICES:
        raise SpecError(f"mapping: got {mode!r}, allowed: {', '.join(CHOICES)}")
    network = oriented(network, machine)
    check_precision(machine, network.layers)
    known: dict[Any, Any] = {} if solved is None else solved.on(machine)
    if isinstance(machine.array, RowStationaryArray):
        if mode == "reference":
            raise MappingError(f"{machine.name}: mapping: got {mode}, allowed: optimal, exhaustive")
        best = least_sum(row_stationary_fronts(network, machine, known), score)
        return NetworkCost(tuple(best), gap=None if machine.array.keeps_chip_rules else 0.0)
    choose = CHOICES[mode]
    hierarchies = residency(network, machine)
    layers, least = _mapped(network, machine, hierarchies, choose, score, known)
    cost = NetworkCost(layers)
    if room := room_in_cells(network, machine):
        kept_there = residency(network, machine, in_cells=True)
        try:
            layers, kept_least = _mapped(network, machine, kept_there, choose, score, known)
        except MappingError:
            return dataclasses.replace(cost, gap=_gap(cost.score(score), least, mode))
        kept, least = NetworkCost(layers), min(least, kept_least)
        fits = sum(layer.group_weights for layer in layers) <= room
        if fits and kept.score(score) <= cost.score(score):
            cost = kept
    return dataclasses.replace(cost, gap=_gap(cost.score(score), least, mode))


def _gap(found: float, least: float, mode: MappingMode) -> float | None:
    """Return how far a score is at most above what is proven of all, as a share of that."""
    if mode == "reference":
        return None
    if found == least:
        return 0.0
    return max(0.0, found / least - 1) if least else math.inf


def _mapped(
    network: Network,
    machine: Machine,
    hierarchies: list[Hierarchy],
    choose: Callable[[MappingTask, Plan], LayerChoices],
    score: Score,
    choices: dict[Any, LayerChoices],
) -> tuple[tuple[MappedLayer, ...], float]:
    """Map every layer onto the memories that hold its operands, and choose for the whole.

    Returns the layers, and the score that no choice undercuts; 0 where nothing is proven.
    """
    plans: dict[Any, Plan] = {}
    tasks, keys = [], []
    for layer, hierarchy in zip(network.layers, hierarchies, strict=True):
        place = (layer.precisions, _key(hierarchy))
        if place not in plans:
            plans[place] = Plan(Storage(fitted(machine, layer), hierarchy))
        storage = plans[place].storage
        tasks.append(MappingTask(layer, storage.machine, hierarchy, storage))
        keys.append((layer.anonymous, _key(hierarchy)))
        if keys[-1] not in choices:
            choices[keys[-1]] = choose(tasks[-1], plans[place])
    chosen = _least([choices[key] for key in keys], score)
    layers = {
        (key, point.number): choices[key].layer(point)
        for key, point in zip(keys, chosen, strict=True)
    }
    proven = {key: choices[key].least() for key in keys}
    least = least_score([proven[key] for key in keys], score) if all(proven.values()) else 0.0
    return tuple(
        dataclasses.replace(layers[key, point.number], task=task)
        for key, point, task in zip(keys, chosen, tasks, strict=True)
    ), least


def _least(choices: list[LayerChoices], score: Score) -> list[Choice]:
    """Choose a mapping for each layer, the least by the score of all that may be found.

    First among the unrollings that each layer has met; what a cycle is worth by then says which
    others may matter.
    """
    distinct = dict.fromkeys(choices)
    rate = cycle_worth(_least_met(choices, score), score)
    for each in distinct:
        each.widen(rate)
    while True:
        met = _least_met(choices, score)
        chosen = least_sum([each.hull() for each in choices], score)
        hoped = {
            each: point for each, point in zip(choices, chosen, strict=True) if point.number < 0
        }
        rate, new = cycle_worth(chosen, score), False
        for each, point in hoped.items():
            if point.number == NOT_MET:
                new |= each.widen(rate, growth=2)
            else:
                each.look_further(rate)
                new = True
        if not new:
            return met


def _least_met(choices: list[LayerChoices], score: Score) -> list[Choice]:
    """Choose among unrollings that were met, looking at those that would be chosen."""
    while True:
        chosen = least_sum([each.points for each in choices], score)
        hoped = [each for each, point in zip(choices, chosen, strict=True) if point.number < 0]
        if not hoped:
            return chosen
        rate = cycle_worth(chosen, score)
        for each in dict.fromkeys(hoped):
            each.look_further(rate)


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
