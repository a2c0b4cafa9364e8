"""Networks of other bit widths, and with pruned weights: what can be chosen, and what follows."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from carbonopt.errors import ModelRangeError, SpecError
from carbonopt.workload.layer import Layer
from carbonopt.workload.network import Network

Scope = Literal["all", "network", "layer"]
"""What one variable holds for: every network, one of them, or one layer of one."""


@dataclass(frozen=True)
class NetworkKnob:
    """One thing to choose of a network.

    Parameters
    ----------
    name, meaning
        As in ``--set name=value`` and in problem files, and what it is.
    low, high
        Smallest and largest value.
    whole
        Whole numbers, `high` included; else any number from `low` to below `high`.
    """

    name: str
    meaning: str
    low: float
    high: float
    whole: bool

    @property
    def allowed(self) -> str:
        """What it can be, in words.

        Examples
        --------
        >>> NETWORK_KNOBS["weight_bits"].allowed, NETWORK_KNOBS["pruned_share"].allowed
        ('whole numbers from 1 to 16', 'from 0 to below 1')
        """
        if self.whole:
            return f"whole numbers from {self.low:g} to {self.high:g}"
        return f"from {self.low:g} to below {self.high:g}"

    @property
    def range(self) -> tuple[float, float]:
        """Smallest and largest value, both included."""
        return self.low, self.high if self.whole else math.nextafter(self.high, self.low)

    def holds(self, value: float) -> bool:
        """Whether it can take a value."""
        low, high = self.range
        return low <= value <= high and (not self.whole or float(value).is_integer())


_MOST_BITS = 16
NETWORK_KNOBS: Mapping[str, NetworkKnob] = {
    knob.name: knob
    for knob in (
        NetworkKnob("weight_bits", "bits of trained weights", 1, _MOST_BITS, True),
        NetworkKnob("activation_bits", "bits of what a layer hands on", 1, _MOST_BITS, True),
        NetworkKnob("pruned_share", "share of the weights that are pruned", 0, 1, False),
    )
}
"""Everything to choose of a network by name."""
ZEROS = NetworkKnob("zero_share", "share of a layer's inputs that are zero", 0, 1, False)
"""What the data decides: no choice, but told in the same way."""
_SETTINGS: Mapping[str, NetworkKnob] = {**NETWORK_KNOBS, ZEROS.name: ZEROS}
_OF_ANY_LAYER = ("activation_bits", ZEROS.name)


@dataclass(frozen=True)
class Target:
    """One variable, and the layers it holds for.

    Parameters
    ----------
    column
        Name of the variable.
    knob
        One of `NETWORK_KNOBS`, or `ZEROS`.
    network, layer
        Names; None for all networks, or for all layers of the network.
    """

    column: str
    knob: str
    network: str | None = None
    layer: str | None = None


def targets(knob: str, scope: Scope, networks: Sequence[Network]) -> list[Target]:
    """Return the variables of a knob.

    ``weight_bits`` for all, ``weight_bits@resnet8`` for one network. For one layer
    ``weight_bits@stem``, of several networks ``weight_bits@resnet8/stem``. Layers without
    trained weights have activation bits and a share of zeros alone.

    Examples
    --------
    >>> from carbonopt.workload.load import load_network
    >>> [each.column for each in targets("weight_bits", "layer", [load_network("resnet8")])][:2]
    ['weight_bits@stem', 'weight_bits@stack1/conv1']
    """
    if scope == "all":
        return [Target(knob, knob)]
    if scope == "network":
        return [Target(f"{knob}@{each.name}", knob, each.name) for each in networks]
    return [
        Target(f"{knob}@{network.name + '/' if len(networks) > 1 else ''}{layer.name}", knob,
               network.name, layer.name)
        for network in networks
        for layer in network.layers
        if knob in _OF_ANY_LAYER or layer.kind != "matmul"
    ]  # fmt: skip


def compressed(network: Network, chosen: Mapping[str, float], known: Iterable[Target]) -> Network:
    """Return a network with chosen bit widths and shares of pruned weights.

    Trained weights take the weight bits. What a layer hands on takes its activation bits, and a
    layer reads what its predecessors hand on, the widest of several; the network's input is
    quantised as the output of the layer that reads it. Partial sums keep what they have beyond
    the bits of a product: q_psum = q_w + q_a + (Q_psum - Q_w - Q_a). In a `matmul` the operand
    called weights is what a predecessor hands on, and nothing of it is pruned.

    Parameters
    ----------
    network
        As it is without any choice.
    chosen
        Value of each variable; further ones are ignored.
    known
        The variables; the later of two that hold for a layer counts.

    Returns
    -------
    Network
        The same object where nothing is chosen.

    Raises
    ------
    ModelRangeError
        A value is outside the range of its knob; the message names each.

    Examples
    --------
    >>> from carbonopt.workload.load import load_network
    >>> bits = {"weight_bits": 4, "activation_bits": 6}
    >>> known = [target for knob in bits for target in targets(knob, "all", [])]
    >>> layer = compressed(load_network("resnet8"), bits, known).layers[1]
    >>> layer.weight_bits, layer.input_bits, layer.psum_bits, layer.output_bits
    (4, 6, 10, 6)
    """
    held: list[dict[str, float]] = [{} for _ in network.layers]
    known = list(known)
    faults = [
        f"{each.column}: got {chosen[each.column]:g}, allowed: {_SETTINGS[each.knob].allowed}"
        for each in known
        if each.column in chosen and not _SETTINGS[each.knob].holds(chosen[each.column])
    ]
    if faults:
        raise ModelRangeError("\n".join(faults))
    for target in known:
        if target.column in chosen and target.network in (None, network.name):
            for own, layer in zip(held, network.layers, strict=True):
                if target.layer in (None, layer.name):
                    own[target.knob] = chosen[target.column]
    if not any(held):
        return network
    layers: list[Layer] = []
    for layer, own in zip(network.layers, held, strict=True):
        layers.append(_compressed(layer, own, [layers[i] for i in layer.predecessors]))
    return dataclasses.replace(network, layers=tuple(layers))


def _compressed(layer: Layer, own: Mapping[str, float], before: Sequence[Layer]) -> Layer:
    """Return one layer with its own choices, behind layers that have theirs."""
    output_bits = int(own.get("activation_bits", layer.output_bits))
    at_start = int(own.get("activation_bits", layer.input_bits))
    input_bits = max((each.output_bits for each in before), default=at_start)
    trained = layer.kind != "matmul"
    weight_bits = int(own.get("weight_bits", layer.weight_bits)) if trained else input_bits
    beyond = layer.psum_bits - layer.weight_bits - layer.input_bits
    share = float(own.get("pruned_share", layer.pruned_share)) if trained else 0.0
    return dataclasses.replace(
        layer, weight_bits=weight_bits, input_bits=input_bits, output_bits=output_bits,
        psum_bits=weight_bits + input_bits + beyond, pruned_share=share,
        zero_share=float(own.get(ZEROS.name, layer.zero_share)),
    )  # fmt: skip


def is_network_knob(name: str) -> bool:
    """Tell whether a column, or a setting, is about a network and not about hardware.

    Examples
    --------
    >>> is_network_knob("weight_bits@stem"), is_network_knob("rows")
    (True, False)
    """
    return name.partition("@")[0] in _SETTINGS


def parse_settings(
    network: Network, values: Mapping[str, object], places: Mapping[str, str] | None = None
) -> tuple[dict[str, float], list[Target]]:
    """Read settings such as ``weight_bits=4`` or ``weight_bits@stem=8``, which goes first.

    Parameters
    ----------
    network
        What they are for.
    values
        By name.
    places
        Where they stand in a file, by name, for the messages.

    Raises
    ------
    SpecError
        Every setting of no layer, and every value outside its range.

    Examples
    --------
    >>> from carbonopt.workload.load import load_network
    >>> parse_settings(load_network("resnet8"), {"pruned_share": "0.5"})[0]
    {'pruned_share': 0.5}
    """
    known = [
        target
        for scope in ("all", "layer")
        for knob in _SETTINGS
        for target in targets(knob, scope, [network])
    ]
    columns = {target.column: _SETTINGS[target.knob] for target in known}
    chosen: dict[str, float] = {}
    faults = []
    for name, value in values.items():
        named = f"{places[name]}: {name}" if places else name
        if name not in columns:
            near = get_close_matches(name, columns, 1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            allowed = f"{name.partition('@')[0]}@LAYER, with a layer of {network.name} that has it"
            faults.append(f"{named}: got no such layer{hint}, allowed: {allowed}")
            continue
        number, knob = _number(value), columns[name]
        if not knob.holds(number):
            faults.append(f"{named}: got {value}, allowed: {knob.allowed}")
            continue
        chosen[name] = int(number) if knob.whole else number
    if faults:
        raise SpecError(faults)
    return chosen, known


def _number(value: object) -> float:
    """Read a number; none where the value is none."""
    try:
        return math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return math.nan
