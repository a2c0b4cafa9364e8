"""One layer on one machine as arrays: what every mapping of it shares."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from carbonopt.arrays import Floats, Ints
from carbonopt.hardware.machine import OPERANDS, Machine, Memory
from carbonopt.mapping.residency import Hierarchy
from carbonopt.mapping.spatial import Unrolling, spatial_arrays
from carbonopt.mapping.tiles import MAX_LEVELS
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
    def memory(self) -> Ints:
        """Memory of each operand and level (3, MAX_LEVELS); 0 beyond its levels."""
        memory = np.zeros((len(OPERANDS), MAX_LEVELS), dtype=np.int64)
        for o, operand in enumerate(OPERANDS):
            memory[o, : self.levels[o]] = self.hierarchy[operand]
        return memory

    @cached_property
    def ports(self) -> Ints:
        """Physical port of each transfer (3, MAX_LEVELS, 4 directions); -1 where none."""
        ports = np.full((len(OPERANDS), MAX_LEVELS, 4), -1, dtype=np.int64)
        numbers: dict[tuple[int, str], int] = {}
        for o, operand in enumerate(OPERANDS):
            for level, m in enumerate(self.hierarchy[operand]):
                for direction, port in enumerate(self.machine.memories[m].ports[operand]):
                    if port:
                        ports[o, level, direction] = numbers.setdefault((m, port), len(numbers))
        return ports

    @cached_property
    def geometry(self) -> Floats:
        """Stride, dilation and input size along x and y (2, 3)."""
        layer = self.layer
        axes = zip(layer.stride, layer.dilation, layer.input_size, strict=True)
        return np.array(list(axes), dtype=np.float64)

    @cached_property
    def bits(self) -> Ints:
        """Precision of I, W, partial sum and final output (4,) [bit]."""
        layer = self.layer
        bits = (layer.input_bits, layer.weight_bits, layer.psum_bits, layer.output_bits)
        return np.array(bits, dtype=np.int64)

    def unrolled(self, unrollings: Sequence[Unrolling]) -> tuple[Floats, Floats]:
        """Return fractional and whole unrolled sizes (u, 3, MAX_LEVELS + 1, 8)."""
        pairs = [spatial_arrays(each, self.machine, self.hierarchy) for each in unrollings]
        fractional, whole = zip(*pairs, strict=True)
        return np.stack(fractional), np.stack(whole)

    def per_memory(self, attribute: str, unrollings: Sequence[Unrolling]) -> Floats:
        """Return a size or width of each memory (u, m), the input register's widened.

        Output positions unrolled along the columns need as many inputs side by side.
        """
        memories: tuple[Memory, ...] = self.machine.memories
        values = np.array([getattr(memory, attribute) for memory in memories], dtype=np.float64)
        scaled = np.tile(values, (len(unrollings), 1))
        scaled[:, self.memory[0, 0]] *= [each.diagonal for each in unrollings]
        return scaled

    def per_access(self, attribute: str) -> Floats:
        """Return an energy of each operand's levels (3, MAX_LEVELS) [pJ]."""
        memories = self.machine.memories
        return np.array([getattr(memory, attribute) for memory in memories])[self.memory]
