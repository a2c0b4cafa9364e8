"""One design out of a front."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def knee(values: npt.ArrayLike) -> int:
    """Row of the design that is nearest to the best of every objective at once.

    Each objective is brought to [0, 1] between its best and its worst on the front, on a log scale
    where all values are > 0; the row with the smallest Euclidean distance to 0 is the knee.

    Parameters
    ----------
    values
        Objectives (n, m), n >= 1.

    Examples
    --------
    >>> knee([[1, 100], [3, 3], [100, 1]])
    1
    """
    matrix = np.asarray(values, dtype=float)
    scaled = np.log(matrix) if np.all(matrix > 0.0) else matrix
    low, high = scaled.min(axis=0), scaled.max(axis=0)
    unit = (scaled - low) / np.where(high > low, high - low, 1.0)
    return int(np.argmin(np.linalg.norm(unit, axis=1)))
