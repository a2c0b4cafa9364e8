"""Published macros of 12 to 28 nm: carbon over TOPS/W, as CarbonSpot has it and corrected."""

from itertools import pairwise, product

import pandas as pd
from scipy.stats import spearmanr

from carbonopt.carbon.literature import literature_carbon, load_chips, load_suites
from carbonopt.carbon.presets import CarbonPreset, load_preset
from carbonopt.report.literature import SCENARIOS, plot_literature
from carbonopt.report.study import output_of, tell_study

PARITY, LAST = "carbonspot", "default"
STEPS = {  # what is exchanged, one after the other, on the way from CarbonSpot's numbers to ours
    "fab model by node": ("yield_model", "yield_fraction", "line_yield", "fab_g_per_kwh",
                          "abatement_percent", "use_g_per_kwh", "lifetime_s"),
    "yield by area": ("yield_model", "yield_fraction", "line_yield"),
    "fab's grid and gases": ("fab_g_per_kwh", "abatement_percent"),
    "grid in use, year": ("use_g_per_kwh", "lifetime_s"),
}  # fmt: skip
Tables = dict[str, pd.DataFrame]


def solve(task: str, preset: CarbonPreset) -> Tables:
    """Account for the 13 chips that the paper shows, by suite."""
    chips = load_chips()
    shown = chips[chips["number_in_paper"] > 0].sort_values("number_in_paper")
    return {suite.title: literature_carbon(shown, suite, preset) for suite in load_suites(task)}


def steps() -> dict[str, Tables]:
    """Account step by step: CarbonSpot's numbers, our tasks, then our numbers group by group."""
    theirs, ours = load_preset(PARITY), load_preset(LAST)
    found = {PARITY: solve(PARITY, theirs), "our tasks": solve(LAST, theirs)}
    kept = dict.fromkeys(name for names in STEPS.values() for name in names)
    for step, names in STEPS.items():
        kept = {n: v for n, v in kept.items() if step == "fab model by node" or n not in names}
        found[step] = solve(LAST, ours.with_values(**{n: getattr(theirs, n) for n in kept}))
    return found


def numbers(found: dict[str, Tables]) -> dict[str, dict]:
    """Return the best chips, shares and ranks at both ends, and what each step does."""
    ends = {PARITY: found[PARITY], LAST: list(found.values())[-1]}
    told = {
        name: {suite: ranked(t) for suite, t in tables.items()} for name, tables in ends.items()
    }
    for (_, before), (step, after) in pairwise(found.items()):
        told[step] = {
            f"{suite}, {name}": float((after[suite][name] / before[suite][name]).median())
            for suite in after
            for name in SCENARIOS
        }
    return told


def ranked(table: pd.DataFrame) -> dict[str, dict]:
    """Say for each activity which chip is best, and how far TOPS/W and the area say so."""
    found = {}
    for name in SCENARIOS:
        shown = table.dropna(subset=[name])
        best, share = shown.loc[shown[name].idxmin()], shown["operational_g"] / shown[name]
        found[name] = {
            "chips": len(shown), "best": best["number_in_paper"], "least_g": best[name],
            "median_operational_share": float(share.median()),
            "rank_agrees_with_tops_per_w": float(-spearmanr(shown["tops_per_w"], shown[name])[0]),
            "rank_agrees_with_area": float(spearmanr(shown["area_mm2"], shown[name])[0]),
        }  # fmt: skip
    return found


def answer(told: dict[str, dict]) -> pd.DataFrame:
    """Return a line per setting, suite and activity."""
    ends = product((PARITY, LAST), told[LAST], SCENARIOS)
    rows = {(end, suite, name): told[end][suite][name] for end, suite, name in ends}
    return pd.DataFrame(rows).T.rename_axis(["settings", "suite", "activity"])


if __name__ == "__main__":
    out, drawn, told = output_of(__file__, __doc__), {}, numbers(steps())
    for name, preset in ((PARITY, load_preset(PARITY)), (LAST, load_preset(LAST))):
        drawn[name] = plot_literature(solve(name, preset), preset)
    tell_study(__file__, out, drawn, told, answer(told))
