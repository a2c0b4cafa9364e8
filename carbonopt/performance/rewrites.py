"""How often an inference writes the cells of in-memory macros, which wears them."""

from __future__ import annotations

import math

from carbonopt.errors import ModelRangeError
from carbonopt.hardware.imc import ImcMacro
from carbonopt.hardware.machine import DIRECTIONS, Machine
from carbonopt.performance.network import NetworkCost

_WEIGHT, _CELLS, _WRITTEN = 1, 0, DIRECTIONS.index("from_above")


def cell_rewrites(cost: NetworkCost, machine: Machine) -> float:
    """Count writes of a cell in one inference, if all cells share them alike.

    Weights that are written, over the weights that the cells hold: D1 D2 D3 g.

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
    Every layer loads its weights anew in every inference, also where all of them would fit.
    """
    if not isinstance(machine.array, ImcMacro):
        raise ModelRangeError(f"{machine.name}: got no cells, allowed: an in-memory macro")
    words = sum(float(each.cost.accesses[0, _WEIGHT, _CELLS, _WRITTEN]) for each in cost.layers)
    held = math.prod(machine.shape.values()) * float(machine.array.group_depth)
    return words / held
