"""The command line: what can be asked, and how a fault is told.

Exit codes: 0 done, 1 the run failed, 2 bad input, 130 interrupted. Everything heavy is
imported by the command that needs it, so that help is instant.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Never, TypeAlias

from carbonopt.cli_carbon_options import CARBON_COMMANDS, add_scenario_options
from carbonopt.cli_numbers import count, natural, share
from carbonopt.cli_text import BAD_INPUT, DONE, INTERRUPTED, PIPE_CLOSED, RUN_FAILED, say, tell
from carbonopt.errors import CarbonoptError, SearchError

COMMANDS = {
    "run": "cli_run",
    "resume": "cli_run",
    "enumerate": "cli_run",
    "status": "cli_campaign",
    "statistics": "cli_campaign",
    "front": "cli_front",
    "compare": "cli_front",
    "report": "cli_front",
    "export": "cli_front",
    "plot": "cli_show",
    "dashboard": "cli_watch",
    "worker": "cli_cluster",
    "collect": "cli_cluster",
    "problems": "cli_show",
    "studies": "cli_show",
    "metrics": "cli_show",
    "evaluate": "cli_model",
    "workload": "cli_model",
    "estimate": "cli_estimate",
    "check": "cli_model",
    "literature": "cli_carbon",
    "reprice": "cli_carbon",
    "uncertainty": "cli_carbon",
    "footprint": "cli_carbon",
    "bom": "cli_carbon",
    "regions": "cli_region",
    "map": "cli_map",
    "machine": "cli_machine",
    "machines": "cli_machine",
    "validate": "cli_validate",
    "rank": "cli_compress",
    "prune": "cli_compress",
    "compress": "cli_compress",
}
"""Command to the module that holds the function of the same name."""


_NEGATIVE = re.compile(r"-\.?\d")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Examples
    --------
    >>> main(["workload", "resnet8", "--json"])  # doctest: +ELLIPSIS
    {...
    0
    """
    _speak_any_encoding()
    options = make_parser().parse_args(_joined(sys.argv[1:] if arguments is None else arguments))
    try:
        command = getattr(import_module(f"carbonopt.{COMMANDS[options.command]}"), options.command)
        with _warnings_in_words():
            code: int = command(options) or DONE
        sys.stdout.flush()
    except CarbonoptError as error:
        return tell(error, RUN_FAILED if isinstance(error, SearchError) else BAD_INPUT)
    except KeyboardInterrupt:
        return tell("interrupted", INTERRUPTED)
    except BrokenPipeError:
        # the reader of our output has gone: leave nothing to be flushed to it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except OSError as error:
        return _tell_of_path(error)
    return code


def _tell_of_path(error: OSError) -> int:
    """Tell of a path that cannot be used, which is bad input; without a path the run failed."""
    if error.filename is None:
        return tell(error, RUN_FAILED)
    reason = error.strerror or type(error).__name__
    fault = f"{error.filename}: cannot be read or written ({reason})"
    return tell(f"{fault}, allowed: a path of your own", BAD_INPUT)


def _joined(arguments: Sequence[str]) -> list[str]:
    """Join an option and a negative value behind it, which would be taken for another option.

    Examples
    --------
    >>> _joined(["evaluate", "--lifetime", "-5y", "--json"])
    ['evaluate', '--lifetime=-5y', '--json']
    """
    joined: list[str] = []
    for word in arguments:
        if joined and joined[-1].startswith("--") and _NEGATIVE.match(word):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


@contextmanager
def _warnings_in_words() -> Iterator[None]:
    """Write warnings as faults are written, without the line of code that gave them."""

    def show(message: Warning | str, *_: object, **__: object) -> None:
        tell(f"warning: {message}", DONE)

    shown, warnings.showwarning = warnings.showwarning, show
    try:
        yield
    finally:
        warnings.showwarning = shown


def _speak_any_encoding() -> None:
    """Write a replacement for what the terminal cannot show, in place of a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = _Parser(
        prog="carbonopt",
        description="Trade speed, energy and carbon of AI accelerators.",
        formatter_class=_Formatter,
        epilog="Exit codes: 0 done, 1 the run failed, 2 bad input, 130 interrupted.",
    )
    parser.add_argument("-V", "--version", action=_Version, nargs=0, help="print the version")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_searches(commands)
    _add_readers(commands)
    _add_watchers(commands)
    _add_models(commands)
    _add_carbon(commands)
    return parser


class _Formatter(argparse.HelpFormatter):
    """Leave room for the longest option."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=34)


class _Parser(argparse.ArgumentParser):
    """Adds some options only once it is asked, because what they are has to be imported."""

    late: Callable[[argparse.ArgumentParser], None] | None = None

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401
        """Know options by their whole names alone."""
        super().__init__(**{"allow_abbrev": False, **settings})

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # noqa: ANN401
        """Parse as the base class does, and name the option that an unknown one is nearest to."""
        if self.late is not None:
            late, self.late = self.late, None
            late(self)
        known, unknown = super().parse_known_args(args, namespace)
        options = [word.partition("=")[0] for word in unknown if word.startswith("--")]
        if options:
            self.error(f"unknown option {', '.join(map(self._with_nearest, options))}")
        return known, unknown

    def _with_nearest(self, option: str) -> str:
        """Return an option that is unknown with the known one that it is nearest to."""
        near = get_close_matches(option, self._option_string_actions, n=1)
        return f"{option} (did you mean {near[0]}?)" if near else option


class _Version(argparse.Action):
    """Look the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> Never:
        try:
            told = version("carbonopt")
        except PackageNotFoundError:
            told = "(imported from its folder, not installed)"
        say(f"carbonopt {told}")
        parser.exit()


Commands: TypeAlias = "argparse._SubParsersAction[_Parser]"


def _add_command(commands: Commands, name: str, does: str, *, json: bool = False) -> _Parser:
    parser: _Parser = commands.add_parser(
        name, help=does, description=f"{does[0].upper()}{does[1:]}.", formatter_class=_Formatter
    )
    if json:
        parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _add_searches(commands: Commands) -> None:
    run = _add_command(commands, "run", "search what a study asks and draw the result")
    run.add_argument("study", help="name of a shipped study, or path of a study file")
    run.add_argument("--searcher", help="search with this one in place of the study's")
    run.add_argument("--budget", type=count, help="evaluate so many distinct designs")
    run.add_argument("--seed", type=natural, help="seed in place of the study's")
    run.add_argument("--start-from", metavar="RUN|CSV",
        help="evaluate first the front of this run, or the designs of this CSV file",
    )  # fmt: skip
    run.add_argument("--stop-after", metavar="TIME", help="stop after so long (10min)")
    run.add_argument("--stall", type=count, metavar="N",
        help="stop when N designs in a row made the log hypervolume grow too little",
    )  # fmt: skip
    run.add_argument("--stall-gain", type=share, metavar="SHARE",
        help="growth that is enough for --stall (default: 0.001)",
    )  # fmt: skip
    run.add_argument("--out", metavar="DIR", help="run directory in place of runs/<name>")
    run.add_argument("--only", metavar="K/N",
        help="of a study with many runs, this part of N alone, such as in a job array",
    )  # fmt: skip
    resume = _add_command(commands, "resume", "go on with an interrupted run or campaign")
    resume.add_argument("run_dir", metavar="DIR", help="directory of the run or campaign")
    for parser in (run, resume):
        parser.add_argument("--jobs", type=count, metavar="N",
            help="of a study with many runs, so many at once (default: all cores)",
        )  # fmt: skip
    whole = _add_command(
        commands, "enumerate", "evaluate every design of a problem and keep its exact front"
    )
    whole.add_argument("problem", help="name of a shipped problem, or path of a problem file")
    whole.add_argument("--out", metavar="DIR", help="run directory in place of runs/<name>")
    for parser in (run, resume, whole):
        parser.add_argument("--workers", type=count, help="worker processes (default: all cores)")
        parser.add_argument("--executor", metavar="URL",
            help="evaluate on the workers of a Dask scheduler: dask://host:8786",
        )  # fmt: skip


def _add_readers(commands: Commands) -> None:
    status = _add_command(commands, "status", "say how far a run or campaign is", json=True)
    seeds = _add_command(commands, "statistics", "compare the searchers of a campaign", json=True)
    seeds.add_argument("run_dir", metavar="DIR", help="directory of the campaign")
    plot = _add_command(commands, "plot", "draw the figures of a run", json=True)
    for parser in (status, plot):
        parser.add_argument("run_dir", metavar="DIR", help="run directory")
    _add_fronts(commands)
    _add_command(commands, "problems", "list the shipped problems", json=True)
    _add_command(commands, "studies", "list the shipped studies", json=True)
    _add_command(commands, "metrics", "list what designs can be judged by", json=True)


def _add_fronts(commands: Commands) -> None:
    options = import_module("carbonopt.cli_front_options")
    for name, (does, add) in options.FRONT_COMMANDS.items():
        add(_add_command(commands, name, does, json=True))


def _add_watchers(commands: Commands) -> None:
    listed = import_module("carbonopt.cli_watch_options").WATCH_COMMANDS
    for name, (does, add) in listed.items():
        add(_add_command(commands, name, does), count)


def _add_models(commands: Commands) -> None:
    evaluate = _add_command(commands, "evaluate", "evaluate one design on one network", json=True)
    evaluate.add_argument("--workload", required=True, help="network by name, or an ONNX file")
    evaluate.add_argument("--template", required=True, help="kind of accelerator")
    evaluate.add_argument(
        "--set", action="append", default=[], metavar="KNOB=VALUE", dest="knobs",
        help="set one knob of the template, such as rows=128 or sram=512KiB (`carbonopt machines` "
        "lists them), or of the network: weight_bits, activation_bits, pruned_share, "
        "zero_share, weight_bits@LAYER; repeat for more",
    )  # fmt: skip
    evaluate.add_argument(
        "--mapping", choices=("optimal", "exhaustive", "reference"), default="optimal",
        help="solve the mapping under promising unrollings (the default) or under all, or search "
        "it by CarbonSpot's own rules",
    )  # fmt: skip
    evaluate.add_argument("--mapping-objective", default="edp", metavar="NAME",
        help="what solved mappings are chosen for: edp (energy x latency, the default), energy, "
        "latency, carbon_ca or carbon_pa",
    )  # fmt: skip
    evaluate.add_argument("--batch", type=count, help="inputs per inference")
    evaluate.add_argument("--period", metavar="TIME", help="time between two inferences (40ms)")
    evaluate.add_argument("--dram", metavar="SIZE", help="memory beside the chip (1MiB)")
    evaluate.add_argument(
        "--footprint", metavar="DIR", help="write the carbon record and model card there, too"
    )
    evaluate.late = add_scenario_options
    _add_map(commands)
    _add_estimate(commands)
    _add_validate(commands)
    _add_compression(commands)
    workload = _add_command(commands, "workload", "describe a network", json=True)
    workload.add_argument("workload", help="network by name, or an ONNX file")
    workload.add_argument("--batch", type=count, help="inputs per inference")
    check = _add_command(commands, "check", "check problem, study and ONNX files", json=True)
    check.add_argument("files", nargs="+", metavar="FILE", help=".yaml, .yml or .onnx")


def _add_carbon(commands: Commands) -> None:
    for name, (does, add) in CARBON_COMMANDS.items():
        add(_add_command(commands, name, does, json=True))


def _add_map(commands: Commands) -> None:
    mapped = _add_command(commands, "map", "show how one layer is mapped onto a machine", json=True)
    mapped.add_argument(
        "--machine", required=True,
        help="shipped machine, template, machine file, or accelerator file of ZigZag",
    )  # fmt: skip
    mapped.add_argument("--workload", required=True, help="network by name, or an ONNX file")
    mapped.add_argument("--layer", required=True, help="layer by name, or by position from 0")
    mapped.add_argument(
        "--objective", choices=("edp", "energy", "latency"),
        help="what the mapping is chosen for (default: edp, energy x latency)",
    )  # fmt: skip
    mapped.add_argument(
        "--model", help="model switches: default, zigzag or carbonspot "
        "(default: zigzag for ZigZag's files, default otherwise)",
    )  # fmt: skip
    mapped.add_argument("--mapping-file", metavar="FILE", help="ZigZag's mapping file")
    mapped.add_argument(
        "--set", action="append", default=[], metavar="KNOB=VALUE", dest="knobs",
        help="set one knob of the template, as in evaluate",
    )  # fmt: skip
    mapped.add_argument("--batch", type=count, help="inputs per inference")
    mapped.add_argument(
        "--front", action="store_true",
        help="list and draw the mappings found that no other beats in energy and latency",
    )  # fmt: skip
    mapped.add_argument("--out", metavar="DIR", help="folder of the figure of --front")
    _add_command(commands, "machines", "list the shipped machines and the templates", json=True)
    machine = _add_command(commands, "machine", "print a machine as a file to start from")
    machine.add_argument("name", metavar="MACHINE", help="shipped machine, or a template")
    machine.add_argument(
        "--set", action="append", default=[], metavar="KNOB=VALUE", dest="knobs",
        help="set one knob of the template, as in evaluate",
    )  # fmt: skip
    machine.add_argument("--workload", help="network whose weights stay on chip if they fit")


def _add_estimate(commands: Commands) -> None:
    rough = _add_command(
        commands, "estimate", "estimate the energy of a network on an Eyeriss-like array", json=True
    )
    rough.late = import_module("carbonopt.cli_estimate").add_options


def _add_validate(commands: Commands) -> None:
    validate = _add_command(commands, "validate", "compare a model with measured chips", json=True)
    validate.add_argument("what", choices=("imc",), help="imc: in-memory-computing macros")
    validate.add_argument("--out", metavar="DIR", help="folder in place of runs/validate-<what>")


def _add_compression(commands: Commands) -> None:
    for name, does in (
        ("rank", "rank the layers of a network by what they take of a design"),
        ("prune", "compare orders in which to prune the weights of a network"),
        ("compress", "compress a network step by step to a budget"),
    ):
        _add_command(commands, name, does, json=True).late = add_compression_options


def add_compression_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a command that compresses networks."""
    import_module("carbonopt.cli_compress").add_options(parser)
