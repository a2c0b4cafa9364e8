"""What the layers of one kind take together: convolutions, fully connected ones, products."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from carbonopt.performance.mapped import LayerCost

SUMMED = ("macs", "energy_pj", "energy", "cycles", "cycles_by_part", "accesses")
"""What of the description of a layer adds up, where it has it."""


def described_layers(layers: Iterable[LayerCost]) -> list[dict[str, Any]]:
    """Return what each layer takes, and of which kind it is, as nested names and numbers."""
    return [{"name": each.layer.name, "kind": each.layer.kind} | each.describe() for each in layers]


def sum_by_kind(layers: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return how many layers of each kind there are, and the sums of what they take.

    Parameters
    ----------
    layers
        Descriptions by `described_layers`.

    Examples
    --------
    >>> layers = [{"kind": "conv", "macs": 3, "energy": {"array": 2.0}},
    ...           {"kind": "gemm", "macs": 5, "energy": {"array": 4.0}},
    ...           {"kind": "conv", "macs": 4, "energy": {"array": 1.0, "dram": 2.0}}]
    >>> sum_by_kind(layers)["conv"]
    {'layers': 2, 'macs': 7, 'energy': {'array': 3.0, 'dram': 2.0}}
    """
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for layer in layers:
        kinds.setdefault(layer["kind"], []).append(layer)
    return {
        kind: {"layers": len(alike)}
        | _summed([{name: each[name] for name in SUMMED if name in each} for each in alike])
        for kind, alike in kinds.items()
    }


def _summed(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Add numbers of the same name, at any depth."""
    names = dict.fromkeys(name for part in parts for name in part)
    total = {}
    for name in names:
        values = [part[name] for part in parts if name in part]
        total[name] = _summed(values) if isinstance(values[0], Mapping) else sum(values)
    return total
