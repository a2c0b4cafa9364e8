"""Which designs can be best under some scenario, and which one is best where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from carbonopt.arrays import Bools, Floats, Ints
from carbonopt.carbon.design_node import COLUMN
from carbonopt.carbon.scenario import IN_USE
from carbonopt.carbon.task import Deployment
from carbonopt.errors import SpecError
from carbonopt.front.dominance import non_dominated
from carbonopt.front.pricing import Scenario, task_of
from carbonopt.objectives import scenario_free


def scenario_free_rows(table: pd.DataFrame, networks: Sequence[str]) -> Bools:
    """Mark the designs (n,) that may be best under some scenario; none that is best is left out.

    Parameters
    ----------
    table
        Designs (n) with the columns of `carbonopt.objectives.scenario_free`; no machine leaks
        where there is no ``idle_w``, no cell wears out where there is no ``cell_inferences``, and
        all dies are of one node where there is no ``node_nm``.
    networks
        The networks.

    Notes
    -----
    Monotone in every column and in the share of a life that an inference wears off: a design that
    is no better anywhere is no better in any scenario. Only dies of one node compete: which of two
    nodes makes the better die depends on the fab. The objectives ``scenario_free`` of a search know
    neither wear nor nodes.
    With several networks the columns are those of each network: the geometric mean of the
    networks' carbons is not monotone in their mean energy and mean latency.
    """
    columns = [name for name in scenario_free(networks) if name in table or name != "idle_w"]
    worn = [name for name in map(str, table) if name.startswith("cell_inferences@")]
    wear = (1.0 / table[worn].to_numpy(dtype=float)).clip(0.0)
    values = np.hstack([table[columns].to_numpy(dtype=float), np.nan_to_num(wear)])
    if COLUMN not in table:
        return non_dominated(values)
    kept, nodes = np.zeros(len(table), dtype=bool), pd.factorize(table[COLUMN])[0]
    for node in np.unique(nodes):
        kept[nodes == node] = non_dominated(values[nodes == node])
    return kept


def keeps_periods(
    table: pd.DataFrame, deployments: Sequence[Deployment], scenario: Scenario
) -> Bools:
    """Mark the designs (n,) that may compete: in PA under ``infeasible`` none may be late."""
    kept = np.ones(len(table), dtype=bool)
    if scenario.activity == "PA" and scenario.preset.late_rule == "infeasible":
        for deployment in deployments:
            latency_s = table[f"latency_s@{deployment.network}"].to_numpy(dtype=float)
            kept &= latency_s <= (deployment.period_s or np.inf)
    return kept


def winners(
    table: pd.DataFrame,
    deployments: Sequence[Deployment],
    scenario: Scenario,
    lifetimes_s: Floats,
    intensities_g_per_kwh: Floats,
) -> Ints:
    """Find the design with the least carbon for every lifetime and grid intensity.

    ``C = CI a + b / min(L, W)``, geometric mean over the networks: a and b are priced once, of
    cells that do not wear out. Others end the life after W.

    Parameters
    ----------
    table
        Feasible designs (n), as for `task_parts`.
    deployments, scenario
        Networks, activity and preset. Lifetime and intensity are replaced; the intensity is
        that of the hours in use, mean over the lifetime.
    lifetimes_s
        Lifetimes L (k,) [s].
    intensities_g_per_kwh
        Grid intensities CI (j,) [g/kWh].

    Returns
    -------
    Ints
        Position of the winner in the table (k, j).

    Raises
    ------
    SpecError
        No design is there to win.
    """
    if not len(table):
        raise SpecError("scenario map: got no feasible design, required: one")
    rows = np.flatnonzero(scenario_free_rows(table, [d.network for d in deployments]))
    unit = scenario.preset.with_values(
        lifetime_s=1.0, use_g_per_kwh=1.0, use_hours_ratio=1.0, decarbonisation_per_year=0.0
    )
    terms = []
    for deployment in deployments:
        task = task_of(table.iloc[rows], deployment)
        parts = replace(task, cell_inferences=np.inf).parts_g(scenario.activity, unit)
        used = np.sum([parts[part] for part in IN_USE], axis=0)
        made = np.sum(list(parts.values()), axis=0) - used
        terms.append((used, made, task.wear(scenario.activity, unit).wear_s))
    found = np.empty((len(lifetimes_s), len(intensities_g_per_kwh)), dtype=np.int64)
    for place, lifetime in enumerate(lifetimes_s):
        carbon = [
            np.log(
                np.multiply.outer(intensities_g_per_kwh, used) + made / np.minimum(lifetime, wear_s)
            )
            for used, made, wear_s in terms
        ]
        found[place] = rows[np.sum(carbon, axis=0).argmin(axis=1)]
    return found
