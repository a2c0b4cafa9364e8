"""One design for one network, evaluated again and again as the network is compressed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from carbonopt.carbon.presets import CarbonPreset
from carbonopt.evaluate import Evaluation, Workload, evaluate_design
from carbonopt.hardware.knob_table import Knobs
from carbonopt.performance.network import SolvedLayers
from carbonopt.workload.compression import Target, parse_settings
from carbonopt.workload.network import Network


@dataclass(frozen=True)
class Device:
    """A design that a network is compressed for.

    Parameters
    ----------
    template, knobs
        The design.
    workload, preset
        What it runs, and the numbers of the carbon model.
    objective
        What mappings are chosen for.
    """

    template: str
    knobs: Knobs
    workload: Workload
    preset: CarbonPreset
    objective: str = "edp"
    _solved: SolvedLayers = field(default_factory=SolvedLayers, repr=False, compare=False)

    @cached_property
    def targets(self) -> list[Target]:
        """Everything to choose of the network: for all layers, then for each."""
        return parse_settings(self.workload.network, {})[1]

    def network(self, chosen: Mapping[str, float]) -> Network:
        """Return the network as it is chosen."""
        return self.workload.compressed(chosen, self.targets).network

    def evaluate(self, chosen: Mapping[str, float]) -> Evaluation:
        """Evaluate the design with the network as it is chosen.

        Raises
        ------
        ModelRangeError, MappingError
            The design cannot be built or mapped.
        """
        workload = self.workload.compressed(chosen, self.targets)
        return evaluate_design(
            self.template, self.knobs, workload, self.preset, "optimal", self.objective,
            self._solved,
        )  # fmt: skip
