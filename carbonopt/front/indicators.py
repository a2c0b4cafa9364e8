"""How good a front is, measured against a reference point or the best-known front."""

from __future__ import annotations

import moocore
import numpy as np
import numpy.typing as npt

from carbonopt.errors import SpecError


def hypervolume(values: npt.ArrayLike, reference: npt.ArrayLike, *, scale: str = "log") -> float:
    """Measure the volume that a set of objectives dominates below a reference point.

    Linear: volume of objective / reference, between 0 and 1. Log: volume of
    log10(reference / objective), in decades to the power of the number of objectives; it tells
    fronts apart that the linear one does not, and is NaN where an objective has no logarithm.

    Parameters
    ----------
    values
        Objectives (n, m) [-]; a point beyond the reference adds nothing.
    reference
        Reference point (m,), all > 0.
    scale
        ``log`` or ``linear``.

    Raises
    ------
    SpecError
        `scale` is neither.

    References
    ----------
    Zitzler, Thiele: Multiobjective optimization using evolutionary algorithms, PPSN V, 1998.

    Examples
    --------
    >>> hypervolume([[1.0, 1.0]], [10.0, 100.0]), hypervolume([[5, 50]], [10, 100], scale="linear")
    (2.0, 0.25)
    """
    if scale not in ("log", "linear"):
        raise SpecError(f"scale: got {scale!r}, allowed: log, linear")
    point = np.asarray(reference, dtype=float)
    ratio = np.asarray(values, dtype=float).reshape(-1, len(point)) / point
    inside = ratio[np.all(ratio < 1.0, axis=1)]
    if len(inside) == 0:
        return 0.0
    if scale == "log" and np.any(inside <= 0.0):
        return float("nan")
    scaled = np.log10(inside) if scale == "log" else inside
    return float(moocore.hypervolume(scaled, ref=0.0 if scale == "log" else 1.0))


def share_found(values: npt.ArrayLike, best: npt.ArrayLike, tolerance: float = 0.02) -> float:
    """Share of a best-known front that a set reaches within a relative tolerance in all objectives.

    Parameters
    ----------
    values
        Objectives found (n, m).
    best
        Objectives of the best-known front (k, m), all > 0.
    tolerance
        Relative tolerance [-].

    Examples
    --------
    >>> share_found([[1.01, 1.0]], [[1.0, 1.0], [0.5, 2.0]])
    0.5
    """
    found, known = _pair(values, best)
    if len(known) == 0:
        return float("nan")
    excess = (found[None, :, :] / known[:, None, :]).max(axis=2, initial=0.0)
    return float(np.mean(excess.min(axis=1, initial=np.inf) <= 1.0 + tolerance))


def epsilon(values: npt.ArrayLike, best: npt.ArrayLike) -> float:
    """Smallest factor by which a set must shrink to cover a best-known front; 1 where it does.

    NaN where a value is not above 0, since no factor brings it to another.

    Parameters
    ----------
    values
        Objectives found (n, m), all > 0.
    best
        Objectives of the best-known front (k, m), all > 0.

    References
    ----------
    Zitzler et al.: Performance assessment of multiobjective optimizers, IEEE TEC 7(2), 2003.

    Examples
    --------
    >>> epsilon([[1.1, 1.0]], [[1.0, 1.0]])
    1.1
    """
    found, known = _pair(values, best)
    if len(found) == 0 or len(known) == 0:
        return float("inf") if len(known) else 1.0
    if found.min() <= 0.0 or known.min() <= 0.0:
        return float("nan")
    return float(moocore.epsilon_mult(found, ref=known))


def _pair(
    values: npt.ArrayLike, best: npt.ArrayLike
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Bring two sets of objectives to the same width."""
    known = np.atleast_2d(np.asarray(best, dtype=float))
    return np.asarray(values, dtype=float).reshape(-1, known.shape[1]), known
