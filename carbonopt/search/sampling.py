"""Random designs: spread over every variable, or such as were not seen yet."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from carbonopt.space import IndexArray, Space

_ENUMERABLE = 200_000
_WALKS_PER_LENGTH = 10
_MAX_WALKS = 80


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


def neighbour(
    space: Space, key: tuple[int, ...], seen: Collection[tuple[int, ...]], rng: np.random.Generator
) -> IndexArray:
    """Find an unseen design (1, v) near another one; anywhere, or none, when all near are seen.

    A step moves one variable: to the next value where values are ordered, else to any. Walks get
    longer the more of the neighbourhood was seen.
    """
    for tries in range(_MAX_WALKS):
        place = list(key)
        for _ in range(1 + tries // _WALKS_PER_LENGTH):
            column = int(rng.integers(len(place)))
            place[column] = _step(space, column, place[column], rng)
        if tuple(place) not in seen:
            return np.array([place], dtype=np.int64)
    return unseen(space, seen, 1, rng)


def _step(space: Space, column: int, place: int, rng: np.random.Generator) -> int:
    """Move to another value of a variable, if it has one."""
    size = space.shape[column]
    if not space.variables[column].ordered:
        return int(rng.integers(size))
    moved = place + (1 if rng.random() < 0.5 else -1)
    return moved if 0 <= moved < size else place
