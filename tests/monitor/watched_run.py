"""Start a run in a process of its own, to be watched: watched_run.py DIR ENOUGH.

It goes on slowly until the file ENOUGH exists, so that a test can look as long as it needs.
"""

import sys
import time
from pathlib import Path

import toy

import carbonopt as co


def slow(design):
    """The toy at a pace that a browser can follow."""
    time.sleep(0.0 if Path(sys.argv[2]).exists() else 0.5)
    return toy.evaluate_row(design)


if __name__ == "__main__":
    co.search(toy.large(evaluate_row=slow), "nsga2", 600, seed=4, run_dir=sys.argv[1])
