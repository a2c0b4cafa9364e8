"""What an unrolling costs at least, before any of its tiles is looked at.

Loops that do not index an operand let its tile rest, and no loop rests for two operands. So among
the memories without room for a second element, and the latches, those of one operand at most rest:
those of the others are filled anew in every pass. Elsewhere each element moves once at least.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from carbonopt.arrays import Bools, Floats, Ints
from carbonopt.mapping.nodes import OUTPUT, WAYS
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.spatial import Unrollings
from carbonopt.mapping.task import MappingTask
from carbonopt.mapping.tiles import IRRELEVANT, RELEVANCE, least_elements, unrolled_elements
from carbonopt.mapping.transfers import Transfers, instances, transfers

_ROUNDING = 1e-9
_BROKEN = 2 / 3  # of a tile is left at least where parts of elements are rounded
_UPWARDS = 2  # the first of `WAYS` that goes towards the outermost memory
_OUTPUT = 2


def transfers_floor(task: MappingTask, plan: Plan, unrollings: Unrollings) -> Floats:
    """Return energies of all transfers that no mapping of each unrolling undercuts (u,) [pJ].

    min over operands o of sum over v of E_v(again_v): a node without room for a second element
    moves its tile N times, or N / X_o times if it is o's, with X_o the passes that do not index o.
    A node with more room moves every element once.
    """
    moved, _ = transfers(task, plan)
    mean, passes, operand = unrollings.mean, unrollings.passes, moved.operand
    inner, above = (moved.span <= level[:, None] for level in (moved.inner, moved.above))
    kept, handed = (
        unrolled_elements(operand, below, mean, task.geometry) for below in (inner, above)
    )
    grown, least = least_elements(operand, inner, mean, passes, task.geometry, RELEVANCE, kept)
    copies = plan.storage.copies(unrollings)
    floor: Floats = _floor(
        moved, RELEVANCE == IRRELEVANT, passes, kept, grown, least, handed, copies,
        *instances(moved, mean),
    )  # fmt: skip
    return floor


def least_transfers(task: MappingTask, plan: Plan) -> float:
    """Return the energy of all transfers that no mapping of any unrolling undercuts [pJ].

    Every element crosses every boundary once, but those to the multipliers, in accesses as wide as
    can be. Ways that are widened where outputs share the columns are not counted.
    """
    layer, moved = task.layer, transfers(task, plan)[0]
    b, _, g, ox, oy, c, _, _ = layer.sizes
    inputs = b * g * c * min(ox, layer.input_size[0]) * min(oy, layer.input_size[1])
    elements = np.array([inputs, layer.weights, layer.outputs])[moved.operand]
    bits = _BROKEN * elements * moved.width.min(axis=1)
    words = np.maximum(0.0, bits[:, None] / moved.wide - (1.0 if moved.truncated else 0.0))
    final = (moved.operand == OUTPUT)[:, None] & (np.arange(len(WAYS)) < _UPWARDS)
    counted = (moved.room > 0)[:, None] & ~final & ~moved.widened
    return float((words * moved.pj)[counted].sum()) * (1 - _ROUNDING)


@njit(cache=True)
def _energy(
    moved: Transfers, v: int, kept: float, boost: float, copies: float, again: float,
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
def _floor(
    moved: Transfers, resting: Bools, passes: Ints, kept: Floats, grown: Floats, least: Floats,
    handed: Floats, copies: Floats, units: Floats, above: Bools,
) -> Floats:  # fmt: skip
    """See `transfers_floor`."""
    floor = np.empty(len(passes))
    last = len(moved.operand) - 1
    for u in range(len(passes)):
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
            both = (units[0, u, v], units[1, u, v])
            summed = above[1, u, v]
            begun = summed or (o == _OUTPUT and still[o] > 1)
            wider = more if moved.widened[v, 0] else 1.0
            narrow = min(moved.width[v, 0], moved.width[v, 1])
            if v == last:
                fixed += _energy(moved, v, own, 1.0, more, total, both, begun, True)
            elif latch or grown[u, v] * narrow > moved.room[v] * wider * (1 + _ROUNDING):
                every = _energy(moved, v, own, boost, more, total, both, begun, True)
                again = total / still[o]
                saved[o] += every - _energy(moved, v, own, boost, more, again, both, summed, True)
                fixed += every
            else:
                fixed += _energy(moved, v, least[u, v], boost, more, 1.0, both, summed, False)
        floor[u] = fixed - saved.max()
    return floor
