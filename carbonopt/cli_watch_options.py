"""What can be asked of the commands that watch and share searches; small, so that help is instant.

Each takes the parser and the reader of whole numbers from one.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from types import MappingProxyType

Count = Callable[[str], int]


def add_dashboard_options(parser: argparse.ArgumentParser, count: Count) -> None:
    """Add the options of ``dashboard``."""
    parser.add_argument("run_dir", metavar="DIR", help="run directory")
    parser.add_argument("--storage", default="", metavar="URL",
        help="where the study is kept: postgresql://…, sqlite:///…, or the path of a journal file "
        "(default: DIR/dashboard/journal.log)",
    )  # fmt: skip
    parser.add_argument("--host", default="127.0.0.1", help="interface (default: this machine's)")
    parser.add_argument("--port", type=int, default=8080,
        help="port, 0 for any that is free (default: 8080)",
    )  # fmt: skip


def add_worker_options(parser: argparse.ArgumentParser, count: Count) -> None:
    """Add the options of ``worker``."""
    _add_study(parser)
    parser.add_argument("--problem",
        help="name of a shipped problem, or path of a problem file: starts the study if need be",
    )  # fmt: skip
    parser.add_argument("--searcher", help="searcher of a new study (default: tpe)")
    parser.add_argument("--budget", type=count, help="distinct designs of a new study (200)")
    parser.add_argument("--seed", type=count, help="seed of a new study (default: 1)")
    parser.add_argument("--heartbeat", metavar="TIME",
        help="time between signs of life; after three a design is queued again (default: 1min)",
    )  # fmt: skip


def add_collect_options(parser: argparse.ArgumentParser, count: Count) -> None:
    """Add the options of ``collect``."""
    _add_study(parser)
    parser.add_argument("--out", metavar="DIR", help="run directory in place of runs/<study>")


def _add_study(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--storage", required=True, metavar="URL",
        help="database of the study: postgresql://user@host/database",
    )  # fmt: skip
    parser.add_argument("--study", required=True, metavar="NAME", help="name of the study")


WATCH_COMMANDS = MappingProxyType(
    {
        "dashboard": ("show a run in a browser, also while it runs", add_dashboard_options),
        "worker": ("evaluate designs of a study that hosts share", add_worker_options),
        "collect": ("write a study that hosts share as a run directory", add_collect_options),
    }
)
"""Command to what it does and what adds its options."""
