"""Rules that end a search before its budget is spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from carbonopt.errors import SpecError
from carbonopt.units import format_quantity


@dataclass(frozen=True)
class StopRules:
    """When a search ends, whichever comes first; by its budget alone unless a rule is given.

    Parameters
    ----------
    after_s
        Wall time, summed over the legs of a resumed run [s].
    stall
        Distinct designs over which the log hypervolume has to grow.
    gain
        Growth that counts, relative to the hypervolume before [-].

    Raises
    ------
    SpecError
        A rule that no search could meet, or that every search meets at once.
    """

    after_s: float | None = None
    stall: int | None = None
    gain: float = 1e-3

    def __post_init__(self) -> None:
        faults = []
        if self.after_s is not None and not self.after_s > 0.0:
            faults.append(f"stop_after: got {self.after_s:g} s, allowed: above 0 s")
        if self.stall is not None and self.stall < 1:
            faults.append(f"stall: got {self.stall}, allowed: a whole number from 1")
        if not 0.0 <= self.gain < 1.0:
            faults.append(f"stall_gain: got {self.gain:g}, allowed: from 0 to below 1")
        if faults:
            raise SpecError(faults)

    def to_dict(self) -> dict[str, Any]:
        """Rules as a manifest keeps them."""
        return asdict(self)

    def reached(self, history: Sequence[Mapping[str, float]]) -> str:
        """Say which rule a search has met, '' for none.

        Parameters
        ----------
        history
            A mapping for each batch, with ``distinct``, ``hypervolume`` (log) and ``elapsed_s``.

        Examples
        --------
        >>> past = [{"distinct": n, "hypervolume": 1.0, "elapsed_s": 1.0} for n in (10, 20, 30)]
        >>> StopRules(stall=20).reached(past)
        'stopped: the hypervolume grew by less than 0.1 % over the last 20 designs'
        """
        last = history[-1]
        if self.after_s is not None and last["elapsed_s"] >= self.after_s:
            return f"stopped: the time limit of {format_quantity(self.after_s, 's')} was reached"
        if self.stall is None:
            return ""
        earlier = (e for e in reversed(history) if e["distinct"] <= last["distinct"] - self.stall)
        before = next(earlier, None)
        if before is None or last["hypervolume"] > before["hypervolume"] * (1.0 + self.gain):
            return ""
        over = f"over the last {self.stall} designs"
        return f"stopped: the hypervolume grew by less than {100 * self.gain:g} % {over}"
