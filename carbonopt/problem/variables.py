"""The variables of a problem file, those of its networks, and what says their quality."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from carbonopt.compress.quality import (
    QualityFunction,
    QualityTable,
    missing_rows,
    quality_function,
    quality_table,
)
from carbonopt.errors import SpecError
from carbonopt.spec.load import Document
from carbonopt.spec.problem import ProblemSpec, VariableSpec
from carbonopt.variable import Variable
from carbonopt.workload.compression import NETWORK_KNOBS, Target, targets
from carbonopt.workload.network import Network

_MOST_LISTED = 4096
"""Combinations that a table is searched for when a file is read."""


def read_variables(
    entries: Mapping[str, VariableSpec], document: Document, faults: list[str]
) -> list[Variable]:
    """Make a variable of each entry, faults in words."""
    variables = []
    for name, entry in entries.items():
        try:
            variables.append(make_variable(entry))
        except (SpecError, TypeError) as error:
            message = str(error).removeprefix(f"{name}: ")
            faults.append(document.fault(("variables", name, entry.kind), message))
    return _where_they_matter(variables, document, faults)


def _where_they_matter(
    variables: list[Variable], document: Document, faults: list[str]
) -> list[Variable]:
    """Let a knob matter only with the templates that take it."""
    from carbonopt.hardware.template import TEMPLATES

    chosen = next((v.values for v in variables if v.name == "template"), ())
    found = []
    for variable in variables:
        takers = [t.name for t in TEMPLATES.values() if variable.name in t.columns]
        kinds = [template for template in chosen if template in takers]
        if takers and chosen and not kinds:
            allowed = f"{' or '.join(takers)} among the templates"
            fault = f"got no template that has it, allowed: {allowed}"
            faults.append(document.fault(("variables", variable.name), fault))
        matters = not takers or len(kinds) in (0, len(chosen))
        found.append(variable if matters else variable.when("template", kinds))
    return found


def make_variable(entry: VariableSpec) -> Variable:
    """Make a variable of what a file says about it."""
    values = getattr(entry, entry.kind)
    if entry.kind == "choice":
        return Variable.choice(entry.name, values)
    makers = {"int": "integer", "pow2": "pow2", "step": "step", "real": "real"}
    variable: Variable = getattr(Variable, makers[entry.kind])(entry.name, *values)
    return variable


def with_targets(
    variables: Sequence[Variable], entries: Mapping[str, VariableSpec], networks: Sequence[Network]
) -> tuple[list[Variable], tuple[Target, ...]]:
    """Return the variables of the space, each of networks as often as its entry says, and those."""
    space: list[Variable] = []
    found: list[Target] = []
    for variable in variables:
        if variable.name not in NETWORK_KNOBS:
            space.append(variable)
            continue
        own = targets(variable.name, entries[variable.name].per or "all", networks)
        space += [replace(variable, name=target.column) for target in own]
        found += own
    return space, tuple(found)


def quality_of(
    spec: ProblemSpec, variables: Sequence[Variable], document: Document, faults: list[str]
) -> QualityFunction | QualityTable | None:
    """Find what says the loss of quality, None where the file says nothing or is at fault."""
    if spec.quality is None:
        return None
    folder, key = document.path.parent, "table" if spec.quality.table else "function"
    try:
        if spec.quality.function is not None:
            return quality_function(spec.quality.function, folder)
        own = [v for v in variables if v.name.partition("@")[0] in NETWORK_KNOBS]
        table = quality_table(folder / str(spec.quality.table), [v.name for v in own])
        if math.prod(len(v.values) for v in own) <= _MOST_LISTED:
            wanted = itertools.product(*([float(each) for each in v.values] for v in own))
            if missing := missing_rows(table, list(wanted)):
                raise SpecError(missing)
    except SpecError as error:
        faults += [document.fault(("quality", key), fault) for fault in error.faults]
        return None
    return table
