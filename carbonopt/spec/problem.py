"""``problem.yaml``: a question about hardware, frozen."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from carbonopt.spec.fields import (
    Bytes,
    Name,
    Seconds,
    Strict,
    Text,
    Vocabulary,
    named_quantity,
    one_of,
    whole,
)
from carbonopt.spec.network import MappingSpec, QualitySpec
from carbonopt.spec.scenario import ScenarioSpec
from carbonopt.units import unit_of

SCENARIO_FREE = "scenario_free"
"""In place of a list of objectives: those in which the carbon of every scenario is monotone."""

MOST_MEASURED = 6
"""Objectives whose hypervolume can be computed after every batch: seven take seconds."""

KINDS = ("choice", "pow2", "int", "step", "real")
_COUNTS = {"pow2": 2, "int": 2, "step": 3, "real": 3}


class WorkloadSpec(Strict):
    """A network, and what its deployment asks where the shipped facts do not say."""

    name: Text | None = None
    """A shipped network."""
    path: Text | None = None
    """An ONNX file, from the folder of the problem file."""
    period: Seconds | None = None
    """Time between two inferences; that of a shipped network, or unknown, unless given."""
    dram: Bytes | None = None
    """Memory beside the chip; as shipped, or as much as holds the network, unless given."""
    batch: int | None = Field(default=None, gt=0)
    """Inputs per inference; as the network has them unless given."""
    zero_share: float | dict[str, float] | None = None
    """Share of the inputs that are zero, of every layer or by layer; 0 unless given."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:  # noqa: ANN401  whatever the file says
        return {"name": value} if isinstance(value, str) else value

    @field_validator("name")
    @classmethod
    def _known(cls, value: str | None, info: ValidationInfo) -> str | None:
        words = _words(info).workloads
        if value is not None and value.endswith(".onnx") and words and value not in words:
            raise ValueError(f"got {value}, allowed: {{path: {value}, period: 40 ms}} for a file")
        return value if value is None else one_of(value, words)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.name is None) == (self.path is None):
            raise ValueError(f"got name {self.name}, path {self.path}, allowed: one of the two")
        return self


class VariableSpec(Strict):
    """A knob: exactly one of the kinds, with quantities where the name tells a unit."""

    name: Text = Field(exclude=True)
    """``template``, or a knob with its unit; in a file the key above."""
    choice: list[Any] | None = None
    """Any of these values."""
    pow2: list[Any] | None = None
    """``[low, high]``: every power of two from low to high."""
    int: list[Any] | None = None
    """``[low, high]``: every whole number."""
    step: list[Any] | None = None
    """``[low, high, step]``: low, low + step, … high."""
    real: list[Any] | None = None
    """``[low, high, levels]``: so many equidistant values."""
    per: Literal["all", "network", "layer"] | None = None
    """Of networks: one variable for all (unless given), for each network, or for each layer."""

    @field_validator("name")
    @classmethod
    def _knob(cls, value: str, info: ValidationInfo) -> str:
        units = _words(info).knob_units
        return one_of(value, ("template", *units) if units else ())

    @field_validator(*KINDS)
    @classmethod
    def _values(cls, value: list[Any] | None, info: ValidationInfo) -> list[Any] | None:
        if value is None or "name" not in info.data:
            return value
        name, kind, words = info.data["name"], str(info.field_name), _words(info)
        if len(value) != _COUNTS.get(kind, len(value)):
            raise ValueError(f"got {value}, allowed: {_COUNTS[kind]} values")
        listed = words.templates if name == "template" else words.knob_words.get(name, ())
        if kind != "choice" and listed:
            raise ValueError(f"got {value}, allowed: a choice of {', '.join(listed)}")
        if name == "template":
            return [one_of(item, words.templates) for item in value]
        if kind == "real" and name in words.whole_knobs:
            raise ValueError(f"got {value}, allowed: whole numbers, from another kind")
        bounds = value[:2] if kind in ("step", "real") else value
        read = [_knob_value(name, item, words) for item in bounds]
        if kind == "step":
            return [*read, _increment(name, value[2], words)]
        return [*read, whole(value[2])] if kind == "real" else read

    @field_validator("per")
    @classmethod
    def _of_network(cls, value: str | None, info: ValidationInfo) -> str | None:
        knobs = _words(info).network_knobs
        if knobs and value is not None and info.data.get("name") not in (None, *knobs):
            raise ValueError(f"got {value}, allowed: nothing, it is for {', '.join(knobs)}")
        return value

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            got = ", ".join(given) or "none"
            raise ValueError(f"got {got}, allowed: exactly one of {', '.join(KINDS)}")
        return self

    @property
    def kind(self) -> str:
        """The kind that is given."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)


class LimitSpec(Strict):
    """A largest value of a metric; of the period, whether it must be met."""

    name: Text = Field(exclude=True)
    """Metric, or ``period``; in a file the key above."""
    max: Any = None
    """Largest value, with the unit of the metric."""
    rule: Any = None
    """``met`` or ``free``: whether every period is a limit; given as ``period: met``."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.name == "period" and (self.max is not None or self.rule not in ("met", "free")):
            got = self.rule if self.max is None else "max"
            raise ValueError(f"got {got}, allowed: met, free")
        if self.name != "period" and (self.max is None or self.rule is not None):
            raise ValueError("got no max, allowed: {max: a quantity}")
        return self

    @field_validator("max")
    @classmethod
    def _quantity(cls, value: Any, info: ValidationInfo) -> float | None:  # noqa: ANN401
        name = info.data.get("name", "period")
        return value if value is None or name == "period" else named_quantity(name, value, {})


class PointSpec(Strict):
    """One coordinate of the reference point."""

    name: Text = Field(exclude=True)
    """Metric: one of the objectives; in a file the key above."""
    value: Any
    """Value from which hypervolume is measured, with the unit of the metric."""

    @field_validator("value")
    @classmethod
    def _quantity(cls, value: Any, info: ValidationInfo) -> float:  # noqa: ANN401
        return named_quantity(info.data.get("name", ""), value, {})


class FrontSpec(Strict):
    """The exact or best-known front of the problem."""

    file: Text
    """CSV file, from the folder of the problem file."""
    made: Text
    """The command that made it."""


class ProblemSpec(Strict):
    """Everything that a problem file says."""

    name: Name
    """Part of the names of run directories: letters, digits, - _ ."""
    question: Text
    """What the problem asks, in a sentence."""
    workloads: list[WorkloadSpec] = Field(min_length=1)
    """Networks, by name or as keys."""
    machine: Text | None = None
    """A machine file, from the folder of the problem file, in place of hardware variables."""
    variables: dict[str, VariableSpec] = Field(default_factory=dict, validate_default=True)
    """Knobs of the hardware, by name; not beside a machine."""
    scenario: ScenarioSpec = ScenarioSpec()
    """Where, how and how long a device is made and used; the preset default unless given."""
    mapping: MappingSpec = Field(default_factory=MappingSpec, validate_default=True)
    """How layers are mapped: a mode alone, or keys; optimal unless given."""
    quality: QualitySpec | None = None
    """What says the loss of quality of compressed networks."""
    objectives: list[str] = Field(min_length=1)
    """Metrics to minimise, of all networks or one (``latency_s@vgg16``), or ``scenario_free``."""
    limits: dict[str, LimitSpec] = Field(default_factory=dict)
    """Largest values, by metric; and ``period``."""
    reference_point: dict[str, PointSpec] | None = None
    """Value of each objective from which hypervolume is measured: ``{latency_s: 1 s, …}``."""
    reference_front: FrontSpec | None = None
    """The exact or best-known front, which runs are compared with."""

    @field_validator("variables", mode="before")
    @classmethod
    def _name_variables(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401
        missing = [name for name in _words(info).required if name not in (value or {})]
        if info.data.get("machine") and value:
            raise ValueError(f"got {', '.join(value)} beside a machine, allowed: one of the two")
        if isinstance(value, dict) and missing and not info.data.get("machine"):
            raise ValueError(_missing_text(list(value), missing, info))
        return _named(value)

    @field_validator("mapping")
    @classmethod
    def _searchable(cls, value: MappingSpec, info: ValidationInfo) -> MappingSpec:
        if info.data.get("machine") and value.mode != "genes":
            fault = f"got {value.mode} on one machine, which leaves nothing to search"
            raise ValueError(f"{fault}, allowed: {{mode: genes}}")
        if value.objective is not None:
            if value.mode not in ("optimal", "exhaustive"):
                allowed = "allowed: with optimal or exhaustive"
                raise ValueError(f"got an objective with {value.mode}, {allowed}")
            one_of(value.objective, _words(info).mapping_objectives)
        variables = info.data.get("variables", {})
        templates = variables["template"].choice or () if "template" in variables else ()
        solved = [name for name in templates if name in _words(info).always_solved]
        if value.mode in ("reference", "genes") and solved:
            allowed = "allowed: optimal or exhaustive, as its mappings are always solved"
            raise ValueError(f"got {value.mode} with template {', '.join(solved)}, {allowed}")
        knobs = [name for name in variables if name in _of_networks(info)]
        if value.mode == "genes" and knobs:
            raise ValueError(
                f"got genes beside {', '.join(knobs)}, allowed: solved mappings, because what fits "
                "depends on the bits, so that a mapping variable would mean something else for each"
            )
        return value

    @field_validator("quality")
    @classmethod
    def _of_variables(cls, value: QualitySpec | None, info: ValidationInfo) -> QualitySpec | None:
        names, knobs = info.data.get("variables", {}), _of_networks(info)
        if value is not None and "variables" in info.data and not {*names} & {*knobs}:
            allowed = f"with one of {', '.join(knobs)} among the variables"
            raise ValueError(f"got a quality that is always the same, allowed: {allowed}")
        return value

    @field_validator("objectives", mode="before")
    @classmethod
    def _scenario_free(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401
        if isinstance(value, str) and value != SCENARIO_FREE:
            raise ValueError(f"got {value}, allowed: {SCENARIO_FREE}, or a list of metrics")
        if value != SCENARIO_FREE:
            return value
        given = _words(info).given_metrics if info.data.get("quality") else ()
        return [*_words(info).scenario_free(_networks(info)), *given]

    @field_validator("objectives")
    @classmethod
    def _known_metrics(cls, value: list[str], info: ValidationInfo) -> list[str]:
        faults = []
        for name in value:
            if "@" in name and "workloads" not in info.data:
                continue  # its network is told to be at fault
            try:
                _known_metric(name, info)
            except ValueError as error:
                faults.append(str(error))
        if len(set(value)) < len(value):
            faults.append(f"got {', '.join(value)}, allowed: each objective once")
        if faults:
            raise ValueError("; ".join(faults))
        return value

    @field_validator("limits", mode="before")
    @classmethod
    def _name_limits(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401
        rules = {"period": {"rule": value["period"]}} if _has_period(value) else {}
        named = _named({**value, **rules} if isinstance(value, dict) else value)
        for name in named if isinstance(named, dict) else ():
            _known_metric(name, info, "period")
        return named

    @field_validator("reference_point", mode="before")
    @classmethod
    def _name_point(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401
        if not isinstance(value, dict):
            return value
        wanted = info.data.get("objectives", list(value))
        if len(wanted) > MOST_MEASURED:
            fault = f"got a point for {len(wanted)} objectives"
            raise ValueError(f"{fault}, allowed: a point for at most {MOST_MEASURED}")
        if set(value) != set(wanted):
            raise ValueError(f"got {', '.join(value)}, allowed: each of {', '.join(wanted)}")
        return {name: {"name": name, "value": number} for name, number in value.items()}


def _words(info: ValidationInfo) -> Vocabulary:
    """Names that the model knows; none are checked where none are given."""
    return info.context if isinstance(info.context, Vocabulary) else Vocabulary()


def _of_networks(info: ValidationInfo) -> tuple[str, ...]:
    """Variables that are of networks and not of hardware."""
    return _words(info).network_knobs


def _metrics(info: ValidationInfo) -> tuple[str, ...]:
    """Metrics of all networks together, and of each network of the file."""
    words = _words(info)
    each = [f"{name}@{net}" for net in _networks(info) for name in words.network_metrics]
    return (*words.metrics, *each) if words.metrics else ()


def _known_metric(name: str, info: ValidationInfo, *others: str) -> None:
    """Refuse what is no metric, and one that needs a quality where there is none."""
    words = _words(info)
    if name in words.given_metrics and "quality" in info.data and info.data["quality"] is None:
        raise ValueError(
            f"got {name} without what says it, allowed: with quality: {{function: m:f}}"
            " or quality: {table: file.csv}"
        )
    one_of(name, (*others, *_metrics(info)) if words.metrics else ())


def _networks(info: ValidationInfo) -> list[str]:
    """Names of the networks of the file."""
    return [w.name or _stem(w.path or "") for w in info.data.get("workloads", [])]


def _missing_text(given: list[str], missing: list[str], info: ValidationInfo) -> str:
    """Say which knobs are missing, at the key that may be one of them misspelt."""
    strangers = [name for name in given if name not in ("template", *_words(info).knob_units)]
    near = {found: name for name in missing for found in get_close_matches(name, strangers, n=1)}
    if near:
        first, *others = near
        got = ", nor is ".join(["got no knob", *others])
        meant = ", ".join(near.values())
        return f"{first}: {got}, allowed: {', '.join(missing)} (did you mean {meant}?)"
    return f"got {', '.join(given) or 'none'}, allowed: also {', '.join(missing)}"


def _stem(path: str) -> str:
    """Name of a network that comes from a file."""
    return path.rsplit("/", 1)[-1].removesuffix(".onnx")


def _named(value: Any) -> Any:  # noqa: ANN401
    """Hand each entry of a mapping its own key, so that it can check itself."""
    if not isinstance(value, dict):
        return value
    for key, entry in value.items():
        if isinstance(entry, dict) and "name" in entry:
            raise ValueError(f"got {key}.name, allowed: no such key")
    return {
        key: {**entry, "name": key} if isinstance(entry, dict) else entry
        for key, entry in value.items()
    }


def _has_period(value: Any) -> bool:  # noqa: ANN401
    """Whether limits say what becomes of the period."""
    return isinstance(value, dict) and "period" in value


def _knob_value(name: str, value: Any, words: Vocabulary) -> float | str:  # noqa: ANN401
    """Read one value of a knob, inside the range that the model covers."""
    if name in words.knob_words:
        return one_of(value, words.knob_words[name])
    if isinstance(value, str) and name not in words.knob_units and not unit_of(name):
        return value
    low, high = words.knob_ranges.get(name, (0.0, float("inf")))
    allowed = words.knob_allowed.get(name, "> 0")
    number = named_quantity(name, value, words.knob_units, or_zero=low == 0, allowed=allowed)
    if name in words.whole_knobs:
        number = whole(number)
    if not low <= number <= high:
        raise ValueError(f"got {value}, allowed: {allowed}")
    return number


def _increment(name: str, value: Any, words: Vocabulary) -> float:  # noqa: ANN401
    """Read the distance between two values of a knob: above 0, whatever the knob's range."""
    number = named_quantity(name, value, words.knob_units)
    return whole(number) if name in words.whole_knobs else number
