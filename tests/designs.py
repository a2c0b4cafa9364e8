"""Machines and layers for tests, in one line each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from carbonopt.hardware.knob_table import Knobs, MacroOptions
from carbonopt.hardware.machine import Machine
from carbonopt.hardware.template import TEMPLATES, build_machine
from carbonopt.hardware.variant import load_variant
from carbonopt.mapping.candidates import Mappings, joined
from carbonopt.mapping.parallel import loop_sizes
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.spatial import Unrolling, Unrollings, unroll_all
from carbonopt.mapping.task import MappingTask
from carbonopt.performance.mapper import solve_layer
from carbonopt.workload.layer import DIMS, Layer
from carbonopt.workload.load import load_network
from carbonopt.workload.network import Network

CARBONSPOT_ARRAYS = {
    "pdigital_os": "digital_os",
    "pdigital_ws": "digital_ws",
    "DIMC": "dimc",
    "AIMC": "aimc",
}
"""CarbonSpot's names of the templates."""

MIB = 2**20


def machine(
    template: str,
    rows: int = 32,
    cols: int = 32,
    macros: int = 1,
    sram_byte: float = 2**15,
    *,
    variant: str = "default",
    dram_byte: float = MIB,
    resident_byte: float = MIB,
    **options: Any,
) -> Machine:
    """Build a machine; its weights do not fit on chip unless `resident_byte` says so.

    Further options are those of `MacroOptions`.
    """
    return build_machine(
        TEMPLATES[template],
        Knobs(rows, cols, macros, sram_byte, MacroOptions(**options)),
        load_variant(variant),
        dram_byte=dram_byte,
        resident_byte=resident_byte,
    )


def layer(name: str = "layer", *, kind: str = "conv", **bounds: int) -> Layer:
    """Make a layer from the loop bounds above 1, with stride and dilation 1 and no padding."""
    sizes = tuple(bounds.get(dim, 1) for dim in DIMS)
    _, _, _, ox, oy, _, fx, fy = sizes
    return Layer(name, kind, sizes, input_size=(ox + fx - 1, oy + fy - 1))


network = cache(load_network)
"""Load a network once."""


def of_layers(*layers: Layer) -> Network:
    """Join layers to a network."""
    return Network("made up", layers)


def solved_mappings(task: MappingTask) -> Mappings:
    """Mappings on the front of a layer."""
    return joined(solve_layer(task, Plan(task.storage)).mappings)


def unrolled_as(layer: Layer, names: Sequence[str], chosen: Any, *, down: bool) -> Unrollings:
    """A layer unrolled in several ways, each array dimension's loops by name."""
    asked = np.stack([loop_sizes(each, names) for each in chosen])
    return unroll_all(layer, tuple(names), asked, down=down)


def spread_along(**sizes: dict[str, int]) -> Unrollings:
    """Whole loops along array dimensions: K=8 along D1 is D1={"K": 8}."""
    loops = [(name, dim, float(n), n) for name, own in sizes.items() for dim, n in own.items()]
    return Unrollings.of([Unrolling(tuple(loops), {})], ("D1", "D2", "D3"))
