"""How far out each layer's operands live: activations and weights that stay on chip."""

from __future__ import annotations

import math

from carbonopt.errors import MappingError
from carbonopt.hardware.eyeriss import RowStationaryArray
from carbonopt.hardware.imc import ImcMacro
from carbonopt.hardware.knob_table import Knobs
from carbonopt.hardware.machine import OPERANDS, Machine, Operand
from carbonopt.hardware.precision import fitted
from carbonopt.hardware.template import Template, build_machine
from carbonopt.hardware.variant import ModelVariant
from carbonopt.workload.layer import Layer
from carbonopt.workload.network import Network

Hierarchy = dict[Operand, tuple[int, ...]]
"""Operand to the memories (positions in `Machine.memories`) that hold it, innermost first."""


def residency(network: Network, machine: Machine, *, in_cells: bool = False) -> list[Hierarchy]:
    """Return each layer's memory hierarchy, without the levels that it does not need.

    Activations between two layers in sequence stay in the lowest memory that holds the whole
    input and output, beside the weights if these stay there too; around a branch they go to
    the outermost one. All weights stay in the lowest shared memory that holds them beside the
    largest activations that fit it alone.

    Parameters
    ----------
    network, machine
        What runs on what.
    in_cells
        Weights never leave the cells of an in-memory macro, see `room_in_cells`.

    Raises
    ------
    MappingError
        If the outermost memory cannot hold what is left to it, or mappings are no loop nests.

    Notes
    -----
    With `ModelVariant.room_counted_twice`, weights need room beside the activations of some
    layer only, and activations none beside the weights.

    References
    ----------
    .. [1] CarbonSpot, stages/SearchUnusedMemoryStage.py, RemoveUnusedMemoryStage.py. Outputs
       count with the width of partial sums.
    """
    if isinstance(machine.array, RowStationaryArray):
        raise MappingError(
            f"{machine.name}: got row-stationary mappings, allowed: a machine whose mappings are "
            "loop nests (`carbonopt evaluate --json` shows those of this one)"
        )
    top = {o: machine.levels(o)[-1] for o in OPERANDS}
    weight_level = machine.levels("W")[0] if in_cells else _weight_level(network, machine)
    taken = {} if machine.variant.room_counted_twice else {weight_level: _weight_bits(network)}
    input_level: dict[int, int] = {}
    output_level: dict[int, int] = {}
    for position, layer in enumerate(network.layers):
        first = not layer.predecessors
        input_level[position] = top["I"] if first else output_level[layer.predecessors[0]]
        output_level[position] = top["O"]
        stays = None if _branches(network, position) else _activation_level(layer, machine, taken)
        if stays is not None:
            output_level[position] = stays
            if first:
                input_level[position] = stays
    hierarchies: list[Hierarchy] = [
        {
            "I": tuple(m for m in machine.levels("I") if m <= input_level[position]),
            "W": tuple(m for m in machine.levels("W") if m <= weight_level),
            "O": tuple(m for m in machine.levels("O") if m <= output_level[position]),
        }
        for position in range(len(network.layers))
    ]
    if not machine.variant.room_counted_twice:
        _check_outermost(network, machine, hierarchies)
    return hierarchies


def room_in_cells(network: Network, machine: Machine) -> float:
    """Return the weights that a multiplier may store so that all of a network's stay in cells.

    That is the group depth of in-memory macros, or 0 where they cannot stay: without groups of
    cells or cells that keep what they store without power, with more weights than cells, with
    products of two activations, and with `ModelVariant.room_counted_twice`.
    """
    macro = machine.array
    if not isinstance(macro, ImcMacro) or machine.variant.room_counted_twice:
        return 0.0
    depth = float(macro.group_depth)
    least = sum(
        math.ceil(layer.weights / math.prod(fitted(machine, layer).shape.values()))
        for layer in network.layers
    )
    trained = all(layer.kind != "matmul" for layer in network.layers)
    stores = depth > 1 or macro.cell is not None
    return depth if stores and trained and least <= depth else 0.0


def resident_byte(network: Network, sram_byte: float, variant: ModelVariant) -> float:
    """Return the room that a network's weights need to stay in an SRAM of a given size [byte].

    Their own size, and beside them the largest activations that fit the SRAM alone; not these
    with `ModelVariant.room_counted_twice`.
    """
    room = _weight_bits(network)
    if not variant.room_counted_twice:
        fitting = [b for b in map(_activation_bits, network.layers) if b <= sram_byte * 8]
        room += max(fitting, default=0)
    return room / 8


def machine_for(
    network: Network | None,
    template: Template,
    knobs: Knobs,
    variant: ModelVariant,
    *,
    dram_byte: float,
) -> Machine:
    """Build the machine of a template for a network, whose weights stay on chip where they fit.

    For no network, weights do not stay.

    Raises
    ------
    ModelRangeError
        If a knob lies outside the valid range of a model; the message names it.
    """
    room = math.inf if network is None else resident_byte(network, knobs.sram_byte, variant)
    return build_machine(template, knobs, variant, dram_byte=dram_byte, resident_byte=room)


def _weight_bits(network: Network) -> float:
    """Bits of all trained weights; operands of activation products are no weights."""
    return sum(each.weights * each.stored_weight_bits for each in network.layers)


def _activation_bits(layer: Layer) -> int:
    """Bits of a layer's whole input and output, the latter as wide as partial sums."""
    return layer.inputs * layer.input_bits + layer.outputs * layer.psum_bits


def _capacity(machine: Machine, m: int) -> float:
    """Bits of all instances of a memory."""
    memory = machine.memories[m]
    apart = [size for d, size in machine.shape.items() if d not in memory.served]
    return memory.size_bits * math.prod(apart)


def _weight_level(network: Network, machine: Machine) -> int:
    """Return the outermost memory that holds weights."""
    beside: list[float] = [_activation_bits(layer) for layer in _in_sequence(network)]
    for m, memory in enumerate(machine.memories):
        if not set(machine.shape) <= memory.served or "W" not in memory.ports:
            continue
        room = _capacity(machine, m)
        if not {"I", "O"} <= set(memory.ports):
            needed = 0.0
        elif machine.variant.room_counted_twice:
            needed = min(beside, default=math.inf)
        else:
            needed = max((bits for bits in beside if bits <= room), default=0.0)
        if _weight_bits(network) + needed <= room:
            return m
    return len(machine.memories) - 1


def _in_sequence(network: Network) -> list[Layer]:
    """Return the layers whose output goes to one layer that reads nothing else."""
    return [
        layer for position, layer in enumerate(network.layers) if not _branches(network, position)
    ]


def _activation_level(layer: Layer, machine: Machine, taken: dict[int, float]) -> int | None:
    """Return the lowest memory that holds a layer's activations beside what is taken of it."""
    for m, memory in enumerate(machine.memories):
        both = {"I", "O"} <= set(memory.ports)
        if both and _activation_bits(layer) + taken.get(m, 0) <= _capacity(machine, m):
            return m
    return None


def _check_outermost(network: Network, machine: Machine, hierarchies: list[Hierarchy]) -> None:
    """Refuse a network whose weights and largest activations exceed the outermost memory."""
    last = len(machine.memories) - 1
    weights = _weight_bits(network) if any(each["W"][-1] == last for each in hierarchies) else 0
    activations = [
        layer.inputs * layer.input_bits * (each["I"][-1] == last)
        + layer.outputs * layer.output_bits * (each["O"][-1] == last)
        for layer, each in zip(network.layers, hierarchies, strict=True)
    ]
    room = _capacity(machine, last)
    _check_room(network, machine, machine.memories[last].name, weights, activations, room)


def check_dram(network: Network, machine: Machine, room: float) -> None:
    """Refuse a network all of whose operands live in a DRAM of so many bits that is too small.

    Raises
    ------
    MappingError
        Naming the layer of the largest activations, and what is needed.
    """
    if not machine.variant.room_counted_twice:
        activations = [
            each.inputs * each.input_bits + each.outputs * each.output_bits
            for each in network.layers
        ]
        _check_room(network, machine, "dram", _weight_bits(network), activations, room)


def _check_room(
    network: Network,
    machine: Machine,
    memory: str,
    weights: float,
    activations: list[int],
    room: float,
) -> None:
    """Refuse weights and largest activations that exceed the room of a memory [bit]."""
    most, layer = max(zip(activations, (each.name for each in network.layers), strict=True))
    if weights + most > room:
        raise MappingError(
            f"layer {layer!r} cannot be mapped onto {machine.name}: {memory} needs "
            f"{(weights + most) / 8:.0f} B for its activations and the weights of "
            f"{network.name}, has {room / 8:.0f} B"
        )


def _branches(network: Network, position: int) -> bool:
    """Tell whether the output of a layer is read by, or joined with, more than one."""
    successors = network.successors(position)
    if len(successors) != 1:
        return len(successors) > 1
    return len(network.layers[successors[0]].predecessors) > 1
