"""Start a run in a process of its own, to be watched: watched_run.py DIR."""

import sys
import time

import toy

import carbonopt as co


def slow(design):
    """The toy at a pace that a browser can follow."""
    time.sleep(0.12)
    return toy.evaluate_row(design)


if __name__ == "__main__":
    co.search(toy.large(evaluate_row=slow), "nsga2", 250, seed=4, run_dir=sys.argv[1])
