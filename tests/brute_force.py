"""Every mapping of a tiny layer under one unrolling, one by one: what no search can beat."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from carbonopt.mapping.candidates import Mappings, fits
from carbonopt.mapping.loops import prime_factors
from carbonopt.mapping.spatial import Unrolling
from carbonopt.mapping.task import MappingTask
from carbonopt.performance.cost import mapped_cost
from carbonopt.workload.layer import DIMS

BATCH = 20_000


def loop_orders(unrolling: Unrolling) -> np.ndarray:
    """All orders of the prime factors of the temporal loops, as (dimension, size) (n, loops, 2)."""
    loops = [
        (DIMS.index(dim), prime)
        for dim, bound in unrolling.temporal.items()
        for prime in prime_factors(bound)
    ] or [(0, 1)]
    return np.array(sorted(set(itertools.permutations(loops))), dtype=np.int64)


def all_cuts(task: MappingTask, loops: int) -> np.ndarray:
    """All ways in which the levels of each operand can share the loops (n, 3, depth)."""
    own = [
        [
            (*kept, loops, *[0] * (task.depth - levels))
            for kept in itertools.combinations_with_replacement(range(loops + 1), levels - 1)
        ]
        for levels in map(int, task.levels)
    ]
    return np.array(list(itertools.product(*own)), dtype=np.int64)


def count_mappings(task: MappingTask, unrolling: Unrolling) -> int:
    """Orders times allocations."""
    orders = loop_orders(unrolling)
    loops = orders.shape[1]
    return len(orders) * math.prod(math.comb(loops + int(n) - 1, loops) for n in task.levels)


def all_mappings(task: MappingTask, unrolling: Unrolling) -> Iterator[Mappings]:
    """Visit all legal mappings: every order times every allocation that fits, in batches."""
    orders = loop_orders(unrolling)
    cuts = all_cuts(task, orders.shape[1])
    for start in range(0, len(orders) * len(cuts), BATCH):
        row = np.arange(start, min(start + BATCH, len(orders) * len(cuts)))
        order = orders[row // len(cuts)]
        found = Mappings(
            (unrolling,), np.zeros(len(row), dtype=np.int64), order[..., 0], order[..., 1],
            cuts[row % len(cuts)],
        )  # fmt: skip
        yield found.take(fits(task, found))


def costs(task: MappingTask, mappings: Mappings) -> tuple[np.ndarray, np.ndarray]:
    """Energy [pJ] and latency [cycles] of each mapping, as the model counts them."""
    cost = mapped_cost(task, mappings)
    return cost.energy_pj, cost.cycles(loading=task.machine.variant.loading_in_latency)


def non_dominated(energy: np.ndarray, cycles: np.ndarray) -> np.ndarray:
    """Positions of the points that no other beats, fastest first."""
    order = np.lexsort((energy, cycles))
    best = np.minimum.accumulate(energy[order])
    first = np.concatenate([[True], best[1:] < best[:-1]]) if len(order) else np.zeros(0, bool)
    return order[first]


def brute_front(task: MappingTask, unrolling: Unrolling) -> tuple[np.ndarray, np.ndarray]:
    """Energy and latency of the mappings that no other beats, fastest first; none if none fits."""
    energy, cycles = np.zeros(0), np.zeros(0)
    for mappings in all_mappings(task, unrolling):
        if len(mappings.which):
            more = costs(task, mappings)
            energy, cycles = (np.concatenate(p) for p in zip((energy, cycles), more, strict=True))
            kept = non_dominated(energy, cycles)
            energy, cycles = energy[kept], cycles[kept]
    return energy, cycles
