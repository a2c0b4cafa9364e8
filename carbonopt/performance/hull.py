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
    if not len(x):
        return hull
    order = np.lexsort((y, x))
    below = np.minimum.accumulate(y[order])
    falling = order[np.append(True, below[1:] < below[:-1])]
    along, up = x[falling].tolist(), y[falling].tolist()
    for i in range(len(falling)):
        while len(hull) > 1:
            a, b = hull[-2], hull[-1]
            if (up[b] - up[a]) * (along[i] - along[b]) < (up[i] - up[b]) * (along[b] - along[a]):
                break
            hull.pop()
        hull.append(i)
    found: list[int] = falling[hull].tolist()
    return found
