"""Candidate mappings of a layer: unrolling x loop order x allocation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from carbonopt.arrays import Bools, Floats, Ints
from carbonopt.errors import MappingError
from carbonopt.hardware.machine import OPERANDS
from carbonopt.mapping.allocation import allocate_greedily, allocation_fits
from carbonopt.mapping.loops import loop_orders, split_loops
from carbonopt.mapping.reference import reference_unrollings
from carbonopt.mapping.spatial import Unrolling, array_shape, unroll
from carbonopt.mapping.task import MappingTask
from carbonopt.mapping.tiles import prefix_tiles
from carbonopt.workload.layer import DIMS


@dataclass(frozen=True)
class Mappings:
    """n mappings of one layer.

    Parameters
    ----------
    unrollings
        Loops in parallel, each shared by some mappings.
    which
        Position in `unrollings` of each mapping's (n,).
    dims, sizes
        Temporal loops, innermost first (n, loops); loops of size 1 fill up shorter orders.
    cuts
        Loops at or below each level of each operand (n, 3, depth).
    """

    unrollings: tuple[Unrolling, ...]
    which: Ints
    dims: Ints
    sizes: Ints
    cuts: Ints

    def take(self, rows: Bools | Ints | slice) -> Mappings:
        """Return some of the mappings."""
        arrays = (self.which, self.dims, self.sizes, self.cuts)
        which, dims, sizes, cuts = (values[rows] for values in arrays)
        return Mappings(self.unrollings, which, dims, sizes, cuts)

    def with_more(self, others: Mappings) -> Mappings:
        """Return these and other mappings of the same unrollings and number of loops."""
        mine = (self.which, self.dims, self.sizes, self.cuts)
        theirs = (others.which, others.dims, others.sizes, others.cuts)
        joined = (np.concatenate(pair) for pair in zip(mine, theirs, strict=True))
        return Mappings(self.unrollings, *joined)

    def describe(self, task: MappingTask) -> dict[str, Any]:
        """Return the first mapping as nested names and numbers, loops innermost first."""
        loops = [
            (DIMS[dim], int(size)) for dim, size in zip(self.dims[0], self.sizes[0], strict=True)
        ]
        spatial: dict[str, list[list[Any]]] = {name: [] for name in task.machine.shape}
        for array_dim, dim, mean, _ in self.unrollings[self.which[0]].loops:
            spatial[array_dim].append([dim, mean])
        temporal: dict[str, dict[str, list[list[Any]]]] = {}
        for o, operand in enumerate(OPERANDS):
            start = 0
            temporal[operand] = {}
            for level, m in enumerate(task.hierarchy[operand]):
                stop = int(self.cuts[0, o, level])
                name = task.machine.memories[m].name
                temporal[operand][name] = [list(loop) for loop in loops[start:stop] if loop[1] > 1]
                start = stop
        return {"spatial": spatial, "temporal": temporal}


def joined(mappings: Sequence[Mappings]) -> Mappings:
    """Return mappings of one layer in one batch; levels that keep all loops keep all of them."""
    longest = max(each.dims.shape[1] for each in mappings)
    cuts = [np.where(each.cuts == each.dims.shape[1], longest, each.cuts) for each in mappings]
    starts = np.cumsum([0, *(len(each.unrollings) for each in mappings)])
    return Mappings(
        tuple(unrolling for each in mappings for unrolling in each.unrollings),
        np.concatenate([each.which + start for each, start in zip(mappings, starts, strict=False)]),
        np.concatenate([_filled(each.dims, longest, 0) for each in mappings]),
        np.concatenate([_filled(each.sizes, longest, 1) for each in mappings]),
        np.concatenate(cuts),
    )


def filled(task: MappingTask, mappings: Mappings) -> Mappings:
    """Return the same loop orders with memories filled as full as they can be; maybe fewer."""
    used = task.arrays(mappings.unrollings)
    fractional = task.storage.spread(used.mean)
    which, dims, sizes = mappings.which, mappings.dims, mappings.sizes
    tiles = prefix_tiles(task.levels, fractional, which, task.geometry, dims, sizes)
    cuts, legal = allocate_greedily(
        task.levels, task.memory, task.storage.capacity(used), task.storage.doubled,
        reduced_above(fractional), which, task.bits, dims, sizes, tiles,
    )  # fmt: skip
    return Mappings(mappings.unrollings, which, dims, sizes, cuts).take(legal)


def fits(task: MappingTask, mappings: Mappings) -> Bools:
    """Tell which mappings fit into the memories (n,)."""
    used = task.arrays(mappings.unrollings)
    fractional = task.storage.spread(used.mean)
    which, dims, sizes = mappings.which, mappings.dims, mappings.sizes
    tiles = prefix_tiles(task.levels, fractional, which, task.geometry, dims, sizes)
    return allocation_fits(
        task.levels, task.memory, task.storage.capacity(used), task.storage.doubled,
        reduced_above(fractional), which, task.bits, dims, mappings.cuts, tiles,
    )  # fmt: skip


def filled_orders(task: MappingTask, unrollings: Iterable[Unrolling]) -> Mappings:
    """Return all orders of up to `FACTOR_LIMIT` loops of each unrolling, memories filled.

    Raises
    ------
    MappingError
        If none is legal.
    """
    return _legal(task, [(each, split_loops(each.temporal)) for each in unrollings])


def reference_mappings(task: MappingTask) -> Mappings:
    """Return the mappings that CarbonSpot's search evaluates, in its order.

    Raises
    ------
    MappingError
        If none is legal.
    """
    chosen = reference_unrollings(task.layer.anonymous, array_shape(task.machine, task.layer))
    if not chosen:
        why = "CarbonSpot's rules, made for one macro, give it no unrolling; 'optimal' has others"
        raise MappingError(
            f"layer {task.layer.name!r} cannot be mapped onto {task.machine.name}: {why}"
        )
    unrollings = [unroll(task.layer, each, float_passes=True) for each in chosen]
    return filled_orders(task, unrollings)


def _legal(
    task: MappingTask, candidates: Iterable[tuple[Unrolling, tuple[tuple[str, int], ...]]]
) -> Mappings:
    """Return the legal mappings over all orders of each unrolling's loops; say why if none is."""
    unrollings, loops = zip(*candidates, strict=True)
    orders = [loop_orders(each or ((DIMS[0], 1),)) for each in loops]
    counts = [len(dims) for dims, _ in orders]
    longest = max(dims.shape[1] for dims, _ in orders)
    which = np.repeat(np.arange(len(counts)), counts)
    dims = np.concatenate([_filled(dims, longest, 0) for dims, _ in orders])
    sizes = np.concatenate([_filled(sizes, longest, 1) for _, sizes in orders])
    found = filled(task, Mappings(unrollings, which, dims, sizes, np.zeros((0, 0, 0), np.int64)))
    if not len(found.which):
        raise MappingError(why_not(task))
    return found


def reduced_above(unrolled: Floats) -> Bools:
    """Tell whether loops unrolled above a level sum its outputs (u, depth).

    `unrolled` as in `carbonopt.mapping.tiles.prefix_tiles`.
    """
    reduction = unrolled[:, OPERANDS.index("O"), 1:, DIMS.index("C") :].prod(axis=2) > 1
    above: Bools = np.flip(np.logical_or.accumulate(np.flip(reduction, axis=1), axis=1), axis=1)
    return above


def _filled(values: Ints, width: int, filler: int) -> Ints:
    """Widen loop orders (n, loops) with trivial loops on the outside."""
    filled = np.full((len(values), width), filler, dtype=np.int64)
    filled[:, : values.shape[1]] = values
    return filled


def why_not(task: MappingTask) -> str:
    """Name the memory that is too small for the layer, and by how much."""
    layer, machine = task.layer, task.machine
    full = {
        "I": layer.inputs * layer.input_bits,
        "W": layer.weights * layer.stored_weight_bits,
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
    return f"layer {layer.name!r} cannot be mapped onto {machine.name}: {reason}"
