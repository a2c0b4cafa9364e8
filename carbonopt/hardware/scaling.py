"""Gates and converters at another node and supply, by a stated rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from carbonopt.arrays import Number
from carbonopt.data.tables import load_facts
from carbonopt.errors import ModelRangeError
from carbonopt.hardware.technology import Technology, load_technology

ScalingRule = Literal["ideal", "zigzag-imc"]


def scaled_technology(node_nm: Number, supply_v: Number, rule: ScalingRule = "ideal") -> Technology:
    """Return the gates of 28 nm at another node and supply.

    With r = node / 28 nm: capacitance r^a, area r^b, delay r^c d(V) / d(0.9 V) with
    d(V) = V / (V - Vt)^alpha. ``ideal``: a = 1, b = 2, c = 1, alpha = 1.3, Vt = 0.33 V, converters
    with area r, energy r and delay r. ``zigzag-imc``: a = b = 1, no delay scales, nor the energy
    of converters.

    Parameters
    ----------
    node_nm, supply_v
        Node and supply voltage, scalars or (n,) [nm], [V].
    rule
        Exponents to use, see table imc_scaling.csv.

    Raises
    ------
    ModelRangeError
        A node outside 22 to 65 nm or a supply outside 0.6 to 1.2 V.

    Notes
    -----
    Energy goes with C V^2 wherever it is computed. Planar scaling: no step at the change to
    FinFETs is modelled, which is why the range ends at 22 nm.

    References
    ----------
    .. [1] Dennard et al., IEEE JSSC 9(5), 1974, Table 1 (``ideal``).
    .. [2] Sakurai, Newton, IEEE JSSC 25(2), 1990 (delay over supply).
    .. [3] zigzag-imc commit df34a6f, imc_model_validation (``zigzag-imc``).

    Examples
    --------
    >>> scaled_technology(28.0, 0.9) == load_technology()
    True
    """
    facts, base = load_facts("imc_scaling.csv"), load_technology()
    _check("node", node_nm, facts["range.node_low_nm"], facts["range.node_high_nm"], "nm")
    _check("supply", supply_v, facts["range.supply_low_v"], facts["range.supply_high_v"], "V")
    own = {name.split(".")[1]: x for name, x in facts.items() if name.startswith(f"{rule}.")}
    ratio = node_nm / facts["reference.node_nm"]
    slower = supply_delay(supply_v, own["threshold_v"], own["alpha"]) / supply_delay(
        base.supply_v, own["threshold_v"], own["alpha"]
    )
    pf, mm2 = ratio ** own["capacitance_exponent"], ratio ** own["area_exponent"]
    ns = ratio ** own["delay_exponent"] * slower
    return replace(
        base.scaled(mm2, ns, pf),
        supply_v=supply_v,
        node_nm=node_nm,
        converter_area=ratio ** own["converter_area_exponent"],
        converter_energy=ratio ** own["converter_energy_exponent"],
        converter_delay=ratio ** own["converter_delay_exponent"] * slower,
    )


def supply_delay(supply_v: Number, threshold_v: float, alpha: float) -> Number:
    """Delay of a gate over its supply, V / (V - Vt)^alpha, in units of its own [-]."""
    return supply_v / (supply_v - threshold_v) ** alpha


def _check(what: str, value: Number, low: float, high: float, unit: str) -> None:
    """Refuse a value outside the range of the rules."""
    values = np.atleast_1d(np.asarray(value, dtype=np.float64))
    outside = values[~((values >= low) & (values <= high))]
    if outside.size:
        raise ModelRangeError(
            f"{what}: got {outside[0]:g} {unit}, allowed: {low:g} to {high:g} {unit}"
        )
