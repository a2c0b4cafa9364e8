"""A machine as data: an array of multipliers, its memories, their ports, its area and clock."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from carbonopt.hardware.imc import FULL_ACTIVITY, Activity, ImcMacro
from carbonopt.hardware.technology import Technology, load_technology
from carbonopt.hardware.variant import ModelVariant

if TYPE_CHECKING:
    from carbonopt.hardware.digital import DigitalArray
    from carbonopt.hardware.eyeriss import RowStationaryArray

Operand = Literal["I", "W", "O"]
OPERANDS: tuple[Operand, ...] = ("I", "W", "O")
Direction = Literal["from_above", "to_below", "from_below", "to_above"]
DIRECTIONS: tuple[Direction, ...] = ("from_above", "to_below", "from_below", "to_above")
"""Ways in and out of a level: written by the level above, read to the level below, written by
the level below, read to the level above; only outputs move upwards."""


@dataclass(frozen=True)
class Port:
    """One physical port of a memory instance; it serves one transfer at a time.

    Parameters
    ----------
    name
        Unique in its memory.
    narrow_bits, wide_bits
        Smallest and widest access per cycle [bit].
    """

    name: str
    narrow_bits: float
    wide_bits: float


Ports = Mapping[Operand, Mapping[Direction, Port]]
"""Operand and direction to the port that serves it, in the order in which a port serves them."""


@dataclass(frozen=True)
class Memory:
    """One level of the memory hierarchy; all its instances are alike.

    Parameters
    ----------
    name, part
        Name, and the part of the breakdowns it counts for (``register``, ``sram``, ``dram``).
    size_bits
        Capacity of one instance [bit].
    read_pj, write_pj
        Energy of a full-width access [pJ].
    area_mm2
        Of one instance [mm2].
    served
        Array dimensions along which one instance feeds several multipliers.
    ports
        Port of each operand that it holds, by direction.
    double_buffered
        A tile that is replaced takes twice its size, so that the next one can arrive.
    leakage_w
        Of one instance, where it keeps what it holds while the machine waits [W].
    """

    name: str
    part: str
    size_bits: float
    read_pj: float
    write_pj: float
    area_mm2: float
    served: frozenset[str]
    ports: Ports
    double_buffered: bool = False
    leakage_w: float = 0.0

    @property
    def bandwidth_bits(self) -> float:
        """Width of the widest port [bit/cycle]."""
        return max(port.wide_bits for served in self.ports.values() for port in served.values())


@dataclass(frozen=True)
class Machine:
    """An accelerator with a given array and memory hierarchy.

    Parameters
    ----------
    name, variant
        Name of the template or file it was built from, and the model switches.
    shape
        Array dimension to its size; the first two are columns (outputs side by side) and rows
        (summed products) where the array is an in-memory-computing macro or has adder trees.
    array
        The compute array: what a multiply-accumulate costs.
    memories
        From the multipliers outwards; an operand's levels are those that have ports for it.
    unrolled
        Array dimension to the loop dimensions that may be unrolled along it, in order of
        preference.
    diagonal
        Output positions (OX, OY) may be unrolled along the columns, diagonally with FX, FY
        along the rows; the innermost input memory is then widened by their number.
    area_parts, clock_parts
        Additive breakdown of area [mm2] and of the clock period [ns].
    leakage_parts
        Leakage of the parts that stay on while the machine waits [W].
    systolic
        Array dimensions along which results leave one unit per cycle after the last one.
    most
        Array dimension to the loop dimensions that may fill only so many of its units.
    carbonspot_rules
        CarbonSpot's rules give unrollings for it: a machine of one of its templates.
    technology, activity
        Gates of an in-memory-computing macro, and the share of cycles in which they switch.
    own_node_nm
        Node that the die is made at where the design says it; else a scenario does [nm].
    row_cycles
        Cycles in which a macro writes one row of weights.
    overlapped_writing
        A macro computes with some weights while others are written.
    waits_for_activations
        A macro waits for inputs and outputs at the ports, which are never too slow otherwise.
    """

    name: str
    variant: ModelVariant
    shape: Mapping[str, int]
    array: DigitalArray | ImcMacro | RowStationaryArray
    memories: tuple[Memory, ...]
    unrolled: Mapping[str, tuple[str, ...]]
    diagonal: bool
    area_parts: Mapping[str, float] = field(default_factory=dict)
    clock_parts: Mapping[str, float] = field(default_factory=dict)
    leakage_parts: Mapping[str, float] = field(default_factory=dict)
    systolic: tuple[str, ...] = ()
    most: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    carbonspot_rules: bool = False
    technology: Technology = field(default_factory=load_technology)
    activity: Activity = FULL_ACTIVITY
    own_node_nm: float | None = None
    row_cycles: float = 1.0
    overlapped_writing: bool = False
    waits_for_activations: bool = False

    @property
    def area_mm2(self) -> float:
        """Silicon area [mm2]."""
        return sum(self.area_parts.values())

    @property
    def area_by_group(self) -> dict[str, float]:
        """Silicon area as array, registers and SRAM [mm2]."""
        groups = {"array": 0.0, "register": 0.0, "sram": 0.0}
        for part, area in self.area_parts.items():
            groups[part if part in groups else "array"] += area
        return groups

    @property
    def clock_ns(self) -> float:
        """Clock period [ns]."""
        return sum(self.clock_parts.values())

    @property
    def idle_w(self) -> float:
        """Power that the machine draws while it waits [W]."""
        return sum(self.leakage_parts.values())

    def instances(self, memory: Memory) -> int:
        """Count the instances of a memory: one for each part of the array that it serves."""
        return math.prod(size for dim, size in self.shape.items() if dim not in memory.served)

    def levels(self, operand: Operand) -> tuple[int, ...]:
        """Positions in `memories` of the levels that hold `operand`, innermost first."""
        return tuple(i for i, memory in enumerate(self.memories) if operand in memory.ports)
