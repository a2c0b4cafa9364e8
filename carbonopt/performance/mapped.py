"""One layer on the mapping chosen for it, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from carbonopt.hardware.machine import OPERANDS
from carbonopt.mapping.candidates import Mappings
from carbonopt.mapping.task import MappingTask
from carbonopt.mapping.tiles import IRRELEVANT, RELEVANCE
from carbonopt.performance.cost import MappedCost
from carbonopt.workload.layer import Layer


class LayerCost(Protocol):
    """One layer on the mapping chosen for it, whatever a mapping is."""

    @property
    def layer(self) -> Layer:
        """What is computed."""

    @property
    def energy_pj(self) -> float:
        """Energy of the layer [pJ]."""

    @property
    def cycles(self) -> float:
        """Latency of the layer [cycles]."""

    def energy_parts(self) -> dict[str, float]:
        """Energy by part [pJ]."""

    def cycle_parts(self) -> dict[str, float]:
        """Latency by part [cycles]."""

    def describe(self) -> dict[str, Any]:
        """Return name, macs, energy, cycles and mapping as nested names and numbers."""


@dataclass(frozen=True)
class MappedLayer:
    """One layer with its chosen mapping.

    Parameters
    ----------
    task, mappings, cost
        What was mapped, how, and at what cost; batches of one.
    cycles
        Latency [cycles], as the model variant counts it.
    """

    task: MappingTask
    mappings: Mappings
    cost: MappedCost
    cycles: float

    @property
    def layer(self) -> Layer:
        """What is computed."""
        return self.task.layer

    @property
    def group_weights(self) -> int:
        """Weights of the layer that each multiplier works with in turn."""
        indexed = RELEVANCE[OPERANDS.index("W"), self.mappings.dims[0]] != IRRELEVANT
        return int(self.mappings.sizes[0][indexed].prod())

    @property
    def energy_pj(self) -> float:
        """Energy of the layer [pJ]."""
        return float(self.cost.energy_pj[0])

    def energy_parts(self) -> dict[str, float]:
        """Energy by part: array, register, sram, dram [pJ]."""
        parts = {"array": sum(self._array_parts().values())}
        for o, operand in enumerate(OPERANDS):
            for level, m in enumerate(self.task.hierarchy[operand]):
                part = self.task.machine.memories[m].part
                parts[part] = parts.get(part, 0.0) + float(self.cost.memory_pj[0, o, level])
        return parts

    def _array_parts(self) -> dict[str, float]:
        """Energy of the array by part [pJ]."""
        return {part: float(values[0]) for part, values in self.cost.array_pj.items()}

    def cycle_parts(self) -> dict[str, float]:
        """Latency by part: compute, stall, and loading where the variant counts it [cycles]."""
        parts = {"compute": float(self.cost.compute_cycles[0]), "stall": float(self.cost.stall[0])}
        if self.task.machine.variant.loading_in_latency:
            loading = self.cost.onload[0] + self.cost.offload[0] + self.cost.drain[0]
            parts["loading"] = float(loading)
        return parts

    def describe(self) -> dict[str, Any]:
        """Return mapping, energy and cycles as nested names and numbers."""
        memories = self.task.machine.memories
        memory_pj = {
            operand: {
                memories[m].name: float(self.cost.memory_pj[0, o, level])
                for level, m in enumerate(self.task.hierarchy[operand])
            }
            for o, operand in enumerate(OPERANDS)
        }
        return {
            "name": self.task.layer.name,
            "macs": self.task.layer.macs,
            "energy_pj": self.energy_pj,
            "energy": {"array": self._array_parts(), "memory": memory_pj},
            "cycles": self.cycles,
            "cycles_by_part": self.cycle_parts(),
            "mapping": self.mappings.describe(self.task),
        }


def mapped_layer(task: MappingTask, mappings: Mappings, cost: MappedCost, row: int) -> MappedLayer:
    """Return one of n mappings of a layer with its cost."""
    here = cost.take(row)
    cycles = float(here.cycles(loading=task.machine.variant.loading_in_latency)[0])
    return MappedLayer(task, mappings.take(slice(row, row + 1)), here, cycles)
