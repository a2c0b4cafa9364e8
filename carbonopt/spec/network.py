"""What a problem file says of its networks: how they are mapped, what compression costs them."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import model_validator

from carbonopt.spec.fields import Strict, Text


class QualitySpec(Strict):
    """What compression costs the networks: exactly one of the two."""

    table: Text | None = None
    """CSV file, from the folder of the problem file."""
    function: Text | None = None
    """``module:function``, or ``file.py:function``, from the folder of the problem file."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.table is None) == (self.function is None):
            got = f"table {self.table}, function {self.function}"
            raise ValueError(f"got {got}, allowed: one of the two")
        return self


class MappingSpec(Strict):
    """How layers are mapped: as a mode alone, or as keys."""

    mode: Literal["optimal", "exhaustive", "reference", "genes"] = "optimal"
    """Solved under promising unrollings or under all, as CarbonSpot does it, or searched."""
    objective: Text | None = None
    """What is least among the solved mappings of a network: edp, energy, latency, carbon;
    edp unless given."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:  # noqa: ANN401  whatever the file says
        return value if isinstance(value, dict) else {"mode": value}
