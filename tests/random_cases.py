"""Small random layers on small random machines, for tests that try every mapping."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, NamedTuple

import numpy as np
from designs import machine, unrolled_as

from carbonopt.hardware.digital import DigitalArray
from carbonopt.hardware.imc import imc_macro, load_form
from carbonopt.hardware.knob_table import MACROS, MacroOptions
from carbonopt.hardware.machine import DIRECTIONS, OPERANDS, Machine, Memory, Operand, Port
from carbonopt.hardware.template import TEMPLATES
from carbonopt.hardware.variant import load_variant
from carbonopt.mapping.loops import prime_factors
from carbonopt.mapping.parallel import fullest_unrollings, with_halves
from carbonopt.mapping.residency import Hierarchy
from carbonopt.mapping.spatial import Unrollings, array_shape, unroll_all
from carbonopt.mapping.task import MappingTask
from carbonopt.workload.layer import DIMS, Layer

AXES = ("D1", "D2")
KINDS = {
    "conv": ("B", "K", "OX", "OY", "C", "FX", "FY"),
    "depthwise": ("G", "OX", "OY", "FX", "FY"),
    "gemm": ("B", "K", "C"),
}
VARIANTS = ("default", "default", "zigzag", "carbonspot")


class Case(NamedTuple):
    """A layer on a machine, and one way to unroll it."""

    task: MappingTask
    unrollings: Unrollings


def random_layer(rng: np.random.Generator, loops: int) -> Layer:
    """Return a layer of up to so many prime factors: halo, stride, dilation, padding, depthwise."""
    kind = str(rng.choice(list(KINDS)))
    bounds = dict.fromkeys(DIMS, 1)
    dims = rng.choice(
        KINDS[kind], size=min(int(rng.integers(1, 6)), len(KINDS[kind])), replace=False
    )
    for dim in dims:
        bounds[dim] = int(rng.choice([3, 3, 2] if dim in ("FX", "FY") else [2, 3, 4, 5, 6, 8]))
    while sum(len(prime_factors(bound)) for bound in bounds.values()) > loops:
        bounds[max(bounds, key=lambda dim: (len(prime_factors(bounds[dim])), dim))] = 1
    stride, dilation = ((int(rng.choice([1, 1, 2])), int(rng.choice([1, 1, 2]))) for _ in range(2))
    padding = int(rng.integers(0, 2))
    size = tuple(
        max(1, (bounds[o] - 1) * stride[a] + (bounds[f] - 1) * dilation[a] + 1 - padding)
        for a, (o, f) in enumerate((("OX", "FX"), ("OY", "FY")))
    )
    weight_bits, output_bits = int(rng.choice([8, 4, 2])), int(rng.choice([8, 8, 16]))
    return Layer(
        "tiny", "gemm" if kind == "gemm" else "conv", tuple(bounds.values()), stride, dilation,
        size, (), weight_bits, 8, 16, output_bits,
    )  # fmt: skip


def _whole_bits(layer: Layer, operand: Operand) -> int:
    return {
        "I": layer.inputs * layer.input_bits,
        "W": layer.weights * layer.weight_bits,
        "O": layer.outputs * layer.psum_bits,
    }[operand]


def _ports(rng: np.random.Generator, held: list[Operand]) -> dict[Operand, dict[str, Port]]:
    """Return random ports: one for all, or several that some transfers share."""
    ports = []
    for number in range(int(rng.integers(1, 5))):
        wide = float(rng.choice([8, 16, 24, 64, 128]))
        ports.append(Port(f"p{number}", wide / float(rng.choice([1, 1, 2, 4])), wide))
    return {
        operand: {
            direction: ports[int(rng.integers(len(ports)))]
            for direction in DIRECTIONS[: 4 if operand == "O" else 2]
        }
        for operand in held
    }


def _memory(
    rng: np.random.Generator, name: str, held: list[Operand], size: float, served: frozenset[str]
) -> Memory:
    read, write = (float(rng.choice([0.0, 0.3, 1.0, 7.5, 100.0])) for _ in range(2))
    doubled = bool(rng.random() < 0.2)
    return Memory(name, "sram", size, read, write, 0.0, served, _ports(rng, held), doubled)


def _memories(rng: np.random.Generator, layer: Layer, most: int) -> tuple[Memory, ...]:
    """Return memories of random operands, of which each operand's last one holds it whole."""
    found = []
    chains = [(), AXES] if rng.random() < 0.6 else [(), AXES[:1], AXES]
    inner = int(rng.integers(0, most))
    cuts = sorted(int(rng.integers(len(chains))) for _ in range(inner))
    for number, place in enumerate(cuts):
        held = [operand for operand in OPERANDS if rng.random() < 0.6] or [OPERANDS[number % 3]]
        whole = sum(_whole_bits(layer, operand) for operand in held)
        size = float(np.ceil(whole * float(rng.choice([0.05, 0.15, 0.3, 0.6, 1.0, 2.0])) + 8))
        found.append(_memory(rng, f"m{number}", held, size, frozenset(chains[place])))
    apart = [operand for operand in OPERANDS if rng.random() < 0.15]
    for held in (apart, [operand for operand in OPERANDS if operand not in apart]):
        if held:
            whole = sum(_whole_bits(layer, operand) for operand in held)
            size = float(np.ceil(whole * float(rng.choice([1.0, 1.2, 2.0, 4.0]))))
            found.append(_memory(rng, f"top{len(found)}", held, size, frozenset(AXES)))
    return tuple(found)


def random_machine(rng: np.random.Generator, layer: Layer, memories: int) -> Machine:
    """Return a machine of two array dimensions with up to so many memories below the outermost."""
    shape = {axis: int(rng.integers(1, 5)) for axis in AXES}
    array = DigitalArray(0.5, adder_tree=False, tree_bits=16)
    kind = str(rng.choice(["digital", "digital", "digital", "aimc", "dimc"]))
    variant = load_variant(str(rng.choice(VARIANTS)))
    if kind != "digital":
        array = imc_macro(kind, 16, 16, 1, MacroOptions(), load_form(variant.macro_form))
    free = {axis: tuple(rng.permutation(DIMS)) for axis in AXES}
    return Machine(
        "random", variant, shape, array,
        _memories(rng, layer, memories), free, bool(rng.random() < 0.2),
        clock_parts={"mac": 1.0}, systolic=AXES[: int(rng.integers(0, 2))],
        row_cycles=float(rng.integers(1, 3)), overlapped_writing=bool(rng.random() < 0.5),
        waits_for_activations=bool(rng.random() < 0.5),
    )  # fmt: skip


def random_unrolling(rng: np.random.Generator, layer: Layer, machine: Machine) -> Unrollings:
    """Return one random unrolling: mixed loops, sizes that divide nothing."""
    left = layer.loops
    chosen = {}
    for axis, units in machine.shape.items():
        loops: list[tuple[str, int]] = []
        for dim in rng.permutation([dim for dim in DIMS if left[dim] > 1])[:2]:
            most = min(units // math.prod(size for _, size in loops), left[str(dim)])
            size = int(rng.integers(1, most + 1)) if most > 1 else 1
            if size > 1:
                loops.append((str(dim), size))
                left[str(dim)] = math.ceil(left[str(dim)] / size)
        chosen[axis] = tuple(loops)
    down = machine.variant.whole_units_down
    return unrolled_as(layer, tuple(machine.shape), [chosen], down=down)


def random_case(rng: np.random.Generator, loops: int, memories: int) -> Case:
    """Return a random layer on a random machine under a random unrolling."""
    layer = random_layer(rng, loops)
    machine = random_machine(rng, layer, memories)
    hierarchy: Hierarchy = {operand: machine.levels(operand) for operand in OPERANDS}
    task = MappingTask(layer, machine, hierarchy)
    return Case(task, random_unrolling(rng, layer, machine))


def random_options(rng: np.random.Generator, template: str) -> dict[str, Any]:
    """Return random options of how a macro gets its weights; none for digital arrays."""
    depth = int(rng.choice([1, 1, 2, 4]))
    speeds = [float(rng.choice([1e7, 1e8, 1e9, 1e10])) for _ in range(2)]
    given, overlapped = rng.random(2) < 0.5, rng.random() < 0.5
    if template not in MACROS:
        return {}
    names = ("sram_bandwidth_byte_per_s", "dram_bandwidth_byte_per_s")
    loading = "overlapped" if overlapped and depth > 1 else "stopped"
    return {
        "group_depth": depth,
        "loading": loading,
        **{names[i]: speeds[i] for i in range(2) if given[i]},
    }


def template_case(rng: np.random.Generator, loops: int) -> Case:
    """Return a random layer on a template's machine with little SRAM, unrolled as it may be."""
    layer = random_layer(rng, loops)
    template = str(rng.choice([name for name in TEMPLATES if name != "eyeriss"]))
    variant = str(rng.choice(VARIANTS))
    cols = int(rng.choice([4, 6]))
    options = random_options(rng, template)
    built = machine(template, 32, cols, 1, 2**15, variant=variant, **options)
    share = float(rng.choice([0.2, 0.4, 0.7, 1.0]))
    room = share * sum(_whole_bits(layer, operand) for operand in OPERANDS)
    memories = tuple(
        dataclasses.replace(each, size_bits=math.ceil(room)) if each.name == "sram" else each
        for each in built.memories
    )
    built = dataclasses.replace(built, memories=memories)
    hierarchy: Hierarchy = {operand: built.levels(operand) for operand in OPERANDS}
    chosen = fullest_unrollings(layer.anonymous, array_shape(built, layer), 3)
    some = with_halves(layer, chosen)[:12]
    one = some[int(rng.integers(len(some)))]
    names, down = tuple(built.shape), built.variant.whole_units_down
    unrollings = unroll_all(layer, names, one[None], down=down)
    return Case(MappingTask(layer, built, hierarchy), unrollings)
