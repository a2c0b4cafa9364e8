"""Tiles: how many elements of each operand a set of loops touches.

Index conventions of all arrays in `carbonopt.mapping`: operand I = 0, W = 1, O = 2; loop
dimension as in `carbonopt.workload.layer.DIMS`; loops innermost first. Compiled functions of
different files never call each other: a compiled file on disk is renewed only when its own
source changes. `depth` is the number of memory levels of the operand that has the most.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from carbonopt.arrays import Floats, Ints

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

_ROUNDING = 1e-9  # means over the passes come back as whole numbers only up to rounding


@njit(cache=True)
def input_positions(outputs: float, kernel: float, stride: float, dilation: float) -> float:
    """Count distinct input positions under `outputs` x `kernel` positions along one axis.

    A B - max(0, B - s/g) max(0, A - d/g) with g = gcd(s, d); A output and B kernel positions
    may be fractional, then so is the count.
    """
    divisor = math.gcd(int(stride), int(dilation))
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
def lattice_tiles(
    operand: Ints, spatial: Floats, geometry: Floats, extents: Floats, offsets: Ints
) -> Floats:
    """Count the elements of v operands in the tiles of u unrolled layers.

    Parameters
    ----------
    operand
        (v,).
    spatial
        Unrolled sizes (u, v, 8).
    geometry
        As in `prefix_tiles`.
    extents, offsets
        Temporal passes of all tiles (p, 8); those of layer u are [offsets[u], offsets[u + 1]).

    Returns
    -------
    ndarray
        Elements, one block (v, tiles of u) after the other.
    """
    nodes = len(operand)
    tiles = np.empty(nodes * len(extents))
    bounds = np.empty(8)
    place = 0
    for u in range(len(offsets) - 1):
        for v in range(nodes):
            for p in range(offsets[u], offsets[u + 1]):
                for d in range(8):
                    bounds[d] = spatial[u, v, d] * extents[p, d]
                tiles[place] = _elements(
                    operand[v], bounds[0], bounds[1], bounds[2], bounds[3], bounds[4], bounds[5],
                    bounds[6], bounds[7], geometry,
                )  # fmt: skip
                place += 1
    return tiles
