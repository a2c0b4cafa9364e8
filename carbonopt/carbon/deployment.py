"""Where and how a device is made and used: a preset with regions, hours and memory by name."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from carbonopt.carbon.die import crosses_literatures, two_literatures
from carbonopt.carbon.grid import effective_g_per_kwh, grid_intensity, hourly_profile
from carbonopt.carbon.memory import find_memory
from carbonopt.carbon.presets import CarbonPreset, load_preset, preset_names
from carbonopt.errors import SpecError

Found = TypeVar("Found")


def deployed_preset(
    preset: str | CarbonPreset = "default",
    *,
    region: str | None = None,
    fab_region: str | None = None,
    memory: str | None = None,
    profile: str | None = None,
    season: str | None = None,
    when: str | None = None,
    **values: Any,  # noqa: ANN401  fields of the preset
) -> CarbonPreset:
    """Load a preset and replace what a deployment says, all faults at once.

    Parameters
    ----------
    preset
        A preset, or the name of a shipped one.
    region, fab_region
        Grid in use and of the fab, as in `carbonopt.carbon.grid.grid_intensity`.
    memory
        DRAM of the table ``memory_carbon.csv``. A figure before yield is divided by the preset's
        share of good memory, or by ACT's 0.875 where the preset has none; others by nothing.
    profile
        Hourly profile, a shipped grid or a CSV file: the shape of the day, scaled to the level of
        the region or intensity, or of a preset that is given. It gives the level as well where
        the preset is one by name and neither region nor intensity says it. A new region or
        intensity without a profile is drawn all day.
    season, when
        Season of the profile (the whole year), hours in which the device runs (``flat``): see
        `carbonopt.carbon.grid.hour_weights`.
    values
        Fields of `CarbonPreset` by name; None keeps the preset's own. One that the preset would
        not use, as a defect density beside a fixed yield, is a fault.

    Raises
    ------
    SpecError
        Every fault, each beginning with the name of its argument.

    Warns
    -----
    UserWarning
        The process node is not that of the hardware models.

    Examples
    --------
    >>> deployed_preset("act", fab_region="wind").fab_g_per_kwh
    11.0
    >>> evening = {"profile": "US/CISO", "when": "18:00-22:00"}
    >>> deployed_preset(region="France", **evening).drawn_g_per_kwh
    52.46983800
    >>> of_the_grid = deployed_preset(**evening)
    >>> of_the_grid.use_g_per_kwh, of_the_grid.use_hours_ratio
    (256.175, 1.187664682)
    """
    faults: list[str] = []
    numbers: dict[str, Any] = {
        "use_g_per_kwh": _try("region", grid_intensity, region, faults),
        "fab_g_per_kwh": _try("fab_region", grid_intensity, fab_region, faults),
    }
    for key, text in (("use_g_per_kwh", region), ("fab_g_per_kwh", fab_region)):
        if text is not None and values.get(key) is not None:
            name = "region" if key == "use_g_per_kwh" else "fab_region"
            faults.append(f"{name}: got {text} beside an intensity, allowed: one of the two")
    faults += _packaged_twice(values)
    named = numbers["use_g_per_kwh"] is not None or values.get("use_g_per_kwh") is not None
    mean, ratio = _day(profile, season, when, faults)
    numbers["use_hours_ratio"] = 1.0 if named and ratio is None else ratio
    if isinstance(preset, str) and not named:
        numbers["use_g_per_kwh"] = mean
    given = values | {name: number for name, number in numbers.items() if number is not None}
    try:
        base = load_preset(preset) if isinstance(preset, str) else preset
        given |= _memory_numbers(memory, base, values, faults)
        made = base.with_values(**given)
        faults += _lost(made, values)
    except SpecError as error:
        raise SpecError([*faults, *error.faults]) from None
    if faults:
        raise SpecError(faults)
    if mixed := mixed_nodes(made):
        warnings.warn(mixed, stacklevel=2)
    return made


def _packaged_twice(values: Mapping[str, Any]) -> list[str]:
    """Refuse a package by number beside one by area, which would both be charged."""
    by_area, by_number = values.get("package_kwh_per_mm2"), values.get("package_g")
    if not (np.any(by_area) and np.any(by_number)):
        return []
    fault = f"got {by_number} g beside a package by its area, allowed: one of the two"
    return [f"package_g: {fault}"]


def _memory_numbers(
    name: str | None, base: CarbonPreset, values: Mapping[str, Any], faults: list[str]
) -> dict[str, Any]:
    """Carbon of a memory by name and the yield that applies to it; nothing without a name."""
    memory = _try("memory", lambda text: find_memory(text, "dram"), name, faults)
    if memory is None:
        return {}
    given = values.get("memory_yield")
    if given is not None and not memory.is_before_yield:
        fault = f"got {given}, but the figure of {name} is of good memory, allowed: nothing"
        faults.append(f"memory_yield: {fault}")
    own = base.memory_yield if np.all(np.asarray(base.memory_yield) < 1.0) else memory.usual_yield
    good = own if memory.is_before_yield else 1.0
    numbers = dict.fromkeys(("dram_ca_g_per_gb", "dram_pa_g_per_gb"), memory.g_per_gb)
    return numbers | {"memory_yield": good if given is None else given}


def mixed_nodes(preset: CarbonPreset) -> str:
    """Say that the carbon of a die is that of another node than its area; '' where it is not.

    Examples
    --------
    >>> mixed_nodes(load_preset("default"))
    ''
    """
    shipped = load_preset(preset.name) if preset.name in preset_names() else preset
    own_nm, models_nm = float(preset.node_nm), float(shipped.node_nm)
    if own_nm == models_nm:
        return ""
    crossed = ""
    if crosses_literatures(own_nm, models_nm):
        crossed = f"; a comparison with {models_nm:g} nm {two_literatures()}"
    return (
        f"node {own_nm:g} nm: the carbon of the die is that of this node; its area, "
        f"energy, speed and leakage stay those of the hardware models at {models_nm:g} nm{crossed}"
    )


def _lost(made: CarbonPreset, values: dict[str, Any]) -> list[str]:
    """Say which values the preset does not use."""
    used = {
        "yield_fraction": made.yield_model == "fixed",
        "defects_per_mm2": made.yield_model != "fixed",
        "clustering": made.yield_model == "negative_binomial",
        "volume": bool(np.any(made.design_g)),
        "stacking": made.dies > 1,
        "carrier": made.dies > 1 or made.carrier == "organic",
        "package_area_ratio": bool(np.any(made.package_kwh_per_mm2)),
        "bonding_yield": made.dies > 1,
    }
    whys = dict.fromkeys(
        ("stacking", "bonding_yield", "carrier"), "which one die does not use, allowed: beside dies"
    )
    whys["package_area_ratio"] = "which a package by number does not use"
    whys["volume"] = "which nothing shares without a design"
    usual = f"which a {made.yield_model} yield does not use"
    return [
        f"{name}: got {values[name]}, {whys.get(name, usual)}"
        for name, is_used in used.items()
        if values.get(name) is not None and not is_used
    ]


def _try(
    name: str, read: Callable[[str], Found], text: str | None, faults: list[str]
) -> Found | None:
    """Read a text where there is one; put its faults under the name of the argument."""
    try:
        return None if text is None else read(text)
    except SpecError as error:
        faults += [f"{name}: {fault.partition(': ')[2]}" for fault in error.faults]
        return None


def _day(
    profile: str | None, season: str | None, when: str | None, faults: list[str]
) -> tuple[float | None, float | None]:
    """Mean of a profile, and the intensity in the hours of use over it; None without one."""
    if profile is None:
        lost, alone = {"season": season, "when": when}, "without a profile, allowed: beside one"
        faults += [f"{key}: got {text} {alone}" for key, text in lost.items() if text]
        return None, None
    try:
        hours = hourly_profile(profile, season or "ALL")
        drawn = effective_g_per_kwh(hours, when or "flat")
    except SpecError as error:
        faults += error.faults
        return None, None
    mean = float(hours.mean())
    return mean, drawn / mean if mean > 0.0 else 1.0
