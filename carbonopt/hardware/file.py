"""Machines from files: our own, with units, and ZigZag's."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

from carbonopt.errors import SpecError
from carbonopt.hardware.digital import DigitalArray, trees_area
from carbonopt.hardware.levels import check_levels
from carbonopt.hardware.machine import Direction, Machine, Memory, Operand, Port
from carbonopt.hardware.technology import load_technology
from carbonopt.hardware.variant import ModelVariant, load_variant
from carbonopt.hardware.zigzag import load_zigzag_machine
from carbonopt.spec.load import load_model, read_document
from carbonopt.spec.machine import ArraySpec, MachineSpec, MemorySpec
from carbonopt.workload.layer import DIMS

_PJ_PER_J, _NS_PER_S, _BIT_PER_BYTE = 1e12, 1e9, 8


def load_machine(
    path: Path,
    *,
    model: str | None = None,
    mapping_path: Path | None = None,
    layer: tuple[str, ...] = (),
) -> Machine:
    """Build the machine that a file describes.

    Parameters
    ----------
    path
        A machine file of ours (``machine: NAME``), or an accelerator file of ZigZag.
    model
        Name of the model switches; ``default`` for our files, ``zigzag`` for ZigZag's.
    mapping_path
        ZigZag's mapping file, for its accelerator files alone.
    layer
        Names of the layer's entry in it, see `load_zigzag_machine`.

    Raises
    ------
    SpecError
        With every fault of the file.
    """
    document = read_document(path, last_wins=True)
    keys = document.data if isinstance(document.data, dict) else {}
    if "operational_array" in keys:
        variant = load_variant(model or "zigzag")
        return load_zigzag_machine(path, variant, mapping_path=mapping_path, layer=layer)
    if "machine" not in keys:
        allowed = "machine: NAME and its parts, or an accelerator file of ZigZag"
        raise SpecError(document.fault((), f"got no machine, allowed: {allowed}"))
    if mapping_path is not None:
        allowed = "a mapping file beside an accelerator file of ZigZag"
        raise SpecError(f"{mapping_path}: got a mapping file, allowed: {allowed}")
    return _own_machine(path, load_variant(model or "default"))


def _own_machine(path: Path, variant: ModelVariant) -> Machine:
    """Build the machine of a file of ours."""
    spec, document = load_model(path, MachineSpec)
    array = spec.array
    memories = tuple(_memory(name, memory, spec.clock) for name, memory in spec.memories.items())
    check_levels(document, memories)
    compute, area = _array(array)
    machine = Machine(
        name=spec.machine,
        variant=variant,
        shape=dict(array.dimensions),
        array=compute,
        memories=memories,
        unrolled={dim: tuple(array.unrolled.get(dim, DIMS)) for dim in array.dimensions},
        diagonal=array.diagonal,
        clock_parts={"cycle": _NS_PER_S / spec.clock},
        systolic=tuple(array.systolic),
    )
    area |= {memory.name: memory.area_mm2 * machine.instances(memory) for memory in memories}
    return dataclasses.replace(machine, area_parts=area)


def _array(array: ArraySpec) -> tuple[DigitalArray, dict[str, float]]:
    """Return what computing costs, and the area of multipliers and trees by part [mm2]."""
    area = {"pe": array.mac_area * math.prod(array.dimensions.values())}
    mac_pj = array.mac_energy * _PJ_PER_J
    if array.adder_tree is None:
        return DigitalArray(mac_pj, False, 0), area
    bits = round(array.adder_tree * _BIT_PER_BYTE)
    cols, rows, *others = array.dimensions.values()
    area["adders"] = trees_area(load_technology(), bits, rows, cols * math.prod(others))
    return DigitalArray(mac_pj, True, bits), area


def _memory(name: str, memory: MemorySpec, clock_hz: float) -> Memory:
    """Return one memory."""
    ports: dict[Operand, dict[Direction, Port]] = {}
    for port_name, spec in memory.ports.items():
        wide = spec.width.per_cycle(clock_hz)
        narrow = wide if spec.least is None else spec.least.per_cycle(clock_hz)
        port = Port(port_name, min(narrow, wide), wide)
        for operand, directions in spec.moves.items():
            for direction in directions:
                ports.setdefault(operand, {})[direction] = port
    width = max(spec.width.per_cycle(clock_hz) for spec in memory.ports.values())
    read_pj, write_pj = (
        energy.of(width) * _PJ_PER_J for energy in (memory.read_energy, memory.write_energy)
    )
    return Memory(
        name, name, memory.size * _BIT_PER_BYTE, read_pj, write_pj, memory.area,
        frozenset(memory.serves), ports, memory.double_buffered,
    )  # fmt: skip
