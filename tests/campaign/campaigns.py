"""Campaigns on the toy, quick and exact."""

from __future__ import annotations

from pathlib import Path

import toy

from carbonopt.campaign import Campaign, CampaignStore, Cell
from carbonopt.campaign.worker import run_cells


def campaign(*problems, **changes) -> Campaign:
    """Two searchers, two seeds, 30 designs, on the small toy."""
    axes = {"searchers": ["nsga2", "sobol"], "budgets": [30], "seeds": [1, 2], **changes}
    return Campaign(name="toys", problems=problems or [toy.small()], **axes)


def run_here(asked: Campaign, path: Path) -> list:
    """Run a campaign in this process; return what was told."""
    store, told = CampaignStore(path), []
    store.keep(asked)
    run_cells(store, asked, asked.cells, told.append)
    return told


def results(path: Path, cells: list[Cell]) -> dict[str, list[bytes]]:
    """What the cells of a campaign found."""
    names = ("front.csv", "evaluations.csv")
    return {c.name: [(path / "cells" / c.name / n).read_bytes() for n in names] for c in cells}
