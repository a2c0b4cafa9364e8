"""The unrollings that the mapper looks at against all that there are.

Least energy and least latency are sums over the layers' own least, energy x latency is that of
the network.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from common3 import ANY, common3
from designs import layer, machine, network, of_layers
from every_unrolling import every_unrolling

from carbonopt.mapping.candidates import joined
from carbonopt.mapping.every import every_unrolling as every_sizes
from carbonopt.mapping.floors import least_transfers, transfers_floor
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.residency import residency
from carbonopt.mapping.spatial import array_shape
from carbonopt.mapping.task import MappingTask
from carbonopt.mapping.unrollings import _legal, legal
from carbonopt.performance.array import least_array_energy
from carbonopt.performance.choices import SCORES, Choice, least_score, least_sum
from carbonopt.performance.cost import mapped_cost
from carbonopt.performance.hull import lower_hull
from carbonopt.performance.mapped import mapped_layer
from carbonopt.performance.mapper import LayerSearch, solve_layer, unrolled_tables
from carbonopt.performance.network import network_cost

ROUNDING = 1e-9
MIXED = of_layers(
    layer("convolution", K=8, OX=6, OY=6, C=4, FX=3, FY=3),
    layer("pointwise", K=12, OX=6, OY=6, C=8),
    layer("depthwise", G=12, OX=6, OY=6, FX=3, FY=3),
    layer("dense", kind="gemm", K=10, C=30),
)
RESNET8 = network("resnet8")
LOSSES = {  # at most, in energy, latency and energy x latency
    "few": [
        (MIXED, common3(4, ANY), (0.119, 0.0, 0.001)),
        (MIXED, machine("digital_os", 32, 4), (0.003, 0.0, 0.0)),
        (MIXED, machine("digital_ws", 32, 8, 1, 2**12), (0.062, 0.082, 0.077)),
        (MIXED, machine("dimc", 32, 8, 1, 2**12), (0.047, 0.057, 0.054)),
        (MIXED, machine("aimc", 32, 8, 1, 2**12), (0.0, 0.034, 0.031)),
    ],
    "many": [
        (MIXED, machine("digital_os", 32, 6, 3, 2**13), (0.004, 0.0, 0.004)),
        (MIXED, machine("digital_ws", 32, 6, 3, 2**13), (0.029, 0.169, 0.158)),
        (MIXED, machine("dimc", 32, 6, 3, 2**13), (0.017, 0.0, 0.001)),
        (MIXED, machine("aimc", 32, 6, 3, 2**13), (0.002, 0.0, 0.001)),
        (RESNET8, machine("digital_os", 16, 16), (0.008, 0.0, 0.0)),
        (RESNET8, machine("digital_ws", 32, 16), (0.003, 0.016, 0.0)),
    ],
}
WAITING = {"common3": 5e-4}
"""Where mappings wait longer than is proven, the network's choice may be so much off."""


def hull(task, unrollings):
    """Lower convex hull of the layer's mappings, as the network's choice takes it."""
    mappings = joined(solve_layer(task, Plan(task.storage), unrollings, supported=True).mappings)
    cost = mapped_cost(task, mappings)
    cycles = cost.cycles(loading=task.machine.variant.loading_in_latency)
    return [mapped_layer(task, mappings, cost, row) for row in lower_hull(cycles, cost.energy_pj)]


def least(fronts):
    """Energy, latency, and energy x latency."""
    chosen = least_sum(fronts, SCORES["edp"])
    energy, cycles = (
        sum(getattr(each, name) for each in chosen) for name in ("energy_pj", "cycles")
    )
    return (
        sum(min(each.energy_pj for each in front) for front in fronts),
        sum(min(each.cycles for each in front) for front in fronts),
        energy * cycles,
    )


def losses(net, built):
    """Relative losses against a search that is given every unrolling, and its last result."""
    few, every = {}, {}
    keys = []
    for each, hierarchy in zip(net.layers, residency(net, built), strict=True):
        key = (each.anonymous, tuple(hierarchy.items()))
        keys.append(key)
        if key not in few:
            task = MappingTask(each, built, hierarchy)
            few[key] = hull(task, None)
            every[key] = hull(task, every_unrolling(each.anonymous, built))
    ours, best = (least([fronts[key] for key in keys]) for fronts in (few, every))
    return [one / other - 1 for one, other in zip(ours, best, strict=True)], best[-1]


@pytest.mark.parametrize("sample", ["few", pytest.param("many", marks=pytest.mark.slow)])
def test_promising_unrollings_lose_what_is_documented_and_all_of_them_nothing(sample):
    for net, built, documented in LOSSES[sample]:
        found, best = losses(net, built)
        where = f"{net.name} on {built.name} {dict(built.shape)}: {found}"
        assert all(
            -ROUNDING <= loss <= most + ROUNDING
            for loss, most in zip(found, documented, strict=True)
        ), where
        chosen = network_cost(net, built, "exhaustive")
        loss = chosen.energy_pj * chosen.cycles / best - 1
        assert loss <= chosen.gap + ROUNDING, where
        assert -ROUNDING <= loss <= WAITING.get(built.name, ROUNDING), (where, loss)


@pytest.mark.parametrize("built", [machine("digital_ws", 32, 6, 3), common3(4, ANY)])
@pytest.mark.parametrize("each", MIXED.layers, ids=lambda each: each.name)
def test_all_unrollings_are_listed(each, built):
    listed = every_sizes(each.anonymous, array_shape(built, each.anonymous), 10**5)
    expected = every_unrolling(each.anonymous, built).asked
    assert len(listed) == len(expected)
    assert {row.tobytes() for row in listed} == {row.tobytes() for row in expected}


@pytest.mark.parametrize(("net", "built"), [each[:2] for each in LOSSES["few"]])
def test_least_costs_hold_for_every_unrolling(net, built):
    for each, hierarchy in zip(net.layers, residency(net, built), strict=True):
        task = MappingTask(each, built, hierarchy)
        plan = Plan(task.storage)
        tables = unrolled_tables(task, plan, every_unrolling(each.anonymous, built))
        floor = transfers_floor(task, plan, tables.unrollings, tables.array.rows)
        energy_pj = tables.array.energy_pj + floor.transfers_pj
        assert (energy_pj <= tables.least_pj * (1 + ROUNDING)).all(), each.name
        assert (floor.cycles + tables.array.drain <= tables.least_cycles).all(), each.name
        assert least_transfers(task, plan) <= floor.transfers_pj.min(), each.name
        least_pj = least_array_energy(each, built, tables.unrollings.passes.prod(axis=1))
        assert (least_pj <= tables.array.energy_pj * (1 + ROUNDING)).all(), each.name


@pytest.mark.parametrize(("net", "built"), [each[:2] for each in LOSSES["few"]])
def test_unrollings_that_were_not_met_are_slower_and_take_at_least_what_is_said(net, built):
    for each, hierarchy in zip(net.layers, residency(net, built), strict=True):
        task = MappingTask(each, built, hierarchy)
        every = every_unrolling(each.anonymous, built)
        tables = unrolled_tables(task, Plan(task.storage), every)
        search = LayerSearch(task, tables.plan, None, supported=True)
        while search.beyond:
            energy_pj, cycles = search.beyond
            met = len(search.cycles)
            slower = tables.unrollings.passes.prod(axis=1) * built.array.passes >= cycles
            assert energy_pj <= tables.least_pj[slower].min(initial=np.inf)
            search.meet(0.0, growth=2)
            assert (search.cycles[met:] >= cycles).all()
        assert len(search.cycles) >= len(every)


@pytest.mark.parametrize(("net", "built"), [each[:2] for each in LOSSES["few"][1:]])
def test_a_network_says_how_near_to_the_least_it_is(net, built):
    few, every = network_cost(net, built, "optimal"), network_cost(net, built, "exhaustive")
    assert 0 <= few.gap <= ROUNDING
    assert 0 <= every.gap <= ROUNDING
    assert every.energy_pj * every.cycles <= few.energy_pj * few.cycles * (1 + ROUNDING)


def test_nothing_is_proven_of_mappings_that_are_not_searched_for_the_least():
    assert network_cost(MIXED, machine("dimc", 32, 8), "reference").gap is None


@pytest.fixture
def listed_at_most(monkeypatch):
    """Sets how many unrollings of a layer are listed."""

    def limited(most):
        monkeypatch.setattr("carbonopt.mapping.unrollings.MOST", most)
        _legal.cache_clear()

    yield limited
    _legal.cache_clear()


def test_too_many_unrollings_to_list_are_still_covered_by_their_passes(listed_at_most):
    built = machine("digital_ws", 32, 8, 1, 2**12)
    every = network_cost(MIXED, built, "exhaustive")
    listed_at_most(250)
    found = network_cost(MIXED, built, "exhaustive")
    assert 0 <= found.gap <= ROUNDING
    assert found.energy_pj * found.cycles == pytest.approx(every.energy_pj * every.cycles)
    frugal = network_cost(MIXED, built, "exhaustive", SCORES["energy"])
    assert 0 < frugal.gap < 10  # slow ones may be more frugal


def test_too_many_full_unrollings_are_not_claimed_to_be_covered(listed_at_most):
    listed_at_most(0)
    built = machine("digital_ws", 32, 8, 1, 2**12)
    assert network_cost(MIXED, built, "exhaustive").gap == math.inf


@pytest.mark.parametrize("built", [machine("digital_ws", 32, 6, 3), common3(4, ANY)])
@pytest.mark.parametrize("each", MIXED.layers, ids=lambda each: each.name)
def test_the_fullest_unrollings_come_first_of_all(each, built):
    task = MappingTask(each, built, residency(MIXED, built)[MIXED.layers.index(each)])
    some, every = legal(task, every=False), legal(task)
    assert some.others > some.passes.max()
    assert np.array_equal(every.asked[: len(some.asked)], some.asked)
    assert (every.passes[len(some.passes) :] >= some.others).all()


def test_no_choice_undercuts_the_least_score():
    """Where a latency is not allowed, the best choice need not be a vertex of the hulls."""
    fronts = [
        [Choice(4.0, 1.0, 0), Choice(1.0, 3.0, 1)],
        [Choice(9.0, 1.0, 0), Choice(1.0, 5.0, 1)],
    ]

    def late(energy_pj, cycles):
        return np.where(cycles > 5, np.inf, energy_pj)

    assert least_score(fronts, SCORES["edp"]) == 2 * 8
    assert least_score(fronts, late) == 5.0  # of the fastest and the slower one of the second
    assert sum(each.energy_pj for each in least_sum(fronts, late)) == 13.0
