"""A slow array does not slow down the DRAM beside it, where the file says bytes per second."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import yaml
from designs import layer, solved_mappings
from machine_files import SMALL

from carbonopt.hardware.file import load_machine
from carbonopt.hardware.machine import OPERANDS
from carbonopt.mapping.task import MappingTask
from carbonopt.performance.cost import mapped_cost

FULLY_CONNECTED = layer(K=256, C=256, OX=2)
BYTE = 256 * 256 + 256 * 2  # weights and inputs, once each at 1 GB/s, if nothing comes twice


def task(folder, clock, **dram):
    """The small machine with a slow DRAM, at a clock."""
    content = copy.deepcopy(SMALL)
    content["clock"] = clock
    del content["array"]["systolic"]
    bus = content["memories"]["dram"]["ports"]["bus"]
    bus |= {"width": "1 GB/s", "least": "8 bit", **dram}
    path = folder / "machine.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    machine = load_machine(path)
    return MappingTask(FULLY_CONNECTED, machine, {o: machine.levels(o) for o in OPERANDS})


def best(at, mappings):
    """Least latency [ns] of some mappings, with its energy [pJ] and its share of computing."""
    cost = mapped_cost(at, mappings)
    cycles = cost.cycles(loading=True)
    row = int(np.lexsort((cost.energy_pj, cycles))[0])
    share = cost.compute_cycles[row] / cycles[row]
    return float(cycles[row]) * at.machine.clock_ns, float(cost.energy_pj[row]), share


def test_half_the_clock_leaves_seconds_and_joules_that_the_dram_takes(tmp_path):
    fast, slow = task(tmp_path, "500 MHz"), task(tmp_path, "250 MHz")
    mappings = solved_mappings(fast)
    latency_ns, energy_pj, computing = best(fast, mappings)
    slow_latency_ns, slow_energy_pj, _ = best(slow, mappings)
    assert computing < 0.1
    assert latency_ns == pytest.approx(BYTE, rel=1e-3)
    # what is left of the array's own time: the tile that it computes last
    assert slow_latency_ns == pytest.approx(latency_ns, rel=1e-3)
    assert slow_energy_pj == pytest.approx(energy_pj, rel=1e-12)


def test_half_the_clock_doubles_what_a_width_per_cycle_takes(tmp_path):
    fast, slow = (task(tmp_path, clock, width="16 bit") for clock in ("500 MHz", "250 MHz"))
    mappings = solved_mappings(fast)
    assert best(slow, mappings)[0] == pytest.approx(2 * best(fast, mappings)[0], rel=1e-12)
