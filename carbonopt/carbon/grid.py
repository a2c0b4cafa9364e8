"""Carbon intensity of electricity: by region and year, by hour, and when a device runs."""

from __future__ import annotations

import csv
import io
import re
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from carbonopt.arrays import Floats
from carbonopt.carbon.checks import non_negative
from carbonopt.data.tables import load_table
from carbonopt.errors import SpecError

INTENSITY = "grid_intensity.csv"
PROFILES = "grid_profiles.csv"
HOURS = 24
SEASONS = MappingProxyType(
    {
        **{"ALL": "the year", "DJF": "winter", "JJA": "summer"},
        **{"MAM": "spring", "SON": "autumn"},
    }
)
"""Months of a shipped profile, by their initials, and what they are in the north."""
_YEAR = re.compile(r"(?P<region>.*\S)\s+(?P<year>\d{4})")
_WINDOW = re.compile(r"(\d{1,2}):00\s*-\s*(\d{1,2}):00")
_BEST = re.compile(r"best\s+(\d+)\s*h")


@cache
def _intensities() -> pd.DataFrame:
    return load_table(INTENSITY)


def region_names() -> list[str]:
    """Countries, US states, energy sources and further grids of the shipped table.

    Examples
    --------
    >>> [name for name in region_names() if name.startswith("Taiwan")]
    ['Taiwan']
    """
    return sorted(_intensities()["region"].unique())


def latest_intensities(text: str = "") -> pd.DataFrame:
    """List the regions whose name or code holds a text, each with its latest year.

    Returns
    -------
    pandas.DataFrame
        Columns region, iso3, year, g_per_kwh [g/kWh], kind; sorted by kind and name.

    Examples
    --------
    >>> latest_intensities("taiwan")[["region", "iso3", "g_per_kwh"]].values.tolist()[-1]
    ['Taiwan', 'TWN', 635.651]
    """
    table = _intensities().astype({"year": int, "g_per_kwh": float}).fillna({"iso3": ""})
    held = table["region"].str.lower().str.contains(text.lower(), regex=False)
    held |= (table["iso3"] == text.upper()) & (table["kind"] == "country")
    latest = table[held].sort_values("year").drop_duplicates("region", keep="last")
    ordered = latest.sort_values(["kind", "region"])
    return ordered[["region", "iso3", "year", "g_per_kwh", "kind"]].reset_index(drop=True)


def grid_intensity(region: str) -> float:
    """Look up the carbon intensity of a region's electricity [g/kWh].

    Parameters
    ----------
    region
        A country by name or ISO code, a US state as ``USA/Texas``, an energy source as ``wind``,
        or another name of `region_names`; with a year behind it where the latest one is not
        meant, as in ``Taiwan 2023``.

    Raises
    ------
    SpecError
        Unknown region, the nearest names are given; or a year without a figure.

    References
    ----------
    Each row of ``grid_intensity.csv`` names its source: Our World in Data (Ember; Energy
    Institute), EPA eGRID (at the stack, not over the life cycle), IPCC AR5, ENTSO-E, ACT.

    Examples
    --------
    >>> grid_intensity("Taiwan"), grid_intensity("TWN 2023"), grid_intensity("wind")
    (635.651, 642.378, 11.0)
    """
    return float(_intensity_of(region)["g_per_kwh"])


def grid_source(region: str) -> str:
    """Say where the intensity of a region comes from, and of which year it is.

    Raises
    ------
    SpecError
        As `grid_intensity`.

    Examples
    --------
    >>> grid_source("USA/Texas")
    'EPA eGRID2023, STC2ERTA, 2023, generation, at the stack'
    """
    row = _intensity_of(region)
    return f"{row['source']}, {int(row['year'])}, {row['basis']}"


def _intensity_of(region: str) -> pd.Series[Any]:
    """Find the row of a region."""
    dated = _YEAR.fullmatch(region.strip())
    name, year = (dated["region"], int(dated["year"])) if dated else (region.strip(), None)
    table = _intensities()
    states = table["kind"] == "state"
    rows = table[table["region"].str.lower() == name.lower()]
    if rows.empty:
        rows = table[(table["iso3"] == name.upper()) & ~states & (name != "")]
    if rows.empty:
        raise SpecError(f"region: got {name!r}, nearest: {', '.join(_nearest(name, table))}")
    years = rows["year"].astype(int)
    if year is not None and year not in set(years):
        listed = ", ".join(str(known) for known in sorted(years))
        raise SpecError(f"region: got {name!r} {year}, years of this region: {listed}")
    wanted = years == (years.max() if year is None else year)
    return rows.loc[wanted].iloc[0]


def _nearest(name: str, table: pd.DataFrame) -> list[str]:
    """Names that look like one, or like the part behind its slash."""
    known: dict[str, str] = {}
    for region in table["region"].unique():
        known |= {region.lower(): region}
        known.setdefault(region.split("/")[-1].lower(), region)
    near = get_close_matches(name.split("/")[-1].lower(), known, n=4)
    near = get_close_matches(name.lower(), known, n=2) + near
    found = [*_abbreviated(name, table), *(known[key] for key in near)]
    return list(dict.fromkeys(found))[:3] or ["World", "USA", "Taiwan"]


def _abbreviated(name: str, table: pd.DataFrame) -> list[str]:
    """Countries that a short name may stand for: by initials (UK), or the start of a code (US)."""
    if not 1 < len(name) < 4:
        return []
    countries = table[table["kind"] == "country"].drop_duplicates("region")
    names, codes = countries["region"], countries["iso3"].astype(str)
    initials = names.map(lambda country: "".join(word[0] for word in country.split()))
    hits = [names[initials == name.upper()], names[codes.str.startswith(name.upper())]]
    return [str(region) for found in hits for region in found]


def profile_names() -> list[str]:
    """Grids whose hourly profile is shipped, by balancing authority of the USA.

    Examples
    --------
    >>> profile_names()[:3]
    ['US/AZPS', 'US/BPAT', 'US/CISO']
    """
    return sorted(load_table(PROFILES)["region"].unique())


def hourly_profile(name_or_path: str, season: str = "ALL") -> Floats:
    """Read the mean intensity of each hour of the day, (24,) [g/kWh].

    Parameters
    ----------
    name_or_path
        A grid of `profile_names`, or a CSV file with the columns ``hour`` (0 to 23, each once)
        and ``g_per_kwh``.
    season
        ``ALL``, ``DJF``, ``MAM``, ``JJA`` or ``SON`` of a shipped grid.

    Raises
    ------
    SpecError
        Unknown grid or season; every fault of a file.

    References
    ----------
    EIA-930 hourly generation by fuel, 2022; IPCC AR5 medians. Hours in local standard time.

    Examples
    --------
    >>> hourly_profile("US/CISO").argmin()
    np.int64(12)
    """
    if season not in SEASONS:
        known = ", ".join(f"{name} ({months})" for name, months in SEASONS.items())
        near = f" (did you mean {season.upper()}?)" if season.upper() in SEASONS else ""
        raise SpecError(f"season: got {season!r}{near}, allowed: {known}")
    if name_or_path.endswith(".csv"):
        if season != "ALL":
            fault = f"got {season} beside {name_or_path}, a file of one day"
            raise SpecError(f"season: {fault}, allowed: beside a shipped grid")
        return _read_profile(Path(name_or_path))
    table = load_table(PROFILES)
    grids = sorted(table["region"].unique())
    if name_or_path not in grids:
        near = "".join(get_close_matches(name_or_path.upper(), grids, n=1, cutoff=0.4))
        hint = f" (did you mean {near}?)" if near else ""
        raise SpecError(
            f"profile: got {name_or_path!r}{hint}, allowed: {', '.join(grids)}, a CSV file"
        )
    row = table[(table["region"] == name_or_path) & (table["season"] == season)].iloc[0]
    return np.array([float(row[f"h{hour:02d}"]) for hour in range(HOURS)])


def _read_profile(file: Path) -> Floats:
    """Read a user's profile, all faults at once."""
    if not file.is_file():
        raise SpecError(f"profile: got {file}, which is no file, allowed: a CSV file")
    try:
        reader = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline=""))
        columns = reader.fieldnames or []
        if not {"hour", "g_per_kwh"} <= set(columns):
            raise SpecError(f"{file}:1: got columns {columns}, required: hour, g_per_kwh")
        rows = [(reader.line_num, row["hour"], row["g_per_kwh"]) for row in reader]
    except UnicodeDecodeError as error:
        raise SpecError(f"profile: got {file}, no UTF-8 text, allowed: a CSV file") from error
    except (OSError, csv.Error) as error:
        raise SpecError(
            f"profile: got {file}, unreadable ({error}), allowed: a CSV file"
        ) from error
    faults, found = [], dict[int, float]()
    for line, hour_text, text in rows:
        hour = int(hour_text) if (hour_text or "").strip().isdigit() else -1
        if not 0 <= hour < HOURS or hour in found:
            faults.append(f"{file}:{line}: hour: got {hour_text}, allowed: 0 to 23, each once")
        try:
            found[hour] = float(non_negative("g_per_kwh", float(text or "nan")))
        except ValueError:
            faults.append(f"{file}:{line}: g_per_kwh: got {text}, allowed: 0 or more")
    missing = sorted(set(range(HOURS)) - set(found))
    if missing:
        listed = ", ".join(map(str, missing))
        faults.append(f"{file}: got {len(rows)} hours, required: 24; missing: {listed}")
    if faults:
        raise SpecError(faults)
    return np.array([found[hour] for hour in range(HOURS)])


def hour_weights(profile_g_per_kwh: ArrayLike, when: str) -> Floats:
    """Share of a device's work that falls into each hour of the day, (24,) [-].

    Parameters
    ----------
    profile_g_per_kwh
        Intensity by hour (24,) [g/kWh].
    when
        ``flat``: all day. ``22:00-06:00``: evenly in a window of whole hours, past midnight too.
        ``best 4 h``: in the cleanest hours, where the work can wait for them.

    Raises
    ------
    SpecError
        A word that is none of these, or a window or number of hours that does not fit a day.

    Examples
    --------
    >>> hour_weights(hourly_profile("US/CISO"), "22:00-02:00").nonzero()[0].tolist()
    [0, 1, 22, 23]
    """
    weights = np.zeros(HOURS)
    window, best = _WINDOW.fullmatch(when.strip()), _BEST.fullmatch(when.strip())
    if when.strip() == "flat":
        weights[:] = 1.0
    elif window and max(int(window[1]), int(window[2])) <= HOURS:
        start, end = int(window[1]) % HOURS, int(window[2])
        length = (end - start) % HOURS or HOURS
        weights[(start + np.arange(length)) % HOURS] = 1.0
    elif best and 1 <= int(best[1]) <= HOURS:
        weights[np.argsort(np.asarray(profile_g_per_kwh), kind="stable")[: int(best[1])]] = 1.0
    else:
        allowed = "flat, a window such as 22:00-06:00, best K h with K from 1 to 24"
        raise SpecError(f"when: got {when!r}, allowed: {allowed}")
    return np.asarray(weights / weights.sum())


def effective_g_per_kwh(profile_g_per_kwh: ArrayLike, when: str) -> float:
    """Intensity of the electricity that is drawn when a device runs, ``CI = sum_h w_h CI_h``.

    Parameters
    ----------
    profile_g_per_kwh, when
        As in `hour_weights`.

    Examples
    --------
    >>> profile = hourly_profile("US/CISO")
    >>> round(effective_g_per_kwh(profile, "best 4 h") / effective_g_per_kwh(profile, "flat"), 2)
    0.69
    """
    return float(np.asarray(profile_g_per_kwh) @ hour_weights(profile_g_per_kwh, when))
