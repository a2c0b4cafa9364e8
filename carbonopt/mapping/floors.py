"""What an unrolling costs at least, before any of its tiles is looked at.

Loops that do not index an operand let its tile rest, and no loop rests for two operands. The tiles
of a mapping contain each other: a tile that rests for some passes lies within tiles of other
operands that have room for all elements of these passes, or outside of them. Latches, and memories
without room for a second element, have none.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from carbonopt.arrays import Bools, Floats, Ints
from carbonopt.mapping.chains import Orders, Places
from carbonopt.mapping.nodes import OUTPUT, WAYS
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.spatial import Unrollings
from carbonopt.mapping.task import MappingTask
from carbonopt.mapping.tiles import IRRELEVANT, RELEVANCE, least_elements, unrolled_elements
from carbonopt.mapping.transfers import Transfers, instances, transfers

_ROUNDING = 1e-9
_UPWARDS = 2  # the first of `WAYS` that goes towards the outermost memory
_OUTPUT = 2
_Tiles = tuple[Floats, Floats, Floats, Floats]


class Floors(NamedTuple):
    """What no mapping of each of u unrollings undercuts.

    Parameters
    ----------
    transfers_pj
        Energy of all transfers (u,) [pJ].
    cycles
        Latency without the drain (u,).
    """

    transfers_pj: Floats
    cycles: Floats


def transfers_floor(task: MappingTask, plan: Plan, unrollings: Unrollings, rows: Floats) -> Floors:
    """Return energies and latencies that no mapping of each unrolling undercuts.

    min over orders of the nodes of sum over v of E_v(r_v): a tile of operand o rests for as many
    passes r_v as the nodes outside of it hold, X_o at most, with X_o the passes that do not index
    o. A node without room for a second element moves its tile N / r_v times; one with more room
    moves every element X_o / r_v times. The latency is that of computing, or of the port that takes
    longest to move every element once.

    `rows` are the cycles to write one weight of each group of a macro (u,).
    """
    moved, _ = transfers(task, plan)
    mean, passes, operand = unrollings.mean, unrollings.passes, moved.operand
    inner, above = (moved.span <= level[:, None] for level in (moved.inner, moved.above))
    kept, handed = (
        unrolled_elements(operand, below, mean, task.geometry) for below in (inner, above)
    )
    grown, least = least_elements(operand, inner, mean, passes, task.geometry, RELEVANCE, kept)
    copies = plan.storage.copies(unrollings)
    units, summed = instances(moved, mean)
    tiles = (kept, grown, least, handed)
    floor: Floats = _floor(
        moved, plan.orders, RELEVANCE == IRRELEVANT, mean, passes, task.geometry, tiles, copies,
        units, summed,
    )  # fmt: skip
    alone = np.where(moved.level < 0, 1.0, kept)
    boosts = np.rint(np.stack([handed, handed]) / alone)
    broken = np.flatnonzero((mean != unrollings.whole).any(axis=(1, 2)))
    if len(broken):
        whole = unrollings.whole[broken]
        below_it, with_it = (
            unrolled_elements(operand, below, whole, task.geometry) for below in (inner, above)
        )
        boosts[1, broken] = np.rint(with_it / np.where(moved.level < 0, 1.0, below_it))
    at_ports = task.at_ports & (not task.machine.variant.whole_units_down)
    cycles: Floats = _least_cycles(
        moved, plan.places, RELEVANCE == IRRELEVANT, passes, tiles, copies, boosts, at_ports, rows
    )
    return Floors(floor, cycles)


def least_transfers(task: MappingTask, plan: Plan) -> float:
    """Return the energy of all transfers that no mapping of any unrolling undercuts [pJ].

    Every element crosses every boundary once, but those to the multipliers, in accesses as wide as
    can be. Ways that are widened where outputs share the columns are not counted. Of a tile with
    parts of elements, whole ones move: n / (n + 1 / 2) of it at least, n to the narrowest access;
    of inputs under parts of output positions along an axis half of it.
    """
    layer, moved = task.layer, transfers(task, plan)[0]
    b, _, g, ox, oy, c, _, _ = layer.sizes
    inputs = float(b * g * c * min(ox, layer.input_size[0]) * min(oy, layer.input_size[1]))
    unrolled = {dim for dims in task.machine.unrolled.values() for dim in dims}
    inputs *= 0.5 ** sum(layer.loops[dim] > 1 and dim in unrolled for dim in ("OX", "OY"))
    elements = np.array([inputs, layer.weights, layer.outputs])[moved.operand]
    width = moved.width.min(axis=1)[:, None]
    least = np.maximum(1.0, np.floor(moved.grain / width))
    bits = least / (least + 0.5) * elements[:, None] * width
    words = np.maximum(0.0, bits / moved.wide - (1.0 if moved.truncated else 0.0))
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
def _held_inputs(rests: int, own: Floats, passes: Ints, geometry: Floats, elements: float) -> float:
    """Bound the passes over loops at rest for an operand in a tile of so many inputs.

    Along an axis a r passes of A outputs under B kernel positions touch s A r + d (B - s) inputs
    at least, and d B r + s (A - d) those of as many kernel positions; those of both axes together
    r = r_x r_y: (sqrt(a_x a_y r) + sqrt(b_x b_y))^2 with a r + b along each.
    """
    growing, fixed = 1.0, 1.0
    for axis in range(2):
        stride, dilation, limit, whole = geometry[axis]
        divisor = 1 if min(stride, dilation) == 1 else math.gcd(int(stride), int(dilation))
        outputs, kernel = own[3 + axis], own[6 + axis]
        across, along = passes[3 + axis] * outputs, passes[6 + axis] * kernel
        reach, other = stride / divisor, dilation / divisor
        shared = max(0.0, along - reach) * max(0.0, across - other)
        elements *= max(1.0, (across * along - shared) / limit)
        if max(outputs - np.floor(outputs), kernel - np.floor(kernel)) > _ROUNDING:
            elements *= 4.0 if whole else 2.0
        if rests == _OUTPUT:
            outputs, kernel, reach, other = kernel, outputs, other, reach
        growing *= outputs * min(kernel, reach)
        fixed *= other * (kernel - reach) if kernel > reach and outputs >= other else 0.0
    root = math.sqrt(elements / (own[0] * own[2] * own[5])) - math.sqrt(fixed)
    return max(root, 0.0) ** 2 / growing


@njit(cache=True)
def _fill_held(
    moved: Transfers, mean: Floats, passes: Ints, geometry: Floats, copies: float, kept: Floats,
    grown: Floats, least: Floats, held: Floats,
) -> None:  # fmt: skip
    """Bound the passes at rest for another operand that nodes from each outwards hold (v, 3).

    A tile that contains another operand's has the loops at rest for that one, all of which index
    its own operand.
    """
    last, own = len(moved.operand) - 1, np.ones(8)
    for v in range(last - 1, -1, -1):
        o, narrow = moved.operand[v], min(moved.width[v, 0], moved.width[v, 1])
        room = moved.room[v] * (copies if moved.widened[v, 0] else 1.0) * (1 + _ROUNDING)
        alone = moved.room[v] == 0 or grown[v] * narrow > room
        if moved.doubled[v] and least[v] * narrow > room:
            room /= 2
        if o == 0:
            own[:] = 1.0
            for a in range(len(mean)):
                if moved.span[v, a] <= moved.inner[v]:
                    own *= mean[a]
        for rests in range(3):
            if rests == o:
                continue
            most = 1.0 if alone else room / narrow / kept[v]
            if o == 0 and not alone:
                most = _held_inputs(rests, own, passes, geometry, room / narrow)
            held[v, rests] = max(1.0, np.floor(most * (1 + _ROUNDING)))
            if v + 1 < last and moved.operand[v + 1] == o:
                held[v, rests] = min(held[v, rests], held[v + 1, rests])


@njit(cache=True)
def _least_order(
    moved: Transfers, orders: Orders, still: Floats, held: Floats, every: Floats, best: Floats,
    cut: Floats,
) -> float:  # fmt: skip
    """Return the least energy of all nodes over the orders of their tiles.

    The tile of a node rests as often as all those that are outside of it have room for.
    """
    states = len(orders.node)
    least = np.zeros(states)
    for s in range(states - 2, -1, -1):
        least[s] = np.inf
        for o in range(3):
            v = orders.node[s, o]
            if v < 0:
                continue
            again = still[o]
            for other in range(3):
                w = orders.node[s, other]
                if other != o and w >= 0:
                    again = min(again, held[w, o])
            energy = best[v]
            if again < still[o]:
                energy = max(energy, every[v] / again - cut[v])
            least[s] = min(least[s], energy + least[orders.state[s, o]])
    return least[0]


@njit(cache=True)
def _all_passes(passes: Ints, resting: Bools) -> tuple[float, Floats]:
    """Return all passes over an array, and those in which the tile of each operand rests (3,)."""
    total, still = 1.0, np.ones(3)
    for d in range(8):
        total *= passes[d]
        for o in range(3):
            still[o] *= passes[d] if resting[o, d] else 1.0
    return total, still


@njit(cache=True)
def _floor(
    moved: Transfers, orders: Orders, resting: Bools, mean: Floats, passes: Ints, geometry: Floats,
    tiles: _Tiles, copies: Floats, units: Floats, above: Bools,
) -> Floats:  # fmt: skip
    """Return the energies of `transfers_floor`."""
    kept, grown, least, handed = tiles
    floor, last = np.empty(len(passes)), len(moved.operand) - 1
    held, every, best = np.empty((last, 3)), np.empty(last), np.empty(last)
    cut = moved.pj.sum(axis=1) * moved.truncated
    for u in range(len(passes)):
        total, still = _all_passes(passes[u], resting)
        _fill_held(
            moved, mean[u], passes[u], geometry, copies[u], kept[u], grown[u], least[u], held
        )
        for v in range(last + 1):
            o, more = moved.operand[v], copies[u]
            latch = moved.room[v] == 0
            own = 1.0 if latch and v < last else np.rint(kept[u, v])
            boost = np.rint(handed[u, v] / own)
            both, summed = (units[0, u, v], units[1, u, v]), above[1, u, v]
            begun = summed or (o == _OUTPUT and still[o] > 1)
            wider = more if moved.widened[v, 0] else 1.0
            narrow = min(moved.width[v, 0], moved.width[v, 1])
            if v == last:
                floor[u] = _energy(moved, v, own, 1.0, more, total, both, begun, True)
                continue
            alone = latch or grown[u, v] * narrow > moved.room[v] * wider * (1 + _ROUNDING)
            tile, again = (own, total / still[o]) if alone else (least[u, v], 1.0)
            best[v] = _energy(moved, v, tile, boost, more, again, both, summed, alone)
            every[v] = best[v] * still[o]
            if begun != summed or moved.truncated:
                again *= still[o]
                every[v] = _energy(moved, v, tile, boost, more, again, both, begun, alone)
        floor[u] += _least_order(moved, orders, still, held, every, best, cut)
    return floor


@njit(cache=True)
def _moving(
    moved: Transfers, v: int, way: int, room: float, tile: float, again: float, boost: float
) -> tuple[float, float]:
    """Return the cycles that a port takes to move all tiles of a node, and the largest one.

    A tile of so many elements moves so often, or all elements in tiles that find room if once.
    """
    narrow, wide = min(moved.width[v, 0], moved.width[v, 1]), moved.wide[v, way]
    if moved.room[v] == 0 or again > 1:
        needed = np.ceil(boost * tile * narrow / wide)
        return needed * again, needed
    return boost * tile * narrow / wide, boost * room / wide + 1


@njit(cache=True)
def _fill_busy(
    moved: Transfers, places: Places, v: int, copies: float, tile: float, again: float,
    boost: float, busy: Floats,
) -> None:  # fmt: skip
    """Add the cycles of a node's tiles on each port, beside the first loads of each input."""
    o, widened = moved.operand[v], copies if moved.widened[v, 0] else 1.0
    for q in range(len(busy)):
        loaded = False
        for way in range(2 if o == _OUTPUT else 0, 4):
            if places.ports[v, way] != q:
                continue
            own = boost if way == 1 or way == 2 else 1.0
            own /= copies if moved.widened[v, way] else 1.0
            cycles, one = _moving(moved, v, way, moved.room[v] * widened, tile, again, own)
            for i in range(2):
                counted = moved.loads[v] and not loaded and o in (i, _OUTPUT)
                busy[q, i] += cycles if counted else max(0.0, cycles - one)
            loaded = True


@njit(cache=True)
def _least_cycles(
    moved: Transfers, places: Places, resting: Bools, passes: Ints, tiles: _Tiles, copies: Floats,
    boosts: Floats, at_ports: Bools, rows: Floats,
) -> Floats:  # fmt: skip
    """Return the latencies of `transfers_floor`."""
    kept, grown, least, _ = tiles
    cycles, busy = np.empty(len(passes)), np.empty((places.port_count, 2))
    for u in range(len(passes)):
        total, still = _all_passes(passes[u], resting)
        busy[:] = 0.0
        for v in range(len(moved.operand) - 1):
            o, latch = moved.operand[v], moved.room[v] == 0
            narrow = min(moved.width[v, 0], moved.width[v, 1])
            room = moved.room[v] * (copies[u] if moved.widened[v, 0] else 1.0) * (1 + _ROUNDING)
            alone = latch or grown[u, v] * narrow > room
            tile = (1.0 if latch else np.rint(kept[u, v])) if alone else least[u, v]
            if at_ports[o]:
                again = total / still[o] if alone else 1.0
                _fill_busy(moved, places, v, copies[u], tile, again, boosts[1, u, v], busy)
        cycles[u] = max(total * moved.passes, busy.max() * (1 - _ROUNDING))
        if moved.cells >= 0:
            v = moved.cells
            bits = boosts[0, u, v] * moved.width[v, 0] / moved.wide[v, 1]
            written = (1 - _ROUNDING) * least[u, v]
            written *= max(rows[u], bits / (copies[u] if moved.widened[v, 1] else 1.0))
            if not moved.overlapped_writing:
                cycles[u] += written
            elif moved.passes % 1 == 0:
                cycles[u] = max(cycles[u], written)
    return cycles
