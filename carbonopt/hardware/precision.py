"""A machine as a layer of other precisions than its own sees it, and what it cannot take."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping

from carbonopt.errors import ModelRangeError
from carbonopt.hardware.digital import DigitalArray
from carbonopt.hardware.imc import ImcMacro
from carbonopt.hardware.machine import Machine, Memory, Operand
from carbonopt.workload.layer import Layer

Words = Mapping[Operand, float]
"""Bits of one word of each operand."""


def check_precision(machine: Machine, layers: Iterable[Layer]) -> None:
    """Refuse layers whose operands are wider than the multipliers of a machine.

    Raises
    ------
    ModelRangeError
        Naming the machine and, for each width at fault, the first layer that has it.
    """
    array = machine.array
    if not isinstance(array, DigitalArray | ImcMacro):
        return
    most = {"weight_bits": int(array.weight_bits), "input_bits": int(array.input_bits)}
    wide: dict[tuple[str, int], list[str]] = {}
    for layer in layers:
        for name, bits in most.items():
            if (got := getattr(layer, name)) > bits:
                wide.setdefault((name, got), []).append(layer.name)
    faults = [
        f"{machine.name}: {name}: got {got} in layer {first!r}"
        f"{f' and {len(others)} more' if others else ''}, "
        f"allowed: whole numbers from 1 to {most[name]} (bits of its multipliers)"
        for (name, got), (first, *others) in wide.items()
    ]
    if faults:
        raise ModelRangeError("\n".join(faults))


def fitted(machine: Machine, layer: Layer) -> Machine:
    """Return a machine as it works on a layer of given precisions and pruned weights.

    For q_w and q_a bits on multipliers of Q_w and Q_a, of which z are pruned:

    * a digital multiply-accumulate takes (q_w / Q_w) (q_a / Q_a) of its energy, an adder tree
      sums products of q_w + q_a bits; cycles stay;
    * a macro of D1 columns of Q_w bits has floor(D1 Q_w / q_w) columns of q_w bits, takes
      ceil(q_a / bits per cycle) cycles, converts and adds q_w bit columns per output;
    * registers of one word hold a narrower one, at an energy in proportion to its bits; they
      and the cells of macros hold a pruned weight as a zero.

    Returns
    -------
    Machine
        The same object where the layer has the precisions of the machine and no pruned weights.
        Area, clock and leakage are always those of the machine as it was built.

    Notes
    -----
    Valid from 1 bit to the bits of the multipliers, see `check_precision`. Left out: what it
    takes to split multipliers, trees and accumulators of 8 bit into narrower ones.

    References
    ----------
    .. [1] Energy-Estimator-for-Eyeriss-like-Architecture-: computing in proportion to both
       widths, accesses of a data type in proportion to its own.
    """
    array = machine.array
    if not isinstance(array, DigitalArray | ImcMacro):
        return machine
    own: Words = {
        "I": float(array.input_bits),
        "W": float(array.weight_bits),
        "O": float(array.weight_bits + array.input_bits),
    }
    bits: Words = {
        "I": float(layer.input_bits), "W": float(layer.weight_bits), "O": float(layer.psum_bits)
    }  # fmt: skip
    if bits == own and not layer.pruned_share:
        return machine
    stored = {**bits, "W": layer.stored_weight_bits}
    cells = machine.levels("W")[0] if isinstance(array, ImcMacro) else -1
    memories = tuple(
        _narrowed(memory, own, bits, stored, is_cells=place == cells)
        for place, memory in enumerate(machine.memories)
    )
    if isinstance(array, DigitalArray):
        return dataclasses.replace(machine, array=_narrow_array(array, layer), memories=memories)
    columns, built = next(iter(machine.shape.items()))
    shape = {**machine.shape, columns: built * int(array.weight_bits) // layer.weight_bits}
    macro = dataclasses.replace(
        array, cols=shape[columns], weight_bits=layer.weight_bits, input_bits=layer.input_bits
    )
    return dataclasses.replace(machine, array=macro, memories=memories, shape=shape)


def _narrow_array(array: DigitalArray, layer: Layer) -> DigitalArray:
    """Return a digital array that multiplies operands of a layer's bits."""
    weight, input_bits = layer.weight_bits, layer.input_bits
    whole = array.weight_bits + array.input_bits
    share = (weight / array.weight_bits) * (input_bits / array.input_bits)
    tree_bits = math.ceil(array.tree_bits * (weight + input_bits) / whole)
    return dataclasses.replace(array, mac_pj=array.mac_pj * share, tree_bits=tree_bits)


def _narrowed(memory: Memory, own: Words, bits: Words, stored: Words, *, is_cells: bool) -> Memory:
    """Return a memory of single words with words of other bits; any other memory as it is."""
    operand, *others = memory.ports
    if others or not (is_cells or memory.size_bits < 2 * own[operand]):
        return memory
    room, energy = stored[operand] / own[operand], bits[operand] / own[operand]
    ports = {
        direction: dataclasses.replace(
            port, narrow_bits=port.narrow_bits * room, wide_bits=port.wide_bits * room
        )
        for direction, port in memory.ports[operand].items()
    }
    return dataclasses.replace(
        memory, size_bits=memory.size_bits * room, read_pj=memory.read_pj * energy,
        write_pj=memory.write_pj * energy, ports={operand: ports},
    )  # fmt: skip
