"""Step by step to a budget: what costs least quality first, the model in the loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from carbonopt.compress.device import Device
from carbonopt.errors import ModelRangeError, QualityError, SpecError
from carbonopt.evaluate import Evaluation
from carbonopt.units import format_quantity, unit_of
from carbonopt.workload.compression import NETWORK_KNOBS, Target, targets
from carbonopt.workload.layer import Layer
from carbonopt.workload.network import Network

RESOURCES = ("latency_s", "energy_j", "carbon_ca_g", "carbon_pa_g")
"""What a budget can be of."""
Quality = Callable[[Sequence[Network], Mapping[str, float]], float]
_FIELDS = {"activation_bits": "output_bits"}
_STEPS = 20  # of a pruned share: 0, 0.05, … 0.95
_DIGITS, _ROUNDED = 4, 1e-3  # what is said to be enough is no less than what is
_LEAST_STEP = 2.0**-8  # of the asked one, before it is given up


@dataclass(frozen=True)
class State:
    """A compressed network.

    Parameters
    ----------
    chosen
        Bits and pruned shares, by variable.
    found, loss
        What it takes, and its loss of quality.
    """

    chosen: Mapping[str, float]
    found: Evaluation
    loss: float


@dataclass(frozen=True)
class Step:
    """One reduction of one layer.

    Parameters
    ----------
    layer, knob
        What was reduced.
    before, after
        Its value.
    state
        The network then.
    """

    layer: str
    knob: str
    before: float
    after: float
    state: State


@dataclass(frozen=True)
class Adapted:
    """A network that was compressed towards a budget.

    Parameters
    ----------
    start
        As it was.
    steps
        What was done, in order.
    reached, why
        Whether the budget is kept, and why not, '' where it is.
    """

    start: State
    steps: tuple[Step, ...]
    reached: bool
    why: str = ""

    @property
    def end(self) -> State:
        """The compressed network."""
        return self.steps[-1].state if self.steps else self.start


def to_budget(
    device: Device,
    quality: Quality,
    resource: str,
    budget: float,
    *,
    step: float,
    knobs: Sequence[str],
    chosen: Mapping[str, float],
) -> Adapted:
    """Compress a network until it keeps a budget.

    In each step every layer proposes, for every knob, the mildest reduction that saves `step`, or
    what is left to the budget; the one of least loss is taken. Where none saves as much, half of
    the step is asked for, and so on.

    Parameters
    ----------
    device, quality
        The design, and what says the loss of a network.
    resource, budget
        One of `RESOURCES`, and how much of it is allowed.
    step
        To be saved in each step, in the unit of the budget.
    knobs
        What may be reduced: names of `carbonopt.workload.compression.NETWORK_KNOBS`. Bits go down
        by whole numbers to 1, pruned shares up by 0.05 to 0.95.
    chosen
        Where to start.

    Raises
    ------
    SpecError
        The resource cannot be a budget, or a step or budget is not above 0.
    ModelRangeError
        The strongest compression does not keep the budget; the message says what it takes.
    QualityError
        The quality of the network cannot be told before any step.

    References
    ----------
    .. [1] T.-J. Yang et al., NetAdapt: Platform-Aware Neural Network Adaptation for Mobile
       Applications, ECCV 2018, algorithm 1, with bits and pruned shares in place of filters and
       without retraining.
    """
    _check(device, resource, budget, step, knobs)
    walk = _Walk(device, quality, resource, knobs)
    start = walk.state(chosen)
    walk.refuse_beyond(start, budget)
    steps: list[Step] = []
    now, left = start, step
    while walk.spent(now) > budget:
        goal = max(budget, walk.spent(now) - left)
        proposals = list(walk.proposals(now, goal))
        if proposals:
            steps.append(min(proposals, key=lambda s: (s.state.loss, walk.spent(s.state))))
            now, left = steps[-1].state, step
        elif left > step * _LEAST_STEP:
            left /= 2.0
        else:
            said = walk.failure or f"no reduction of one layer saves {resource} any more"
            return Adapted(start, tuple(steps), False, said)
    return Adapted(start, tuple(steps), True)


def _check(device: Device, resource: str, budget: float, step: float, knobs: Sequence[str]) -> None:
    """Refuse what cannot be asked for, all faults at once."""
    faults = []
    if resource not in RESOURCES:
        faults.append(f"budget: got {resource}, allowed: {', '.join(RESOURCES)}")
    elif resource == "carbon_pa_g" and device.workload.period_s is None:
        faults.append("budget: got carbon_pa_g without a period, allowed: with one")
    for name, value in (("budget", budget), ("step", step)):
        if not value > 0.0:
            faults.append(f"{name}: got {value:g}, allowed: above 0")
    faults += [
        f"by: got {knob}, allowed: {', '.join(NETWORK_KNOBS)}"
        for knob in knobs
        if knob not in NETWORK_KNOBS
    ]
    if faults:
        raise SpecError(faults)


class _Walk:
    """What is reduced how, and what it brings.

    Parameters
    ----------
    device, quality, resource, knobs
        As in `to_budget`.
    """

    def __init__(
        self, device: Device, quality: Quality, resource: str, knobs: Sequence[str]
    ) -> None:
        self.device = device
        self.quality = quality
        self.resource = resource
        self.targets = [
            target for knob in knobs for target in targets(knob, "layer", [device.workload.network])
        ]
        self.failure = ""

    def spent(self, state: State) -> float:
        """Return what a network takes of the resource."""
        return self._taken(state.found)

    def _taken(self, found: Evaluation) -> float:
        return found.metrics[self.resource]

    def state(self, chosen: Mapping[str, float]) -> State:
        """Return a network with what it takes and loses."""
        found = self.device.evaluate(chosen)
        return State(chosen, found, self.quality([self.device.network(chosen)], chosen))

    def refuse_beyond(self, start: State, budget: float) -> None:
        """Refuse a budget that the strongest compression does not keep."""
        ends = {target.column: ladder[-1] for target, ladder in self._ladders(start) if ladder}
        least = self._taken(self.device.evaluate({**start.chosen, **ends}))
        if least > budget:
            unit = unit_of(self.resource)
            asked = format_quantity(budget, unit)
            lowest = format_quantity(least * (1.0 + _ROUNDED), unit, _DIGITS)
            raise ModelRangeError(
                f"budget: got {self.resource} {asked}, allowed: from {lowest}, which "
                f"{self.device.template} takes with all layers reduced as far as they can be"
            )

    def proposals(self, now: State, goal: float) -> Iterator[Step]:
        """Visit the mildest reduction of each layer and knob that meets a goal, if one does."""
        for target, ladder in self._ladders(now):
            value = self._mildest(now, target, ladder, goal)
            if value is None:
                continue
            try:
                state = self.state({**now.chosen, target.column: value})
            except QualityError as error:
                self.failure = str(error)
                continue
            before = _value(self._layers(now)[str(target.layer)], target.knob)
            yield Step(str(target.layer), target.knob, before, value, state)

    def _mildest(
        self, now: State, target: Target, ladder: Sequence[float], goal: float
    ) -> float | None:
        """Return the first value of a ladder that meets a goal; None if the last one does not."""

        def meets(value: float) -> bool:
            chosen = {**now.chosen, target.column: value}
            return self._taken(self.device.evaluate(chosen)) <= goal

        if not ladder or not meets(ladder[-1]):
            return None
        low, high = 0, len(ladder) - 1
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if meets(ladder[middle]) else (middle + 1, high)
        return ladder[high]

    def _layers(self, state: State) -> dict[str, Layer]:
        return {layer.name: layer for layer in self.device.network(state.chosen).layers}

    def _ladders(self, state: State) -> Iterator[tuple[Target, list[float]]]:
        """Visit what may be reduced, with its stronger values, the mildest first."""
        layers = self._layers(state)
        for target in self.targets:
            value = _value(layers[str(target.layer)], target.knob)
            if target.knob == "pruned_share":
                shares = (np.arange(_STEPS) / _STEPS).tolist()
                yield target, [share for share in shares if share > value]
            else:
                yield target, [float(bits) for bits in range(int(value) - 1, 0, -1)]


def _value(layer: Layer, knob: str) -> float:
    """Return what a layer has of a knob."""
    return float(getattr(layer, _FIELDS.get(knob, knob)))
