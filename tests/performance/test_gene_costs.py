"""Networks mapped as their variables say, and the front that they are measured against."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pytest
from designs import layer, machine, network, of_layers

from carbonopt.errors import MappingError
from carbonopt.hardware.machine import OPERANDS
from carbonopt.mapping.candidates import joined
from carbonopt.mapping.genes import GeneMap, LayerGenes
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.residency import residency
from carbonopt.mapping.task import MappingTask
from carbonopt.performance.cost import mapped_cost
from carbonopt.performance.genes import MappingGenes
from carbonopt.performance.mapper import solve_layer
from carbonopt.performance.network import network_cost
from carbonopt.performance.yardstick import network_front

LEVELS = dict.fromkeys(OPERANDS, 3)
CONVOLUTION = layer("convolution", K=24, OX=7, OY=7, C=10, FX=3, FY=3)
POINTWISE = layer("pointwise", K=40, OX=14, OY=14, C=20)
DENSE = layer("dense", kind="gemm", K=70, C=33)


def draw(genes, seed=1):
    rng = np.random.default_rng(seed)
    return {name: int(rng.integers(size)) for name, size in genes.sizes.items()}


def test_each_layer_is_mapped_as_its_variables_say():
    net, built = of_layers(CONVOLUTION, DENSE), machine("digital_os", 16, 16)
    genes = MappingGenes([net], LEVELS)
    design = draw(genes)
    cost = genes.network_cost(net, built, design)
    for number, (each, hierarchy) in enumerate(zip(net.layers, residency(net, built), strict=True)):
        task = MappingTask(each, built, hierarchy)
        own = LayerGenes(each, LEVELS)
        values = [design[f"layer{number}.{name}"] for name in own.sizes]
        alone = mapped_cost(task, GeneMap(task, own).mapping(values))
        assert cost.layers[number].energy_pj == alone.energy_pj[0]
        assert cost.layers[number].cycles == alone.cycles(loading=True)[0]
        assert cost.layers[number].task.layer.name == each.name
    assert set(design) == {
        f"layer{number}.{name}"
        for number, each in enumerate(net.layers)
        for name in LayerGenes(each, LEVELS).sizes
    }


def test_equal_layers_of_all_networks_share_their_variables():
    one, two = network("resnet8"), of_layers(DENSE)
    genes = MappingGenes([one, two, one], LEVELS)
    assert len(genes.layers) == len({each.anonymous for each in one.layers}) + 1 == 10
    assert genes.layers[DENSE.anonymous] == ["made up/dense"]
    mapped = genes.network_cost(one, machine("dimc", 64, 64), draw(genes))
    assert len(mapped.layers) == len(one.layers)


@pytest.mark.parametrize("template", ["digital_os", "digital_ws", "dimc", "aimc"])
def test_the_variables_hold_for_any_hardware(template):
    net = network("ds_cnn")
    genes = MappingGenes([net], LEVELS)
    for variant, seed in itertools.product(("default", "carbonspot"), range(5)):
        built = machine(template, 32, 24, 2, variant=variant)
        design = {**draw(genes, seed), "template": template, "variant": variant}
        cost = genes.network_cost(net, built, design)
        assert cost.cycles > 0
        assert sum(cost.energy_parts().values()) == pytest.approx(cost.energy_pj, rel=1e-12)


def test_what_is_remembered_changes_nothing():
    net = of_layers(CONVOLUTION, POINTWISE)
    genes = MappingGenes([net], LEVELS)
    fresh = pickle.dumps(genes)
    designs = [{**draw(genes, seed), "cols": 8 * (1 + seed % 3)} for seed in range(6)]
    for design in designs * 2:
        built = machine("digital_ws", 32, design["cols"])
        alone = pickle.loads(fresh).network_cost(net, built, design)
        cost = genes.network_cost(net, built, design)
        assert (cost.energy_pj, cost.cycles) == (alone.energy_pj, alone.cycles)
    assert len(pickle.dumps(genes)) == len(fresh)


def test_a_network_that_does_not_fit_is_an_error_with_its_reason():
    net = of_layers(layer("stem", K=16, OX=32, OY=32, C=3))
    genes = MappingGenes([net], LEVELS)
    built = machine("dimc", dram_byte=4096)
    with pytest.raises(MappingError, match=r"'stem' cannot be mapped onto dimc: dram needs"):
        genes.network_cost(net, built, draw(genes))


@pytest.mark.parametrize("template", ["digital_os", "aimc"])
def test_the_front_of_a_network_is_that_of_all_combinations(template):
    net, built = of_layers(CONVOLUTION, DENSE, POINTWISE), machine(template, 32, 8, 1, 2**14)
    sums = np.zeros((1, 2))
    for each, hierarchy in zip(net.layers, residency(net, built), strict=True):
        task = MappingTask(each, built, hierarchy)
        cost = mapped_cost(task, joined(solve_layer(task, Plan(task.storage)).mappings))
        points = np.unique(np.stack([cost.cycles(loading=True), cost.energy_pj], axis=1), axis=0)
        lowest = points[np.diff(np.minimum.accumulate(points[:, 1]), prepend=np.inf) < 0]
        sums = (sums[:, None] + lowest).reshape(-1, 2)
    front = [(cost.cycles, cost.energy_pj) for cost in network_front(net, built)]
    for cycles, energy_pj in front:
        beaten = np.all(sums <= [cycles, energy_pj], axis=1) & np.any(
            sums < [cycles, energy_pj * (1 - 1e-12)], axis=1
        )
        assert not beaten.any()
    for point in sums:
        assert np.any(np.all(np.array(front) <= point * (1 + 1e-12), axis=1))
    best = network_cost(net, built, "optimal")
    least = min(cycles * energy_pj for cycles, energy_pj in front)
    assert best.energy_pj * best.cycles == pytest.approx(least, rel=1e-12)


@pytest.mark.parametrize("template", ["digital_os", "digital_ws", "dimc", "aimc"])
@pytest.mark.parametrize("each", [CONVOLUTION, POINTWISE, DENSE], ids=lambda each: each.name)
def test_climbing_through_genes_never_beats_the_exact_front(template, each):
    net, built = of_layers(each), machine(template, 32, 16, 1, 2**12)
    exact = np.array([(cost.cycles, cost.energy_pj) for cost in network_front(net, built)])
    genes = MappingGenes([net], LEVELS)
    shape, rng = np.array(list(genes.sizes.values())), np.random.default_rng(1)
    least = np.inf
    for _ in range(3):
        here, height = rng.integers(0, shape), np.inf
        for _ in range(500):
            moved = rng.integers(0, shape)
            tried = np.where(rng.random(len(shape)) < 2 / len(shape), moved, here)
            cost = genes.network_cost(net, built, dict(zip(genes.sizes, tried, strict=True)))
            as_fast = exact[:, 0] <= cost.cycles
            assert as_fast.any()
            assert exact[as_fast, 1].min() <= cost.energy_pj * (1 + 1e-9)
            if cost.energy_pj * cost.cycles <= height:
                here, height = tried, cost.energy_pj * cost.cycles
        least = min(least, height)
    assert least <= exact.prod(axis=1).min() * 1.1
