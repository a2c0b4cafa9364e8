"""Tiles: how many elements of each operand a set of loops touches.

Index conventions of all arrays in `carbonopt.mapping`: operand I = 0, W = 1, O = 2; loop
dimension as in `carbonopt.workload.layer.DIMS`; loops innermost first. Compiled functions of
different files never call each other: a compiled file on disk is renewed only when its own
source changes. `depth` is the number of memory levels of the operand that has the most.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from carbonopt.arrays import Bools, Floats, Ints

IRRELEVANT, RELEVANT, PARTIAL = 0, 1, 2
RELEVANCE = np.array(
    [  # B  K  G OX OY  C FX FY
        [1, 0, 1, 2, 2, 1, 2, 2],  # I
        [0, 1, 1, 0, 0, 1, 1, 1],  # W
        [1, 1, 1, 1, 1, 0, 0, 0],  # O
    ],
    dtype=np.int64,
)
"""Whether a loop dimension indexes an operand (3 operands, 8 dimensions)."""

_OUTPUT = 2
_ROUNDING = 1e-9  # means over the passes come back as whole numbers only up to rounding


@njit(cache=True)
def input_positions(outputs: float, kernel: float, stride: float, dilation: float) -> float:
    """Count distinct input positions under `outputs` x `kernel` positions along one axis.

    A B - max(0, B - s/g) max(0, A - d/g) with g = gcd(s, d); A output and B kernel positions
    may be fractional, then so is the count.
    """
    divisor = 1 if min(stride, dilation) == 1 else math.gcd(int(stride), int(dilation))
    reuse = max(0.0, kernel - stride / divisor) * max(0.0, outputs - dilation / divisor)
    return outputs * kernel - reuse


@njit(cache=True)
def input_extent(
    outputs: float, kernel: float, stride: float, dilation: float, limit: float, whole: float
) -> float:
    """Count distinct input positions under `outputs` x `kernel` positions along one axis.

    The whole part of `input_positions`, at most `limit`, the true size of the tensor
    [elements]; fractional positions count whole parts only if `whole` is set.
    """
    if whole:
        outputs, kernel = math.floor(outputs + _ROUNDING), math.floor(kernel + _ROUNDING)
    return min(math.floor(input_positions(outputs, kernel, stride, dilation) + _ROUNDING), limit)


@njit(cache=True)
def _elements(
    operand: int, b: float, k: float, g: float, ox: float, oy: float, c: float, fx: float,
    fy: float, geometry: Floats,
) -> float:  # fmt: skip
    """Count elements of an operand under the given loop bounds [elements]."""
    if operand == 1:
        return k * g * c * fx * fy
    if operand == 2:
        return b * k * g * ox * oy
    extent = b * g * c
    for axis, outputs, kernel in ((0, ox, fx), (1, oy, fy)):
        stride, dilation, limit, whole = geometry[axis]
        extent *= input_extent(outputs, kernel, stride, dilation, limit, whole)
    return extent


@njit(cache=True)
def prefix_tiles(
    levels: Ints, spatial: Floats, which: Ints, geometry: Floats, dims: Ints, sizes: Ints
) -> Floats:
    """Count the elements of every tile that n loop orders can hold at any level.

    Parameters
    ----------
    levels
        Memory levels of each operand (3,).
    spatial
        Unrolled sizes (u, 3, depth + 1, 8): entry [.., o, a, :] lies between level a - 1
        and level a of operand o (a = 0: between the multipliers and level 0).
    which
        Unrolling of each order (n,).
    geometry
        Stride, dilation, input size, whole positions only, along x and y (2, 4).
    dims, sizes
        Loop orders (n, loops).

    Returns
    -------
    ndarray
        Elements (n, 3, depth + 1, loops + 1): entry [r, o, a, i] under the unrolled loops
        up to level a and the first i temporal loops.
    """
    n, loops = dims.shape
    depth = spatial.shape[2] - 1
    tiles = np.zeros((n, 3, depth + 1, loops + 1))
    bounds = np.empty(8)
    unrolled = np.ones(spatial.shape)
    for level in range(depth + 1):
        for inside in range(level + 1):
            unrolled[:, :, level] *= spatial[:, :, inside]
    for row in range(n):
        for operand in range(3):
            for level in range(levels[operand] + 1):
                bounds[:] = unrolled[which[row], operand, level]
                for loop in range(loops + 1):
                    if loop > 0:
                        bounds[dims[row, loop - 1]] *= sizes[row, loop - 1]
                    tiles[row, operand, level, loop] = _elements(
                        operand, bounds[0], bounds[1], bounds[2], bounds[3], bounds[4],
                        bounds[5], bounds[6], bounds[7], geometry,
                    )  # fmt: skip
    return tiles


@njit(cache=True)
def _counted(operand: int, own: Floats, geometry: Floats) -> float:
    """Count elements of an operand under the given loop bounds (8,)."""
    return _elements(
        operand, own[0], own[1], own[2], own[3], own[4], own[5], own[6], own[7], geometry
    )


@njit(cache=True)
def _below(places: Ints, level: int, sizes: Floats, own: Floats) -> None:
    """Fill the sizes (8,) of loops unrolled up to a level, given all (a, 8) and their places."""
    own[:] = 1.0
    for inside in range(level + 1):
        for d in range(8):
            here = 1.0
            for a in range(len(places)):
                if places[a] == inside:
                    here *= sizes[a, d]
            own[d] *= here


@njit(cache=True)
def _fill_tiles(
    operand: int, own: Floats, geometry: Floats, extents: Floats, tiles: Floats
) -> None:
    """Count the elements of an operand in tiles (p,) of an unrolled layer."""
    for p in range(len(extents)):
        tiles[p] = _elements(
            operand, own[0] * extents[p, 0], own[1] * extents[p, 1], own[2] * extents[p, 2],
            own[3] * extents[p, 3], own[4] * extents[p, 4], own[5] * extents[p, 5],
            own[6] * extents[p, 6], own[7] * extents[p, 7], geometry,
        )  # fmt: skip


class LayerTiles(NamedTuple):
    """Elements of operands in the tiles of u unrolled layers.

    Parameters
    ----------
    mean, whole
        With mean and with whole unrollings, blocks (v, p of u).
    inside, above
        Under unrolled loops alone up to the node's level, 1 for a latch, and up to the one above
        (2, u, v).
    all_of
        Of the whole operands (u, 3).
    summed_at
        Of outputs under the loops unrolled below their innermost level (u,).
    """

    mean: Floats
    whole: Floats
    inside: Floats
    above: Floats
    all_of: Floats
    summed_at: Floats


@njit(cache=True)
def layer_tiles(
    operand: Ints, level: Ints, places: Ints, tops: Ints, sizes: tuple[Floats, Floats],
    geometry: Floats, extents: Floats, start: Ints,
) -> LayerTiles:  # fmt: skip
    """Count the elements of v nodes in the tiles of u unrolled layers.

    Parameters
    ----------
    operand, level
        Of each node, -1 for a latch (v,).
    places, tops
        Level below which loops along each array dimension are unrolled (3, a), and outermost
        level (3,) of each operand.
    sizes
        Unrolled sizes, means over the passes and whole units (u, a, 8).
    geometry
        As in `prefix_tiles`.
    extents, start
        Temporal passes of all tiles (p, 8); those of layer u are [start[u], start[u + 1]).
    """
    nodes, count = len(operand), len(start) - 1
    found = LayerTiles(
        np.empty(nodes * len(extents)), np.empty(nodes * len(extents)),
        np.ones((2, count, nodes)), np.empty((2, count, nodes)), np.empty((count, 3)),
        np.empty(count),
    )  # fmt: skip
    own, last = np.empty(8), np.empty((1, 8))
    for u in range(count):
        same = (sizes[0][u] == sizes[1][u]).all()
        tiles = extents[start[u] : start[u + 1]]
        for v in range(nodes):
            o, first = operand[v], nodes * start[u] + v * len(tiles)
            for which, filled in ((0, found.mean), (1, found.whole)):
                block = filled[first : first + len(tiles)]
                if which == 1 and same:
                    block[:] = found.mean[first : first + len(tiles)]
                    found.inside[1, u, v] = found.inside[0, u, v]
                    found.above[1, u, v] = found.above[0, u, v]
                    continue
                _below(places[o], level[v] + 1, sizes[which][u], own)
                found.above[which, u, v] = _counted(o, own, geometry)
                _below(places[o], max(level[v], 0), sizes[which][u], own)
                if level[v] >= 0:
                    found.inside[which, u, v] = _counted(o, own, geometry)
                _fill_tiles(o, own, geometry, tiles, block)
        for o in range(3):
            _below(places[o], tops[o], sizes[0][u], own)
            last[0] = tiles[-1]
            _fill_tiles(o, own, geometry, last, found.all_of[u, o : o + 1])
        _below(places[_OUTPUT], 0, sizes[0][u], own)
        found.summed_at[u] = _counted(_OUTPUT, own, geometry)
    return found


@njit(cache=True)
def _least_extent(
    outputs: float, kernel: float, geometry: Floats, passes: float, kernel_passes: float
) -> float:
    """Return the inputs along one axis that a pass takes at least, if it shares with all others.

    The more passes, the more share; whole parts of broken extents lose less than one input.
    """
    stride, dilation, limit, whole = geometry
    all_passes = passes * kernel_passes
    extent = input_positions(outputs * passes, kernel * kernel_passes, stride, dilation)
    least = min(extent, limit) / all_passes
    if outputs % 1 > _ROUNDING or kernel % 1 > _ROUNDING:
        own = input_positions(outputs, kernel, stride, dilation)
        if whole:
            least *= math.floor(outputs + _ROUNDING) / outputs
            least *= math.floor(kernel + _ROUNDING) / kernel
        least *= max(0.5, 1 - 1 / max(own, 1.0))
    return least


@njit(cache=True)
def _unrolled(below: Bools, mean: Floats, own: Floats) -> None:
    """Fill the sizes (8,) of loops unrolled along some array dimensions (a,), given all (a, 8)."""
    own[:] = 1.0
    for a in range(len(below)):
        if below[a]:
            for d in range(8):
                own[d] *= mean[a, d]


@njit(cache=True)
def unrolled_elements(operand: Ints, below: Bools, mean: Floats, geometry: Floats) -> Floats:
    """Count elements of v operands under loops unrolled in u ways (u, v).

    Parameters
    ----------
    operand
        (v,).
    below
        Array dimensions whose loops count (v, a).
    mean
        Unrolled sizes (u, a, 8).
    geometry
        As in `prefix_tiles`.
    """
    kept, own = np.empty((len(mean), len(operand))), np.empty(8)
    for u in range(len(mean)):
        for v in range(len(operand)):
            _unrolled(below[v], mean[u], own)
            kept[u, v] = _counted(operand[v], own, geometry)
    return kept


@njit(cache=True)
def least_elements(
    operand: Ints, below: Bools, mean: Floats, passes: Ints, geometry: Floats, relevance: Ints,
    kept: Floats,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Count the elements that passes take at least, beside those `kept` for a single one (u, v).

    Parameters
    ----------
    operand, below, mean, geometry
        As in `unrolled_elements`.
    passes
        Temporal loops (u, 8).
    relevance
        `RELEVANCE` (3, 8).

    Returns
    -------
    grown
        In a tile of more passes that index the operand (u, v); inf where no loop does.
    moved
        In all passes that index the operand (u, v), whatever they share.
    """
    moved, own = np.empty(kept.shape), np.empty(8)
    grown = np.full(kept.shape, np.inf)
    for u in range(len(mean)):
        for v in range(len(operand)):
            o = operand[v]
            _unrolled(below[v], mean[u], own)
            each, every = 1.0, 1.0
            for d in range(8):
                every *= passes[u, d] if relevance[o, d] != IRRELEVANT else 1.0
                each *= own[d] if relevance[o, d] == RELEVANT else 1.0
                if passes[u, d] > 1 and relevance[o, d] == RELEVANT:
                    grown[u, v] = min(grown[u, v], 2 * kept[u, v])
                elif passes[u, d] > 1 and relevance[o, d] == PARTIAL:
                    own[d] *= 2
                    grown[u, v] = min(grown[u, v], _counted(o, own, geometry))
                    own[d] /= 2
            broken = each % 1 > _ROUNDING
            for axis in range(2 if o == 0 else 0):
                each *= _least_extent(
                    own[3 + axis], own[6 + axis], geometry[axis], passes[u, 3 + axis],
                    passes[u, 6 + axis],
                )  # fmt: skip
            if broken:
                each = max(math.floor(each), each - 0.5, each * 2 / 3)
            moved[u, v] = each * every
    return grown, moved
