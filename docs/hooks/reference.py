"""The reference pages, generated from the code: commands, keys of files, knobs, metrics, tables."""

from __future__ import annotations

import argparse
import ast
import inspect
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BeforeValidator
from pydantic.fields import FieldInfo

import carbonopt
from carbonopt.carbon.presets import compare_presets, preset_names
from carbonopt.catalog import find_machine, machine_names, problem_names
from carbonopt.cli import make_parser
from carbonopt.data.tables import FACT_COLUMNS, FOLDER, load_table
from carbonopt.hardware.cacti import least_sram_byte
from carbonopt.hardware.knob_table import knob_table
from carbonopt.hardware.template import TEMPLATES
from carbonopt.objectives import MAPPING_OBJECTIVES, METRICS, PER_DEVICE
from carbonopt.problem.scenario import PRESET_FIELDS, option_of, scenario_words
from carbonopt.search.registry import searcher_names
from carbonopt.spec.bom import BomSpec
from carbonopt.spec.fields import Quantity, Strict, one_or_more
from carbonopt.spec.load import load_model
from carbonopt.spec.machine import MachineSpec
from carbonopt.spec.network import MappingSpec
from carbonopt.spec.problem import ProblemSpec, WorkloadSpec
from carbonopt.spec.scenario import ScenarioSpec, scenario_keys
from carbonopt.spec.study import StudySpec
from carbonopt.units import UNITS, format_quantity, unit_of
from carbonopt.workload.load import network_names

BOUNDS = (
    (annotated_types.Gt, "gt", ">"),
    (annotated_types.Ge, "ge", ">="),
    (annotated_types.Lt, "lt", "<"),
    (annotated_types.Le, "le", "<="),
)
PLAIN = {bool: "`true`, `false`", int: "whole number", float: "number", str: "text", Any: "value"}
MODELS = ("carbon", "hardware")
"""Packages whose functions are the published models."""


def reference_pages() -> Iterator[tuple[str, str]]:
    """Visit the place and the text of every page."""
    yield "reference/commands.md", commands_page()
    for name, root in (
        ("problem", ProblemSpec),
        ("study", StudySpec),
        ("machine", MachineSpec),
        ("bom", BomSpec),
    ):
        yield f"reference/{name}_file.md", schema_page(name, root)
    yield "reference/scenario.md", scenario_page()
    yield "reference/knobs.md", knobs_page()
    yield "reference/metrics.md", metrics_page()
    yield "reference/catalogue.md", catalogue_page()
    yield "reference/units.md", units_page()
    yield "reference/data.md", data_page()
    yield "reference/api.md", api_page()
    for package in MODELS:
        yield f"reference/{package}_functions.md", models_page(package)


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Write a table; a cell of several lines becomes one."""
    head = list(head)
    cells = [[" ".join(str(cell).split()).replace("|", "\\|") for cell in row] for row in rows]
    lines = [head, ["---"] * len(head), *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n\n"


def code(words: Iterable[object]) -> str:
    """Write words as code, one after the other."""
    return ", ".join(f"`{word}`" for word in words)


def commands_page() -> str:
    """Every command with its arguments, from the parser itself."""
    parser = make_parser()
    (listed,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    helps = {action.dest: action.help for action in listed._choices_actions}
    page = f"# Commands\n\n`carbonopt COMMAND`: {parser.description} {parser.epilog}\n\n"
    page += "`carbonopt COMMAND --help` says the same as this page.\n\n"
    page += table(
        ("command", "what it does"), ((f"[`{n}`](#{n})", helps[n]) for n in listed.choices)
    )
    return page + "".join(_command(name, each) for name, each in listed.choices.items())


def _command(name: str, command: Any) -> str:
    """One command: usage, then its arguments by group."""
    usage = " ".join(command.format_usage().removeprefix("usage: ").split())
    page = f"## {name}\n\n{command.description}\n\n```text\n{usage}\n```\n\n"
    if command.late is not None:
        command.late(command)
    for group in command._action_groups:
        rows = [
            _argument(a) for a in group._group_actions if not isinstance(a, argparse._HelpAction)
        ]
        if rows:
            title = group.title if group.title.startswith("scenario") else ""
            page += f"{title[:1].upper()}{title[1:]}\n\n" if title else ""
            page += table(("argument", "what it is"), rows)
    return page


def _argument(action: argparse.Action) -> tuple[str, str]:
    """One argument as it is typed, and what it says about itself."""
    value = action.metavar or (
        f"{{{','.join(map(str, action.choices))}}}" if action.choices else action.dest.upper()
    )
    names = ", ".join(action.option_strings)
    typed = f"{names} {value}" if names and action.nargs != 0 else names or value
    return f"`{typed}`", (action.help or "").replace("%%", "%")


def schema_page(name: str, root: type[Strict]) -> str:
    """Every key of a file, part by part, from the model that reads it."""
    article = "bill of materials" if name == "bom" else f"{name} file"
    page = f"# Keys of a {article}\n\nEvery key that a {article} can have; any other is refused"
    page += ", and so is a quantity without its [unit](units.md).\n\n"
    return page + "".join(_part(model) for model in _models(root) if model is not ScenarioSpec)


def _models(root: type[Strict]) -> list[type[Strict]]:
    """List a model and those of its parts, outermost first."""
    found = [root]
    for model in found:
        for field in model.model_fields.values():
            found += [part for part in _parts(field.annotation) if part not in found]
    return found


def _parts(kind: Any) -> list[type[Strict]]:
    """List the models that a type contains."""
    if inspect.isclass(kind) and issubclass(kind, Strict):
        return [kind]
    return [part for inner in get_args(kind) for part in _parts(inner)]


def _title(model: type[Strict]) -> str:
    return model.__name__.removesuffix("Spec").lower()


def _part(model: type[Strict]) -> str:
    """One model as a section with a table of its keys."""
    rows = [
        (f"`{name}`", _allowed(model, name, field), _default(field), field.description)
        for name, field in model.model_fields.items()
    ]
    said = inspect.cleandoc(model.__doc__ or "")
    return f"## {_title(model)}\n\n{said}\n\n" + table(("key", "takes", "default", "what"), rows)


def _allowed(model: type[Strict], name: str, field: FieldInfo) -> str:
    """Say what a key takes: a word of a list where there is one, else its type."""
    words = _words().get((model, name))
    return code(words) if words else _kind(field.annotation, tuple(field.metadata))


def _words() -> dict[tuple[type[Strict], str], Iterable[str]]:
    """Words that keys take by name."""
    return {
        **{(ScenarioSpec, key): words for key, words in scenario_words().items()},
        (ScenarioSpec, "preset"): preset_names(),
        (WorkloadSpec, "name"): network_names(),
        (MappingSpec, "objective"): MAPPING_OBJECTIVES,
        (StudySpec, "searcher"): searcher_names(),
    }


def _kind(kind: Any, metadata: tuple[Any, ...] = ()) -> str:
    """Say a type in words, with its unit and bounds."""
    if get_origin(kind) is Annotated:
        return _kind(get_args(kind)[0], (*get_args(kind)[1:], *metadata))
    inner = [i for m in metadata for i in (m.metadata if isinstance(m, FieldInfo) else (m,))]
    limits = [f"{s} {getattr(m, key):g}" for m in inner for t, key, s in BOUNDS if isinstance(m, t)]
    for reader in (m.func for m in metadata if isinstance(m, BeforeValidator)):
        if reader is one_or_more:
            return f"{_kind(get_args(kind)[0])}; or a list"
        if isinstance(reader, Quantity):
            unit = f"[{reader.unit}](units.md)" if reader.unit else "number"
            return ", ".join([unit, reader.allowed, *limits])
        return (inspect.getdoc(reader) or "").partition("\n")[0].partition(" ")[2].rstrip(".")
    return ", ".join([_structure(kind), *limits])


def _structure(kind: Any) -> str:
    """Say lists, mappings and choices in words."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return " or ".join(_kind(each) for each in inner if each is not NoneType)
    if origin is Literal:
        return code(inner)
    if origin is list:
        return f"list of {_kind(inner[0])}"
    if origin is dict:
        return f"{_kind(inner[1])}, by {'name' if inner[0] is str else _kind(inner[0])}"
    if kind is ScenarioSpec:
        return "[scenario](scenario.md)"
    if _parts(kind):
        return f"[{_title(kind)}](#{_title(kind)})"
    return PLAIN[kind]


def _default(field: FieldInfo) -> str:
    """Say what stands for a key that is not given."""
    if field.is_required():
        return "required"
    made = field.default_factory
    if isinstance(field.default, Strict) or (inspect.isclass(made) and issubclass(made, Strict)):
        return "those of its keys"
    if made is not None or field.default in (None, "", [], {}):
        return "none"
    default = field.default[0] if isinstance(field.default, tuple) else field.default
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def scenario_page() -> str:
    """Every key of a scenario: option, value, what each preset says."""
    presets, examples = compare_presets(), scenario_keys()
    page = "# Keys of a scenario\n\nWhere, how and how long a device is made and used: keys of "
    page += "`scenario` in a [problem file](problem_file.md), and options of `evaluate` and "
    page += "`reprice`. Where a key is not given, the preset says. [The carbon model]"
    page += "(../concepts/carbon.md) has the equations.\n\n"
    rows = (
        (f"`{key}`", field.description, _allowed(ScenarioSpec, key, field),
         f"`{option_of(key)} {examples[key][1]}`")
        for key, field in ScenarioSpec.model_fields.items()
    )  # fmt: skip
    page += "## Keys\n\n" + table(("key", "what", "takes", "option"), rows)
    keys = ((key, PRESET_FIELDS.get(key, key)) for key in ScenarioSpec.model_fields)
    said = (
        (f"`{key}`", *(_quantity(value, name) for value in presets.loc[name]))
        for key, name in keys
        if name in presets.index
    )
    return page + "## Presets\n\n" + table(("key", *presets.columns), said)


def _quantity(value: object, name: str) -> str:
    """Write a value with the unit that its name tells."""
    unit = unit_of(name)
    return format_quantity(value, unit) if unit and isinstance(value, float) else _number(value)


def _number(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def knobs_page() -> str:
    """Every knob of the templates."""
    page = "# Knobs of the templates\n\nWhat can be chosen of a design: `--set knob=value` of "
    page += "`evaluate`, `map` and `machine`, and variables of a [problem file]"
    page += "(problem_file.md#variable), whose names carry the unit. A knob without a default "
    page += (
        "follows from others. [In-memory macros](../concepts/imc.md) says what each reaches.\n\n"
    )
    sizes = f"{format_quantity(least_sram_byte(), 'byte')} or more"
    rows = (
        (f"`{k.name}`", f"`{k.column}`", k.meaning, sizes if k.name == "sram" else k.allowed,
         "required" if k.required else "" if k.default is None else f"`{k.default}`",
         k.unit or "-", code(k.kinds) or "all")
        for k in knob_table().values()
    )  # fmt: skip
    head = ("knob", "variable", "what", "allowed", "default", "unit", "templates")
    return page + table(head, rows)


def metrics_page() -> str:
    """Every metric of the registry."""
    page = "# Metrics\n\nWhat a problem can minimise or limit; smaller is better. Those of one "
    page += "inference are geometric means over the networks, or of one network: "
    page += (
        "`latency_s@resnet8`. [The carbon model](../concepts/carbon.md#metrics) explains them.\n\n"
    )
    rows = (
        (f"`{m.name}`", m.unit or "-", m.label, code(m.factors) or "-",
         "device" if m in PER_DEVICE else "inference", m.reference)
        for m in METRICS.values()
    )  # fmt: skip
    head = ("metric", "unit", "what", "product of", "of one", "reference")
    return page + table(head, rows)


def catalogue_page() -> str:
    """Everything that has a name: networks, templates, machines, problems, searchers."""
    page = "# What ships\n\nNetworks, templates, machines, problems and searchers by name.\n\n"
    known = load_table("workloads.csv").fillna({"aliases": ""}).set_index("name")
    rows = (
        (f"`{name}`", code(row["aliases"].split()) or "-", row["suite"],
         row["description"], _or_dash(row["rate_hz"], "Hz"),
         _or_dash(row["dram_byte"], "byte"), row["source"])
        for name, row in ((name, known.loc[name]) for name in network_names())
    )  # fmt: skip
    head = ("network", "also", "suite", "what", "rate", "DRAM", "source")
    page += f"## Networks\n\n{table(head, rows)}## Templates\n\n"
    page += table(
        ("template", "what"), ((f"`{t.name}`", t.description) for t in TEMPLATES.values())
    )
    machines = (load_model(find_machine(name), MachineSpec)[0] for name in machine_names())
    rows = (
        (f"`{m.machine}`", " x ".join(map(str, m.array.dimensions.values())), ", ".join(m.memories))
        for m in machines
    )
    page += f"## Machines\n\n{table(('machine', 'array', 'memories'), rows)}"
    problems = (carbonopt.load_problem(name) for name in problem_names())
    rows = ((f"`{p.name}`", p.question, p.size) for p in problems)
    page += f"## Problems\n\n{table(('problem', 'question', 'designs'), rows)}"
    return f"{page}## Searchers\n\n{code(searcher_names())}; [which when](../how-to/search.md).\n"


def _or_dash(value: float, unit: str) -> str:
    return format_quantity(value, unit) if value == value else "-"


def units_page() -> str:
    """Every unit that is understood."""
    page = (
        "# Units\n\nQuantities in files and options carry their unit: `512 KiB`, `40ms`. Inside, "
    )
    page += "and in tables, each is in its canonical unit, which is the suffix of its name: "
    page += "`energy_j`, `area_mm2`, `sram_byte`. A year is 365.25 days.\n\n"
    rows = ((f"`{unit}`", code(spelt)) for unit, spelt in UNITS.items())
    return page + table(("canonical", "understood"), rows)


def data_page() -> str:
    """Every shipped table: who reads it, its sources, and its numbers where each has a row."""
    page = "# Data tables\n\nThe numbers that papers own, each row with its source. Every table is "
    page += "a file to download; those with one number per row are shown.\n\n"
    return page + "".join(_data(file) for file in sorted(FOLDER.glob("*.csv")))


def _data(file: Path) -> str:
    """One table."""
    rows = load_table(file.name)
    page = f"## {file.stem}\n\n[{file.name}](../data/{file.name}), {len(rows)} rows. "
    page += " ".join(_readers(file.name)) + "\n\n"
    sources = rows[["source", "licence"]].drop_duplicates().to_numpy()
    page += table(("source", "licence"), sources)
    if not set(FACT_COLUMNS) <= set(rows.columns):
        return page + f"Columns: {code(rows.columns)}\n\n"
    shown = rows[["key", "value", "unit", "low", "high", "locator", "note"]].astype(object)
    cells = shown.where(shown.notna(), "").to_numpy()
    inner = table(shown.columns, ([_number(cell) for cell in row] for row in cells))
    return page + f'??? note "{len(rows)} numbers"\n\n' + re.sub("(?m)^", "    ", inner) + "\n\n"


def _readers(name: str) -> Iterator[str]:
    """Modules that name a table, with what they are."""
    for file in sorted(FOLDER.parent.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        if f'"{name}"' in text:
            module = ".".join(file.relative_to(FOLDER.parents[1]).with_suffix("").parts)
            said = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
            yield f"Read by `{module}`: {said}"


def api_page() -> str:
    """Ask mkdocstrings for the public names."""
    page = "# Python\n\nThe public names, imported as `import carbonopt as co`.\n\n"
    for name in carbonopt.__all__:
        home = getattr(carbonopt, name)
        page += (
            f"::: {home.__module__}.{home.__qualname__}\n    options:\n      heading_level: 2\n\n"
        )
    return page


def models_page(package: str) -> str:
    """Ask mkdocstrings for the functions of one package, module by module."""
    page = (
        f"# Functions: {package}\n\nThe published models of {package} as functions over arrays of "
    )
    page += "designs, each with its equation, range and source.\n\n"
    for file in sorted((FOLDER.parent / package).glob("[!_]*.py")):
        page += f"::: carbonopt.{package}.{file.stem}\n    options:\n"
        page += "      heading_level: 2\n      show_root_full_path: true\n\n"
    return page
