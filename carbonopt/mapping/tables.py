"""What the tiles of a layer cost under each of its unrollings."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from carbonopt.arrays import Bools, Floats, Ints, Number
from carbonopt.hardware.machine import OPERANDS
from carbonopt.mapping.access import FROM_BELOW, TO_BELOW, instance_counts
from carbonopt.mapping.chains import Beside, Costs, Tiles
from carbonopt.mapping.lattice import lattice
from carbonopt.mapping.nodes import OUTPUT, WAYS, Transfers, node_costs
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.search import cost_to_go
from carbonopt.mapping.task import MappingTask
from carbonopt.mapping.tiles import IRRELEVANT, RELEVANCE, lattice_tiles
from carbonopt.mapping.unrollings import Unrollings, spread
from carbonopt.workload.layer import DIMS

_REDUCTION = DIMS.index("C")
_COLUMNS = 0
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
    """

    def __init__(self, plan: Plan, task: MappingTask, unrollings: Unrollings) -> None:
        self.plan = plan
        self.task = task
        self.unrollings = unrollings
        bounds = [tuple(int(n) for n in passes) for passes in unrollings.passes]
        self.lattices = [lattice(each) for each in bounds]
        points = [len(each.size) for each in self.lattices]
        self.offsets = np.concatenate([[0], np.cumsum(points)])
        places, depth = plan.storage.places, plan.storage.depth
        self._mean = spread(unrollings.mean, places, depth)
        pair = (self._mean, spread(unrollings.whole, places, depth))
        self._prefix: list[Floats] = [np.cumprod(each, axis=2).astype(np.float64) for each in pair]

    @cached_property
    def _extents(self) -> Floats:
        """Passes of all tiles of all unrollings (p, 8)."""
        return np.concatenate([each.extents for each in self.lattices])

    @cached_property
    def _complete(self) -> Bools:
        """Whether a tile keeps all reductions (p,)."""
        return np.concatenate([each.complete for each in self.lattices])

    @cached_property
    def _copies(self) -> Floats:
        """How often the innermost input memory is widened, see `MappingTask` (u,)."""
        if not self.task.machine.diagonal:
            return np.ones(len(self.unrollings))
        positions = self.unrollings.whole[:, _COLUMNS, [DIMS.index("OX"), DIMS.index("OY")]]
        copies: Floats = positions.prod(axis=1)
        return copies

    @cached_property
    def _port_bits(self) -> Floats:
        """Narrowest and widest access of each transfer (2, u, 3, depth, 4) [bit]."""
        bits = np.repeat(self.plan.storage.port_bits[:, None], len(self.unrollings), axis=1)
        bits[:, :, 0, 0] *= self._copies[:, None]
        return bits

    @cached_property
    def _counts(self) -> Floats:
        """Instances of each operand's levels (u, 3, depth)."""
        counts: Floats = instance_counts(self.plan.storage.levels, self._mean)
        return counts

    @cached_property
    def _summed(self) -> Bools:
        """Whether loops unrolled above a level of the outputs sum them (u, depth + 1)."""
        above = self._mean[:, OUTPUT, 1:, _REDUCTION:].prod(axis=2) > 1
        found: Bools = np.logical_or.accumulate(above[:, ::-1], axis=1)[:, ::-1]
        return np.pad(found, ((0, 0), (0, 1)))

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
        width = np.where((o == OUTPUT)[:, None], bits[2:], bits[np.minimum(o, 1)][:, None])
        return Transfers(
            o, nodes.level, grain, wide, nodes.pj, np.stack(boost),
            np.stack([self._counts[:, o, inner], self._counts[:, o, above]]),
            width.astype(np.float64), np.stack([self._summed[:, above], self._summed[:, inner]]),
            self.plan.storage.doubled[nodes.memory], nodes.memory,
            self.task.machine.variant.whole_accesses,
        )  # fmt: skip

    @cached_property
    def outputs_pj(self) -> Floats:
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
        capacity = np.tile(self.plan.storage.size_bits, (len(self.unrollings), 1))
        capacity[:, self.plan.storage.memory[0, 0]] *= self._copies
        return capacity

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
    def _flat(self) -> tuple[Floats, Floats, Floats]:
        """Energy, cycles and room of all tiles, block after block."""
        plan, o = self.plan, self.plan.nodes.operand
        mean, whole = (
            lattice_tiles(
                o, prefix[:, o, plan.nodes.inner], self.task.geometry, self._extents, self.offsets
            )
            for prefix in self._prefix
        )
        size = np.concatenate([each.size for each in self.lattices])
        found: tuple[Floats, Floats, Floats] = node_costs(
            RELEVANCE, self._extents, self._complete, size, self.offsets, mean, whole, self._free,
            self._transfers,
        )  # fmt: skip
        return found

    def _block(self, values: Floats, u: int, *shape: int) -> Floats:
        """Return the block of an unrolling (*shape, p)."""
        rows = math.prod(shape)
        start, stop = rows * self.offsets[u], rows * self.offsets[u + 1]
        return values[start:stop].reshape(*shape, -1)

    @cached_property
    def _to_go(self) -> list[Floats]:
        """Least energy of the nodes that a state lacks, for each unrolling (s, p) [pJ]."""
        nodes = len(self.plan.nodes.operand)
        return [
            cost_to_go(self.plan.orders, each.lengths, self._block(self._flat[0], u, nodes))
            for u, each in enumerate(self.lattices)
        ]

    @cached_property
    def least_pj(self) -> Floats:
        """Energy that all transfers take at least (u,) [pJ]; inf where nothing fits."""
        least = np.array([each[0, 0] for each in self._to_go])
        return np.where((self._free >= 0).all(axis=1), least, np.inf)

    def tiles(self, u: int) -> Tiles:
        """Return the lattice of one unrolling as the search takes it."""
        each = self.lattices[u]
        rests = RELEVANCE[:, each.dims] == IRRELEVANT
        return Tiles(
            each.lengths, each.fields, each.packed, each.guard, each.size, each.complete,
            (rests * each.fields).sum(axis=1), each.dims >= _REDUCTION,
        )  # fmt: skip

    def costs(self, u: int, beside: Beside) -> Costs:
        """Return what tiles cost under one unrolling as the search takes it."""
        nodes = self.plan.nodes
        count = len(nodes.operand)
        energy, needed, room = self._flat
        needed, room = self._block(needed, u, count, 4), self._block(room, u, 2, count)
        single = room[1] > self._capacity[u][nodes.memory][:, None] / 2
        output, latch = nodes.operand == OUTPUT, nodes.level < 0
        single[output] |= not beside.outputs_doubled
        single[latch] = False
        first = np.where(output[:, None], needed[:, 2:].max(axis=1), needed[:, :2].max(axis=1))
        apart = (nodes.operand == _WEIGHTS) & (beside.rows >= 0)
        first[apart | latch | (not beside.loading)] = 0.0
        return Costs(
            self._block(energy, u, count), needed, room, single, first,
            self._free[u][self.plan.shared], self._whole_room[u], self._to_go[u],
            self._writing(u, beside),
        )  # fmt: skip

    @cached_property
    def _cell_weights(self) -> Floats:
        """Weights that each tile keeps in the innermost weight memory, all unrollings (p,)."""
        held = self._prefix[0][:, [_WEIGHTS], 0]
        geometry = self.task.geometry
        kept: Floats = lattice_tiles(
            np.array([_WEIGHTS]), held, geometry, self._extents, self.offsets
        )
        return np.rint(kept)

    def _writing(self, u: int, beside: Beside) -> Floats:
        """Cycles that an in-memory macro waits for new weights, by the tile in its cells (p,).

        Rows and bits are those of units filled on average.
        """
        size, nodes = self.lattices[u].size, self.plan.nodes
        cells = np.flatnonzero((nodes.operand == _WEIGHTS) & (nodes.level == 0))
        if beside.rows < 0 or not len(cells):
            return np.zeros(len(size))
        kept = self._cell_weights[self.offsets[u] : self.offsets[u + 1]]
        at, moved = cells[0], self._transfers
        bits = kept * (moved.boost[0, u, at] * moved.width[at, 0])
        return writing_cycles(
            beside.rows * kept, np.ceil(bits / moved.wide[u, at, _SENT]), size[-1] / size,
            np.ceil(size * beside.passes) if beside.overlapped else 0.0,
        )  # fmt: skip
