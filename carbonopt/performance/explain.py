"""The best mapping of one layer by one objective, and all that there is to say about it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from carbonopt.arrays import Floats, Ints
from carbonopt.hardware.machine import DIRECTIONS, OPERANDS
from carbonopt.mapping.access import TO_ABOVE, TO_BELOW, merge_stationary
from carbonopt.mapping.candidates import Mappings, optimal_mappings
from carbonopt.mapping.neighbours import neighbours
from carbonopt.mapping.task import MappingTask
from carbonopt.mapping.tiles import RELEVANCE
from carbonopt.performance.cost import MappedCost, layer_traffic, mapped_cost
from carbonopt.performance.network import MappedLayer, mapped_layer
from carbonopt.workload.layer import DIMS

OBJECTIVES: Mapping[str, Callable[[MappedCost, Floats], Floats]] = {
    "edp": lambda cost, cycles: cost.energy_pj * cycles,
    "energy": lambda cost, cycles: cost.energy_pj,
    "latency": lambda cost, cycles: cycles,
}
"""What a mapping can be chosen for: energy x latency, energy, latency."""


_KEPT = 16  # mappings that the search goes on from, besides the best one of each unrolling


def best_mapping(task: MappingTask, objective: str) -> MappedLayer:
    """Return the best mapping found, the one of least energy x latency on ties.

    All that `optimal_mappings` tries; then, from the best of them, step by step to better ones
    until no step from any of those kept leads to one.

    Raises
    ------
    MappingError
        If the layer cannot be mapped.
    """
    kept = optimal_mappings(task)
    ranked, best = _ranked(task, kept, objective)
    while True:
        kept = kept.take(_varied(kept, ranked))
        joined = kept.with_more(neighbours(task, kept))
        ranked, reached = _ranked(task, joined, objective)
        kept = joined
        if reached >= best:
            break
        best = reached
    row = int(ranked[0])
    return mapped_layer(task, kept, mapped_cost(task, kept), row)


def _ranked(
    task: MappingTask, mappings: Mappings, objective: str
) -> tuple[Ints, tuple[float, float]]:
    """Return mappings from the best one on (n,), and the best one's score and tie-breaker."""
    cost = mapped_cost(task, mappings)
    cycles = cost.cycles(loading=task.machine.variant.loading_in_latency)
    score, product = OBJECTIVES[objective](cost, cycles), cost.energy_pj * cycles
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
    fractional, _ = task.unrolled(merged.unrollings)
    traffic = layer_traffic(task, merged, fractional)
    capacity = task.capacity(merged.unrollings)[merged.which[0]]
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
