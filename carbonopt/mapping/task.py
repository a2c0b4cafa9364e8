"""One layer on one machine as arrays: what every mapping of it shares."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from carbonopt.arrays import Bools, Floats, Ints
from carbonopt.hardware.imc import ImcMacro
from carbonopt.hardware.machine import OPERANDS, Machine
from carbonopt.mapping.residency import Hierarchy
from carbonopt.mapping.spatial import Unrolling, Unrollings
from carbonopt.mapping.storage import Storage
from carbonopt.workload.layer import Layer


class MappingTask:
    """A layer to be mapped onto the memories that hold its operands.

    Parameters
    ----------
    layer, machine, hierarchy
        What is mapped, onto what, and which memories (positions) hold each operand.
    storage
        The last two as arrays, for tasks that share them.
    """

    def __init__(
        self, layer: Layer, machine: Machine, hierarchy: Hierarchy, storage: Storage | None = None
    ) -> None:
        self.layer = layer
        self.machine = machine
        self.hierarchy = hierarchy
        self.storage = storage or Storage(machine, hierarchy)

    @property
    def levels(self) -> Ints:
        """Memory levels of each operand (3,)."""
        return self.storage.levels

    @property
    def depth(self) -> int:
        """Memory levels of the operand that has the most."""
        return self.storage.depth

    @property
    def memory(self) -> Ints:
        """Memory of each operand and level (3, depth); 0 beyond its levels."""
        return self.storage.memory

    @property
    def ports(self) -> Ints:
        """Physical port of each transfer (3, depth, 4 directions); -1 where none."""
        return self.storage.ports

    @cached_property
    def geometry(self) -> Floats:
        """Stride, dilation, input size, whole positions only, along x and y (2, 4)."""
        layer = self.layer
        axes = zip(layer.stride, layer.dilation, layer.input_size, strict=True)
        whole = self.machine.variant.whole_positions
        return np.array([(*axis, whole) for axis in axes], dtype=np.float64)

    @cached_property
    def bits(self) -> Floats:
        """Bits that are kept and moved per element of I, W, partial sum and final output (4,)."""
        layer = self.layer
        bits = (layer.input_bits, layer.stored_weight_bits, layer.psum_bits, layer.output_bits)
        return np.array(bits, dtype=np.float64)

    @property
    def waits_for_ports(self) -> bool:
        """Whether the array waits for ports, and not for rows of new weights alone."""
        machine = self.machine
        return not isinstance(machine.array, ImcMacro) or machine.variant.macros_wait_for_ports

    @property
    def at_ports(self) -> Bools:
        """Operands for which the array waits at the ports (3,)."""
        waited = np.full(len(OPERANDS), self.waits_for_ports or self.machine.waits_for_activations)
        waited[OPERANDS.index("W")] = self.waits_for_ports
        return waited

    @property
    def loads_apart(self) -> bool:
        """Whether the latency has first loads and last stores before and after computing."""
        variant = self.machine.variant
        return variant.loading_in_latency and not variant.overlapped_loading

    def arrays(self, unrollings: Sequence[Unrolling]) -> Unrollings:
        """Return unrollings as arrays."""
        return Unrollings.of(unrollings, tuple(self.machine.shape))
