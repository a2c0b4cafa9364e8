"""A network's kept mappings as traffic, weighed by any costs.

Capacities and the shape of the array decide which mappings there are. Energies of accesses and of
the array, bandwidths, clock and carbon only weigh what they move.
"""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit
from scipy.optimize import linprog

from carbonopt.arrays import Floats, Ints
from carbonopt.hardware.machine import Machine

_CHUNK = 512  # contexts whose energies stay in the innermost cache
_TOLERANCE = 1e-10  # by which a mean may be above a row that it makes needless, relatively


@dataclass(frozen=True)
class Contexts:
    """Costs that n contexts give to traffic.

    Parameters
    ----------
    read_pj, write_pj
        Energy of a full-width access of each memory (n, memories) [pJ].
    array
        Energy of the array as a multiple of the machine's own (n,).
    clock_ns
        Clock period (n,) [ns].
    bandwidth
        Bits per cycle of each port as a multiple of the machine's own (n, ports); None for ones.
    """

    read_pj: Floats
    write_pj: Floats
    array: Floats
    clock_ns: Floats
    bandwidth: Floats | None = None


@dataclass(frozen=True)
class TrafficTable:
    """The mappings of a network that are worth keeping, as traffic.

    Parameters
    ----------
    memories, ports
        Names.
    first
        First mapping of each distinct layer, and the end (layers + 1,).
    count
        How often each distinct layer occurs (layers,).
    traffic
        Reads of each memory, writes of each memory, energy of the array [pJ]
        (mappings, 2 memories + 1).
    busy
        Cycles of computing, and of computing and waiting for each port, as little as computing
        where a layer has no use for it (mappings, 1 + ports).
    ends
        Cycles of first loads, last stores and draining, where the latency counts them (mappings,).
    complete
        Nothing was left out for want of memory.
    """

    memories: tuple[str, ...]
    ports: tuple[str, ...]
    first: Ints
    count: Ints
    traffic: Floats
    busy: Floats
    ends: Floats
    complete: bool

    def least(self, contexts: Contexts, per_pj: float, per_ns: float) -> tuple[Floats, Floats]:
        """Return energy [pJ] and latency [ns] of one inference in n contexts (n,).

        Each layer takes the mapping of least `per_pj` E + `per_ns` L: the least energy, latency
        or, with grams per pJ and ns, the least carbon of continuous activity.
        """
        return self._chosen(contexts, per_pj, per_ns, product=False)

    def least_product(self, contexts: Contexts) -> tuple[Floats, Floats]:
        """Return energy [pJ] and latency [ns] of the least energy x latency in n contexts (n,)."""
        return self._chosen(contexts, 1.0, 1.0, product=True)

    @cached_property
    def cycles(self) -> Floats:
        """Latency of each mapping at the machine's own bandwidths (mappings,) [cycles]."""
        longest: Floats = self.busy.max(axis=1)
        return longest + self.ends

    @cached_property
    def _at_own_bandwidth(self) -> TrafficTable:
        """The mappings that have the least of some weighting of traffic and cycles."""
        values = np.column_stack([self.traffic, self.cycles])
        pairs = itertools.pairwise(self.first)
        rows = [start + _supported(values[start:stop]) for start, stop in pairs]
        kept = np.concatenate(rows)
        return dataclasses.replace(
            self, first=np.cumsum([0, *map(len, rows)]), traffic=self.traffic[kept],
            busy=self.busy[kept], ends=self.ends[kept],
        )  # fmt: skip

    def _chosen(
        self, contexts: Contexts, per_pj: float, per_ns: float, *, product: bool
    ) -> tuple[Floats, Floats]:
        """Choose mappings chunk by chunk."""
        table = self if contexts.bandwidth is not None else self._at_own_bandwidth
        clock_ns = contexts.clock_ns
        energy, latency = np.empty(len(clock_ns)), np.empty(len(clock_ns))
        weights = np.hstack([contexts.read_pj, contexts.write_pj, contexts.array[:, None]])
        busy, slower = table.cycles[:, None] - table.ends[:, None], np.ones((len(clock_ns), 0))
        if contexts.bandwidth is not None:
            busy, slower = table.busy, 1.0 / contexts.bandwidth
        for start in range(0, len(clock_ns), _CHUNK):
            here = slice(start, start + _CHUNK)
            costs = np.ascontiguousarray(weights[here].T), np.ascontiguousarray(slower[here].T)
            loads = (table.first, table.count, table.traffic, busy, table.ends, *costs)
            if product:
                _least_products(*loads, energy[here], latency[here])
            else:
                rate = per_ns * clock_ns[here]
                _least_sums(*loads, per_pj, rate, energy[here], latency[here])
        return energy, latency * clock_ns


@njit(cache=True)
def _weigh(
    traffic: Floats, busy: Floats, ends: float, weights: Floats, slower: Floats, energy: Floats,
    cycles: Floats,
) -> None:  # fmt: skip
    """Fill energy and cycles of one mapping in n contexts: weights (k, n), slower (ports, n)."""
    energy[:], cycles[:] = 0.0, busy[0]
    for k in range(len(traffic)):
        if traffic[k] != 0:
            for i in range(len(energy)):
                energy[i] += traffic[k] * weights[k, i]
    for port in range(len(slower)):
        for i in range(len(cycles)):
            time = busy[1 + port] * slower[port, i]
            cycles[i] = time if time > cycles[i] else cycles[i]
    for i in range(len(cycles)):
        cycles[i] += ends


@njit(cache=True)
def _least_sums(
    first: Ints, count: Ints, traffic: Floats, busy: Floats, ends: Floats, weights: Floats,
    slower: Floats, per_pj: float, per_cycle: Floats, energy: Floats, latency: Floats,
) -> None:  # fmt: skip
    """Fill energy and cycles of the least weighted sums (n,)."""
    n = len(energy)
    pj, cycles, least = np.empty(n), np.empty(n), np.empty(n)
    best_pj, best_cycles = np.empty(n), np.empty(n)
    energy[:], latency[:] = 0.0, 0.0
    for layer in range(len(count)):
        least[:] = np.inf
        for q in range(first[layer], first[layer + 1]):
            _weigh(traffic[q], busy[q], ends[q], weights, slower, pj, cycles)
            for i in range(n):
                score = per_pj * pj[i] + per_cycle[i] * cycles[i]
                better = score < least[i]
                least[i] = score if better else least[i]
                best_pj[i] = pj[i] if better else best_pj[i]
                best_cycles[i] = cycles[i] if better else best_cycles[i]
        for i in range(n):
            energy[i] += count[layer] * best_pj[i]
            latency[i] += count[layer] * best_cycles[i]


@njit(cache=True)
def _hull(energy: Floats, cycles: Floats, start: int, stop: int, chain: Ints) -> int:
    """Fill the lower convex hull of mappings [start, stop), fastest first; return its length."""
    order = np.argsort(cycles[start:stop], kind="mergesort")
    length = 0
    for o in order:
        q = start + o
        if length > 0 and energy[q] >= energy[chain[length - 1]]:
            continue
        if length > 0 and cycles[q] == cycles[chain[length - 1]]:
            length -= 1
        while length > 1:
            a, b = chain[length - 2], chain[length - 1]
            left = (energy[a] - energy[b]) * (cycles[q] - cycles[a])
            if left > (energy[a] - energy[q]) * (cycles[b] - cycles[a]):
                break
            length -= 1
        chain[length] = q
        length += 1
    return length


@njit(cache=True)
def _least_products(
    first: Ints, count: Ints, traffic: Floats, busy: Floats, ends: Floats, weights: Floats,
    slower: Floats, energy: Floats, latency: Floats,
) -> None:  # fmt: skip
    """Fill energy and cycles of the least product of their sums (n,): a vertex of the hull."""
    mappings, n = len(traffic), len(energy)
    each_pj, each_cycles = np.empty((mappings, n)), np.empty((mappings, n))
    for q in range(mappings):
        _weigh(traffic[q], busy[q], ends[q], weights, slower, each_pj[q], each_cycles[q])
    chain, rate = np.empty(mappings, np.int64), np.empty(mappings)
    saved, spent = np.empty(mappings), np.empty(mappings)
    for i in range(n):
        pj, slow = each_pj[:, i].copy(), each_cycles[:, i].copy()
        total, time, steps = 0.0, 0.0, 0
        for layer in range(len(count)):
            length = _hull(pj, slow, first[layer], first[layer + 1], chain)
            total += count[layer] * pj[chain[0]]
            time += count[layer] * slow[chain[0]]
            for c in range(1, length):
                saved[steps] = count[layer] * (pj[chain[c - 1]] - pj[chain[c]])
                spent[steps] = count[layer] * (slow[chain[c]] - slow[chain[c - 1]])
                rate[steps] = -saved[steps] / spent[steps]
                steps += 1
        energy[i], latency[i] = total, time
        for step in np.argsort(rate[:steps]):
            total, time = total - saved[step], time + spent[step]
            if total * time < energy[i] * latency[i]:
                energy[i], latency[i] = total, time


def own_context(machine: Machine) -> Contexts:
    """Return the machine's own costs as one context."""
    memories = machine.memories
    return Contexts(
        np.array([[memory.read_pj for memory in memories]]),
        np.array([[memory.write_pj for memory in memories]]),
        np.ones(1), np.array([machine.clock_ns]),
    )  # fmt: skip


def unbeaten(values: Floats) -> Ints:
    """Return the rows that no other row is nowhere above, one of equal ones."""
    kept: list[int] = []
    for row in np.lexsort(values.T):
        if not any((values[other] <= values[row]).all() for other in kept):
            kept = [other for other in kept if not (values[row] <= values[other]).all()]
            kept.append(int(row))
    return np.array(sorted(kept), dtype=np.int64)


def _supported(values: Floats) -> Ints:
    """Return rows among which every weighting of the columns finds its least value.

    A row goes if a mean of others is nowhere above it.
    """
    kept = list(unbeaten(values))
    for row in list(kept):
        zero = values[row] == 0
        others = [other for other in kept if other != row and not values[other][zero].any()]
        if not others:
            continue
        scaled = values[others][:, ~zero] / values[row][~zero]
        mean = linprog(
            np.zeros(len(others)), scaled.T, np.ones(scaled.shape[1]),
            np.ones((1, len(others))), [1.0],
            options={"primal_feasibility_tolerance": _TOLERANCE},
        )  # fmt: skip
        if mean.status == 0:
            kept.remove(row)
    return np.array(kept, dtype=np.int64)
