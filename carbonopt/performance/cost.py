"""Energy and latency of a batch of mappings of one layer."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from carbonopt.arrays import Floats, Ints
from carbonopt.hardware.imc import ImcMacro
from carbonopt.hardware.machine import OPERANDS
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
from carbonopt.mapping.tables import writing_cycles
from carbonopt.mapping.task import MappingTask
from carbonopt.mapping.tiles import RELEVANCE, prefix_tiles
from carbonopt.performance.array import array_energy, written_rows
from carbonopt.performance.loading import loading_cycles
from carbonopt.performance.stalls import stall_cycles

_NO_WEIGHTS = np.array([1.0, 0.0, 1.0])  # of I, W, O


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
    fractional, whole = task.unrolled(mappings.unrollings)
    mean = traffic = layer_traffic(task, merged, fractional)
    accesses = _accesses(task, merged, mean, fractional)
    if not np.array_equal(fractional, whole):
        traffic = layer_traffic(task, merged, whole)
    _, wide = task.port_bits(mappings.unrollings)
    needed = np.ceil(traffic.amount * traffic.width / wide[mappings.which])
    port_stall, stall = _stall(task, merged, mean, traffic, needed)
    passes = task.machine.array.passes
    total = mappings.sizes.prod(axis=1, dtype=np.float64)
    onload, offload = loading_cycles(
        task.levels, task.ports, task.storage.links, _loaded_inputs(task),
        task.machine.variant.overlapped_loading, wide, mappings.which, passes, total, stall,
        needed, traffic.amount, traffic.period, traffic.width, traffic.tile,
    )  # fmt: skip
    return MappedCost(
        _array_energy(task, mappings), accesses, _memory_energy(task, accesses), total * passes,
        port_stall, stall, onload, offload, _drain(task, mappings),
    )  # fmt: skip


def _array_energy(task: MappingTask, mappings: Mappings) -> dict[str, Floats]:
    """Energy of the array by part, for each mapping (n,) [pJ]."""
    each = [array_energy(task.layer, task.machine, used) for used in mappings.unrollings]
    return {part: np.array([parts[part] for parts in each])[mappings.which] for part in each[0]}


def _drain(task: MappingTask, mappings: Mappings) -> Floats:
    """Cycles until the last results have left a systolic array (n,): its used length less 1."""
    systolic = task.machine.systolic
    each = [
        sum(math.ceil(used.product(array_dim)) - 1 for array_dim in systolic)
        for used in (unrolling.as_asked for unrolling in mappings.unrollings)
    ]
    return np.array(each, dtype=np.float64)[mappings.which]


def layer_traffic(task: MappingTask, merged: Mappings, spatial: Floats) -> Traffic:
    """Transfers of n mappings under one set of unrolled sizes."""
    which, dims, sizes = merged.which, merged.dims, merged.sizes
    tiles = prefix_tiles(task.levels, spatial, which, task.geometry, dims, sizes)
    return count_transfers(
        RELEVANCE, task.levels, spatial, which, task.bits, dims, sizes, merged.cuts, tiles
    )


def _accesses(task: MappingTask, merged: Mappings, traffic: Traffic, spatial: Floats) -> Floats:
    """Full-width accesses of all transfers (n, 3, depth, 4).

    words = ceil(amount bits / grain) (grain / bandwidth) count instances.
    """
    grain, bandwidth = (bits[merged.which] for bits in task.port_bits(merged.unrollings))
    count = merged.sizes.prod(axis=1)[:, None, None, None] // traffic.period
    accesses: Floats = np.ceil(traffic.amount * traffic.width / grain) * (grain / bandwidth)
    accesses *= count
    accesses *= instance_counts(task.levels, spatial)[merged.which][..., None]
    return np.trunc(accesses) if task.machine.variant.whole_accesses else accesses


def _memory_energy(task: MappingTask, accesses: Floats) -> Floats:
    """Energy of all accesses (n, 3, depth) [pJ]."""
    reads = accesses[..., TO_BELOW] + accesses[..., TO_ABOVE]
    writes = accesses[..., FROM_ABOVE] + accesses[..., FROM_BELOW]
    energy: Floats = reads * task.storage.read_pj + writes * task.storage.write_pj
    return energy


def waits_for_ports(task: MappingTask) -> bool:
    """Whether the array waits for ports, and not for rows of new weights alone."""
    machine = task.machine
    return not isinstance(machine.array, ImcMacro) or machine.variant.macros_wait_for_ports


def _loaded_inputs(task: MappingTask) -> int:
    """Count the inputs whose first load is no part of the waiting: I, or I and W."""
    waited = not waits_for_ports(task) and task.machine.variant.loading_in_latency
    return 1 if waited else 2


def _claims(task: MappingTask) -> Ints:
    """Operands in the order in which they claim room for a second tile."""
    variant = task.machine.variant
    swapped = variant.inputs_before_weights and task.layer.kind != "conv"
    inputs = (0, 1) if swapped else (1, 0)
    outputs = (2,) if variant.outputs_double_buffered else ()
    return np.array((*outputs, *inputs), dtype=np.int64)


def _stall(
    task: MappingTask, merged: Mappings, mean: Traffic, traffic: Traffic, needed: Floats
) -> tuple[Floats, Floats]:
    """Cycles of waiting by port (n, ports) and overall (n,).

    Ports work in parallel, so the slowest one counts. A macro that does not wait for its weights
    at ports waits for them to be written, see `_writing`; for inputs and outputs it waits only
    where their bandwidths are given.
    """
    by_port = np.zeros((len(merged.dims), task.ports.max() + 1))
    at_ports = waits_for_ports(task)
    if at_ports or task.machine.waits_for_activations:
        waited = np.ones(len(OPERANDS)) if at_ports else _NO_WEIGHTS
        by_port = stall_cycles(
            RELEVANCE, task.levels, task.memory, task.capacity(merged.unrollings), merged.which,
            task.ports, _claims(task), task.machine.array.passes,
            merged.dims, merged.sizes, merged.cuts, traffic.amount * waited[:, None, None],
            needed, traffic.period, traffic.width, mean.tile,
        )  # fmt: skip
    stall = np.maximum(by_port.max(axis=1), 0.0)
    if not at_ports and task.levels[1] > 1:
        writing = _writing(task, merged, mean)
        by_port[:, task.ports[1, 0, FROM_ABOVE]] = writing
        stall += writing
    return by_port, stall


def _writing(task: MappingTask, merged: Mappings, mean: Traffic) -> Floats:
    """Cycles that a macro waits for new weights (n,): rows of each weight of a group, or bits.

    Rows and bits are those of units filled on average.
    """
    machine, sent = task.machine, (slice(None), 1, 1, TO_BELOW)
    rows = [
        written_rows(task.layer, each, machine) * machine.row_cycles for each in merged.unrollings
    ]
    _, wide = task.port_bits(merged.unrollings)
    bits = mean.amount[sent] * mean.width[sent]
    period = mean.period[:, 1, 0, FROM_ABOVE]
    computing = np.ceil(period * machine.array.passes) if machine.overlapped_writing else 0.0
    return writing_cycles(
        np.array(rows)[merged.which] * mean.tile[:, 1, 0],
        np.ceil(bits / wide[merged.which][sent]),
        merged.sizes.prod(axis=1) // period, computing,
    )  # fmt: skip
