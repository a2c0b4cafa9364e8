"""Keep of enumerated runs what may be the best of its kind, whatever the arrays of macros take."""

import argparse
from pathlib import Path

import pandas as pd

from carbonopt.front.dominance import non_dominated

COLUMNS = ["template", "rows", "cols", "macros", "sram_byte"]
TAKEN = ["latency_s", "energy_j", "idle_w", "area_mm2", "energy_j.array", "area_mm2.array"]

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, nargs="+", help="directory of an enumeration")
    found = pd.concat(pd.read_csv(run / "evaluations.csv") for run in parser.parse_args().run)
    kept = []
    for _, kind in found[found["feasible"].astype(bool)].groupby("template"):
        taken = kind[TAKEN].to_numpy()
        taken[:, [1, 3]] -= taken[:, [4, 5]]  # the array apart from the rest
        kept.append(kind[non_dominated(taken)])
    best = pd.concat(kept)[COLUMNS + TAKEN].fillna({"macros": 1}).drop_duplicates(COLUMNS)
    best.to_csv(Path(__file__).with_name("designs.csv"), index=False)
