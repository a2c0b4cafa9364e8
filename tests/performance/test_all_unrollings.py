"""The unrollings that the mapper looks at against all that there are.

Least energy and least latency are sums over the layers' own least, energy x latency is that of
the network. What is lost is a limit of the search, stated in docs/validation/index.md.
"""

from __future__ import annotations

import pytest
from common3 import ANY, common3
from designs import layer, machine, network, of_layers
from every_unrolling import every_unrolling

from carbonopt.mapping.candidates import joined
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.residency import residency
from carbonopt.mapping.task import MappingTask
from carbonopt.performance.cost import mapped_cost
from carbonopt.performance.hull import lower_hull
from carbonopt.performance.mapper import solve_layer
from carbonopt.performance.network import SCORES, least_sum, mapped_layer

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
    """Relative losses of the unrollings looked at."""
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
    return [one / other - 1 for one, other in zip(ours, best, strict=True)]


@pytest.mark.parametrize("sample", ["few", pytest.param("many", marks=pytest.mark.slow)])
def test_no_unrolling_saves_more_than_documented(sample):
    for net, built, documented in LOSSES[sample]:
        found = losses(net, built)
        where = f"{net.name} on {built.name} {dict(built.shape)}: {found}"
        assert all(
            -ROUNDING <= loss <= most + ROUNDING
            for loss, most in zip(found, documented, strict=True)
        ), where
