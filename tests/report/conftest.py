"""A made-up evaluation table with the columns of a real one, so that figures need no model."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from carbonopt.front.dominance import front_rows
from carbonopt.front.front import Front
from carbonopt.objectives import metric

OBJECTIVES = ("latency_s", "energy_j", "carbon_ca_g", "carbon_pa_g")
PERIOD_S = 0.04
PARTS = {
    "energy_j": {"array": 0.35, "register": 0.1, "sram_byte": 0.3, "dram": 0.25},
    "latency_s": {"compute": 0.8, "stall": 0.2},
    "area_mm2": {"array": 0.6, "sram_byte": 0.35, "register": 0.05},
}
CARBON = ("operational", "fab_energy", "fab_gas", "fab_material", "package", "dram")


def make_evaluations() -> pd.DataFrame:
    """Return 4 templates x 4 sizes x 4 sizes x 5 memories = 320 designs, some too slow."""
    designs = pd.DataFrame(
        list(
            itertools.product(
                ("aimc", "dimc", "digital_os", "digital_ws"),
                (16, 64, 256, 1024),
                (16, 64, 256, 1024),
                (8192, 32768, 131072, 524288, 1048576),
            )
        ),
        columns=["template", "rows", "cols", "sram_byte"],
    )
    cells = designs["rows"] * designs["cols"]
    code = designs["template"].map({"aimc": 0.5, "dimc": 0.8, "digital_os": 1.5, "digital_ws": 2.0})
    wobble = 1 + 0.3 * np.sin(np.arange(len(designs)) * 1.7)
    table = designs.copy()
    table["latency_s"] = (25.0 / cells * code + 2e-4) * wobble
    table["energy_j"] = (
        (2e-6 / code + 1e-4 / np.sqrt(designs["rows"]) / 10 + 1e-9 * designs["cols"])
        * (1 + 3e4 / designs["sram_byte"] + designs["sram_byte"] / 1e6)
        * wobble
    )
    table["area_mm2"] = cells * 1e-5 * code + designs["sram_byte"] * 2e-6 + 0.02
    table["embodied_g"] = 10 * table["area_mm2"] + 15
    operational = table["energy_j"] / 3.6e6 * 301
    table["carbon_ca_g"] = operational + table["embodied_g"] * table["latency_s"] / 9.5e7
    table["carbon_pa_g"] = operational + table["embodied_g"] * PERIOD_S / 9.5e7
    for name, shares in PARTS.items():
        for part, share in shares.items():
            table[f"{name}.{part}"] = table[name] * share
    for name in ("carbon_ca_g", "carbon_pa_g"):
        table[f"{name}.operational"] = operational
        embodied = table[name] - operational
        for part, share in zip(CARBON[1:], (0.3, 0.1, 0.2, 0.35, 0.05), strict=True):
            table[f"{name}.{part}"] = embodied * share
    for name in OBJECTIVES:
        table[f"{name}@resnet8"] = table[name]
    table["limit.period@resnet8"] = table["latency_s"] / PERIOD_S - 1
    table["limit.buildable"] = 0.0
    broken = (designs["rows"] == 16) & (designs["cols"] == 1024)
    table.loc[broken, "limit.buildable"] = 1.0
    table.loc[broken, [*OBJECTIVES, "area_mm2"]] = np.nan
    table["status"] = "ok"
    table["message"] = ""
    table["feasible"] = (table.filter(like="limit.") <= 0).all(axis=1)
    return table


def make_history() -> pd.DataFrame:
    """Return twenty batches of a search that slowly comes to rest."""
    evaluated = np.arange(20, 401, 20)
    return pd.DataFrame(
        {
            "generation": np.arange(1, 21),
            "evaluations": evaluated,
            "distinct": (evaluated * 0.8).astype(int),
            "hypervolume": 5.1 - 2.5 * np.exp(-evaluated / 80),
            "feasible_share": 0.9 - 0.4 * np.exp(-evaluated / 60),
            "elapsed_s": evaluated * 0.01,
        }
    )


def make_front(objectives: tuple[str, ...] = OBJECTIVES) -> Front:
    """Return the front of a search that saw two thirds of the designs, beside the exact one."""
    evaluations = make_evaluations()
    point = {
        "latency_s": PERIOD_S,
        "energy_j": 4e-5,
        "carbon_ca_g": 1e-8,
        "carbon_pa_g": 1e-7,
        "area_mm2": 100.0,
    }
    return Front(
        name="tiny-demo",
        evaluations=evaluations.sample(frac=0.66, random_state=1).reset_index(drop=True),
        metrics=tuple(metric(name) for name in objectives),
        variables=("template", "rows", "cols", "sram_byte"),
        constraint_names=("limit.period@resnet8", "limit.buildable"),
        reference_point={name: point[name] for name in objectives},
        history=make_history(),
        reference=front_rows(evaluations, objectives),
    )


@pytest.fixture(scope="session")
def front() -> Front:
    return make_front()


@pytest.fixture(scope="session", name="make_front")
def _make_front() -> Callable[[tuple[str, ...]], Front]:
    return make_front
