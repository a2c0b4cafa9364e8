"""A network, and what its deployment asks of a device."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from carbonopt.carbon.task import Deployment
from carbonopt.errors import SpecError
from carbonopt.workload.compression import Target, compressed
from carbonopt.workload.load import deployment_facts, load_network
from carbonopt.workload.network import Network


@dataclass(frozen=True)
class Workload:
    """A network and what its deployment asks of it.

    Parameters
    ----------
    network
        What is computed.
    dram_byte
        Size of the DRAM beside the chip [byte].
    period_s
        Time between two inferences, None where it is not known [s].
    """

    network: Network
    dram_byte: float
    period_s: float | None

    def compressed(self, chosen: Mapping[str, Any], known: Iterable[Target]) -> Workload:
        """Return the workload with its network as `carbonopt.workload.compression.compressed`."""
        network = compressed(self.network, chosen, known)
        return self if network is self.network else dataclasses.replace(self, network=network)

    @property
    def deployment(self) -> Deployment:
        """What it asks of a device, without the network itself."""
        return Deployment(self.network.name, self.dram_byte, self.period_s)


def load_workload(
    name_or_path: str,
    *,
    period_s: float | None = None,
    dram_byte: float | None = None,
    batch: int | None = None,
) -> Workload:
    """Load a network with its deployment; what is not given comes from the shipped facts.

    For a network without facts the period stays unknown, and the DRAM is the smallest power
    of two that holds all weights and the largest activations, at least 1 MiB.

    Raises
    ------
    SpecError
        If the network cannot be read, or the period or DRAM is not positive.
    """
    for name, value in (("period", period_s), ("dram", dram_byte)):
        if value is not None and not value > 0:
            raise SpecError(f"{name}: got {value:g}, allowed: > 0")
    network = load_network(name_or_path, batch=batch)
    facts = deployment_facts(name_or_path)
    return Workload(
        network,
        dram_byte or facts.dram_byte or _enough_dram(network),
        period_s or facts.period_s,
    )


def _enough_dram(network: Network) -> float:
    """Return the smallest power of two, at least 1 MiB, that holds a network [byte]."""
    bits = sum(layer.weights * layer.weight_bits for layer in network.layers)
    bits += max(
        layer.inputs * layer.input_bits + layer.outputs * layer.psum_bits
        for layer in network.layers
    )
    return float(max(2**20, 2 ** math.ceil(math.log2(bits / 8))))
