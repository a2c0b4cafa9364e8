"""Evolutionary algorithms of pymoo on index vectors, which never propose a design twice."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt
from pymoo.algorithms.base.genetic import GeneticAlgorithm
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.algorithms.moo.nsga3 import NSGA3
from pymoo.algorithms.moo.sms import SMSEMOA
from pymoo.algorithms.moo.spea2 import SPEA2, SPEA2Survival
from pymoo.core.duplicate import DuplicateElimination
from pymoo.core.mutation import Mutation
from pymoo.core.population import Population
from pymoo.core.termination import NoTermination
from pymoo.operators.crossover.sbx import SBX
from pymoo.operators.repair.rounding import RoundingRepair
from pymoo.operators.selection.tournament import TournamentSelection
from pymoo.util.ref_dirs import get_reference_directions

from carbonopt.encoding.pymoo_problem import pymoo_shell
from carbonopt.search.base import Key, SearchTask
from carbonopt.search.sampling import first_designs, unseen
from carbonopt.search.screen import Screen
from carbonopt.space import IndexArray, Space

_GENERATIONS = 20
_BUDGET_PER_PARENT = 5
_SMALLEST_POPULATION = 16
_SMALLEST_BATCH = 8
_LARGEST = 100
_POOL = 200
_POOL_PER_DESIGN = 10
_STRANGERS = 10
_MATINGS = 10
_ALGORITHMS = {"nsga2": NSGA2, "nsga3": NSGA3, "smsemoa": SMSEMOA, "spea2": SPEA2}


class EvolutionarySearcher:
    """Ask and tell for an evolutionary algorithm of pymoo.

    The first population covers each value of each variable evenly. Children that were evaluated
    before are dropped; where mating finds no more new ones, random unseen designs fill the batch.
    Many more children are made than evaluated while a model of the designs so far can tell which
    of them are promising (`Screen`).

    Parameters
    ----------
    task
        What is searched, from where, with which seed; the budget sets the size of a population.
    algorithm
        ``nsga2``, ``nsga3``, ``smsemoa`` or ``spea2``.
    screened
        Whether a model chooses among the children.

    References
    ----------
    Deb et al.: A fast and elitist multiobjective genetic algorithm: NSGA-II, IEEE TEC 6(2), 2002.
    Deb, Jain: An evolutionary many-objective optimization algorithm (NSGA-III), IEEE TEC 18(4),
    2014. Beume et al.: SMS-EMOA, EJOR 181(3), 2007. Zitzler et al.: SPEA2, TIK report 103, 2001.
    Blank, Deb: pymoo: multi-objective optimization in Python, IEEE Access 8, 2020.
    """

    def __init__(self, task: SearchTask, algorithm: str, *, screened: bool = True) -> None:
        self.space = task.problem.space
        self.rng = np.random.default_rng([task.seed, 1])
        self.repeats = SeenBefore()
        objectives = len(task.problem.metrics)
        self.size = population_size(task.budget, objectives)
        screen = Screen(self.space) if screened else None
        self.screen = screen if screen is not None and screen.can_learn else None
        self.batch = self.size if self.screen is None else batch_size(task.budget)
        self.algorithm: GeneticAlgorithm = _ALGORITHMS[algorithm](
            pop_size=self.size if self.screen is None else parents_size(task.budget, self.size),
            sampling=first_designs(task, self.size, self.rng),
            crossover=MixedCrossover(self.space),
            mutation=StepMutation(self.space),
            repair=OneVector(self.space),
            eliminate_duplicates=self.repeats,
            **_own_options(algorithm, self.size, objectives),
        )
        self.algorithm.mating.n_max_iterations = _MATINGS
        shell = pymoo_shell(task.problem)
        self.algorithm.setup(shell, seed=task.seed, termination=NoTermination())

    def ask(self, seen: Collection[Key]) -> IndexArray:
        """Propose a generation (n, v)."""
        if not self.algorithm.is_initialized:
            return self._children((), self.size)
        if self.screen is None or not self.screen.is_useful:
            return self._filled(self._children(seen, self.size), seen, self.size)
        pool = max(_POOL, _POOL_PER_DESIGN * self.batch)
        left = self.space.size - len(seen)
        children = self._children(seen, pool if left > pool else 0)
        candidates = self._filled(children, seen, min(left, pool + pool // _STRANGERS))
        return self.screen.best(candidates, self.batch)

    def tell(
        self,
        index: IndexArray,
        objectives: npt.NDArray[np.float64],
        violations: npt.NDArray[np.float64],
    ) -> None:
        """Select the next population from the last one and these designs."""
        if self.screen is not None:
            self.screen.learn(index, objectives, violations)
        told = Population.new("X", index, "F", objectives, "G", violations)
        # NSGA-III switches all warnings off, for good; SPEA2 divides 0 by 0 where designs are equal
        with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
            self.algorithm.tell(infills=told)

    def _children(self, seen: Collection[Key], count: int) -> IndexArray:
        """Let the algorithm mate; fewer rows (n, v) where it finds too few new children."""
        self.repeats.seen = seen
        self.algorithm.n_offsprings = count
        children = self.algorithm.ask()
        self.repeats.seen = ()
        self.algorithm.termination.force_termination = False
        if children is None or not len(children):
            return np.empty((0, len(self.space.shape)), dtype=np.int64)
        index: IndexArray = children.get("X").astype(np.int64)
        return index

    def _filled(self, index: IndexArray, seen: Collection[Key], count: int) -> IndexArray:
        """Fill a batch up to `count` with designs that are neither seen nor in it."""
        if len(index) >= count:
            return index
        known = {*seen, *map(tuple, index.tolist())}
        return np.vstack([index, unseen(self.space, known, count - len(index), self.rng)])


def population_size(budget: int, objectives: int = 1) -> int:
    """Size a population for a budget of designs: about twenty generations, within bounds.

    Examples
    --------
    >>> population_size(500), population_size(10), population_size(100_000)
    (24, 10, 100)
    """
    size = min(max(budget // _GENERATIONS, _SMALLEST_POPULATION), _LARGEST)
    return max(2, objectives, min(size // 2 * 2, budget))


def parents_size(budget: int, first: int) -> int:
    """Size the population that screened children come from: it has to hold the front so far.

    Examples
    --------
    >>> parents_size(144, 16), parents_size(500, 24), parents_size(100_000, 100)
    (28, 100, 100)
    """
    return max(first, min(budget // _BUDGET_PER_PARENT, _LARGEST))


def batch_size(budget: int) -> int:
    """Size a batch of screened children: small, so that the model learns from each.

    Examples
    --------
    >>> batch_size(144), batch_size(500), batch_size(100_000)
    (8, 25, 100)
    """
    return min(max(budget // _GENERATIONS, _SMALLEST_BATCH), _LARGEST)


class OneVector(RoundingRepair):  # type: ignore[misc]
    """Rounds to index vectors, one for each design."""

    def __init__(self, space: Space) -> None:
        super().__init__()
        self.space = space

    def _do(
        self, problem: object, x: npt.NDArray[Any], *args: object, **kwargs: object
    ) -> IndexArray:
        return self.space.canonical(super()._do(problem, x, *args, **kwargs))


class SeenBefore(DuplicateElimination):  # type: ignore[misc]
    """Marks designs that were evaluated before, or that turn up twice."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Collection[Key] = ()

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


def less_violating(
    pop: Population,
    pairs: npt.NDArray[np.int64],
    *,
    random_state: np.random.Generator,
    **kwargs: object,
) -> npt.NDArray[np.int64]:
    """Choose the winner (n, 1) of each pair (n, 2): less violation, a fair coin where they tie.

    NSGA-III's own comparison tosses the coin without the seed (pymoo 0.6.2, issue 794).
    """
    return _winners(pairs, pop.get("CV")[pairs, 0], random_state)


def dominating(
    pop: Population,
    pairs: npt.NDArray[np.int64],
    *,
    random_state: np.random.Generator,
    **kwargs: object,
) -> npt.NDArray[np.int64]:
    """Choose as `less_violating`, and the one that dominates where both meet the constraints.

    SMS-EMOA's own comparison cannot be pickled (pymoo 0.6.2).
    """
    violation = pop.get("CV")[pairs, 0]
    first, second = np.moveaxis(pop.get("F")[pairs], 1, 0)
    beaten = [
        np.all(other <= own, axis=1) & np.any(other < own, axis=1)
        for own, other in ((first, second), (second, first))
    ]
    met = np.all(violation <= 0.0, axis=1, keepdims=True)
    return _winners(pairs, np.where(met, np.stack(beaten, axis=1), violation), random_state)


def _winners(
    pairs: npt.NDArray[np.int64], cost: npt.NDArray[np.float64], rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Take of each pair (n, 2) the one of less cost (n, 2), either where they tie."""
    heads = rng.random(len(pairs)) < 0.5
    first_wins = (cost[:, 0] < cost[:, 1]) | ((cost[:, 0] == cost[:, 1]) & heads)
    return np.where(first_wins, pairs[:, 0], pairs[:, 1])[:, None]


def reference_directions(size: int, objectives: int) -> npt.NDArray[np.float64]:
    """Spread directions (n, m) over the simplex by Das and Dennis: the finest grid with n <= size.

    Examples
    --------
    >>> len(reference_directions(24, 4)), len(reference_directions(100, 3))
    (20, 91)
    """
    if objectives == 1:
        return np.ones((1, 1))
    finest = get_reference_directions("das-dennis", objectives, n_partitions=1)
    partitions = 1
    while len(finest) < size:
        partitions += 1
        finer = get_reference_directions("das-dennis", objectives, n_partitions=partitions)
        if len(finer) > size:
            break
        finest = finer
    directions: npt.NDArray[np.float64] = finest
    return directions


def _own_options(algorithm: str, size: int, objectives: int) -> dict[str, Any]:
    """Options that only one of the algorithms has."""
    if algorithm == "nsga3":
        directions = reference_directions(size, objectives)
        return {"ref_dirs": directions, "selection": TournamentSelection(less_violating)}
    if algorithm == "smsemoa":
        # scaled by the designs that it selects from: the whole population has infeasible ones
        return {"normalize": False, "selection": TournamentSelection(dominating)}
    if algorithm == "spea2":
        # the default one is shared by all searches of a process, and keeps their scales
        return {"survival": SPEA2Survival(normalize=True)}
    return {}


def _rows(pop: Population) -> list[list[int]]:
    """Index vectors of a population as plain integers."""
    rows: list[list[int]] = pop.get("X").astype(np.int64).tolist()
    return rows
