"""``study.yaml``: one search, or many, that answer a question."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from carbonopt.spec.fields import (
    Fraction,
    Name,
    OneOrMore,
    Seconds,
    Strict,
    Text,
    Vocabulary,
    one_of,
)


class StopSpec(Strict):
    """What ends a search before its budget is spent, whichever comes first."""

    after: Seconds | None = None
    """Wall time."""
    stall: int | None = Field(default=None, gt=0)
    """Distinct designs over which the log hypervolume has to grow."""
    gain: Fraction = 1e-3
    """Growth that counts, relative to the hypervolume before."""


class StudySpec(Strict):
    """Everything that a study file says; with lists it asks for every combination."""

    name: Name
    question: Text = ""
    problem: OneOrMore[Text]
    """Names of shipped problems, or paths from the folder of the study file."""
    searcher: OneOrMore[Text] = ("nsga2",)
    budget: OneOrMore[Annotated[int, Field(gt=0)]] = (2000,)
    """Distinct designs to evaluate."""
    seed: OneOrMore[Annotated[int, Field(ge=0)]] = (1,)
    start_from: Text = ""
    """A run directory or CSV file with designs to evaluate first, from the study's folder."""
    stop: StopSpec = StopSpec()

    @field_validator("searcher")
    @classmethod
    def _known(cls, values: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        words = info.context
        allowed = words.searchers if isinstance(words, Vocabulary) else ()
        return tuple(one_of(value, allowed) for value in values)

    @property
    def cells(self) -> int:
        """Number of runs that the study asks for."""
        return len(self.problem) * len(self.searcher) * len(self.budget) * len(self.seed)
