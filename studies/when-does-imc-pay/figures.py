"""Which kind of accelerator has the least carbon, over lifetime times grid and over duty."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from carbonopt.carbon.grid import grid_intensity
from carbonopt.carbon.presets import load_preset
from carbonopt.carbon.task import Task
from carbonopt.evaluate import load_workload
from carbonopt.report import style
from carbonopt.report.imc_validation import validate_imc
from carbonopt.report.study import output_of, tell_study
from carbonopt.units import UNITS

DESIGNS, YEAR_S = pd.read_csv(Path(__file__).with_name("designs.csv")), UNITS["s"]["y"]
KINDS, MACROS = ("aimc", "digital_os", "digital_ws", "dimc", "eyeriss"), ("aimc", "dimc")
SETTINGS = {"default": {}, "low standby": {"leakage_factor": 3e-4}}
SETTINGS["low standby, shared package"] = SETTINGS["low standby"] | {"package_g": 0.0}
LIVES = {"France, 3 y": ("France", 3), "world, 3 y": ("World", 3), "India, 10 y": ("India", 10)}
LIVES = {name: grid_intensity(region) * years for name, (region, years) in LIVES.items()}
ERRORS = validate_imc().errors("as they come")["median"]  # of macros, against published chips
HATCHED = "hatched: within the error of the macros' model the best may be none, or one"
DUTIES = {"all the time": None, "1 ms": 1e-3, "40 ms": 0.04, "1 s": 1.0, "1 h": 3600.0}


def least(setting: str, period_s: float | None, lives: list, off: float = 0.0) -> np.ndarray:
    """Return the least carbon of each kind [g] (m, 5) over lifetime times grid (m,) [g y/kWh].

    With macros whose array takes so many median errors of the model more energy and area, and the
    whole so much more time.
    """
    table = DESIGNS.copy()
    off *= table["template"].isin(MACROS)
    table["energy_j"] += ERRORS["mac_fj"] * off * table["energy_j.array"]
    table["area_mm2"] += ERRORS["area_mm2"] * off * table["area_mm2.array"]
    table["latency_s"] *= 1 + ERRORS["clock_ns"] * off
    values = {"lifetime_s": 3 * YEAR_S, "use_g_per_kwh": np.array(lives)[:, None] / 3}
    preset = load_preset("default").with_values(**values, **SETTINGS[setting])
    device = replace(load_workload("resnet8").deployment, period_s=period_s)
    grams = Task.of(device, table).carbon_g("PA" if period_s else "CA", preset)
    grams = np.where(table["latency_s"] > (period_s or np.inf), np.inf, grams)
    return np.stack([grams[:, table["template"] == kind].min(axis=1) for kind in KINDS], axis=1)


def judge(setting: str, period_s: float | None, lives: list) -> tuple[np.ndarray, ...]:
    """Return which kind is best, its lead over the next, and if a macro is whatever its error."""
    grams = [least(setting, period_s, lives, off) for off in (0, -1, 1)]
    in_memory = [np.isin(np.array(KINDS)[each.argmin(axis=1)], MACROS) for each in grams]
    ranked, sure = np.sort(grams[0], axis=1), np.ptp(np.array(in_memory, dtype=int), axis=0) == 0
    return grams[0].argmin(axis=1), ranked[:, 1] / ranked[:, 0] - 1, sure


def numbers() -> dict[str, dict]:
    """Return the best kind, its lead and whether that is sure, by setting, duty and life."""
    told = {}
    for setting, duty in product(SETTINGS, DUTIES):
        found = judge(setting, DUTIES[duty], [*LIVES.values()])
        for life, best, lead, sure in zip(LIVES, *found, strict=True):
            own = {"best": KINDS[best], "lead": lead, "sure": bool(sure)}
            told.setdefault(f"{setting}: {duty}", {})[life] = own
    return told


def draw() -> Figure:
    """Draw the best kind over lifetime times grid and period, hatched where that is not sure."""
    lives, periods = np.geomspace(20, 20000, 70), np.geomspace(2e-5, 10, 60)
    looks = style.template_looks(KINDS)
    paint = ListedColormap([looks[kind][0] for kind in KINDS])
    with style.printed_style():
        figure = Figure(figsize=(style.COLUMN_IN, 6.8), layout="constrained")
        panels, winning = style.panels(figure, 3, 1, sharex=True).ravel(), set()
        for panel, setting in zip(panels, SETTINGS, strict=True):
            found = [judge(setting, period, lives) for period in periods]
            best, _, sure = (np.array(each) for each in zip(*found, strict=True))
            panel.pcolormesh(lives, periods, best, cmap=paint, vmin=-0.5, vmax=4.5, alpha=0.55)
            panel.contourf(lives, periods, sure, [-0.5, 0.5], hatches=["////"], colors="none")
            for life in LIVES.values():
                panel.axvline(life, color=style.BLACK, lw=0.7, ls=":")
            panel.set(xscale="log", yscale="log", ylabel="period [s]", title=setting)
            panel.grid(visible=False)
            winning |= {KINDS[each] for each in np.unique(best)}
        panels[-1].set(xlabel="life x grid [g y/kWh]")
        for kind in sorted(winning):
            panels[0].scatter([], [], 40, looks[kind][0], "s", alpha=0.55, label=kind)
        style.caption(figure, f"dotted: {'; '.join(LIVES)}\n{HATCHED}")
        style.head(figure, "Least carbon of an inference of ResNet-8", panels[:1], 4)
    return figure


if __name__ == "__main__":
    out, told = output_of(__file__, __doc__), numbers()
    best = {use: {life: own["best"] for life, own in lives.items()} for use, lives in told.items()}
    answer = pd.DataFrame(best).T.rename_axis("setting: an inference")
    tell_study(__file__, out, {"winners": draw()}, told, answer)
