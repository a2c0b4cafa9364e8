"""The only list of metrics: name (the column), unit and label; every metric is minimised."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from carbonopt.errors import SpecError
from carbonopt.units import unit_of

BUILDABLE = "limit.buildable"
"""Column that is above 0 where a design could not be built or mapped."""

GAP = "mapping_gap@"
"""Columns that say how far the mappings of a network are at most above the least; inf: unproven."""

MAPPING_OBJECTIVES = ("edp", "energy", "latency", "carbon_ca", "carbon_pa")
"""What the mappings of a network can be chosen for; edp is energy x latency."""


@dataclass(frozen=True)
class Metric:
    """One quantity that a design is judged by; smaller is better.

    Parameters
    ----------
    name
        Column of the evaluation table; its suffix tells the unit.
    label
        What figures and tables call it.
    factors
        Columns whose product is the metric, where the evaluation does not give it itself.
    reference
        Who defined the metric; ``definition`` of a plain quantity.
    """

    name: str
    label: str
    factors: tuple[str, ...] = ()
    reference: str = ""

    @property
    def unit(self) -> str:
        """Canonical unit, '' where the metric has none."""
        return unit_of(self.name)

    @property
    def title(self) -> str:
        """Label with its unit in brackets, as on an axis.

        Examples
        --------
        >>> metric("energy_j").title
        'energy per inference [J]'
        """
        return f"{self.label} [{self.unit}]" if self.unit else self.label


_DEFINED = "definition"
_ACT = "ACT, ISCA 2022"
_CORDOBA = "CORDOBA, HPCA 2025"
_CARBONSPOT = "CarbonSpot, IEEE TCAD 2025"
_CCI = "I. Schneider et al., arXiv:2502.01671"
_CHASING = "Chasing Carbon, HPCA 2021"
_SCI = "ISO/IEC 21031:2024"
_EDP = "R. Gonzalez, M. Horowitz, IEEE JSSC 31(9), 1996"
_CVAR = "R. T. Rockafellar, S. Uryasev, J. Risk 2(3), 2000"

#: metrics of one inference: also selectable for one network, as in ``latency_s@resnet8``
PER_NETWORK = (
    Metric("latency_s", "latency per inference", (), _DEFINED),
    Metric("energy_j", "energy per inference", (), _DEFINED),
    Metric("carbon_ca_g", "carbon CA per inference", (), _CARBONSPOT),
    Metric("carbon_pa_g", "carbon PA per inference", (), _CARBONSPOT),
    Metric("operational_ca_g", "operational carbon CA per inference", (), _ACT),
    Metric("operational_pa_g", "operational carbon PA per inference, idle included", (), _ACT),
    Metric("cci_ca_g_per_eop", "compute carbon intensity CA", (), _CCI),
    Metric("cci_pa_g_per_eop", "compute carbon intensity PA", (), _CCI),
    Metric("break_even_ca_s", "break-even lifetime CA", (), _CHASING),
    Metric("break_even_pa_s", "break-even lifetime PA", (), _CHASING),
    Metric("sci_ca_g", "software carbon intensity CA per inference", ("carbon_ca_g",), _SCI),
    Metric("sci_pa_g", "software carbon intensity PA per inference", ("carbon_pa_g",), _SCI),
    Metric("edp_js", "energy-delay product", ("energy_j", "latency_s"), _EDP),
    Metric("cdp_gs", "embodied carbon-delay product", ("embodied_g", "latency_s"), _ACT),
    Metric("cep_gj", "embodied carbon-energy product", ("embodied_g", "energy_j"), _ACT),
    Metric("c2ep_g2j", "C2EP", ("embodied_g", "embodied_g", "energy_j"), _ACT),
    Metric("ce2p_gj2", "CE2P", ("embodied_g", "energy_j", "energy_j"), _ACT),
    Metric("tcdp_ca_gs", "carbon CA-delay product", ("carbon_ca_g", "latency_s"), _CORDOBA),
    Metric("tcdp_pa_gs", "carbon PA-delay product", ("carbon_pa_g", "latency_s"), _CORDOBA),
)

#: carbon of one inference when the numbers of the carbon model are uncertain
UNCERTAIN = tuple(
    Metric(
        f"carbon_{activity}_{statistic}_g",
        f"{words} carbon {activity.upper()} per inference",
        (),
        reference,
    )
    for activity in ("ca", "pa")
    for statistic, words, reference in (
        ("mean", "mean", _DEFINED),
        ("p95", "95 % quantile of", _DEFINED),
        ("cvar", "mean of the worst 5 % of", _CVAR),
    )
)

#: metrics of the device
PER_DEVICE = (
    Metric("embodied_g", "embodied carbon", (), _ACT),
    Metric("area_mm2", "die area", (), _DEFINED),
    Metric("idle_w", "idle power", (), "leakage of the SRAM, CACTI 7, ACM TACO 14(2), 2017"),
)

#: what the user says of compressed networks, the ``quality`` of a problem
GIVEN = (Metric("quality_loss", "loss of quality", (), "given by the user"),)

METRICS = MappingProxyType(
    {metric.name: metric for metric in PER_NETWORK + UNCERTAIN + PER_DEVICE + GIVEN}
)


def metric(name: str) -> Metric:
    """Look up a metric, of all networks together or of one (``latency_s@resnet8``).

    Raises
    ------
    SpecError
        There is no such metric.

    Examples
    --------
    >>> metric("edp_js@resnet8").factors
    ('energy_j@resnet8', 'latency_s@resnet8')
    >>> metric("cdp_gs@resnet8").factors
    ('embodied_g', 'latency_s@resnet8')
    """
    stem, _, network = name.partition("@")
    found = METRICS.get(stem)
    if found is None or (network and found in PER_DEVICE + GIVEN) or name.endswith("@"):
        raise SpecError(f"objective: got {name!r}, allowed: {', '.join(metric_names())}")
    if not network:
        return found
    device = {other.name for other in PER_DEVICE}
    factors = tuple(f if f in device else f"{f}@{network}" for f in found.factors)
    return Metric(name, f"{found.label}, {network}", factors, found.reference)


def metric_names(networks: Iterable[str] = ()) -> list[str]:
    """List every metric, with those of each of the networks.

    Examples
    --------
    >>> metric_names(["resnet8"])[-1]
    'carbon_pa_cvar_g@resnet8'
    """
    each = PER_NETWORK + UNCERTAIN
    return list(METRICS) + [f"{m.name}@{net}" for net in networks for m in each]


def needs_period(name: str) -> bool:
    """Whether a metric is one of periodic activity, which the period of a network decides.

    Examples
    --------
    >>> needs_period("sci_pa_g@resnet8"), needs_period("carbon_ca_g")
    (True, False)
    """
    return "_pa_" in name.partition("@")[0]


def uncertain(names: Iterable[str]) -> tuple[str, ...]:
    """Metrics among some names that need samples of the carbon model, without their network.

    Examples
    --------
    >>> uncertain(["latency_s", "carbon_pa_p95_g@resnet8", "carbon_pa_p95_g"])
    ('carbon_pa_p95_g',)
    """
    stems = {name.partition("@")[0] for name in names}
    return tuple(metric.name for metric in UNCERTAIN if metric.name in stems)


SCENARIO_BOUND = ("node_nm", "cell")
"""Variables of which no objective of `scenario_free` says what a scenario makes of them: the fab of
another node, cells that wear out."""


def scenario_free(networks: Sequence[str]) -> list[str]:
    """Objectives in which the carbon of every scenario is monotone: one search serves them all.

    Latency, energy, idle power and embodied carbon; with several networks latency and energy of
    each, because the mean of the networks' carbons is not monotone in their mean energy.

    Examples
    --------
    >>> scenario_free(["resnet8"])
    ['latency_s', 'energy_j', 'idle_w', 'embodied_g']
    >>> scenario_free(["a", "b"])
    ['latency_s@a', 'energy_j@a', 'latency_s@b', 'energy_j@b', 'idle_w', 'embodied_g']
    """
    suffixes = [f"@{network}" for network in networks] if len(networks) > 1 else [""]
    each = [f"{name}{suffix}" for suffix in suffixes for name in ("latency_s", "energy_j")]
    return [*each, "idle_w", "embodied_g"]
