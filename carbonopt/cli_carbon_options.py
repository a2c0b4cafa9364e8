"""What can be asked of the commands that count carbon; small, so that help is instant."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module

from carbonopt.cli_numbers import count

_RUN = "run directory"


def add_scenario_options(parser: argparse.ArgumentParser) -> None:
    """Add an option for every key of a scenario."""
    import_module("carbonopt.cli_scenario").add_scenario_options(parser)


def add_literature_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``literature``."""
    parser.add_argument("--preset", default="default", help="carbon preset (default: default)")
    parser.add_argument("--chips", metavar="FILE", help="CSV file with further accelerators")
    parser.add_argument("--out", metavar="DIR", help="folder in place of runs/literature-<preset>")


def add_bom_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bom``."""
    parser.add_argument("file", metavar="FILE", help="YAML file, as ACT has them")


def add_regions_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``regions``."""
    parser.add_argument("text", nargs="?", metavar="TEXT", help="those whose name or code holds it")


def add_reprice_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``reprice``, those of a scenario when they are needed."""
    parser.add_argument("run_dir", metavar="DIR", help=_RUN)
    parser.add_argument(
        "--scenario", choices=("ca", "pa"), default="ca", help="activity (default: ca)"
    )
    parser.add_argument("--period", metavar="TIME", help="time between two inferences (40ms)")
    parser.add_argument("--out", metavar="DIR", help="folder in place of DIR/repriced/<scenario>")
    parser.late = add_scenario_options  # type: ignore[attr-defined]


def add_uncertainty_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``uncertainty``."""
    parser.add_argument("run_dir", metavar="DIR", help=_RUN)
    parser.add_argument(
        "--samples", type=count, default=256, help="samples, a power of two (default: 256)"
    )


def add_footprint_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``footprint``."""
    parser.add_argument("run_dir", metavar="DIR", help=_RUN)
    parser.add_argument(
        "--design", default="knee", metavar="ROW", help="row of the front (default: its knee)"
    )
    parser.add_argument("--out", metavar="DIR", help="folder in place of DIR/footprint-<ROW>")


CARBON_COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "literature": ("account for published accelerators", add_literature_options),
    "bom": ("account for a bill of materials", add_bom_options),
    "regions": ("list the grids that a region can name", add_regions_options),
    "reprice": ("price the designs of a run under another scenario", add_reprice_options),
    "uncertainty": ("say how far the carbon of a run is uncertain", add_uncertainty_options),
    "footprint": ("write the carbon record and model card of a design", add_footprint_options),
}
"""Command to what it does and what adds its options."""
