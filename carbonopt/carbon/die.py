"""Carbon of a processed wafer area, and how much of it one good die stands for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from carbonopt.arrays import Floats, Number
from carbonopt.carbon.checks import non_negative, positive, share
from carbonopt.data.tables import interpolate_log_log, load_facts
from carbonopt.errors import ModelRangeError

NODES = "fab_nodes.csv"
YieldModel = Literal["fixed", "poisson", "murphy", "seeds", "negative_binomial"]
Accounting = Literal["area", "wafer"]
_MM2_PER_CM2 = 100.0
_OLD_FROM_NM, _NEW_TO_NM = 45.0, 28.0


@dataclass(frozen=True)
class NodeCarbon:
    """What a process node emits and loses.

    Parameters
    ----------
    kwh_per_mm2
        Electricity of the fab per wafer area, EPA [kWh/mm2].
    gas_g_per_mm2, material_g_per_mm2
        Direct process gases, GPA, and procured materials, MPA, per wafer area [g/mm2].
    defects_per_mm2
        Density of the defects that kill a die, D0 [1/mm2].
    """

    kwh_per_mm2: float
    gas_g_per_mm2: float
    material_g_per_mm2: float
    defects_per_mm2: float

    def g_per_mm2(self, fab_g_per_kwh: Number) -> Number:
        """Carbon per wafer area, ``CPA = CI_fab EPA + GPA + MPA`` [g/mm2]."""
        return fab_g_per_kwh * self.kwh_per_mm2 + self.gas_g_per_mm2 + self.material_g_per_mm2


@cache
def node_points(quantity: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Nodes for which the table states a quantity, rising [nm], and its values.

    Examples
    --------
    >>> node_points("d0")[0]
    (3.0, 5.0, 7.0, 10.0, 14.0, 22.0, 28.0, 65.0, 180.0)
    """
    points = {}
    for key, value in load_facts(NODES).items():
        node, name = key.split(".")
        if name == quantity:
            points[float(node.removesuffix("nm"))] = value
    return tuple(sorted(points)), tuple(points[node] for node in sorted(points))


@cache
def abatements_percent() -> tuple[float, float]:
    """Lowest and highest abatement for which the table states process gases [%].

    Examples
    --------
    >>> abatements_percent()
    (95.0, 99.0)
    """
    names = {key.split(".")[1] for key in load_facts(NODES)}
    shares = [float(name.removeprefix("gpa")) for name in names if name.startswith("gpa")]
    return min(shares), max(shares)


@lru_cache(maxsize=256)
def node_carbon(node_nm: float, abatement_percent: float) -> NodeCarbon:
    """Look up what a process node emits, between the nodes of the table by interpolation.

    EPA, GPA and D0 are linear in the logarithms of node and value; GPA is linear in the
    abatement: at 97 % it is the mean of those at 95 % and 99 %.

    Parameters
    ----------
    node_nm
        Process node, 3 to 180 [nm].
    abatement_percent
        Share of the process gases that is destroyed, 95 to 99 [%].

    Raises
    ------
    ModelRangeError
        Node or abatement outside the table.

    Notes
    -----
    Between 28 nm and 45 nm two literatures meet that differ by a factor of 2.25. A lookup says
    nothing of it; presets, designs and runs that lie on both sides do, once: `across_literatures`.

    References
    ----------
    ACT, ISCA 2022, table 1 (28 nm and below); EmbodiedCarbonModeling (45 nm and above);
    ECO-CHIP, HPCA 2024 (defects). Each number with its source is in ``fab_nodes.csv``.

    Examples
    --------
    >>> node_carbon(28, 97)
    NodeCarbon(kwh_per_mm2=0.009, gas_g_per_mm2=1.375, material_g_per_mm2=5.0, defects_per_mm2=0.0007)
    """  # noqa: E501
    low, high = abatements_percent()
    if not low <= abatement_percent <= high:
        raise ModelRangeError(
            f"abatement: got {abatement_percent:g} %, allowed: {low:g} to {high:g} %"
        )
    part = (abatement_percent - low) / (high - low)
    least, most = (_at_node(f"gpa{percent:g}", node_nm) for percent in (low, high))
    gas = (1 - part) * least + part * most
    return NodeCarbon(
        kwh_per_mm2=_at_node("epa", node_nm) / _MM2_PER_CM2,
        gas_g_per_mm2=gas / _MM2_PER_CM2,
        material_g_per_mm2=_at_node("mpa", node_nm) / _MM2_PER_CM2,
        defects_per_mm2=_at_node("d0", node_nm) / _MM2_PER_CM2,
    )


def two_literatures() -> str:
    """Say where two literatures of fab electricity meet, and how far they differ.

    Examples
    --------
    >>> two_literatures()
    'lies where two literatures meet: EPA is 0.9 kWh/cm2 at 28 nm and 0.4 kWh/cm2 at 45 nm, for reasons of method as well as of process'
    """  # noqa: E501
    epa = dict(zip(*node_points("epa"), strict=True))
    new, old = (f"{epa[node]:g} kWh/cm2 at {node:g} nm" for node in (_NEW_TO_NM, _OLD_FROM_NM))
    return (
        f"lies where two literatures meet: EPA is {new} and {old}, "
        "for reasons of method as well as of process"
    )


def crosses_literatures(node_nm: float, other_nm: float) -> bool:
    """Whether the figures of two nodes come from the two literatures, one from each.

    Examples
    --------
    >>> crosses_literatures(65, 28), crosses_literatures(65, 45), crosses_literatures(7, 28)
    (True, False, False)
    """
    return (node_nm > _NEW_TO_NM) != (other_nm > _NEW_TO_NM)


def across_literatures(nodes_nm: Collection[float]) -> str:
    """Say that designs are made at nodes of both literatures; '' where they are not.

    Examples
    --------
    >>> across_literatures([65, 22, 65])
    'nodes of 22, 65 nm: a comparison lies where two literatures meet: EPA is 0.9 kWh/cm2 at 28 nm and 0.4 kWh/cm2 at 45 nm, for reasons of method as well as of process'
    >>> across_literatures([45, 65])
    ''
    """  # noqa: E501
    nodes = sorted(set(nodes_nm))
    if not nodes or not crosses_literatures(nodes[0], nodes[-1]):
        return ""
    listed = ", ".join(f"{node:g}" for node in nodes)
    return f"nodes of {listed} nm: a comparison {two_literatures()}"


def _at_node(quantity: str, node_nm: float) -> float:
    nodes, values = node_points(quantity)
    return float(interpolate_log_log(node_nm, nodes, values, name=f"node, {quantity}", unit="nm"))


def _fixed(mean: Floats, clustering: Number, fraction: Number) -> Floats:
    """``Y = f``, whatever the area."""
    return np.asarray(fraction, dtype=np.float64)


def _poisson(mean: Floats, clustering: Number, fraction: Number) -> Floats:
    """``Y = exp(-A D)``: defects fall independently."""
    return np.asarray(np.exp(-mean))


def _murphy(mean: Floats, clustering: Number, fraction: Number) -> Floats:
    """``Y = ((1 - exp(-A D)) / (A D))^2``: density in a triangle."""
    safe = np.where(mean > 0, mean, 1.0)
    return np.where(mean > 0, (-np.expm1(-safe) / safe) ** 2, 1.0)


def _seeds(mean: Floats, clustering: Number, fraction: Number) -> Floats:
    """``Y = 1 / (1 + A D)``: density in an exponential."""
    return 1.0 / (1.0 + mean)


def _negative_binomial(mean: Floats, clustering: Number, fraction: Number) -> Floats:
    """``Y = (1 + A D / alpha)^-alpha``: density in a gamma distribution."""
    return np.asarray((1.0 + mean / clustering) ** -np.asarray(clustering, dtype=np.float64))


YIELD_MODELS: Mapping[str, Callable[[Floats, Number, Number], Floats]] = MappingProxyType(
    {
        "fixed": _fixed,
        "poisson": _poisson,
        "murphy": _murphy,
        "seeds": _seeds,
        "negative_binomial": _negative_binomial,
    }
)


def die_yield(
    area_mm2: ArrayLike,
    model: YieldModel,
    *,
    defects_per_mm2: Number = 0.0,
    clustering: Number = 1.0,
    fraction: Number = 1.0,
) -> Floats:
    """Share of the dies of a wafer that work.

    ``fixed``: f. ``poisson``: e^-AD. ``murphy``: ((1 - e^-AD) / AD)^2. ``seeds``: 1 / (1 + AD).
    ``negative_binomial``: (1 + AD / alpha)^-alpha.

    Parameters
    ----------
    area_mm2
        Area A of a die (n,) [mm2].
    model
        Distribution of the defect density over a wafer.
    defects_per_mm2
        Mean defect density D [1/mm2], a number or samples that broadcast, as (m, 1).
    clustering
        alpha of the negative binomial [-].
    fraction
        The share itself, where it is fixed [-].

    Raises
    ------
    ModelRangeError
        Area or density below 0 or not a number, clustering not above 0, fixed share outside
        (0, 1].

    References
    ----------
    .. [1] B. T. Murphy, Proc. IEEE 52(12), 1964. R. B. Seeds, IEEE IEDM, 1967.
       C. H. Stapper, IEEE Trans. Electron Devices 20(7), 1973.

    Examples
    --------
    >>> float(die_yield(100.0, "poisson", defects_per_mm2=0.001))
    0.904837418
    """
    if model not in YIELD_MODELS:
        raise ModelRangeError(f"model: got {model}, allowed: {', '.join(YIELD_MODELS)}")
    density = non_negative("defects_per_mm2", defects_per_mm2)
    alpha, fixed = positive("clustering", clustering), share("fraction", fraction)
    mean = np.asarray(non_negative("area_mm2", area_mm2) * density)
    return YIELD_MODELS[model](mean, alpha, fixed)


def dies_per_wafer(
    area_mm2: ArrayLike, *, wafer_mm: Number, edge_mm: Number, scribe_mm: Number
) -> Floats:
    """Count the dies that a round wafer holds, not rounded.

    ``N = pi d^2 / (4 a) - pi d / sqrt(2 a)``, usable diameter ``d = wafer - 2 edge``,
    die with its scribe lines ``a = (sqrt(A) + scribe)^2``.

    Parameters
    ----------
    area_mm2
        Area A of a square die (n,) [mm2].
    wafer_mm, edge_mm, scribe_mm
        Diameter, edge exclusion and width of the scribe lines [mm].

    Raises
    ------
    ModelRangeError
        A die so large that less than one fits, an edge of half the wafer or more, a length below
        0.

    References
    ----------
    .. [1] D. K. de Vries, IEEE Trans. Semicond. Manuf. 18(1), 2005.

    Examples
    --------
    >>> round(float(dies_per_wafer(100.0, wafer_mm=300.0, edge_mm=0.0, scribe_mm=0.0)), 1)
    640.2
    """
    area = non_negative("area_mm2", area_mm2)
    edge = non_negative("edge_mm", edge_mm)
    diameter = np.asarray(positive("wafer_mm", wafer_mm) - 2.0 * edge)
    if not (diameter > 0.0).all():
        got, allowed = float(np.max(edge)), f"less than half of the wafer's {wafer_mm} mm"
        raise ModelRangeError(f"edge_mm: got {got:g}, allowed: {allowed}")
    side = np.sqrt(area) + non_negative("scribe_mm", scribe_mm)
    count = np.asarray(np.pi * diameter / side * (diameter / (4.0 * side) - 1.0 / np.sqrt(2.0)))
    if not (count >= 1.0).all():
        worst = float(np.max(area))
        raise ModelRangeError(
            f"area_mm2: got {worst:g}, allowed: at least one die on a wafer of {wafer_mm} mm"
        )
    return count
