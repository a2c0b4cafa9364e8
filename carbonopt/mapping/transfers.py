"""How tiles move between the memories of a hierarchy, and what rests in them."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit

from carbonopt.arrays import Bools, Floats, Ints
from carbonopt.hardware.machine import OPERANDS
from carbonopt.mapping.access import FROM_BELOW, TO_BELOW
from carbonopt.mapping.nodes import OUTPUT, WAYS
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.task import MappingTask

_WEIGHTS = OPERANDS.index("W")
_REDUCTION = 5  # DIMS from here on sum into one output
_SCALE = 1e3  # instances come back as whole numbers only up to rounding


class Transfers(NamedTuple):
    """How the tiles of v nodes move; the last node is the way of sums to the multipliers and back.

    Parameters
    ----------
    operand, level, inner, above
        Of each node (v,): its memory level (-1: a latch), the one its elements are accessed at,
        and the one above.
    span
        Level below which loops along each array dimension are unrolled (v, a).
    grain, wide, pj
        Narrowest and widest access [bit], and energy of one [pJ], of each way (v, 4); no energy
        where there is no such way.
    widened
        Ways whose accesses are as many times wider as outputs share the columns (v, 4).
    width
        Of a partial sum (or input) and of a final element (v, 2) [bit].
    memory, room
        Its position, -1 of a latch, and capacity (v,) [bit]; 0 of a latch.
    doubled
        Whether tiles that are replaced take twice their size (v,).
    loads
        Whether the latency counts first loads, or last stores (v,).
    overlaps
        Whether a second tile may arrive while the first one is in use (v,).
    cells
        Node of the cells of an in-memory macro that waits for new weights; -1 where there is none.
    passes, overlapped_writing
        Cycles of the array per multiply-accumulate, and whether it computes while cells are
        written.
    truncated
        Accesses count their whole part.
    """

    operand: Ints
    level: Ints
    inner: Ints
    above: Ints
    span: Ints
    grain: Floats
    wide: Floats
    pj: Floats
    widened: Bools
    width: Floats
    memory: Ints
    room: Floats
    doubled: Bools
    loads: Bools
    overlaps: Bools
    cells: int
    passes: float
    overlapped_writing: bool
    truncated: bool


class Rooms(NamedTuple):
    """What the memories hold.

    Parameters
    ----------
    size_bits
        Capacity of each (m,) [bit].
    widened
        The innermost input memory, as many times larger as outputs share the columns.
    top
        Memory that keeps each operand whole (3,).
    bits
        Of an element of I, W, a partial sum and a final output (4,).
    shared, last_output, whole_memory
        As in `carbonopt.mapping.plan.Plan`.
    """

    size_bits: Floats
    widened: int
    top: Ints
    bits: Floats
    shared: Ints
    last_output: int
    whole_memory: int


def transfers(task: MappingTask, plan: Plan) -> tuple[Transfers, Rooms]:
    """Return how the tiles of a layer move, which depends on the bits of its elements alone."""
    return _transfers(plan, tuple(task.bits), task.waits_for_ports, task.loads_apart)


@lru_cache(maxsize=64)
def _transfers(
    plan: Plan, bits: tuple[float, ...], waits_for_ports: bool, loads_apart: bool
) -> tuple[Transfers, Rooms]:
    """See `transfers`."""
    nodes, storage, machine = plan.nodes, plan.storage, plan.storage.machine
    operand, level = np.append(nodes.operand, OUTPUT), np.append(nodes.level, -1)
    latch, inputs = level < 0, (operand != OUTPUT)[:, None]
    sums = np.array([[OUTPUT] * len(WAYS), [0] * len(WAYS), WAYS])
    picked = tuple(np.vstack([own, more]) for own, more in zip(nodes.picked, sums, strict=True))
    grain, wide = storage.port_bits[:, picked[0], picked[1], picked[2]]
    last_pj = np.where(WAYS == TO_BELOW, storage.read_pj[OUTPUT, 0], storage.write_pj[OUTPUT, 0])
    moved = (WAYS == TO_BELOW) | (WAYS == FROM_BELOW)
    pj = np.vstack([nodes.pj, np.where(moved, last_pj, 0.0)])
    used = np.where(inputs, (WAYS == TO_BELOW) | (~latch[:, None] & (WAYS == 0)), True)
    own = np.array(bits)
    width = np.where(inputs, own[np.minimum(operand, 1)][:, None], own[2:])
    memory = np.append(nodes.memory, -1)
    apart = (operand == _WEIGHTS) & (not waits_for_ports)
    cells = np.flatnonzero((operand == _WEIGHTS) & (level == 0))
    waits = not waits_for_ports and len(cells)
    variant = machine.variant
    found = Transfers(
        operand, level, np.append(nodes.inner, 0), np.append(nodes.level + 1, 0),
        storage.places[operand], grain, wide, pj * used, (picked[0] == 0) & (picked[1] == 0),
        width, memory, np.where(latch, 0.0, storage.size_bits[memory]), storage.doubled[memory],
        ~latch & ~apart & loads_apart, (operand != OUTPUT) | variant.outputs_double_buffered,
        int(cells[0]) if waits else -1, float(machine.array.passes),
        bool(machine.overlapped_writing), variant.whole_accesses,
    )  # fmt: skip
    rooms = Rooms(
        storage.size_bits, int(storage.memory[0, 0]), np.array(plan.top), own,
        plan.shared, plan.last_output, plan.whole_memory,
    )  # fmt: skip
    return found, rooms


@njit(cache=True)
def _above(span: Ints, along: Floats, level: int) -> float:
    """Multiply what lies along the array dimensions that a level does not span."""
    product = 1.0
    for a in range(len(along)):
        product *= along[a] if span[a] > level else 1.0
    return product


@njit(cache=True)
def instances(moved: Transfers, mean: Floats) -> tuple[Floats, Bools]:
    """Count the instances of v nodes under unrolled sizes (u, a, 8), and see what sums above them.

    Returns
    -------
    units
        Instances of each node's level and of the one above (2, u, v).
    summed
        Whether loops unrolled above the node's level, and above the one above, sum outputs
        (2, u, v).
    """
    count, nodes, axes = len(mean), len(moved.operand), mean.shape[1]
    units, summed = np.empty((2, count, nodes)), np.zeros((2, count, nodes), np.bool_)
    along, reduced = np.empty(axes), np.empty(axes)
    for u in range(count):
        for a in range(axes):
            reduced[a] = mean[u, a, 5] * mean[u, a, 6] * mean[u, a, 7]
            along[a] = reduced[a]
            for d in range(_REDUCTION):
                along[a] *= mean[u, a, d]
        for v in range(nodes):
            span = moved.span[v]
            for which, level in ((0, moved.inner[v]), (1, moved.above[v])):
                product = np.rint(_above(span, along, level) * _SCALE) / _SCALE
                units[which, u, v] = np.rint(product)
                if moved.operand[v] == OUTPUT:
                    summed[which, u, v] = _above(span, reduced, level) > 1
    return units, summed
