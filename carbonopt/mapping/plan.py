"""What all layers on one memory hierarchy share: nodes, their orders, shared memories."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from carbonopt.arrays import Bools, Ints
from carbonopt.hardware.machine import OPERANDS
from carbonopt.mapping.chains import Orders, Places
from carbonopt.mapping.nodes import OUTPUT, Nodes
from carbonopt.mapping.storage import Storage


class Plan:
    """The nodes of a memory hierarchy and the memories that they share.

    Attributes
    ----------
    storage, nodes, orders
        The hierarchy, its nodes, and the orders in which these can follow each other.
    top
        Memory that keeps each operand whole (3,).
    shared
        Memories whose room depends on more than one choice (shared,).
    memory
        Position in `shared` of each node's memory, or -1 (v,).
    last_output, whole_memory
        The output's outermost node, and the position in `shared` of the memory that keeps all
        outputs; -1 where there is none.
    places
        All that the search needs to know of it.
    """

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.nodes = Nodes(storage)
        self.orders = chain_orders(self.nodes.counts)
        self.top = [int(storage.memory[o, storage.levels[o] - 1]) for o in range(len(OPERANDS))]
        nodes = self.nodes
        inner = [int(m) for m in nodes.memory if m >= 0]
        used = [*inner, self.top[OUTPUT]]
        changing = nodes.memory[(nodes.operand == OUTPUT) & (nodes.level > 0)]
        found = {m for m in used if used.count(m) > 1} | {int(m) for m in changing}
        self.shared = np.array(sorted(found), dtype=np.int64)
        place = {int(m): i for i, m in enumerate(self.shared)}
        self.memory = np.array([place.get(int(m), -1) for m in nodes.memory], dtype=np.int64)
        outputs = np.flatnonzero(nodes.operand == OUTPUT)
        self.last_output = int(outputs[-1]) if len(outputs) else -1
        self.whole_memory = place.get(self.top[OUTPUT], -1) if len(outputs) else -1
        self.places = Places(
            nodes.operand, nodes.level, nodes.ports, self.memory, self.closed, self.last_output,
            self.whole_memory, len(storage.port_names),
        )  # fmt: skip

    @cached_property
    def placed(self) -> Ints:
        """Nodes of each operand that have their tile in a state (s, 3)."""
        return _states(self.nodes.counts)

    def _members(self) -> Iterator[tuple[Bools, Bools]]:
        """Visit the nodes of each shared memory (v,), and which have their tile (s, v)."""
        operand, counts = self.nodes.operand, self.nodes.counts
        rank = np.arange(len(operand)) - (np.cumsum(counts) - counts)[operand]
        has = self.placed[:, operand] > rank
        for m in range(len(self.shared)):
            members = self.memory == m
            if m == self.whole_memory:
                members[self.last_output] = True
            yield members, has

    @cached_property
    def closed(self) -> Bools:
        """Whether all nodes of a shared memory have their tiles in a state (s, shared)."""
        closed = [has[:, members].all(axis=1) for members, has in self._members()]
        return np.array(closed, dtype=bool).reshape(-1, len(self.orders.node)).T

    @cached_property
    def untouched(self) -> Bools:
        """Whether no node of a shared memory has its tile in a state (s, shared)."""
        touched = [has[:, members].any(axis=1) for members, has in self._members()]
        return ~np.array(touched, dtype=bool).reshape(-1, len(self.orders.node)).T


def chain_orders(counts: Ints) -> Orders:
    """Return the states of operands with so many nodes each (3,)."""
    shape, placed = counts + 1, _states(counts)
    strides = np.array([shape[1] * shape[2], shape[2], 1])
    left = placed < counts
    node = np.where(left, np.cumsum(counts) - counts + placed, -1)
    state = np.where(left, np.arange(len(placed))[:, None] + strides, -1)
    return Orders(node, state)


def _states(counts: Ints) -> Ints:
    """Return how many nodes of each operand have their tile in each state (s, 3)."""
    shape = counts + 1
    return np.stack(np.unravel_index(np.arange(shape.prod()), shape), axis=1)
