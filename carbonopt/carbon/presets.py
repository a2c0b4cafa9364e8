"""Carbon presets: named sets of the numbers that the carbon model needs, each with its source."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

from carbonopt.data.tables import load_facts
from carbonopt.errors import SpecError

TABLE = "carbon_presets.csv"
Activity = Literal["CA", "PA"]
LateRule = Literal["fractional", "infeasible"]


@dataclass(frozen=True)
class CarbonPreset:
    """Numbers of the carbon model; sources are in the table ``carbon_presets.csv``.

    Parameters
    ----------
    name
        Name of the preset.
    lifetime_s
        Time over which a device is used [s].
    use_g_per_kwh, fab_g_per_kwh
        Carbon intensity of electricity where the device runs and where it is made [g/kWh].
    pue
        Power usage effectiveness: energy drawn from the grid per energy of the device [-].
    fab_kwh_per_mm2
        Electricity to process a wafer area [kWh/mm2].
    gas_g_per_mm2, material_g_per_mm2
        Direct process gases and procured materials per wafer area [g/mm2].
    yield_fraction
        Share of the processed area that ends in good dies [-].
    package_g
        Carbon of one package [g].
    dram_ca_g_per_gb, dram_pa_g_per_gb
        Carbon of DRAM in the CA and the PA scenario [g/GB]; one figure but for `carbonspot`.
    late_rule
        What a PA design costs that takes longer than its period: ``infeasible``, a full
        period, the constraint marks it; ``fractional``, its latency, which is CA.
    """

    name: str
    lifetime_s: float
    use_g_per_kwh: float
    fab_g_per_kwh: float
    pue: float
    fab_kwh_per_mm2: float
    gas_g_per_mm2: float
    material_g_per_mm2: float
    yield_fraction: float
    package_g: float
    dram_ca_g_per_gb: float
    dram_pa_g_per_gb: float
    late_rule: LateRule

    def with_values(
        self,
        *,
        lifetime_s: float | None = None,
        use_g_per_kwh: float | None = None,
        fab_g_per_kwh: float | None = None,
        yield_fraction: float | None = None,
        package_g: float | None = None,
    ) -> CarbonPreset:
        """Return a copy with some numbers replaced; None keeps the preset's own.

        Raises
        ------
        SpecError
            Every value that is out of range.

        Examples
        --------
        >>> load_preset("default").with_values(use_g_per_kwh=25.0).use_g_per_kwh
        25.0
        """
        wanted: dict[str, Any] = {
            "lifetime_s": lifetime_s,
            "use_g_per_kwh": use_g_per_kwh,
            "fab_g_per_kwh": fab_g_per_kwh,
            "yield_fraction": yield_fraction,
            "package_g": package_g,
        }
        values = {name: value for name, value in wanted.items() if value is not None}
        faults = [fault for name, value in values.items() if (fault := _fault(name, value))]
        if faults:
            raise SpecError(faults)
        return replace(self, **values)

    def dram_g_per_gb(self, activity: Activity) -> float:
        """Carbon of DRAM that the scenario charges [g/GB]."""
        return self.dram_ca_g_per_gb if activity == "CA" else self.dram_pa_g_per_gb


def _fault(name: str, value: float) -> str | None:
    if name == "yield_fraction":
        fine, allowed = 0 < value <= 1, "above 0, at most 1"
    elif name == "lifetime_s":
        fine, allowed = 0 < value < math.inf, "above 0 s"
    else:
        fine, allowed = 0 <= value < math.inf, "0 or more"
    return None if fine else f"carbon preset: {name}: got {value}, allowed: {allowed}"


def preset_names() -> list[str]:
    """Names of the shipped carbon presets.

    Examples
    --------
    >>> preset_names()
    ['carbonspot', 'default']
    """
    return sorted({key.split(".")[0] for key in load_facts(TABLE)})


def load_preset(name: str) -> CarbonPreset:
    """Load a shipped carbon preset by name.

    ``carbonspot`` repeats the published numbers of CarbonSpot, oddities included: one grid
    figure of 2022 for fab and use, DRAM at 200 g/GB (CA) and 174 g/GB (PA), a late design
    charged as in CA. ``default`` resolves them: grids of 2024, gases at 97 % abatement, one
    DRAM figure, a late design infeasible; its yield is the fixed 0.875 of ACT.

    Raises
    ------
    SpecError
        Unknown name.

    References
    ----------
    CarbonSpot, IEEE TCAD 2025, doi 10.1109/TCAD.2025.3602746. ACT, ISCA 2022.
    """
    values = {
        key.removeprefix(f"{name}."): value
        for key, value in load_facts(TABLE).items()
        if key.startswith(f"{name}.")
    }
    if not values:
        raise SpecError(f"carbon preset: got {name!r}, allowed: {', '.join(preset_names())}")
    scale = values.pop("dram_scale")
    late_rule: LateRule = "fractional" if values.pop("late_extends_period") else "infeasible"
    values["dram_ca_g_per_gb"] *= scale
    values["dram_pa_g_per_gb"] *= scale
    return CarbonPreset(name=name, late_rule=late_rule, **values)
