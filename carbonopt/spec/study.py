"""``study.yaml``: a search that answers a question."""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator

from carbonopt.spec.fields import Fraction, Name, Seconds, Strict, Text, Vocabulary, one_of


class StopSpec(Strict):
    """What ends a search before its budget is spent, whichever comes first."""

    after: Seconds | None = None
    """Wall time."""
    stall: int | None = Field(default=None, gt=0)
    """Distinct designs over which the log hypervolume has to grow."""
    gain: Fraction = 1e-3
    """Growth that counts, relative to the hypervolume before."""


class StudySpec(Strict):
    """Everything that a study file says."""

    name: Name
    """Part of the name of the run directory: letters, digits, - _ ."""
    question: Text = ""
    """What the study asks, in a sentence."""
    problem: Text
    """Name of a shipped problem, or a path from the folder of the study file."""
    searcher: Text = "nsga2"
    """What proposes designs."""
    budget: int = Field(default=2000, gt=0)
    """Distinct designs to evaluate."""
    seed: int = Field(default=1, ge=0)
    """Same seed, same designs in the same order."""
    start_from: Text = ""
    """A run directory or CSV file with designs to evaluate first, from the study's folder."""
    stop: StopSpec = StopSpec()
    """What ends the search before its budget is spent."""

    @field_validator("searcher")
    @classmethod
    def _known(cls, value: str, info: ValidationInfo) -> str:
        words = info.context
        return one_of(value, words.searchers if isinstance(words, Vocabulary) else ())
