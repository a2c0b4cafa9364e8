"""How often an inference writes the cells of in-memory macros, which wears them."""

from __future__ import annotations

import math

from carbonopt.errors import ModelRangeError
from carbonopt.hardware.imc import ImcMacro
from carbonopt.hardware.machine import DIRECTIONS, Machine
from carbonopt.performance.mapped import MappedLayer
from carbonopt.performance.network import NetworkCost

_WEIGHT, _CELLS, _WRITTEN = 1, 0, DIRECTIONS.index("from_above")


def cell_rewrites(cost: NetworkCost, machine: Machine) -> float:
    """Count writes of the most written cells in one inference.

    Weights that a multiplier takes in, of every layer that writes it, over the g cells of its
    group, which take turns. Some multipliers are in use in every layer.

    Parameters
    ----------
    cost, machine
        A network mapped onto a machine whose array is an in-memory macro.

    Returns
    -------
    float
        What `carbonopt.carbon.endurance.wear_out` takes as writes per task.

    Raises
    ------
    ModelRangeError
        The machine has no in-memory macro.

    Notes
    -----
    Layers load their weights anew in every inference, unless those of all layers stay. Were all
    multipliers to take turns too, cells would last longer where layers do not fill the array.
    """
    if not isinstance(machine.array, ImcMacro):
        raise ModelRangeError(f"{machine.name}: got no cells, allowed: an in-memory macro")
    taken_in = 0.0
    for layer in cost.layers:
        if not isinstance(layer, MappedLayer):
            continue
        words = float(layer.cost.accesses[0, _WEIGHT, _CELLS, _WRITTEN])
        units = layer.mappings.unrollings[layer.mappings.which[0]].units
        taken_in += words / float(units)
    return taken_in / float(machine.array.group_depth)


def cell_inferences(cost: NetworkCost, machine: Machine) -> float:
    """Return the inferences after which non-volatile cells are worn out; infinite without any.

    endurance / `cell_rewrites`.
    """
    macro = machine.array
    if not isinstance(macro, ImcMacro) or macro.cell is None:
        return math.inf
    writes = cell_rewrites(cost, machine)
    return macro.cell.endurance / writes if writes > 0 else math.inf
