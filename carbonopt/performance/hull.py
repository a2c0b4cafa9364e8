"""Points that minimise some weighting of two costs."""

from __future__ import annotations

import numpy as np

from carbonopt.arrays import Floats


def lower_hull(x: Floats, y: Floats) -> list[int]:
    """Return the points (n,) that minimise some weighting of x and y, in order of x.

    Examples
    --------
    >>> lower_hull(np.array([1.0, 2.0, 3.0, 2.0]), np.array([3.0, 2.5, 1.0, 1.5]))
    [0, 3, 2]
    """
    hull: list[int] = []
    order = np.lexsort((y, x))
    below = np.minimum.accumulate(y[order])
    for i in order[np.append(True, below[1:] < below[:-1])] if len(order) else ():
        while len(hull) > 1:
            a, b = hull[-2], hull[-1]
            if (y[b] - y[a]) * (x[i] - x[b]) < (y[i] - y[b]) * (x[b] - x[a]):
                break
            hull.pop()
        hull.append(int(i))
    return hull
