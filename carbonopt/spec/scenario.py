"""The keys of a scenario: those of ``scenario`` in a problem file, and options of commands."""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from carbonopt.spec.fields import Fraction, Positive, Strict, Text, Vocabulary, one_of, quantity

_WORDS = (
    "preset",
    "hardware",
    "late_rule",
    "yield_model",
    "accounting",
    "reticle",
    "carrier",
    "stacking",
    "memory",
)

# a type says after its unit how an example of it is written
Life = Annotated[float, BeforeValidator(quantity("s")), "5y"]
Intensity = Annotated[float, BeforeValidator(quantity("g/kWh", or_zero=True)), "25g/kWh"]
Mass = Annotated[float, BeforeValidator(quantity("g", or_zero=True)), "10g"]
AreaEnergy = Annotated[float, BeforeValidator(quantity("kWh/mm2", or_zero=True)), "0.135kWh/cm2"]
Density = Annotated[float, BeforeValidator(quantity("1/mm2", or_zero=True)), "'0.1 1/cm2'"]
Node = Annotated[float, BeforeValidator(quantity("nm")), "22nm"]
Share = Annotated[Fraction, "0.9"]
ShareOrNone = Annotated[float, BeforeValidator(quantity("", or_zero=True)), Field(lt=1.0), "0.05"]
Factor = Annotated[float, BeforeValidator(quantity("", or_zero=True)), "0.0003"]
Number = Annotated[Positive, "1.2"]
Percent = Annotated[Positive, "97"]
Volume = Annotated[Positive, "100000"]
Count = Annotated[int, Field(ge=1), "4"]
Word = Annotated[Text, "WORD"]
Region = Annotated[Text, "France"]


class ScenarioSpec(Strict):
    """Where, how and how long a device is made and used: a preset, and what differs from it."""

    preset: Word = "default"
    """carbon preset to start from; it brings hardware models along"""
    hardware: Word | None = None
    """models of area, clock, energy and latency, in place of those that go with the preset"""
    lifetime: Life | None = None
    """time in use"""
    utilisation: Share | None = None
    """share of the lifetime in which tasks run back to back (CA)"""
    initiation_interval: Share | None = None
    """time from one task's start to the next one's as a share of the latency: 1 unless pipelined"""
    late_rule: Word | None = None
    """what becomes of a design that takes longer than its period (PA)"""
    region: Region | None = None
    """grid in use: country or ISO code, with or without a year, US state, energy source"""
    use_intensity: Intensity | None = None
    """grid in use as a number"""
    profile: Word | None = None
    """intensity by hour: a shipped grid (US/CISO), or a CSV file"""
    season: Word | None = None
    """season of the profile: DJF, MAM, JJA, SON"""
    when: Word | None = None
    """hours in which the device runs: flat, 22:00-06:00, best 4 h"""
    decarbonisation: ShareOrNone | None = None
    """fall of the intensity in use per year"""
    pue: Number | None = None
    """energy drawn from the grid per energy of the device"""
    leakage_factor: Factor | None = None
    """factor on the idle power of the machine, 0 for none"""
    fab_region: Region | None = None
    """grid of the fab"""
    fab_intensity: Intensity | None = None
    """grid of the fab as a number"""
    node: Node | None = None
    """process node of the die's carbon"""
    abatement: Percent | None = None
    """share of the process gases that is destroyed [%]"""
    fab_yield: Share | None = None
    """fixed share of good dies, in place of a yield model"""
    yield_model: Word | None = None
    """how the yield follows from the area of a die"""
    defect_density: Density | None = None
    """defects that kill a die"""
    line_yield: Share | None = None
    """share of the wafers that leave the line"""
    accounting: Word | None = None
    """whether a die is charged its area or its share of a wafer"""
    reticle: Word | None = None
    """whether the largest die that a scanner exposes is a limit"""
    dies: Count | None = None
    """equal dies into which the chip is cut"""
    carrier: Word | None = None
    """what the dies sit on"""
    stacking: Word | None = None
    """how several dies are joined"""
    bonding_yield: Share | None = None
    """share of the bonds without a fault"""
    package: Mass | None = None
    """carbon of one package"""
    package_energy: AreaEnergy | None = None
    """electricity to make the package per its own area, in place of carbon per package"""
    package_area: Number | None = None
    """area of the package over that of all dies in it, for a package by area"""
    memory: Word | None = None
    """DRAM beside the chip, by name"""
    memory_yield: Share | None = None
    """share of good memory, where the figure of the memory is before yield"""
    board: Mass | None = None
    """printed board with its parts"""
    design: Mass | None = None
    """design effort of all devices together, shared by their volume"""
    volume: Volume | None = None
    """devices that share the design effort"""
    end_of_life: Mass | None = None
    """transport and end of life of a device"""

    @field_validator(*_WORDS)
    @classmethod
    def _known(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None or not isinstance(info.context, Vocabulary):
            return value
        allowed = info.context.presets if info.field_name == "preset" else ()
        return one_of(value, allowed or info.context.scenario_words.get(str(info.field_name), ()))


def scenario_keys() -> dict[str, tuple[str, str]]:
    """Every key of a scenario with what it is and an example of a value.

    Examples
    --------
    >>> scenario_keys()["lifetime"]
    ('time in use', '5y')
    """
    keys = {}
    for name, field in ScenarioSpec.model_fields.items():
        kinds = [
            *field.metadata,
            *(m for kind in get_args(field.annotation) for m in _metadata(kind)),
        ]
        keys[name] = (str(field.description), next(m for m in kinds if isinstance(m, str)))
    return keys


def _metadata(kind: object) -> tuple[object, ...]:
    """Return what a type says beside itself."""
    return getattr(kind, "__metadata__", ())
