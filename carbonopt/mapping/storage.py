"""The memories that hold the operands of a layer, as arrays."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from carbonopt.arrays import Bools, Floats, Ints
from carbonopt.hardware.machine import DIRECTIONS, OPERANDS, Machine
from carbonopt.mapping.residency import Hierarchy
from carbonopt.mapping.spatial import Unrollings
from carbonopt.workload.layer import DIMS


class Storage:
    """A machine, and which of its memories hold each operand.

    Parameters
    ----------
    machine, hierarchy
        The machine, and the memories (positions) of each operand, innermost first.
    """

    def __init__(self, machine: Machine, hierarchy: Hierarchy) -> None:
        self.machine = machine
        self.hierarchy = hierarchy

    @cached_property
    def levels(self) -> Ints:
        """Memory levels of each operand (3,)."""
        return np.array([len(self.hierarchy[o]) for o in OPERANDS], dtype=np.int64)

    @cached_property
    def depth(self) -> int:
        """Memory levels of the operand that has the most."""
        return int(self.levels.max())

    @cached_property
    def memory(self) -> Ints:
        """Memory of each operand and level (3, depth); 0 beyond its levels."""
        memory = np.zeros((len(OPERANDS), self.depth), dtype=np.int64)
        for o, operand in enumerate(OPERANDS):
            memory[o, : self.levels[o]] = self.hierarchy[operand]
        return memory

    @cached_property
    def links(self) -> Ints:
        """Every transfer as physical port, operand, level, direction (t, 4).

        Ports are numbered memory by memory; those of one port stand in the order in which it
        serves them.
        """
        level = {
            (operand, m): i
            for operand, memories in self.hierarchy.items()
            for i, m in enumerate(memories)
        }
        numbers: dict[tuple[int, str], int] = {}
        found = []
        for m, memory in enumerate(self.machine.memories):
            for operand, served in memory.ports.items():
                for direction, port in served.items() if (operand, m) in level else ():
                    number = numbers.setdefault((m, port.name), len(numbers))
                    where = (level[operand, m], DIRECTIONS.index(direction))
                    found.append((number, OPERANDS.index(operand), *where))
        return np.array(sorted(found, key=lambda link: link[0]), dtype=np.int64)

    @cached_property
    def ports(self) -> Ints:
        """Physical port of each transfer (3, depth, 4 directions); -1 where none."""
        ports = np.full((len(OPERANDS), self.depth, len(DIRECTIONS)), -1, dtype=np.int64)
        ports[tuple(self.links[:, 1:].T)] = self.links[:, 0]
        return ports

    @cached_property
    def port_names(self) -> list[str]:
        """Name of each physical port, `memory.port`, in the order of their numbers."""
        names = {}
        for number, o, level, direction in self.links:
            memory = self.machine.memories[self.memory[o, level]]
            port = memory.ports[OPERANDS[o]][DIRECTIONS[direction]]
            names[int(number)] = f"{memory.name}.{port.name}"
        return [names[number] for number in sorted(names)]

    @cached_property
    def port_bits(self) -> Floats:
        """Narrowest and widest access of each transfer (2, 3, depth, 4) [bit]; 1 where none."""
        bits = np.ones((2, *self.ports.shape))
        for _, o, level, direction in self.links:
            memory = self.machine.memories[self.memory[o, level]]
            port = memory.ports[OPERANDS[o]][DIRECTIONS[direction]]
            bits[:, o, level, direction] = port.narrow_bits, port.wide_bits
        return bits

    @cached_property
    def doubled(self) -> Bools:
        """Memories in which tiles that are replaced take twice their size (m,)."""
        return np.array([memory.double_buffered for memory in self.machine.memories])

    @cached_property
    def places(self) -> Ints:
        """Level below which loops along each array dimension are unrolled (3, array dimensions).

        The lowest level whose instances serve the array dimension; the number of levels if none.
        """
        places = [
            [
                next(
                    (
                        i
                        for i, m in enumerate(levels)
                        if array_dim in self.machine.memories[m].served
                    ),
                    len(levels),
                )
                for array_dim in self.machine.shape
            ]
            for levels in (self.hierarchy[operand] for operand in OPERANDS)
        ]
        return np.array(places, dtype=np.int64)

    def spread(self, sizes: Floats) -> Floats:
        """Place unrolled sizes (u, array dimensions, 8) between the levels of each operand.

        Returns
        -------
        ndarray
            (u, 3, depth + 1, 8), as `carbonopt.mapping.tiles.prefix_tiles` takes them.
        """
        placed = np.ones((len(sizes), len(OPERANDS), self.depth + 1, len(DIMS)))
        for o, levels in enumerate(self.places):
            for a, level in enumerate(levels):
                placed[:, o, level] *= sizes[:, a]
        return placed

    @cached_property
    def read_pj(self) -> Floats:
        """Energy of reading from each operand's levels (3, depth) [pJ]."""
        return np.array([memory.read_pj for memory in self.machine.memories])[self.memory]

    @cached_property
    def write_pj(self) -> Floats:
        """Energy of writing to each operand's levels (3, depth) [pJ]."""
        return np.array([memory.write_pj for memory in self.machine.memories])[self.memory]

    @cached_property
    def size_bits(self) -> Floats:
        """Capacity of one instance of each memory (m,) [bit]."""
        return np.array([memory.size_bits for memory in self.machine.memories], dtype=np.float64)

    def capacity(self, unrollings: Unrollings) -> Floats:
        """Return the capacity of each memory (u, m) [bit]."""
        capacity = np.tile(self.size_bits, (len(unrollings), 1))
        capacity[:, self.memory[0, 0]] *= self.copies(unrollings)
        return capacity

    def access_bits(self, unrollings: Unrollings) -> Floats:
        """Return narrowest and widest access of each transfer (2, u, 3, depth, 4) [bit]."""
        bits = np.repeat(self.port_bits[:, None], len(unrollings), axis=1)
        bits[:, :, 0, 0] *= self.copies(unrollings)[:, None]
        return bits

    def copies(self, unrollings: Unrollings) -> Floats:
        """Count how often the innermost input memory is widened (u,).

        Output positions unrolled along the columns need as many inputs side by side.
        """
        return unrollings.positions if self.machine.diagonal else np.ones(len(unrollings))
