"""The most performant architecture against the one with the least carbon, network by network."""

import runpy
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from carbonopt.carbon.presets import CarbonPreset, load_preset
from carbonopt.report import style
from carbonopt.report.activities import ACTIVITIES, carbon_column
from carbonopt.report.study import output_of, tell_study

STUDIES = Path(__file__).parents[1]
GRIDS = [STUDIES / "carbonspot-tiny", STUDIES / "carbonspot-mobile"]
GRID = runpy.run_path(str(GRIDS[0] / "figures.py"))
SETTINGS = {  # designs of those studies, and the carbon numbers that go with them
    "CarbonSpot": ("parity", load_preset("carbonspot")),
    "default": ("default", load_preset("default").with_values(reticle_rule="met")),
}
MARKS = {"TOP/s": "o", "TOP/s/W": "D", "energy x delay": "s"}


def solve(folders: list[Path], out: Path, workers: int = 2) -> pd.DataFrame:
    """Return what shall be least of every design, for each setting, network and activity.

    The runs of a study are read where it has them beside the output, or else made in it.
    """
    rows = []
    for folder in folders:
        runs = beside if (beside := out.with_name(folder.name)).is_dir() else out
        tables = GRID["solve"](folder, runs, "parity default", workers)
        for setting, (kind, preset) in SETTINGS.items():
            rows += [own.assign(setting=setting) for own in merits(tables[kind], preset)]
    return pd.concat(rows)


def merits(table: pd.DataFrame, preset: CarbonPreset) -> list[pd.DataFrame]:
    """Return latency, energy, their product and carbon of the designs that are allowed."""
    carbon, found = GRID["carbon_of"](table, preset), []
    networks = [str(name).partition("@")[2] for name in carbon.filter(like="carbon_ca_g@")]
    for network, activity in product(networks, ACTIVITIES):
        own = pd.DataFrame({"case": f"{network}, {activity}"}, carbon.index)
        own["TOP/s"] = table[f"latency_s@{network}"].to_numpy()
        own["TOP/s/W"] = table[f"energy_j@{network}"].to_numpy()
        own["energy x delay"] = own["TOP/s"] * own["TOP/s/W"]
        own["carbon"] = carbon[carbon_column(activity, network)]
        found.append(own.dropna())
    return found


def numbers(rows: pd.DataFrame) -> dict:
    """Return who is best in what, its carbon over the least, and how far the least is behind."""
    found = {name: {} for name in (*SETTINGS, "all")}
    for (setting, case), own in rows.groupby(["setting", "case"], sort=False):
        least, told = own["carbon"].idxmin(), {}
        for merit in MARKS:
            best = own.sort_values([merit, "carbon"]).iloc[0]
            times, slack = best["carbon"] / own["carbon"].min(), own[merit][least] / best[merit]
            told[merit] = {"best": str(best.name), "carbon": float(times), "behind": float(slack)}
        found[setting][case] = {"least carbon": least, **told}
    for setting, activity, merit in product(SETTINGS, ACTIVITIES, MARKS):
        own = [told[merit]["carbon"] for case, told in found[setting].items() if activity in case]
        told = {"differ": sum(times > 1 for times in own), "median": float(np.median(own))}
        found["all"][f"{setting}, {activity}, {merit}"] = {**told, "most": max(own)}
    return found


def draw(found: dict) -> Figure:
    """Draw the carbon of the best in each figure of merit over the least: a row per network."""
    networks = list(dict.fromkeys(case.split(",")[0] for case in found["default"]))
    kinds = {c[m]["best"].split()[0] for s in SETTINGS for c in found[s].values() for m in MARKS}
    looks = style.template_looks(kinds)
    with style.printed_style():
        figure = Figure(figsize=(style.PAGE_IN, 6.6), layout="constrained")
        panels = style.panels(figure, 2, 2, sharex=True, sharey=True)
        for panel, end in zip(panels.flat, product(SETTINGS, ACTIVITIES), strict=True):
            for template, (colour, _) in looks.items():
                panel.plot([], [], "s", ms=7, color=colour, label=template)
            for place, (merit, marker) in zip((-0.25, 0, 0.25), MARKS.items(), strict=True):
                panel.plot([], [], marker, color=style.GREY, label=f"best in {merit}")
                for row, network in enumerate(networks):
                    case, y = found[end[0]][f"{network}, {end[1]}"][merit], row + place
                    paint = {"color": looks[case["best"].split()[0]][0], "mec": "white"}
                    panel.plot([1, case["carbon"]], [y, y], color=style.CLOUD, lw=1, zorder=1)
                    panel.plot(case["carbon"], y, marker, ms=5.5, mew=0.4, **paint)
            style.scale_axis(panel.xaxis, np.array([1.0, max(99.0, *panel.dataLim.intervalx)]))
            panel.set(title=", ".join(end), ylim=(len(networks) - 0.4, -0.6))
            panel.set_yticks(range(len(networks)), networks)
        figure.supxlabel("carbon over the least on the grid")
        style.head(figure, "Carbon of the most performant accelerators", panels.flat)
    return figure


if __name__ == "__main__":
    found = numbers(solve(GRIDS, out := output_of(__file__, __doc__)))
    answer = pd.DataFrame(found["all"]).T.rename_axis("settings, activity, best in")
    tell_study(__file__, out, {"carbon": draw(found)}, found, answer)
