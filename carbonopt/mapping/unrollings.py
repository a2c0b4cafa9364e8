"""The unrollings of a layer that are worth a look."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from carbonopt.arrays import Ints
from carbonopt.mapping.every import every_unrolling
from carbonopt.mapping.parallel import distinct, fullest_unrollings, loop_sizes, with_halves
from carbonopt.mapping.reference import reference_unrollings
from carbonopt.mapping.spatial import ArrayShape, Unrollings, array_shape, unroll_all
from carbonopt.mapping.task import MappingTask
from carbonopt.workload.layer import Layer

FULLEST = 8
"""Fullest unrollings that are promising, each with its halves."""

MOST = 2**15
"""Where a layer has more unrollings than this, only those that take few passes are looked at."""

_FEWER = (4.0, 2.0, 1.5, 1.2, 1.0)  # times the fewest passes

UNPROVEN = (
    f"more than {MOST:,} unrollings of a layer are as full, only promising ones are looked at"
)
"""Why nothing is proven of all unrollings."""


class Legal(NamedTuple):
    """All unrollings of a layer that take few passes, those with the fewest first.

    Parameters
    ----------
    asked
        Unrolled sizes (u, array dimensions, 8).
    passes
        Passes that remain (u,).
    others
        Passes that all others take at least; inf where there are none.
    """

    asked: Ints
    passes: Ints
    others: float


def legal(task: MappingTask, *, every: bool = True) -> Legal | None:
    """Return all unrollings of a layer on a machine; where there are more than `MOST`, the fullest.

    Those alone if not `every` one is asked for; they come first of all. None where too many take
    as few passes.
    """
    machine, layer = task.machine, task.layer
    array, rules = array_shape(machine, layer), machine.carbonspot_rules
    found = _legal(layer.anonymous, array, carbonspot_rules=rules, every=every)
    return found if len(found.asked) else None


@lru_cache(maxsize=128)
def _legal(layer: Layer, array: ArrayShape, *, carbonspot_rules: bool, every: bool) -> Legal:
    """Return the unrollings, those among them that only CarbonSpot's rules allow; none if many."""
    least = int(_passes(layer, array, fullest_unrollings(layer, array, FULLEST)).min())
    for times in (math.inf, *_FEWER) if every else _FEWER:
        most = times * least
        found = every_unrolling(layer, array, MOST, most)
        if len(found):
            break
    if carbonspot_rules and len(found):
        rules = [loop_sizes(each, array.names) for each in reference_unrollings(layer, array)]
        missing = [each for each in rules if not (found == each).all(axis=(1, 2)).any()]
        found = np.concatenate([found, *(each[None] for each in missing)])
    passes = _passes(layer, array, found)
    order = np.argsort(passes, kind="stable")
    order = order[passes[order] <= most]
    others = most if math.isinf(most) else math.floor(most) + 1
    return Legal(found[order].astype(np.int32), passes[order], others)


def _passes(layer: Layer, array: ArrayShape, asked: Ints) -> Ints:
    """Return the passes that remain of unrolled sizes (u,)."""
    passes: Ints = unroll_all(layer, array.names, asked, down=False).passes.prod(axis=1)
    return passes


def promising(task: MappingTask) -> Unrollings:
    """Return the unrollings of a layer on a machine that are worth a look."""
    machine, layer = task.machine, task.layer
    return promising_unrollings(
        layer.anonymous, array_shape(machine, layer),
        carbonspot_rules=machine.carbonspot_rules, down=machine.variant.whole_units_down,
    )  # fmt: skip


@lru_cache(maxsize=4096)
def promising_unrollings(
    layer: Layer, array: ArrayShape, *, carbonspot_rules: bool, down: bool
) -> Unrollings:
    """Return the fullest unrollings of a layer and their halves, least passes first.

    Those that CarbonSpot's rules give are among them if asked for.
    """
    asked = with_halves(layer, fullest_unrollings(layer, array, FULLEST))
    if carbonspot_rules:
        rules = [loop_sizes(each, array.names) for each in reference_unrollings(layer, array)]
        asked = distinct(np.concatenate([*(each[None] for each in rules), asked]))
    found = unroll_all(layer, array.names, asked, down=down)
    return found.take(np.argsort(found.passes.prod(axis=1), kind="stable"))
