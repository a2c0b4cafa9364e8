"""The (energy, latency) front of a whole network on a machine: the yardstick of a search."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from carbonopt.arrays import Floats, Ints
from carbonopt.hardware.machine import Machine
from carbonopt.mapping.candidates import optimal_mappings
from carbonopt.mapping.residency import residency
from carbonopt.mapping.task import MappingTask
from carbonopt.performance.cost import mapped_cost
from carbonopt.performance.network import MappedLayer, NetworkCost, mapped_layer, oriented
from carbonopt.workload.network import Network


def network_fronts(network: Network, machine: Machine) -> list[NetworkCost]:
    """Return the non-dominated choices of one mapping per layer, the fastest first.
    """
