"""The best mappings of one layer, and all that there is to say about each."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from carbonopt.arrays import Floats, Ints
from carbonopt.hardware.machine import DIRECTIONS, OPERANDS
from carbonopt.mapping.access import TO_ABOVE, TO_BELOW, merge_stationary
from carbonopt.mapping.candidates import Mappings, filled, filled_orders, joined
from carbonopt.mapping.neighbours import neighbours, split_to_primes
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.task import MappingTask
from carbonopt.mapping.tiles import RELEVANCE
from carbonopt.mapping.unrollings import promising
from carbonopt.performance.choices import SCORES
from carbonopt.performance.cost import layer_traffic, mapped_cost
from carbonopt.performance.mapped import MappedLayer, mapped_layer
from carbonopt.performance.mapper import Solved, solve_layer
from carbonopt.units import UNITS
from carbonopt.workload.layer import DIMS

_KEPT = 32  # mappings that the search goes on from, besides the best one of each unrolling
_CLOSED = 1e-9  # gap to what is proven at which the search stops


@dataclass(frozen=True)
class LayerPoint:
    """A mapping of a layer, by what it costs.

    Parameters
    ----------
    energy_j, latency_s
        Energy [J] and latency [s].
    explanation
        Loops, memories, ports, energy and cycles, see `explain`.
    """

    energy_j: float
    latency_s: float
    explanation: Mapping[str, Any]


def layer_points(task: MappingTask) -> list[LayerPoint]:
    """Return the front of a layer's mappings in energy and latency, fastest first.

    That of `solve_layer` with its mappings' real latencies, and `best_mapping` of every objective.

    Raises
    ------
    MappingError
        If the layer cannot be mapped.
    """
    solved = solve_layer(task, Plan(task.storage))
    mappings = joined(solved.mappings)
    cost = mapped_cost(task, mappings)
    cycles = cost.cycles(loading=task.machine.variant.loading_in_latency)
    tried = staircase(cycles, cost.energy_pj)
    found = [mapped_layer(task, mappings, cost, row) for row in tried]
    found += [_best(task, solved, objective) for objective in SCORES]
    energy_pj = np.array([mapped.energy_pj for mapped in found])
    kept = staircase(np.array([mapped.cycles for mapped in found]), energy_pj)
    points = []
    for row in kept:
        told = explain(found[row])
        points.append(LayerPoint(told["energy_pj"] * UNITS["J"]["pJ"], told["latency_s"], told))
    return points


def staircase(x: Floats, y: Floats) -> list[int]:
    """Return the points (n,) that no other one equals or beats in both, in order of x.

    Examples
    --------
    >>> staircase(np.array([3.0, 1.0, 2.0, 2.0]), np.array([1.0, 3.0, 3.0, 2.0]))
    [1, 3, 0]
    """
    ranked = np.lexsort((y, x))
    lowest = np.minimum.accumulate(y[ranked])
    falls = np.r_[True, lowest[1:] < lowest[:-1]]
    return [int(row) for row in ranked[falls]]


def best_mapping(task: MappingTask, objective: str) -> tuple[MappedLayer, float]:
    """Return the best mapping found, and how far it is at most from the best there is.

    The front of `solve_layer`, on which energies are exact and latencies lower bounds. Where the
    best mapping on it is slower than its bound, the search goes on from the best ones, and from
    those that fill the memories, one swap of loops or one moved tile at a time, while that helps.

    Raises
    ------
    MappingError
        If the layer cannot be mapped.
    """
    solved = solve_layer(task, Plan(task.storage))
    mapped, least = _best(task, solved, objective), _least(solved, objective)
    return mapped, max(0.0, _score(mapped, objective) / least - 1)


def _least(solved: Solved, objective: str) -> float:
    """Return the score that no mapping undercuts."""
    return float(SCORES[objective](*solved.bounds).min())


def _best(task: MappingTask, solved: Solved, objective: str) -> MappedLayer:
    """Return the best mapping found, see `best_mapping`."""
    least = _least(solved, objective)
    proven = joined(solved.mappings)
    split = split_to_primes(proven)
    starts = [proven, proven.with_more(filled(task, proven)), split.with_more(filled(task, split))]
    found = [_climbed(task, start, objective, least) for start in starts]
    if min(_score(each, objective) for each in found) > least * (1 + _CLOSED):
        found.append(_climbed(task, filled_orders(task, promising(task).each), objective, least))
    return min(found, key=lambda each: (_score(each, objective), each.energy_pj * each.cycles))


def _score(mapped: MappedLayer, objective: str) -> float:
    """Return what a mapping is chosen by."""
    return float(SCORES[objective](mapped.cost.energy_pj, np.array([mapped.cycles]))[0])


def _climbed(task: MappingTask, kept: Mappings, objective: str, least: float) -> MappedLayer:
    """Go on from mappings, step by step, while that helps and `least` is not reached."""
    ranked, best = _ranked(task, kept, objective)
    while best[0] > least * (1 + _CLOSED):
        kept = kept.take(_varied(kept, ranked))
        kept = kept.with_more(neighbours(task, kept))
        ranked, reached = _ranked(task, kept, objective)
        if reached >= best:
            break
        best = reached
    return mapped_layer(task, kept, mapped_cost(task, kept), int(ranked[0]))


def _ranked(
    task: MappingTask, mappings: Mappings, objective: str
) -> tuple[Ints, tuple[float, float]]:
    """Return mappings from the best one on (n,), and the best one's score and tie-breaker."""
    cost = mapped_cost(task, mappings)
    cycles = cost.cycles(loading=task.machine.variant.loading_in_latency)
    score, product = SCORES[objective](cost.energy_pj, cycles), cost.energy_pj * cycles
    ranked = np.lexsort((product, score))
    return ranked, (float(score[ranked[0]]), float(product[ranked[0]]))


def _varied(mappings: Mappings, ranked: Ints) -> Ints:
    """Return the best few mappings, and the best one of each unrolling."""
    _, firsts = np.unique(mappings.which[ranked], return_index=True)
    return ranked[np.union1d(np.arange(min(_KEPT, len(ranked))), firsts)]


def explain(mapped: MappedLayer) -> dict[str, Any]:
    """Return a mapped layer as nested names and numbers: loops, memories, ports, energy, cycles."""
    machine, layer = mapped.task.machine, mapped.task.layer
    units = math.prod(machine.shape.values())
    passes = float(mapped.cost.compute_cycles[0]) / machine.array.passes
    cycles = mapped.cycle_parts()
    return {
        "layer": layer.name,
        "loops": layer.loops,
        "macs": layer.macs,
        "machine": machine.name,
        "model": machine.variant.name,
        "energy_pj": mapped.energy_pj,
        "cycles": mapped.cycles,
        "latency_s": mapped.cycles * machine.clock_ns * 1e-9,
        "utilisation": {
            "array": layer.macs / passes / units,
            "with_waiting": layer.macs * machine.array.passes / units / mapped.cycles,
        },
        "energy_by_part_pj": mapped.energy_parts(),
        "cycles_by_part": cycles,
        "in_parallel": _unrolled(mapped),
        "nest": _nest(mapped),
        "memories": _memories(mapped),
        "ports": _ports(mapped),
    }


def _unrolled(mapped: MappedLayer) -> list[dict[str, Any]]:
    """Return each array dimension with its loops (mean sizes) and the share that is in use."""
    unrolling = mapped.mappings.unrollings[mapped.mappings.which[0]]
    return [
        {
            "dimension": name,
            "size": size,
            "loops": {
                dim: mean for array_dim, dim, mean, _ in unrolling.loops if array_dim == name
            },
            "used": unrolling.product(name) / size,
        }
        for name, size in mapped.task.machine.shape.items()
    ]


def _nest(mapped: MappedLayer) -> list[dict[str, Any]]:
    """Return the temporal loops, outermost first, with the memory that keeps each operand.

    A loop that does not index an operand counts for the lowest memory whose tile it leaves
    alone.
    """
    task, mappings = mapped.task, mapped.mappings
    cuts = mappings.cuts.copy()
    merge_stationary(RELEVANCE, task.levels, mappings.dims, cuts)
    nest = []
    loops = zip(mappings.dims[0], mappings.sizes[0], strict=True)
    for position, (dim, size) in enumerate(loops):
        kept = {}
        for o, operand in enumerate(OPERANDS):
            own = cuts[0, o, : task.levels[o]]
            level = int(np.searchsorted(own, position, side="right"))
            kept[operand] = task.machine.memories[task.hierarchy[operand][level]].name
        if size > 1:
            nest.append({"loop": DIMS[dim], "passes": int(size), "kept_in": kept})
    return nest[::-1]


def _memories(mapped: MappedLayer) -> list[dict[str, Any]]:
    """Return what each memory holds of each operand, its accesses and their energy."""
    task, cost = mapped.task, mapped.cost
    cuts = mapped.mappings.cuts.copy()
    merge_stationary(RELEVANCE, task.levels, mapped.mappings.dims, cuts)
    merged = dataclasses.replace(mapped.mappings, cuts=cuts)
    used = task.arrays(merged.unrollings)
    fractional = task.storage.spread(used.mean)
    traffic = layer_traffic(task, merged, fractional)
    capacity = task.storage.capacity(used)[merged.which[0]]
    found = []
    for m, memory in enumerate(task.machine.memories):
        for o, operand in enumerate(OPERANDS):
            if m not in task.hierarchy[operand]:
                continue
            level = task.hierarchy[operand].index(m)
            bits = task.bits[o] if operand != "O" else traffic.width[0, o, level, TO_ABOVE]
            held = traffic.tile[0, o, level] * bits
            accesses = cost.accesses[0, o, level]
            reads = accesses[TO_BELOW] + accesses[TO_ABOVE]
            found.append(
                {
                    "memory": memory.name,
                    "operand": operand,
                    "held_byte": float(held / 8),
                    "share_of_capacity": float(held / capacity[m]),
                    "reads": float(reads),
                    "writes": float(accesses.sum() - reads),
                    "accesses": dict(zip(DIRECTIONS, map(float, accesses), strict=True)),
                    "energy_pj": float(cost.memory_pj[0, o, level]),
                }
            )
    return found


def _ports(mapped: MappedLayer) -> list[dict[str, Any]]:
    """Return the ports, those that the array waits for longest first."""
    waits = zip(mapped.task.storage.port_names, mapped.cost.port_stall[0], strict=True)
    ports = [{"port": name, "stall_cycles": max(0.0, float(stall))} for name, stall in waits]
    return sorted(ports, key=lambda port: -port["stall_cycles"])
