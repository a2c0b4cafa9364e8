"""Commands on campaigns: run one, go on with one, say how far it is and what its seeds say."""

from __future__ import annotations

import signal
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from carbonopt.cli_text import (
    DONE,
    INTERRUPTED,
    RUN_FAILED,
    say,
    say_json,
    tell,
    tell_of_compiling,
)
from carbonopt.errors import SpecError

if TYPE_CHECKING:
    from carbonopt.campaign.plan import Campaign, Share
    from carbonopt.campaign.store import CampaignStore, CellState

_SHOWN = 12


def is_campaign(path: str | Path) -> bool:
    """Whether a directory holds a campaign."""
    from carbonopt.campaign.store import CampaignStore

    return CampaignStore(path).exists


def run(campaign: Campaign, path: Path, options: Namespace) -> int:
    """Run the cells of a campaign that are not done, and say what the seeds say."""
    from carbonopt.campaign import CampaignStore, Share

    share = Share.of(options.only) if options.only else Share()
    part = f", part {share.part} of {share.parts}" if share.parts > 1 else ""
    say(f"{campaign.name}: {len(campaign.cells)} runs in {path}{part}")
    return _watched(campaign, CampaignStore(path), share, options)


def resume(options: Namespace) -> int:
    """Go on with a campaign where it was interrupted."""
    from carbonopt.campaign import CampaignStore, Share

    store = CampaignStore(options.run_dir)
    return _watched(store.load(), store, Share(), options)


def status(options: Namespace) -> None:
    """Say how far a run or a campaign is."""
    from carbonopt import cli_show
    from carbonopt.campaign import CampaignStore
    from carbonopt.campaign.store import DONE as DONE_CELL
    from carbonopt.campaign.store import RUNNING

    if not is_campaign(options.run_dir):
        return cli_show.status(options)
    store = CampaignStore(options.run_dir)
    campaign = store.load()
    states = [store.state(cell) for cell in campaign.cells]
    if options.json:
        cells = [{**asdict(state.cell), **_told(state)} for state in states]
        told = {"run_dir": options.run_dir, "name": campaign.name, "question": campaign.question}
        return say_json({**told, "cells": cells})
    say(f"{options.run_dir}: {campaign.name}, {len(states)} runs")
    for line in _lines(states, campaign):
        say(line)
    found = {state.state for state in states}
    if found == {DONE_CELL}:
        say(f"compare with: carbonopt statistics {options.run_dir}")
    elif RUNNING not in found:
        say(f"go on with: carbonopt resume {options.run_dir}")
    return None


def statistics(options: Namespace) -> None:
    """Compare searchers over the seeds of a campaign: table, files and figure."""
    from carbonopt.campaign import CampaignStore

    _show_statistics(CampaignStore(options.run_dir), json=options.json)


def _watched(campaign: Campaign, store: CampaignStore, share: Share, options: Namespace) -> int:
    """Run with a progress display; an interrupt says how to go on."""
    from carbonopt.campaign import run_campaign
    from carbonopt.cli_run import cores
    from carbonopt.progress import CampaignDisplay

    if options.workers:
        fault = f"got {options.workers} for {len(campaign.cells)} runs"
        raise SpecError(f"--workers: {fault}, allowed: --jobs, which runs so many at once")
    cells = [cell for cell in campaign.cells if share.holds(cell)]
    left = {cell: campaign.designs(cell) for cell in cells if not store.state(cell).is_done}
    jobs = options.jobs or cores()
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    tell_of_compiling()
    with CampaignDisplay(sys.stderr, left) as display:
        try:
            states = run_campaign(campaign, store.path, jobs=jobs, share=share, watch=display)
        except KeyboardInterrupt:
            display.close()
            again = f"carbonopt resume {store.path}"
            return tell(f"interrupted; go on with: {again}", INTERRUPTED)
        finally:
            signal.signal(signal.SIGTERM, before)
    return _summed_up(campaign, store, states)


def _summed_up(campaign: Campaign, store: CampaignStore, states: Sequence[CellState]) -> int:
    """Say what became of the cells, and what the seeds say where all are done."""
    from carbonopt.campaign.store import FAILED

    for line in _lines(states, campaign):
        say(line)
    others = [store.state(cell) for cell in campaign.cells]
    failed = [state for state in states if state.state == FAILED]
    if failed:
        tell(f"{len(failed)} runs failed; mend the reason, then: carbonopt resume {store.path}", 0)
    waiting = sum(not state.is_done for state in others) - sum(not s.is_done for s in states)
    if waiting:
        say(f"{waiting} runs of other parts are not done; then: carbonopt statistics {store.path}")
    elif any(state.is_done for state in others):
        say()
        _show_statistics(store)
    return RUN_FAILED if failed else DONE


def _show_statistics(store: CampaignStore, *, json: bool = False) -> None:
    """Write the statistics of a campaign and show their table."""
    from carbonopt.campaign.statistics import statistics_of
    from carbonopt.report.seeds import statistics_text, write_statistics

    found = statistics_of(store.path)
    with store.locked():
        files = write_statistics(found, store.path / "statistics")
    if json:
        tables = {"groups": found.groups, "comparisons": found.comparisons}
        told = {name: table.to_dict("records") for name, table in tables.items()}
        return say_json({"name": found.name, **told, "files": [str(file) for file in files]})
    say(statistics_text(found))
    say()
    for file in files:
        say(str(file))
    return None


def _lines(states: Sequence[CellState], campaign: Campaign) -> list[str]:
    """Say how many cells are how far, and why some failed."""
    from carbonopt.campaign.store import BEGUN, FAILED, RUNNING, STATES

    many = Counter(state.state for state in states)
    lines = [", ".join(f"{many[state]} {state}" for state in STATES if many[state])]
    named = [state for state in states if state.state in (RUNNING, BEGUN)]
    lines += [
        f"  {state.cell.name}: {state.state}, {state.designs} of {campaign.designs(state.cell)}"
        for state in named[:_SHOWN]
    ]
    failed = [state for state in states if state.state == FAILED]
    lines += [
        f"  {state.cell.name}: failed: {state.reason.splitlines()[0]}" for state in failed[:_SHOWN]
    ]
    hidden = max(len(named) - _SHOWN, 0) + max(len(failed) - _SHOWN, 0)
    return [*lines, *([f"  and {hidden} more"] if hidden else [])]


def _told(state: CellState) -> dict[str, object]:
    """Return state, designs and reason of a cell as JSON has them."""
    return {"state": state.state, "designs": state.designs, "reason": state.reason or None}
