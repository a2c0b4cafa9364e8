"""Allocation: nothing overflows, nothing is left over, nothing legal is missed."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from designs import layer, machine, of_layers, solved_mappings
from hypothesis import example, given, settings
from hypothesis import strategies as st

from carbonopt.errors import MappingError
from carbonopt.hardware.machine import OPERANDS
from carbonopt.mapping.allocation import allocate_greedily
from carbonopt.mapping.candidates import reference_mappings
from carbonopt.mapping.residency import residency
from carbonopt.mapping.task import MappingTask
from carbonopt.workload.layer import DIMS

pytestmark = pytest.mark.property

REDUCTION = ("C", "FX", "FY")
layers = st.builds(
    layer,
    K=st.sampled_from([1, 8, 20, 48]),
    OX=st.sampled_from([1, 7, 12]),
    OY=st.sampled_from([1, 7, 12]),
    C=st.sampled_from([1, 5, 40, 64]),
    FX=st.sampled_from([1, 3]),
    FY=st.sampled_from([1, 3]),
)
machines = st.builds(
    machine,
    st.sampled_from(["digital_os", "digital_ws", "dimc", "aimc"]),
    rows=st.just(32),
    cols=st.sampled_from([8, 24, 32]),
    sram_byte=st.sampled_from([2**12, 2**13, 2**16]),
    resident_byte=st.sampled_from([2**11, 2**20]),
)


FINAL_OUTPUTS_FIT = layer(K=20, OY=12, C=40, FX=3)
"""Partial sums do not, beside inputs and weights, in 4 KiB."""


def extent(outputs, kernel, limit):
    """Distinct inputs of stride 1, fractional sizes rounded down, as the model counts them."""
    return min(math.floor(outputs * kernel - (kernel - 1) * (outputs - 1) + 1e-9), limit)


def tile_bits(task, unrolling, loops, operand, level, kept):
    """Bits that one instance of a level holds with the first `kept` loops below it."""
    built, each = task.machine, task.layer
    inside = [built.memories[m] for m in task.hierarchy[operand][: level + 1]]
    size = dict.fromkeys(DIMS, 1.0)
    for array_dim, dim, mean, _ in unrolling.loops:
        if any(array_dim in memory.served for memory in inside):
            size[dim] *= mean
    for dim, factor in loops[:kept]:
        size[dim] *= factor
    if operand == "W":
        return each.weight_bits * math.prod(size[d] for d in ("K", "G", "C", "FX", "FY"))
    if operand == "O":
        return math.prod(size[d] for d in ("B", "K", "G", "OX", "OY"))
    along = [
        extent(size[o], size[f], limit)
        for o, f, limit in zip(("OX", "OY"), ("FX", "FY"), each.input_size, strict=True)
    ]
    return each.input_bits * math.prod(size[d] for d in ("B", "G", "C")) * math.prod(along)


def output_width(task, loops, below):
    """Outputs take the width of partial sums while reduction loops remain above them."""
    partial = any(dim in REDUCTION for dim, _ in loops[below:])
    return task.layer.psum_bits if partial else task.layer.output_bits


def held_bits(task, mappings, row):
    """Bits in each memory, all its operands together."""
    unrolling = mappings.unrollings[mappings.which[row]]
    loops = [
        (DIMS[dim], int(size))
        for dim, size in zip(mappings.dims[row], mappings.sizes[row], strict=True)
    ]
    held = dict.fromkeys(range(len(task.machine.memories)), 0.0)
    for o, operand in enumerate(OPERANDS):
        below = 0
        for level, m in enumerate(task.hierarchy[operand]):
            kept = int(mappings.cuts[row, o, level])
            assert below <= kept
            bits = tile_bits(task, unrolling, loops, operand, level, kept)
            if operand == "O":
                bits *= output_width(task, [loop for loop in loops if loop[1] > 1], below)
            held[m] += bits
            below = kept
        assert below == len(loops), "every loop has its place"
    return held, unrolling


@pytest.mark.parametrize("find", [reference_mappings, solved_mappings])
@settings(max_examples=25)
@given(each=layers, built=machines)
@example(each=FINAL_OUTPUTS_FIT, built=machine("digital_ws", 32, 8, 1, 4096, resident_byte=2048))
def test_no_memory_overflows_and_every_loop_is_placed(find, each, built):
    task = MappingTask(each, built, residency(of_layers(each), built)[0])
    try:
        mappings = find(task)
    except MappingError:
        return
    for row in range(0, len(mappings.which), max(1, len(mappings.which) // 20)):
        held, unrolling = held_bits(task, mappings, row)
        for m, bits in held.items():
            memory = built.memories[m]
            wide = task.arrays([unrolling]).positions[0] if m == task.hierarchy["I"][0] else 1
            assert bits <= memory.size_bits * wide * (1 + 1e-12), memory.name


@pytest.mark.parametrize("find", [reference_mappings, solved_mappings])
@settings(max_examples=25)
@given(each=layers, built=machines)
def test_loops_and_unrolling_make_up_the_layer(find, each, built):
    task = MappingTask(each, built, residency(of_layers(each), built)[0])
    try:
        mappings = find(task)
    except MappingError:
        return
    for row in range(0, len(mappings.which), max(1, len(mappings.which) // 20)):
        unrolling = mappings.unrollings[mappings.which[row]]
        for dim, bound in each.loops.items():
            here = mappings.dims[row] == DIMS.index(dim)
            passes = int(mappings.sizes[row][here].prod())
            mean = math.prod(u for _, d, u, _ in unrolling.loops if d == dim)
            extra = 1 if find is reference_mappings else 0  # its float_passes
            assert bound <= round(mean * passes, 6) <= bound + extra * math.ceil(mean)


def brute_force(levels, capacity, bits, dims, sizes, tiles):
    """Fill two memories by trying every choice; registers (0) first, then one shared (1)."""
    loops = len(dims)

    def width(operand, below):
        if operand < 2:
            return bits[operand]
        return bits[2] if any(dim >= 5 for dim in dims[below:]) else bits[3]

    cuts = np.zeros((3, 2), dtype=int)
    below = [0, 0, 0]
    for memory in (0, 1):
        holds = [o for o in range(3) if (levels[o] == 2 or memory == 1)]
        position = [memory if levels[o] == 2 else 0 for o in range(3)]
        best = None
        for kept in itertools.product(*(range(loops - below[o] + 1) for o in holds)):
            held = cost = 0.0
            for o, k in zip(holds, kept, strict=True):
                tile = tiles[o, position[o], below[o] + k] * width(o, below[o])
                held += tile
                left = math.prod(sizes[below[o] + k :])
                if memory == 0:
                    cost += left * tile
                elif below[o] + k < loops:
                    held = math.inf
            if held <= capacity[memory] and (best is None or cost <= best[0]):
                best = (cost, kept)
        if best is None:
            return None
        for o, k in zip(holds, best[1], strict=True):
            below[o] += k
            cuts[o, position[o]] = below[o]
    return cuts


@settings(max_examples=80)
@given(st.data())
def test_fills_each_memory_as_trying_all_choices_does(data):
    """One small memory shared by some operands below one that all share; the last tie wins."""
    levels = np.array(data.draw(st.tuples(*[st.integers(1, 2)] * 3).filter(lambda x: max(x) > 1)))
    loop = st.tuples(st.integers(0, len(DIMS) - 1), st.integers(2, 3))
    order = np.array(data.draw(st.lists(loop, min_size=1, max_size=4)), dtype=np.int64)
    dims, sizes = order[:, 0], order[:, 1]
    steps = data.draw(st.lists(st.integers(0, 2), min_size=3 * len(dims), max_size=3 * len(dims)))
    tiles = np.ones((1, 3, 5, len(dims) + 1))
    for operand, grows in enumerate(np.reshape(steps, (3, -1))):
        tiles[0, operand, :, 1:] = np.cumprod(np.maximum(grows, 1))
    bits = np.array([8, 8, 16, 8])
    capacity = np.array([data.draw(st.sampled_from([16.0, 32.0, 64.0, 200.0])), 400.0])
    memory = np.array([[0, 1] if count == 2 else [1, 0] for count in levels], dtype=np.int64)
    memory = np.pad(memory, ((0, 0), (0, 2)))
    cuts, legal = allocate_greedily(
        levels, memory, capacity[None], np.zeros(len(capacity), bool),
        np.zeros((1, levels.max()), bool), np.zeros(1, np.int64), bits,
        dims[None], sizes[None], tiles,
    )  # fmt: skip
    expected = brute_force(levels, capacity, bits, dims, sizes, tiles[0])
    assert legal[0] == (expected is not None)
    if expected is not None:
        for operand in range(3):
            own = levels[operand]
            assert cuts[0, operand, :own].tolist() == expected[operand, :own].tolist()
