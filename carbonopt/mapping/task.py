"""One layer on one machine as arrays: what every mapping of it shares."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from carbonopt.arrays import Bools, Floats, Ints
from carbonopt.hardware.machine import DIRECTIONS, OPERANDS, Machine
from carbonopt.mapping.residency import Hierarchy
from carbonopt.mapping.spatial import Unrolling, spatial_arrays
from carbonopt.workload.layer import Layer


class MappingTask:
    """A layer to be mapped onto the memories that hold its operands.

    Parameters
    ----------
    layer, machine, hierarchy
        What is mapped, onto what, and which memories (positions) hold each operand.
    """

    def __init__(self, layer: Layer, machine: Machine, hierarchy: Hierarchy) -> None:
        self.layer = layer
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
    def _port_bits(self) -> Floats:
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
    def geometry(self) -> Floats:
        """Stride, dilation, input size, whole positions only, along x and y (2, 4)."""
        layer = self.layer
        axes = zip(layer.stride, layer.dilation, layer.input_size, strict=True)
        whole = self.machine.variant.whole_positions
        return np.array([(*axis, whole) for axis in axes], dtype=np.float64)

    @cached_property
    def bits(self) -> Ints:
        """Precision of I, W, partial sum and final output (4,) [bit]."""
        layer = self.layer
        bits = (layer.input_bits, layer.weight_bits, layer.psum_bits, layer.output_bits)
        return np.array(bits, dtype=np.int64)

    def unrolled(self, unrollings: Sequence[Unrolling]) -> tuple[Floats, Floats]:
        """Return fractional and whole unrolled sizes (u, 3, depth + 1, 8)."""
        pairs = [spatial_arrays(each, self.machine, self.hierarchy) for each in unrollings]
        fractional, whole = zip(*pairs, strict=True)
        return np.stack(fractional), np.stack(whole)

    def _copies(self, unrollings: Sequence[Unrolling]) -> Ints:
        """Count how often the innermost input memory is widened (u,).

        Output positions unrolled along the columns need as many inputs side by side.
        """
        columns = next(iter(self.machine.shape))
        copies = [each.positions(columns) if self.machine.diagonal else 1 for each in unrollings]
        return np.array(copies, dtype=np.int64)

    def capacity(self, unrollings: Sequence[Unrolling]) -> Floats:
        """Return the capacity of each memory (u, m) [bit]."""
        sizes = np.array([memory.size_bits for memory in self.machine.memories], dtype=np.float64)
        scaled = np.tile(sizes, (len(unrollings), 1))
        scaled[:, self.memory[0, 0]] *= self._copies(unrollings)
        return scaled

    def port_bits(self, unrollings: Sequence[Unrolling]) -> tuple[Floats, Floats]:
        """Return narrowest and widest access of each transfer (u, 3, depth, 4) [bit]."""
        bits = np.repeat(self._port_bits[:, None], len(unrollings), axis=1)
        bits[:, :, 0, 0] *= self._copies(unrollings)[:, None]
        return bits[0], bits[1]

    def per_access(self, attribute: str) -> Floats:
        """Return an energy of each operand's levels (3, depth) [pJ]."""
        memories = self.machine.memories
        return np.array([getattr(memory, attribute) for memory in memories])[self.memory]
