"""What the finished cells of a campaign say together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from carbonopt.campaign.plan import Cell
from carbonopt.campaign.store import CampaignStore
from carbonopt.errors import SearchError
from carbonopt.front.dominance import front_rows
from carbonopt.front.front import Front
from carbonopt.front.seeds import (
    MEASURES,
    SeedStatistics,
    Surface,
    comparison_table,
    flat_front,
    group_table,
    median_attainment,
)
from carbonopt.problem import Problem
from carbonopt.report.figures import panel_pairs
from carbonopt.run import load_run


def statistics_of(path: str | Path, problems: tuple[Problem, ...] = ()) -> SeedStatistics:
    """Sum up the cells of a campaign that are done.

    Every run is measured against the reference front of its problem; where there is none,
    against the best of all cells.

    Parameters
    ----------
    path
        Directory of the campaign.
    problems
        Those that were made in Python and not from a file.

    Raises
    ------
    StoreError
        There is no campaign, or it cannot be read.
    SearchError
        No cell is done.
    """
    store = CampaignStore(path)
    campaign = store.load(problems)
    done = [cell for cell in campaign.cells if store.state(cell).is_done]
    if not done:
        raise SearchError(f"{path}: got no run that is done; go on with: carbonopt resume {path}")
    rows, surfaces, notices = [], [], []
    for problem in campaign.problems:
        fronts = {c: load_run(store.run_dir(c)) for c in done if c.problem == problem.name}
        if not fronts:
            continue
        fronts, notice = _measurable(fronts)
        notices.append(f"{problem.name}: {notice}")
        rows += [_row(cell, front) for cell, front in fronts.items()]
        if len(problem.metrics) > 1:
            surfaces.append(_surface(fronts))
    if len(done) < len(campaign.cells):
        notices.append(f"{len(campaign.cells) - len(done)} of {len(campaign.cells)} runs missing")
    runs = pd.DataFrame(rows)
    return SeedStatistics(
        name=campaign.name,
        question=campaign.question,
        runs=runs,
        groups=group_table(runs),
        comparisons=comparison_table(runs),
        surfaces=tuple(surfaces),
        notices=tuple(notices),
    )


def _measurable(fronts: dict[Cell, Front]) -> tuple[dict[Cell, Front], str]:
    """Give every front a reference, the best of all where its problem has none, and say which."""
    first = next(iter(fronts.values()))
    if first.reference is not None:
        return fronts, f"against its reference front of {len(first.reference)} designs"
    everything = pd.concat([front.to_pandas() for front in fronts.values()], ignore_index=True)
    best = front_rows(everything, first.objectives)
    best = best.drop_duplicates(list(first.variables), ignore_index=True)
    measured = {cell: replace(front, reference=best) for cell, front in fronts.items()}
    return measured, f"against the best {len(best)} designs of all its runs, not an exact front"


def _row(cell: Cell, front: Front) -> dict[str, object]:
    """Measures of one run."""
    measured = front.compared()
    return {
        "problem": cell.problem,
        "budget": cell.budget,
        "searcher": cell.searcher,
        "seed": cell.seed,
        "designs": len(front.evaluations),
        "front_size": len(front),
        **{name: measured.get(name, float("nan")) for name in MEASURES},
    }


def _surface(fronts: dict[Cell, Front]) -> Surface:
    """Median attainment of every searcher and budget in the two objectives that conflict most."""
    first = next(iter(fronts.values()))
    reference = pd.DataFrame() if first.reference is None else first.reference
    fronts_of = {
        pair: flat_front(reference[list(pair)].to_numpy(float))
        for pair in panel_pairs(first.objectives)
    }
    chosen = max(fronts_of, key=lambda names: len(fronts_of[names]))
    names = list(chosen)
    places = [first.objectives.index(name) for name in names]
    pair = (first.metrics[places[0]], first.metrics[places[1]])
    groups: dict[tuple[str, int], list[np.ndarray]] = {}
    for cell, front in fronts.items():
        groups.setdefault((cell.searcher, cell.budget), []).append(front.values[:, places])
    rows = [
        {"searcher": searcher, "budget": budget, pair[0].name: x, pair[1].name: y}
        for (searcher, budget), values in groups.items()
        for x, y in median_attainment(values).tolist()
    ]
    return Surface(
        problem=first.name,
        pair=pair,
        rows=pd.DataFrame(rows, columns=["searcher", "budget", *names]),
        reference=fronts_of[chosen],
    )
