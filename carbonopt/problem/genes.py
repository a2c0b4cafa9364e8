"""Designs whose mappings are variables too, and the exact front that they are measured against."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from carbonopt.errors import MappingError, ModelRangeError
from carbonopt.evaluate import (
    Context,
    Evaluation,
    Workload,
    evaluate_mapped,
    row_of,
)
from carbonopt.hardware.knobs import knobs_of_row
from carbonopt.hardware.machine import OPERANDS, Machine, Operand
from carbonopt.hardware.template import find_template
from carbonopt.hardware.variant import load_variant
from carbonopt.mapping.residency import machine_for
from carbonopt.performance.genes import MappingGenes
from carbonopt.performance.yardstick import network_front
from carbonopt.problem.rows import Row
from carbonopt.variable import Value, Variable

_MOST_SOLVED = 64
"""Machines of a problem for which the exact front of all of them is computed."""
_TEMPLATE_LEVELS: Mapping[Operand, int] = dict.fromkeys(OPERANDS, 3)
"""Registers or cells, SRAM and DRAM: what an operand has on a template's machine, at most."""


@dataclass(frozen=True)
class GeneEvaluation:
    """Evaluates designs of hardware and mapping together.

    Parameters
    ----------
    context
        Workloads and preset.
    machine
        The machine of every design, None where a design says which.
    genes
        The mapping variables.
    """

    context: Context
    machine: Machine | None
    genes: MappingGenes

    @classmethod
    def of(cls, context: Context, machine: Machine | None) -> GeneEvaluation:
        """Make the mapping variables of some workloads."""
        levels = _TEMPLATE_LEVELS
        if machine is not None:
            levels = {operand: len(machine.levels(operand)) for operand in OPERANDS}
        networks = [workload.network for workload in context.workloads]
        return cls(context, machine, MappingGenes(networks, levels))

    @property
    def variables(self) -> list[Variable]:
        """The mapping variables, each a plain number."""
        return [Variable(name, tuple(range(size))) for name, size in self.genes.sizes.items()]

    @property
    def layers(self) -> dict[str, list[str]]:
        """Prefix of each layer's variables to the layers that listen to them."""
        return {f"layer{i}": names for i, names in enumerate(self.genes.layers.values())}

    def __call__(self, design: Mapping[str, Any]) -> Row:
        """Evaluate one design, see `carbonopt.evaluate.evaluate_row`."""
        results = (self._evaluation(design, workload) for workload in self.context.workloads)
        return row_of(results, self.context)

    def mapped_layers(self, design: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
        """Return how a design maps the layers of each network: nested names and numbers.

        Raises
        ------
        ModelRangeError, MappingError
            If the design cannot be built or mapped.
        """
        found = {}
        for workload in self.context.workloads:
            layers = self._evaluation(design, workload).cost.layers
            found[workload.network.name] = [layer.describe() for layer in layers]
        return found

    def exact_rows(self, hardware: Sequence[Variable]) -> list[Row]:
        """Return rows that hold the exact front of the problem, without mapping variables.

        For every machine the front over all mappings; none at all for several workloads, whose
        means are no sums, and where there are more machines than are solved in seconds.
        """
        machines = math.prod(len(variable.values) for variable in hardware)
        if len(self.context.workloads) > 1 or machines > _MOST_SOLVED:
            return []
        names = [variable.name for variable in hardware]
        choices = itertools.product(*(variable.values for variable in hardware))
        return [
            row for values in choices for row in self._solved(dict(zip(names, values, strict=True)))
        ]

    def _evaluation(self, design: Mapping[str, Any], workload: Workload) -> Evaluation:
        """Evaluate one design for one workload."""
        machine = self._machine(design, workload)
        cost = self.genes.network_cost(workload.network, machine, design)
        return evaluate_mapped(machine, cost, workload, self.context.preset)

    def _machine(self, design: Mapping[str, Any], workload: Workload) -> Machine:
        """Return the machine of a design."""
        if self.machine is not None:
            return self.machine
        return machine_for(
            workload.network, find_template(str(design["template"])), knobs_of_row(design),
            load_variant(self.context.preset.hardware), dram_byte=workload.dram_byte,
        )  # fmt: skip

    def _solved(self, design: Mapping[str, Value]) -> Iterator[Row]:
        """Visit the rows of one machine's front; none where it cannot be built or mapped."""
        workload = self.context.workloads[0]
        try:
            machine = self._machine(design, workload)
            front = network_front(workload.network, machine)
        except (ModelRangeError, MappingError):
            return
        for cost in front:
            result = evaluate_mapped(machine, cost, workload, self.context.preset)
            yield {**row_of([result], self.context), **design}
