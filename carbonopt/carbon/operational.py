"""Carbon of the electricity that a task draws."""

from __future__ import annotations

from numpy.typing import ArrayLike

from carbonopt.arrays import Floats
from carbonopt.carbon.checks import non_negative
from carbonopt.units import UNITS

_J_PER_KWH = UNITS["J"]["kWh"]


def operational_g(energy_j: ArrayLike, use_g_per_kwh: float, pue: float) -> Floats:
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
