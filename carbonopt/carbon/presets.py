"""Carbon presets: named sets of the numbers that the carbon model needs, each with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from carbonopt.arrays import Floats, Number
from carbonopt.carbon.die import (
    Accounting,
    YieldModel,
    abatements_percent,
    node_carbon,
    node_points,
)
from carbonopt.data.tables import load_facts, load_table
from carbonopt.errors import SpecError

TABLE = "carbon_presets.csv"
RULES = "carbon_rules.csv"
Activity = Literal["CA", "PA"]
LateRule = Literal["fractional", "infeasible", "replicate"]
ReticleRule = Literal["met", "free"]
Carrier = Literal["organic", "rdl", "interposer", "bridge"]
Stacking = Literal["side_by_side", "stacked"]


@dataclass(frozen=True)
class CarbonPreset:
    """Numbers of the carbon model; sources are in ``carbon_presets.csv``, ``carbon_rules.csv``.

    Every number but the node may also be an array of samples that broadcasts against the
    designs, as (m, 1) against (n,). Designs of several nodes have nodes and numbers (n,).

    Parameters
    ----------
    name
        Name of the preset.
    lifetime_s
        Time over which a device is used [s].
    utilisation
        Share of the lifetime in which tasks run back to back, CA only [-].
    interval_ratio
        Initiation interval over latency: 1 unless the device is pipelined [-].
    use_g_per_kwh, fab_g_per_kwh
        Carbon intensity of electricity where the device runs, mean of the day, and where it is
        made [g/kWh].
    use_hours_ratio
        Intensity in the hours in which the device runs over the mean of the day [-].
    decarbonisation_per_year
        Yearly fall of the intensity in use, as a share of the year before [1/yr].
    pue
        Power usage effectiveness: energy drawn from the grid per energy of the device [-].
    node_nm, abatement_percent
        Process node of the die [nm], share of the process gases that is destroyed [%].
    fab_kwh_per_mm2
        Electricity to process a wafer area [kWh/mm2].
    gas_g_per_mm2, material_g_per_mm2
        Direct process gases and procured materials per wafer area [g/mm2].
    yield_model
        How the yield of a die follows from its area: see `carbonopt.carbon.die.die_yield`.
    yield_fraction
        Share of good dies where the yield model is ``fixed`` [-].
    defects_per_mm2, clustering
        Defect density [1/mm2] and its clustering, alpha of the negative binomial [-].
    line_yield
        Share of the wafers that leave the line [-].
    accounting
        ``area``: a die is charged its own area. ``wafer``: its share of a whole wafer.
    wafer_mm, edge_mm, scribe_mm
        Diameter of the wafer, edge exclusion, width of the scribe lines [mm].
    reticle_mm2, reticle_rule
        Largest die that a scanner exposes [mm2]; ``met``: a constraint, ``free``: none.
    dies
        Equal dies into which a chip is cut; 1 is monolithic [-].
    carrier
        What the dies sit on: ``organic`` (the package itself), ``rdl``, ``interposer``, ``bridge``.
    stacking, bonding_yield
        ``side_by_side`` or ``stacked``, and the share of bonds without a fault [-].
    package_g
        Carbon of one package, whatever its area [g].
    package_kwh_per_mm2, package_area_ratio
        Electricity to make a package per its own area [kWh/mm2], and that area over the area of
        all dies in it [-]: a package by area, on the grid of the fab.
    leakage_factor
        Factor on the leakage of the machine: 1 as its cells leak, 0 none is charged [-].
    dram_ca_g_per_gb, dram_pa_g_per_gb
        Carbon of DRAM in the CA and the PA scenario [g/GB]; one figure but for `carbonspot`.
    memory_yield
        Share of good memory, where the figure is before yield [-].
    board_g, end_of_life_g
        Printed board with its parts; transport and end of life, per device [g].
    design_g, volume
        Design effort of all devices together [g] and number of devices that share it [-].
    late_rule
        What a PA design costs that takes longer than its period: ``infeasible``, a full
        period, the constraint marks it; ``replicate``, as many devices as keep the pace;
        ``fractional``, its latency, which is CA.
    hardware
        Hardware and latency models that go with the preset, ``carbonspot`` or ``default``.
    """

    name: str
    lifetime_s: Number
    utilisation: Number
    interval_ratio: Number
    use_g_per_kwh: Number
    use_hours_ratio: Number
    decarbonisation_per_year: Number
    pue: Number
    leakage_factor: Number
    fab_g_per_kwh: Number
    node_nm: Number
    abatement_percent: float
    fab_kwh_per_mm2: Number
    gas_g_per_mm2: Number
    material_g_per_mm2: Number
    yield_model: YieldModel
    yield_fraction: Number
    defects_per_mm2: Number
    clustering: Number
    line_yield: Number
    accounting: Accounting
    wafer_mm: Number
    edge_mm: Number
    scribe_mm: Number
    reticle_mm2: Number
    reticle_rule: ReticleRule
    dies: int
    carrier: Carrier
    stacking: Stacking
    bonding_yield: Number
    package_g: Number
    package_kwh_per_mm2: Number
    package_area_ratio: Number
    dram_ca_g_per_gb: Number
    dram_pa_g_per_gb: Number
    memory_yield: Number
    board_g: Number
    design_g: Number
    volume: Number
    end_of_life_g: Number
    late_rule: LateRule
    hardware: str

    def with_values(self, **values: Any) -> CarbonPreset:  # noqa: ANN401  each field's own type
        """Return a copy with some numbers or rules replaced; None keeps the preset's own.

        A `node_nm` or `abatement_percent` brings the numbers of its node along: energy, gases,
        materials, defects. A `yield_fraction` makes the yield model ``fixed``. A
        `package_kwh_per_mm2` above 0 takes the place of `package_g`. What is given by name beside
        them wins.

        Raises
        ------
        SpecError
            Every name that is unknown and every value that is out of range.

        Examples
        --------
        >>> load_preset("default").with_values(use_g_per_kwh=25.0).use_g_per_kwh
        25.0
        >>> load_preset("default").with_values(node_nm=7).fab_kwh_per_mm2
        0.0215
        """
        given = {name: value for name, value in values.items() if value is not None}
        faults = [fault for name, value in given.items() if (fault := _fault(name, value))]
        if np.any(given.get("design_g", 0.0)) and not (np.any(self.design_g) or "volume" in given):
            faults.append(
                f"carbon preset: design_g: got {given['design_g']} without a volume, allowed: "
                "beside a volume, the number of devices that share it"
            )
        if faults:
            raise SpecError(faults)
        implied: dict[str, Any] = {}
        if "node_nm" in given or "abatement_percent" in given:
            implied = _of_node(
                given.get("node_nm", self.node_nm),
                given.get("abatement_percent", self.abatement_percent),
            )
        if "yield_fraction" in given:
            implied["yield_model"] = "fixed"
        if np.any(given.get("package_kwh_per_mm2", 0.0)):
            implied["package_g"] = 0.0
        made = replace(self, **implied | given)
        if np.any(2.0 * np.asarray(made.edge_mm) >= made.wafer_mm):
            fault = f"edge_mm: got {made.edge_mm}, allowed: less than half of {made.wafer_mm} mm"
            raise SpecError(f"carbon preset: {fault}")
        return made

    def at_node(self, node_nm: Number) -> CarbonPreset:
        """Return the same fab at another node: for a die of another node, or for what carries dies.

        ``x(node) = x(own node) table(node) / table(own node)`` for energy, gases, materials and
        defects: a value that was given and samples keep their ratio to the table.

        Parameters
        ----------
        node_nm
            Process node, or that of each design (n,) [nm].

        Raises
        ------
        SpecError
            A node outside the table.

        Examples
        --------
        >>> preset = load_preset("default").with_values(defects_per_mm2=0.0014)
        >>> round(preset.at_node(65).defects_per_mm2, 6)
        0.001
        """
        if fault := _fault("node_nm", node_nm):
            raise SpecError(fault)
        own = _of_node(self.node_nm, self.abatement_percent)
        there = _of_node(node_nm, self.abatement_percent)
        numbers = {name: getattr(self, name) * (there[name] / own[name]) for name in own}
        return replace(self, node_nm=node_nm, **numbers)

    @property
    def fab_g_per_mm2(self) -> Number:
        """Carbon per processed wafer area, ``CPA = CI_fab EPA + GPA + MPA`` [g/mm2]."""
        energy = self.fab_g_per_kwh * self.fab_kwh_per_mm2
        return energy + self.gas_g_per_mm2 + self.material_g_per_mm2

    @property
    def drawn_g_per_kwh(self) -> Number:
        """Carbon intensity of the electricity that the device draws, in its hours [g/kWh]."""
        return self.use_g_per_kwh * self.use_hours_ratio

    def dram_g_per_gb(self, activity: Activity) -> Number:
        """Carbon of DRAM that the scenario charges, yield included [g/GB]."""
        figure = self.dram_ca_g_per_gb if activity == "CA" else self.dram_pa_g_per_gb
        return figure / self.memory_yield


def _of_node(node_nm: Number, abatement_percent: float) -> dict[str, Number]:
    """Fields that a process node, or that of each design (n,), brings along."""
    if np.ndim(node_nm):
        places, nodes = pd.factorize(np.ravel(node_nm))
        made = [_of_node(node, abatement_percent) for node in nodes.tolist()]
        shape = np.shape(node_nm)
        return {
            name: np.array([each[name] for each in made])[places].reshape(shape) for name in made[0]
        }
    node = node_carbon(float(node_nm), abatement_percent)
    return {
        "fab_kwh_per_mm2": node.kwh_per_mm2,
        "gas_g_per_mm2": node.gas_g_per_mm2,
        "material_g_per_mm2": node.material_g_per_mm2,
        "defects_per_mm2": node.defects_per_mm2,
    }


FIELDS = tuple(field.name for field in fields(CarbonPreset) if field.name != "name")
CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "yield_model": get_args(YieldModel),
        "accounting": get_args(Accounting),
        "late_rule": get_args(LateRule),
        "reticle_rule": get_args(ReticleRule),
        "carrier": get_args(Carrier),
        "stacking": get_args(Stacking),
        "hardware": ("carbonspot", "default"),
    }
)
"""Words that a rule of a preset allows."""
_ABOVE_ZERO = ("clustering", "wafer_mm", "reticle_mm2", "volume", "package_area_ratio")
_SHARES = (
    "yield_fraction",
    "line_yield",
    "bonding_yield",
    "memory_yield",
    "utilisation",
    "interval_ratio",
)


def _fault(name: str, value: Any) -> str | None:  # noqa: ANN401  a number, samples or a word
    """Say what is wrong with a value; nothing if nothing is."""
    where = f"carbon preset: {name}"
    if name not in FIELDS:
        near = get_close_matches(name, FIELDS, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        return f"{where}: unknown{hint}, allowed: {', '.join(FIELDS)}"
    if name in CHOICES:
        allowed = CHOICES[name]
        return None if value in allowed else f"{where}: got {value}, allowed: {', '.join(allowed)}"
    numbers = np.atleast_1d(np.asarray(value, dtype=np.float64)).ravel()
    inside, said = _range_of(name, numbers)
    bad = numbers[~(inside & np.isfinite(numbers))]
    return f"{where}: got {bad[0]}, allowed: {said}" if bad.size else None


def _range_of(name: str, numbers: Floats) -> tuple[Any, str]:
    """Which numbers a field allows, and how to say so."""
    if name in _SHARES:
        return (numbers > 0) & (numbers <= 1), "above 0, at most 1"
    if name == "dies":
        return (numbers >= 1) & (numbers % 1 == 0), "a whole number from 1"
    if name == "lifetime_s":
        return numbers > 0, "above 0 s"
    if name in _ABOVE_ZERO:
        return numbers > 0, "above 0"
    if name == "pue":
        return numbers >= 1, "1 or more"
    if name == "decarbonisation_per_year":
        return (numbers >= 0) & (numbers < 1), "0 or more, below 1"
    if name == "abatement_percent":
        low, high = abatements_percent()
        return (numbers >= low) & (numbers <= high), f"{low:g} to {high:g} %"
    if name == "node_nm":
        nodes = node_points("epa")[0]
        said = (
            f"{nodes[0]:g} to {nodes[-1]:g} nm, of the table: {', '.join(f'{n:g}' for n in nodes)}"
        )
        return (numbers >= nodes[0]) & (numbers <= nodes[-1]), said
    return numbers >= 0, "0 or more"


def preset_names() -> list[str]:
    """Names of the shipped carbon presets.

    Examples
    --------
    >>> preset_names()
    ['act', 'carbonspot', 'default']
    """
    return sorted({key.split(".")[0] for key in load_facts(TABLE)})


def load_preset(name: str) -> CarbonPreset:
    """Load a shipped carbon preset by name.

    ``act`` repeats ACT v2: 583 g/kWh in the fab, 380 g/kWh in use, a fixed yield of 0.875 that
    divides dies and memory, 2 years. ``carbonspot`` repeats the published numbers of
    CarbonSpot, oddities included: one grid figure of 2022 for fab and use, DRAM at 200 g/GB (CA)
    and 174 g/GB (PA), a late design charged as in CA. ``default`` resolves them: grids of 2024,
    gases at 97 % abatement, one DRAM figure, a yield that falls with the area, whole wafers, a
    late design infeasible.

    Raises
    ------
    SpecError
        Unknown name.

    References
    ----------
    CarbonSpot, IEEE TCAD 2025, doi 10.1109/TCAD.2025.3602746. ACT, ISCA 2022.
    """
    values: dict[str, Any] = {
        key.removeprefix(f"{name}."): value
        for key, value in load_facts(TABLE).items()
        if key.startswith(f"{name}.")
    }
    if not values:
        raise SpecError(f"carbon preset: got {name!r}, allowed: {', '.join(preset_names())}")
    rules = load_table(RULES)
    rules = rules[rules["preset"] == name]
    values |= dict(zip(rules["rule"], rules["value"], strict=True))
    scale = values.pop("dram_scale")
    values["dram_ca_g_per_gb"] *= scale
    values["dram_pa_g_per_gb"] *= scale
    return CarbonPreset(name=name, **values | {"dies": int(values["dies"])})


def compare_presets() -> pd.DataFrame:
    """Put the presets side by side: a row per number or rule, a column per preset.

    Examples
    --------
    >>> compare_presets().loc["use_g_per_kwh"].tolist()
    [380.0, 301.0, 473.0]
    """
    presets = {name: load_preset(name) for name in preset_names()}
    return pd.DataFrame(
        {name: [getattr(preset, field) for field in FIELDS] for name, preset in presets.items()},
        index=pd.Index(FIELDS, name="quantity"),
    )
