"""Mappings of an unrolled layer that no other beats in energy and latency, with proof."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from carbonopt.arrays import Bools, Floats, Ints
from carbonopt.mapping.bounds import cost_to_go, needless_loops
from carbonopt.mapping.chains import Chains, Labels, search_chains
from carbonopt.mapping.latency import Timing, chain_latency
from carbonopt.mapping.nodes import OUTPUT
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.tables import Tables, UnrolledTable
from carbonopt.mapping.tiles import IRRELEVANT, RELEVANCE
from carbonopt.workload.layer import DIMS

_LABELS = 3000
_SLACKS = (1e-12, 0.01, 0.1, 1.0, math.inf)
_ROUNDING = 1e-9
_REDUCTION = DIMS.index("C")
_WEIGHTS = 1
Chain = tuple[tuple[int, int], ...]
"""Nodes and the tiles (points of the lattice) that they keep, innermost first."""


class Beside(NamedTuple):
    """What an unrolling costs beside its transfers, and how its latency counts.

    Parameters
    ----------
    energy_pj
        Of the array [pJ].
    cycles
        Until the last results have left the array.
    rows
        See `Timing`.
    passes
        Cycles of the array per multiply-accumulate.
    loading
        Latency contains first loads and last stores.
    outputs_doubled
        Outputs may be double-buffered.
    """

    energy_pj: float
    cycles: float
    rows: float
    passes: float
    loading: bool
    outputs_doubled: bool


class Resource(NamedTuple):
    """A port whose time limits the latency, with the first loads of one input."""

    port: int
    waits: bool
    first: int


@dataclass(frozen=True)
class Point:
    """A mapping on the front of an unrolled layer.

    Parameters
    ----------
    energy_pj
        Exact energy [pJ].
    cycles
        Least latency of the mapping [cycles].
    chain
        Its tiles.
    """

    energy_pj: float
    cycles: float
    chain: Chain


class UnrolledLayer:
    """A layer under one unrolling, whose best chains of tiles are sought.

    Parameters
    ----------
    plan, tables, position, beside
        The memory hierarchy, what tiles cost under some unrollings, which one this is, and what
        there is beside them.
    """

    def __init__(self, plan: Plan, tables: Tables, position: int, beside: Beside) -> None:
        self.plan = plan
        self._tables = tables
        self._position = position
        self.beside = beside
        self.complete = True

    @cached_property
    def table(self) -> UnrolledTable:
        """What each tile costs."""
        return self._tables.table(self._position)

    @property
    def least_pj(self) -> float:
        """No mapping takes less energy [pJ]; inf where nothing fits."""
        return float(self._tables.least_pj[self._position]) + self.beside.energy_pj

    @cached_property
    def least_cycles(self) -> float:
        """Cycles of computing, with what comes after it."""
        passes = self._tables.lattices[self._position].size[-1]
        return float(passes * self.beside.passes + self.beside.cycles)

    @cached_property
    def _again(self) -> Floats:
        """Transfers of each tile after the first (p,)."""
        size = self.table.lattice.size
        again: Floats = size[-1] / size - 1
        return again

    @cached_property
    def _most_pj(self) -> float:
        """No chain of tiles that fit takes more energy [pJ]."""
        energy = self.table.energy
        most = np.where(np.isinf(energy), 0.0, energy).max(axis=1).sum()
        return float(most) * (1 + _ROUNDING)

    @cached_property
    def _single(self) -> Bools:
        """Whether there is no room for a second tile (v, p)."""
        nodes = self.plan.nodes
        single: Bools = self.table.room[1] > self.table.half[:, None]
        if not self.beside.outputs_doubled:
            single[nodes.operand == OUTPUT] = True
        single[nodes.level < 0] = False
        return single

    @cached_property
    def _first(self) -> Floats:
        """Cycles of the first load, or the last store of outputs, where these count (v, p)."""
        nodes, needed = self.plan.nodes, self.table.needed
        output = (nodes.operand == OUTPUT)[:, None]
        first: Floats = np.where(output, needed[:, 2:].max(axis=1), needed[:, :2].max(axis=1))
        apart = (nodes.operand == _WEIGHTS) & (self.beside.rows >= 0)
        first[apart | (nodes.level < 0) | (not self.beside.loading)] = 0.0
        return first

    @cached_property
    def _digits(self) -> Ints:
        """Digits of a packed tile of loops that do not index an operand (3,)."""
        lattice = self.table.lattice
        rests = RELEVANCE[:, lattice.dims] == IRRELEVANT
        return np.array([lattice.fields[row].sum() for row in rests], dtype=np.int64)

    @cached_property
    def timing(self) -> Timing:
        """What the latency of a chain depends on."""
        nodes, lattice, beside = self.plan.nodes, self.table.lattice, self.beside
        return Timing(
            nodes.operand, nodes.level, nodes.ports, lattice.packed, lattice.guard, self._digits,
            lattice.size, self.table.needed, self._first, self._single, beside.passes,
            beside.rows, beside.cycles,
        )  # fmt: skip

    def latency(self, chain: Chain) -> tuple[float, Resource]:
        """Return the least latency of a chain [cycles], and the resource that it comes from."""
        ports = len(self.plan.storage.port_names)
        cycles, port, waits, first = chain_latency(self.timing, np.array(chain), ports)
        return cycles, Resource(int(port), bool(waits), int(first))

    def _base(self, resource: Resource) -> float:
        """Cycles of a resource beside those of the nodes."""
        computing = resource.waits or resource.port < 0 or self.beside.rows >= 0
        return self.least_cycles if computing else self.beside.cycles

    def _spent(self, resource: Resource) -> tuple[Floats, Bools]:
        """Cycles of a resource that each tile takes (v, p), and the ways that wait (v, 4)."""
        nodes, table = self.plan.nodes, self.table
        counted = np.isin(nodes.operand, (resource.first, OUTPUT))
        cycles = np.where(counted[:, None], self._first, 0.0)
        ways: Bools = np.equal(nodes.ports, resource.port) & (nodes.ports >= 0)
        if self.beside.rows >= 0:
            innermost = (nodes.operand == _WEIGHTS) & (nodes.level == 0)
            return cycles + innermost[:, None] * self.beside.rows * (self._again + 1), ways & False
        needed = table.needed
        if resource.waits:
            window = np.ceil(table.lattice.size * self.beside.passes)
            needed = np.maximum(0.0, needed - window)
        cycles += (needed * ways[:, :, None]).sum(axis=1) * self._again
        return cycles, ways & resource.waits

    def _chains(self, active: Sequence[Resource]) -> Chains:
        """Return all that the search needs to know, with some resources limited."""
        plan, table, lattice = self.plan, self.table, self.table.lattice
        nodes = plan.nodes
        spent = [self._spent(resource) for resource in active]
        cycles = np.array([each for each, _ in spent]).reshape(-1, *table.energy.shape)
        waits = np.array([each for _, each in spent], dtype=bool).reshape(-1, *nodes.ports.shape)
        waiting: Bools = np.any(waits, axis=0).reshape(nodes.ports.shape)
        longest = (table.needed * waiting[:, :, None]).max(axis=1)
        risky = self._single & (longest > math.ceil(self.beside.passes))
        waited = np.array([bool(risky[nodes.operand == o].any()) for o in range(3)])
        fits = np.isfinite(table.energy)
        to_go = [
            cost_to_go(plan.orders, lattice.lengths, np.where(fits, c, np.inf)) for c in cycles
        ]
        return Chains(
            plan.orders, lattice.packed, lattice.guard, self._digits, lattice.size,
            lattice.complete, table.energy, cycles, waits, table.needed, self._single, waited,
            nodes.level >= 0, self.beside.passes, table.room, plan.memory, plan.closed, table.free,
            nodes.operand == OUTPUT, plan.last_output, plan.whole_memory, table.whole_room,
            self._needless(cycles, risky, waited), table.energy_to_go,
            np.array(to_go).reshape(-1, *table.energy_to_go.shape),
        )  # fmt: skip

    def _needless(self, cycles: Floats, risky: Bools, waited: Bools) -> Ints:
        """Mark the loops without which a tile is no worse at a node: digit masks (v, p)."""
        lattice, operand = self.table.lattice, self.plan.nodes.operand
        resting = ((RELEVANCE[:, lattice.dims] == IRRELEVANT) & waited[:, None]).any(axis=0)
        kept = resting | ((operand == OUTPUT)[:, None] & (lattice.dims >= _REDUCTION))
        masks: Ints = needless_loops(
            lattice.lengths, lattice.fields, kept, self.table.energy, cycles, risky
        )
        return masks

    def points(self, bound_pj: Callable[[float], float]) -> Iterator[Point]:
        """Visit the front from the least energy on, each point faster than the one before.

        `bound_pj` gives the energy [pJ] from which on mappings of at least so many cycles are of
        no interest. Every point has the least energy of all chains at its latency, as long as
        `complete` stays true.
        """
        if self.least_pj >= bound_pj(self.least_cycles):
            return
        active: list[Resource] = []
        limit = math.inf
        least = float(self.table.energy_to_go[0, 0])
        chains = self._chains(active)
        while True:
            bound = min(bound_pj(self.least_cycles) - self.beside.energy_pj, self._most_pj)
            if least > bound:
                return
            limits = np.array([limit - self._base(resource) for resource in active])
            if (chains.cycles_to_go[:, 0, 0] > limits).any():
                return
            found = self._cheapest(chains, least, bound, limits)
            if not found:
                return
            least, options = found
            cycles, resource, chain = min(options, key=lambda option: option[0])
            if cycles <= limit:
                yield Point(least + self.beside.energy_pj, cycles, chain)
                limit = cycles * (1 - _ROUNDING)
                if limit < self.least_cycles:
                    return
            elif resource in active:
                return
            if resource not in active:
                active.append(resource)
                chains = self._chains(active)

    def _cheapest(
        self, chains: Chains, least: float, bound: float, limits: Floats
    ) -> tuple[float, list[tuple[float, Resource, Chain]]] | None:
        """Return the least energy within limits, with the latencies of all chains that have it."""
        for slack in _SLACKS:
            most = min(bound, least * (1 + slack)) if least > 0 else bound
            labels, start, stop, dropped = search_chains(chains, most, limits, _LABELS)
            self.complete &= math.isinf(dropped)
            if stop > start:
                energy = labels.energy[start:stop]
                same = np.flatnonzero(energy <= energy.min() * (1 + _ROUNDING))
                found = (_chain(labels, start + int(i)) for i in same)
                return float(energy.min()), [(*self.latency(chain), chain) for chain in found]
            if most >= bound:
                break
        return None


def _chain(labels: Labels, label: int) -> Chain:
    """Trace a label back to its first node."""
    found = []
    while labels.node[label] >= 0:
        found.append((int(labels.node[label]), int(labels.point[label])))
        label = int(labels.parent[label])
    return tuple(found[::-1])
