"""A machine as data: an array of multipliers, its memories, its area and its clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from carbonopt.hardware.variant import ModelVariant

if TYPE_CHECKING:
    from carbonopt.hardware.digital import DigitalArray
    from carbonopt.hardware.imc import ImcMacro

Operand = Literal["I", "W", "O"]
OPERANDS: tuple[Operand, ...] = ("I", "W", "O")
ARRAY_DIMS = ("D1", "D2", "D3")
"""Array dimensions: D1 columns (output side), D2 rows (accumulation side), D3 macros."""


@dataclass(frozen=True)
class Memory:
    """One level of the memory hierarchy; all its instances are alike.

    Parameters
    ----------
    name, part
        Name, and the part of the breakdowns it counts for (``register``, ``sram``, ``dram``).
    size_bits
        Capacity of one instance [bit].
    bandwidth_bits, granularity_bits
        Widest and smallest access of a port [bit/cycle], [bit].
    read_pj, write_pj
        Energy of a full-width access [pJ].
    area_mm2
        Of one instance [mm2].
    served
        Array dimensions along which one instance feeds several multipliers.
    ports
        Operand to its four ports: written from above, read to below, written from below,
        read to above. Ports with the same name are the same port.
    """

    name: str
    part: str
    size_bits: float
    bandwidth_bits: float
    granularity_bits: float
    read_pj: float
    write_pj: float
    area_mm2: float
    served: frozenset[str]
    ports: Mapping[Operand, tuple[str, str, str, str]]


@dataclass(frozen=True)
class Machine:
    """An accelerator with a given array and memory hierarchy.

    Parameters
    ----------
    template, variant
        Name of the template it was built from, and the model switches.
    cols, rows, macros
        Array dimensions D1, D2, D3.
    array
        The compute array: what a multiply-accumulate costs.
    memories
        From the multipliers outwards; an operand's levels are those that have ports for it.
    unrolled
        Array dimension to the loop dimensions that may be unrolled along it, in order of
        preference.
    diagonal
        Output positions (OX, OY) may be unrolled along the columns, diagonally with FX, FY.
    area_parts, clock_parts
        Additive breakdown of area [mm2] and of the clock period [ns].
    """

    template: str
    variant: ModelVariant
    cols: int
    rows: int
    macros: int
    array: DigitalArray | ImcMacro
    memories: tuple[Memory, ...]
    unrolled: Mapping[str, tuple[str, ...]]
    diagonal: bool
    area_parts: Mapping[str, float] = field(default_factory=dict)
    clock_parts: Mapping[str, float] = field(default_factory=dict)

    @property
    def shape(self) -> dict[str, int]:
        """Size of each array dimension."""
        return {"D1": self.cols, "D2": self.rows, "D3": self.macros}

    @property
    def area_mm2(self) -> float:
        """Silicon area [mm2]."""
        return sum(self.area_parts.values())

    @property
    def clock_ns(self) -> float:
        """Clock period [ns]."""
        return sum(self.clock_parts.values())

    def levels(self, operand: Operand) -> tuple[int, ...]:
        """Positions in `memories` of the levels that hold `operand`, innermost first."""
        return tuple(i for i, memory in enumerate(self.memories) if operand in memory.ports)
