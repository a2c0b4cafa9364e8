"""Commands that compress a network for a design: which layers, which weights, how far."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carbonopt.cli_text import (
    DONE,
    RUN_FAILED,
    quantity_of,
    say,
    say_json,
    tell_of_compiling,
    together,
)
from carbonopt.errors import SpecError

if TYPE_CHECKING:
    import numpy as np

    from carbonopt.compress.device import Device
    from carbonopt.compress.order import Pruned
    from carbonopt.compress.quality import QualityFunction
    from carbonopt.compress.stepping import Adapted, State

_MOST = 0.9
_STEP = 0.05
_MODEL = ".onnx"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a command: those of a design, and its own."""
    from carbonopt.cli_scenario import add_scenario_options

    parser.add_argument("workload", help="network by name, or an ONNX file")
    parser.add_argument("--template", required=True, help="kind of accelerator")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KNOB=VALUE", dest="knobs",
        help="set one knob of the template or the network, as in evaluate",
    )  # fmt: skip
    parser.add_argument("--mapping-objective", default="edp", metavar="NAME",
        help="what mappings are chosen for (default: edp)",
    )  # fmt: skip
    parser.add_argument("--period", metavar="TIME", help="time between two inferences (40ms)")
    parser.add_argument("--dram", metavar="SIZE", help="memory beside the chip (1MiB)")
    _OPTIONS[parser.prog.split()[-1]](parser)
    add_scenario_options(parser)


def _metrics() -> tuple[str, ...]:
    """Return what a budget can be of, which is what all these commands tell."""
    from carbonopt.compress.stepping import RESOURCES

    return RESOURCES


def _rank_options(parser: argparse.ArgumentParser) -> None:
    from carbonopt.compress.rank import CRITERIA

    parser.add_argument("--by", choices=CRITERIA, default="energy", help="default: energy")


def _prune_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--share", type=_number, required=True, help="share of all weights to prune"
    )
    parser.add_argument("--most", type=_number, default=_MOST,
        help=f"share of one layer's weights that may be pruned (default: {_MOST:g})",
    )  # fmt: skip
    parser.add_argument("--magnitudes", metavar="FILE",
        help="trained weights: ONNX, or CSV with layer,magnitude (default: an ONNX workload)",
    )  # fmt: skip


def _compress_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--budget", required=True, metavar="METRIC=VALUE",
        help=f"to be kept, such as energy_j=2uJ; {', '.join(_metrics())}",
    )  # fmt: skip
    parser.add_argument("--step", metavar="VALUE",
        help=f"to be saved in each step (default: {_STEP:.0%} of what the network takes at first)",
    )  # fmt: skip
    parser.add_argument("--by", action="append", metavar="KNOB",
        help="what may be reduced: weight_bits, activation_bits, pruned_share; repeat for more "
        "(default: all three)",
    )  # fmt: skip
    parser.add_argument("--quality", required=True, metavar="PATH",
        help="module:function that says the loss of a network; "
        "carbonopt.compress.sqnr:sqnr_proxy is a proxy, no accuracy",
    )  # fmt: skip


_OPTIONS = {"rank": _rank_options, "prune": _prune_options, "compress": _compress_options}


def _number(text: str) -> float:
    """Read a number."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"got {text}, allowed: a number") from None


def _device(options: Namespace) -> tuple[Device, dict[str, float]]:
    """Return the design that is asked for, and what is chosen of its network."""
    from carbonopt.cli_model import knobs_of, refuse_faults
    from carbonopt.cli_scenario import scenario_of
    from carbonopt.compress.device import Device
    from carbonopt.evaluate import load_workload
    from carbonopt.hardware.knobs import parse_knobs
    from carbonopt.problem.scenario import preset_of_options
    from carbonopt.workload.compression import is_network_knob, parse_settings

    options.batch = None
    refuse_faults(options)
    settings = knobs_of(options.knobs)
    own = {name: value for name, value in settings.items() if is_network_knob(name)}
    knobs = {name: value for name, value in settings.items() if name not in own}
    workload = load_workload(
        options.workload,
        period_s=quantity_of(options.period, "s", "--period"),
        dram_byte=quantity_of(options.dram, "byte", "--dram"),
    )
    preset = preset_of_options(scenario_of(options))
    parsed = parse_knobs(options.template, knobs)
    chosen, _ = parse_settings(workload.network, own)
    tell_of_compiling()
    return Device(options.template, parsed, workload, preset, options.mapping_objective), chosen


def rank(options: Namespace) -> None:
    """Rank the layers of a network by what they take of a design."""
    from carbonopt.compress.rank import layer_uses, ranked
    from carbonopt.report.table import aligned

    device, chosen = _device(options)
    uses = ranked(layer_uses(device.evaluate(chosen)), options.by)
    if options.json:
        say_json({"workload": device.workload.network.name, "by": options.by,
                  "layers": [vars(use) for use in uses]})  # fmt: skip
        return
    columns = {"layer": [use.name for use in uses]}
    shown = {"energy": "energy_j", "carbon CA": "carbon_ca_g", "latency": "latency_s"}
    shown |= {"MACs": "macs", "weights": "weights"}
    for title, name in shown.items():
        values = [getattr(use, name) for use in uses]
        columns[title] = [f"{_told(value, name)} {value / sum(values):4.0%}" for value in values]
    say(aligned(columns))


def _told(value: float, name: str) -> str:
    """Return a value with its unit, a count with its thousands."""
    from carbonopt.report.scale import quantity
    from carbonopt.units import unit_of

    unit = unit_of(name)
    return quantity(value, unit) if unit else f"{value:,}"


def prune(options: Namespace) -> None:
    """Prune the same number of weights in several orders, and compare what the network takes."""
    from carbonopt.compress.order import pruning_orders

    device, chosen = _device(options)
    magnitudes, note = _magnitudes(options, device)
    before = device.evaluate(chosen).metrics
    orders = pruning_orders(
        device, options.share, most=options.most, chosen=chosen, magnitudes=magnitudes
    )
    if options.json:
        say_json({
            "workload": device.workload.network.name, "share": options.share,
            "before": {name: before.get(name) for name in _metrics()},
            "orders": [{
                "order": each.order, "pruned": sum(each.counts.values()), "layers": each.counts,
                **{name: each.found.metrics.get(name) for name in _metrics()},
            } for each in orders],
            "notes": [note] if note else [],
        })  # fmt: skip
        return
    say(_orders_text(orders, before, device))
    if note:
        say(f"\n{note}")


def _magnitudes(
    options: Namespace, device: Device
) -> tuple[dict[str, np.ndarray[Any, Any]] | None, str]:
    """Read the magnitudes of the weights, or say why there are none."""
    from carbonopt.workload.magnitudes import weight_magnitudes

    if options.magnitudes:
        return weight_magnitudes(Path(options.magnitudes), device.workload.network), ""
    left_out = "order by magnitude: left out"
    if not options.workload.endswith(_MODEL):
        return None, f"{left_out}, shipped networks have no trained weights; give --magnitudes FILE"
    try:
        return weight_magnitudes(Path(options.workload), device.workload.network), ""
    except SpecError as error:
        return None, f"{left_out}; {error.faults[0]}; give --magnitudes FILE"


def _orders_text(orders: list[Pruned], before: Mapping[str, float], device: Device) -> str:
    """Return what the network takes by order, and which share of each layer is pruned."""
    from carbonopt.report.table import aligned

    columns = {"pruned by": ["nothing", *(each.order for each in orders)]}
    columns["weights"] = ["0", *(f"{sum(each.counts.values()):,}" for each in orders)]
    for name in (name for name in _metrics() if name in before):
        values = [before[name], *(each.found.metrics[name] for each in orders)]
        columns[_title(name)] = [
            f"{_told(value, name)} {value / before[name]:4.0%}" for value in values
        ]
    weights = {layer.name: layer.weights for layer in device.workload.network.layers}
    layers = {"layer": list(orders[0].counts)}
    layers["weights"] = [f"{weights[name]:,}" for name in layers["layer"]]
    for each in orders:
        layers[each.order] = [f"{each.counts[n] / weights[n]:.0%}" for n in layers["layer"]]
    return f"{aligned(columns)}\n\npruned share of each layer\n{aligned(layers)}"


def _title(name: str) -> str:
    """Return what a metric is called in a column."""
    from carbonopt.cli_model import METRIC_NAMES

    return METRIC_NAMES[name]


def compress(options: Namespace) -> int:
    """Compress a network step by step until a design keeps a budget with it."""
    from carbonopt.compress.stepping import to_budget
    from carbonopt.units import parse_quantity, unit_of
    from carbonopt.workload.compression import NETWORK_KNOBS

    resource, _, value = options.budget.partition("=")
    unit = unit_of(resource) if resource in _metrics() else ""
    together(lambda: _budget(resource, value), lambda: _quality(options.quality))
    device, chosen = _device(options)
    start = device.evaluate(chosen).metrics
    step = parse_quantity(options.step, unit, "--step") if options.step else _STEP * start[resource]
    found = to_budget(
        device, _quality(options.quality), resource,
        parse_quantity(value, unit, "--budget"), step=step,
        knobs=options.by or list(NETWORK_KNOBS), chosen=chosen,
    )  # fmt: skip
    if options.json:
        say_json(_adapted(found, device, resource, value))
    else:
        say(_adapted_text(found, device, resource))
    return DONE if found.reached else RUN_FAILED


def _quality(path: str) -> QualityFunction:
    """Find the function that says the loss, from the folder one works in."""
    from carbonopt.compress.quality import quality_function

    try:
        return quality_function(path, Path())
    except SpecError as error:
        raise SpecError([f"--quality: {fault}" for fault in error.faults]) from None


def _budget(resource: str, value: str) -> None:
    """Refuse a budget that is none."""
    if resource not in _metrics() or not value:
        got = f"{resource}={value}" if value else resource
        allowed = f"METRIC=VALUE with one of {', '.join(_metrics())}"
        raise SpecError(f"--budget: got {got}, allowed: {allowed}")


def _adapted(found: Adapted, device: Device, resource: str, budget: str) -> dict[str, Any]:
    """Return a compressed network as plain data."""

    def state(of: State) -> dict[str, Any]:
        metrics = {name: of.found.metrics.get(name) for name in _metrics()}
        return {**metrics, "quality_loss": of.loss}

    return {
        "workload": device.workload.network.name, "budget": {resource: budget},
        "reached": found.reached, "why": found.why, "start": state(found.start),
        "steps": [{"layer": step.layer, "knob": step.knob, "before": step.before,
                   "after": step.after, **state(step.state)} for step in found.steps],
        "layers": [{"name": layer.name, "weight_bits": layer.weight_bits,
                    "activation_bits": layer.output_bits, "pruned_share": layer.pruned_share}
                   for layer in device.network(found.end.chosen).layers],
    }  # fmt: skip


def _adapted_text(found: Adapted, device: Device, resource: str) -> str:
    """Return the steps, and what became of each layer."""
    from carbonopt.report.table import aligned

    states = [found.start, *(step.state for step in found.steps)]
    columns = {
        "step": [str(number) for number in range(len(states))],
        "layer": ["", *(step.layer for step in found.steps)],
        "reduced": ["", *(f"{s.knob} {s.before:g} to {s.after:g}" for s in found.steps)],
    }
    shown = [name for name in _metrics() if name in found.start.found.metrics]
    for name in sorted(shown, key=lambda each: each != resource):
        columns[_title(name)] = [_told(each.found.metrics[name], name) for each in states]
    columns["loss of quality"] = [f"{each.loss:.4g}" for each in states]
    layers = device.network(found.end.chosen).layers
    final = {
        "layer": [layer.name for layer in layers],
        "weight bits": [str(layer.weight_bits) for layer in layers],
        "activation bits": [str(layer.output_bits) for layer in layers],
        "pruned": [f"{layer.pruned_share:.0%}" for layer in layers],
    }
    many = f"{len(found.steps)} step{'' if len(found.steps) == 1 else 's'}"
    kept = f"budget kept after {many}" if found.steps else "budget kept from the start"
    told = kept if found.reached else f"budget not kept: {found.why}"
    return f"{aligned(columns)}\n\n{aligned(final)}\n\n{told}"
