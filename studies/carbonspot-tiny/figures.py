"""CarbonSpot's grid of square accelerators: carbon CA against PA, as published and by default."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from carbonopt.carbon.presets import CarbonPreset, load_preset
from carbonopt.evaluate import load_workload
from carbonopt.front.pricing import Scenario, price
from carbonopt.front.winners import keeps_periods
from carbonopt.problem import load_problem
from carbonopt.report.activities import ACTIVITIES, carbon_column, plot_activities
from carbonopt.report.scale import quantity
from carbonopt.report.study import output_of, tell_study
from carbonopt.run import search

PLOTTED, LAST = "CarbonSpot without the package", "default"
STEPS = {  # what is exchanged, one after the other: which designs, which carbon numbers
    PLOTTED: ("parity", ""),
    "CarbonSpot": ("parity", "package_g"),
    "mappings": ("mapped", ""),
    "hardware": ("default", ""),
    "silicon": ("default", "fab_g_per_kwh gas_g_per_mm2 yield_model line_yield accounting"),
    "dram": ("default", "dram_ca_g_per_gb dram_pa_g_per_gb"),
    "use": ("default", "use_g_per_kwh lifetime_s"),
    "leakage": ("default", "leakage_factor"),
    LAST: ("default", "late_rule reticle_rule"),
}


def solve(folder: Path, runs: Path, kinds: str = "parity mapped default", workers: int = 2) -> dict:
    """Evaluate the study's designs on problems of it, or read them where runs has them already."""
    found, grid = {}, folder / "grid.csv"
    for problem in (load_problem(folder / f"{kind}.yaml") for kind in kinds.split()):
        run = {"run_dir": runs / problem.name, "workers": workers}
        front = search(problem, budget=len(pd.read_csv(grid)), start=grid, **run)
        found[problem.name.split("_")[1]] = front.evaluations
    return found


def priced(tables: dict) -> dict:
    """Price the designs after each step: carbon of every network, none where it is not allowed."""
    ours = load_preset("default").with_values(reticle_rule="met")
    preset, found = load_preset("carbonspot").with_values(package_g=0.0), {}
    for step, (name, fields) in STEPS.items():
        preset = preset.with_values(**{field: getattr(ours, field) for field in fields.split()})
        found[step] = carbon_of(tables[name], preset)
    return found


def carbon_of(table: pd.DataFrame, preset: CarbonPreset) -> pd.DataFrame:
    """Price designs: late ones have no carbon PA, and those beyond the reticle none, by rule."""
    found = table[["template", "sram_byte"]].copy()
    made = (table["area_mm2"] <= preset.reticle_mm2) | (preset.reticle_rule != "met")
    for name in [str(name)[9:] for name in table if str(name).startswith("energy_j@")]:
        task = load_workload(name).deployment
        for activity in ACTIVITIES:
            scenario, column = Scenario(activity, preset), carbon_column(activity, name)
            carbon = pd.Series(price(table, [task], scenario)[column])
            found[column] = carbon.where(made & keeps_periods(table, [task], scenario))
    sizes = table["sram_byte"].map(lambda size: quantity(size, "byte"))
    return found.set_index(table["template"] + " " + table["cols"].astype(str) + ", " + sizes)


def numbers(steps: dict) -> dict:
    """Return who wins at each step, and what it costs by default to build that one."""
    grams, found = {step: table.filter(like="carbon_") for step, table in steps.items()}, {}
    before, regret = grams[PLOTTED], grams[LAST] / grams[LAST].min()
    for step, carbon in grams.items():
        best, change = carbon.idxmin(), carbon.min() / before.min()
        found[step] = {"winners_changed": int((best != before.idxmin()).sum())}
        found[step] |= {a: float(change.filter(like=f"_{a}_").median()) for a in ("ca", "pa")}
        for name, design in best.items():
            times = regret.loc[design, name] if regret.loc[design, name] > 0 else None
            found[step][name] = {"best": design, "g": carbon[name].min(), "regret": times}
        before = carbon
    return found


def draw(steps: dict) -> Figure:
    """Draw both ends: as the paper plots it, and by default."""
    ends = {f"Settings: {end}": steps[end] for end in (PLOTTED, LAST)}
    return plot_activities(ends, "Carbon per inference of square accelerators, 32 to 1024 wide")


def main(program: Path) -> None:
    """Evaluate, draw and judge the designs in the folder of a program."""
    out = output_of(str(program), __doc__)
    steps = priced(solve(program.parent, out))
    found = numbers(steps)
    winners = {end: pd.DataFrame(found[end]).filter(like="@") for end in ("CarbonSpot", LAST)}
    told = {f"best@{end}": each.loc["best"] for end, each in winners.items()}
    told |= {f"least_g@{end}": each.loc["g"].astype(float) for end, each in winners.items()}
    answer = pd.DataFrame(told).rename_axis("carbon of")
    tell_study(str(program), out, {"grid": draw(steps)}, found, answer)


if __name__ == "__main__":
    main(Path(__file__))
