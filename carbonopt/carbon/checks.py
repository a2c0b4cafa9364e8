"""Input checks that all carbon functions share."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from carbonopt.arrays import Bools, Floats
from carbonopt.errors import ModelRangeError


def positive(name: str, values: ArrayLike) -> Floats:
    """Return values as floats, or raise ModelRangeError where one is not finite and above 0."""
    array = np.asarray(values, dtype=np.float64)
    return _checked(name, array, array > 0, "above 0")


def non_negative(name: str, values: ArrayLike) -> Floats:
    """Return values as floats, or raise ModelRangeError where one is not finite and at least 0."""
    array = np.asarray(values, dtype=np.float64)
    return _checked(name, array, array >= 0, "0 or more")


def share(name: str, values: ArrayLike) -> Floats:
    """Return values as floats, or raise ModelRangeError where one is not above 0 and at most 1."""
    array = np.asarray(values, dtype=np.float64)
    return _checked(name, array, (array > 0) & (array <= 1), "above 0, at most 1")


def _checked(name: str, array: Floats, inside: Bools, allowed: str) -> Floats:
    bad = np.flatnonzero(~(inside & np.isfinite(array)))
    if bad.size:
        where = f" at position {bad[0]}" if array.ndim else ""
        raise ModelRangeError(
            f"{name}: got {array.flat[bad[0]]}{where}, allowed: {allowed}, finite"
        )
    return array
