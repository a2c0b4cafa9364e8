"""A bill of materials as ACT publishes them: silicon, passives and materials, by name."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from carbonopt.spec.fields import Bytes, Fraction, Grams, Positive, Strict, Text, quantity

Area = Annotated[float, BeforeValidator(quantity("mm2"))]
Energy = Annotated[float, BeforeValidator(quantity("J"))]


class SiliconSpec(Strict):
    """A chip, or memory and disks by capacity."""

    model: Literal["logic", "dram", "flash", "hdd"] = "logic"
    """Kind of part."""
    process: Text
    """Node of logic (28nm), or memory or disk by name."""
    area: Area | None = None
    """Of logic."""
    capacity: Bytes | None = None
    """Of memory and disks."""
    n_ics: int = Field(default=0, ge=0)
    """Packages."""
    fab_yield: Fraction | None = None
    """Share of good dies, or of good memory; that of ACT unless given."""
    gpa: Positive | None = None
    """Abatement of the process gases [%]; that of ACT, 97, unless given."""
    fab_ci: Text | None = None
    """Grid of the fab, Taiwan unless given; ACT's names mean its own table of 2022."""

    @model_validator(mode="after")
    def _sized(self) -> Self:
        wanted = "area" if self.model == "logic" else "capacity"
        if (self.area is None) == (wanted == "area"):
            raise ValueError(f"got model {self.model}, allowed: with {wanted} alone")
        if (self.capacity is None) == (wanted == "capacity"):
            raise ValueError(f"got model {self.model}, allowed: with {wanted} alone")
        return self


class PassiveSpec(Strict):
    """Capacitors of one kind."""

    category: Literal["capacitor"]
    """Kind of part."""
    type: Text = "generic"
    """Kind of capacitor: generic, mlcc, tec."""
    quantity: int = Field(default=1, ge=0)
    """How many."""
    weight: Grams | None = None
    """Of one."""
    fab_ci: Text | None = None
    """Grid of the fab; Japan, as ACT has it, unless given."""


class MaterialSpec(Strict):
    """An enclosure by weight, a printed board by area and layers, or a battery by capacity."""

    category: Literal["enclosure", "pcb", "battery"]
    """Kind of part."""
    type: Text | None = None
    """Of an enclosure: aluminium, steel; of a battery: nmc (unless given), lfp."""
    weight: Grams | None = None
    """Of an enclosure."""
    area: Area | None = None
    """Of a printed board."""
    layers: int | None = Field(default=None, gt=0)
    """Of a printed board."""
    capacity: Energy | None = None
    """Of a battery."""

    @model_validator(mode="after")
    def _sized(self) -> Self:
        needs = {
            "enclosure": (self.type, self.weight),
            "pcb": (self.area, self.layers),
            "battery": (self.capacity,),
        }
        said = {"enclosure": "type and weight", "pcb": "area and layers", "battery": "capacity"}
        if None in needs[self.category]:
            raise ValueError(f"got {self.category}, allowed: with {said[self.category]}")
        return self


class BomSpec(Strict):
    """Everything that a bill of materials says."""

    name: Text
    """What the bill is of."""
    description: Text = "-"
    """In a sentence."""
    imports: dict[str, str] = Field(default_factory=dict)
    """Further bills, from the folder of this one; their parts get the name before them."""
    silicon: dict[str, SiliconSpec] = Field(default_factory=dict)
    """Chips, memory and disks, by name."""
    passives: dict[str, PassiveSpec] = Field(default_factory=dict)
    """Capacitors, by name."""
    materials: dict[str, MaterialSpec] = Field(default_factory=dict)
    """Enclosures, boards and batteries, by name."""
