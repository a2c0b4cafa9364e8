"""A template's machine as a file of ours, to be changed by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from carbonopt.errors import SpecError
from carbonopt.hardware.digital import DigitalArray
from carbonopt.hardware.machine import Direction, Machine, Memory, Operand, Port
from carbonopt.hardware.template import TEMPLATES
from carbonopt.spec.machine import DOWN, UP, WRITES
from carbonopt.units import format_quantity, parse_quantity

_BIT_PER_BYTE, _MHZ_PER_GHZ = 8, 1e3


def template_file(machine: Machine) -> str:
    """Return the machine of a template as YAML that `load_machine` reads.

    What is read back has the same sizes, ports, costs and clock, so every mapping costs the
    same on it. Its memories are parts of the breakdowns on their own, and registers of digital
    arrays have no area, which that of a multiplier contains. Leakage is not written.

    Raises
    ------
    SpecError
        If it is an in-memory-computing macro or a row-stationary array, which a machine file
        cannot express.
    """
    if not isinstance(machine.array, DigitalArray):
        known = ", ".join(
            name for name, template in TEMPLATES.items() if template.kind == "digital"
        )
        allowed = f"{known}; a machine file has neither macros nor row-stationary arrays"
        raise SpecError(f"template: got {machine.name}, allowed: {allowed}")
    lines = [
        f"machine: {machine.name}",
        f"clock: {_MHZ_PER_GHZ / machine.clock_ns!r} MHz",
        "array:",
        *_array_lines(machine, machine.array),
        "memories:",
    ]
    for memory in machine.memories:
        lines += _memory_lines(memory, list(machine.shape))
    return "\n".join(lines) + "\n"


def _array_lines(machine: Machine, array: DigitalArray) -> Iterator[str]:
    """Visit the lines that describe the array."""
    mac_mm2 = machine.area_parts["pe"] / math.prod(machine.shape.values())
    yield f"  dimensions: {_inline({name: str(size) for name, size in machine.shape.items()})}"
    unrolled = {dim: f"[{', '.join(loops)}]" for dim, loops in machine.unrolled.items()}
    yield f"  unrolled: {_inline(unrolled)}"
    yield f"  mac_energy: {array.mac_pj!r} pJ"
    yield f"  mac_area: {mac_mm2!r} mm2"
    if array.adder_tree:
        yield f"  adder_tree: {array.tree_bits} bit"
    if machine.diagonal:
        yield "  diagonal: true"


def _memory_lines(memory: Memory, dimensions: list[str]) -> Iterator[str]:
    """Visit the lines that describe a memory."""
    yield f"  {memory.name}:"
    yield f"    size: {_size(memory.size_bits / _BIT_PER_BYTE)}"
    yield f"    read_energy: {memory.read_pj!r} pJ"
    yield f"    write_energy: {memory.write_pj!r} pJ"
    if memory.part != "register" and memory.area_mm2:
        yield f"    area: {memory.area_mm2!r} mm2"
    if memory.served:
        yield f"    serves: [{', '.join(dim for dim in dimensions if dim in memory.served)}]"
    yield "    ports:"
    moved: dict[Port, dict[Operand, list[Direction]]] = {}
    for operand, served in memory.ports.items():
        for direction, port in served.items():
            moved.setdefault(port, {}).setdefault(operand, []).append(direction)
    for port, moves in moved.items():
        yield f"      {port.name}: {_port(port, moves)}"


def _size(size_byte: float) -> str:
    """Return a capacity in the largest unit that says it exactly."""
    short = format_quantity(size_byte, "byte")
    return short if parse_quantity(short, "byte") == size_byte else f"{size_byte!r} byte"


def _port(port: Port, moves: Mapping[Operand, list[Direction]]) -> str:
    """Return a port with what it moves."""
    writes = {direction in WRITES for directions in moves.values() for direction in directions}
    kind = "read_write" if len(writes) > 1 else "write" if True in writes else "read"
    words = {"kind": kind, "width": f"{port.wide_bits:g} bit"}
    if port.narrow_bits != port.wide_bits:
        words["least"] = f"{port.narrow_bits:g} bit"
    told = {operand: _directions(operand, each) for operand, each in moves.items()}
    return _inline({**words, "moves": _inline(told)})


def _directions(operand: Operand, directions: list[Direction]) -> str:
    """Return the directions in which a port moves an operand."""
    every = {*DOWN, *UP} if operand == "O" else {*DOWN}
    return "all" if set(directions) == every else f"[{', '.join(directions)}]"


def _inline(entries: Mapping[str, str] | Mapping[Operand, str]) -> str:
    """Return keys with values on one line."""
    return f"{{{', '.join(f'{key}: {value}' for key, value in entries.items())}}}"
