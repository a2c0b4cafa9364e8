"""Commands that read fronts: choose designs, compare runs, write a page or a table."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carbonopt.cli_text import (
    BAD_INPUT,
    DONE,
    least_infeasible_text,
    nothing_yet_text,
    say,
    say_json,
    summary,
    summary_lines,
    tell,
)

if TYPE_CHECKING:
    import pandas as pd

    from carbonopt.front.compare import Comparison
    from carbonopt.front.front import Front

RUNS = Path("runs")
_FIGURES = (".png", ".svg", ".pdf")


def front(options: Namespace) -> int:
    """Print designs of a front, or of all that were evaluated, as a table, CSV or JSON."""
    from carbonopt.run.sources import load_front

    found = load_front(options.source, options.objectives)
    is_one_asked = options.least or options.knee
    if not len(found.evaluations) and (is_one_asked or not (options.json or options.csv)):
        return _nothing(options)
    rows, narrowed = _chosen(found, options)
    shown = rows[options.columns] if options.columns else rows
    if options.json:
        say_json(
            {
                "problem": found.name,
                "objectives": found.objectives,
                "reference_point": found.reference_point,
                **summary(found),
                "conditions": options.where,
                "designs": shown.to_dict("records"),
            }
        )
    elif options.csv:
        say(shown.to_csv(index=False).rstrip("\n"))
    elif len(rows):
        say(_table(rows, found, options))
        for line in _asked_lines(rows, narrowed, found, options):
            say(line)
    else:
        say(_none_text(found, options))
    return DONE


def export(options: Namespace) -> int:
    """Write designs of a front, or all that were evaluated, to a file."""
    from carbonopt.report.export import check_format, export_table
    from carbonopt.run.sources import load_front

    check_format(options.to)
    found = load_front(options.source, options.objectives)
    if not len(found.evaluations):
        return tell(nothing_yet_text(options.source), BAD_INPUT)
    rows, _ = _chosen(found, options)
    file = export_table(rows, options.to, found, columns=options.columns)
    if options.json:
        say_json({"file": str(file), "designs": len(rows)})
    else:
        say(f"{file}: {len(rows):,} designs")
    return DONE


def compare(options: Namespace) -> None:
    """Compare the fronts of several runs: table, coverage and figure."""
    from carbonopt.report.compare_figure import plot_comparison
    from carbonopt.run.compare import compare as compared

    _check_figure(options.figure)
    found = compared(options.sources, options.objectives)
    names = "-".join(Path(name).stem for name in found.fronts)
    figure = plot_comparison(found, options.figure or RUNS / f"compare-{names}.png")
    if not options.json:
        say(_comparison_text(found))
        say(str(figure))
        return
    runs = found.table.reset_index(names="run").to_dict("records")
    say_json(
        {
            "objectives": [m.name for m in found.metrics],
            "reference_point": found.reference_point,
            "runs": runs,
            "coverage": found.coverage.to_dict("index"),
            "notices": found.notices,
            "figure": str(figure),
        }
    )


def _check_figure(path: str | None) -> None:
    """Refuse a figure of a format that is not drawn.

    Raises
    ------
    SpecError
        The ending of the file names none.
    """
    from carbonopt.errors import SpecError

    if path is not None and Path(path).suffix not in _FIGURES:
        raise SpecError(f"--figure: got {path}, allowed: a file ending in {', '.join(_FIGURES)}")


def report(options: Namespace) -> None:
    """Write one page that shows a front and what it was made from."""
    from carbonopt.report.page import write_page
    from carbonopt.run.sources import open_source

    source = open_source(options.source, options.objectives)
    run_dir = source.front.run_dir
    beside = run_dir / "report.html" if run_dir else RUNS / f"{Path(options.source).stem}.html"
    file = write_page(source, options.out or beside, summary_lines(source.front))
    if options.json:
        say_json({"file": str(file), "designs": len(source.front)})
    else:
        say(str(file))


def _chosen(found: Front, options: Namespace) -> tuple[pd.DataFrame, Front]:
    """Take the designs that were asked for, and the front among those that meet the conditions."""
    from carbonopt.front.conditions import check_columns

    table = found.evaluations
    conditions = found.conditions(options.where, "--where")
    check_columns(options.columns, table, "--columns")
    check_columns([options.sort] if options.sort else [], table, "--sort")
    narrowed = found.where(*conditions)
    if options.least:
        rows = found.least(options.least, *conditions).to_frame().T.astype(table.dtypes)
    elif options.knee:
        rows = _knee(found, narrowed, options)
    else:
        rows = narrowed.evaluations if options.all else narrowed.to_pandas()
    if options.sort:
        rows = rows.sort_values(options.sort, ascending=not options.reverse, kind="stable")
    elif options.reverse:
        rows = rows.iloc[::-1]
    return rows.head(options.limit or len(rows)).reset_index(drop=True), narrowed


def _knee(found: Front, narrowed: Front, options: Namespace) -> pd.DataFrame:
    """Take the knee of a front as a table.

    Raises
    ------
    SpecError
        No design is there to choose from.
    """
    from carbonopt.errors import SpecError

    if not len(narrowed):
        raise SpecError(f"knee: {_none_text(found, options)}")
    return narrowed.knee().to_frame().T.astype(found.evaluations.dtypes)


def _table(rows: pd.DataFrame, found: Front, options: Namespace) -> str:
    """Return designs as a table: the columns asked for, or variables, objectives and area."""
    import numpy as np

    from carbonopt.front.conditions import is_numeric
    from carbonopt.objectives import Metric
    from carbonopt.report.columns import metrics_of
    from carbonopt.report.table import designs_table

    asked = [each.column for each in found.conditions(options.where)]
    further = ["area_mm2", *asked, options.least, options.sort]
    known = {m.name: m for m in metrics_of(rows, found.metrics, ["area_mm2"])}
    extra = [name for name in further if name and name not in known and name in rows]
    names = options.columns or list(dict.fromkeys([*found.variables, *known, *extra]))
    if options.all and not options.columns:
        names = [*names, "feasible"]
    texts = [name for name in names if name in found.variables or not is_numeric(rows[name])]
    numbers = [known.get(n) or Metric(n, _label(n)) for n in names if n not in texts]
    words = rows.assign(feasible=np.where(rows["feasible"].astype(bool), "yes", "no"))
    return designs_table(words, texts, numbers)


def _label(name: str) -> str:
    """Name a column: the words of a metric, the name of anything else."""
    from carbonopt.report.columns import short_label

    return short_label(name)


def _asked_lines(
    rows: pd.DataFrame, narrowed: Front, found: Front, options: Namespace
) -> list[str]:
    """Say what the designs shown are a part of, where that is not simply the front."""
    seen = f"{len(found.evaluations):,} designs evaluated"
    if options.where:
        asked = " and ".join(map(str, found.conditions(options.where)))
        seen = f"{len(narrowed.evaluations):,} of {seen} that meet {asked}"
    whole = narrowed.evaluations if options.all else narrowed.to_pandas()
    lines = []
    if options.least:
        lines = [f"least {options.least} of the {seen}"]
    elif options.knee:
        lines = [f"knee of the front of {len(narrowed)} designs, among the {seen}"]
    elif options.where:
        lines = [seen if options.all else f"front of {len(narrowed)} designs, among the {seen}"]
    if options.limit and len(rows) < len(whole) and not (options.least or options.knee):
        lines.append(f"{len(rows)} of {len(whole)} shown")
    notices = [] if found.run_dir else [n for n in found.notices if "--objectives" in n]
    return [*([""] if lines or notices else []), *lines, *notices]


def _none_text(found: Front, options: Namespace) -> str:
    """Say why there is no design to show, and what comes nearest."""
    from carbonopt.front.choose import miss_text
    from carbonopt.report.table import describe_design

    if not found.evaluations["feasible"].astype(bool).any() or not options.where:
        return least_infeasible_text(found)
    conditions = found.conditions(options.where)
    nearest: dict[Any, Any] = found.nearest(*conditions).iloc[0].to_dict()
    told = miss_text(found.evaluations[found.evaluations["feasible"].astype(bool)], conditions)
    lines = [f"{told} ({describe_design(nearest, found.variables)})"]
    narrowed = found.where(*conditions)
    if len(narrowed.evaluations):
        asked = " and ".join(map(str, conditions))
        many = f"{len(narrowed.evaluations):,} of {len(found.evaluations):,} designs evaluated"
        lines.append(f"{many} meet {asked}; of these {least_infeasible_text(narrowed)}")
    elif found.run_dir is None and found.choices:
        whole = f"carbonopt enumerate {options.source} --out DIR, then carbonopt front DIR"
        lines.append(f"only the front of {found.name} ships, not the designs behind it: {whole}")
    return "\n".join(lines)


def _nothing(options: Namespace) -> int:
    """Say that there is no design yet; a question about one has no answer."""
    if options.least or options.knee:
        return tell(nothing_yet_text(options.source), BAD_INPUT)
    say(nothing_yet_text(options.source))
    return DONE


def _comparison_text(found: Comparison) -> str:
    """Return a comparison as two tables, with what there is to know."""
    from carbonopt.report.table import aligned

    table = found.table
    names = list(found.fronts)
    columns = {
        "run": names,
        "evaluated": [f"{count:,}" for count in table["evaluated"]],
        "front": [f"{count:,}" for count in table["front"]],
        "hypervolume": [_number(value, ".4g") for value in table["hypervolume"]],
        "epsilon": [_number(value, ".3f") for value in table["epsilon"]],
        "in joined front": [f"{count:,}" for count in table["in_joined"]],
        "only here": [f"{count:,}" for count in table["only_here"]],
        "share of joined": [_number(value, ".0%") for value in table["share_of_joined"]],
    }
    covers = {"covers": names}
    covers |= {name: [_number(v, ".0%") for v in found.coverage[name]] for name in names}
    objectives = ", ".join(m.name for m in found.metrics)
    return "\n".join(
        [
            aligned(columns),
            "epsilon: by which factor a front misses the joined one at worst",
            "",
            f"share of the column's front that the row's front covers, in {objectives}:",
            aligned(covers),
            "",
            *found.notices,
        ]
    )


def _number(value: float, shape: str) -> str:
    """Print a number, '-' where there is none."""
    return "-" if value != value else f"{value:{shape}}"
