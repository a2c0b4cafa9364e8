"""Carbon of the electricity that a task draws."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from carbonopt.arrays import Floats, Number
from carbonopt.carbon.checks import non_negative
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
        Energy below 0 or not a number.

    References
    ----------
    ACT, ISCA 2022, operational footprint.

    Examples
    --------
    >>> operational_g(3.6e6, use_g_per_kwh=473.0, pue=1.0)
    np.float64(473.0)
    """
    return non_negative("energy_j", energy_j) / _J_PER_KWH * (use_g_per_kwh * pue)


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

    Examples
    --------
    >>> mean_over_lifetime(0.1, 3 * 365.25 * 86400.0).round(4)
    np.float64(0.8574)
    """
    decay = -np.log1p(-np.asarray(decarbonisation_per_year, dtype=np.float64))
    decay = np.asarray(decay * (np.asarray(lifetime_s) / S_PER_YEAR))
    safe = np.where(decay > 0, decay, 1.0)
    return np.where(decay > 0, -np.expm1(-safe) / safe, 1.0)[()]
