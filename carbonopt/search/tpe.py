"""Multivariate tree-structured Parzen estimator of Optuna, for several objectives."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import optuna
from optuna.trial import Trial, TrialState

from carbonopt.encoding.optuna_objective import constraint_keys, distributions, to_index, to_params
from carbonopt.problem import Problem
from carbonopt.search.sampling import neighbour, spread
from carbonopt.space import IndexArray

Key = tuple[int, ...]
_BATCH = 4
_STARTUP = 20


class TpeSearcher:
    """Ask and tell for Optuna's TPE in small batches; it learns from named constraints.

    In a discrete space TPE soon repeats itself. A repeat is not evaluated: an unseen design near
    it takes its place.

    The sampler and its study live in memory and in the checkpoint, so a resumed search goes on
    exactly as the uninterrupted one.

    Parameters
    ----------
    problem
        What is searched.
    seed
        Same seed, same designs in the same order.

    References
    ----------
    Ozaki et al.: Multiobjective tree-structured Parzen estimator, JAIR 73, 2022.
    Akiba et al.: Optuna, KDD 2019.
    """

    def __init__(self, problem: Problem, seed: int) -> None:
        self.space = problem.space
        self.rng = np.random.default_rng([seed, 2])
        self.distributions = distributions(self.space)
        self.constraint_keys = constraint_keys(problem)
        self.pending: dict[Key, Trial] = {}
        sampler = optuna.samplers.TPESampler(
            multivariate=True, constant_liar=True, n_startup_trials=_STARTUP, seed=seed
        )
        with _quiet():
            self.study = optuna.create_study(
                directions=["minimize"] * len(problem.metrics), sampler=sampler
            )
        for row in spread(self.space, min(_STARTUP, problem.size), self.rng):
            self.study.enqueue_trial(to_params(self.space, row))

    def ask(self, seen: Collection[Key]) -> IndexArray:
        """Propose a few designs (n, v)."""
        self.pending = {}
        for _ in range(_BATCH):
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


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna from announcing a study."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
