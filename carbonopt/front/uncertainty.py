"""What uncertain carbon does to a front: who stays on it, how far it moves, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from carbonopt.arrays import Bools, Floats
from carbonopt.carbon.presets import CarbonPreset
from carbonopt.carbon.task import Deployment
from carbonopt.carbon.uncertainty import (
    STATISTICS,
    TAIL,
    load_priors,
    mean_carbon_g,
    sampled_preset,
    sobol_shares,
    variance_shares,
)
from carbonopt.errors import SpecError
from carbonopt.front.pricing import Scenario, task_of
from carbonopt.front.winners import keeps_periods


@dataclass(frozen=True)
class Uncertainty:
    """Carbon of designs under all samples, and what follows from it.

    Parameters
    ----------
    scenario
        Activity and the preset in the middle of the samples.
    designs
        One row per competing design, by latency: its variables and metrics, ``nominal``,
        ``mean``, ``p95``, ``cvar``, ``low`` and ``high`` (5 % and 95 %) of its carbon [g per
        task], whether it is on the ``nominal_front`` and the ``share`` of samples in which it
        is on the front of latency and carbon.
    band
        ``latency_s`` and the carbon that is reached with no more latency in 5, 50 and 95 % of
        the samples: ``low``, ``middle``, ``high`` [g per task].
    causes
        Share of the variance of the carbon of the design with the least nominal carbon, by
        parameter: ``first``, alone, and ``total``, with interactions.
    """

    scenario: Scenario
    designs: pd.DataFrame
    band: pd.DataFrame
    causes: pd.DataFrame


def carbon_samples(
    table: pd.DataFrame, deployments: Sequence[Deployment], scenario: Scenario
) -> Floats:
    """Carbon of every design under every sample of a preset (m, n), mean over networks [g]."""
    tasks = [task_of(table, deployment) for deployment in deployments]
    return mean_carbon_g(tasks, scenario.activity, scenario.preset)[0]


def on_front(latency_s: Floats, carbon_g: Floats) -> tuple[Bools, Floats]:
    """Find for every sample which designs are on the front of latency and carbon.

    Parameters
    ----------
    latency_s
        Latency (n,), rising [s].
    carbon_g
        Carbon of every sample and design (m, n) [g].

    Returns
    -------
    tuple
        Whether a design is on the front (m, n), and the least carbon that is reached with no
        more than its latency (m, n) [g].
    """
    starts = np.flatnonzero(np.r_[True, np.diff(latency_s) > 0.0])
    group = np.cumsum(np.r_[True, np.diff(latency_s) > 0.0]) - 1
    least = np.minimum.reduceat(carbon_g, starts, axis=1)
    reached = np.minimum.accumulate(least, axis=1)
    before = np.concatenate([np.full((len(least), 1), np.inf), reached[:, :-1]], axis=1)
    better = least < before
    return better[:, group] & (carbon_g <= least[:, group]), reached[:, group]


def assess(
    table: pd.DataFrame,
    deployments: Sequence[Deployment],
    scenario: Scenario,
    count: int,
) -> Uncertainty:
    """Price designs with samples of every uncertain parameter.

    Parameters
    ----------
    table
        Designs; the feasible ones compete, in PA those that keep every period.
    deployments, scenario
        Networks, activity and preset.
    count
        Samples, a power of two; the same for all designs.

    Raises
    ------
    SpecError
        No design competes, or `count` is no power of two.
    """
    kept = table["feasible"].to_numpy(dtype=bool) & keeps_periods(table, deployments, scenario)
    designs = table[kept].sort_values("latency_s", kind="stable").reset_index(drop=True)
    if designs.empty:
        raise SpecError("uncertainty: got no feasible design, required: one")
    nominal = carbon_samples(designs, deployments, scenario)
    shares = sobol_shares(count, len(load_priors(scenario.preset)))
    drawn = replace(scenario, preset=sampled_preset(scenario.preset, shares))
    carbon = carbon_samples(designs, deployments, drawn)
    latency_s = designs["latency_s"].to_numpy(dtype=float)
    fronts, reached = on_front(latency_s, carbon)
    low, middle, high = np.quantile(reached, [1 - TAIL, 0.5, TAIL], axis=0)
    told = designs.assign(
        nominal=nominal,
        **{name: statistic(carbon) for name, statistic in STATISTICS.items()},
        low=np.quantile(carbon, 1 - TAIL, axis=0),
        high=np.quantile(carbon, TAIL, axis=0),
        nominal_front=on_front(latency_s, nominal[None, :])[0][0],
        share=fronts.mean(axis=0),
    )
    band = pd.DataFrame({"latency_s": latency_s, "low": low, "middle": middle, "high": high})
    best = designs.iloc[[int(nominal.argmin())]]
    return Uncertainty(scenario, told, band, causes_of(best, deployments, scenario))


def causes_of(
    design: pd.DataFrame, deployments: Sequence[Deployment], scenario: Scenario
) -> pd.DataFrame:
    """Share of the variance of one design's carbon by parameter, the largest first.

    Parameters
    ----------
    design
        A table of one row.
    deployments, scenario
        Networks, activity and preset.

    Returns
    -------
    pandas.DataFrame
        ``parameter``, ``first`` and ``total`` [-].
    """

    def carbon(shares: Floats) -> Floats:
        drawn: CarbonPreset = sampled_preset(scenario.preset, shares)
        return carbon_samples(design, deployments, replace(scenario, preset=drawn))[:, 0]

    priors = load_priors(scenario.preset)
    first, total = variance_shares(carbon, len(priors))
    names = [prior.name for prior in priors]
    causes = pd.DataFrame({"parameter": names, "first": first, "total": total})
    return causes.sort_values("total", ascending=False, kind="stable").reset_index(drop=True)
