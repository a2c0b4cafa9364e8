"""NSGA-II of pymoo on index vectors, which never proposes a design twice."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.duplicate import DuplicateElimination
from pymoo.core.mutation import Mutation
from pymoo.core.population import Population
from pymoo.core.termination import NoTermination
from pymoo.operators.crossover.sbx import SBX
from pymoo.operators.repair.rounding import RoundingRepair

from carbonopt.encoding.pymoo_problem import pymoo_shell
from carbonopt.problem import Problem
from carbonopt.search.sampling import spread, unseen
from carbonopt.space import IndexArray, Space

_GENERATIONS = 20
_SMALLEST_POPULATION = 16
_LARGEST_POPULATION = 100


class Nsga2Searcher:
    """Ask and tell for NSGA-II.

    The first population covers each value of each variable evenly. Children that were evaluated
    before are dropped; where mating finds no more new ones, random unseen designs fill the batch.

    Parameters
    ----------
    problem
        What is searched.
    budget
        Designs to evaluate; sets the size of the population.
    seed
        Same seed, same designs in the same order.

    References
    ----------
    Deb et al.: A fast and elitist multiobjective genetic algorithm: NSGA-II, IEEE TEC 6(2), 2002.
    Blank, Deb: pymoo: multi-objective optimization in Python, IEEE Access 8, 2020.
    """

    def __init__(self, problem: Problem, budget: int, seed: int) -> None:
        self.space = problem.space
        self.size = population_size(budget)
        self.rng = np.random.default_rng([seed, 1])
        self.repeats = SeenBefore()
        self.algorithm = NSGA2(
            pop_size=self.size,
            sampling=spread(self.space, self.size, self.rng),
            crossover=MixedCrossover(self.space),
            mutation=StepMutation(self.space),
            repair=RoundingRepair(),
            eliminate_duplicates=self.repeats,
        )
        self.algorithm.setup(pymoo_shell(problem), seed=seed, termination=NoTermination())

    def ask(self, seen: Collection[tuple[int, ...]]) -> IndexArray:
        """Propose a generation (n, v)."""
        self.repeats.seen = seen
        children = self.algorithm.ask()
        self.repeats.seen = ()
        self.algorithm.termination.force_termination = False
        index = np.empty((0, len(self.space.shape)), dtype=np.int64)
        if children is not None and len(children):
            index = children.get("X").astype(np.int64)
        known = {*seen, *map(tuple, index.tolist())}
        return np.vstack([index, unseen(self.space, known, self.size - len(index), self.rng)])

    def tell(
        self,
        index: IndexArray,
        objectives: npt.NDArray[np.float64],
        violations: npt.NDArray[np.float64],
    ) -> None:
        """Select the next population from the last one and these designs."""
        told = Population.new("X", index, "F", objectives, "G", violations)
        self.algorithm.tell(infills=told)


def population_size(budget: int) -> int:
    """Size a population for a budget of designs: about twenty generations, within bounds.

    Examples
    --------
    >>> population_size(500), population_size(10), population_size(100_000)
    (24, 10, 100)
    """
    size = min(max(budget // _GENERATIONS, _SMALLEST_POPULATION), _LARGEST_POPULATION)
    return max(2, min(size // 2 * 2, budget))


class SeenBefore(DuplicateElimination):  # type: ignore[misc]
    """Marks designs that were evaluated before, or that turn up twice."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Collection[tuple[int, ...]] = ()

    def _do(
        self, pop: Population, other: Population | None, is_duplicate: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.bool_]:
        known = set() if other is None else {tuple(row) for row in _rows(other)}
        for place, row in enumerate(_rows(pop)):
            key = tuple(row)
            is_duplicate[place] |= key in known or key in self.seen
            if other is None:
                known.add(key)
        return is_duplicate


class MixedCrossover(SBX):  # type: ignore[misc]
    """Simulated binary crossover of ordered variables; parents swap unordered ones at random.

    Half of the children are mutated copies instead: on a grid of few values per variable a step
    from a good design finds more than a blend of two.
    """

    def __init__(self, space: Space) -> None:
        super().__init__(prob=0.5, eta=15)
        self.unordered = np.array([not variable.ordered for variable in space.variables])

    def _do(
        self,
        problem: object,
        parents: npt.NDArray[Any],
        *args: object,
        random_state: np.random.Generator,
        **kwargs: object,
    ) -> npt.NDArray[np.float64]:
        blended = super()._do(problem, parents, *args, random_state=random_state, **kwargs)
        swap = random_state.random(parents.shape[1:]) < 0.5
        exchanged = np.where(swap, parents[::-1], parents)
        return np.where(self.unordered, exchanged, blended)


class StepMutation(Mutation):  # type: ignore[misc]
    """Moves at least one variable: an ordered one by a few steps, another to any other value."""

    def __init__(self, space: Space) -> None:
        super().__init__(prob=1.0)
        self.ordered = np.array([variable.ordered for variable in space.variables])
        self.shape = np.array(space.shape)

    def _do(
        self,
        problem: object,
        parents: npt.NDArray[Any],
        *args: object,
        random_state: np.random.Generator,
        **kwargs: object,
    ) -> npt.NDArray[np.int64]:
        current = np.clip(np.around(parents).astype(np.int64), 0, self.shape - 1)
        chosen = random_state.random(current.shape) < 1.0 / current.shape[1]
        rows = np.arange(len(current))
        chosen[rows, random_state.integers(current.shape[1], size=len(current))] = True
        step = random_state.geometric(0.5, current.shape)
        step *= random_state.choice([-1, 1], size=current.shape)
        stepped = reflected(current + step, self.shape)
        jump = (
            current + 1 + random_state.integers(0, np.maximum(self.shape - 1, 1), current.shape)
        ) % self.shape
        moved = np.where(self.ordered, stepped, jump)
        return np.where(chosen, moved, current)


def reflected(index: IndexArray, shape: npt.NDArray[np.int64]) -> IndexArray:
    """Mirror what stepped over a bound back inside."""
    period = np.maximum(2 * (shape - 1), 1)
    folded = np.mod(index, period)
    mirrored: IndexArray = np.minimum(np.minimum(folded, period - folded), shape - 1)
    return mirrored


def _rows(pop: Population) -> list[list[int]]:
    """Index vectors of a population as plain integers."""
    rows: list[list[int]] = pop.get("X").astype(np.int64).tolist()
    return rows
