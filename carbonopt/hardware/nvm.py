"""Non-volatile cells: what they take to store, read and write one bit."""

from __future__ import annotations

from dataclasses import dataclass

from carbonopt.data.tables import load_table
from carbonopt.errors import SpecError

_TABLE = "nvm_cells.csv"
_NEEDED = ("cell_area_f2", "read_pj", "set_pj", "reset_pj", "set_ns", "reset_ns", "endurance")


@dataclass(frozen=True)
class NvmCell:
    """A non-volatile memory cell that stores one bit.

    Parameters
    ----------
    name
        As in table nvm_cells.csv.
    cell_area_f2
        Area with its access device, in squares of the node [F^2].
    read_pj
        Energy that one cell takes in one use [pJ].
    set_pj, reset_pj
        Energy of writing either value [pJ].
    set_ns, reset_ns
        Time of writing either value [ns].
    endurance
        Writes that a cell survives [-].
    """

    name: str
    cell_area_f2: float
    read_pj: float
    set_pj: float
    reset_pj: float
    set_ns: float
    reset_ns: float
    endurance: float

    @property
    def write_pj(self) -> float:
        """Energy of writing one bit, the mean of both values [pJ]."""
        return (self.set_pj + self.reset_pj) / 2

    @property
    def write_ns(self) -> float:
        """Time of writing one row: cells to be set, then cells to be reset [ns]."""
        return self.set_ns + self.reset_ns


def cell_names() -> tuple[str, ...]:
    """Names of the cells of the table.

    Examples
    --------
    >>> cell_names()
    ('rram', 'stt_mram', 'pcm', 'fefet')
    """
    return tuple(str(name) for name in load_table(_TABLE)["name"])


def load_cell(name: str) -> NvmCell:
    """Return the cell called `name`.

    Raises
    ------
    SpecError
        If there is no such cell.

    References
    ----------
    .. [1] Table nvm_cells.csv, which names the source of every row.

    Examples
    --------
    >>> load_cell("rram").endurance
    3160000.0
    """
    table = load_table(_TABLE).set_index("name")
    if name not in table.index:
        raise SpecError(f"cell: got {name!r}, allowed: {', '.join(cell_names())}")
    return NvmCell(name, *(float(table[column][name]) for column in _NEEDED))
