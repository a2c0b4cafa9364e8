"""Carbon of the electricity that a task draws."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from carbonopt.arrays import Floats, Number
from carbonopt.carbon.checks import non_negative, positive
from carbonopt.errors import ModelRangeError
from carbonopt.units import UNITS

_J_PER_KWH = UNITS["J"]["kWh"]
S_PER_YEAR = UNITS["s"]["y"]


def operational_g(energy_j: ArrayLike, use_g_per_kwh: Number, pue: Number) -> Floats:
    """Carbon of a task's electricity, ``C_op = CI_use PUE E / 3.6e6``.

    Parameters
    ----------
    energy_j
        Energy of one task (n,) [J].
    use_g_per_kwh
        Carbon intensity of the electricity [g/kWh].
    pue
        Power usage effectiveness [-].

    Returns
    -------
    Floats
        Carbon (n,) [g CO2e].

    Raises
    ------
    ModelRangeError
        Energy or intensity below 0 or not a number, power usage effectiveness not above 0.

    References
    ----------
    ACT, ISCA 2022, operational footprint.

    Examples
    --------
    >>> operational_g(3.6e6, use_g_per_kwh=473.0, pue=1.0)
    np.float64(473.0)
    """
    per_kwh = non_negative("use_g_per_kwh", use_g_per_kwh) * positive("pue", pue)
    return non_negative("energy_j", energy_j) / _J_PER_KWH * per_kwh


def mean_over_lifetime(decarbonisation_per_year: Number, lifetime_s: Number) -> Floats:
    """Mean intensity over the lifetime over that of its first day, on a grid that gets cleaner.

    ``f = (1/L) integral of (1 - r)^y dy from 0 to L = (1 - (1 - r)^L) / (-L ln(1 - r))``, L in
    years; 1 for r = 0.

    Parameters
    ----------
    decarbonisation_per_year
        Fall of the intensity per year r, from 0 to below 1 [1/yr].
    lifetime_s
        Lifetime L [s].

    Returns
    -------
    Floats
        In the common shape of both; one number, 1, for all where nothing falls [-].

    Raises
    ------
    ModelRangeError
        A fall outside [0, 1), a lifetime not above 0.

    Examples
    --------
    >>> mean_over_lifetime(0.1, 3 * 365.25 * 86400.0).round(4)
    np.float64(0.8574)
    """
    fall = non_negative("decarbonisation_per_year", decarbonisation_per_year)
    if not (fall < 1.0).all():
        got = float(np.max(fall))
        raise ModelRangeError(f"decarbonisation_per_year: got {got:g}, allowed: 0 or more, below 1")
    life = positive("lifetime_s", lifetime_s)
    if not fall.any():
        return np.ones(())[()]
    decay = np.asarray(-np.log1p(-fall) * (life / S_PER_YEAR))
    safe = np.where(decay > 0, decay, 1.0)
    return np.where(decay > 0, -np.expm1(-safe) / safe, 1.0)[()]
