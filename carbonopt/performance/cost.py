"""Energy and latency of a batch of mappings of one layer."""

from __future__ import annotations

import dataclasses
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
from carbonopt.mapping.task import MappingTask
from carbonopt.mapping.tiles import MAX_LEVELS, RELEVANCE, prefix_tiles
from carbonopt.performance.array import accumulated_rows, array_energy
from carbonopt.performance.stalls import stall_cycles


@dataclass(frozen=True)
class MappedCost:
    """What n mappings of one layer cost.

    Parameters
    ----------
    array_pj
        Energy of the array by part (n,) [pJ].
    memory_pj
        Energy by operand and memory level (n, 3, MAX_LEVELS) [pJ].
    compute_cycles
        Cycles of computing without any wait (n,).
    stall, onload, offload
        Cycles of waiting, of the first loads and of the last store (n,).
    """

    array_pj: dict[str, Floats]
    memory_pj: Floats
    compute_cycles: Floats
    stall: Floats
    onload: Floats
    offload: Floats

    def take(self, row: int) -> MappedCost:
        """Return the cost of one mapping as a batch of one."""
        here = slice(row, row + 1)
        array_pj = {part: values[here] for part, values in self.array_pj.items()}
        others = (self.memory_pj, self.compute_cycles, self.stall, self.onload, self.offload)
        memory_pj, compute, stall, onload, offload = (values[here] for values in others)
        return MappedCost(array_pj, memory_pj, compute, stall, onload, offload)

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
    cuts = mappings.cuts.copy()
    merge_stationary(RELEVANCE, task.levels, mappings.dims, cuts)
    merged = dataclasses.replace(mappings, cuts=cuts)
    fractional, whole = task.unrolled(mappings.unrollings)
    traffic = _traffic(task, merged, fractional)
    memory_pj = _memory_energy(task, merged, traffic, fractional)
    tile = traffic.tile
    if not np.array_equal(fractional, whole):
        traffic = _traffic(task, merged, whole)
    needed = np.ceil(traffic.amount * traffic.width / _widths(task, merged, "bandwidth_bits"))
    onload, offload = _loading(task, needed)
    compute = mappings.sizes.prod(axis=1, dtype=np.float64) * task.machine.array.passes
    stall = _stall(task, merged, traffic, needed, tile)
    return MappedCost(_array_energy(task, mappings), memory_pj, compute, stall, onload, offload)


def _array_energy(task: MappingTask, mappings: Mappings) -> dict[str, Floats]:
    """Energy of the array by part, for each mapping (n,) [pJ]."""
    each = [array_energy(task.layer, task.machine, used) for used in mappings.unrollings]
    return {part: np.array([parts[part] for parts in each])[mappings.which] for part in each[0]}


def _widths(task: MappingTask, mappings: Mappings, attribute: str) -> Floats:
    """Return a width of each transfer's memory (n, 3, MAX_LEVELS, 1) [bit]."""
    widths = task.per_memory(attribute, mappings.unrollings)[mappings.which]
    return widths[:, task.memory][..., None]


def _traffic(task: MappingTask, merged: Mappings, spatial: Floats) -> Traffic:
    """Transfers of n mappings under one set of unrolled sizes."""
    which, dims, sizes = merged.which, merged.dims, merged.sizes
    tiles = prefix_tiles(task.levels, spatial, which, task.geometry, dims, sizes)
    return count_transfers(
        RELEVANCE, task.levels, spatial, which, task.bits, dims, sizes, merged.cuts, tiles
    )


def _memory_energy(
    task: MappingTask, merged: Mappings, traffic: Traffic, spatial: Floats
) -> Floats:
    """Energy of all transfers (n, 3, MAX_LEVELS) [pJ].

    words = ceil(amount bits / grain) (grain / bandwidth) count instances.
    """
    grain = _widths(task, merged, "granularity_bits")
    bandwidth = _widths(task, merged, "bandwidth_bits")
    count = merged.sizes.prod(axis=1)[:, None, None, None] // traffic.period
    accesses = np.ceil(traffic.amount * traffic.width / grain) * (grain / bandwidth) * count
    accesses *= instance_counts(task.levels, spatial)[merged.which][..., None]
    reads = accesses[..., TO_BELOW] + accesses[..., TO_ABOVE]
    writes = accesses[..., FROM_ABOVE] + accesses[..., FROM_BELOW]
    energy: Floats = reads * task.per_access("read_pj") + writes * task.per_access("write_pj")
    return energy


def _loading(task: MappingTask, needed: Floats) -> tuple[Floats, Floats]:
    """First loads of inputs and weights, and the last store of outputs (n,) [cycles].

    Each boundary takes the slower of its two sides; the two inputs load at the same time.
    """
    in_stall = isinstance(task.machine.array, ImcMacro) and task.machine.variant.loading_in_latency
    inputs = 1 if in_stall else 2
    down = np.maximum(needed[:, :inputs, :-1, FROM_ABOVE], needed[:, :inputs, 1:, TO_BELOW])
    up = np.maximum(needed[:, 2, :-1, TO_ABOVE], needed[:, 2, 1:, FROM_BELOW])
    boundaries = np.arange(MAX_LEVELS - 1)
    down = np.where(boundaries < task.levels[:inputs, None] - 1, down, 0.0)
    up = np.where(boundaries < task.levels[2] - 1, up, 0.0)
    return down.sum(axis=2).max(axis=1), up.sum(axis=1)


def _stall(
    task: MappingTask, merged: Mappings, traffic: Traffic, needed: Floats, tile: Floats
) -> Floats:
    """Cycles of waiting (n,): for ports, or in a macro for new weights, one row per cycle."""
    if not isinstance(task.machine.array, ImcMacro):
        capacity = task.per_memory("size_bits", merged.unrollings)
        return stall_cycles(
            RELEVANCE, task.levels, task.memory, capacity, merged.which, task.ports,
            merged.dims, merged.sizes, merged.cuts,
            traffic.amount, needed, traffic.period, traffic.width, tile,
        )  # fmt: skip
    if task.levels[1] == 1:
        return np.zeros(len(merged.dims))
    shared = task.machine.variant.pointwise_rows_shared
    rows = [accumulated_rows(each, pointwise_shared=shared)[1] for each in merged.unrollings]
    loads = merged.sizes.prod(axis=1) // traffic.period[:, 1, 0, FROM_ABOVE]
    return loads * np.array(rows)[merged.which]
