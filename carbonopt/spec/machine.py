"""``machine.yaml``: an accelerator as data, every quantity with its unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from carbonopt.spec.fields import Bytes, Strict, Text, quantity

Operand = Literal["I", "W", "O"]
Direction = Literal["from_above", "to_below", "from_below", "to_above"]
Loop = Literal["B", "K", "G", "OX", "OY", "C", "FX", "FY"]
DOWN: tuple[Direction, ...] = ("from_above", "to_below")
UP: tuple[Direction, ...] = ("from_below", "to_above")
WRITES = ("from_above", "from_below")
_BIT_PER_BYTE = 8
_PER_BIT = "/bit"
_ENERGY = quantity("J", or_zero=True)


@dataclass(frozen=True)
class Width:
    """How much a port moves: per cycle, or per second whatever the clock of the array.

    Parameters
    ----------
    bits
        Per cycle [bit].
    byte_per_s
        Per second [byte/s].
    """

    bits: float | None = None
    byte_per_s: float | None = None

    def per_cycle(self, clock_hz: float) -> float:
        """Width at a clock [bit/cycle].

        Examples
        --------
        >>> Width(byte_per_s=16e9).per_cycle(1e9)
        128.0
        """
        if self.bits is not None:
            return self.bits
        return (self.byte_per_s or 0.0) * _BIT_PER_BYTE / clock_hz


def _width(value: object) -> object:
    """Read ``64 bit`` (per cycle) or ``25.6 GB/s``."""
    if isinstance(value, Width):
        return value
    if isinstance(value, str) and value.rstrip().endswith("/s"):
        return Width(byte_per_s=quantity("byte/s")(value))
    return Width(bits=quantity("byte")(value) * _BIT_PER_BYTE)


@dataclass(frozen=True)
class AccessEnergy:
    """What an access takes: per full-width access, or per bit whatever the width.

    Parameters
    ----------
    joules
        Per access [J].
    j_per_bit
        Per bit [J/bit].
    """

    joules: float | None = None
    j_per_bit: float | None = None

    def of(self, width_bits: float) -> float:
        """Energy of an access of a width [J].

        Examples
        --------
        >>> AccessEnergy(joules=2.0).of(64), AccessEnergy(j_per_bit=2.0).of(64)
        (2.0, 128.0)
        """
        return (self.j_per_bit or 0.0) * width_bits if self.joules is None else self.joules


def _access_energy(value: object) -> object:
    """Read ``10 pJ`` (of an access) or ``4 pJ/bit``."""
    if isinstance(value, AccessEnergy):
        return value
    if isinstance(value, str) and value.rstrip().endswith(_PER_BIT):
        number = value.rstrip().removesuffix(_PER_BIT)
        return AccessEnergy(j_per_bit=_ENERGY(number))
    return AccessEnergy(joules=_ENERGY(value))


Joules = Annotated[float, BeforeValidator(_ENERGY)]
EnergyOfAccess = Annotated[AccessEnergy, BeforeValidator(_access_energy)]
Area = Annotated[float, BeforeValidator(quantity("mm2", or_zero=True))]
Hertz = Annotated[float, BeforeValidator(quantity("Hz"))]
PortWidth = Annotated[Width, BeforeValidator(_width)]
Count = Annotated[int, Field(gt=0)]


class PortSpec(Strict):
    """A port, which serves one transfer at a time."""

    kind: Literal["read", "write", "read_write"] = "read_write"
    """What it can do."""
    width: PortWidth
    """Widest access: per cycle (``64 bit``) or per second (``25.6 GB/s``)."""
    least: PortWidth | None = None
    """Smallest access that costs energy, as wide as the port unless it is given."""
    moves: dict[Operand, list[Direction]]
    """What it moves, by operand; ``all`` stands for every direction of the operand."""

    @field_validator("moves", mode="before")
    @classmethod
    def _all(cls, value: Any) -> Any:  # noqa: ANN401  whatever the file says
        if not isinstance(value, dict):
            return value
        every = {operand: [*DOWN, *UP] if operand == "O" else [*DOWN] for operand in value}
        return {o: every[o] if listed == "all" else listed for o, listed in value.items()}

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for operand, directions in self.moves.items():
            for direction in directions:
                if operand != "O" and direction in UP:
                    raise ValueError(f"got {operand} {direction}, allowed: {', '.join(DOWN)}")
                needed = "write" if direction in WRITES else "read"
                if needed not in self.kind:
                    got = f"got {operand} {direction} on a {self.kind} port"
                    raise ValueError(f"{got}, allowed: a {needed} port")
        return self


class MemorySpec(Strict):
    """One level of the hierarchy; every instance is alike."""

    size: Bytes
    """Capacity of one instance."""
    read_energy: EnergyOfAccess
    """Energy of a read: full-width (``10 pJ``), or of each bit (``4 pJ/bit``)."""
    write_energy: EnergyOfAccess
    """Energy of a write, likewise."""
    area: Area = 0.0
    """Area of one instance."""
    serves: list[str] = Field(default=[])
    """Array dimensions along which one instance feeds several multipliers."""
    double_buffered: bool = False
    """Tiles that are replaced take twice their size."""
    ports: dict[str, PortSpec] = Field(min_length=1)
    """Its ports by name."""

    @model_validator(mode="after")
    def _energy_has_a_width(self) -> Self:
        """Refuse energies whose width is not known: it depends on clock or port."""
        widths = {port.width for port in self.ports.values()}
        per_second = any(width.bits is None for width in widths)
        for name, energy in (("read", self.read_energy), ("write", self.write_energy)):
            if energy.joules and per_second:
                got = f"{name}_energy: got energy of an access whose width depends on the clock"
                raise ValueError(f"{got}, allowed: energy per bit, such as 4 pJ/bit")
            if energy.j_per_bit and len(widths) > 1:
                got = f"{name}_energy: got energy per bit at ports of several widths"
                raise ValueError(f"{got}, allowed: energy of an access, or ports of one width")
        return self


class ArraySpec(Strict):
    """The array of multipliers."""

    dimensions: dict[str, Count]
    """Name and size of each dimension."""
    unrolled: dict[str, list[Loop]] = Field(default={})
    """Loops that may run in parallel along a dimension; every loop unless it is given."""
    systolic: list[str] = Field(default=[])
    """Dimensions that results leave one unit per cycle."""
    mac_energy: Joules
    """Energy of a multiply-accumulate."""
    mac_area: Area = 0.0
    """Area of a multiplier with its adder."""
    adder_tree: Bytes | None = None
    """Width of products that a 28 nm adder tree sums along the second dimension, if one does."""
    diagonal: bool = False
    """Output positions share the first dimension, diagonally with kernels along the second."""

    @model_validator(mode="after")
    def _rows_for_a_tree(self) -> Self:
        """Refuse a tree, or diagonals, over what is no second dimension or no tree of adders."""
        sizes = list(self.dimensions.values())
        asked = [name for name in ("adder_tree", "diagonal") if getattr(self, name)]
        if asked and len(sizes) < 2:
            raise ValueError(f"{asked[0]}: got one dimension, allowed: two or more")
        if self.adder_tree and (sizes[1] < 2 or sizes[1] & (sizes[1] - 1)):
            got = f"adder_tree: got {sizes[1]} along the second dimension"
            raise ValueError(f"{got}, allowed: powers of two from 2")
        return self


class MachineSpec(Strict):
    """A whole accelerator, its memories from the multipliers outwards."""

    machine: Text
    """Name."""
    clock: Hertz
    """Clock of the array."""
    array: ArraySpec
    """Its multipliers."""
    memories: dict[str, MemorySpec]
    """Its memories by name, from the multipliers outwards."""

    @model_validator(mode="after")
    def _known(self) -> Self:
        known = list(self.array.dimensions)
        used = {
            "array.unrolled": list(self.array.unrolled),
            "array.systolic": self.array.systolic,
            **{f"memories.{name}.serves": each.serves for name, each in self.memories.items()},
        }
        for where, names in used.items():
            if unknown := [name for name in names if name not in known]:
                got = f"{where}: got {', '.join(unknown)}"
                raise ValueError(f"{got}, allowed: dimensions of the array ({', '.join(known)})")
        for name, memory in self.memories.items():
            seen = [
                (o, d) for port in memory.ports.values() for o in port.moves for d in port.moves[o]
            ]
            if twice := {move for move in seen if seen.count(move) > 1}:
                got = ", ".join(" ".join(move) for move in sorted(twice))
                raise ValueError(f"memories.{name}.ports: got {got} twice, allowed: one port each")
        return self
