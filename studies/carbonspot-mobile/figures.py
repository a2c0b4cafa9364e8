"""What carbonspot-tiny does, for MLPerf Mobile: on the designs and problems of this folder."""

import runpy
from pathlib import Path

HERE = Path(__file__)
grid = runpy.run_path(str(HERE.parents[1] / "carbonspot-tiny" / "figures.py"))
solve, priced, numbers, draw = (grid[name] for name in ("solve", "priced", "numbers", "draw"))

if __name__ == "__main__":
    grid["main"](HERE)
