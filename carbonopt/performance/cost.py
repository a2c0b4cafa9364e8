"""Energy and latency of a batch of mappings of one layer."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from carbonopt.arrays import Floats, Ints
from carbonopt.hardware.machine import Machine
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
from carbonopt.mapping.node_costs import writing_cycles
from carbonopt.mapping.spatial import Unrollings
from carbonopt.mapping.task import MappingTask
from carbonopt.mapping.tiles import RELEVANCE, prefix_tiles
from carbonopt.performance.array import array_energy, writing_rows
from carbonopt.performance.loading import loading_cycles
from carbonopt.performance.stalls import stall_cycles


@dataclass(frozen=True)
class MappedCost:
    """What n mappings of one layer cost.

    Parameters
    ----------
    array_pj
        Energy of the array by part (n,) [pJ].
    accesses
        Full-width accesses by operand, level and direction, all instances (n, 3, depth, 4).
    memory_pj
        Energy by operand and memory level (n, 3, depth) [pJ].
    compute_cycles
        Cycles of computing without any wait (n,).
    port_stall
        Cycles that the array waits for each port, or slack if negative (n, ports).
    stall, onload, offload
        Cycles of waiting, of the first loads and of the last store (n,).
    drain
        Cycles until the last results have left a systolic array (n,).
    """

    array_pj: dict[str, Floats]
    accesses: Floats
    memory_pj: Floats
    compute_cycles: Floats
    port_stall: Floats
    stall: Floats
    onload: Floats
    offload: Floats
    drain: Floats

    def take(self, row: int) -> MappedCost:
        """Return the cost of one mapping as a batch of one."""
        here = slice(row, row + 1)
        array_pj = {part: values[here] for part, values in self.array_pj.items()}
        names = [field.name for field in dataclasses.fields(self)[1:]]
        return MappedCost(array_pj, *(getattr(self, name)[here] for name in names))

    @property
    def energy_pj(self) -> Floats:
        """Energy of each mapping (n,) [pJ]."""
        energy: Floats = sum(self.array_pj.values()) + self.memory_pj.sum(axis=(1, 2))
        return energy

    def cycles(self, *, loading: bool) -> Floats:
        """Latency of each mapping (n,) [cycles], with or without loads, stores and drain."""
        running = self.compute_cycles + self.stall
        return running + self.onload + self.offload + self.drain if loading else running


def mapped_cost(task: MappingTask, mappings: Mappings) -> MappedCost:
    """Cost of n mappings of one layer.

    Energy counts fractional unrollings (means over the passes), latency whole ones.

    References
    ----------
    .. [1] CarbonSpot, mapping/combined_mapping.py, cost_model/cost_model.py and
       cost_model_for_sram_imc.py.
    .. [2] zigzag-dse 3.9.1, mapping/mapping.py and cost_model/cost_model.py.
    """
    cuts = mappings.cuts.copy()
    merge_stationary(RELEVANCE, task.levels, mappings.dims, cuts)
    merged = dataclasses.replace(mappings, cuts=cuts)
    used = task.arrays(mappings.unrollings)
    fractional, whole = task.storage.spread(used.mean), task.storage.spread(used.whole)
    mean = traffic = layer_traffic(task, merged, fractional)
    accesses = _accesses(task, used, merged, mean)
    if not np.array_equal(fractional, whole):
        traffic = layer_traffic(task, merged, whole)
    _, wide = task.storage.access_bits(used)
    needed = np.ceil(traffic.amount * traffic.width / wide[mappings.which])
    port_stall, stall = _stall(task, used, merged, mean, traffic, needed)
    passes = task.machine.array.passes
    total = mappings.sizes.prod(axis=1, dtype=np.float64)
    onload, offload = loading_cycles(
        task.levels, task.ports, task.storage.links, _loaded_inputs(task),
        task.machine.variant.overlapped_loading, wide, mappings.which, passes, total, stall,
        needed, traffic.amount, traffic.period, traffic.width, traffic.tile,
    )  # fmt: skip
    array_pj = array_energy(task.layer, task.machine, used)
    return MappedCost(
        {part: values[mappings.which] for part, values in array_pj.items()}, accesses,
        _memory_energy(task, accesses), total * passes, port_stall, stall, onload, offload,
        drain_cycles(task.machine, used)[mappings.which],
    )  # fmt: skip


def drain_cycles(machine: Machine, unrollings: Unrollings) -> Floats:
    """Cycles until the last results have left a systolic array (u,): its used length less 1."""
    axes = [unrollings.names.index(array_dim) for array_dim in machine.systolic]
    lengths = unrollings.asked[:, axes].prod(axis=2, dtype=np.float64)
    drain: Floats = (lengths - 1).sum(axis=1)
    return drain


def layer_traffic(task: MappingTask, merged: Mappings, spatial: Floats) -> Traffic:
    """Transfers of n mappings under one set of unrolled sizes."""
    which, dims, sizes = merged.which, merged.dims, merged.sizes
    tiles = prefix_tiles(task.levels, spatial, which, task.geometry, dims, sizes)
    return count_transfers(
        RELEVANCE, task.levels, spatial, which, task.bits, dims, sizes, merged.cuts, tiles
    )


def _accesses(task: MappingTask, used: Unrollings, merged: Mappings, traffic: Traffic) -> Floats:
    """Full-width accesses of all transfers (n, 3, depth, 4).

    words = ceil(amount bits / grain) (grain / bandwidth) count instances.
    """
    grain, bandwidth = task.storage.access_bits(used)[:, merged.which]
    count = merged.sizes.prod(axis=1)[:, None, None, None] // traffic.period
    accesses: Floats = np.ceil(traffic.amount * traffic.width / grain) * (grain / bandwidth)
    accesses *= count
    accesses *= instance_counts(task.levels, task.storage.spread(used.mean))[
        merged.which, ..., None
    ]
    return np.trunc(accesses) if task.machine.variant.whole_accesses else accesses


def _memory_energy(task: MappingTask, accesses: Floats) -> Floats:
    """Energy of all accesses (n, 3, depth) [pJ]."""
    reads = accesses[..., TO_BELOW] + accesses[..., TO_ABOVE]
    writes = accesses[..., FROM_ABOVE] + accesses[..., FROM_BELOW]
    energy: Floats = reads * task.storage.read_pj + writes * task.storage.write_pj
    return energy


def _loaded_inputs(task: MappingTask) -> int:
    """Count the inputs whose first load is no part of the waiting: I, or I and W."""
    waited = not task.waits_for_ports and task.machine.variant.loading_in_latency
    return 1 if waited else 2


def _claims(task: MappingTask) -> Ints:
    """Operands in the order in which they claim room for a second tile."""
    variant = task.machine.variant
    swapped = variant.inputs_before_weights and task.layer.kind != "conv"
    inputs = (0, 1) if swapped else (1, 0)
    outputs = (2,) if variant.outputs_double_buffered else ()
    return np.array((*outputs, *inputs), dtype=np.int64)


def _stall(
    task: MappingTask,
    used: Unrollings,
    merged: Mappings,
    mean: Traffic,
    traffic: Traffic,
    needed: Floats,
) -> tuple[Floats, Floats]:
    """Cycles of waiting by port (n, ports) and overall (n,).

    Ports work in parallel, so the slowest one counts. A macro that does not wait for its weights
    at ports waits for them to be written, see `_writing`; for inputs and outputs it waits only
    where their bandwidths are given.
    """
    by_port = np.zeros((len(merged.dims), task.ports.max() + 1))
    if task.at_ports.any():
        waited = traffic.amount * task.at_ports[:, None, None]
        by_port = stall_cycles(
            RELEVANCE, task.levels, task.memory, task.storage.capacity(used), merged.which,
            task.ports, _claims(task), task.machine.array.passes,
            merged.dims, merged.sizes, merged.cuts, waited, needed, traffic.period, traffic.width,
            mean.tile,
        )  # fmt: skip
    stall = np.maximum(by_port.max(axis=1), 0.0)
    if not task.waits_for_ports and task.levels[1] > 1:
        writing = _writing(task, used, merged, mean)
        by_port[:, task.ports[1, 0, FROM_ABOVE]] = writing
        stall += writing
    return by_port, stall


def _writing(task: MappingTask, used: Unrollings, merged: Mappings, mean: Traffic) -> Floats:
    """Cycles that a macro waits for new weights (n,): rows of each weight of a group, or bits.

    Rows and bits are those of units filled on average.
    """
    machine, sent = task.machine, (slice(None), 1, 1, TO_BELOW)
    rows = writing_rows(task.layer, used, machine)
    _, wide = task.storage.access_bits(used)
    bits = mean.amount[sent] * mean.width[sent]
    period = mean.period[:, 1, 0, FROM_ABOVE]
    computing = np.ceil(period * machine.array.passes) if machine.overlapped_writing else 0.0
    waiting = writing_cycles(
        rows[merged.which] * mean.tile[:, 1, 0], np.ceil(bits / wide[merged.which][sent]),
        merged.sizes.prod(axis=1) // period, computing,
    )  # fmt: skip
    return np.asarray(waiting)
