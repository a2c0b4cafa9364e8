"""Designs as files for other tools: CSV, JSON, Parquet, LaTeX."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from carbonopt.errors import SpecError
from carbonopt.front.conditions import is_numeric
from carbonopt.front.front import Front
from carbonopt.report.columns import metrics_of, short_label
from carbonopt.report.files import write_file
from carbonopt.report.scale import common_scale
from carbonopt.report.table import plain_name, shown_variables, variable_text
from carbonopt.store import table_bytes
from carbonopt.units import unit_of

_LATEX = str.maketrans(
    {"_": r"\_", "&": r"\&", "%": r"\%", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}"}
    | {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}"}
    | {"µ": r"$\mu$", "²": r"$^2$"}
)


def export_table(
    designs: pd.DataFrame, path: str | Path, front: Front, *, columns: Sequence[str] = ()
) -> Path:
    """Write designs to a file, in the format that its ending names.

    Numbers are kept to the last bit, but in LaTeX, which is a table to print: four digits, each
    column under one unit.

    Parameters
    ----------
    designs
        Rows of a front or of all evaluations.
    path
        File ending in .csv, .json, .parquet or .tex.
    front
        Where the designs come from: its objectives and variables.
    columns
        Only these; all of them where none is given, in LaTeX variables, objectives and area.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    SpecError
        The format is not known, or Parquet has no pyarrow.
    StoreError
        The file cannot be written.
    """
    write = check_format(path)
    content = write(designs[list(columns)] if columns else designs, front, bool(columns))
    return write_file(path, content)


def check_format(path: str | Path) -> Callable[[pd.DataFrame, Front, bool], bytes]:
    """Find what writes a format, before anything is read.

    Raises
    ------
    SpecError
        The ending of the file names no format, or the format needs a package that is missing.
    """
    ending = Path(path).suffix
    if ending not in _FORMATS:
        near = get_close_matches(ending, _FORMATS, n=1, cutoff=0.5)
        hint = f" (did you mean {near[0]}?)" if near else ""
        allowed = f"a file ending in {', '.join(_FORMATS)}{hint}"
        raise SpecError(f"--to: got {path}, allowed: {allowed}")
    if ending == ".parquet":
        _check_pyarrow(path)
    return _FORMATS[ending]


def _check_pyarrow(path: str | Path) -> None:
    """Refuse Parquet without the package that writes it."""
    try:
        import pyarrow.parquet  # noqa: F401  only whether it is there
    except ImportError as error:
        advice = "pip install 'carbonopt[parquet]'"
        raise SpecError(f"--to: got {path}, which needs pyarrow, allowed: {advice}") from error


def _csv(designs: pd.DataFrame, _front: Front, _chosen: bool) -> bytes:
    """Write CSV, floats to the last bit."""
    return table_bytes(designs)


def _json(designs: pd.DataFrame, front: Front, _chosen: bool) -> bytes:
    """Write one JSON document: what the numbers are, then the designs."""
    content = {
        "problem": front.name,
        "objectives": front.objectives,
        "units": {name: unit_of(name) for name in map(str, designs) if unit_of(name)},
        "designs": [
            {str(name): _plain(value) for name, value in row.items()}
            for row in designs.to_dict("records")
        ],
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _parquet(designs: pd.DataFrame, front: Front, _chosen: bool) -> bytes:
    """Write Parquet; problem, objectives and units are in the metadata of the table."""
    table = designs.reset_index(drop=True)
    mixed = [n for n in table if table[n].dtype == object and not is_numeric(table[n])]
    table = table.assign(**{str(n): table[n].map(str, na_action="ignore") for n in mixed})
    units = {name: unit_of(name) for name in map(str, table) if unit_of(name)}
    table.attrs = {"problem": front.name, "objectives": front.objectives, "units": units}
    buffer = io.BytesIO()
    table.to_parquet(buffer, engine="pyarrow", index=False)
    return buffer.getvalue()


def _latex(designs: pd.DataFrame, front: Front, chosen: bool) -> bytes:
    """Write a table for the package booktabs, units in its head."""
    known = {m.name: m for m in metrics_of(designs, front.metrics, ["area_mm2"])}
    names = [*shown_variables(front.variables), *known] if not chosen else list(map(str, designs))
    shape = ""
    heads: list[str] = []
    cells: list[list[str]] = []
    for name in names:
        head, column = _latex_column(designs[name], name, is_text=name in front.variables)
        heads.append(head.translate(_LATEX))
        cells.append(column)
        shape += "r" if is_numeric(designs[name]) else "l"
    lines = [" & ".join(row) + r" \\" for row in zip(*cells, strict=True)]
    top = [r"\begin{tabular}{" + shape + "}", r"\toprule", " & ".join(heads) + r" \\", r"\midrule"]
    note = f"% {front.name}: {len(designs)} designs; needs \\usepackage{{booktabs}}"
    return "\n".join([note, *top, *lines, r"\bottomrule", r"\end{tabular}", ""]).encode()


def _latex_column(column: pd.Series[Any], name: str, *, is_text: bool) -> tuple[str, list[str]]:
    """Head and cells of one column: texts as they are, numbers under one unit."""
    if is_text or not is_numeric(column):
        texts = [variable_text(name, value) for value in column.tolist()]
        return plain_name(name), [text.translate(_LATEX) for text in texts]
    values = column.to_numpy(dtype=float)
    scale = common_scale(values, unit_of(name))
    texts = [f"{v * scale.factor:.4g}" if math.isfinite(v) else "-" for v in values]
    return scale.label(short_label(name)), [_without_exponent(text) for text in texts]


def _without_exponent(text: str) -> str:
    r"""Write a number as a reader would, not with an exponent of programmers.

    Examples
    --------
    >>> _without_exponent("1.2e-05"), _without_exponent("12")
    ('$1.2 \\times 10^{-5}$', '12')
    """
    mantissa, found, exponent = text.partition("e")
    return rf"${mantissa} \times 10^{{{int(exponent)}}}$" if found else text


def _plain(value: Any) -> Any:  # noqa: ANN401  a cell of a table
    """Return a cell as JSON has it."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


_FORMATS: dict[str, Callable[[pd.DataFrame, Front, bool], bytes]] = {
    ".csv": _csv,
    ".json": _json,
    ".parquet": _parquet,
    ".tex": _latex,
}
