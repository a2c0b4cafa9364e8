"""Types of fields that several files share, and the words that the model allows in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from carbonopt.units import UNITS, parse_quantity, unit_of

_PLAIN_WORD = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class Vocabulary:
    """What the model knows by name; a closed set that is empty is not checked.

    Parameters
    ----------
    workloads, presets, templates, metrics, searchers
        Names that are allowed.
    network_metrics
        Metrics that can also be asked of one network, as in ``latency_s@resnet8``.
    required
        Variables that a design cannot do without.
    knob_units
        Knobs of the templates with their canonical unit.
    knob_ranges
        Smallest and largest value that the model covers, by knob.
    knob_allowed
        These ranges in words, by knob.
    knob_words
        Words that a knob allows, where it is no number.
    whole_knobs
        Knobs that take whole numbers only.
    scenario_free
        Objectives that the words ``scenario_free`` stand for, given the networks.
    scenario_words
        Words that a key of the scenario allows, by key.
    mapping_objectives
        What solved mappings can be chosen for.
    network_knobs
        Knobs that are of networks and not of hardware; all others have their range too.
    given_metrics
        Metrics that the ``quality`` of a problem gives.
    always_solved
        Templates whose mappings are solved and neither searched nor CarbonSpot's.
    """

    workloads: tuple[str, ...] = ()
    presets: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    network_metrics: tuple[str, ...] = ()
    searchers: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    knob_units: Mapping[str, str] = field(default_factory=dict)
    knob_ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    knob_allowed: Mapping[str, str] = field(default_factory=dict)
    knob_words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    whole_knobs: tuple[str, ...] = ()
    scenario_free: Callable[[Sequence[str]], list[str]] = list
    scenario_words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mapping_objectives: tuple[str, ...] = ()
    network_knobs: tuple[str, ...] = ()
    given_metrics: tuple[str, ...] = ()
    always_solved: tuple[str, ...] = ()


class Strict(BaseModel):
    """A part of a file: unknown keys are faults, nothing is guessed; keys say what they are."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )


def one_of(value: object, allowed: tuple[str, ...]) -> str:
    """Return a name that is allowed.

    Raises
    ------
    ValueError
        It is not; names the nearest one.

    Examples
    --------
    >>> one_of("aimc", ("aimc", "dimc"))
    'aimc'
    """
    if isinstance(value, str) and (value in allowed or not allowed):
        return value
    near = get_close_matches(str(value), allowed, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    raise ValueError(f"got {value}, allowed: {', '.join(allowed)}{hint}")


@dataclass(frozen=True)
class Quantity:
    """Reads quantities above 0 of a unit; a plain number where the unit is ''.

    Parameters
    ----------
    unit
        Canonical unit.
    or_zero
        Whether 0 is allowed too.
    allowed
        The range in words.
    """

    unit: str
    or_zero: bool
    allowed: str

    def __call__(self, value: object) -> float:
        """Read one value in the canonical unit."""
        if self.unit and isinstance(value, int | float) and value <= 0:
            units = ", ".join(UNITS[self.unit])
            raise ValueError(f"got {value}, allowed: {self.allowed}, with a unit of: {units}")
        if self.unit:
            number = parse_quantity(value, self.unit)
        elif isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"got {value}, allowed: a number without a unit")
        else:
            number = value
        if not (number > 0 or (self.or_zero and number == 0)):
            raise ValueError(f"got {value}, allowed: {self.allowed}")
        return number


def quantity(unit: str, *, or_zero: bool = False, allowed: str = "") -> Quantity:
    """Make a reader of quantities; `allowed` says the range in words, where it is narrower."""
    return Quantity(unit, or_zero, allowed or (">= 0" if or_zero else "> 0"))


def plain_word(value: object) -> str:
    """Return a name that can be part of the name of a run directory, on every platform.

    Raises
    ------
    ValueError
        It cannot.

    Examples
    --------
    >>> plain_word("mlperf-tiny_v1.1")
    'mlperf-tiny_v1.1'
    """
    if isinstance(value, str) and _PLAIN_WORD.fullmatch(value):
        return value
    raise ValueError(f"got {value}, allowed: letters, digits, - _ . and no dot in front")


def whole(value: object) -> int:
    """Return a whole number.

    Raises
    ------
    ValueError
        It is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or value % 1 != 0:
        raise ValueError(f"got {value}, allowed: a whole number")
    return int(value)


def named_quantity(
    name: str,
    value: object,
    units: Mapping[str, str],
    *,
    or_zero: bool = False,
    allowed: str = "",
) -> float:
    """Read a positive quantity whose unit its name tells; whole byte counts become integers."""
    unit = units.get(name, "") or unit_of(name)
    number = quantity(unit, or_zero=or_zero, allowed=allowed)(value)
    return int(number) if float(number).is_integer() and not isinstance(value, float) else number


def one_or_more(value: object) -> object:
    """Take one value for a list of one; refuse a list with a value twice.

    Raises
    ------
    ValueError
        A value stands twice.

    Examples
    --------
    >>> one_or_more(3), one_or_more(["a", "b"])
    ((3,), ('a', 'b'))
    """
    if not isinstance(value, list):
        return value if isinstance(value, tuple) else (value,)
    twice = [entry for place, entry in enumerate(value) if entry in value[:place]]
    if twice:
        raise ValueError(f"got {twice[0]} twice, allowed: each value once")
    return tuple(value)


Item = TypeVar("Item")
OneOrMore = Annotated[tuple[Item, ...], BeforeValidator(one_or_more), Field(min_length=1)]
Seconds = Annotated[float, BeforeValidator(quantity("s"))]
Bytes = Annotated[float, BeforeValidator(quantity("byte"))]
Grams = Annotated[float, BeforeValidator(quantity("g"))]
Positive = Annotated[float, BeforeValidator(quantity(""))]
Fraction = Annotated[float, BeforeValidator(quantity("")), Field(le=1.0)]
Name = Annotated[str, BeforeValidator(plain_word)]
Text = Annotated[str, Field(min_length=1)]
