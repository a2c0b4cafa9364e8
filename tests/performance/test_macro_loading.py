"""Writing weights into macros on mapped layers: rows or bandwidth, apart or beside computing."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from brute_force import brute_front, costs
from designs import layer, machine, network, of_layers
from random_cases import random_case

from carbonopt.mapping.access import merge_stationary
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.tiles import RELEVANCE
from carbonopt.performance.array import writing_rows
from carbonopt.performance.cost import layer_traffic
from carbonopt.performance.mapper import solve_layer
from carbonopt.performance.network import network_cost

POINTWISE = of_layers(layer(K=64, C=64, OX=4, OY=4))  # two loads of 64 rows, 16 positions each
WIDER = of_layers(layer(K=96, C=64, OX=4, OY=4))  # three loads
BYTES = 64 * 32  # of one load
CYCLES = 16 * 8  # of computing with one load on a digital macro


def parts(built, mode="optimal", net=POINTWISE):
    return network_cost(net, built, mode).cycle_parts()


def dimc(**options):
    return machine("dimc", 64, 32, **options)


@pytest.mark.parametrize("mode", ["optimal", "reference"])
def test_weights_are_written_one_row_per_cycle(mode):
    found = parts(dimc(), mode)
    assert (found["compute"], found["stall"]) == (2 * CYCLES, 2 * 64)


def test_or_as_they_arrive_where_that_takes_longer():
    """2048 byte at 100 MB/s take 20.48 us, whatever the clock; at 1 TB/s rows take longer."""
    slow, fast = (dimc(dram_bandwidth_byte_per_s=speed) for speed in (1e8, 1e12))
    needed = math.ceil(BYTES / 1e8 * 1e9 / slow.clock_ns)
    assert parts(slow)["stall"] >= 2 * needed
    assert parts(slow)["stall"] * slow.clock_ns == pytest.approx(2 * 20480, rel=0.05)
    assert parts(fast)["stall"] == 2 * 64
    lower = dimc(dram_bandwidth_byte_per_s=1e8, supply_v=0.6)
    assert lower.clock_ns == pytest.approx(1.7611 * slow.clock_ns, rel=1e-4)
    assert parts(lower)["compute"] == parts(slow)["compute"]
    waited_s = [parts(each)["stall"] * each.clock_ns for each in (slow, lower)]
    assert waited_s[0] == pytest.approx(waited_s[1], rel=1e-2)


def test_or_beside_computing_where_a_group_has_room():
    """Three loads of 64 rows: 128 cycles of computing hide two of them, not the first."""
    apart = dimc(group_depth=2)
    beside = dimc(group_depth=2, loading="overlapped")
    assert parts(apart, net=WIDER)["stall"] == 3 * 64
    assert parts(beside, net=WIDER)["stall"] == 64
    speed = BYTES / (200 * beside.clock_ns * 1e-9)
    some = dimc(group_depth=2, loading="overlapped", dram_bandwidth_byte_per_s=speed)
    assert parts(some, net=WIDER)["stall"] == pytest.approx(200 + 2 * (200 - CYCLES), abs=3)


def test_slow_buffers_are_waited_for_too():
    """At 1 byte per cycle, 64 byte of inputs take 64 cycles, a position 8: 15 more of these."""
    plain = dimc()
    slow = dimc(sram_bandwidth_byte_per_s=1 / (plain.clock_ns * 1e-9))
    found = parts(slow)
    assert found["stall"] > parts(plain)["stall"] + 15 * 64 - CYCLES
    assert found["compute"] == parts(plain)["compute"]


def test_pulses_of_cells_take_cycles():
    """PCM writes a row in 190 ns."""
    built = machine("aimc", 64, 32, cell="pcm")
    assert built.row_cycles == math.ceil(190 / built.clock_ns)
    assert parts(built)["stall"] == 2 * 64 * built.row_cycles
    assert machine("aimc", 64, 32).row_cycles == 1


def test_macros_side_by_side_share_the_inputs_and_split_the_outputs():
    """Two macros hold 64 outputs: one load, half the cycles, the same work in the arrays."""
    one, two = machine("dimc", 64, 32), machine("dimc", 64, 32, 2)
    costs = [network_cost(POINTWISE, each, "optimal") for each in (one, two)]
    found = [cost.cycle_parts() for cost in costs]
    assert [each["compute"] for each in found] == [2 * CYCLES, CYCLES]
    assert [each["stall"] for each in found] == [2 * 64, 64]
    arrays = [cost.energy_parts()["array"] for cost in costs]
    assert arrays[0] == pytest.approx(arrays[1], rel=1e-12)
    assert costs[1].layers[0].describe()["mapping"]["spatial"]["D3"] == [["K", 2.0]]
    assert costs[1].energy_parts()["sram"] <= costs[0].energy_parts()["sram"]


@pytest.mark.property
@pytest.mark.parametrize("seed", [5400, 5634, 5741, 5912, 6018, 6073, 6087])
def test_the_mapper_counts_whole_weights_of_tiles_that_units_share(seed):
    """Cells that serve several units keep broken numbers of weights on average."""
    case = random_case(np.random.default_rng(seed), 6, 4)
    solved = solve_layer(case.task, Plan(case.task.storage), case.unrollings)
    energy, cycles = brute_front(case.task, case.unrollings.each[0])
    cheap = solved.energy_pj <= energy[:, None] * (1 + 1e-12)
    fast = solved.cycles <= cycles[:, None] * (1 + 1e-9)
    assert (cheap & fast).any(axis=1).all()
    for mappings, least in zip(solved.mappings, solved.cycles, strict=True):
        assert (costs(case.task, mappings)[1] >= least * (1 - 1e-12)).all()


@pytest.mark.property
@pytest.mark.parametrize("size", [(128, 32, 2), (64, 64, 1), (256, 32, 1)])
@pytest.mark.parametrize("name", ["resnet8", "ds_cnn", "mobilenet_v1", "autoencoder"])
def test_a_row_of_weights_arrives_in_a_cycle_unless_a_bandwidth_is_given(name, size):
    """The widths of CarbonSpot's memories never make the rows wait, whole units or broken ones."""
    built = machine("dimc", *size, sram_byte=2**15)
    for mapped in network_cost(network(name), built, "optimal").layers:
        task, mappings = mapped.task, mapped.mappings
        cuts = mappings.cuts.copy()
        merge_stationary(RELEVANCE, task.levels, mappings.dims, cuts)
        used = task.arrays(mappings.unrollings)
        mean = task.storage.spread(used.mean)
        moved = layer_traffic(task, dataclasses.replace(mappings, cuts=cuts), mean)
        loads = mappings.sizes.prod() // moved.period[0, 1, 0, 0]
        rows = writing_rows(task.layer, used, built)[mappings.which[0]]
        assert mapped.cycle_parts()["stall"] == loads * rows * moved.tile[0, 1, 0]
