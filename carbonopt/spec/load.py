"""YAML files to plain data that remember their lines, and to typed objects with all faults at once.

Scalars follow YAML 1.2: ``1e-3`` is a number, ``on`` and ``NO`` are text, only ``true`` and
``false`` are booleans. A key that stands twice is a fault, except in files of other tools.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from carbonopt.errors import SpecError

Model = TypeVar("Model", bound=BaseModel)
Place = tuple[str | int, ...]
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_WHOLE = re.compile(r"[-+]?\d+")
_FLOAT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_DEEPEST = 20
_ALLOWED = {
    **dict.fromkeys(("model_type", "dict_type", "model_attributes_type"), "keys with values"),
    **{"too_short": "at least {least}", "string_too_short": "text", "string_type": "text"},
    **{"list_type": "a list", "int_type": "a whole number", "float_type": "a number"},
    **{"bool_type": "true or false"},
}
"""What pydantic asks for, by type of error, in our words."""


@dataclass
class Document:
    """What a file says, and on which line.

    Parameters
    ----------
    path
        The file.
    last_wins
        Whether the last value of a repeated key counts.
    """

    path: Path
    last_wins: bool = False
    data: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def fault(self, place: Place, message: str) -> str:
        """Put file, line and key before a message."""
        known = place
        while known and known not in self.lines:
            known = known[:-1]
        key = ".".join(map(str, place))
        where = f"{self.path}:{self.lines.get(known, 1)}"
        return f"{where}: {key}: {message}" if key else f"{where}: {message}"

    def value(self, place: Place) -> Any:  # noqa: ANN401  whatever stands there
        """Look up what the file says at a place, None where it says nothing."""
        found = self.data
        for step in place:
            try:
                found = found[step]
            except (KeyError, IndexError, TypeError):
                return None
        return found


def load_model(
    path: Path,
    model: type[Model],
    context: Any = None,  # noqa: ANN401  whatever the model's validators want
    *,
    document: Document | None = None,
) -> tuple[Model, Document]:
    """Read a YAML file as a pydantic model.

    Parameters
    ----------
    path
        The file.
    model
        What it must be.
    context
        Handed to the model's validators.
    document
        What the file says, where it has been read already.

    Raises
    ------
    SpecError
        With every fault of the file: ``file:line: key: got …, allowed: …``.
    """
    document = document or read_document(path)
    faults = list(document.faults)
    if not isinstance(document.data, dict):
        got = "nothing" if document.data is None else repr(document.data)
        raise SpecError(faults or document.fault((), f"got {got}, allowed: keys with values"))
    try:
        result = model.model_validate(document.data, context=context)
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise SpecError(
            [*faults, *(_message(entry, document, model) for entry in details)]
        ) from None
    if faults:
        raise SpecError(faults)
    return result, document


def sound_part(data: Any, model: type[Model], context: Any) -> Model | None:  # noqa: ANN401
    """Read a part of a file as a model, None where it is not sound."""
    try:
        return model.model_validate(data, context=context)
    except ValidationError:
        return None


def read_document(path: Path, *, last_wins: bool = False) -> Document:
    """Read a YAML file with the line of every key and value.

    Parameters
    ----------
    path
        The file.
    last_wins
        Of a key that stands twice take the last value, as most readers of YAML do, instead of
        a fault.

    Raises
    ------
    SpecError
        The file cannot be read or is not YAML.
    """
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SpecError(f"{path}: got bytes that are no UTF-8 text, allowed: YAML") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or str(error)
        raise SpecError(f"{path}:{line}: got no YAML: {problem}") from error
    document = Document(path, last_wins=last_wins)
    if root is not None:
        document.data = _plain(root, (), document)
    return document


def _plain(node: yaml.Node, place: Place, document: Document) -> Any:  # noqa: ANN401
    """Turn a node into plain data, note its line and its faults."""
    document.lines.setdefault(place, node.start_mark.line + 1)
    if len(place) > _DEEPEST:
        raise SpecError(document.fault(place[:3], f"got over {_DEEPEST} levels, allowed: fewer"))
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*place, i), document) for i, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, place, document)
    return _scalar(node)


def _mapping(node: yaml.MappingNode, place: Place, document: Document) -> dict[str, Any]:
    """Turn a mapping into a dict; a second value of a key is a fault."""
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        inner = (*place, str(key_node.value))
        if inner[-1] in result and document.last_wins:
            _forget(inner, document)
        elif inner[-1] in result:
            first = document.lines[inner]
            again = f"{document.path}:{key_node.start_mark.line + 1}: {'.'.join(map(str, inner))}"
            document.faults.append(f"{again}: got the key again, allowed: once (see line {first})")
            continue
        document.lines[inner] = key_node.start_mark.line + 1
        result[str(key_node.value)] = _plain(value_node, inner, document)
    return result


def _forget(place: Place, document: Document) -> None:
    """Drop the lines of a value that a later one replaces."""
    inside = [known for known in document.lines if known[: len(place)] == place]
    for known in inside:
        del document.lines[known]


def _scalar(node: yaml.Node) -> str | int | float | bool | None:
    """Read a scalar as YAML 1.2 does; anything in quotes is text."""
    text: str = node.value
    return text if getattr(node, "style", None) is not None else plain_scalar(text)


def plain_scalar(text: str) -> str | int | float | bool | None:
    """Read text that stands without quotes.

    Examples
    --------
    >>> [plain_scalar(text) for text in ("1e-3", "on", "true", "12:30", "40 ms")]
    [0.001, 'on', True, '12:30', '40 ms']
    """
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _message(entry: ErrorDetails, document: Document, model: type[BaseModel]) -> str:
    """Say one fault that pydantic found in our words."""
    place = tuple(entry["loc"])
    while place and place[-1] not in _steps(document.value(place[:-1])) and _inner(place, entry):
        place = place[:-1]
    if entry["type"] == "extra_forbidden":
        allowed = _keys_at(model, place[:-1])
        near = get_close_matches(str(place[-1]), allowed, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        return document.fault(place, f"unknown key, allowed: {', '.join(allowed)}{hint}")
    if entry["type"] == "missing":
        return document.fault(place, "got nothing, allowed: a value, it is required")
    if entry["type"] == "value_error":
        return _fault_within(place, str(entry["ctx"]["error"]), document)
    got = document.value(place)
    allowed_text = _ALLOWED.get(entry["type"]) or entry["msg"].removeprefix("Input should be ")
    least = entry.get("ctx", {}).get("min_length")
    return document.fault(place, f"got {got}, allowed: {allowed_text.format(least=least)}")


def _fault_within(place: Place, message: str, document: Document) -> str:
    """Say a fault at the key below a place that its message begins with, where there is one."""
    keys, _, rest = message.partition(": ")
    below = (*place, *keys.split("."))
    if rest and below in document.lines:
        return document.fault(below, rest)
    return document.fault(place, message)


def _inner(place: Place, entry: ErrorDetails) -> bool:
    """Whether the last step is one that a validator added, not one that the file lacks."""
    return entry["type"] not in ("missing", "extra_forbidden") and len(place) > 1


def _steps(data: Any) -> Any:  # noqa: ANN401
    """Keys or indices that one can go on with from a place."""
    if isinstance(data, dict):
        return data.keys()
    return range(len(data)) if isinstance(data, list) else ()


def _keys_at(model: type[BaseModel], place: Place) -> list[str]:
    """Keys that the model allows at a place."""
    current: Any = model
    for step in place:
        fields = getattr(current, "model_fields", {})
        if step in fields:
            current = fields[step].annotation
        current = next((m for m in _models_in(current)), current)
    return [name for name, info in current.model_fields.items() if not info.exclude]


def _models_in(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401
    """Models that an annotation speaks of, at any depth."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for part in getattr(annotation, "__args__", ()) for m in _models_in(part)]
