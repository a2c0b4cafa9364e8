"""Bits and pruned shares of single layers, as a user's file says."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from carbonopt.errors import SpecError
from carbonopt.spec.load import Place, read_document
from carbonopt.workload.compression import NETWORK_KNOBS, parse_settings
from carbonopt.workload.network import Network


def load_layer_settings(path: str | Path, network: Network) -> dict[str, float]:
    """Read bits and pruned shares of the layers of a network from a YAML or CSV file.

    YAML maps names of layers to ``weight_bits``, ``activation_bits`` and ``pruned_share``; CSV has
    these as columns beside ``layer``, and empty cells where nothing is said.

    Returns
    -------
    dict
        Settings such as ``weight_bits@stem``, see `carbonopt.workload.compression.parse_settings`.

    Raises
    ------
    SpecError
        Every fault of the file, each with its line: no such layer or key, a value out of range.
    """
    file = Path(path)
    if file.suffix not in (".yaml", ".yml", ".csv"):
        raise SpecError(f"{file}: got {file.suffix or 'no suffix'}, allowed: .yaml, .yml, .csv")
    values: dict[str, object] = {}
    places: dict[str, str] = {}
    faults = []
    for where, layer, said in _of_csv(file) if file.suffix == ".csv" else _of_yaml(file):
        for key, value in said.items():
            if key not in NETWORK_KNOBS:
                faults.append(f"{where}: {layer}: got {key}, allowed: {', '.join(NETWORK_KNOBS)}")
                continue
            name = f"{key}@{layer}"
            if name in places:
                line = places[name].rpartition(":")[2]
                faults.append(f"{where}: {layer}: got {key} again, allowed: once (see line {line})")
                continue
            values[name], places[name] = value, where
    try:
        chosen, _ = parse_settings(network, values, places)
    except SpecError as error:
        faults.extend(error.faults)
    if faults:
        raise SpecError(faults)
    return chosen


Entry = tuple[str, str, Mapping[str, Any]]
"""Where it stands, the layer, and what is said of it."""


def _of_yaml(file: Path) -> Iterator[Entry]:
    """Visit the layers of a YAML file."""
    document = read_document(file)
    if document.faults:
        raise SpecError(document.faults)
    data = document.data
    listed = data.items() if isinstance(data, dict) else ()
    wrong = [(str(name),) for name, each in listed if not isinstance(each, dict)]
    if wrong or not isinstance(data, dict):
        allowed = "names of layers, each with {weight_bits: 8, activation_bits: 8, ...}"
        places: list[Place] = [*wrong] or [()]
        raise SpecError(
            [
                document.fault(at, f"got {_shown(document.value(at))}, allowed: {allowed}")
                for at in places
            ]
        )
    for name, values in data.items():
        yield f"{file}:{document.lines.get((name,), 1)}", str(name), values


def _shown(value: object) -> str:
    """Show a value of a YAML file as it was read."""
    return "nothing" if value is None else str(value)


def _of_csv(file: Path) -> Iterator[Entry]:
    """Visit the layers of a CSV file."""
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            rows = csv.DictReader(stream)
            if "layer" not in (rows.fieldnames or ()):
                allowed = f"layer, {', '.join(NETWORK_KNOBS)}"
                got = ", ".join(rows.fieldnames or ("nothing",))
                raise SpecError(f"{file}:1: got columns {got}, allowed: {allowed}")
            for row in rows:
                values = {key: value for key, value in row.items() if key != "layer" and value}
                yield f"{file}:{rows.line_num}", str(row["layer"]), values
    except OSError as error:
        raise SpecError(f"{file}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise SpecError(f"{file}: got no CSV text ({error}), allowed: CSV in UTF-8") from error
