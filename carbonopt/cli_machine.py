"""Commands about machines: which ones ship, and one as a file to start from."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from textwrap import wrap
from typing import TYPE_CHECKING

from carbonopt.cli_text import say, say_json
from carbonopt.errors import SpecError

if TYPE_CHECKING:
    from carbonopt.hardware.machine import Machine

_DRAM_BYTE = 2.0**30  # where no network says how much
_BIT_PER_BYTE = 8
_WIDTHS = {"of": 15, "is": 34}
"""Signs of a line in columns that would make the table of knobs too wide for a terminal."""
_TOGETHER = """\
together: the sram holds 32 words or more, each of macros x max(8 rows, 16 cols) bit;
in dimc and aimc, rows x group_depth from 32, cols from 4 and adc_share up to 8 cols"""


def machines(options: Namespace) -> None:
    """List the shipped machines and the templates."""
    from carbonopt.catalog import find_machine, machine_names
    from carbonopt.hardware.file import load_machine
    from carbonopt.hardware.template import TEMPLATES

    shipped = {name: load_machine(find_machine(name)) for name in machine_names()}
    if options.json:
        built = [
            {"name": name, "array": each.shape, "on_chip_byte": _on_chip_byte(each)}
            for name, each in shipped.items()
        ]
        made = [
            {
                "name": name,
                "template": each.description,
                "knobs": [knob.name for knob in each.knobs],
            }
            for name, each in TEMPLATES.items()
        ]
        say_json([*built, *made])
    else:
        say(machines_text(shipped))


def machines_text(shipped: Mapping[str, Machine]) -> str:
    """Return the shipped machines, the templates and their knobs as three tables."""
    from carbonopt.hardware.template import TEMPLATES
    from carbonopt.report.scale import quantity
    from carbonopt.report.table import aligned

    built = {
        "machine": list(shipped),
        "array": [" x ".join(map(str, each.shape.values())) for each in shipped.values()],
        "of": [", ".join(each.shape) for each in shipped.values()],
        "memories": [str(len(each.memories)) for each in shipped.values()],
        "on chip": [quantity(_on_chip_byte(each), "byte") for each in shipped.values()],
    }
    made = {
        "template": list(TEMPLATES),
        "array": [each.description for each in TEMPLATES.values()],
    }
    knobs = aligned(_wrapped(_knob_columns()))
    return "\n\n".join([aligned(built), aligned(made), knobs, _TOGETHER])


def _wrapped(columns: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Fold the cells of wide columns into as many lines as they need."""
    lines: dict[str, list[str]] = {name: [] for name in columns}
    for row in zip(*columns.values(), strict=True):
        cells = zip(columns, row, strict=True)
        folded = [wrap(cell, _WIDTHS[name]) if name in _WIDTHS else [cell] for name, cell in cells]
        for line in zip_longest(*folded, fillvalue=""):
            for column, cell in zip(lines.values(), line, strict=True):
                column.append(cell)
    return lines


def _knob_columns() -> dict[str, list[str]]:
    """Return every knob with what it takes, as columns of text."""
    from carbonopt.hardware.knob_table import knob_table
    from carbonopt.units import format_quantity

    def default(value: float | str | None, unit: str) -> str:
        if isinstance(value, str):
            return value
        return "" if value is None else format_quantity(value, unit)

    knobs = knob_table().values()
    return {
        "--set": [knob.name for knob in knobs],
        "of": [", ".join(knob.kinds) or "all" for knob in knobs],
        "is": [knob.meaning for knob in knobs],
        "default": [
            "(must be given)" if knob.required else default(knob.default, knob.unit)
            for knob in knobs
        ],
        "allowed": [knob.allowed for knob in knobs],
    }


def _on_chip_byte(machine: Machine) -> float:
    """Return the capacity of all memories but the outermost one [byte]."""
    return sum(
        memory.size_bits / _BIT_PER_BYTE * machine.instances(memory)
        for memory in machine.memories[:-1]
    )


def machine(options: Namespace) -> None:
    """Print a machine as a file: a shipped one as it is, that of a template as its knobs say."""
    from carbonopt.catalog import find_machine
    from carbonopt.hardware.template import TEMPLATES

    if options.name in TEMPLATES:
        say(_template_text(options).rstrip("\n"))
        return
    path = find_machine(options.name, list(TEMPLATES))
    given = {"--set": options.knobs, "--workload": options.workload}
    if unused := [name for name, value in given.items() if value]:
        allowed = f"beside a template alone ({', '.join(TEMPLATES)})"
        raise SpecError(f"{unused[0]}: got one with {options.name}, allowed: {allowed}")
    say(path.read_text(encoding="utf-8").rstrip("\n"))


def _template_text(options: Namespace) -> str:
    """Return the file of a template's machine, under a comment that says how it was made."""
    from carbonopt.cli_map import template_machine
    from carbonopt.evaluate import load_workload
    from carbonopt.hardware.write import template_file

    network, dram_byte, why = None, _DRAM_BYTE, "weights come from a DRAM of 1 GiB"
    if options.workload is not None:
        workload = load_workload(options.workload)
        network, dram_byte = workload.network, workload.dram_byte
        why = f"--workload {options.workload}: size of the DRAM, weights on chip if they fit"
    built = template_machine(options.name, options.knobs, "default", network, dram_byte)
    text = template_file(built)
    asked = " ".join([options.name, *(f"--set {setting}" for setting in options.knobs)])
    return f"# Made by: carbonopt machine {asked}\n# {why}; 28 nm.\n{text}"
