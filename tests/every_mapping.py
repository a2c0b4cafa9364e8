"""Every mapping of a layer that is small enough, so that the exact front is known."""

from __future__ import annotations

import itertools

import numpy as np

from carbonopt.hardware.machine import OPERANDS
from carbonopt.mapping.candidates import Mappings, fits
from carbonopt.mapping.genes import GeneMap, LayerGenes
from carbonopt.mapping.loops import loop_orders
from carbonopt.performance.cost import mapped_cost
from carbonopt.workload.layer import DIMS


def every_mapping(task):
    """Every mapping by unrolling: orders of prime factors, cuts that fit; energy and cycles."""
    parts = []
    for way in GeneMap(task, LayerGenes(task.layer, dict.fromkeys(OPERANDS, 3))).ways:
        factors = [(DIMS[dim], int(size)) for dim, size in zip(way.dims, way.sizes, strict=True)]
        dims, sizes = loop_orders(tuple(factors))
        loops = dims.shape[1]
        chains = [
            [
                (*cut, *[loops] * (task.depth - len(cut)))
                for cut in itertools.combinations_with_replacement(range(loops + 1), depth - 1)
            ]
            for depth in task.levels
        ]
        cuts = np.array(list(itertools.product(*chains)))
        rows = np.repeat(np.arange(len(dims)), len(cuts))
        every = Mappings(
            (way.unrolling,), np.zeros(len(rows), dtype=np.int64), dims[rows], sizes[rows],
            np.tile(cuts, (len(dims), 1, 1)),
        )  # fmt: skip
        legal = every.take(fits(task, every))
        cost = mapped_cost(task, legal)
        parts.append((legal, cost.energy_pj, cost.cycles(loading=True)))
    return parts


def front_of(energy_pj, cycles):
    """Positions of the non-dominated, the fastest first."""
    order = np.lexsort((energy_pj, cycles))
    before = np.minimum.accumulate(np.concatenate([[np.inf], energy_pj[order][:-1]]))
    return order[energy_pj[order] < before]
