"""Candidate mappings of a layer: unrolling x loop order x allocation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from carbonopt.arrays import Ints
from carbonopt.errors import MappingError
from carbonopt.hardware.machine import ARRAY_DIMS, OPERANDS
from carbonopt.mapping.allocation import allocate_greedily
from carbonopt.mapping.loops import loop_orders, split_loops
from carbonopt.mapping.reference import reference_unrollings
from carbonopt.mapping.spatial import Unrolling, spatial_arrays, unroll
from carbonopt.mapping.task import MappingTask
from carbonopt.mapping.tiles import prefix_tiles
from carbonopt.workload.layer import DIMS


@dataclass(frozen=True)
class Mappings:
    """n mappings of one layer that share their unrolling.

    Parameters
    ----------
    unrolling
        Loops in parallel.
    dims, sizes
        Temporal loops, innermost first (n, loops).
    cuts
        Loops at or below each level of each operand (n, 3, MAX_LEVELS).
    """

    unrolling: Unrolling
    dims: Ints
    sizes: Ints
    cuts: Ints

    def take(self, row: int) -> Mappings:
        """Return the mapping at one position as a batch of one."""
        here = slice(row, row + 1)
        return Mappings(self.unrolling, self.dims[here], self.sizes[here], self.cuts[here])

    def describe(self, task: MappingTask) -> dict[str, Any]:
        """Return the first mapping as nested names and numbers, loops innermost first."""
        loops = [
            (DIMS[dim], int(size)) for dim, size in zip(self.dims[0], self.sizes[0], strict=True)
        ]
        spatial: dict[str, list[list[Any]]] = {name: [] for name in ARRAY_DIMS}
        for array_dim, dim, mean, _ in self.unrolling.loops:
            spatial[array_dim].append([dim, mean])
        temporal: dict[str, dict[str, list[list[Any]]]] = {}
        for o, operand in enumerate(OPERANDS):
            start = 0
            temporal[operand] = {}
            for level, m in enumerate(task.hierarchy[operand]):
                stop = int(self.cuts[0, o, level])
                name = task.machine.memories[m].name
                temporal[operand][name] = [list(loop) for loop in loops[start:stop]]
                start = stop
        return {"spatial": spatial, "temporal": temporal}


def reference_mappings(task: MappingTask) -> Iterator[Mappings]:
    """Visit the mappings that CarbonSpot's search evaluates, in its order.

    Raises
    ------
    MappingError
        If none is legal.
    """
    chosen = reference_unrollings(task.layer, task.machine)
    return _legal(task, (unroll(task.layer, each, float_passes=True) for each in chosen))


def optimal_mappings(task: MappingTask) -> Iterator[Mappings]:
    return reference_mappings(task)


def _legal(task: MappingTask, unrollings: Iterable[Unrolling]) -> Iterator[Mappings]:
    """Visit the legal mappings of each unrolling; say why if there is none at all."""
    found = False
    for unrolling in unrollings:
        loops = split_loops(unrolling.temporal) or ((DIMS[0], 1),)
        dims, sizes = loop_orders(loops)
        fractional, _ = spatial_arrays(unrolling, task.machine, task.hierarchy)
        tiles = prefix_tiles(fractional, task.geometry, dims, sizes)
        capacity = task.per_memory("size_bits", unrolling)
        cuts, legal = allocate_greedily(
            task.levels, task.memory, capacity, task.bits, dims, sizes, tiles
        )
        if legal.any():
            found = True
            yield Mappings(unrolling, dims[legal], sizes[legal], cuts[legal])
    if not found:
        raise MappingError(_why_not(task))


def _why_not(task: MappingTask) -> str:
    """Name the memory that is too small for the layer, and by how much."""
    layer, machine = task.layer, task.machine
    full = {
        "I": layer.inputs * layer.input_bits,
        "W": layer.weights * layer.weight_bits,
        "O": layer.outputs * layer.output_bits,
    }
    needed = np.zeros(len(machine.memories))
    for operand, bits in full.items():
        needed[task.hierarchy[operand][-1]] += bits  # type: ignore[index]
    shortages = [
        f"{memory.name} needs {bits / 8:.0f} B, has {memory.size_bits / 8:.0f} B"
        for memory, bits in zip(machine.memories, needed, strict=True)
        if bits > memory.size_bits
    ]
    reason = "; ".join(shortages) or "no tile of its operands fits beside the others"
    return f"layer {layer.name!r} cannot be mapped onto {machine.template}: {reason}"
