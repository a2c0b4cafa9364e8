"""From a chain of tiles to loop nests."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from carbonopt.arrays import Floats, Ints
from carbonopt.hardware.machine import OPERANDS
from carbonopt.mapping.candidates import Mappings
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.spatial import Unrolling

_ORDERS = 24
Loops = list[tuple[int, int]]


def chain_mappings(plan: Plan, unrolling: Unrolling, extents: Floats, chain: Ints) -> Mappings:
    """Return the mappings that keep the tiles of a chain, which differ in the order of loops.

    `extents` are the passes of each dimension that each tile keeps (p, 8).

    Only loops between the same two tiles change places; their order counts for waiting alone. Of
    more than `_ORDERS` orders, evenly spaced ones are taken.
    """
    points = [point for _, point in chain]
    segments = list(_segments(extents, points))
    depth = plan.storage.depth
    cuts = np.zeros((len(OPERANDS), depth), dtype=np.int64)
    kept = np.cumsum([len(segment) for segment in segments])
    for (node, _), loops in zip(chain, kept, strict=False):
        operand, level = plan.nodes.operand[node], plan.nodes.level[node]
        if level >= 0:
            cuts[operand, level] = loops
    for operand, levels in enumerate(plan.storage.levels):
        cuts[operand, levels - 1] = kept[-1]
    orders = [[loop for part in order for loop in part] for order in _orders(segments)]
    loops = np.array(orders, dtype=np.int64).reshape(len(orders), -1, 2)
    count = len(orders)
    return Mappings(
        (unrolling,), np.zeros(count, dtype=np.int64), loops[:, :, 0], loops[:, :, 1],
        np.repeat(cuts[None], count, axis=0),
    )  # fmt: skip


def _segments(extents: Floats, points: Sequence[int]) -> Iterator[Loops]:
    """Visit the loops between each tile and the next one, the last of which keeps everything."""
    below = extents[0].tolist()
    for point in (*points, len(extents) - 1):
        tile = extents[point].tolist()
        yield [
            (d, round(own / before))
            for d, (own, before) in enumerate(zip(tile, below, strict=True))
            if own > before
        ]
        below = tile


def _orders(segments: list[Loops]) -> Iterator[tuple[tuple[tuple[int, int], ...], ...]]:
    """Visit orders of the loops within each segment."""
    count = math.prod(math.factorial(len(segment)) for segment in segments)
    every = itertools.product(*(itertools.permutations(segment) for segment in segments))
    if count <= _ORDERS:
        yield from every
        return
    for i in range(_ORDERS):
        yield _order(segments, i * count // _ORDERS)


def _order(segments: list[Loops], number: int) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Return one of all orders by its number."""
    chosen = []
    for segment in reversed(segments):
        left, order = list(segment), []
        for size in range(len(segment), 0, -1):
            number, position = divmod(number, size)
            order.append(left.pop(position))
        chosen.append(tuple(order))
    return tuple(chosen[::-1])
