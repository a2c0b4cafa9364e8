"""The published energy estimator for Eyeriss-like arrays, as a command."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carbonopt.cli_model import short_name
from carbonopt.cli_text import say, say_json

if TYPE_CHECKING:
    from carbonopt.performance.eyeriss_estimator import Estimate
    from carbonopt.workload.network import Network


_WORD = 16  # bits


def add_options(parser: ArgumentParser) -> None:
    """Add what can be asked of the estimator."""
    parser.add_argument("workload", help="network by name, or an ONNX file")
    parser.add_argument("--rows", type=_size, default=12, help="rows of the array (12)")
    parser.add_argument("--cols", type=_size, default=14, help="columns of the array (14)")
    parser.add_argument("--weight-bits", default=_WORD, help="of all weights (16)")
    parser.add_argument("--activation-bits", default=_WORD, help="of other data (16)")
    parser.add_argument("--pruned-share", default=0, help="of all weights (0)")
    parser.add_argument("--layers", metavar="FILE",
        help="YAML or CSV file with weight_bits, activation_bits and pruned_share of single layers",
    )  # fmt: skip
    parser.add_argument("--ungrouped", action="store_true",
        help="take convolutions as if they had one group, as the published AlexNet does",
    )  # fmt: skip
    parser.add_argument("--batch", type=_size, help="inputs per inference")
    parser.add_argument("--figures", metavar="DIR", help="draw the five figures there")


def _size(text: str) -> int:
    """Read a whole number of at least one."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"got {text}, allowed: a whole number >= 1")
    return int(text)


def estimate(options: Namespace) -> None:
    """Estimate where the energy of a network goes, in units of one 16-bit MAC."""
    from carbonopt.performance import eyeriss_estimator
    from carbonopt.report.energy_figures import plot_estimate

    network = _network(options)
    found = eyeriss_estimator.estimate(network, options.rows, options.cols)
    files: list[Path] = []
    if options.figures:
        title = f"{network.name} on {options.rows} x {options.cols}"
        files = plot_estimate(found, title, Path(options.figures))
    if options.json:
        asked = {"workload": network.name, "rows": options.rows, "cols": options.cols}
        say_json({**asked, **found.describe(), "files": [str(file) for file in files]})
        return
    say(estimate_text(found, network, options))
    for file in files:
        say(str(file))


def _network(options: Namespace) -> Network:
    """Return the network with its groups, bits and pruned shares as asked."""
    from carbonopt.performance.eyeriss_estimator import at_bits, ungrouped
    from carbonopt.workload.compression import NETWORK_KNOBS
    from carbonopt.workload.layer_settings import load_layer_settings
    from carbonopt.workload.load import load_network

    network = load_network(options.workload, batch=options.batch)
    network = ungrouped(network) if options.ungrouped else network
    settings = {name: getattr(options, name) for name in NETWORK_KNOBS}
    own = {} if options.layers is None else load_layer_settings(options.layers, network)
    return at_bits(network, settings | own)


def estimate_text(found: Estimate, network: Network, options: Namespace) -> str:
    """Return the estimate as tables: by level and data type, and by layer."""
    from carbonopt.report.table import aligned

    whole = found.total
    lines = [
        f"{network.name} on an Eyeriss-like array of {options.rows} x {options.cols}",
        f"energy {whole:,.0f} in units of one 16-bit multiply-accumulate "
        "(MAC 1, RF 1, NoC 2, buffer 6, DRAM 200)",
    ]
    layers: dict[str, list[str]] = {
        "layer": [short_name(name) for name in found.names],
        "bits": [f"{layer.weight_bits}/{layer.input_bits}" for layer in network.layers],
        "pruned": [f"{layer.pruned_share:.0%}" for layer in network.layers],
        "MACs": [f"{macs:,.0f}" for macs in found.macs],
        "energy": [f"{energy:,.0f}" for energy in found.by_layer],
        "share": [f"{energy / whole:.1%}" for energy in found.by_layer],
    }
    for parts in (found.by_level, found.by_type):
        for name, energies in parts.items():
            layers[name] = [
                f"{part / energy:.0%}" if energy else "-"
                for part, energy in zip(energies, found.by_layer, strict=True)
            ]
    return "\n".join([*lines, "", aligned(_shares(found)), "", aligned(layers)])


def _shares(found: Estimate) -> dict[str, list[str]]:
    """Return the energy of compute and of every level, in all and by data type, as columns."""
    from carbonopt.performance.eyeriss_estimator import LEVELS, TYPES

    table: dict[str, list[Any]] = {"level": ["compute", *LEVELS, "all"]}
    by_level = [float(each.sum()) for each in found.by_level.values()]
    table["energy"] = [*by_level, found.total]
    for t, kind in enumerate(TYPES):
        each = [float(energy) for energy in found.data[:, t].sum(axis=1)]
        table[kind] = [0.0, *each, sum(each)]
    table["share"] = [f"{energy / found.total:.1%}" for energy in table["energy"]]
    return {
        name: [text if isinstance(text, str) else f"{text:,.0f}" for text in cells]
        for name, cells in table.items()
    }
