"""The variables of a problem file, and with which templates each of them matters."""

from __future__ import annotations

from collections.abc import Mapping

from carbonopt.errors import SpecError
from carbonopt.spec.load import Document
from carbonopt.spec.problem import VariableSpec
from carbonopt.variable import Variable


def make_variables(
    entries: Mapping[str, VariableSpec], document: Document, faults: list[str]
) -> list[Variable]:
    """Make the variables of the space."""
    variables = []
    for name, entry in entries.items():
        try:
            variables.append(_variable(entry))
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


def _variable(entry: VariableSpec) -> Variable:
    """Make a variable of what a file says about it."""
    values = getattr(entry, entry.kind)
    if entry.kind == "choice":
        return Variable.choice(entry.name, values)
    makers = {"int": "integer", "pow2": "pow2", "step": "step", "real": "real"}
    variable: Variable = getattr(Variable, makers[entry.kind])(entry.name, *values)
    return variable
