"""Enumerate the designs, and keep what may be the best of its kind whatever arrays of macros take.

With the designs that figures.py reads: leaves with status 1 if these are not what was found.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from carbonopt.front.dominance import non_dominated
from carbonopt.report.study import output_of
from carbonopt.run import enumerate_all, load_study

KEPT = Path(__file__).with_name("designs.csv")
COLUMNS = ["template", "rows", "cols", "macros", "sram_byte"]
TAKEN = ["latency_s", "energy_j", "idle_w", "area_mm2", "energy_j.array", "area_mm2.array"]


def kept(designs: pd.DataFrame) -> pd.DataFrame:
    """Return of each kind what no other beats, with the array of macros apart from the rest."""
    found = []
    for _, kind in designs[designs["feasible"].astype(bool)].groupby("template"):
        taken = kind[TAKEN].to_numpy()
        taken[:, [1, 3]] -= taken[:, [4, 5]]
        found.append(kind[non_dominated(taken)])
    best = pd.concat(found)[COLUMNS + TAKEN].fillna({"macros": 1})
    return best.drop_duplicates(COLUMNS, ignore_index=True)


if __name__ == "__main__":
    out = output_of(__file__, __doc__)
    runs = []
    for problem in load_study(KEPT.parent).problem:
        run_dir = out / Path(problem).parent.name
        runs.append(enumerate_all(problem, run_dir=run_dir, workers=2).evaluations)
    found, known = kept(pd.concat(runs)), pd.read_csv(KEPT)
    found.to_csv(out / KEPT.name, index=False)
    same = len(found) == len(known) and (found[COLUMNS] == known[COLUMNS]).all(axis=None)
    same = same and np.allclose(found[TAKEN], known[TAKEN], rtol=1e-9, atol=0.0)
    every = f"{sum(map(len, runs))} designs, those of both spaces twice"
    print(f"{every}; {len(found)} kept: {out / KEPT.name}")
    sys.exit(None if same else f"{KEPT}: not what was found")
