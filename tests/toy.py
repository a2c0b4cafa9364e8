"""A design problem with a closed-form answer, shaped like the real one: quick, and exact."""

from __future__ import annotations

import os
import time
from typing import Any

from carbonopt.problem import Problem
from carbonopt.variable import Variable

# energy per operation [J], clock period [s], area of a cell [mm2], throughput lost
TEMPLATES = {
    "digital_os": (1.0e-12, 1.0e-9, 4.0e-4, 1.0),
    "digital_ws": (0.7e-12, 1.2e-9, 3.5e-4, 1.1),
    "dimc": (0.4e-12, 2.0e-9, 2.0e-4, 1.3),
    "aimc": (0.15e-12, 5.0e-9, 1.2e-4, 1.6),
}
OPERATIONS = 1.2e7
PERIOD_S = 5.0e-5


def evaluate_row(design: dict[str, Any]) -> dict[str, Any]:
    """Latency, energy and carbon of a made-up accelerator; large analog arrays cannot be built."""
    energy_op, clock, cell, loss = TEMPLATES[design["template"]]
    rows, cols, macros, sram = (design[k] for k in ("rows", "cols", "macros", "sram_byte"))
    if design["template"] == "aimc" and rows * cols > 2**17:
        return {"limit.buildable": 1.0, "message": "too large"}
    if rows == 999:
        raise RuntimeError("broken\nmodel")
    utilised = 1.0 / (1.0 + (rows / 300) ** 2 + (cols / 200) ** 1.5)
    compute = OPERATIONS / (rows * cols * macros * utilised) * clock * loss
    stall = 2e-5 * (2**16 / sram) ** 0.5 * macros**0.5
    traffic = 3e-6 * (2**16 / sram) ** 0.7 * (1 + 8 / macros) + 1e-9 * (sram / 2**13) ** 1.2
    array = OPERATIONS * energy_op * (1 + 30 / rows + 20 / cols)
    area = rows * cols * macros * cell / 64 + sram / 2**20 * 2.5 + 0.05
    latency, energy = compute + stall, array + traffic
    embodied = area * 15.0 + 5.0
    operational = energy * 301.0 / 3.6e6
    ca = embodied * latency / 9.4e7
    pa = embodied * max(PERIOD_S, latency) / 9.4e7
    return {
        "latency_s": latency,
        "energy_j": energy,
        "carbon_ca_g": operational + ca,
        "carbon_pa_g": operational + pa,
        "area_mm2": area,
        "embodied_g": embodied,
        "energy_j.array": array,
        "energy_j.sram": traffic,
        "limit.period": latency / PERIOD_S - 1.0,
        "limit.buildable": 0.0,
    }


def small(**changes: Any) -> Problem:
    """96 designs."""
    variables = [
        Variable.choice("template", list(TEMPLATES)),
        Variable.pow2("rows", 64, 256),
        Variable.pow2("cols", 64, 128),
        Variable.choice("macros", [1, 4]),
        Variable.pow2("sram_byte", 2**14, 2**15),
    ]
    return _problem("small", {"variables": variables, **changes})


def large(**changes: Any) -> Problem:
    """2880 designs, as many as the quickstart."""
    variables = [
        Variable.choice("template", list(TEMPLATES)),
        Variable.pow2("rows", 32, 1024),
        Variable.pow2("cols", 32, 1024),
        Variable.choice("macros", [1, 2, 4, 8]),
        Variable.pow2("sram_byte", 2**13, 2**17),
    ]
    return _problem("large", {"variables": variables, **changes})


def mixed(**changes: Any) -> Problem:
    """Integers, choices and a knob that only two templates have: 3456 designs."""
    variables = [
        Variable.choice("template", list(TEMPLATES)),
        Variable.integer("rows", 30, 41),
        Variable.choice("cols", [64, 16, 32]),
        Variable.real("macros", 1.0, 4.0, 4),
        Variable.choice("sram_byte", [2**14]),
        Variable.choice("depth", [1, 4, 2, 8, 3]).when("template", ["aimc", "dimc"]),
        Variable.choice("coding", ["serial", "parallel"]),
    ]
    return _problem("mixed", {"variables": variables, "evaluate_row": conditional, **changes})


def conditional(design: dict[str, Any]) -> dict[str, Any]:
    """A depth where the template has one."""
    row = evaluate_row(design)
    assert (design["depth"] is None) == (design["template"] in ("digital_os", "digital_ws"))
    row["energy_j"] *= 1.0 + 0.1 * (design["depth"] or 0)
    row["energy_j"] *= 1.1 if design["coding"] == "serial" else 1.0
    return row


def _problem(name: str, changes: dict[str, Any]) -> Problem:
    arguments: dict[str, Any] = {
        "evaluate_row": evaluate_row,
        "objectives": ["latency_s", "energy_j", "carbon_ca_g", "carbon_pa_g"],
        "constraints": ["limit.period", "limit.buildable"],
        "limits": {"area_mm2": 120.0},
        "reference_point": {
            **{"latency_s": 6e-5, "energy_j": 1.6e-4},
            **{"carbon_ca_g": 1.5e-8, "carbon_pa_g": 1.5e-8},
        },
    }
    return Problem(name, **{**arguments, **changes})


def die(design: dict[str, Any]) -> dict[str, Any]:
    """End the process, as running out of memory does."""
    os._exit(9)


def constant(design: dict[str, Any]) -> dict[str, Any]:
    """Every design is the same."""
    names = ("latency_s", "energy_j", "carbon_ca_g", "carbon_pa_g", "area_mm2")
    return {**dict.fromkeys(names, 1e-9), "limit.period": -1.0, "limit.buildable": 0.0}


def failing(design: dict[str, Any]) -> dict[str, Any]:
    """Two designs in three have a fault."""
    if design["a"] % 3:
        raise ZeroDivisionError
    return constant(design)


def slow(design: dict[str, Any]) -> dict[str, Any]:
    """The toy at the pace of a real model."""
    time.sleep(0.01)
    return evaluate_row(design)
