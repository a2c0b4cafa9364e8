"""A mapping that somebody gives, instead of one that is sought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from carbonopt.errors import MappingError
from carbonopt.hardware.machine import OPERANDS, Operand
from carbonopt.mapping.candidates import Mappings
from carbonopt.mapping.spatial import Loops, unroll
from carbonopt.mapping.task import MappingTask
from carbonopt.workload.layer import DIMS

Nest = Mapping[Operand, Sequence[Sequence[tuple[str, int]]]]
"""Operand to its memory levels to the loops that each keeps, everything innermost first."""


def given_mapping(task: MappingTask, unrolled: Mapping[str, Loops], nest: Nest) -> Mappings:
    """Return a given mapping as a batch of one.

    Parameters
    ----------
    task
        What is mapped onto what.
    unrolled
        Array dimension to its loops, in whole units.
    nest
        The temporal loops of each operand; all operands have the same loops in the same order
        and differ in the levels that keep them.

    Raises
    ------
    MappingError
        If the loops differ between operands, do not cover the layer, or ask for levels or
        units that are not there; all faults at once.
    """
    unrolling = unroll(task.layer, unrolled, down=task.machine.variant.whole_units_down)
    orders = {operand: [loop for level in nest[operand] for loop in level] for operand in OPERANDS}
    order = [(dim, size) for dim, size in orders["I"] if size > 1]
    faults = _faults(task, unrolled, nest, orders)
    passes = dict.fromkeys(DIMS, 1)
    for dim, size in order:
        passes[dim] *= size
    faults += [
        f"{dim}: got loops of {passes[dim]} passes, allowed: {unrolling.temporal[dim]}"
        for dim in DIMS
        if passes[dim] != unrolling.temporal[dim]
    ]
    if faults:
        where = f"layer {task.layer.name!r} on {task.machine.name}"
        raise MappingError("\n".join(f"{where}: {fault}" for fault in faults))
    cuts = np.zeros((1, len(OPERANDS), task.depth), dtype=np.int64)
    for o, operand in enumerate(OPERANDS):
        kept = [sum(size > 1 for _, size in level) for level in nest[operand]]
        cuts[0, o, : len(kept)] = np.cumsum(kept)
    dims = np.array([[DIMS.index(dim) for dim, _ in order]], dtype=np.int64).reshape(1, -1)
    sizes = np.array([[size for _, size in order]], dtype=np.int64).reshape(1, -1)
    return Mappings((unrolling,), np.zeros(1, dtype=np.int64), dims, sizes, cuts)


def _faults(
    task: MappingTask,
    unrolled: Mapping[str, Loops],
    nest: Nest,
    orders: Mapping[Operand, Sequence[tuple[str, int]]],
) -> list[str]:
    """Say where a nest does not fit the machine, or its operands do not agree."""
    faults = []
    for array_dim, loops in unrolled.items():
        units = int(np.prod([size for _, size in loops]))
        available = task.machine.shape.get(array_dim, 0)
        if units > available:
            faults.append(f"{array_dim}: got {units} units, allowed: up to {available}")
    for operand in OPERANDS:
        expected = len(task.hierarchy[operand])
        if len(nest[operand]) != expected:
            faults.append(f"{operand}: got {len(nest[operand])} levels, allowed: {expected}")
        if list(orders[operand]) != list(orders["I"]):
            faults.append(f"{operand}: got another loop order than I, allowed: the same")
    return faults
