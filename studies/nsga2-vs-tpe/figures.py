"""Which searcher for how many designs: the campaign of study.yaml, run or read, and compared."""

from pathlib import Path

import pandas as pd

from carbonopt.campaign import Cell, run_campaign
from carbonopt.campaign.plan import campaign_of
from carbonopt.campaign.statistics import statistics_of
from carbonopt.front.seeds import HYPERVOLUME, MEASURES, SeedStatistics
from carbonopt.report.seeds import plot_seeds
from carbonopt.report.study import output_of, tell_study
from carbonopt.run import load_study
from carbonopt.search.stop import StopRules

GROUP, KEY = ["problem", "budget", "searcher"], ["problem", "searcher", "budget", "seed"]


def solve(run_dir: Path, jobs: int = 2) -> SeedStatistics:
    """Run what is not done of the campaign in a directory, and compare the searchers."""
    campaign = campaign_of(load_study(Path(__file__).parent), StopRules())
    run_campaign(campaign, run_dir, jobs=jobs)
    return statistics_of(run_dir)


def numbers(found: SeedStatistics) -> dict[str, dict]:
    """Return the medians over the seeds of every group, and the hypervolume of every run."""
    cells = [Cell(*key).name for key in found.runs[KEY].itertuples(index=False)]
    medians = found.groups[[f"{name}_median" for name in MEASURES]]
    names = found.groups[GROUP].astype(str).agg(", ".join, axis=1)
    return {
        "groups": medians.set_index(names).T.to_dict(),
        "runs": dict(zip(cells, found.runs[HYPERVOLUME], strict=True)),
    }


def answer(found: SeedStatistics) -> pd.DataFrame:
    """Return the median logarithmic hypervolume, a line per problem and budget."""
    told = found.groups.pivot_table(f"{HYPERVOLUME}_median", GROUP[:2], "searcher", sort=False)
    return told.rename_axis(columns=None)


if __name__ == "__main__":
    out = output_of(__file__, __doc__)
    found = solve(out)
    tell_study(__file__, out, {"statistics": plot_seeds(found)}, numbers(found), answer(found))
