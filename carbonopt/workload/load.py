"""Networks by name or path, what a deployment asks of them, and their description."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carbonopt.data.tables import load_table
from carbonopt.errors import SpecError
from carbonopt.workload import zoo
from carbonopt.workload.network import Network
from carbonopt.workload.onnx import network_of, read_onnx


@dataclass(frozen=True)
class DeploymentFacts:
    """What a deployment asks of a network.

    Parameters
    ----------
    period_s
        Time between two inferences; None where no rate is known [s].
    dram_byte
        Size of the memory beside the chip; None where it is not known [byte].
    """

    period_s: float | None
    dram_byte: int | None


def network_names() -> list[str]:
    """List the shipped networks; `load_network` knows their aliases as well."""
    return zoo.names()


def load_network(name_or_path: str | Path, *, batch: int | None = None) -> Network:
    """Load a shipped network, or an ONNX file.

    Parameters
    ----------
    name_or_path
        One of `network_names`, an alias, or the path of a file.
    batch
        Inputs per inference: 1 for a shipped network if not given; for a file it replaces the
        dynamic first dimension of the inputs [-].

    Returns
    -------
    Network
        Named by its canonical name, or by the stem of the file.

    Raises
    ------
    SpecError
        The batch is below 1, there is no such network or file, or the file is at fault.

    Examples
    --------
    >>> load_network("resnet8").macs
    12501632
    """
    text = str(name_or_path)
    if batch is not None and batch < 1:
        raise SpecError(f"{text}: batch: got {batch}, allowed: >= 1")
    aliases = _aliases()
    if text in aliases:
        name = aliases[text]
        return network_of(zoo.build(name, batch=batch or 1), name, where=name)
    path = Path(name_or_path)
    if not path.is_file() and path.suffix != ".onnx" and len(path.parts) < 2:
        raise zoo.unknown_network(
            text, [*network_names(), *sorted(set(aliases) - set(aliases.values()))]
        )
    return read_onnx(path, batch=batch)


def deployment_facts(name: str) -> DeploymentFacts:
    """Look up how often a shipped network runs and how much memory stands beside the chip.

    Parameters
    ----------
    name
        Name or alias of a shipped network; nothing is known of any other.

    Examples
    --------
    >>> deployment_facts("resnet8")
    DeploymentFacts(period_s=0.04, dram_byte=1048576)
    """
    table = load_table("workloads.csv").set_index("name")
    canonical = _aliases().get(name)
    if canonical is None:
        return DeploymentFacts(None, None)
    rate_hz, dram_byte = (float(table["rate_hz"][canonical]), float(table["dram_byte"][canonical]))
    return DeploymentFacts(
        None if math.isnan(rate_hz) else 1.0 / rate_hz,
        None if math.isnan(dram_byte) else int(dram_byte),
    )


def describe(network: Network) -> dict[str, Any]:
    """Describe a network in plain data, ready for JSON.

    Parameters
    ----------
    network
        Any network.

    Returns
    -------
    dict
        ``name``, ``macs``, ``weights``, ``layers`` (each with its loop bounds by dimension,
        strides, dilations, input extents, MACs, trained weights and predecessors), and
        ``not_modelled`` (node type to count).

    Examples
    --------
    >>> describe(load_network("ds_cnn"))["layers"][0]["stride"]
    {'x': 2, 'y': 2}
    """
    layers = [
        {
            "name": layer.name,
            "kind": layer.kind,
            "loops": layer.loops,
            "stride": dict(zip("xy", layer.stride, strict=True)),
            "dilation": dict(zip("xy", layer.dilation, strict=True)),
            "input_size": dict(zip("xy", layer.input_size, strict=True)),
            "macs": layer.macs,
            "weights": layer.weights if layer.kind != "matmul" else 0,
            "predecessors": list(layer.predecessors),
        }
        for layer in network.layers
    ]
    return {
        "name": network.name,
        "macs": network.macs,
        "weights": network.weights,
        "layers": layers,
        "not_modelled": dict(network.not_modelled),
    }


def _aliases() -> dict[str, str]:
    """Map every name and alias of a shipped network to its name."""
    table = load_table("workloads.csv")
    known = {name: name for name in table["name"]}
    for name, aliases in zip(table["name"], table["aliases"], strict=True):
        known |= dict.fromkeys(str(aliases).split(), name)
    return known
