"""Machines from ZigZag's accelerator and mapping files.

References
----------
.. [1] zigzag-dse 3.9.1, parser/accelerator_factory.py, parser/mapping_factory.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from carbonopt.errors import ModelRangeError, SpecError
from carbonopt.hardware.digital import DigitalArray
from carbonopt.hardware.imc import ImcMacro, check_macro, load_form, scalar_parts
from carbonopt.hardware.imc_model import macro_area, macro_clock
from carbonopt.hardware.levels import check_levels
from carbonopt.hardware.machine import Direction, Machine, Memory, Operand, Port
from carbonopt.hardware.technology import load_technology
from carbonopt.hardware.variant import ModelVariant
from carbonopt.spec.load import Document, load_model, read_document
from carbonopt.spec.zigzag import (
    AcceleratorFile,
    ArrayFile,
    MappingEntry,
    MappingFile,
    MemoryFile,
)
from carbonopt.workload.layer import DIMS

_DIRECTIONS: Mapping[str, Direction] = {
    "fh": "from_above",
    "tl": "to_below",
    "fl": "from_below",
    "th": "to_above",
}
_LINKS: Mapping[str, Operand] = {"I1": "I", "I2": "W", "O": "O"}
_NO_CLOCK = {"cycle": 1.0}  # ns; the files of digital arrays have none
_LOOPS = {**{dim: dim for dim in DIMS}, "D": "B", "H": "G"}


def load_zigzag_machine(
    path: Path,
    variant: ModelVariant,
    *,
    mapping_path: Path | None = None,
    layer: tuple[str, ...] = (),
) -> Machine:
    """Build the machine of a ZigZag accelerator file.

    Costs without a unit in the file count as pJ, sizes and widths as bit, as ZigZag prints
    them; the file has no clock, so a digital array takes one cycle per ns. Areas have no unit
    either and are taken as mm2.

    Parameters
    ----------
    path
        Accelerator file.
    variant
        Model switches.
    mapping_path
        Mapping file: says which memories hold which operand and what may be unrolled where,
        and how far. Without one, I1 holds inputs, I2 weights, and every loop may be unrolled
        along every array dimension.
    layer
        Names under which the mapping file may have an entry of its own for a layer, the most
        telling first; ``default`` is taken where it has none.

    Raises
    ------
    SpecError
        With every fault of the files.
    """
    document = read_document(path, last_wins=True)
    accelerator, _ = load_model(path, AcceleratorFile, document=document)
    entry = None if mapping_path is None else _entry(mapping_path, layer)
    links = _links(entry)
    array = accelerator.operational_array
    memories = tuple(_memory(name, memory, links) for name, memory in accelerator.memories.items())
    check_levels(document, memories)
    compute, area, clock = _array(accelerator, document)
    area |= {name: each.area for name, each in accelerator.memories.items() if name != "cells"}
    return Machine(
        name=accelerator.name,
        variant=variant,
        shape=_shape(array),
        array=compute,
        memories=memories,
        unrolled=_unrolled(array, entry),
        diagonal=False,
        area_parts=area,
        clock_parts=clock,
        systolic=tuple(array.systolic_dimensions),
        most=_most(entry),
    )


def read_mapping(path: Path) -> dict[str, MappingEntry]:
    """Return the entries of a ZigZag mapping file by layer name or operator.

    Raises
    ------
    SpecError
        With every fault of the file.
    """
    document = read_document(path, last_wins=True)
    if not isinstance(document.data, list):
        raise SpecError(document.fault((), "got no list, allowed: a list of entries"))
    wrapped = Document(
        path, data={"entries": document.data},
        lines={("entries", *place): line for place, line in document.lines.items()},
    )  # fmt: skip
    content, _ = load_model(path, MappingFile, document=wrapped)
    return {entry.name: entry for entry in content.entries}


def _entry(path: Path, layer: tuple[str, ...]) -> MappingEntry:
    """Return the entry of a mapping file for a layer."""
    entries = read_mapping(path)
    entry = entries[next((name for name in layer if name in entries), "default")]
    if entry.temporal_ordering:
        raise SpecError(
            f"{path}: {entry.name}.temporal_ordering: got an order, allowed: none, "
            "loop orders are sought"
        )
    return entry


def _most(entry: MappingEntry | None) -> dict[str, dict[str, int]]:
    """Return how many units of each array dimension a loop may fill, where the file says it."""
    spatial = {} if entry is None else entry.spatial_mapping
    return {
        array_dim: {_LOOPS[name]: size for name, size in loops}
        for array_dim, loops in spatial.items()
    }


def _links(entry: MappingEntry | None) -> Mapping[str, Operand]:
    """Return the operand that each of ZigZag's memory operands holds."""
    if entry is None:
        return _LINKS
    return {memory: operand for operand, memory in entry.memory_operand_links.items()}


def _unrolled(array: ArrayFile, entry: MappingEntry | None) -> dict[str, tuple[str, ...]]:
    """Return the loops that may be unrolled along each array dimension."""
    found = {}
    for array_dim in array.dimensions:
        loops: list[str] = []
        if entry is not None:
            loops = [name for name, _ in entry.spatial_mapping.get(array_dim, ())]
            loops = loops or list(entry.spatial_mapping_hint.get(array_dim, ()))
        found[array_dim] = tuple(_LOOPS[name] for name in loops) or DIMS
    return found


def _memory(name: str, memory: MemoryFile, links: Mapping[str, Operand]) -> Memory:
    """Return one memory; ports serve operands in the order of `operands`."""
    ports: dict[Operand, dict[Direction, Port]] = {
        links[operand]: {} for operand in memory.operands if operand in links
    }
    for entry in memory.ports:
        port = Port(entry.name, entry.bandwidth_min, entry.bandwidth_max)
        for operand, direction in (text.split(", ") for text in entry.allocation):
            if operand in links:
                ports[links[operand]][_DIRECTIONS[direction]] = port
    served = frozenset(memory.served_dimensions)
    return Memory(
        name, name, memory.size, memory.r_cost, memory.w_cost, memory.area, served, ports,
        memory.force_double_buffering,
    )  # fmt: skip


def _array(
    accelerator: AcceleratorFile, document: Document
) -> tuple[DigitalArray | ImcMacro, dict[str, float], dict[str, float]]:
    """Return the compute array, its area [mm2] and its clock [ns] by part."""
    array = accelerator.operational_array
    if not array.is_imc:
        energy, area = array.unit_energy or 0.0, array.unit_area or 0.0
        return DigitalArray(energy, False, 0), {"pe": area * math.prod(array.sizes)}, _NO_CLOCK
    cols, rows, *others = (size for _, size in sorted(_shape(array).items()))
    input_bits, weight_bits = array.input_precision or (0, 0)
    applied = array.bit_serial_precision or input_bits
    kind: Literal["dimc", "aimc"] = "dimc" if array.imc_type == "digital" else "aimc"
    macro = ImcMacro(
        kind, cols, rows, weight_bits, input_bits, applied, array.adc_resolution,
        math.prod(others), form=load_form("zigzag"),
    )  # fmt: skip
    try:
        check_macro(macro)
    except ModelRangeError as error:
        faults = str(error).splitlines()
        raise SpecError([document.fault(("operational_array",), each) for each in faults]) from None
    technology, cells = load_technology(), accelerator.memories["cells"]
    area_parts = scalar_parts(macro_area(technology, macro, cell_mm2=cells.area))
    return macro, area_parts, scalar_parts(macro_clock(technology, macro))


def _shape(array: ArrayFile) -> dict[str, int]:
    """Return the size of each array dimension; of a macro, columns and rows come first."""
    shape = dict(zip(array.dimensions, array.sizes, strict=True))
    return dict(sorted(shape.items())) if array.is_imc else shape
