"""Random designs: spread over every variable, or such as were not seen yet."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from carbonopt.space import IndexArray, Space

_ENUMERABLE = 200_000


def spread(space: Space, count: int, rng: np.random.Generator) -> IndexArray:
    """Draw designs (count, v) in which each value of a variable turns up equally often.

    Examples
    --------
    >>> from carbonopt.space import Variable
    >>> drawn = spread(Space([Variable.integer("a", 1, 4)]), 8, np.random.default_rng(1))
    >>> np.bincount(drawn[:, 0]).tolist()
    [2, 2, 2, 2]
    """
    columns = []
    for size in space.shape:
        rounds = -(-count // size)
        column = np.concatenate([rng.permutation(size) for _ in range(rounds)])[:count]
        columns.append(rng.permutation(column))
    return np.stack(columns, axis=1).astype(np.int64)


def unseen(
    space: Space, seen: Collection[tuple[int, ...]], count: int, rng: np.random.Generator
) -> IndexArray:
    """Draw up to `count` distinct designs (n, v) that are not in `seen`; fewer at the very end."""
    if space.size <= _ENUMERABLE:
        free = np.ones(space.size, dtype=bool)
        if len(seen):
            free[np.ravel_multi_index(tuple(np.array(list(seen)).T), space.shape)] = False
        places = np.flatnonzero(free)
        return space.unravel(rng.permutation(places)[:count])
    drawn: dict[tuple[int, ...], None] = {}
    while len(drawn) < min(count, space.size - len(seen)):
        key = tuple(int(rng.integers(size)) for size in space.shape)
        if key not in seen:
            drawn[key] = None
    return np.array(list(drawn), dtype=np.int64).reshape(-1, len(space.shape))
