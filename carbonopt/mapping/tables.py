"""What the tiles of a layer cost under each of its unrollings."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np

from carbonopt.arrays import Floats, Ints
from carbonopt.mapping.chains import Beside, Costs, Tiles, Unrolled
from carbonopt.mapping.lattice import lattices
from carbonopt.mapping.limits import Bounds, fill_bounds
from carbonopt.mapping.node_costs import NodeCosts, node_costs
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.search import one_unrolling
from carbonopt.mapping.spatial import Unrollings
from carbonopt.mapping.task import MappingTask
from carbonopt.mapping.tiles import RELEVANCE, layer_tiles
from carbonopt.mapping.transfers import instances, transfers


class Array(NamedTuple):
    """What the array takes under u unrollings.

    Parameters
    ----------
    energy_pj
        Of computing (u,) [pJ].
    drain
        Cycles until the last results have left it (u,).
    rows
        Cycles to write one weight of each group of an in-memory macro, row by row (u,).
    """

    energy_pj: Floats
    drain: Floats
    rows: Floats

    def take(self, which: Ints) -> Array:
        """Return what it takes under some of the unrollings."""
        return Array(*(each[which] for each in self))


class Tables:
    """The tables of a layer under u unrollings.

    Parameters
    ----------
    plan
        Nodes of the memory hierarchy.
    task
        The layer on it.
    unrollings
        How it is unrolled.
    array
        What the array takes under each unrolling.

    Attributes
    ----------
    lattices
        The tiles under each unrolling.
    """

    def __init__(self, plan: Plan, task: MappingTask, unrollings: Unrollings, array: Array) -> None:
        self.plan = plan
        self.task = task
        self.unrollings = unrollings
        self.array = array
        self.lattices = lattices(unrollings.passes, RELEVANCE)

    def one(self, u: int) -> tuple[Tiles, Costs, Beside]:
        """Return the tiles and the costs of one unrolling."""
        found: tuple[Tiles, Costs, Beside] = one_unrolling(self.unrolled, self.plan.places, u)
        return found

    @property
    def least_pj(self) -> Floats:
        """Energy that an unrolling takes at least (u,) [pJ]; inf where nothing fits."""
        return self._bounded[1].least_pj

    @property
    def most_pj(self) -> Floats:
        """Energy that no mapping of an unrolling exceeds, beside that of the array (u,) [pJ]."""
        return self._bounded[1].most_pj

    @property
    def least_cycles(self) -> Floats:
        """Cycles that an unrolling takes at least (u,)."""
        return self._bounded[1].cycles

    @property
    def unrolled(self) -> Unrolled:
        """All unrollings as the search takes them."""
        return self._bounded[0]

    @cached_property
    def _bounded(self) -> tuple[Unrolled, Bounds]:
        """All unrollings, and what they take at least."""
        tiles, costs = self.lattices, self._node_costs
        layer = Unrolled(
            tiles.start, tiles.axes, tiles.lengths, tiles.fields, tiles.kept, tiles.packed,
            tiles.size, tiles.complete, tiles.guard, tiles.resting, costs.energy, costs.needed,
            costs.room, costs.single, costs.first,
            np.empty(len(self.plan.orders.node) * len(tiles.size)), costs.free, costs.whole_room,
            costs.writing, self.array.energy_pj + costs.sums_pj, self.array.drain,
            self.task.at_ports, float(self.task.machine.array.passes),
        )  # fmt: skip
        return layer, fill_bounds(self.plan.orders, self.plan.places, layer, costs.fits)

    @property
    def _node_costs(self) -> NodeCosts:
        """What all tiles cost at the nodes."""
        plan, task, lattices, used = self.plan, self.task, self.lattices, self.unrollings
        moved, rooms = transfers(task, plan)
        nodes, storage = plan.nodes, plan.storage
        tiles = layer_tiles(
            nodes.operand, nodes.level, storage.places, storage.levels - 1,
            (used.mean, used.whole), task.geometry, lattices.extents, lattices.start,
        )  # fmt: skip
        found: NodeCosts = node_costs(
            moved, rooms, RELEVANCE, lattices, tiles, *instances(moved, used.mean),
            storage.copies(used), self.array.rows,
        )  # fmt: skip
        return found
