"""Text with a unit to a float in the canonical unit and back: the one place that knows units."""

from __future__ import annotations

import math
import re
from difflib import get_close_matches
from types import MappingProxyType

from carbonopt.errors import SpecError

_HOUR_S = 3600.0
_DAY_S = 24.0 * _HOUR_S
_UNREADABLE = 10**15

#: canonical unit -> {accepted unit: factor to the canonical unit}
UNITS = MappingProxyType(
    {
        "byte": {
            **{"byte": 1.0, "B": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12},
            **{"KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30, "bit": 0.125},
        },
        "s": {
            **{"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12},
            **{"min": 60.0, "h": _HOUR_S, "d": _DAY_S, "y": 365.25 * _DAY_S},
        },
        "Hz": {"Hz": 1.0, "kHz": 1e3, "MHz": 1e6, "GHz": 1e9},
        "J": {
            **{"J": 1.0, "mJ": 1e-3, "uJ": 1e-6, "nJ": 1e-9, "pJ": 1e-12, "fJ": 1e-15},
            **{"kJ": 1e3, "MJ": 1e6, "Wh": _HOUR_S, "kWh": 1e3 * _HOUR_S},
            "mWh": 3.6,
        },
        "W": {"W": 1.0, "mW": 1e-3, "uW": 1e-6, "nW": 1e-9, "kW": 1e3},
        "mm2": {"mm2": 1.0, "um2": 1e-6, "cm2": 1e2},
        "1/mm2": {"1/mm2": 1.0, "1/cm2": 1e-2},
        "g": {"g": 1.0, "mg": 1e-3, "ug": 1e-6, "ng": 1e-9, "kg": 1e3, "t": 1e6},
        "kWh/mm2": {"kWh/mm2": 1.0, "kWh/cm2": 1e-2},
        "g/kWh": {"g/kWh": 1.0, "kg/kWh": 1e3, "kg/MWh": 1.0, "t/MWh": 1e3},
        "byte/s": {
            **{"byte/s": 1.0, "B/s": 1.0, "kB/s": 1e3, "MB/s": 1e6, "GB/s": 1e9},
            **{"KiB/s": 2.0**10, "MiB/s": 2.0**20, "GiB/s": 2.0**30},
        },
        "V": {"V": 1.0, "mV": 1e-3},
        "nm": {"nm": 1.0},
        "m": {"m": 1.0, "mm": 1e-3, "um": 1e-6, "nm": 1e-9},
        "g*s": {"g*s": 1.0, "mg*s": 1e-3, "kg*s": 1e3},
        "g*J": {"g*J": 1.0, "mg*J": 1e-3, "kg*J": 1e3},
        "g2*J": {"g2*J": 1.0, "kg2*J": 1e6},
        "g*J2": {"g*J2": 1.0, "kg*J2": 1e3},
        "g/EOP": {"g/EOP": 1.0, "mg/EOP": 1e-3, "kg/EOP": 1e3},
        "J*s": {"J*s": 1.0, "mJ*s": 1e-3, "uJ*s": 1e-6, "nJ*s": 1e-9, "pJ*s": 1e-12},
    }
)

_SUFFIXES = MappingProxyType(
    {
        **{"g_per_kwh": "g/kWh", "byte_per_s": "byte/s", "byte": "byte", "s": "s"},
        **{"hz": "Hz", "j": "J", "w": "W", "mm2": "mm2", "g": "g", "v": "V", "nm": "nm", "m": "m"},
        **{"js": "J*s", "gs": "g*s", "gj": "g*J", "g2j": "g2*J", "gj2": "g*J2"},
        "g_per_eop": "g/EOP",
    }
)

#: canonical unit -> units to print in, large to small
_PRINTED = MappingProxyType(
    {
        "byte": ("GiB", "MiB", "KiB", "byte"),
        "s": ("y", "d", "h", "s", "ms", "us", "ns", "ps"),
        "Hz": ("GHz", "MHz", "kHz", "Hz"),
        "J": ("kJ", "J", "mJ", "uJ", "nJ", "pJ", "fJ"),
        "W": ("kW", "W", "mW", "uW", "nW"),
        "mm2": ("mm2",),
        "1/mm2": ("1/mm2",),
        "kWh/mm2": ("kWh/mm2",),
        "nm": ("nm",),
        "g": ("t", "kg", "g", "mg", "ug", "ng"),
        "g/kWh": ("g/kWh",),
        "byte/s": ("GB/s", "MB/s", "kB/s", "byte/s"),
        "V": ("V",),
        "m": ("m", "mm", "um", "nm"),
        "g*s": ("kg*s", "g*s", "mg*s"),
        "g*J": ("kg*J", "g*J", "mg*J"),
        "g2*J": ("kg2*J", "g2*J"),
        "g*J2": ("kg*J2", "g*J2"),
        "g/EOP": ("kg/EOP", "g/EOP", "mg/EOP"),
        "J*s": ("J*s", "mJ*s", "uJ*s", "nJ*s", "pJ*s"),
    }
)

#: signs of typeset units -> how the units above spell them
_TYPESET = MappingProxyType({0xB5: "u", 0x3BC: "u", 0xB2: "2"})

_QUANTITY = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S.*?)?\s*")


def parse_quantity(value: object, unit: str, where: str = "") -> float:
    """Read a number with its unit as a float in the canonical unit.

    Parameters
    ----------
    value
        Text such as ``"512 KiB"`` or ``"3y"`` (a year is 365.25 d).
    unit
        Canonical unit, a key of `UNITS`.
    where
        Put before the message of a fault, such as ``"a.yaml:3: rows"``.

    Raises
    ------
    SpecError
        `value` is a bare number, has another unit, or is no number.

    Examples
    --------
    >>> parse_quantity("8KiB", "byte")
    8192.0
    >>> parse_quantity("40 ms", "s")
    0.04
    >>> parse_quantity("5 µm²", "mm2")
    5e-06
    >>> parse_quantity(40, "V", where="a.yaml:3: vdd_v")
    Traceback (most recent call last):
    carbonopt.errors.SpecError: a.yaml:3: vdd_v: got 40, allowed: a number with a unit of: V, mV
    """
    factors = UNITS[unit]
    text = value.strip().translate(_TYPESET) if isinstance(value, str) else ""
    match = _QUANTITY.fullmatch(text)
    if match is None or match[2] not in factors:
        hint = _unit_hint(match[2] if match else None, unit)
        prefix = f"{where}: " if where else ""
        allowed = f"a number with a unit of: {', '.join(factors)}{hint}"
        raise SpecError(f"{prefix}got {_shown(value)}, allowed: {allowed}")
    number, factor = float(match[1]), factors[match[2]]
    # dividing by the whole inverse of a small factor keeps "40 ms" at exactly 0.04
    return number * factor if factor >= 1.0 else number / round(1.0 / factor)


def unit_of(name: str) -> str:
    """Canonical unit that the suffix of a name tells, or '' for a name without one.

    Examples
    --------
    >>> unit_of("latency_s@resnet8"), unit_of("sram_byte"), unit_of("rows")
    ('s', 'byte', '')
    """
    stem = name.split("@")[0].split(".")[0]
    for suffix, unit in _SUFFIXES.items():
        if stem.endswith(f"_{suffix}"):
            return unit
    return ""


def format_quantity(value: float, unit: str, digits: int = 3) -> str:
    """Print a value of the canonical unit with the prefix that suits it.

    Examples
    --------
    >>> format_quantity(524288, "byte"), format_quantity(0.0032, "s"), format_quantity(2.5, "")
    ('512 KiB', '3.2 ms', '2.5')
    """
    if not unit:
        return f"{value:.{digits}g}"
    if value == 0.0 or not math.isfinite(value):
        return f"{value:g} {unit}"
    chosen = _PRINTED[unit][-1]
    for candidate in _PRINTED[unit]:
        if abs(value) >= UNITS[unit][candidate] * (1.0 - 1e-9):
            chosen = candidate
            break
    scaled = value / UNITS[unit][chosen]
    whole = unit == "byte" and abs(scaled - round(scaled)) < 1e-9
    return f"{round(scaled)} {chosen}" if whole else f"{_plain(scaled, digits)} {chosen}"


def format_named(name: str, value: object) -> str:
    """Print a value in the unit that its name tells; what is no number as it is.

    Examples
    --------
    >>> format_named("lifetime_s", 94672800.0), format_named("gas_g_per_mm2", 1.375)
    ('3 y', '1.375')
    >>> format_named("period_s@resnet8", 0.04), format_named("dies", 1), format_named("form", "act")
    ('40 ms', '1', 'act')
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    unit = unit_of(name)
    known = "_per_" not in name or "/" in unit
    return format_quantity(float(value), unit if known else "", digits=6)


def format_count(number: int) -> str:
    """Print a whole number: in full, or as a power of ten where nobody would read the digits.

    Examples
    --------
    >>> format_count(2880), format_count(3 * 10**270)
    ('2,880', '10^270')
    """
    return f"{number:,}" if number < _UNREADABLE else f"10^{math.floor(math.log10(number))}"


def _plain(value: float, digits: int) -> str:
    """Print with so many significant digits, without an exponent where the number is short."""
    text = f"{value:.{digits}g}"
    return f"{float(text):.0f}" if "e+" in text and abs(value) < 1e9 else text


def _unit_hint(got: str | None, unit: str) -> str:
    """Name the unit that was probably meant."""
    if got is None:
        return ""
    lower = {name.lower(): name for name in UNITS[unit]}
    near = get_close_matches(got.lower(), lower, n=1)
    return f" (did you mean {lower[near[0]]}?)" if near else ""


def _shown(value: object) -> str:
    """Show what the file says, without the quotes that Python adds."""
    return value if isinstance(value, str) and value else repr(value)
