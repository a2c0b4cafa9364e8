"""A mapping as decision variables: every vector of genes names a legal mapping, none is left out.

A layer has a gene for its spatial unrolling, one for each prime factor of what a dimension has
left to do in time (the place of that loop in the order), and one for each operand and memory
level but the outermost (how many loops lie at or below it). The factors of a dimension between
two cuts multiply to its tile factor there. The ranges of the genes depend on the layer alone, so
that hardware can be searched beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np

from carbonopt.arrays import Ints
from carbonopt.errors import MappingError
from carbonopt.hardware.machine import OPERANDS, Operand
from carbonopt.mapping.allocation import repair_cuts
from carbonopt.mapping.candidates import Mappings, reduced_above, why_not
from carbonopt.mapping.loops import prime_factors
from carbonopt.mapping.spatial import Unrolling
from carbonopt.mapping.task import MappingTask
from carbonopt.mapping.tiles import prefix_tiles
from carbonopt.mapping.unrollings import promising
from carbonopt.workload.layer import DIMS, Layer

UNROLLINGS = 64
"""Spatial unrollings that a gene tells apart: the fullest ones of a layer on a machine."""


class LayerGenes:
    """The genes of a layer's mappings, on whatever machine.

    Parameters
    ----------
    layer
        What is mapped.
    levels
        Memory levels of each operand, at most.

    Examples
    --------
    >>> layer = Layer("a", "gemm", (1, 8, 1, 1, 1, 6, 1, 1))
    >>> LayerGenes(layer, {"I": 2, "W": 2, "O": 1}).sizes
    {'unrolling': 64, 'place.K.0': 5, 'place.K.1': 5, 'place.K.2': 5,
     'place.C.0': 5, 'place.C.1': 5, 'cut.I.0': 6, 'cut.W.0': 6}
    """

    def __init__(self, layer: Layer, levels: Mapping[Operand, int]) -> None:
        bounds = layer.loops
        # a model variant may swap the axes of the kernel
        bounds |= dict.fromkeys(("FX", "FY"), max(bounds["FX"], bounds["FY"]))
        factors = [bound.bit_length() - 1 for bound in bounds.values()]
        self.places = sum(factors)
        self.first_place = dict(zip(DIMS, accumulate([1, *factors[:-1]]), strict=True))
        self.cuts = [(o, i) for o, name in enumerate(OPERANDS) for i in range(levels[name] - 1)]
        named = dict(zip(DIMS, factors, strict=True)).items()
        self.sizes = {
            "unrolling": UNROLLINGS,
            **{f"place.{dim}.{i}": self.places for dim, count in named for i in range(count)},
            **{f"cut.{OPERANDS[o]}.{level}": self.places + 1 for o, level in self.cuts},
        }


class GeneMap:
    """What a layer's genes say on one machine.

    Parameters
    ----------
    task
        The layer on its machine.
    genes
        Its genes.

    Raises
    ------
    MappingError
        If the layer cannot be mapped, whatever the genes.
    """

    def __init__(self, task: MappingTask, genes: LayerGenes) -> None:
        self.task = task
        self.genes = genes
        ways = (_Way(task, genes, unrolling) for unrolling in promising(task).each)
        self.ways = [way for way in ways if way.is_possible][:UNROLLINGS]
        if not self.ways:
            raise MappingError(why_not(task))

    def mapping(self, values: Sequence[int]) -> Mappings:
        """Return the mapping that genes (v,) name, made legal, as a batch of one.

        The unrolling is picked by rank, in proportion to the range of its gene. Loops are ordered
        by their places, by dimension on ties. A level keeps as large a share of the loops as its
        gene has of its range; where that does not fit, see `repair_cuts`.

        Raises
        ------
        MappingError
            If nothing fits with this unrolling and order.
        """
        way = self.ways[values[0] * len(self.ways) // UNROLLINGS]
        order = np.argsort([values[gene] for gene in way.genes], kind="stable")
        wished = np.zeros((1, len(OPERANDS), self.task.depth), dtype=np.int64)
        first_cut = len(values) - len(self.genes.cuts)
        for (operand, level), value in zip(self.genes.cuts, values[first_cut:], strict=True):
            if level < self.task.levels[operand] - 1:
                share = value * (len(order) + 1) // (self.genes.places + 1)
                wished[0, operand, level] = share
        return way.mapping(order.astype(np.int64), wished)


class _Way:
    """One spatial unrolling of a task, and the loops that it leaves, each a prime factor."""

    def __init__(self, task: MappingTask, genes: LayerGenes, unrolling: Unrolling) -> None:
        self.task = task
        self.unrolling = unrolling
        factors = [prime_factors(unrolling.temporal[dim])[::-1] for dim in DIMS]
        counts = [len(each) for each in factors]
        firsts = genes.first_place.values()
        self.genes = [first + i for first, n in zip(firsts, counts, strict=True) for i in range(n)]
        self.dims = np.repeat(np.arange(len(DIMS)), counts)
        self.sizes = np.array([factor for each in factors for factor in each], dtype=np.int64)
        used = task.arrays([unrolling])
        self.spatial = task.storage.spread(used.mean)
        self.capacity = task.storage.capacity(used)
        self.reduced = reduced_above(self.spatial)

    @property
    def is_possible(self) -> bool:
        """Whether some mapping fits."""
        try:
            none = np.zeros((1, len(OPERANDS), self.task.depth), dtype=np.int64)
            self.mapping(np.arange(len(self.genes)), none)
        except MappingError:
            return False
        return True

    def mapping(self, order: Ints, cuts: Ints) -> Mappings:
        """Return the loops in an order (loops,) with wished cuts (1, 3, depth), made legal."""
        task, which = self.task, np.zeros(1, dtype=np.int64)
        dims, sizes = self.dims[None, order], self.sizes[None, order]
        tiles = prefix_tiles(task.levels, self.spatial, which, task.geometry, dims, sizes)
        room = (task.levels, task.memory, self.capacity, task.storage.doubled, self.reduced, which)
        # a double-buffered memory may hold the whole where it holds no part twice
        for wished in (cuts, np.full_like(cuts, len(order))):
            if repair_cuts(*room, task.bits, dims, wished, tiles)[0]:
                return Mappings((self.unrolling,), which, dims, sizes, wished)
        raise MappingError(why_not(task))
