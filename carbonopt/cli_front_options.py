"""What can be asked of the commands that read fronts; small, so that help is instant."""

from __future__ import annotations

import argparse
from collections.abc import Callable

_SOURCE = "run directory, CSV file of designs, or problem with a reference front"


def add_front_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``front``."""
    parser.add_argument("source", metavar="RUN", help=_SOURCE)
    _add_choice(parser)
    parser.add_argument("--csv", action="store_true", help="print CSV, with every column")


def add_export_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``export``."""
    parser.add_argument("source", metavar="RUN", help=_SOURCE)
    parser.add_argument(
        "--to", required=True, metavar="FILE",
        help="file to write: .csv, .json, .tex (LaTeX table) or .parquet (extra: parquet)",
    )  # fmt: skip
    _add_choice(parser)


def add_compare_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``compare``."""
    parser.add_argument("sources", nargs="+", metavar="RUN", help=_SOURCE)
    _add_objectives(parser)
    parser.add_argument("--figure", metavar="FILE",
        help="figure in place of runs/compare-<names>.png (.png, .svg or .pdf)",
    )  # fmt: skip


def add_report_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``report``."""
    parser.add_argument("source", metavar="RUN", help=_SOURCE)
    _add_objectives(parser)
    parser.add_argument("-o", "--out", metavar="FILE",
        help="page in place of RUN/report.html (of what is no run: runs/<name>.html)",
    )  # fmt: skip


FRONT_COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "front": ("print the front of a run, or the designs that meet conditions", add_front_options),
    "compare": ("compare the fronts of several runs", add_compare_options),
    "report": (
        "write one page that shows a run, for the browser and for paper",
        add_report_options,
    ),
    "export": ("write designs as CSV, JSON, Parquet or LaTeX", add_export_options),
}
"""Command to what it does and what adds its options."""


def _add_choice(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose designs, their order and their columns."""
    parser.add_argument("--where", action="append", default=[], metavar="CONDITION",
        help="only designs with, such as 'latency_s <= 5 ms' or 'template = dimc, aimc'; repeat "
        "for more",
    )  # fmt: skip
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_true", help="all evaluated designs, not the front")
    which.add_argument("--knee", action="store_true", help="the knee of the front")
    which.add_argument("--least", metavar="COLUMN",
        help="the feasible design with the least of this, such as carbon_ca_g; with --where the "
        "least within a budget",
    )  # fmt: skip
    _add_objectives(parser)
    parser.add_argument("--sort", metavar="COLUMN", help="smallest value of this first")
    parser.add_argument("--reverse", action="store_true", help="largest value first")
    parser.add_argument("--limit", type=_count, metavar="N", help="only the first N designs")
    parser.add_argument(
        "--columns", type=_names, default=[], metavar="A,B", help="only these columns"
    )


def _add_objectives(parser: argparse.ArgumentParser) -> None:
    """Add the option that judges designs by other objectives."""
    parser.add_argument("--objectives", type=_names, default=[], metavar="A,B",
        help="objectives in place of the run's own",
    )  # fmt: skip


def _names(text: str) -> list[str]:
    """Read names with commas between them."""
    return list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _count(text: str) -> int:
    """Read a whole number of at least one."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"got {text}, allowed: a whole number >= 1")
    return int(text)
