"""The nodes of a mapping, where a tile is kept, and what each tile costs there.

A node is a memory level of an operand below its outermost one, or the latch of an input at the
multipliers (level -1). A level that keeps a tile T passes it up or down N / |T| times, with N
passes in all, so that whatever a mapping costs at a node depends on the tile there alone.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from carbonopt.arrays import Floats, Ints
from carbonopt.hardware.machine import OPERANDS
from carbonopt.mapping.access import FROM_ABOVE, FROM_BELOW, TO_ABOVE, TO_BELOW
from carbonopt.mapping.storage import Storage

OUTPUT = OPERANDS.index("O")
WAYS = np.array([FROM_ABOVE, TO_BELOW, FROM_BELOW, TO_ABOVE])
"""Ways across a node's upper boundary: into it, out of and into the level above, out of it."""
_UPPER = np.array([0, 1, 1, 0])  # levels above the node's own at which each way is an access


class Nodes:
    """The nodes of a memory hierarchy, operand by operand, innermost first."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        found = [
            (o, level)
            for o, levels in enumerate(storage.levels)
            for level in range(0 if o == OUTPUT else -1, int(levels) - 1)
        ]
        self.operand = np.array([o for o, _ in found], dtype=np.int64)
        self.level = np.array([level for _, level in found], dtype=np.int64)

    @cached_property
    def counts(self) -> Ints:
        """Nodes of each operand (3,)."""
        return np.bincount(self.operand, minlength=len(OPERANDS))

    @cached_property
    def inner(self) -> Ints:
        """Memory level of each node, 0 for a latch (v,)."""
        return np.maximum(self.level, 0)

    @cached_property
    def memory(self) -> Ints:
        """Memory of each node (v,); -1 for a latch."""
        return np.where(self.level < 0, -1, self.storage.memory[self.operand, self.inner])

    @cached_property
    def picked(self) -> tuple[Ints, Ints, Ints]:
        """Operand, level and direction of the access of each way, (v, 4) each."""
        level = np.maximum(self.level[:, None] + _UPPER, 0)
        operand = np.repeat(self.operand[:, None], len(WAYS), axis=1)
        return operand, level, np.repeat(WAYS[None], len(level), axis=0)

    @cached_property
    def ports(self) -> Ints:
        """Port of each way (v, 4); -1 where none, as for all ways but one of a latch."""
        ports: Ints = self.storage.ports[self.picked]
        ports[(self.level < 0)[:, None] & (WAYS != TO_BELOW)] = -1
        return ports

    @cached_property
    def pj(self) -> Floats:
        """Energy of an access of each way (v, 4) [pJ]."""
        operand, level, way = self.picked
        reading = (way == TO_BELOW) | (way == TO_ABOVE)
        read, write = self.storage.read_pj, self.storage.write_pj
        energy: Floats = np.where(reading, read[operand, level], write[operand, level])
        return energy
