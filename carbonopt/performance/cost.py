"""Energy and latency of a batch of mappings of one layer that share their unrolling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from carbonopt.arrays import Floats
from carbonopt.hardware.imc import ImcMacro
from carbonopt.mapping.access import (
    FROM_ABOVE,
    FROM_BELOW,
    TO_ABOVE,
    TO_BELOW,
    Traffic,
    count_transfers,
    instance_counts,
    merge_stationary,
)
from carbonopt.mapping.candidates import Mappings
from carbonopt.mapping.spatial import spatial_arrays
from carbonopt.mapping.task import MappingTask
from carbonopt.mapping.tiles import MAX_LEVELS, RELEVANCE, prefix_tiles
from carbonopt.performance.array import accumulated_rows, array_energy
from carbonopt.performance.stalls import stall_cycles


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

    def take(self, row: int) -> MappedCost:
        """Return the cost of one mapping as a batch of one."""
        here = slice(row, row + 1)
        per_mapping = (self.memory_pj, self.stall, self.onload, self.offload)
        memory_pj, stall, onload, offload = (values[here] for values in per_mapping)
        return MappedCost(self.array_pj, memory_pj, self.compute_cycles, stall, onload, offload)

    @property
    def energy_pj(self) -> Floats:
        """Energy of each mapping (n,) [pJ]."""
        energy: Floats = sum(self.array_pj.values()) + self.memory_pj.sum(axis=(1, 2))
        return energy

    def cycles(self, *, loading: bool) -> Floats:
        """Latency of each mapping (n,) [cycles], with or without first loads and last store."""
        running = self.compute_cycles + self.stall
        return running + self.onload + self.offload if loading else running


def mapped_cost(task: MappingTask, mappings: Mappings) -> MappedCost:
    """Cost of n mappings of one layer.

    Energy counts fractional unrollings (means over the passes), latency whole ones.

    References
    ----------
    .. [1] CarbonSpot, mapping/combined_mapping.py, cost_model/cost_model.py and
       cost_model_for_sram_imc.py.
    """
    unrolling, cuts = mappings.unrolling, mappings.cuts.copy()
    merge_stationary(RELEVANCE, task.levels, mappings.dims, cuts)
    merged = Mappings(unrolling, mappings.dims, mappings.sizes, cuts)
    fractional, whole = spatial_arrays(unrolling, task.machine, task.hierarchy)
    traffic = _traffic(task, merged, fractional)
    memory_pj = _memory_energy(task, merged, traffic, fractional)
    tile = traffic.tile
    if not np.array_equal(fractional, whole):
        traffic = _traffic(task, merged, whole)
    bandwidth = task.per_memory("bandwidth_bits", unrolling)[task.memory][None, :, :, None]
    needed = np.ceil(traffic.amount * traffic.width / bandwidth)
    onload, offload = _loading(task, needed)
    compute = float(np.prod(mappings.sizes[0])) * task.machine.array.passes
    energy = array_energy(task.layer, task.machine, unrolling)
    stall = _stall(task, merged, traffic, needed, tile)
    return MappedCost(energy, memory_pj, compute, stall, onload, offload)


def _traffic(task: MappingTask, merged: Mappings, spatial: Floats) -> Traffic:
    """Transfers of n mappings under one set of unrolled sizes."""
    dims, sizes = merged.dims, merged.sizes
    tiles = prefix_tiles(spatial, task.geometry, dims, sizes)
    return count_transfers(
        RELEVANCE, task.levels, spatial, task.bits, dims, sizes, merged.cuts, tiles
    )


def _memory_energy(
    task: MappingTask, merged: Mappings, traffic: Traffic, spatial: Floats
) -> Floats:
    """Energy of all transfers (n, 3, MAX_LEVELS) [pJ].

    words = ceil(amount bits / grain) (grain / bandwidth) count instances.
    """
    places = task.memory
    grain = task.per_memory("granularity_bits", merged.unrolling)[places][None, :, :, None]
    bandwidth = task.per_memory("bandwidth_bits", merged.unrolling)[places][None, :, :, None]
    count = np.prod(merged.sizes[0]) // traffic.period
    accesses = np.ceil(traffic.amount * traffic.width / grain) * (grain / bandwidth) * count
    accesses *= instance_counts(task.levels, spatial)[None, :, :, None]
    reads = accesses[..., TO_BELOW] + accesses[..., TO_ABOVE]
    writes = accesses[..., FROM_ABOVE] + accesses[..., FROM_BELOW]
    energy: Floats = reads * task.per_access("read_pj") + writes * task.per_access("write_pj")
    return energy


def _loading(task: MappingTask, needed: Floats) -> tuple[Floats, Floats]:
    """First loads of inputs and weights, and the last store of outputs (n,) [cycles].

    Each boundary takes the slower of its two sides; the two inputs load at the same time.
    """
    down = np.maximum(needed[:, :2, :-1, FROM_ABOVE], needed[:, :2, 1:, TO_BELOW])
    up = np.maximum(needed[:, 2, :-1, TO_ABOVE], needed[:, 2, 1:, FROM_BELOW])
    boundaries = np.arange(MAX_LEVELS - 1)
    down = np.where(boundaries < task.levels[:2, None] - 1, down, 0.0)
    up = np.where(boundaries < task.levels[2] - 1, up, 0.0)
    return down.sum(axis=2).max(axis=1), up.sum(axis=1)


def _stall(
    task: MappingTask, merged: Mappings, traffic: Traffic, needed: Floats, tile: Floats
) -> Floats:
    """Cycles of waiting (n,): for ports, or in a macro for new weights, one row per cycle."""
    if not isinstance(task.machine.array, ImcMacro):
        return stall_cycles(
            RELEVANCE, task.levels, task.memory, task.per_memory("size_bits", merged.unrolling),
            task.ports, merged.dims, merged.sizes, merged.cuts,
            traffic.amount, needed, traffic.period, traffic.width, tile,
        )  # fmt: skip
    if task.levels[1] == 1:
        return np.zeros(len(merged.dims))
    shared = task.machine.variant.pointwise_rows_shared
    _, rows = accumulated_rows(merged.unrolling, pointwise_shared=shared)
    loads: Floats = np.prod(merged.sizes[0]) // traffic.period[:, 1, 0, FROM_ABOVE]
    return loads * rows
