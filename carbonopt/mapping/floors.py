"""What an unrolling costs at least, before any of its tiles is looked at.

Loops that do not index an operand let its tile rest, and no loop rests for two operands. So among
the memories without room for a second element, and the latches, those of one operand at most rest:
those of the others are filled anew in every pass. Elsewhere each element moves once at least.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit

from carbonopt.arrays import Bools, Floats, Ints
from carbonopt.mapping.access import TO_BELOW
from carbonopt.mapping.nodes import OUTPUT, WAYS
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.spatial import Unrollings
from carbonopt.mapping.task import MappingTask
from carbonopt.mapping.tiles import IRRELEVANT, RELEVANCE, least_elements, unrolled_elements

_ROUNDING = 1e-9
_BROKEN = 2 / 3  # of a tile is left at least where parts of elements are rounded
_UPWARDS = 2  # the first of `WAYS` that goes towards the outermost memory
_OUTPUT, _REDUCTION = 2, 5  # DIMS from here on sum into one output


class _Transfers(NamedTuple):
    """How the tiles of v nodes move; the last node is the way of sums to the multipliers and back.

    Parameters
    ----------
    operand, inner, above
        Of each node (v,): its memory level and the one above.
    span
        Level below which loops along each array dimension are unrolled (v, a).
    grain, wide, pj
        Narrowest and widest access [bit], and energy of one [pJ], of each way (v, 4); no energy
        where there is no such way.
    widened
        Ways whose accesses are as many times wider as outputs share the columns (v, 4).
    width
        Of a partial sum (or input) and of a final element (v, 2) [bit].
    room
        Capacity (v,) [bit]; 0 of a latch.
    truncated
        Accesses count their whole part.
    """

    operand: Ints
    inner: Ints
    above: Ints
    span: Ints
    grain: Floats
    wide: Floats
    pj: Floats
    widened: Bools
    width: Floats
    room: Floats
    truncated: bool


def transfers_floor(task: MappingTask, plan: Plan, unrollings: Unrollings) -> Floats:
    """Return energies of all transfers that no mapping of each unrolling undercuts (u,) [pJ].

    min over operands o of sum over v of E_v(again_v): a node without room for a second element
    moves its tile N times, or N / X_o times if it is o's, with X_o the passes that do not index o.
    A node with more room moves every element once.
    """
    moved = _transfers(plan, tuple(task.bits))
    mean, passes, operand = unrollings.mean, unrollings.passes, moved.operand
    inner, above = (moved.span <= level[:, None] for level in (moved.inner, moved.above))
    kept, handed = (
        unrolled_elements(operand, below, mean, task.geometry) for below in (inner, above)
    )
    grown, least = least_elements(operand, inner, mean, passes, task.geometry, RELEVANCE, kept)
    copies = plan.storage.copies(unrollings)
    floor: Floats = _floor(
        moved, RELEVANCE == IRRELEVANT, mean, passes, kept, grown, least, handed, copies
    )  # fmt: skip
    return floor


def least_transfers(task: MappingTask, plan: Plan) -> float:
    """Return the energy of all transfers that no mapping of any unrolling undercuts [pJ].

    Every element crosses every boundary once, but those to the multipliers, in accesses as wide as
    can be. Ways that are widened where outputs share the columns are not counted.
    """
    layer, moved = task.layer, _transfers(plan, tuple(task.bits))
    b, _, g, ox, oy, c, _, _ = layer.sizes
    inputs = b * g * c * min(ox, layer.input_size[0]) * min(oy, layer.input_size[1])
    elements = np.array([inputs, layer.weights, layer.outputs])[moved.operand]
    bits = _BROKEN * elements * moved.width.min(axis=1)
    words = np.maximum(0.0, bits[:, None] / moved.wide - (1.0 if moved.truncated else 0.0))
    final = (moved.operand == OUTPUT)[:, None] & (np.arange(len(WAYS)) < _UPWARDS)
    counted = (moved.room > 0)[:, None] & ~final & ~moved.widened
    return float((words * moved.pj)[counted].sum()) * (1 - _ROUNDING)


@lru_cache(maxsize=64)
def _transfers(plan: Plan, bits: tuple[float, ...]) -> _Transfers:
    """Return how the tiles of layers whose elements have so many bits move, see `MappingTask`."""
    nodes, storage = plan.nodes, plan.storage
    operand, inner = np.append(nodes.operand, OUTPUT), np.append(nodes.inner, 0)
    above = np.append(nodes.level + 1, 0)
    latch = np.append(nodes.level < 0, True)
    sums = np.array([[OUTPUT] * len(WAYS), [0] * len(WAYS), WAYS])
    picked = tuple(np.vstack([own, more]) for own, more in zip(nodes.picked, sums, strict=True))
    grain, wide = storage.port_bits[:, picked[0], picked[1], picked[2]]
    last_pj = np.where(WAYS == TO_BELOW, storage.read_pj[OUTPUT, 0], storage.write_pj[OUTPUT, 0])
    pj = np.vstack([nodes.pj, np.where((WAYS == TO_BELOW) | (WAYS == 2), last_pj, 0.0)])
    inputs = (operand != OUTPUT)[:, None]
    used = np.where(inputs, (WAYS == TO_BELOW) | (~latch[:, None] & (WAYS == 0)), True)
    own = np.array(bits)
    width = np.where(inputs, own[np.minimum(operand, 1)][:, None], own[2:])
    room = np.where(latch, 0.0, storage.size_bits[np.append(nodes.memory, 0)])
    widened = (picked[0] == 0) & (picked[1] == 0)
    return _Transfers(
        operand, inner, above, storage.places[operand], grain, wide, pj * used, widened, width,
        room, storage.machine.variant.whole_accesses,
    )  # fmt: skip


@njit(cache=True)
def _energy(
    moved: _Transfers, v: int, kept: float, boost: float, copies: float, again: float,
    units: tuple[float, float], partial: bool, whole: bool,
) -> float:  # fmt: skip
    """Energy of a tile that moves some times [pJ]; whole words of it if asked for."""
    energy = 0.0
    width = moved.width[v, 0 if partial else 1]
    for way in range(4):
        down = way < 2
        if moved.pj[v, way] == 0 or (moved.operand[v] == _OUTPUT and down and not partial):
            continue
        upper = way == 1 or way == 2
        wider = copies if moved.widened[v, way] else 1.0
        grain, wide = moved.grain[v, way] * wider, moved.wide[v, way] * wider
        bits = kept * width * (boost if upper else 1.0)
        words = np.ceil(bits / grain) * (grain / wide) if whole else bits / wide
        words *= again * units[1 if upper else 0]
        energy += max(0.0, words - (1.0 if moved.truncated else 0.0)) * moved.pj[v, way]
    return energy


@njit(cache=True)
def _above(moved: _Transfers, v: int, along: Floats, level: int) -> float:
    """Multiply what lies along the array dimensions that a level of a node's operand spans not."""
    product = 1.0
    for a in range(len(along)):
        product *= along[a] if moved.span[v, a] > level else 1.0
    return product


@njit(cache=True)
def _floor(
    moved: _Transfers, resting: Bools, mean: Floats, passes: Ints, kept: Floats, grown: Floats,
    least: Floats, handed: Floats, copies: Floats,
) -> Floats:  # fmt: skip
    """See `transfers_floor`."""
    floor = np.empty(len(mean))
    last = len(moved.operand) - 1
    along, reduced = np.empty(mean.shape[1]), np.empty(mean.shape[1])
    for u in range(len(mean)):
        for a in range(mean.shape[1]):
            reduced[a] = mean[u, a, 5] * mean[u, a, 6] * mean[u, a, 7]
            along[a] = reduced[a]
            for d in range(_REDUCTION):
                along[a] *= mean[u, a, d]
        total, fixed, saved, still = 1.0, 0.0, np.zeros(3), np.ones(3)
        for d in range(8):
            total *= passes[u, d]
            for o in range(3):
                still[o] *= passes[u, d] if resting[o, d] else 1.0
        for v in range(last + 1):
            o, more = moved.operand[v], copies[u]
            latch = moved.room[v] == 0
            own = 1.0 if latch and v < last else np.rint(kept[u, v])
            boost = np.rint(handed[u, v] / own)
            inside, outside = (
                np.rint(np.rint(_above(moved, v, along, moved.inner[v]) * 1e3) / 1e3),
                np.rint(np.rint(_above(moved, v, along, moved.above[v]) * 1e3) / 1e3),
            )
            units = (inside, outside)
            summed = o == _OUTPUT and _above(moved, v, reduced, moved.above[v]) > 1
            begun = summed or (o == _OUTPUT and still[o] > 1)
            wider = more if moved.widened[v, 0] else 1.0
            narrow = min(moved.width[v, 0], moved.width[v, 1])
            if v == last:
                fixed += _energy(moved, v, own, 1.0, more, total, units, begun, True)
            elif latch or grown[u, v] * narrow > moved.room[v] * wider * (1 + _ROUNDING):
                every = _energy(moved, v, own, boost, more, total, units, begun, True)
                again = total / still[o]
                saved[o] += every - _energy(moved, v, own, boost, more, again, units, summed, True)
                fixed += every
            else:
                fixed += _energy(moved, v, least[u, v], boost, more, 1.0, units, summed, False)
        floor[u] = fixed - saved.max()
    return floor
