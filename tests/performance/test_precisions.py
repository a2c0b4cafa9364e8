"""Layers of few bits and pruned weights on the templates: energy, cycles, and the best mapping."""

import dataclasses
import math

import numpy as np
import pytest
from brute_force import brute_front, count_mappings
from designs import layer, machine, network, of_layers
from random_cases import random_layer, random_options

from carbonopt.errors import MappingError
from carbonopt.hardware.precision import fitted
from carbonopt.hardware.template import TEMPLATES
from carbonopt.mapping.parallel import fullest_unrollings, with_halves
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.spatial import array_shape, unroll_all
from carbonopt.mapping.task import MappingTask
from carbonopt.performance.choices import SCORES
from carbonopt.performance.mapper import solve_layer
from carbonopt.performance.network import network_cost
from carbonopt.performance.rewrites import cell_rewrites
from carbonopt.performance.traffic import traffic_table
from carbonopt.performance.weighing import own_context
from carbonopt.workload.compression import compressed, parse_settings

ALL = tuple(TEMPLATES)
MAPPED = tuple(name for name in ALL if name != "eyeriss")
ONE = layer(K=64, C=64, OX=4, OY=4)


def of_bits(each, weight, inputs, share=0.0):
    return dataclasses.replace(
        each, weight_bits=weight, input_bits=inputs, psum_bits=weight + inputs,
        output_bits=inputs, pruned_share=share,
    )  # fmt: skip


def cost_of(template, *layers, score="energy", **knobs):
    return network_cost(of_layers(*layers), machine(template, **knobs), "optimal", SCORES[score])


def test_energy_of_macs_by_hand():
    cost = cost_of("digital_os", of_bits(ONE, 4, 2, 0.5))
    parts = cost.layers[0].cost.array_pj
    assert parts["mac"][0] == pytest.approx(0.25 * ONE.macs * (4 / 8) * (2 / 8) * 0.5, rel=1e-15)


@pytest.mark.parametrize(("bits", "cycles"), [(8, 8), (3, 3), (1, 1)])
def test_compute_cycles_of_a_macro_follow_its_input_bits(bits, cycles):
    cost = cost_of("dimc", of_bits(ONE, 8, bits), rows=64, cols=64)
    assert cost.cycle_parts()["compute"] == 16 * cycles  # 16 positions, 64 x 64 products at once


def test_compute_cycles_of_a_macro_follow_its_columns():
    halves = [cost_of("dimc", of_bits(ONE, bits, 8), rows=64, cols=32).cycle_parts()["compute"]
              for bits in (8, 4)]  # fmt: skip
    assert halves == [2 * 16 * 8, 16 * 8]


@pytest.mark.parametrize("template", ALL)
def test_a_dense_array_computes_no_faster_on_pruned_weights(template):
    cycles = [cost_of(template, of_bits(ONE, 8, 8, share), score="latency").cycle_parts()["compute"]
              for share in (0.0, 0.9)]  # fmt: skip
    assert cycles[0] == cycles[1]


@pytest.mark.parametrize("template", MAPPED)
def test_weights_leave_dram_in_proportion_to_their_bits(template):
    """All weights once, wherever they go: DRAM energy of W is that of its bits."""
    read = {}
    for bits, share in ((8, 0.0), (4, 0.0), (8, 0.5), (4, 0.5)):
        mapped = cost_of(template, of_bits(ONE, bits, 8, share)).layers[0]
        read[bits, share] = mapped.cost.memory_pj[0, 1][len(mapped.task.hierarchy["W"]) - 1]
    for (bits, share), energy in read.items():
        assert energy == pytest.approx(read[8, 0.0] * bits / 8 * (1 - share), rel=1e-12)


@pytest.mark.parametrize("template", ALL)
@pytest.mark.parametrize("name", ["resnet8", "ds_cnn"])
def test_more_pruning_never_takes_more_energy(template, name):
    built = network(name)
    energies = []
    for share in (0.0, 0.1, 0.5, 0.9):
        pruned = compressed(built, *parse_settings(built, {"pruned_share": share}))
        found = network_cost(pruned, machine(template, 64, 64), "optimal", SCORES["energy"])
        energies.append(found.energy_pj)
    assert (np.diff(energies) < 0).all()


@pytest.mark.parametrize("template", ALL)
def test_fewer_bits_never_take_more_energy(template):
    built = network("resnet8")
    energies = []
    for bits in (8, 6, 4, 2, 1):
        narrow = compressed(
            built, *parse_settings(built, {"weight_bits": bits, "activation_bits": bits})
        )
        found = network_cost(narrow, machine(template, 64, 64), "optimal", SCORES["energy"])
        energies.append(found.energy_pj)
    assert (np.diff(energies) < 0).all()


def compressed_case(rng, loops):
    """A random layer of random bits, some pruned, on a template with little SRAM."""
    each = of_bits(
        random_layer(rng, loops), int(rng.integers(1, 9)), int(rng.integers(1, 9)),
        float(rng.choice([0.0, 0.3, 0.5, 0.93])),
    )  # fmt: skip
    template = str(rng.choice(MAPPED))
    built = machine(
        template, 32, int(rng.choice([4, 6])), 1, 2**15, **random_options(rng, template)
    )
    bits = (each.inputs * each.input_bits + each.weights * each.stored_weight_bits
            + each.outputs * each.psum_bits)  # fmt: skip
    room = math.ceil(float(rng.choice([0.5, 0.8, 1.0, 2.0])) * bits)
    memories = tuple(
        dataclasses.replace(m, size_bits=room) if m.name == "sram" else m for m in built.memories
    )
    own = fitted(dataclasses.replace(built, memories=memories), each)
    hierarchy = {operand: own.levels(operand) for operand in ("I", "W", "O")}
    chosen = with_halves(each, fullest_unrollings(each.anonymous, array_shape(own, each), 3))[:12]
    one = chosen[int(rng.integers(len(chosen)))]
    task = MappingTask(each, own, hierarchy)
    return task, unroll_all(each, tuple(own.shape), one[None], down=False)


@pytest.mark.property
@pytest.mark.parametrize("seed", range(24))
def test_no_mapping_beats_the_solver_on_compressed_layers(seed):
    task, unrollings = compressed_case(np.random.default_rng(seed), 6)
    if count_mappings(task, unrollings.each[0]) > 6000:
        pytest.skip("too many mappings to try each")
    energy, cycles = brute_front(task, unrollings.each[0])
    if not len(energy):
        with pytest.raises(MappingError):
            solve_layer(task, Plan(task.storage), unrollings)
        return
    found = solve_layer(task, Plan(task.storage), unrollings)
    assert found.complete
    assert found.energy_pj.min() == pytest.approx(energy.min(), rel=1e-12)
    below = (found.energy_pj <= energy[:, None] * (1 + 1e-12)) & (
        found.cycles <= cycles[:, None] * (1 + 1e-9)
    )
    assert below.any(axis=1).all()


@pytest.mark.parametrize(("bits", "stay"), [(8, False), (5, False), (4, True)])
def test_narrow_weights_of_a_whole_network_stay_in_cells_that_wide_ones_overflow(bits, stay):
    """Three layers of 64 x 64 weights on 64 x 32: two per multiplier and layer, or one of 4 bit."""
    layers = [dataclasses.replace(of_bits(ONE, bits, 8), name=name) for name in "abc"]
    deep = machine("dimc", 64, 32, group_depth=4)
    cost = network_cost(of_layers(*layers), deep, "optimal", SCORES["energy"])
    assert all(len(each.task.hierarchy["W"]) == 1 for each in cost.layers) == stay
    assert (cell_rewrites(cost, deep) == 0.0) == stay


def test_a_traffic_table_knows_the_bits():
    built = machine("digital_ws", sram_byte=2048)
    tables = {}
    for bits, share in ((8, 0.0), (4, 0.0), (4, 0.5)):
        narrow = of_layers(of_bits(layer("c", K=24, OX=6, OY=6, C=12, FX=3, FY=3), bits, 8, share))
        least, _ = traffic_table(narrow, built).least(own_context(built), 1.0, 0.0)
        exact = network_cost(narrow, built, "optimal", SCORES["energy"]).energy_pj
        tables[bits, share] = (float(np.min(least)), exact)
    for least, exact in tables.values():
        assert least == pytest.approx(exact, rel=1e-9)
    assert len({least for least, _ in tables.values()}) == 3
