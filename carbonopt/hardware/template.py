"""The accelerator templates: knobs in, machine out."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

import numpy as np

from carbonopt.data.tables import load_facts
from carbonopt.errors import SpecError
from carbonopt.hardware.digital import (
    DigitalArray,
    digital_area,
    digital_array,
    digital_clock,
)
from carbonopt.hardware.eyeriss import chip_sizes, row_stationary_machine
from carbonopt.hardware.imc import (
    Activity,
    ImcMacro,
    check_macro,
    imc_macro,
    load_form,
    scalar_parts,
)
from carbonopt.hardware.imc_cells import cell_write_pj, row_write_ns
from carbonopt.hardware.imc_model import macro_area, macro_clock, macro_leakage, precharge_pj
from carbonopt.hardware.knob_check import check_knobs
from carbonopt.hardware.knob_table import Knob, Knobs, MacroOptions, knob_table
from carbonopt.hardware.machine import Machine, Memory, Operand
from carbonopt.hardware.memory import dram, equal_ports, register, sram
from carbonopt.hardware.scaling import scaled_technology
from carbonopt.hardware.technology import Technology, load_technology
from carbonopt.hardware.variant import ModelVariant
from carbonopt.units import UNITS

_WHOLE_ARRAY = frozenset({"D1", "D2", "D3"})  # columns, rows, macros
_ACROSS_MACROS = ("K", "G", "OX", "OY", "B")
_OUTPUT_STATIONARY_DIMS = {"D1": ("K",), "D2": ("OX", "OY", "B"), "D3": _ACROSS_MACROS}
_WEIGHT_STATIONARY_DIMS = {
    "D1": ("K", "OX", "OY"),
    "D2": ("C", "FX", "FY"),
    "D3": _ACROSS_MACROS,
}
_INPUT_PORTS = ("w1", "r1", "", "")
_OUTPUT_PORTS = ("w1", "r1", "w2", "r2")
_BIT_PER_BYTE, _S_PER_NS = 8, UNITS["s"]["ns"]


@dataclass(frozen=True)
class Template:
    """A family of machines with the same dataflow.

    Parameters
    ----------
    name, description
        For users.
    dataflow
        What rests in the array: outputs, weights, or rows of all three operands.
    macro
        Kind of in-memory-computing macro, or none.
    """

    name: str
    description: str
    dataflow: Literal["output_stationary", "weight_stationary", "row_stationary"]
    macro: Literal["dimc", "aimc"] | None = None

    @property
    def kind(self) -> str:
        """What its further knobs are listed under."""
        return self.name if self.dataflow == "row_stationary" else self.macro or "digital"

    @property
    def defaults(self) -> dict[str, float]:
        """Sizes that need not be given, by column: those of the chip it is named after."""
        return chip_sizes() if self.dataflow == "row_stationary" else {}

    @property
    def always_solved(self) -> bool:
        """Whether its mappings are solved and neither searched nor CarbonSpot's."""
        return self.dataflow == "row_stationary"

    @property
    def adder_tree(self) -> bool:
        """Whether an adder tree sums over the rows, so that they must be a power of two."""
        return self.dataflow == "weight_stationary" and self.macro != "aimc"

    @property
    def knobs(self) -> list[Knob]:
        """Knobs that it takes."""
        return [knob for knob in knob_table().values() if not knob.kinds or self.kind in knob.kinds]

    @property
    def columns(self) -> frozenset[str]:
        """Names of its knobs with their units, as in problem files and tables."""
        return frozenset(knob.column for knob in self.knobs)


TEMPLATES = {
    template.name: template
    for template in (
        Template("digital_os", "output-stationary digital PE array", "output_stationary"),
        Template("digital_ws", "weight-stationary digital PE array", "weight_stationary"),
        Template("dimc", "digital SRAM in-memory computing", "weight_stationary", "dimc"),
        Template("aimc", "analog SRAM in-memory computing", "weight_stationary", "aimc"),
        Template("eyeriss", "row-stationary PE array with a mesh of buses", "row_stationary"),
    )
}
"""Every template by name."""


def find_template(name: str) -> Template:
    """Return the template called `name`.

    Raises
    ------
    SpecError
        If there is no such template.
    """
    if name not in TEMPLATES:
        near = get_close_matches(name, TEMPLATES, 1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise SpecError(f"template: got {name!r}{hint}, allowed: {', '.join(TEMPLATES)}")
    return TEMPLATES[name]


def build_machine(
    template: Template,
    knobs: Knobs,
    variant: ModelVariant,
    *,
    dram_byte: float,
    resident_byte: float,
) -> Machine:
    """Build the machine of a template.

    Parameters
    ----------
    template, knobs, variant
        What to build, and under which model switches.
    dram_byte
        Size of the DRAM [byte].
    resident_byte
        Room that the network's weights need to stay on chip (see
        `carbonopt.mapping.residency.resident_byte`) [byte]: where it is smaller than the SRAM,
        a weight-stationary machine keeps them there, and DRAM holds none.

    Raises
    ------
    ModelRangeError
        If a knob lies outside the valid range of a model; the message names it.

    References
    ----------
    .. [1] CarbonSpot, expr.py:1198-1766 (hierarchies), 1863-1913 (arrays).
    """
    check_knobs(template, knobs)
    if template.dataflow == "row_stationary":
        return row_stationary_machine(template.name, knobs, variant, dram_byte=dram_byte)
    technology = _technology(knobs.options)
    array, area, clock, leakage = _array(template, knobs, variant, technology)
    stationary = template.dataflow == "weight_stationary"
    resident = stationary and resident_byte < knobs.sram_byte
    clock_s = sum(clock.values()) * _S_PER_NS
    registers = (
        _weight_stationary_registers(array, technology, knobs.options)
        if stationary
        else _output_stationary_registers(technology)
    )
    memories = (*registers, *_shared_memories(knobs, dram_byte, stationary, resident, clock_s))
    return Machine(
        name=template.name,
        variant=variant,
        shape={"D1": knobs.cols, "D2": knobs.rows, "D3": knobs.macros},
        array=array,
        memories=memories,
        unrolled=_unrolled_dims(stationary, variant),
        diagonal=stationary,
        area_parts={**area, **_memory_area(template, knobs, variant, memories)},
        clock_parts=clock,
        leakage_parts={**leakage, **{m.part: m.leakage_w for m in memories if m.leakage_w}},
        carbonspot_rules=True,
        technology=technology,
        own_node_nm=knobs.options.node_nm,
        activity=_activity(knobs.options),
        **_writing(array, knobs.options, sum(clock.values())),
    )  # fmt: skip


def _array(
    template: Template, knobs: Knobs, variant: ModelVariant, technology: Technology
) -> tuple[DigitalArray | ImcMacro, Mapping[str, float], Mapping[str, float], Mapping[str, float]]:
    """Return the array of a template, and its area, clock and leakage by part."""
    if not template.macro:
        digital = digital_array(technology, template.adder_tree)
        area = digital_area(technology, variant, digital, knobs.cols, knobs.rows, knobs.macros)
        return digital, area, digital_clock(technology, digital, knobs.rows), {}
    form, options = load_form(variant.macro_form), knobs.options
    macro = imc_macro(template.macro, knobs.cols, knobs.rows, knobs.macros, options, form)
    check_macro(macro)
    leaks = options.leakage == "all"
    return (
        macro,
        scalar_parts(macro_area(technology, macro)),
        scalar_parts(macro_clock(technology, macro)),
        scalar_parts(macro_leakage(technology, macro)) if leaks else {},
    )


def _writing(
    array: DigitalArray | ImcMacro, options: MacroOptions, clock_ns: float
) -> dict[str, Any]:
    """Return how a machine waits for weights, and whether for inputs and outputs too."""
    if not isinstance(array, ImcMacro):
        return {}
    speeds = (options.sram_bandwidth_byte_per_s, options.dram_bandwidth_byte_per_s)
    return {
        "row_cycles": float(np.ceil(row_write_ns(array, clock_ns) / clock_ns)),
        "overlapped_writing": options.loading == "overlapped",
        "waits_for_activations": any(speed is not None for speed in speeds),
    }


def _technology(options: MacroOptions) -> Technology:
    """Return the gates at the node and supply of the options, as they come where none is given."""
    node_nm = load_technology().node_nm if options.node_nm is None else options.node_nm
    return scaled_technology(node_nm, options.supply_v)


def _activity(options: MacroOptions) -> Activity:
    """Return the share of cycles in which parts of a macro switch."""
    of_data = Activity.of_data(options.input_toggle, options.weight_density)
    return dataclasses.replace(of_data, flipflops=options.flipflop_activity)


def _unrolled_dims(stationary: bool, variant: ModelVariant) -> Mapping[str, tuple[str, ...]]:
    """Return the loop dimensions that may be unrolled along each array dimension."""
    if stationary:
        return _WEIGHT_STATIONARY_DIMS
    if variant.batch_off_rows:
        return {**_OUTPUT_STATIONARY_DIMS, "D2": ("OX", "OY")}
    return _OUTPUT_STATIONARY_DIMS


def _registers_of(
    names: Mapping[Operand, frozenset[str]], technology: Technology
) -> tuple[Memory, ...]:
    """Return one-word registers for the given operands and served dimensions."""
    facts = load_facts("digital_28nm.csv")
    bits = {"I": facts["input_bits"], "W": facts["weight_bits"], "O": facts["psum_bits"]}
    ports = {"I": _INPUT_PORTS, "W": _INPUT_PORTS, "O": _OUTPUT_PORTS}
    return tuple(
        register(technology, f"register_{o}", int(bits[o]), served, {o: ports[o]})
        for o, served in names.items()
    )


def _output_stationary_registers(technology: Technology) -> tuple[Memory, ...]:
    """One output register per PE, weights shared along rows, inputs along columns."""
    return _registers_of(
        {"O": frozenset(), "W": frozenset({"D2"}), "I": frozenset({"D1"})}, technology
    )


def _weight_stationary_registers(
    array: DigitalArray | ImcMacro, technology: Technology, options: MacroOptions
) -> tuple[Memory, ...]:
    """One weight register or cell group per PE, inputs shared along columns.

    Where weights arrive while others are in use, a group has room for both.
    """
    shared: dict[Operand, frozenset[str]] = {"I": frozenset({"D1"}), "O": frozenset({"D2"})}
    if not isinstance(array, ImcMacro):
        return _registers_of({"W": frozenset(), **shared}, technology)
    bits = float(array.weight_bits)
    turning_pj = float(precharge_pj(technology, array, 1))
    cells = Memory(
        "cells", "register", bits * float(array.group_depth), turning_pj,
        cell_write_pj(technology, array), 0.0, frozenset(),
        equal_ports({"W": ("rw1", "rw1", "", "")}, bits, bits), options.loading == "overlapped",
    )  # fmt: skip
    return (cells, *_registers_of(shared, technology))


def _shared_memories(
    knobs: Knobs, dram_byte: float, stationary: bool, resident: bool, clock_s: float
) -> tuple[Memory, Memory]:
    """Return SRAM and DRAM; weights pass the SRAM by unless they stay in it or outputs rest.

    A bandwidth per second gives so many bits per cycle of the array, however slow its clock.
    """
    facts = load_facts("digital_28nm.csv")
    sram_ports: dict[Operand, tuple[str, str, str, str]] = {"I": ("w1", "r1", "", "")}
    dram_ports: dict[Operand, tuple[str, str, str, str]] = {"I": ("w1", "r1", "", "")}
    if stationary:
        sram_ports["O"] = ("w2", "r2", "w3", "r3")
        if resident:
            sram_ports["W"] = ("w4", "r4", "", "")
    else:
        sram_ports |= {"W": ("w2", "r2", "", ""), "O": ("w3", "r3", "w4", "r4")}
    if not resident:
        dram_ports["W"] = ("w2", "r2", "", "")
    dram_ports["O"] = ("w1", "r1", "w3", "r3")
    width = max(
        knobs.rows * facts["input_bits"] * knobs.macros,
        knobs.cols * facts["psum_bits"] * knobs.macros,
    )
    columns = knobs.cols * facts["weight_bits"] * knobs.macros
    options = knobs.options
    sram_bits, dram_bits = (
        None if speed is None else speed * _BIT_PER_BYTE * clock_s
        for speed in (options.sram_bandwidth_byte_per_s, options.dram_bandwidth_byte_per_s)
    )
    return (
        sram(
            knobs.sram_byte * _BIT_PER_BYTE, width, _WHOLE_ARRAY, sram_ports,
            node_nm=options.node_nm, port_bits=sram_bits or math.inf,
        ),
        dram(
            dram_byte * _BIT_PER_BYTE, columns, _WHOLE_ARRAY, dram_ports, port_bits=dram_bits,
        ),
    )  # fmt: skip


def _memory_area(
    template: Template, knobs: Knobs, variant: ModelVariant, memories: tuple[Memory, ...]
) -> dict[str, float]:
    """Area of registers and SRAM [mm2]; under `every_register` see `ModelVariant`."""
    instances = {"register_I": 1, "register_W": 1, "register_O": 1}
    if variant.every_register and template.macro:
        instances |= {
            "register_I": knobs.rows * knobs.macros,
            "register_O": knobs.cols * knobs.macros,
        }
    elif variant.every_register:
        instances = dict.fromkeys(instances, 0)
    area = {"register": 0.0, "sram": 0.0}
    for memory in memories:
        if memory.part in area:
            area[memory.part] += memory.area_mm2 * instances.get(memory.name, 1)
    return area
