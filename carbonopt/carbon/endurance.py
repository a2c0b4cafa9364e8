"""Lifetime of a device whose memory cells wear out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from carbonopt.arrays import Bools, Floats
from carbonopt.carbon.checks import non_negative, positive
from carbonopt.carbon.presets import CarbonPreset
from carbonopt.units import format_quantity


@dataclass(frozen=True)
class Wear:
    """How long devices last whose cells survive so many writes.

    Parameters
    ----------
    used_s
        Time for which the device would be used [s].
    wear_s
        Time until the cells are worn out, infinite without rewrites [s].
    """

    used_s: Floats
    wear_s: Floats

    @property
    def lifetime_s(self) -> Floats:
        """The shorter of both [s]."""
        return np.minimum(self.used_s, self.wear_s)

    @property
    def binds(self) -> Bools:
        """Whether the cells end the device's life."""
        return np.asarray(self.wear_s < self.used_s)

    def statement(self) -> str:
        """Say whether endurance cuts lives short, and how far in the worst case.

        Examples
        --------
        >>> wear_out(1e8, 0.04, 1.0, 1e6).statement()
        'endurance binds: cells are worn out after 11.1 h, of 3.17 y of use'
        """
        used, wear, binds = np.broadcast_arrays(self.used_s, self.wear_s, self.binds)
        if not binds.any():
            return "endurance does not bind"
        worst = np.argmin(np.where(binds, wear, np.inf))
        where = f" in {binds.sum()} of {binds.size} designs" if binds.ndim else ""
        after, of = (format_quantity(float(time.flat[worst]), "s") for time in (wear, used))
        return f"endurance binds{where}: cells are worn out after {after}, of {of} of use"


def wear_out(
    used_s: ArrayLike,
    interval_s: ArrayLike,
    writes_per_task: ArrayLike,
    endurance: ArrayLike,
) -> Wear:
    """Return when the cells of devices are worn out: endurance / writes x interval.

    Parameters
    ----------
    used_s
        Time for which a device would be used [s].
    interval_s
        From one task to the next: the period under PA, the latency over the utilisation under
        CA [s].
    writes_per_task
        Times that the most written cell is written in one inference; 0 where all weights stay
        in the cells, else weights over cells, rounded up [-].
    endurance
        Writes that a cell survives, see `carbonopt.hardware.nvm.NvmCell` [-].

    Raises
    ------
    ModelRangeError
        A value that is not finite, negative, or 0 where it may not be.

    Notes
    -----
    Wear is even: all cells are written alike. Programming pulses that have to be repeated to hit
    a conductance count as writes of their own, for the caller to add.

    References
    ----------
    .. [1] Endurance by technology: NVMExplorer's survey of publications.
    """
    used, interval = positive("used_s", used_s), positive("interval_s", interval_s)
    writes, survived = (
        non_negative("writes_per_task", writes_per_task),
        positive("endurance", endurance),
    )
    with np.errstate(divide="ignore"):
        wear = np.asarray(survived * interval / writes)
    return Wear(used, wear)


def worn_preset(preset: CarbonPreset, wear: Wear) -> CarbonPreset:
    """Return a preset whose lifetime ends when the cells are worn out.

    A shorter life spreads the making of a device over fewer tasks: each carries more of it.

    Examples
    --------
    >>> from carbonopt.carbon.presets import load_preset
    >>> preset = load_preset("default")
    >>> wear = wear_out(preset.lifetime_s, 1.0, 1.0, 1e6)
    >>> float(worn_preset(preset, wear).lifetime_s)
    1000000.0
    """
    return replace(preset, lifetime_s=wear.lifetime_s)
