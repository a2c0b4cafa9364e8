"""What the tiles of a layer cost under each of its unrollings."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np

from carbonopt.arrays import Bools, Floats, Ints, Number
from carbonopt.hardware.machine import OPERANDS
from carbonopt.mapping.access import FROM_BELOW, TO_BELOW, instance_counts
from carbonopt.mapping.candidates import reduced_above
from carbonopt.mapping.chains import Beside, Costs, Tiles, Unrolled
from carbonopt.mapping.lattice import lattice
from carbonopt.mapping.limits import energies_to_go, least_cycles
from carbonopt.mapping.nodes import OUTPUT, WAYS, Transfers, node_costs
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.search import one_unrolling
from carbonopt.mapping.spatial import Unrollings
from carbonopt.mapping.task import MappingTask
from carbonopt.mapping.tiles import RELEVANCE, lattice_tiles
from carbonopt.workload.layer import DIMS

_REDUCTION = DIMS.index("C")
_ROUNDING = 1e-9
_WEIGHTS = OPERANDS.index("W")
_SENT = int(np.flatnonzero(WAYS == TO_BELOW)[0])


def writing_cycles(rows: Floats, arriving: Floats, loads: Floats, computing: Number) -> Floats:
    """Cycles that an in-memory macro waits for all of its weights.

    max(rows, bits / bandwidth) for each load; what the array computes from one load to the next
    is taken off all but the first one.

    Parameters
    ----------
    rows, arriving
        Cycles of one load: rows to be written, and the port that sends them (n,).
    loads
        How often the cells are written (n,).
    computing
        Cycles of computing on other weights meanwhile (n,), 0 if the array stands still.

    Examples
    --------
    >>> args = np.array([[64.0], [100.0], [4.0]])
    >>> writing_cycles(*args, 0.0), writing_cycles(*args, 70.0)
    (array([400.]), array([190.]))
    """
    one = np.maximum(rows, arriving)
    total: Floats = one + (loads - 1) * np.maximum(one - computing, 0.0)
    return total


class Array(NamedTuple):
    """What the array takes under u unrollings.

    Parameters
    ----------
    energy_pj
        Of computing (u,) [pJ].
    drain
        Cycles until the last results have left it (u,).
    rows
        Cycles to write one weight of each group of an in-memory macro, row by row (u,).
    """

    energy_pj: Floats
    drain: Floats
    rows: Floats

    def take(self, which: Ints) -> Array:
        """Return what it takes under some of the unrollings."""
        return Array(*(each[which] for each in self))


class Tables:
    """The tables of a layer under u unrollings.

    Parameters
    ----------
    plan
        Nodes of the memory hierarchy.
    task
        The layer on it.
    unrollings
        How it is unrolled.
    array
        What the array takes under each unrolling.
    """

    def __init__(self, plan: Plan, task: MappingTask, unrollings: Unrollings, array: Array) -> None:
        self.plan = plan
        self.task = task
        self.unrollings = unrollings
        self.array = array
        bounds = [tuple(int(n) for n in passes) for passes in unrollings.passes]
        self.lattices = [lattice(each) for each in bounds]
        points = [len(each.size) for each in self.lattices]
        self.offsets = np.concatenate([[0], np.cumsum(points)])
        self._mean = plan.storage.spread(unrollings.mean)
        pair = (self._mean, plan.storage.spread(unrollings.whole))
        self._prefix: list[Floats] = [np.cumprod(each, axis=2).astype(np.float64) for each in pair]

    @cached_property
    def _extents(self) -> Floats:
        """Passes of all tiles of all unrollings (p, 8)."""
        return np.concatenate([each.extents for each in self.lattices])

    @cached_property
    def _size(self) -> Floats:
        """Passes that a tile keeps (p,)."""
        return np.concatenate([each.size for each in self.lattices])

    @cached_property
    def _complete(self) -> Bools:
        """Whether a tile keeps all reductions (p,)."""
        return np.concatenate([each.complete for each in self.lattices])

    @cached_property
    def _port_bits(self) -> Floats:
        """Narrowest and widest access of each transfer (2, u, 3, depth, 4) [bit]."""
        return self.plan.storage.access_bits(self.unrollings)

    @cached_property
    def _counts(self) -> Floats:
        """Instances of each operand's levels (u, 3, depth)."""
        counts: Floats = instance_counts(self.plan.storage.levels, self._mean)
        return counts

    @cached_property
    def _summed(self) -> Bools:
        """Whether loops unrolled above a level of the outputs sum them (u, depth + 1)."""
        inside = reduced_above(self._mean)
        return np.concatenate([inside, np.zeros((len(inside), 1), dtype=bool)], axis=1)

    def _elements(self, operand: Ints, spatial: Floats) -> Floats:
        """Count elements under unrolled loops alone (u, v)."""
        count = len(self.unrollings)
        tiles: Floats = lattice_tiles(
            operand, spatial, self.task.geometry, np.ones((count, len(DIMS))), np.arange(count + 1)
        )
        return tiles.reshape(count, -1)

    @cached_property
    def _transfers(self) -> Transfers:
        """How tiles move."""
        nodes = self.plan.nodes
        o, inner, above = nodes.operand, nodes.inner, nodes.level + 1
        boost = []
        for prefix in self._prefix:
            kept = np.where(nodes.level < 0, 1.0, self._elements(o, prefix[:, o, inner]))
            boost.append(np.rint(self._elements(o, prefix[:, o, above]) / kept))
        grain, wide = (bits[(slice(None), *nodes.picked)] for bits in self._port_bits)
        bits = self.task.bits
        apart = (o == _WEIGHTS) & (not self.task.waits_for_ports)
        loads = (nodes.level >= 0) & ~apart & self.task.loads_apart
        overlaps = (o != OUTPUT) | self.task.machine.variant.outputs_double_buffered
        width = np.where((o == OUTPUT)[:, None], bits[2:], bits[np.minimum(o, 1)][:, None])
        return Transfers(
            o, nodes.level, grain, wide, nodes.pj, np.stack(boost),
            np.stack([self._counts[:, o, inner], self._counts[:, o, above]]),
            width.astype(np.float64), np.stack([self._summed[:, above], self._summed[:, inner]]),
            self.plan.storage.doubled[nodes.memory], nodes.memory, loads, overlaps,
            self.task.machine.variant.whole_accesses,
        )  # fmt: skip

    @cached_property
    def _outputs_pj(self) -> Floats:
        """Energy of each partial sum's way to the multipliers and back (u,) [pJ]."""
        out = np.array([OUTPUT])
        elements = np.rint(self._elements(out, self._prefix[0][:, out, 0])[:, 0])
        begun = np.array([not each.complete[0] for each in self.lattices])
        partial = self._summed[:, 0] | begun
        width = np.where(partial, self.task.bits[2], self.task.bits[3])
        passes = np.array([each.size[-1] for each in self.lattices])
        energy = np.zeros(len(self.unrollings))
        storage = self.plan.storage
        for way, pj in ((TO_BELOW, storage.read_pj), (FROM_BELOW, storage.write_pj)):
            grain, wide = self._port_bits[:, :, OUTPUT, 0, way]
            words = np.ceil(elements * width / grain) * (grain / wide)
            words = words * passes * self._counts[:, OUTPUT, 0]
            if self.task.machine.variant.whole_accesses:
                words = np.trunc(words)
            energy += np.where(partial | (way == FROM_BELOW), words * pj[OUTPUT, 0], 0.0)
        return energy

    @cached_property
    def _capacity(self) -> Floats:
        """Capacity of each memory (u, m) [bit]."""
        return self.plan.storage.capacity(self.unrollings)

    @cached_property
    def _whole(self) -> Floats:
        """Elements of the whole operands under each unrolling (u, 3)."""
        operands = np.arange(len(OPERANDS))
        top = self._prefix[0][:, operands, self.plan.storage.levels - 1]
        tiles: Floats = lattice_tiles(
            operands, top, self.task.geometry,
            np.array([each.extents[-1] for each in self.lattices]),
            np.arange(len(self.unrollings) + 1),
        )  # fmt: skip
        return tiles.reshape(len(self.unrollings), -1)

    @cached_property
    def _whole_room(self) -> Floats:
        """Bits of all outputs, while partial sums or final outputs come from below (u, 2)."""
        top = int(self.plan.storage.levels[OUTPUT]) - 1
        wide, narrow = self.task.bits[2:]
        final = np.where(self._summed[:, top], wide, narrow)
        return self._whole[:, OUTPUT, None] * np.stack([np.full(len(final), wide), final], axis=1)

    @cached_property
    def _free(self) -> Floats:
        """Bits that each memory has beside the operands that it keeps whole (u, m)."""
        plan = self.plan
        free = self._capacity.copy()
        for o in range(OUTPUT):
            free[:, plan.top[o]] -= self._whole[:, o] * self.task.bits[o]
        if plan.whole_memory < 0:
            begun = np.array([plan.last_output < 0 and not t.complete[0] for t in self.lattices])
            free[:, plan.top[OUTPUT]] -= np.where(begun, *self._whole_room.T)
        return free

    @cached_property
    def _nodes(self) -> tuple[Floats, Floats, Floats, Bools, Floats]:
        """What all tiles cost at the nodes, see `node_costs`."""
        plan, o = self.plan, self.plan.nodes.operand
        mean, whole = (
            lattice_tiles(
                o, prefix[:, o, plan.nodes.inner], self.task.geometry, self._extents, self.offsets
            )
            for prefix in self._prefix
        )
        found: tuple[Floats, Floats, Floats, Bools, Floats] = node_costs(
            RELEVANCE, self._extents, self._complete, self._size, self.offsets, mean, whole,
            self._free, self._capacity, self._transfers,
        )  # fmt: skip
        for u in np.flatnonzero(self._no_partial_sums):
            nodes, start, stop = len(o), *self.offsets[u : u + 2]
            block = found[0][nodes * start : nodes * stop].reshape(nodes, -1)
            block[plan.last_output, ~self.lattices[u].complete] = np.inf
        return found

    @cached_property
    def _no_partial_sums(self) -> Bools:
        """Whether the memory that keeps all outputs has room for final ones only (u,)."""
        plan = self.plan
        if plan.last_output < 0 or plan.whole_memory >= 0:
            return np.zeros(len(self.unrollings), dtype=bool)
        wide, narrow = self._whole_room.T
        return self._free[:, plan.top[OUTPUT]] < wide - narrow

    def one(self, u: int) -> tuple[Tiles, Costs, Beside]:
        """Return the tiles and the costs of one unrolling."""
        found: tuple[Tiles, Costs, Beside] = one_unrolling(self.unrolled, self.plan.places, u)
        return found

    @cached_property
    def least_pj(self) -> Floats:
        """Energy that an unrolling takes at least (u,) [pJ]; inf where nothing fits."""
        least = self.unrolled.energy_to_go[len(self.plan.orders.node) * self.offsets[:-1]]
        fits = (self._free >= 0).all(axis=1)
        return np.where(fits, least + self.unrolled.beside_pj, np.inf)

    def most_pj(self, u: int) -> float:
        """Energy that no mapping of an unrolling exceeds, beside that of the array [pJ]."""
        start, stop = len(self.plan.nodes.operand) * self.offsets[u : u + 2]
        energy = self.unrolled.energy[start:stop].reshape(
            -1, int(self.offsets[u + 1] - self.offsets[u])
        )
        return float(np.where(np.isinf(energy), 0.0, energy).max(axis=1).sum()) * (1 + _ROUNDING)

    @cached_property
    def least_cycles(self) -> Floats:
        """Cycles that an unrolling takes at least (u,)."""
        cycles: Floats = least_cycles(self.plan.places, self.unrolled)
        return cycles

    @cached_property
    def unrolled(self) -> Unrolled:
        """All unrollings as the search takes them."""
        energy, needed, room, single, first = self._nodes
        axes = np.concatenate([[0], np.cumsum([len(each.lengths) for each in self.lattices])])
        lengths, fields, kept, packed = (
            np.concatenate(each)
            for each in zip(
                *((t.lengths, t.fields, t.reductions, t.packed) for t in self.lattices), strict=True
            )
        )
        to_go = energies_to_go(self.plan.orders, self.offsets, axes, lengths, energy)
        return Unrolled(
            self.offsets, axes, lengths, fields, kept, packed, self._size, self._complete,
            np.array([each.guard for each in self.lattices]),
            np.array([each.resting for each in self.lattices]),
            energy, needed, room, single, first, to_go,
            self._free[:, self.plan.shared], self._whole_room,
            self._writing, self.array.energy_pj + self._outputs_pj, self.array.drain,
            self.task.at_ports, float(self.task.machine.array.passes),
        )  # fmt: skip

    @property
    def _writing(self) -> Floats:
        """Cycles that an in-memory macro waits for new weights, by the tile in its cells (p,).

        Rows and bits are those of units filled on average.
        """
        nodes, machine = self.plan.nodes, self.task.machine
        cells = np.flatnonzero((nodes.operand == _WEIGHTS) & (nodes.level == 0))
        if self.task.waits_for_ports or not len(cells):
            return np.zeros(len(self._size))
        own = np.repeat(np.arange(len(self.unrollings)), np.diff(self.offsets))
        held = self._prefix[0][:, [_WEIGHTS], 0]
        kept = np.rint(
            lattice_tiles(
                np.array([_WEIGHTS]), held, self.task.geometry, self._extents, self.offsets
            )
        )
        at, moved = cells[0], self._transfers
        bits = kept * moved.boost[0, own, at] * moved.width[at, 0]
        passes = self._size[self.offsets[1:] - 1]
        return writing_cycles(
            self.array.rows[own] * kept, np.ceil(bits / moved.wide[own, at, _SENT]),
            passes[own] / self._size,
            np.ceil(self._size * machine.array.passes) if machine.overlapped_writing else 0.0,
        )  # fmt: skip
