"""ZigZag's accelerator and mapping files, as their users have them.

References
----------
.. [1] zigzag-dse 3.9.1, parser/accelerator_validator.py and parser/mapping_validator.py.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from carbonopt.spec.fields import Strict, Text

ArrayDim = Annotated[str, StringConstraints(pattern=r"^D\d$")]
MemoryOperand = Literal["I1", "I2", "O"]
Allocation = Annotated[str, StringConstraints(pattern=r"^(I[12]|O), (fh|tl|fl|th)$")]
Cost = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(gt=0)]
WRITES = ("fh", "fl")


class PortFile(Strict):
    """A port: its width per cycle [bit] and the transfers that it serves."""

    name: Text
    type: Literal["read", "write", "read_write"]
    bandwidth_min: Count
    bandwidth_max: Count
    allocation: list[Allocation]

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.bandwidth_min > self.bandwidth_max:
            got = f"got bandwidth_min {self.bandwidth_min}, bandwidth_max {self.bandwidth_max}"
            raise ValueError(f"{got}, allowed: bandwidth_min <= bandwidth_max")
        for text in self.allocation:
            direction = "write" if text.split(", ")[1] in WRITES else "read"
            if direction not in self.type:
                raise ValueError(f"got {text} on a {self.type} port, allowed: a {direction} port")
        return self


class MemoryFile(Strict):
    """A memory: size [bit], energy of a full-width access [pJ], area, ports."""

    size: Count
    r_cost: Cost
    w_cost: Cost
    area: Cost
    latency: int
    operands: list[MemoryOperand]
    ports: list[PortFile]
    served_dimensions: list[ArrayDim]
    force_double_buffering: bool = False
    mem_type: str = "sram"
    auto_cost_extraction: Literal[False] = False


class ArrayFile(Strict):
    """The array of multipliers, or of in-memory-computing macros."""

    dimensions: list[ArrayDim]
    sizes: list[Count]
    unit_energy: Cost | None = None
    unit_area: Cost | None = None
    systolic_dimensions: list[ArrayDim] = Field(default=[])
    is_imc: bool = False
    imc_type: Literal["analog", "digital"] | None = None
    input_precision: list[Count] | None = Field(default=None, min_length=2, max_length=2)
    bit_serial_precision: Count | None = None
    adc_resolution: Cost = 0.0

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if len(self.dimensions) != len(self.sizes):
            got = f"got {len(self.dimensions)} dimensions and {len(self.sizes)} sizes"
            raise ValueError(f"{got}, allowed: as many of each")
        if unknown := set(self.systolic_dimensions) - set(self.dimensions):
            raise ValueError(f"got systolic {sorted(unknown)}, allowed: {self.dimensions}")
        needed: tuple[str, ...] = ("unit_energy", "unit_area")
        if self.is_imc:
            needed = ("imc_type", "input_precision", "bit_serial_precision")
        if missing := [name for name in needed if getattr(self, name) is None]:
            raise ValueError(f"got no {', '.join(missing)}, allowed: all of {', '.join(needed)}")
        return self


class AcceleratorFile(Strict):
    """A whole accelerator, its memories from the multipliers outwards."""

    name: Text
    operational_array: ArrayFile
    memories: dict[str, MemoryFile]
    dataflows: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _known(self) -> Self:
        dims = self.operational_array.dimensions
        for name, memory in self.memories.items():
            if unknown := set(memory.served_dimensions) - set(dims):
                raise ValueError(f"{name}: got served {sorted(unknown)}, allowed: {dims}")
            allocated = {text.split(", ")[0] for port in memory.ports for text in port.allocation}
            if stray := allocated - set(memory.operands):
                raise ValueError(f"{name}: got ports for {sorted(stray)}, allowed: its operands")
        if self.operational_array.is_imc and "cells" not in self.memories:
            raise ValueError("got no memory called cells, allowed: one, an IMC array needs it")
        return self


def _unrolled(value: object) -> object:
    """Read ``K, 32`` as a loop dimension and its size."""
    if not isinstance(value, str):
        return value
    name, _, size = value.partition(",")
    if not (size.strip().isdecimal() and int(size) > 0):
        raise ValueError(f"got {value}, allowed: a loop and its size, such as K, 32")
    return (name.strip(), int(size))


def _ordered(value: object) -> object:
    """Read ``[K, 2]`` as a loop dimension and its size."""
    return tuple(value) if isinstance(value, list) else value


LoopName = Literal["B", "K", "G", "OX", "OY", "C", "FX", "FY", "D", "H"]
Unrolled = Annotated[tuple[LoopName, int], BeforeValidator(_unrolled)]
Ordered = Annotated[tuple[str, int | Literal["*"]], BeforeValidator(_ordered)]


class MappingEntry(Strict):
    """How the layers of one name or operator are mapped."""

    name: Text
    memory_operand_links: dict[Literal["O", "W", "I"], MemoryOperand]
    spatial_mapping: dict[ArrayDim, list[Unrolled]] = Field(default={})
    spatial_mapping_hint: dict[ArrayDim, list[LoopName]] = Field(default={})
    temporal_ordering: list[Ordered] = Field(default=[])


class MappingFile(Strict):
    """All entries of a mapping file, one of which is called ``default``."""

    entries: list[MappingEntry]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        names = [entry.name for entry in self.entries]
        if "default" not in names:
            raise ValueError(f"got {', '.join(names)}, allowed: an entry called default as well")
        return self
