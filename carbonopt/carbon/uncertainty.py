"""How far carbon is uncertain: priors of the parameters, one sample for all designs, shares.

Every design is priced with the same samples (common random numbers), so that a comparison of
two designs is not blurred by the draw. The priors are documented guesses, not measurements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri
from scipy.stats import qmc

from carbonopt.arrays import Floats
from carbonopt.carbon.presets import Activity, CarbonPreset, load_preset, preset_names
from carbonopt.carbon.task import Task
from carbonopt.data.tables import load_table
from carbonopt.errors import SpecError

TABLE = "carbon_priors.csv"
SAMPLES, SEED = 256, 1
TAIL = 0.95


@dataclass(frozen=True)
class Prior:
    """What a parameter of the carbon model may be, around a preset's own figure.

    Parameters
    ----------
    name
        What the parameter is called.
    fields
        Fields of `CarbonPreset` that it moves, each around its own figure: all by one factor.
    distribution
        ``lognormal`` with median `mode` and geometric standard deviation `spread`, or
        ``triangular`` from `low` over `mode` to `high`.
    mode, low, high, spread
        Numbers of the distribution, in the unit of the field; `spread` without one.
    source
        Where the distribution is from.
    """

    name: str
    fields: tuple[str, ...]
    distribution: str
    mode: float
    low: float
    high: float
    spread: float
    source: str

    def around(self, own: float) -> Prior:
        """Return the prior of another figure that it moves: lognormal ones around that figure."""
        return replace(self, mode=own) if self.distribution == "lognormal" else self

    def quantile(self, uniform: ArrayLike) -> Floats:
        """Value below which a share of the distribution lies, inverse of its cumulative one.

        Lognormal ``m s^z(u)``; triangular ``a + sqrt(u (b - a)(m - a))`` up to the mode m,
        ``b - sqrt((1 - u)(b - a)(b - m))`` beyond.

        Parameters
        ----------
        uniform
            Shares u between 0 and 1 (m,) [-].

        Examples
        --------
        >>> prior = Prior("x", ("x",), "triangular", 1.0, 0.0, 2.0, 0.0, "")
        >>> prior.quantile([0.125, 0.5, 0.875])
        array([0.5, 1. , 1.5])
        """
        share = np.asarray(uniform, dtype=np.float64)
        if self.distribution == "lognormal":
            return np.asarray(self.mode * self.spread ** ndtri(share))
        width = self.high - self.low
        if width == 0.0:
            return np.full_like(share, self.mode)
        rising = self.low + np.sqrt(share * width * (self.mode - self.low))
        falling = self.high - np.sqrt((1.0 - share) * width * (self.high - self.mode))
        return np.where(share <= (self.mode - self.low) / width, rising, falling)


def load_priors(preset: CarbonPreset) -> tuple[Prior, ...]:
    """Priors of a preset, each around the preset's own figure.

    The grid in use is uncertain by a factor of 1.6 while it is the shipped preset's own, and
    by 1.1 once it was set, because then the region is known.

    Examples
    --------
    >>> from carbonopt.carbon.presets import load_preset
    >>> priors = {prior.name: prior for prior in load_priors(load_preset("default"))}
    >>> priors["lifetime"].low / 86400 / 365.25, priors["package"].spread
    (2.0, 2.0)
    """
    priors: dict[str, Prior] = {}
    for row in load_table(TABLE).to_dict("records"):
        fields = tuple(str(row["fields"]).split())
        own = float(np.mean(getattr(preset, fields[0])))
        low, high = _bounds(str(row["basis"]), own, float(row["low"]), float(row["high"]))
        numbers = (own, low, high, float(row["spread"]))
        prior = Prior(
            str(row["parameter"]),
            fields,
            str(row["distribution"]),
            *numbers,
            f"{row['source']}: {row['locator']}",
        )
        if prior.name not in priors or not _grid_is_set(preset):
            priors[prior.name] = prior
    return tuple(priors.values())


def _grid_is_set(preset: CarbonPreset) -> bool:
    """Whether the intensity in use was given, and is not that of the shipped preset."""
    if preset.name not in preset_names():
        return True
    return bool(np.mean(preset.use_g_per_kwh) != load_preset(preset.name).use_g_per_kwh)


def _bounds(basis: str, own: float, low: float, high: float) -> tuple[float, float]:
    """Return the ends of a triangular distribution, which hold the preset's own figure."""
    if basis == "relative":
        return own * low, own * high
    if basis == "overhead":
        return 1.0 + (own - 1.0) * low, 1.0 + (own - 1.0) * high
    return min(low, own), max(high, own)


def sobol_shares(count: int, dimensions: int, seed: int = SEED) -> Floats:
    """Scrambled Sobol' points (count, dimensions) between 0 and 1.

    Raises
    ------
    SpecError
        `count` is no power of two, for which alone the points are balanced.

    References
    ----------
    .. [1] A. B. Owen, "On dropping the first Sobol' point", MCQMC 2020.
    """
    if count < 2 or count & (count - 1):
        raise SpecError(f"samples: got {count}, allowed: a power of two, such as {SAMPLES}")
    sampler = qmc.Sobol(dimensions, scramble=True, rng=seed)
    return np.asarray(sampler.random(count), dtype=np.float64)


def sampled_preset(preset: CarbonPreset, shares: Floats | None = None) -> CarbonPreset:
    """Put samples of every uncertain parameter into a preset.

    Parameters
    ----------
    preset
        Its own figures are the middle of the priors.
    shares
        Quantile of every prior of `load_priors` (m, d); the fixed sample of `SAMPLES` points
        if not given.

    Returns
    -------
    CarbonPreset
        Fields (m, 1), which broadcast against designs (n,).
    """
    priors = load_priors(preset)
    points = sobol_shares(SAMPLES, len(priors)) if shares is None else shares
    values: dict[str, Any] = {
        field: prior.around(float(np.mean(getattr(preset, field)))).quantile(points[:, place])[
            :, None
        ]
        for place, prior in enumerate(priors)
        for field in prior.fields
    }
    return replace(preset, **values)


@cache
def shared_sample(preset: CarbonPreset) -> CarbonPreset:
    """Give the one sample that all designs of a preset share."""
    return sampled_preset(preset)


def tail_mean(samples: Floats) -> Floats:
    """Mean of the worst 5 % of the samples (m, n) of each design: CVaR, or expected shortfall.

    References
    ----------
    .. [1] R. T. Rockafellar, S. Uryasev, J. Risk 2(3), 2000.

    Examples
    --------
    >>> tail_mean(np.arange(100.0)[:, None])
    array([97.])
    """
    worst = int(np.ceil((1.0 - TAIL) * len(samples) - 1e-9))
    ranked = np.partition(samples, len(samples) - worst, axis=0)
    return np.asarray(ranked[len(samples) - worst :].mean(axis=0))


STATISTICS: Mapping[str, Callable[[Floats], Floats]] = MappingProxyType(
    {
        "mean": lambda samples: np.asarray(samples.mean(axis=0)),
        "p95": lambda samples: np.asarray(np.quantile(samples, TAIL, axis=0)),
        "cvar": tail_mean,
    }
)
"""Statistics of samples (m, n) that can be an objective, one value per design (n,)."""


def mean_carbon_g(
    tasks: Sequence[Task], activity: Activity, preset: CarbonPreset
) -> tuple[Floats, list[Floats]]:
    """Geometric mean over the tasks' carbon, and the carbon of each [g]."""
    each = [task.carbon_g(activity, preset) for task in tasks]
    return np.asarray(np.exp(sum(np.log(carbon) for carbon in each) / len(each))), each


def statistics_of(
    tasks: Sequence[Task], names: Sequence[str], preset: CarbonPreset
) -> dict[str, float]:
    """Statistics of one design's carbon under the shared sample, as columns of a row.

    Parameters
    ----------
    tasks
        The networks on the design.
    names
        Metrics such as ``carbon_pa_p95_g``.
    preset
        The middle of the samples.

    Returns
    -------
    dict
        Each metric of the geometric mean over the networks, and ``metric@network`` of each [g].
    """
    row: dict[str, float] = {}
    for name in names:
        _, activity, statistic, _ = name.split("_")
        sample = shared_sample(preset)
        mean, each = mean_carbon_g(tasks, "CA" if activity == "ca" else "PA", sample)
        row[name] = float(STATISTICS[statistic](mean).item())
        for task, carbon in zip(tasks, each, strict=True):
            row[f"{name}@{task.deployment.network}"] = float(STATISTICS[statistic](carbon).item())
    return row


def variance_shares(
    model: Callable[[Floats], Floats], dimensions: int, count: int = 4096, seed: int = SEED
) -> tuple[Floats, Floats]:
    """Shares of the variance of a model's result that its parameters carry, by Sobol'.

    First order ``S_i = mean(f_B (f_ABi - f_A)) / V``, alone; total
    ``T_i = mean((f_A - f_ABi)^2) / (2 V)``, with all interactions; A and B are two samples,
    ABi is A with column i of B, V the variance over A and B.

    Parameters
    ----------
    model
        Takes shares (m, d), returns results (m,).
    dimensions
        Number of parameters d.
    count
        Points of A and of B, a power of two; d + 2 times as many are evaluated.

    Returns
    -------
    tuple
        First-order and total shares (d,); 0 where nothing varies.

    References
    ----------
    .. [1] A. Saltelli et al., Comput. Phys. Commun. 181, 2010, table 2 (b) and (f).
    """
    both = sobol_shares(count, 2 * dimensions, seed)
    first, second = both[:, :dimensions], both[:, dimensions:]
    from_first, from_second = model(first), model(second)
    results = np.concatenate([from_first, from_second])
    centre, variance = results.mean(), results.var()
    alone, whole = np.zeros(dimensions), np.zeros(dimensions)
    for place in range(dimensions if variance > 0.0 else 0):
        mixed = first.copy()
        mixed[:, place] = second[:, place]
        change = model(mixed) - from_first
        alone[place] = np.mean((from_second - centre) * change) / variance
        whole[place] = 0.5 * np.mean(change**2) / variance
    return alone, whole
