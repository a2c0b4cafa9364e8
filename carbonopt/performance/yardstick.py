"""The (energy, latency) front of a network on a machine, against which a search is measured."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from carbonopt.arrays import Bools, Floats, Ints
from carbonopt.hardware.machine import Machine
from carbonopt.hardware.precision import fitted
from carbonopt.mapping.candidates import joined
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.residency import residency
from carbonopt.mapping.task import MappingTask
from carbonopt.performance.cost import mapped_cost
from carbonopt.performance.mapped import MappedLayer, mapped_layer
from carbonopt.performance.mapper import solve_layer
from carbonopt.performance.network import NetworkCost, oriented
from carbonopt.workload.network import Network


def network_front(network: Network, machine: Machine) -> list[NetworkCost]:
    """Return the mappings of a network that no other choice beats, the fastest first.

    The non-dominated sums of one (cycles, energy) point per layer, out of the fronts of mode
    ``optimal``; equal layers may take different points.

    Raises
    ------
    MappingError
        If a layer cannot be mapped.
    """
    network = oriented(network, machine)
    fronts: dict[Any, list[MappedLayer]] = {}
    layers = []
    for layer, hierarchy in zip(network.layers, residency(network, machine), strict=True):
        task = MappingTask(layer, fitted(machine, layer), hierarchy)
        key = (layer.anonymous, *hierarchy.items())
        if key not in fronts:
            fronts[key] = _layer_front(task)
        layers.append([dataclasses.replace(mapped, task=task) for mapped in fronts[key]])
    return [
        NetworkCost(tuple(front[i] for front, i in zip(layers, chosen, strict=True)))
        for chosen in least_sums([_points(front) for front in layers])
    ]


def least_sums(fronts: list[Floats]) -> Ints:
    """Return the choices (n, l) of one point per front whose sums no other choice dominates.

    Parameters
    ----------
    fronts
        Points (k, 2) of each of l fronts.

    Examples
    --------
    >>> least_sums([np.array([[1.0, 2.0], [2.0, 1.0]]), np.array([[0.0, 5.0], [3.0, 4.0]])])
    array([[0, 0], [1, 0], [1, 1]])
    """
    sums = np.zeros((1, 2))
    chosen = np.zeros((1, 0), dtype=np.int64)
    for front in fronts:
        more = (sums[:, None] + front).reshape(-1, 2)
        picked = np.tile(np.arange(len(front)), len(sums))
        order = np.lexsort((more[:, 1], more[:, 0]))
        kept = order[_falling(more[order, 1])]
        chosen = np.column_stack([np.repeat(chosen, len(front), axis=0), picked])[kept]
        sums = more[kept]
    return chosen


def _layer_front(task: MappingTask) -> list[MappedLayer]:
    """Return a layer's non-dominated mappings, the fastest first."""
    mappings = joined(solve_layer(task, Plan(task.storage)).mappings)
    cost = mapped_cost(task, mappings)
    cycles = cost.cycles(loading=task.machine.variant.loading_in_latency)
    order = np.lexsort((cost.energy_pj, cycles))
    kept = order[_falling(cost.energy_pj[order])]
    return [mapped_layer(task, mappings, cost, int(row)) for row in kept]


def _points(front: list[MappedLayer]) -> Floats:
    """Return cycles and energy of mapped layers (n, 2)."""
    return np.array([(mapped.cycles, mapped.energy_pj) for mapped in front])


def _falling(values: Floats) -> Bools:
    """Mark the values (n,) that are less than all before them."""
    before = np.concatenate([[np.inf], np.minimum.accumulate(values)[:-1]])
    smaller: Bools = values < before
    return smaller
