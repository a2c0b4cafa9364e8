"""Where and when to compute: one front in nine grids, and in the clean hours of four."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from carbonopt.carbon.deployment import deployed_preset
from carbonopt.evaluate import load_workload
from carbonopt.front.front import Front
from carbonopt.front.pricing import Scenario
from carbonopt.front.reprice import reprice
from carbonopt.report import style
from carbonopt.report.study import output_of, tell_study
from carbonopt.report.table import describe_design
from carbonopt.run.sources import load_front
from carbonopt.units import UNITS

REGIONS = ("Norway", "Sweden", "France", "Brazil", "Germany", "World", "China", "Poland", "India")
GRIDS, LINES = ("US/CISO", "US/AZPS", "US/ERCO", "US/NYIS"), ("-", "--", "-.", ":")
USES = {"CA": ("CA", 1.0), "PA": ("PA", 1.0), "PA, low standby": ("PA", 3e-4)}  # leakage_factor
LOOKS = dict(zip(USES, ((style.BLUE, "o"), (style.ORANGE, "s"), (style.GREEN, "^")), strict=True))
KEYS, HOURS, YEAR_S = ["template", "rows", "cols", "macros", "sram_byte"], 24, UNITS["s"]["y"]


def priced(front: Front, use: str, hours: int = HOURS, **where: str) -> tuple[Front, str]:
    """Price a front in a use so many hours a day; return it and its column of carbon."""
    (activity, leaking), device = USES[use], load_workload("resnet8").deployment
    preset = deployed_preset(**where, leakage_factor=leaking)
    if activity == "CA":
        preset = preset.with_values(utilisation=hours / HOURS)
    else:  # as many tasks, each in less time, by a device that is off in the other hours
        device = replace(device, period_s=device.period_s * hours / HOURS)
        preset = preset.with_values(lifetime_s=preset.lifetime_s * hours / HOURS)
    found = reprice(front, [device], Scenario(activity, preset))
    return found, found.metrics[-1].name


def regions(front: Front, use: str) -> dict[str, dict]:
    """Return least carbon by region, its making and design, and what the world's design costs."""
    found, name = priced(front, use, region="World")
    world, told = found.lowest(name)[KEYS], {}
    for region in REGIONS:
        found, name = priced(front, use, region=region)
        won, designs = found.lowest(name), found.evaluations
        same = designs.loc[(designs[KEYS] == world).all(axis=1), name].item()
        used = won[f"{name}.operational"] + won[f"{name}.idle"]
        told[region] = {
            "design": describe_design(won, KEYS),
            "carbon_g": won[name],
            "making": 1 - used / won[name],
            "break_even_y": won[name.replace("carbon", "break_even")[:-1] + "s"] / YEAR_S,
            "regret": same / won[name] - 1,
        }
    return told


def days(front: Front, use: str) -> dict[str, dict[str, float]]:
    """Return the least carbon in the cleanest 1 to 24 hours of a day by grid [g]."""
    told = {grid: {} for grid in GRIDS}
    for grid, hours in product(GRIDS, range(1, HOURS + 1)):
        found, name = priced(front, use, hours, profile=grid, when=f"best {hours} h")
        told[grid][str(hours)] = found.lowest(name)[name]
    return told


def draw(told: dict[str, dict]) -> Figure:
    """Draw the age at which electricity outweighs making by region, and carbon over hours."""
    with style.printed_style():
        figure = Figure(figsize=(style.COLUMN_IN, 5.2), layout="constrained")
        upper, lower = style.panels(figure, 2, 1).flat
        for use, (colour, marker) in LOOKS.items():
            ages = [each["break_even_y"] for each in told[f"regions {use}"].values()]
            upper.plot(ages, REGIONS, marker, color=colour, label=use)
            for grid, line in zip(GRIDS, LINES, strict=True):
                least = np.array([*told[f"days {use}"][grid].values()])
                lower.plot(range(1, HOURS + 1), least / least[-1], line, color=colour, lw=1.3)
        upper.axvline(3, color=style.BLACK, lw=0.9, label="lifetime of 3 y")
        for grid, line in zip(GRIDS, LINES, strict=True):
            lower.plot([], [], line, color=style.GREY, label=grid)
        upper.set(xscale="log", xlabel="electricity outweighs making after [y]")
        lower.set(ylabel="carbon over that of all day", ylim=(0.5, 2), xlim=(1, HOURS))
        lower.set(xlabel="cleanest hours of the day that are used", xticks=range(4, 25, 4))
        style.head(figure, "Where and when to compute: ResNet-8", [upper, lower], 3)
    return figure


if __name__ == "__main__":
    out, front = output_of(__file__, __doc__), load_front("scenario_free_edge")
    told = {f"{own.__name__} {use}": own(front, use) for own in (regions, days) for use in USES}
    grams = {use: pd.DataFrame(told[f"regions {use}"]).loc["carbon_g"] for use in USES}
    answer = pd.DataFrame(grams).astype(float).rename_axis("carbon [g]")
    tell_study(__file__, out, {"where": draw(told)}, told, answer)
