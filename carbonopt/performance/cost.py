"""Energy and latency of a batch of mappings of one layer that share their unrolling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from carbonopt.arrays import Floats, Ints
from carbonopt.hardware.imc import ImcMacro
from carbonopt.hardware.machine import OPERANDS, Machine
from carbonopt.mapping.access import (
    FROM_ABOVE,
    FROM_BELOW,
    MAX_LEVELS,
    RELEVANCE,
    TO_ABOVE,
    TO_BELOW,
    count_transfers,
    merge_stationary,
)
from carbonopt.mapping.residency import Hierarchy
from carbonopt.mapping.spatial import Unrolling, spatial_arrays
from carbonopt.performance.array import accumulated_rows, array_energy
from carbonopt.performance.stalls import stall_cycles
from carbonopt.workload.layer import Layer


@dataclass(frozen=True)
class MappedCost:
    """What n mappings of one layer with one unrolling cost.

    Parameters
    ----------
    array_pj
        Energy of the array by part, the same for all n [pJ].
    memory_pj
        Energy by operand and memory level (n, 3, MAX_LEVELS) [pJ].
    compute_cycles
        Cycles of computing without any wait, the same for all n.
    stall, onload, offload
        Cycles of waiting, of the first loads and of the last store (n,).
    """

    array_pj: dict[str, float]
    memory_pj: Floats
    compute_cycles: float
    stall: Floats
    onload: Floats
    offload: Floats

    @property
    def energy_pj(self) -> Floats:
        """Energy of each mapping (n,) [pJ]."""
        return sum(self.array_pj.values()) + self.memory_pj.sum(axis=(1, 2))

    def cycles(self, *, loading: bool) -> Floats:
        """Latency of each mapping (n,) [cycles], with or without first loads and last store."""
        running = self.compute_cycles + self.stall
        return running + self.onload + self.offload if loading else running


class LayerOnMachine:
    """One layer on one machine: the arrays that all of its mappings share.

    Parameters
    ----------
    layer, machine, hierarchy
        What is mapped, onto what, and which memories hold its operands.
    """

    def __init__(self, layer: Layer, machine: Machine, hierarchy: Hierarchy) -> None:
        self.layer = layer
        self.machine = machine
        self.hierarchy = hierarchy
        self.levels = np.array([len(hierarchy[o]) for o in OPERANDS], dtype=np.int64)
        self.memory = np.zeros((3, MAX_LEVELS), dtype=np.int64)
        self.ports = np.full((3, MAX_LEVELS, 4), -1, dtype=np.int64)
        names: dict[tuple[int, str], int] = {}
        for o, operand in enumerate(OPERANDS):
            for level, m in enumerate(hierarchy[operand]):
                self.memory[o, level] = m
                for direction, port in enumerate(machine.memories[m].ports[operand]):
                    if port:
                        number = names.setdefault((m, port), len(names))
                        self.ports[o, level, direction] = number
        axes = zip(layer.stride, layer.dilation, layer.input_size, strict=True)
        self.geometry = np.array(list(axes), dtype=np.float64)
        bits = (layer.input_bits, layer.weight_bits, layer.psum_bits, layer.output_bits)
        self.bits = np.array(bits, dtype=np.int64)
        memories = machine.memories
        self.capacity = np.array([m.size_bits for m in memories], dtype=np.float64)
        self.bandwidth = np.array([m.bandwidth_bits for m in memories], dtype=np.float64)
        self.grain = np.array([m.granularity_bits for m in memories], dtype=np.float64)
        self.read_pj = np.array([m.read_pj for m in memories], dtype=np.float64)
        self.write_pj = np.array([m.write_pj for m in memories], dtype=np.float64)

    def widened(self, per_memory: Floats, unrolling: Unrolling) -> Floats:
        """Scale a memory attribute where diagonal unrolling widens the input register."""
        scaled = per_memory.copy()
        scaled[self.memory[0, 0]] *= unrolling.diagonal
        return scaled

    def cost(self, unrolling: Unrolling, dims: Ints, sizes: Ints, cuts: Ints) -> MappedCost:
        """Cost of n mappings.

        Parameters
        ----------
        unrolling
            Shared by all.
        dims, sizes
            Temporal loops, innermost first (n, loops).
        cuts
            Loops at or below each level of each operand (n, 3, MAX_LEVELS).

        References
        ----------
        .. [1] CarbonSpot, mapping/combined_mapping.py, cost_model/cost_model.py and
           cost_model_for_sram_imc.py.
        """
        cuts = cuts.copy()
        merge_stationary(RELEVANCE, self.levels, dims, cuts)
        fractional, whole = spatial_arrays(unrolling, self.machine, self.hierarchy)
        traffic = count_transfers(
            RELEVANCE, self.levels, fractional, self.geometry, self.bits, dims, sizes, cuts
        )
        memory_pj = self._memory_energy(traffic, unrolling, sizes)
        amount, period, width, tile, _ = traffic
        if not np.array_equal(fractional, whole):
            amount, period, width, _, _ = count_transfers(
                RELEVANCE, self.levels, whole, self.geometry, self.bits, dims, sizes, cuts
            )
        bandwidth = self.widened(self.bandwidth, unrolling)
        needed = np.ceil(amount * width / bandwidth[self.memory][None, :, :, None])
        onload, offload = self._loading(needed)
        total = float(np.prod(sizes[0]))
        if isinstance(self.machine.array, ImcMacro):
            stall = self._weight_loading(unrolling, period, total)
        else:
            stall = stall_cycles(
                RELEVANCE, self.levels, self.memory, self.widened(self.capacity, unrolling),
                self.ports, dims, sizes, cuts, amount, needed, period, width, tile,
            )  # fmt: skip
        return MappedCost(
            array_energy(self.layer, self.machine, unrolling),
            memory_pj,
            total * self.machine.array.passes,
            stall,
            onload,
            offload,
        )

    def _memory_energy(
        self,
        traffic: tuple[Floats, Floats, Floats, Floats, Floats],
        unrolling: Unrolling,
        sizes: Ints,
    ) -> Floats:
        """Energy of all transfers (n, 3, MAX_LEVELS) [pJ].

        words = ceil(amount bits / grain) (grain / bandwidth) count instances.
        """
        amount, period, width, _, instances = traffic
        grain = self.widened(self.grain, unrolling)[self.memory][None, :, :, None]
        bandwidth = self.widened(self.bandwidth, unrolling)[self.memory][None, :, :, None]
        count = np.prod(sizes[0]) // period
        accesses = np.ceil(amount * width / grain) * (grain / bandwidth) * count
        accesses *= instances[None, :, :, None]
        reads = accesses[..., TO_BELOW] + accesses[..., TO_ABOVE]
        writes = accesses[..., FROM_ABOVE] + accesses[..., FROM_BELOW]
        energy: Floats = reads * self.read_pj[self.memory] + writes * self.write_pj[self.memory]
        return energy

    def _loading(self, needed: Floats) -> tuple[Floats, Floats]:
        """First loads of inputs and weights, and the last store of outputs (n,) [cycles].

        Each boundary takes the slower of its two sides; the two inputs load at the same time.
        """
        down = np.maximum(needed[:, :2, :-1, FROM_ABOVE], needed[:, :2, 1:, TO_BELOW])
        up = np.maximum(needed[:, 2, :-1, TO_ABOVE], needed[:, 2, 1:, FROM_BELOW])
        levels = np.arange(MAX_LEVELS - 1)
        down = np.where(levels < self.levels[:2, None] - 1, down, 0.0)
        up = np.where(levels < self.levels[2] - 1, up, 0.0)
        return down.sum(axis=2).max(axis=1), up.sum(axis=1)

    def _weight_loading(self, unrolling: Unrolling, period: Floats, total: float) -> Floats:
        """Cycles in which a macro waits for new weights, one row per cycle (n,)."""
        if self.levels[1] == 1:
            return np.zeros(len(period))
        _, rows = accumulated_rows(unrolling)
        loads: Floats = total // period[:, 1, 0, FROM_ABOVE]
        return loads * rows
