"""What commands print: JSON without NaN, and runs in words."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from carbonopt.errors import ModelRangeError, SpecError

if TYPE_CHECKING:
    from carbonopt.front.front import Front


DONE, RUN_FAILED, BAD_INPUT, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 130, 141
"""Exit codes."""
_EXACT = 1e-9
"""Gap below which nothing but rounding is left."""


def tell(fault: object, code: int) -> int:
    """Write what went wrong to standard error, each fault a line, and return the exit code."""
    sys.stderr.writelines(f"carbonopt: {line}\n" for line in str(fault).splitlines())
    return code


def tell_of_compiling() -> None:
    """Say on a terminal that the first design of an installation takes longer, and why."""
    if not sys.stderr.isatty():
        return
    from carbonopt.mapping.compiled import is_compiled
    from carbonopt.mapping.search import one_unrolling

    if not is_compiled(one_unrolling):
        tell("compiling the models, about a minute, once per installation", DONE)


def quantity_of(text: str | None, unit: str, option: str) -> float | None:
    """Read the quantity of an option, None where it is not given."""
    from carbonopt.units import parse_quantity

    return None if text is None else parse_quantity(text, unit, option)


def together(*checks: Callable[[], object]) -> None:
    """Run checks of what was asked, and raise the faults of all of them at once.

    Raises
    ------
    SpecError
        Every fault, each once.
    """
    faults: list[str] = []
    for check in checks:
        try:
            check()
        except (SpecError, ModelRangeError) as error:
            faults += str(error).splitlines()
    if faults:
        raise SpecError(list(dict.fromkeys(faults)))


def say(text: str = "") -> None:
    """Write a line to standard output, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def say_json(content: object) -> None:
    """Write one JSON document to standard output; what is not a finite number becomes null."""
    say(json.dumps(plain(content), indent=2, ensure_ascii=False, allow_nan=False))


def plain(content: Any) -> Any:  # noqa: ANN401  whatever JSON can hold, and numpy's scalars
    """Return content as JSON has it: no NaN, no numpy scalars, no tuples.

    Examples
    --------
    >>> plain({"a": (1, float("nan"))})
    {'a': [1, None]}
    """
    if isinstance(content, Mapping):
        return {str(key): plain(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [plain(value) for value in content]
    if hasattr(content, "item"):
        content = content.item()
    return None if isinstance(content, float) and not math.isfinite(content) else content


def gap_text(gap: float, least: str) -> str:
    """Say how far what was found is at most above the least there is.

    Examples
    --------
    >>> gap_text(0.0, "least of all")
    'least of all'
    >>> gap_text(0.0123, "least of all"), gap_text(float("inf"), "least of all")
    ('within 1.2 % of the least of all', 'not proven to be the least of all')
    """
    if math.isinf(gap):
        return f"not proven to be the {least}"
    return least if gap < _EXACT else f"within {100 * gap:.2g} % of the {least}"


def summary(front: Front) -> dict[str, Any]:
    """Return what a run found, in numbers."""
    from carbonopt.front.notices import errors_of, most_frequent_error

    evaluated = front.evaluations
    return {
        "designs": len(evaluated),
        "feasible_share": float(evaluated["feasible"].astype(bool).mean()) if len(evaluated) else 0,
        "front_size": len(front),
        "hypervolume": front.hypervolume() if front.reference_point else None,
        **front.compared(),
        "errors": len(errors_of(evaluated)),
        "most_frequent_error": most_frequent_error(evaluated) or None,
        "notices": list(front.notices),
    }


def summary_lines(front: Front) -> list[str]:
    """Return what a run found, in words."""
    found = summary(front)
    if not found["designs"]:
        return ["no design evaluated yet"]
    lines = [
        f"{found['designs']:,} designs evaluated, "
        f"{found['feasible_share']:.0%} within all limits, {found['front_size']} on the front"
    ]
    if found["hypervolume"] is not None and math.isnan(found["hypervolume"]):
        lines.append("no logarithmic hypervolume: an objective is 0 or below")
    elif found["hypervolume"] is not None:
        ratio = found.get("hypervolume_log_ratio")
        share = "" if ratio is None else f", {ratio:.1%} of the exact front's"
        lines.append(f"hypervolume {found['hypervolume']:.4g} (logarithmic){share}")
    if "share_within_2_percent" in found:
        lines.append(
            f"{found['share_within_2_percent']:.0%} of the exact front reached within 2 %; "
            f"the farthest point is missed by a factor of {found['epsilon']:.3f}"
        )
    return [*lines, *front.notices]


def nothing_yet_text(run_dir: str) -> str:
    """Say that a run has no design to show, and how to go on."""
    return f"{run_dir}: no design evaluated yet; go on with: carbonopt resume {run_dir}"


def telling_text(front: Front) -> str:
    """Return the telling designs of a front side by side, one line per variable and metric."""
    from carbonopt.report.columns import mean_note, metrics_of, short_label
    from carbonopt.report.scale import quantity
    from carbonopt.report.table import (
        aligned,
        hidden_note,
        plain_name,
        shown_variables,
        telling_designs,
        variable_text,
    )

    chosen = telling_designs(front)
    further = ("latency_s", "energy_j", "carbon_ca_g", "carbon_pa_g", "area_mm2", "embodied_g")
    metrics = metrics_of(chosen, front.metrics, further)
    variables = shown_variables(front.variables)
    names = [plain_name(name) for name in variables]
    columns = {"": [*names, *(short_label(m) for m in metrics)]}
    for _, design in chosen.iterrows():
        cells = [variable_text(name, design[name]) for name in variables]
        columns[design["role"]] = [*cells, *(quantity(design[m.name], m.unit) for m in metrics)]
    return "\n".join([aligned(columns), *mean_note(chosen), *hidden_note(front.variables)])


def least_infeasible_text(front: Front) -> str:
    """Return the designs that come nearest to meeting every limit, and the limit each misses."""
    from carbonopt.objectives import BUILDABLE
    from carbonopt.report.table import aligned, plain_name, shown_variables, variable_text

    nearest = front.least_infeasible(3)
    columns = {
        plain_name(name): [variable_text(name, value) for value in nearest[name]]
        for name in shown_variables(front.variables)
    }
    unbuilt = nearest["binding"] == BUILDABLE
    columns["misses"] = [str(name).removeprefix("limit.") for name in nearest["binding"]]
    columns["by"] = [
        "cannot be built or mapped" if never else f"{violation:.1%}"
        for never, violation in zip(unbuilt, nearest["violation"], strict=True)
    ]
    return f"no design keeps every limit; the nearest:\n{aligned(columns)}"
