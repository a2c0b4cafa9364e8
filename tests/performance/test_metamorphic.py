"""What must not matter to the mapper, and what must not make its answers worse."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from designs import layer, machine, network, of_layers, unrolled_as
from every_unrolling import every_unrolling
from random_cases import Case, random_case, template_case

from carbonopt.errors import MappingError
from carbonopt.hardware.digital import DigitalArray
from carbonopt.hardware.machine import OPERANDS
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.residency import residency
from carbonopt.mapping.spatial import array_shape
from carbonopt.mapping.task import MappingTask
from carbonopt.mapping.unrollings import promising_unrollings
from carbonopt.performance.mapper import solve_layer
from carbonopt.performance.network import network_cost

pytestmark = pytest.mark.property

EXACT = 1e-12
TEMPLATES = ("digital_os", "digital_ws", "dimc", "aimc")
CONVOLUTION = layer("convolution", K=8, OX=6, OY=10, C=4, FX=3, FY=5)
DEPTHWISE = layer("depthwise", G=12, OX=5, OY=8, FX=1, FY=3)
POINTWISE = layer("pointwise", K=6, OX=14, OY=4, C=16)
RESNET8 = network("resnet8")


def front(case: Case, **changes) -> np.ndarray:
    """Energies and latencies of a case with another machine or layer; empty if nothing fits."""
    task = case.task
    built = changes.get("machine", task.machine)
    hierarchy = {operand: built.levels(operand) for operand in OPERANDS}
    other = MappingTask(changes.get("layer", task.layer), built, hierarchy)
    try:
        solved = solve_layer(other, Plan(other.storage), changes.get("unrollings", case.unrollings))
    except MappingError:
        return np.zeros((0, 2))
    return np.stack([solved.energy_pj, solved.cycles], axis=1)


def listed_otherwise(memories, rng):
    """The same memories in another order, in which each operand still finds its own."""
    order = rng.permutation(len(memories))
    for operand in OPERANDS:
        own = [place for place, m in enumerate(order) if operand in memories[m].ports]
        order[own] = sorted(order[own])
    return tuple(memories[m] for m in order)


def test_the_order_in_which_memories_are_listed_does_not_matter(rng):
    moved = 0
    for seed in range(120):
        case = random_case(np.random.default_rng(seed), 7, 5)
        built = case.task.machine
        memories = listed_otherwise(built.memories, rng)
        own = [[m for m in memories if operand in m.ports] for operand in OPERANDS]
        kept = [[built.memories[m] for m in built.levels(operand)] for operand in OPERANDS]
        if own == kept and memories != built.memories:
            moved += 1
            other = front(case, machine=dataclasses.replace(built, memories=memories))
            np.testing.assert_allclose(other, front(case), rtol=EXACT, err_msg=str(seed))
    assert moved > 20


def test_names_of_array_dimensions_do_not_matter():
    names = {"D1": "left", "D2": "up"}
    for seed in range(60):
        case = random_case(np.random.default_rng(seed), 7, 4)
        built, each = case.task.machine, case.unrollings.each[0]
        if not isinstance(built.array, DigitalArray):
            continue  # macros know their dimensions by name
        memories = tuple(
            dataclasses.replace(m, served=frozenset(names[axis] for axis in m.served))
            for m in built.memories
        )
        renamed = dataclasses.replace(
            built, memories=memories, shape={names[a]: n for a, n in built.shape.items()},
            unrolled={names[a]: dims for a, dims in built.unrolled.items()},
            systolic=tuple(names[axis] for axis in built.systolic),
        )  # fmt: skip
        chosen = {names[axis]: loops for axis, loops in each.asked.items()}
        down = built.variant.whole_units_down
        unrolled = unrolled_as(case.task.layer, tuple(names.values()), [chosen], down=down)
        other = front(case, machine=renamed, unrollings=unrolled)
        np.testing.assert_array_equal(other, front(case), err_msg=str(seed))


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("each", [CONVOLUTION, DEPTHWISE, POINTWISE], ids=lambda each: each.name)
def test_width_and_height_are_names_alone(each, template):
    b, k, g, ox, oy, c, fx, fy = each.sizes
    turned = dataclasses.replace(
        each, sizes=(b, k, g, oy, ox, c, fy, fx), input_size=each.input_size[::-1]
    )
    built = machine(template, 32, 6, 3, 2**13)
    one, other = (network_cost(of_layers(some), built, "optimal") for some in (each, turned))
    assert one.energy_pj * one.cycles == pytest.approx(other.energy_pj * other.cycles, rel=EXACT)


def test_more_room_at_equal_cost_is_never_worse():
    """Proven energy, latency and their least product over growing sizes of each memory."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        case = template_case(rng, 7) if seed % 2 else random_case(rng, 7, 4)
        built = case.task.machine
        for m, memory in enumerate(built.memories):
            least = np.full(3, np.inf)
            for scale in (1, 1.3, 2, 4):
                larger = dataclasses.replace(memory, size_bits=memory.size_bits * scale)
                memories = (*built.memories[:m], larger, *built.memories[m + 1 :])
                found = front(case, machine=dataclasses.replace(built, memories=memories))
                if len(found):
                    reached = np.array([*found.min(axis=0), found.prod(axis=1).min()])
                    assert (reached <= least * (1 + EXACT)).all(), (seed, memory.name, scale)
                    least = reached
                assert len(found) or np.isinf(least).all(), (seed, memory.name, scale)


@pytest.mark.parametrize("template", TEMPLATES)
def test_more_sram_at_equal_cost_never_worsens_a_network(template):
    """Energy x latency as the network's choice reaches it, no bound."""
    built = machine(template, 32, 16, 1, 2**16)
    least = np.inf
    for kib in (8, 12, 16, 24, 32, 48, 64, 128):
        memories = tuple(
            dataclasses.replace(m, size_bits=kib * 2**13) if m.name == "sram" else m
            for m in built.memories
        )
        found = network_cost(RESNET8, dataclasses.replace(built, memories=memories), "optimal")
        product = found.energy_pj * found.cycles
        assert product <= least * (1 + EXACT), kib
        least = product


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_larger_array_at_equal_cost_is_never_worse(template):
    """Over all unrollings; the array's costs are those of the largest."""
    largest = machine(template, 32, 9, 2, 2**13)
    least = np.full(3, np.inf)
    for columns in range(4, 10):
        built = dataclasses.replace(largest, shape={**largest.shape, "D1": columns})
        hierarchy = residency(of_layers(POINTWISE), built)[0]
        task = MappingTask(POINTWISE, built, hierarchy)
        solved = solve_layer(task, Plan(task.storage), every_unrolling(POINTWISE, built))
        product = (solved.energy_pj * solved.cycles).min()
        reached = np.array([solved.energy_pj.min(), solved.cycles.min(), product])
        assert (reached <= least * (1 + EXACT)).all(), columns
        least = reached


def test_a_larger_array_is_worse_only_for_want_of_unrollings():
    """stack1/conv1 of resnet8 on analog macros of 48 and 56 rows: see docs/validation/mapper.md."""
    each = RESNET8.layers[1].anonymous
    found, looked_at = [], []
    for rows in (48, 56):
        built = machine("aimc", rows, 64, 1, 2**16)
        hierarchy = residency(of_layers(each), built)[0]
        task = MappingTask(each, built, hierarchy)
        array = array_shape(built, each)
        own = promising_unrollings(each, array, carbonspot_rules=True, down=False)
        looked_at += [unrolling.asked for unrolling in own.each]
        both = unrolled_as(each, array.names, looked_at, down=False)
        found.append(solve_layer(task, Plan(task.storage), both).cycles.min())
    assert found[1] <= found[0]


def test_equal_layers_count_as_often_as_they_occur():
    built = machine("digital_ws", 32, 8, 1, 2**13)
    twice = of_layers(POINTWISE, dataclasses.replace(POINTWISE, name="again", predecessors=(0,)))
    alone = network_cost(of_layers(POINTWISE), built, "optimal")
    both = network_cost(twice, built, "optimal")
    kept = [residency(net, built)[0] for net in (of_layers(POINTWISE), twice)]
    assert kept[0] == kept[1]
    assert both.energy_pj == 2 * alone.energy_pj
    assert both.cycles == 2 * alone.cycles


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from designs import machine, network
from carbonopt.performance.network import network_cost
for template in ("digital_os", "digital_ws", "dimc", "aimc"):
    found = network_cost(network("resnet8"), machine(template, 32, 32, 2), "optimal")
    for each in found.layers:
        print(each.energy_pj.hex(), each.cycles.hex(), each.mappings.describe(each.task))
"""


def test_hash_seed_and_threads_do_not_change_a_byte():
    tests = Path(__file__).parents[1]
    printed = []
    for seed, threads in (("0", "1"), ("4711", "2")):
        changed = {"PYTHONHASHSEED": seed, "NUMBA_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(tests)],
            env={**os.environ, **changed}, capture_output=True, check=True, cwd=tests.parent,
        )  # fmt: skip
        printed.append(done.stdout)
    assert len(printed[0].splitlines()) == 40
    assert printed[0] == printed[1]
