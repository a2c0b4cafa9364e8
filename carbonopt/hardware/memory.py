"""Registers, SRAM and DRAM: size and width to energy and area."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from carbonopt.data.tables import load_facts
from carbonopt.errors import ModelRangeError
from carbonopt.hardware.cacti import Property, sram_array
from carbonopt.hardware.machine import DIRECTIONS, Memory, Operand, Port, Ports
from carbonopt.hardware.technology import Technology, load_technology

_W_PER_MW = 1e-3

PortNames = Mapping[Operand, tuple[str, str, str, str]]
"""Names of an operand's ports in the order of `DIRECTIONS`; '' where it has none."""


@dataclass(frozen=True)
class SramCost:
    """Area, full-width access energies and leakage of one SRAM."""

    area_mm2: float
    read_pj: float
    write_pj: float
    leakage_w: float


def equal_ports(names: PortNames, narrow_bits: float, wide_bits: float) -> Ports:
    """Return ports that are all alike."""
    return {
        operand: {
            direction: Port(name, narrow_bits, wide_bits)
            for direction, name in zip(DIRECTIONS, own, strict=True)
            if name
        }
        for operand, own in names.items()
    }


def sram_cost(
    size_bits: float, width_bits: float, *, what: str, node_nm: float | None = None
) -> SramCost:
    """Return area, energy and leakage of an SRAM as parallel 32-bit columns from a table over rows.

    cost(size, width) = width/32 g(size/width), g log-log interpolated, times the scaling from
    32 nm to 28 nm (0.9^2 for every output, as the source does), area doubled.

    Parameters
    ----------
    size_bits, width_bits
        Capacity and width of an access [bit].
    what
        Name of the memory in error messages.
    node_nm
        Node, that of the gates' table unless it is given [nm].

    Raises
    ------
    ModelRangeError
        If the rows lie outside the table, or the width is below one 32-bit column.

    Notes
    -----
    Valid for 32 to 16.8 million rows; between the table's powers of two, leave-one-out errors
    are up to 7 % (area), 15 % (write) and 23 % (read). Leakage is that of high-performance
    cells (itrs-hp) at 300 K.

    References
    ----------
    .. [1] CACTI 7 through CarbonSpot's configuration (get_cacti_cost.py:396-530).
    """
    facts = load_facts("memory_28nm.csv")
    column = facts["sram_column_bits"]
    if width_bits < column:
        message = f"{what}: width: got {width_bits:g} bit, allowed: at least {column:g} bit"
        raise ModelRangeError(message)
    node = load_technology().node_nm if node_nm is None else node_nm

    def of(name: Property) -> float:
        return float(sram_array(name, size_bits / width_bits, width_bits, node, what=what))

    area = round(of("area_mm2") * facts["sram_area_factor"], 7)
    return SramCost(area, of("read_pj"), of("write_pj"), of("leakage_mw") * _W_PER_MW)


def register(
    technology: Technology,
    name: str,
    bits: int,
    served: frozenset[str],
    names: PortNames,
) -> Memory:
    """Return a flip-flop register: reads are free, a write costs C V^2 per bit."""
    write_pj = float(technology.flipflop_pj * bits)
    area = float(technology.flipflop_mm2 * bits)
    ports = equal_ports(names, bits, bits)
    return Memory(name, "register", bits, 0.0, write_pj, area, served, ports)


def sram(
    size_bits: float,
    width_bits: float,
    served: frozenset[str],
    names: PortNames,
    *,
    node_nm: float | None = None,
    port_bits: float = math.inf,
) -> Memory:
    """Return the on-chip SRAM.

    Parameters
    ----------
    size_bits, width_bits
        Capacity and width of a word [bit].
    served, names
        As in `Memory`, and its ports.
    node_nm
        As in `sram_cost` [nm].
    port_bits
        Most that a port moves per cycle, a word unless it is less [bit].

    Raises
    ------
    ModelRangeError
        If it lies outside the SRAM table.
    """
    cost = sram_cost(size_bits, width_bits, what=f"sram of {size_bits / 8:g} B", node_nm=node_nm)
    wide = min(width_bits, port_bits)
    grain = min(float(width_bits // load_facts("memory_28nm.csv")["accesses_per_width"]), wide)
    share = wide / width_bits
    return Memory(
        "sram", "sram", size_bits, cost.read_pj * share, cost.write_pj * share, cost.area_mm2,
        served, equal_ports(names, grain, wide), leakage_w=cost.leakage_w,
    )  # fmt: skip


def dram(
    size_bits: float,
    width_bits: float,
    served: frozenset[str],
    names: PortNames,
    *,
    port_bits: float | None = None,
) -> Memory:
    """Return the off-chip DRAM: energy per bit, no silicon area of its own.

    A port moves `width_bits` per cycle, or `port_bits` where they are given; the smallest access
    is a sixteenth of the width either way.
    """
    facts = load_facts("memory_28nm.csv")
    wide = width_bits if port_bits is None else port_bits
    access = facts["dram_pj_per_bit"] * wide
    grain = min(float(width_bits // facts["accesses_per_width"]), wide)
    ports = equal_ports(names, grain, wide)
    return Memory("dram", "dram", size_bits, access, access, 0.0, served, ports)
