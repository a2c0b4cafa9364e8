"""Carbon of memory and storage by capacity."""

from __future__ import annotations

from difflib import get_close_matches

from numpy.typing import ArrayLike

from carbonopt.arrays import Floats, Number
from carbonopt.carbon.checks import non_negative
from carbonopt.data.tables import load_facts
from carbonopt.errors import SpecError

TABLE = "memory_carbon.csv"


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
        Capacity below 0 or not a number.

    References
    ----------
    ACT, ISCA 2022, eq. 6.

    Examples
    --------
    >>> memory_g(8.0, memory_g_per_gb("lpddr4"))
    np.float64(384.0)
    """
    return non_negative("capacity_gb", capacity_gb) * g_per_gb / memory_yield


def memory_names() -> list[str]:
    """Memories and disks of the shipped table.

    Examples
    --------
    >>> memory_names()[-3:]
    ['western_digital_2017', 'western_digital_2018', 'western_digital_2019']
    """
    return sorted(key.split(".", 1)[1] for key in load_facts(TABLE))


def memory_g_per_gb(name: str, kind: str = "") -> float:
    """Look up the carbon per capacity of a memory or disk of the shipped table [g/GB].

    Parameters
    ----------
    name
        A memory or disk of `memory_names`.
    kind
        ``dram``, ``ssd`` or ``hdd`` where it must be one of these.

    Raises
    ------
    SpecError
        Unknown name; the nearest ones are named.

    Examples
    --------
    >>> memory_g_per_gb("lpddr5")
    290.0
    """
    facts = {
        key.split(".", 1)[1]: value
        for key, value in load_facts(TABLE).items()
        if key.startswith(f"{kind}." if kind else "")
    }
    if name not in facts:
        near = get_close_matches(name, facts, n=3)
        hint = f", nearest: {', '.join(near)}" if near else ""
        raise SpecError(f"memory: got {name!r}{hint}, allowed: {', '.join(sorted(facts))}")
    return facts[name]
