"""Random mappings of random layers, costed by zigzag-dse itself and by us.

Runs where zigzag-dse 3.9.1 (and `six`, which it needs) is installed: extra `peers`. Broken
unrollings of one half are left out, as ZigZag rounds what floating point makes of them, and
mappings on macros at which ZigZag itself stops (output positions along the columns beside a
batch, or beside a single loop along the rows).
"""

from __future__ import annotations

import math
import random
from itertools import pairwise
from typing import Any

import pytest
from zigzag_files import accelerator, write_accelerator

from carbonopt.hardware.machine import OPERANDS
from carbonopt.hardware.variant import load_variant
from carbonopt.hardware.zigzag import load_zigzag_machine
from carbonopt.mapping.given import given_mapping
from carbonopt.mapping.loops import prime_factors
from carbonopt.mapping.task import MappingTask
from carbonopt.performance.cost import mapped_cost
from carbonopt.workload.layer import DIMS, Layer

pytest.importorskip("zigzag", reason="zigzag-dse is not installed (extra: peers)")
pytestmark = pytest.mark.peers

MACHINES = ("tpu_like", "eyeriss_like", "dimc", "aimc")
CASES = 60
MOST_LOOPS = len(DIMS)
DIRECTIONS = ("wr_in_by_high", "rd_out_to_low", "wr_in_by_low", "rd_out_to_high")
EQUATIONS = {
    "conv": "O[b][g][k][oy][ox]+=W[g][k][c][fy][fx]*I[b][g][c][iy][ix]",
    "gemm": "O[b][k]+=I[b][c]*W[c][k]",
}


def random_layer(rng: random.Random) -> Layer:
    kind = rng.choice(["conv", "conv", "gemm"])
    if kind == "gemm":
        sizes = (rng.choice([1, 8]), rng.choice([10, 64]), 1, 1, 1, rng.choice([9, 128]), 1, 1)
        return Layer("layer", "gemm", sizes)
    ox, oy, fx, fy = (rng.choice(some) for some in ([1, 6, 14], [1, 4, 14], [1, 3, 5], [1, 3]))
    sizes = (rng.choice([1, 2]), rng.choice([8, 17, 64]), rng.choice([1, 4]), ox, oy,
             rng.choice([3, 16, 48]), fx, fy)  # fmt: skip
    stride = rng.choice([1, 2])
    extent = ((ox - 1) * stride + fx, (oy - 1) * stride + fy)
    return Layer("layer", "conv", sizes, stride=(stride, stride), input_size=extent)


def random_unrolling(rng, layer, shape):
    """Some loops along each array dimension, each loop along one of them at most."""
    free = [dim for dim in DIMS if layer.loops[dim] > 1]
    rng.shuffle(free)
    unrolled = {}
    for array_dim, available in shape.items():
        chosen = []
        for dim in [free.pop() for _ in range(min(len(free), rng.choice([0, 1, 1, 2])))]:
            size = rng.randint(1, min(available, layer.loops[dim]))
            if size > 1 and layer.loops[dim] / math.ceil(layer.loops[dim] / size) % 1 != 0.5:
                chosen.append((dim, size))
                available //= size
        if chosen:
            unrolled[array_dim] = tuple(chosen)
    return unrolled


def random_nest(rng, layer, unrolled, levels):
    """A random order of the loops that remain, cut anywhere for each operand."""
    passes = dict(layer.loops)
    for loops in unrolled.values():
        for dim, size in loops:
            passes[dim] = math.ceil(passes[dim] / size)
    loops = [(dim, prime) for dim, size in passes.items() for prime in prime_factors(size)]
    while len(loops) > MOST_LOOPS:
        loops.sort()
        i = next(i for i, (a, b) in enumerate(pairwise(loops)) if a[0] == b[0])
        loops[i : i + 2] = [(loops[i][0], loops[i][1] * loops[i + 1][1])]
    rng.shuffle(loops)
    nest = {}
    for operand in OPERANDS:
        inner = sorted(rng.randint(0, len(loops)) for _ in range(levels[operand] - 1))
        nest[operand] = [loops[a:b] for a, b in pairwise([0, *inner, len(loops)])]
    return nest


def their_accelerator(name):
    from zigzag.parser.accelerator_factory import AcceleratorFactory
    from zigzag.parser.accelerator_validator import AcceleratorValidator

    validator = AcceleratorValidator(accelerator(name))
    assert validator.validate()
    return AcceleratorFactory(validator.normalized_data).create()


def their_layer(layer: Layer) -> Any:
    from zigzag.parser.workload_factory import LayerNodeFactory

    conv = layer.kind == "conv"
    dims = [dim for dim in DIMS if conv or dim in ("B", "K", "C")]
    sizes = layer.loops
    return LayerNodeFactory(
        {
            "id": 0,
            "name": "layer",
            "operator_type": layer.kind,
            "equation": EQUATIONS[layer.kind],
            "loop_dims": dims,
            "loop_sizes": [sizes[dim] for dim in dims],
            "operand_precision": {"W": 8, "I": 8, "O": 16, "O_final": 8},
            "operand_source": {"I": 1, "W": 0},
            "dimension_relations": [
                f"{i}={layer.stride[0]}*{o}+1*{f}"
                for i, o, f in (("ix", "ox", "fx"), ("iy", "oy", "fy"))
                if conv
            ],
            "pr_loop_dims": ["IX", "IY"] if conv else None,
            "pr_loop_sizes": list(layer.input_size),
            "padding": [[0, 0], [0, 0]],
        },
        [
            {
                "name": "default",
                "memory_operand_links": {"O": "O", "W": "I2", "I": "I1"},
                **dict.fromkeys(("spatial_mapping", "spatial_mapping_hint", "temporal_ordering")),
            }
        ],
    ).create()


def their_cost(machine, layer, unrolled, nest):
    from zigzag.cost_model.cost_model import CostModelEvaluation
    from zigzag.cost_model.cost_model_imc import CostModelEvaluationForIMC
    from zigzag.datatypes import LayerDim, LayerOperand, OADimension
    from zigzag.mapping.spatial_mapping import MappingSingleOADim, SpatialMapping
    from zigzag.mapping.temporal_mapping import TemporalMapping, TemporalMappingType
    from zigzag.stages.mapping.spatial_mapping_conversion import SpatialMappingConversionStage

    node, array = their_layer(layer), machine.operational_array
    spatial = {
        OADimension(array_dim): MappingSingleOADim({LayerDim(dim): n for dim, n in loops})
        for array_dim, loops in unrolled.items()
    }
    node.spatial_mapping = SpatialMapping(spatial)
    node.spatial_mapping.oa_dim_sizes = dict(array.dimension_sizes)
    stage = SpatialMappingConversionStage([None], accelerator=machine, layer=node)
    mean, whole = stage.convert_user_spatial_mapping(node.spatial_mapping)
    temporal = {
        LayerOperand(o): [[(LayerDim(d), n) for d, n in level] for level in nest[o]] for o in nest
    }
    model = CostModelEvaluationForIMC if hasattr(array, "is_aimc") else CostModelEvaluation
    return model(
        accelerator=machine, layer=node, spatial_mapping=mean, spatial_mapping_int=whole,
        temporal_mapping=TemporalMapping(temporal, node, TemporalMappingType.UNEVEN),
    )  # fmt: skip


def flat(cost) -> dict[str, Any]:
    """What ZigZag says, by our names."""
    from zigzag.datatypes import LayerOperand

    accesses = {o: cost.memory_word_access[LayerOperand(o)] for o in OPERANDS}
    return {
        "array_pj": cost.mac_energy,
        "memory_pj": [e for o in OPERANDS for e in cost.mem_energy_breakdown[LayerOperand(o)]],
        "accesses": [a.get(d) for o in OPERANDS for a in accesses[o] for d in DIRECTIONS],
        "stall": cost.stall_slack_comb,
        "onload": cost.data_onloading_cycle,
        "offload": cost.data_offloading_cycle,
        "drain": cost.systolic_drain_cycle,
        "latency": cost.latency_total2,
    }


def ours(task, unrolled, nest) -> dict[str, Any]:
    cost = mapped_cost(task, given_mapping(task, unrolled, nest))
    levels = [(o, level) for o in range(len(OPERANDS)) for level in range(task.levels[o])]
    return {
        "array_pj": sum(values[0] for values in cost.array_pj.values()),
        "memory_pj": [cost.memory_pj[0, o, level] for o, level in levels],
        "accesses": [n for o, level in levels for n in cost.accesses[0, o, level]],
        "stall": cost.stall[0],
        "onload": cost.onload[0],
        "offload": cost.offload[0],
        "drain": cost.drain[0],
        "latency": cost.cycles(loading=True)[0],
    }


@pytest.mark.parametrize("name", MACHINES)
def test_random_mappings_cost_the_same(tmp_path, name):
    rng = random.Random(f"{name} of 2026")
    built = load_zigzag_machine(write_accelerator(tmp_path, name), load_variant("zigzag"))
    theirs = their_accelerator(name)
    levels = {operand: built.levels(operand) for operand in OPERANDS}
    compared = 0
    for _ in range(CASES):
        layer = random_layer(rng)
        unrolled = random_unrolling(rng, layer, built.shape)
        depths = {operand: len(own) for operand, own in levels.items()}
        nest = random_nest(rng, layer, unrolled, depths)
        try:
            expected = flat(their_cost(theirs, layer, unrolled, nest))
        except (KeyError, IndexError):
            continue
        compared += 1
        found = ours(MappingTask(layer, built, levels), unrolled, nest)
        for what, value in expected.items():
            assert found[what] == pytest.approx(value, rel=1e-9), (what, layer, unrolled, nest)
    assert compared > 0.8 * CASES
