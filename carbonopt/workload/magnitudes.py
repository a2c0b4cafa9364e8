"""Magnitudes of trained weights, out of an ONNX file or a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from carbonopt.arrays import Floats
from carbonopt.errors import SpecError
from carbonopt.workload.network import Network
from carbonopt.workload.onnx_layers import OPERANDS

_COLUMNS = ("layer", "magnitude")


def weight_magnitudes(file: Path, network: Network) -> dict[str, Floats]:
    """Read the magnitudes of all weights of a network.

    Parameters
    ----------
    file
        The network's ONNX file with its weights, as initializers or constants that layers read
        directly; or a CSV file with columns ``layer`` and ``magnitude``, a row for each weight.
    network
        Whose layers are asked for.

    Returns
    -------
    dict
        Layer to magnitudes (weights,), in the order of the network; not products of activations.

    Raises
    ------
    SpecError
        The file cannot be read, or it lacks weights of a layer; names each.
    """
    found = _of_table(file) if file.suffix == ".csv" else _of_model(file)
    magnitudes, faults = {}, []
    for layer in network.layers:
        if layer.kind == "matmul":
            continue
        own = found.get(layer.name, np.zeros(0))
        if len(own) != layer.weights:
            got = f"got {len(own):,} weights of layer {layer.name!r}"
            faults.append(f"{file}: {got}, allowed: {layer.weights:,}")
        elif not np.isfinite(own).all():
            faults.append(f"{file}: got a weight of layer {layer.name!r} that is no number")
        magnitudes[layer.name] = np.abs(own)
    if faults:
        raise SpecError(faults)
    return magnitudes


def _of_table(file: Path) -> dict[str, Floats]:
    """Read a table of magnitudes."""
    try:
        table = pd.read_csv(file)
    except OSError as error:
        raise SpecError(f"{file}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SpecError(f"{file}: cannot be read: {error}") from error
    if missing := [name for name in _COLUMNS if name not in table]:
        raise SpecError(f"{file}: got no column {', '.join(missing)}, allowed: layer,magnitude")
    numbers = pd.to_numeric(table["magnitude"], errors="coerce").to_numpy(dtype=np.float64)
    places = table.groupby(table["layer"].astype(str)).indices
    return {str(name): numbers[rows] for name, rows in places.items()}


def _of_model(file: Path) -> dict[str, Floats]:
    """Read the weights of the nodes of an ONNX file by the names of their layers."""
    try:
        model = onnx.load_model(str(file))
    except OSError as error:
        raise SpecError(f"{file}: cannot be read: {error.strerror}") from error
    except (DecodeError, onnx.checker.ValidationError) as error:
        raise SpecError(f"{file}: truncated, or not an ONNX model: {error}") from error
    held = dict(_constants(model.graph))
    names: Counter[str] = Counter()
    found = {}
    for node in model.graph.node:
        if node.op_type not in OPERANDS or node.domain not in ("", "ai.onnx"):
            continue
        name = node.name or node.output[0]
        names[name] += 1
        named = name if names[name] == 1 else f"{name}#{names[name]}"
        operands = [node.input[i] for i in OPERANDS[node.op_type] if i < len(node.input)]
        stored = [held[each] for each in operands if each in held]
        if stored:
            values = onnx.numpy_helper.to_array(stored[-1])
            found[named] = np.abs(values.astype(np.float64)).ravel()
    return found


def _constants(graph: onnx.GraphProto) -> Iterator[tuple[str, onnx.TensorProto]]:
    """Visit the tensors that a graph holds, by name."""
    for tensor in graph.initializer:
        yield tensor.name, tensor
    for node in graph.node:
        for attribute in node.attribute if node.op_type == "Constant" else ():
            if attribute.name == "value":
                yield node.output[0], attribute.t
