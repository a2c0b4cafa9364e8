"""Random designs: spread over every variable, or such as were not seen yet."""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain

import numpy as np
import numpy.typing as npt

from carbonopt.search.base import SearchTask
from carbonopt.space import IndexArray, Space

_ENUMERABLE = 200_000
_WALKS_PER_LENGTH = 10
_MAX_WALKS = 80


def spread(space: Space, count: int, rng: np.random.Generator) -> IndexArray:
    """Draw designs (count, v) in which each value of a variable turns up equally often.

    Variables that do not matter everywhere have fewer turns.

    Examples
    --------
    >>> from carbonopt.variable import Variable
    >>> drawn = spread(Space([Variable.integer("a", 1, 4)]), 8, np.random.default_rng(1))
    >>> np.bincount(drawn[:, 0]).tolist()
    [2, 2, 2, 2]
    """
    if count <= 0:
        return np.empty((0, len(space.shape)), dtype=np.int64)
    columns = []
    for size in space.shape:
        rounds = -(-count // size)
        column = np.concatenate([rng.permutation(size) for _ in range(rounds)])[:count]
        columns.append(rng.permutation(column))
    return space.canonical(np.stack(columns, axis=1).astype(np.int64))


def first_designs(task: SearchTask, count: int, rng: np.random.Generator) -> IndexArray:
    """Take the designs that a search is to start from, and fill up to `count` with spread ones.

    No design turns up twice.
    """
    space = task.problem.space
    chosen = dict.fromkeys(map(tuple, task.start.tolist()))
    wanted = max(min(count, space.size), len(chosen))
    for row in spread(space, wanted - len(chosen), rng).tolist():
        chosen[tuple(row)] = None
    for row in unseen(space, chosen, wanted - len(chosen), rng).tolist():
        chosen[tuple(row)] = None
    return np.array(list(chosen), dtype=np.int64).reshape(-1, len(space.shape))


def designs_at(space: Space, points: npt.NDArray[np.float64]) -> IndexArray:
    """Turn points (n, v) of the unit cube into designs (n, v): values equally likely.

    Examples
    --------
    >>> from carbonopt.variable import Variable
    >>> space = Space([Variable.integer("a", 1, 4), Variable.integer("b", 1, 2)])
    >>> designs_at(space, np.array([[0.0, 0.9], [0.3, 0.2]])).tolist()
    [[0, 1], [1, 0]]
    """
    shape = np.array(space.shape)
    places: IndexArray = (points * shape).astype(np.int64)
    last: IndexArray = shape - 1
    return space.canonical(np.minimum(places, last))


def unseen(
    space: Space, seen: Collection[tuple[int, ...]], count: int, rng: np.random.Generator
) -> IndexArray:
    """Draw up to `count` distinct designs (n, v) that are not in `seen`; fewer at the very end."""
    if space.size <= _ENUMERABLE:
        free = np.ones(space.size, dtype=bool)
        if len(seen):
            flat = np.fromiter(chain.from_iterable(seen), np.int64, len(seen) * len(space.shape))
            free[space.ravel(flat.reshape(-1, len(space.shape)))] = False
        places = np.flatnonzero(free)
        return space.unravel(rng.permutation(places)[:count])
    drawn: dict[tuple[int, ...], None] = {}
    wanted = min(count, space.size - len(seen))
    while len(drawn) < wanted:
        block = space.canonical(rng.integers(0, space.shape, (wanted, len(space.shape))))
        drawn.update((key, None) for key in map(tuple, block.tolist()) if key not in seen)
    return np.array(list(drawn)[:wanted], dtype=np.int64).reshape(-1, len(space.shape))


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
        moved = space.canonical(np.array([place], dtype=np.int64))
        if tuple(moved[0].tolist()) not in seen:
            return moved
    return unseen(space, seen, 1, rng)


def _step(space: Space, column: int, place: int, rng: np.random.Generator) -> int:
    """Move to another value of a variable, if it has one."""
    size = space.shape[column]
    if not space.variables[column].ordered:
        return int(rng.integers(size))
    moved = place + (1 if rng.random() < 0.5 else -1)
    return moved if 0 <= moved < size else place
