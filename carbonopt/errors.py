"""Every error that carbonopt raises on purpose; each is also the fitting builtin."""

from __future__ import annotations

from collections.abc import Sequence


class CarbonoptError(Exception):
    """Root of all errors that carbonopt raises on purpose."""


class SpecError(CarbonoptError, ValueError):
    """A file, option or argument of the user is wrong; carries every fault found.

    Parameters
    ----------
    faults
        One message per fault: what, where, got, allowed.

    Examples
    --------
    >>> str(SpecError(["a.yaml:3: rows: got -1, allowed: > 0"]))
    'a.yaml:3: rows: got -1, allowed: > 0'
    """

    def __init__(self, faults: str | Sequence[str]) -> None:
        self.faults = [faults] if isinstance(faults, str) else list(faults)
        super().__init__("\n".join(self.faults))

    def __reduce__(self) -> tuple[type[SpecError], tuple[list[str]]]:
        """Pickle by faults, so that worker processes hand the error back whole."""
        return (type(self), (self.faults,))


class ModelRangeError(CarbonoptError, ValueError):
    """A value lies outside the range for which a model or table is valid."""


class MappingError(CarbonoptError, ValueError):
    """A layer cannot be mapped onto a machine; the message says which and by how much."""


class SearchError(CarbonoptError, RuntimeError):
    """A search cannot start or go on."""


class StoreError(CarbonoptError, OSError):
    """A run directory cannot be created, read or continued."""


class BusyError(StoreError):
    """Another process holds a run directory."""
