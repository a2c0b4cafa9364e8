"""Mappings that differ from given ones by one step."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from carbonopt.arrays import Ints
from carbonopt.mapping.candidates import Mappings, fits, joined
from carbonopt.mapping.loops import prime_factors
from carbonopt.mapping.task import MappingTask


def neighbours(task: MappingTask, mappings: Mappings) -> Mappings:
    """Return the legal mappings one step away from any of n mappings; there may be none.

    A step swaps two neighbouring loops, or lets one level of one operand keep another number of
    the loops between those of the levels around it.
    """
    orders: list[Ints] = []
    cuts: list[Ints] = []
    rows: list[int] = []
    for row in range(len(mappings.which)):
        for order, cut in _steps(mappings.dims.shape[1], task.levels, mappings.cuts[row]):
            orders.append(order)
            cuts.append(cut)
            rows.append(row)
    if not rows:
        return mappings.take(slice(0, 0))
    picked = np.array(rows)[:, None], np.array(orders)
    found = Mappings(
        mappings.unrollings, mappings.which[rows], mappings.dims[picked], mappings.sizes[picked],
        np.array(cuts),
    )  # fmt: skip
    return found.take(fits(task, found))


def split_to_primes(mappings: Mappings) -> Mappings:
    """Return the same mappings with every loop split into its prime factors, side by side."""
    rows = []
    for row in range(len(mappings.which)):
        factors = [prime_factors(int(size)) for size in mappings.sizes[row]]
        ends = np.cumsum([0, *map(len, factors)])
        dims = np.repeat(mappings.dims[row], [len(each) for each in factors])
        sizes = np.array([n for each in factors for n in each], dtype=np.int64)
        one = slice(row, row + 1)
        which, cuts = mappings.which[one], ends[mappings.cuts[one]]
        rows.append(Mappings(mappings.unrollings, which, dims[None], sizes[None], cuts))
    return dataclasses.replace(joined(rows), which=mappings.which, unrollings=mappings.unrollings)


def _steps(loops: int, levels: Ints, cuts: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Visit each step from one mapping as the new order of its loops and the new cuts."""
    same = np.arange(loops)
    for inner in range(loops - 1):
        order = same.copy()
        order[inner], order[inner + 1] = inner + 1, inner
        yield order, cuts
    for operand, depth in enumerate(levels):
        for level in range(depth - 1):
            lowest = cuts[operand, level - 1] if level else 0
            for kept in range(lowest, cuts[operand, level + 1] + 1):
                if kept != cuts[operand, level]:
                    moved = cuts.copy()
                    moved[operand, level] = kept
                    yield same, moved
