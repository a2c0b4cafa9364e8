"""SRAM from the table of CACTI 7: parallel columns of 32-bit words, vectorised."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np

from carbonopt.arrays import Floats, Number
from carbonopt.data.tables import interpolate_log_log, load_facts, load_table
from carbonopt.errors import ModelRangeError

Property = Literal["access_ns", "area_mm2", "read_pj", "write_pj", "leakage_mw"]


def sram_column(name: Property, rows: Number, node_nm: Number, *, what: str) -> Floats:
    """Look up a property of `rows` words of 32 bits, log-log between the rows of the table.

    28 nm is 32 nm times 0.81 in every property, as the source has it; between nodes the property
    is interpolated log-log too.

    Parameters
    ----------
    name
        Access time, area (not doubled), energy of a read or write, or leakage [ns], [mm2], [pJ],
        [mW].
    rows, node_nm
        Words and node, scalars or (n,) [-], [nm].
    what
        Name of the memory in error messages.

    Raises
    ------
    ModelRangeError
        Rows or a node outside the table.

    References
    ----------
    .. [1] CACTI 7 through CarbonSpot's configuration (get_cacti_cost.py:396-530).
    """
    table = _columns(name)
    places = np.asarray(node_nm, dtype=np.float64)
    if places.ndim == 0 and float(places) in table:
        return _at_node(name, rows, float(places), what)
    nodes = np.array(sorted(table))
    outside = ~((places >= nodes[0]) & (places <= nodes[-1]))
    if outside.any():
        raise ModelRangeError(
            f"{what}: node: got {places[outside].flat[0]:g} nm, "
            f"allowed: {nodes[0]:g} to {nodes[-1]:g} nm"
        )
    values = np.log([np.broadcast_arrays(_at_node(name, rows, n, what), places)[0] for n in nodes])
    right = np.clip(np.searchsorted(nodes, places), 1, len(nodes) - 1)
    share = np.log(places / nodes[right - 1]) / np.log(nodes[right] / nodes[right - 1])
    low, high = (np.take_along_axis(values, at[None], 0)[0] for at in _spread(values, right))
    return np.asarray(np.exp(low + share * (high - low)))


@cache
def sram_rows_range() -> tuple[int, int]:
    """Return the fewest and the most rows of the table.

    Examples
    --------
    >>> sram_rows_range()
    (32, 16777216)
    """
    rows = load_table("sram_cacti7.csv")["rows"].astype(int)
    return int(rows.min()), int(rows.max())


def least_sram_byte() -> float:
    """Return the smallest memory that the table covers, one column of the fewest words [byte].

    How large one may be depends on its words, which are as wide as the array.
    """
    return sram_rows_range()[0] * load_facts("memory_28nm.csv")["sram_column_bits"] / 8


def sram_array(
    name: Property, rows: Number, width_bits: Number, node_nm: Number, *, what: str
) -> Floats:
    """Look up a property of parallel columns: width / 32 times `sram_column`.

    Parameters
    ----------
    name
        Area, energy or leakage, which add up over columns; see `sram_column`.
    rows, width_bits, node_nm
        Words, their width and the node, scalars or (n,) [-], [bit], [nm].
    what
        Name of the memory in error messages.

    Raises
    ------
    ModelRangeError
        Rows or a node outside the table.
    """
    column_bits = load_facts("memory_28nm.csv")["sram_column_bits"]
    return np.asarray(sram_column(name, rows, node_nm, what=what) * width_bits / column_bits)


def _spread(values: Floats, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the places left and right of each node, for every row."""
    shape = values.shape[1:]
    return np.broadcast_to(right - 1, shape), np.broadcast_to(right, shape)


def _at_node(name: Property, rows: Number, node_nm: float, what: str) -> Floats:
    """Look up a property at one node of the table."""
    table_rows, values, scale = _columns(name)[node_nm]
    where = f"{what}: SRAM rows (size / width)"
    return interpolate_log_log(rows, table_rows, values, name=where, unit="rows") * scale


@cache
def _columns(name: Property) -> dict[float, tuple[Floats, Floats, float]]:
    """Return rows, values and scale by node, 28 nm among them."""
    facts, table = load_facts("memory_28nm.csv"), load_table("sram_cacti7.csv")
    found = {
        float(str(node)): (*own.sort_values("rows")[["rows", name]].to_numpy(np.float64).T, 1.0)
        for node, own in table.groupby("node_nm")
    }
    rows, values, _ = found[facts["sram_table_node_nm"]]
    gates_nm = load_facts("technology_28nm.csv")["node_nm"]
    return found | {gates_nm: (rows, values, facts["sram_node_scaling"])}
