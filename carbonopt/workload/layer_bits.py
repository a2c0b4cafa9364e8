"""Bits and pruned shares of single layers, as a user's file says."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from carbonopt.errors import SpecError
from carbonopt.spec.load import read_document
from carbonopt.workload.network import Network

_KEYS = {"weight_bits": "1 to 16", "activation_bits": "1 to 16", "pruned": "from 0 to below 1"}
_MOST_BITS = 16


@dataclass(frozen=True)
class LayerBits:
    """Bits and pruned shares by name of the layer, where they are given."""

    weight_bits: dict[str, int] = field(default_factory=dict)
    activation_bits: dict[str, int] = field(default_factory=dict)
    pruned: dict[str, float] = field(default_factory=dict)


def load_layer_bits(path: str | Path, network: Network) -> LayerBits:
    """Read bits and pruned shares of the layers of a network from a YAML or CSV file.

    YAML maps names of layers to ``weight_bits``, ``activation_bits`` and ``pruned``; CSV has
    these as columns beside ``layer``, and empty cells where nothing is said.

    Raises
    ------
    SpecError
        Every fault of the file, each with its line: no such layer or key, a value out of range.
    """
    file = Path(path)
    if file.suffix not in (".yaml", ".yml", ".csv"):
        raise SpecError(f"{file}: got {file.suffix or 'no suffix'}, allowed: .yaml, .yml, .csv")
    entries = _of_csv(file) if file.suffix == ".csv" else _of_yaml(file)
    found, faults = LayerBits(), list[str]()
    names = [layer.name for layer in network.layers]
    for where, name, values in entries:
        if name not in names:
            near = get_close_matches(name, names, 1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            allowed = f"a layer of {network.name}: {', '.join(names)}"
            faults.append(f"{where}: got {name}{hint}, allowed: {allowed}")
        for key, value in values.items():
            if key not in _KEYS:
                allowed = ", ".join(_KEYS)
                faults.append(f"{where}: {name}: got {key}, allowed: {allowed}")
            elif (number := _number(key, value)) is None:
                faults.append(f"{where}: {name}.{key}: got {value}, allowed: {_KEYS[key]}")
            else:
                getattr(found, key)[name] = number
    if faults:
        raise SpecError(faults)
    return found


def _number(key: str, value: object) -> float | None:
    """Return a value that its key allows, None for any other."""
    try:
        number = float(str(value))
    except ValueError:
        return None
    if key == "pruned":
        return number if 0 <= number < 1 else None
    return int(number) if number.is_integer() and 1 <= number <= _MOST_BITS else None


Entry = tuple[str, str, Mapping[str, Any]]
"""Where it stands, the layer, and what is said of it."""


def _of_yaml(file: Path) -> Iterator[Entry]:
    """Visit the layers of a YAML file."""
    document = read_document(file)
    if document.faults:
        raise SpecError(document.faults)
    data = document.data
    if not isinstance(data, dict) or not all(isinstance(each, dict) for each in data.values()):
        allowed = "names of layers, each with {weight_bits: 8, activation_bits: 8, pruned: 0.5}"
        raise SpecError(f"{file}:1: got something else, allowed: {allowed}")
    for name, values in data.items():
        yield f"{file}:{document.lines.get((name,), 1)}", str(name), values


def _of_csv(file: Path) -> Iterator[Entry]:
    """Visit the layers of a CSV file."""
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            rows = csv.DictReader(stream)
            if "layer" not in (rows.fieldnames or ()):
                allowed = f"layer, {', '.join(_KEYS)}"
                got = ", ".join(rows.fieldnames or ("nothing",))
                raise SpecError(f"{file}:1: got columns {got}, allowed: {allowed}")
            for row in rows:
                values = {key: value for key, value in row.items() if key != "layer" and value}
                yield f"{file}:{rows.line_num}", str(row["layer"]), values
    except OSError as error:
        raise SpecError(f"{file}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise SpecError(f"{file}: got no CSV text ({error}), allowed: CSV in UTF-8") from error
