"""Samplers of Optuna for several objectives, which never propose a design twice."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt
import optuna
from optuna.samplers import BaseSampler
from optuna.trial import Trial, TrialState

from carbonopt.encoding.optuna_objective import constraint_keys, distributions, to_index, to_params
from carbonopt.errors import SpecError
from carbonopt.search.base import Key, SearchTask
from carbonopt.search.sampling import first_designs, neighbour
from carbonopt.space import IndexArray

_STARTUP = 20
_BATCH = 4
_GENERATIONS = 20
_POPULATIONS = (16, 100)


class OptunaSearcher:
    """Ask and tell for a sampler of Optuna in small batches; it learns from named constraints.

    In a discrete space a sampler soon repeats itself. A repeat is not evaluated: an unseen design
    near it takes its place. The first designs cover each value of each variable evenly.

    The sampler and its study live in memory and in the checkpoint, so a resumed search goes on
    exactly as the uninterrupted one.

    Parameters
    ----------
    task
        What is searched, from where, with which seed.
    sampler
        ``tpe`` (multivariate), ``nsga2``, ``nsga3``, ``qmc`` or ``gp``.

    Raises
    ------
    SpecError
        The sampler needs a library that is not installed.

    References
    ----------
    Ozaki et al.: Multiobjective tree-structured Parzen estimator, JAIR 73, 2022.
    Akiba et al.: Optuna, KDD 2019.
    """

    def __init__(self, task: SearchTask, sampler: str) -> None:
        self.space = task.problem.space
        self.rng = np.random.default_rng([task.seed, 2])
        self.distributions = distributions(self.space)
        self.constraint_keys = constraint_keys(task.problem)
        self.pending: dict[Key, Trial] = {}
        self.batch = _population(task) if sampler in ("nsga2", "nsga3") else _BATCH
        with _quiet():
            self.study = optuna.create_study(
                directions=["minimize"] * len(task.problem.metrics),
                sampler=make_sampler(task, sampler),
            )
        first = len(task.start) if sampler == "qmc" else max(_STARTUP, self.batch)
        for row in first_designs(task, first, self.rng):
            self.study.enqueue_trial(to_params(self.space, row))

    def ask(self, seen: Collection[Key]) -> IndexArray:
        """Propose a few designs (n, v)."""
        self.pending = {}
        with _quiet():
            for _ in range(self.batch):
                trial, key = self._new_trial(seen)
                if key in self.pending or key in seen:
                    break
                self.pending[key] = trial
        return np.array(list(self.pending), dtype=np.int64).reshape(-1, len(self.space.shape))

    def tell(
        self,
        index: IndexArray,
        objectives: npt.NDArray[np.float64],
        violations: npt.NDArray[np.float64],
    ) -> None:
        """Finish the trials of these designs."""
        with _quiet():
            for key, values, over in zip(index.tolist(), objectives, violations, strict=True):
                trial = self.pending.pop(tuple(key))
                for name, value in zip(self.constraint_keys, over.tolist(), strict=True):
                    trial.set_constraint(name, value)
                self.study.tell(trial, values.tolist())

    def _new_trial(self, seen: Collection[Key]) -> tuple[Trial, Key]:
        """Ask for a trial; where the sampler repeats itself, take an unseen design nearby."""
        trial = self.study.ask(self.distributions)
        key = self._key(trial)
        known = {*seen, *self.pending}
        if key in known:
            fresh = neighbour(self.space, key, known, self.rng)
            if len(fresh):
                self.study.tell(trial, state=TrialState.FAIL)
                self.study.enqueue_trial(to_params(self.space, fresh[0]))
                trial = self.study.ask(self.distributions)
                key = self._key(trial)
        return trial, key

    def _key(self, trial: Trial) -> Key:
        """Index vector of a trial."""
        return tuple(to_index(self.space, trial.params)[0].tolist())


def make_sampler(task: SearchTask, name: str) -> BaseSampler:
    """Make a sampler of Optuna by our name for it, see `OptunaSearcher`."""
    return _SAMPLERS[name](task)


def _tpe(task: SearchTask) -> BaseSampler:
    return optuna.samplers.TPESampler(
        multivariate=True, constant_liar=True, n_startup_trials=_STARTUP, seed=task.seed
    )


def _nsga2(task: SearchTask) -> BaseSampler:
    return optuna.samplers.NSGAIISampler(population_size=_population(task), seed=task.seed)


def _nsga3(task: SearchTask) -> BaseSampler:
    return optuna.samplers.NSGAIIISampler(population_size=_population(task), seed=task.seed)


def _qmc(task: SearchTask) -> BaseSampler:
    return optuna.samplers.QMCSampler(
        qmc_type="sobol", scramble=True, seed=task.seed, warn_independent_sampling=False
    )


def _gp(task: SearchTask) -> BaseSampler:
    if find_spec("torch") is None:
        fault = "got gp, which needs torch"
        raise SpecError(f"searcher: {fault}, allowed: after pip install 'carbonopt[gp]'")
    return optuna.samplers.GPSampler(
        n_startup_trials=_STARTUP, deterministic_objective=True, seed=task.seed
    )


_SAMPLERS: dict[str, Callable[[SearchTask], BaseSampler]] = {
    "tpe": _tpe,
    "nsga2": _nsga2,
    "nsga3": _nsga3,
    "qmc": _qmc,
    "gp": _gp,
}


def _population(task: SearchTask) -> int:
    """Size a population for the budget: about twenty generations, within bounds."""
    least, most = _POPULATIONS
    return min(max(task.budget // _GENERATIONS, least), most)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna from announcing a study, and from warnings that nobody can act upon."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        # where no design is feasible, GP divides 0 by 0
        with warnings.catch_warnings(), np.errstate(invalid="ignore"):
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            warnings.filterwarnings("ignore", "Box decomposition", UserWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)
