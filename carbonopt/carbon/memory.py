"""Carbon of memory and storage by capacity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType

from numpy.typing import ArrayLike

from carbonopt.arrays import Floats, Number
from carbonopt.carbon.checks import non_negative, share
from carbonopt.data.tables import load_facts, load_table
from carbonopt.errors import SpecError

TABLE, PARTS = "memory_carbon.csv", "bom_parts.csv"
BEFORE_YIELD = "before yield"


def memory_g(capacity_gb: ArrayLike, g_per_gb: Number, memory_yield: Number = 1.0) -> Floats:
    """Carbon of memory by capacity, ``C = M CPS / Y``.

    Parameters
    ----------
    capacity_gb
        Capacity M (n,) [GB].
    g_per_gb
        Carbon per capacity CPS [g/GB].
    memory_yield
        Share of good memory Y, where the figure is before yield [-].

    Returns
    -------
    Floats
        Carbon (n,) [g CO2e].

    Raises
    ------
    ModelRangeError
        Capacity or figure below 0 or not a number, yield outside (0, 1].

    References
    ----------
    ACT, ISCA 2022, eq. 6.

    Examples
    --------
    >>> memory_g(7.0, find_memory("lpddr4").g_per_gb, find_memory("lpddr4").usual_yield)
    np.float64(384.0)
    """
    figure = non_negative("g_per_gb", g_per_gb) / share("memory_yield", memory_yield)
    return non_negative("capacity_gb", capacity_gb) * figure


@dataclass(frozen=True)
class Memory:
    """A memory or disk of the shipped table.

    Parameters
    ----------
    name, kind
        As in the table; ``dram``, ``ssd`` or ``hdd``.
    g_per_gb
        Carbon per capacity [g/GB].
    usual_yield
        Share of good memory by which the figure has to be divided: ACT's 0.875 where it is before
        yield, 1 where it is of good memory already [-].
    """

    name: str
    kind: str
    g_per_gb: float
    usual_yield: float

    @property
    def is_before_yield(self) -> bool:
        """Whether the figure is of all memory that is made, not of the good one."""
        return self.usual_yield < 1.0


@cache
def _memories() -> Mapping[str, Memory]:
    """Read the table, by name."""
    usual = load_facts(PARTS)["default.fab_yield"]
    rows = zip(*(load_table(TABLE)[column] for column in ("key", "value", "basis")), strict=True)
    found = {}
    for key, value, basis in rows:
        kind, name = key.split(".", 1)
        found[name] = Memory(name, kind, value, usual if basis == BEFORE_YIELD else 1.0)
    return MappingProxyType(found)


def memory_names(kind: str = "") -> list[str]:
    """Memories and disks of the shipped table; of one kind, ``dram``, ``ssd`` or ``hdd``.

    Examples
    --------
    >>> memory_names("dram")[-3:]
    ['lpddr4', 'lpddr5', 'server_dimm']
    """
    return sorted(name for name, memory in _memories().items() if kind in ("", memory.kind))


def find_memory(name: str, kind: str = "") -> Memory:
    """Find a memory or disk of the shipped table by name.

    Parameters
    ----------
    name
        A memory or disk of `memory_names`.
    kind
        ``dram``, ``ssd`` or ``hdd`` where it must be one of these.

    Raises
    ------
    SpecError
        Unknown name, or one of another kind; the nearest ones are named, and all of the kind.

    Examples
    --------
    >>> find_memory("lpddr5")
    Memory(name='lpddr5', kind='dram', g_per_gb=290.0, usual_yield=1.0)
    >>> find_memory("lpddr4").usual_yield
    0.875
    """
    allowed = memory_names(kind)
    if name in allowed:
        return _memories()[name]
    other = _memories().get(name)
    near = get_close_matches(name, allowed, n=3)
    hint = f", which is {other.kind}" if other else f", nearest: {', '.join(near)}" if near else ""
    raise SpecError(f"memory: got {name!r}{hint}, allowed: {', '.join(allowed)}")
