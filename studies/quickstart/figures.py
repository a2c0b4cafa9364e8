"""The study as `carbonopt run quickstart` makes it: its front, its figures and its best designs."""

from pathlib import Path

import pandas as pd

from carbonopt.front.front import Front
from carbonopt.report.breakdown import plot_breakdown
from carbonopt.report.figures import plot_carbon, plot_front, plot_hypervolume
from carbonopt.report.study import output_of, tell_study
from carbonopt.report.table import describe_design, telling_designs
from carbonopt.run import load_study, search

DRAWN = {
    "front": plot_front,
    "carbon": plot_carbon,
    "breakdown": plot_breakdown,
    "hypervolume": plot_hypervolume,
}


def solve(run_dir: Path, workers: int = 2) -> Front:
    """Search as study.yaml says, or read the run where it is there already."""
    study = load_study(Path(__file__).parent)
    asked = (study.problem[0], study.searcher[0], study.budget[0], study.seed[0])
    return search(*asked, run_dir=run_dir, workers=workers)


def numbers(found: Front) -> dict[str, object]:
    """Return how near the search came to the exact front, and the designs that say most."""
    names, exact = found.objectives, found.reference
    telling = telling_designs(found).set_index("role")
    return {
        "designs": len(found.evaluations),
        "front": len(found),
        "exact_front": len(exact),
        **found.compared(),
        "least_over_exact": (found.to_pandas()[names].min() / exact[names].min()).to_dict(),
        "telling": {
            role: {"design": describe_design(row, found.variables), **row[names].to_dict()}
            for role, row in telling.iterrows()
        },
    }


if __name__ == "__main__":
    out = output_of(__file__, __doc__)
    front = solve(out / "run")
    told = numbers(front)
    answer = pd.DataFrame(told["telling"]).T.rename_axis("design of the front")
    tell_study(__file__, out, {name: plot(front) for name, plot in DRAWN.items()}, told, answer)
