"""Run a campaign in a process of its own, to be killed: killed_campaign.py DIR WHICH."""

import sys
import time
from pathlib import Path

import toy

import carbonopt as co
from carbonopt.campaign import Campaign, run_campaign
from carbonopt.search.registry import searcher_names

LEARNED = [name for name in searcher_names() if name not in ("gp", "exhaustive")]
"""Every searcher but the one that needs an extra and the one that needs a budget of its own."""


def slower(design):
    """The toy at the pace of a large model."""
    time.sleep(0.05)
    return toy.evaluate_row(design)


def campaign_of(which: str) -> Campaign:
    """Name a campaign: every searcher on the toy, its enumeration, a few on a real network."""
    if which == "toy":
        problem = toy.large(evaluate_row=toy.slow)
        return Campaign(which, [problem], LEARNED, [100], [4])
    if which == "whole":
        problem = toy.small(evaluate_row=slower)
        return Campaign(which, [problem], ["exhaustive"], [problem.size], [1])
    problem = co.load_problem(Path(which))
    return Campaign("real", [problem], ["nsga2", "sobol"], [60], [1, 2])


if __name__ == "__main__":
    directory, which = sys.argv[1:]
    states = run_campaign(campaign_of(which), directory, jobs=2)
    sys.exit(not all(state.is_done for state in states))
