"""Work on a shared study in a process of its own: shared_worker.py URL STUDY BUDGET PAUSE_S."""

import sys
import time

import toy

from carbonopt.cluster.shared import open_study, work
from carbonopt.run.api import problem_of_text


def problem(pause_s):
    """24 designs of the toy, at a pace; the pace is no part of its hash."""

    def row(design):
        time.sleep(pause_s)
        return toy.evaluate_row(design)

    variables = [
        toy.Variable.choice("template", ["dimc", "aimc"]),
        toy.Variable.pow2("rows", 64, 256),
        toy.Variable.pow2("cols", 64, 128),
        toy.Variable.choice("macros", [1, 4]),
        toy.Variable.pow2("sram_byte", 2**14, 2**14),
    ]
    content = {"evaluate_row": "toy.evaluate_row"}
    return toy.small(variables=variables, evaluate_row=row, content=content)


def opened(url, name, budget, pause_s=0.0, **changes):
    """Open the shared study of the toy."""
    return open_study(
        url,
        name,
        problem_of_text,
        problem=problem(pause_s),
        budget=budget,
        **{"heartbeat_s": 1, **changes},
    )


if __name__ == "__main__":
    url, name, budget, pause_s = sys.argv[1:]
    try:
        with opened(url, name, int(budget), float(pause_s)) as shared:
            work(shared)
    except OSError as error:
        sys.exit(f"StoreError: {error}")
