"""How far out each layer's operands live: activations and weights that stay on chip."""

from __future__ import annotations

import math

from carbonopt.hardware.machine import OPERANDS, Machine, Operand
from carbonopt.workload.layer import Layer
from carbonopt.workload.network import Network

Hierarchy = dict[Operand, tuple[int, ...]]
"""Operand to the memories (positions in `Machine.memories`) that hold it, innermost first."""


def residency(network: Network, machine: Machine) -> list[Hierarchy]:
    """Return each layer's memory hierarchy, without the levels that it does not need.

    Activations between two layers in sequence stay in the lowest memory that holds the whole
    input and output; around a branch they go to the outermost one. All weights stay in the
    lowest shared memory that holds them beside the activations of some layer.

    References
    ----------
    .. [1] CarbonSpot, stages/SearchUnusedMemoryStage.py, RemoveUnusedMemoryStage.py. Outputs
       count with the width of partial sums; the weights' level is the lowest found for any
       layer.
    """
    top = {o: machine.levels(o)[-1] for o in OPERANDS}
    input_level: dict[int, int] = {}
    output_level: dict[int, int] = {}
    weight_level = len(machine.memories) - 1
    for position, layer in enumerate(network.layers):
        first = not layer.predecessors
        input_level[position] = top["I"] if first else output_level[layer.predecessors[0]]
        output_level[position] = top["O"]
        if _branches(network, position):
            continue
        activations, weights = _lowest_levels(layer, network, machine)
        if activations is not None:
            output_level[position] = activations
            if first:
                input_level[position] = activations
        weight_level = min([weight_level, *weights])
    return [
        {
            "I": tuple(m for m in machine.levels("I") if m <= input_level[position]),
            "W": tuple(m for m in machine.levels("W") if m <= weight_level),
            "O": tuple(m for m in machine.levels("O") if m <= output_level[position]),
        }
        for position in range(len(network.layers))
    ]


def _branches(network: Network, position: int) -> bool:
    """Tell whether the output of a layer is read by, or joined with, more than one."""
    successors = network.successors(position)
    if len(successors) != 1:
        return len(successors) > 1
    return len(network.layers[successors[0]].predecessors) > 1


def _lowest_levels(
    layer: Layer, network: Network, machine: Machine
) -> tuple[int | None, list[int]]:
    """Return the lowest memory for a layer's activations, and those for all weights."""
    activations, weights = None, []
    activation_bits = layer.inputs * layer.input_bits + layer.outputs * layer.psum_bits
    weight_bits = sum(each.weights * each.weight_bits for each in network.layers)
    for m in range(len(machine.memories) - 1, -1, -1):
        memory = machine.memories[m]
        both = "I" in memory.ports and "O" in memory.ports
        shared_by = [size for d, size in machine.shape.items() if d not in memory.served]
        capacity = memory.size_bits * math.prod(shared_by)
        needed = activation_bits if both else 0
        fits_with_weights = needed + weight_bits <= capacity and "W" in memory.ports
        if both and needed <= capacity:
            activations = m
        if fits_with_weights and not shared_by:
            weights.append(m)
    return activations, weights
