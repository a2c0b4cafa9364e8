"""Several dies in one package: what carries them, what joins them, what bonding loses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from carbonopt.arrays import Floats, Number
from carbonopt.carbon.checks import non_negative
from carbonopt.carbon.presets import CHOICES, CarbonPreset, Carrier
from carbonopt.carbon.wafer import charged_area_mm2
from carbonopt.data.tables import load_facts
from carbonopt.errors import SpecError

TABLE = "packaging.csv"


def package_by_area_g(area_mm2: ArrayLike, kwh_per_mm2: Number, fab_g_per_kwh: Number) -> Floats:
    """Carbon of a package by its own area, ``C = A_package EPA_package CI_fab``.

    Parameters
    ----------
    area_mm2
        Area of the package (n,) [mm2].
    kwh_per_mm2
        Electricity to make it [kWh/mm2]; 0.001 to 0.013 for flip-chip to wafer-level packages.
    fab_g_per_kwh
        Carbon intensity where it is made [g/kWh].

    Examples
    --------
    >>> float(package_by_area_g(100.0, 0.00135, 635.0))
    85.725
    """
    return non_negative("area_mm2", area_mm2) * (kwh_per_mm2 * fab_g_per_kwh)


def carrier_g(
    die_mm2: ArrayLike, preset: CarbonPreset, carrier: Carrier, *, bridges: int = 1
) -> Floats:
    """Carbon of what dies sit on, beside the package itself.

    ``interposer``: ``A* CPA(65 nm) w``, wiring share w. ``rdl``: the same times 6 of 8 layers.
    ``bridge``: n bridges of 25 mm2, ``A* CPA(22 nm) w`` each. ``organic``: 0, the package has it.

    Parameters
    ----------
    die_mm2
        Area of all dies together (n,); the carrier is 1.1 times as large [mm2].
    preset
        Numbers of the model: grid of the fab, abatement, yield model, accounting. Values that were
        given and samples keep their ratio to the table at the node of the carrier.
    carrier
        What the dies sit on.
    bridges
        Number of embedded bridges.

    Returns
    -------
    Floats
        Carbon (n,) [g CO2e].

    Raises
    ------
    SpecError
        Unknown carrier.

    References
    ----------
    ECO-CHIP, HPCA 2024; each figure in ``packaging.csv``.

    Examples
    --------
    >>> from carbonopt.carbon.presets import load_preset
    >>> float(carrier_g(100.0, load_preset("default"), "rdl").round())
    442.0
    """
    facts = load_facts(TABLE)
    area = non_negative("die_mm2", die_mm2)
    if carrier not in CHOICES["carrier"]:
        raise SpecError(f"carrier: got {carrier}, allowed: {', '.join(CHOICES['carrier'])}")
    if carrier == "organic":
        return np.zeros_like(area)
    kind = "bridge" if carrier == "bridge" else "interposer"
    wired = preset.at_node(facts[f"{kind}.node_nm"])
    density = wired.defects_per_mm2 * facts["substrate.d0_factor"]
    wired = wired.with_values(defects_per_mm2=density)
    cpa = wired.fab_g_per_mm2 * facts[f"{kind}.wiring_share"]
    if carrier == "bridge":
        return np.full_like(area, bridges) * charged_area_mm2(facts["bridge.mm2"], wired) * cpa
    layers = facts["rdl.layers"] / facts["interposer.layers"] if carrier == "rdl" else 1.0
    return charged_area_mm2(area * facts["substrate.area_ratio"], wired) * (cpa * layers)


def good_bonds(preset: CarbonPreset) -> Number:
    """Share of packages whose dies were joined without a fault, ``Y_bond^k`` [-].

    k is the number of dies where they are stacked, 1 for several side by side, 0 for one.

    Examples
    --------
    >>> from carbonopt.carbon.presets import load_preset
    >>> good_bonds(load_preset("default").with_values(dies=4, stacking="stacked"))
    0.96059601
    """
    if preset.dies == 1:
        return 1.0
    return preset.bonding_yield ** (preset.dies if preset.stacking == "stacked" else 1)


def chiplets_g(
    areas_mm2: Sequence[float], nodes_nm: Sequence[float], preset: CarbonPreset
) -> dict[str, float]:
    """Carbon of one package with dies of several sizes and nodes, by part.

    ``M = (sum_i C_die,i + C_carrier) / Y_bond^k + C_package``: a failed bond loses the dies and the
    carrier; k as in `good_bonds`. Equal dies of one node are keys of a preset: `dies`.

    Parameters
    ----------
    areas_mm2, nodes_nm
        Area and node of each die [mm2], [nm].
    preset
        Numbers of the model; its node and number of dies are replaced by those of the dies. One
        bridge joins two dies.

    Returns
    -------
    dict
        dies, carrier, bonding (what it loses), package [g CO2e]; their sum is the total.

    Raises
    ------
    SpecError
        As many nodes as areas are needed.

    References
    ----------
    ECO-CHIP, HPCA 2024.

    Examples
    --------
    >>> from carbonopt.carbon.presets import load_preset
    >>> whole = sum(chiplets_g([600.0], [7], load_preset("default")).values())
    >>> split = sum(chiplets_g([300.0, 300.0], [7, 7], load_preset("default")).values())
    >>> round(split / whole, 2)
    0.54
    """
    if len(areas_mm2) != len(nodes_nm) or not len(areas_mm2):
        raise SpecError(f"nodes_nm: got {len(nodes_nm)}, allowed: one for each of the areas")
    dies = 0.0
    for area, node in zip(areas_mm2, nodes_nm, strict=True):
        made = preset.at_node(node)
        dies += float(charged_area_mm2(area, made) * made.fab_g_per_mm2)
    joined = preset.with_values(dies=len(areas_mm2))
    carried = float(carrier_g(sum(areas_mm2), joined, joined.carrier, bridges=joined.dies - 1))
    lost = (dies + carried) * (1.0 / float(good_bonds(joined)) - 1.0)
    package = float(preset.package_g + sum(areas_mm2) * preset.package_g_per_mm2)
    return {"dies": dies, "carrier": carried, "bonding": lost, "package": package}
