"""The unrollings of a layer that are worth a look."""

from __future__ import annotations

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
"""Where a layer has more unrollings than this, only the promising ones are looked at."""

UNPROVEN = f"a layer has more than {MOST:,} unrollings, of which only promising ones are looked at"
"""Why nothing is proven of all unrollings."""


class Legal(NamedTuple):
    """All unrollings of a layer, those with the fewest passes first.

    Parameters
    ----------
    asked
        Unrolled sizes (u, array dimensions, 8).
    passes
        Passes that remain (u,).
    """

    asked: Ints
    passes: Ints


def legal(task: MappingTask) -> Legal | None:
    """Return all unrollings of a layer on a machine; None where there are more than `MOST`."""
    machine, layer = task.machine, task.layer
    found = _legal(
        layer.anonymous, array_shape(machine, layer), carbonspot_rules=machine.carbonspot_rules
    )
    return found if len(found.asked) else None


@lru_cache(maxsize=64)
def _legal(layer: Layer, array: ArrayShape, *, carbonspot_rules: bool) -> Legal:
    """Return all unrollings, those among them that only CarbonSpot's rules allow; none if many."""
    found = every_unrolling(layer, array, MOST)
    if carbonspot_rules and len(found):
        rules = [loop_sizes(each, array.names) for each in reference_unrollings(layer, array)]
        missing = [each for each in rules if not (found == each).all(axis=(1, 2)).any()]
        found = np.concatenate([found, *(each[None] for each in missing)])
    passes = unroll_all(layer, array.names, found, down=False).passes.prod(axis=1)
    order = np.argsort(passes, kind="stable")
    return Legal(found[order].astype(np.int32), passes[order])


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
