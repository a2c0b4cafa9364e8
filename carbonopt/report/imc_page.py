"""The page of `carbonopt validate imc`: tables, differences, reasons."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from carbonopt.hardware.imc_chips import MEASURES
from carbonopt.report.imc_validation import GENERAL, ImcValidation

LABELS = {
    "area_mm2": "area [mm2]",
    "clock_ns": "clock period [ns]",
    "mac_fj": "energy [fJ/MAC]",
    "tops_per_w": "TOP/s/W",
    "tops_per_mm2": "TOP/s/mm2",
}
"""Measures as headings."""

_INTRODUCTION = """\
# In-memory computing against published chips

Written by `carbonopt validate imc`, with a table and a figure beside it. Two models meet the same
chips and are kept apart. The *chip-specific structure* counts the blocks that each chip really has;
that is the validation which zigzag-imc publishes. The *general macro* is what designs are evaluated
with: one formula for all, told a chip's rows, columns, precisions, converters and supply. Cells
read model / reported.
"""

_STRUCTURE = """
## Chip-specific structure

Gates of 28 nm, area and capacitance linear in the node, delays as they are (`zigzag-imc` scaling);
settings of the published figure, whose ratios stand in brackets. Table `imc_chip_blocks.csv`.
"""

_DIFFERENCES = """
### Where the published code and its figure differ

| chip | measure | shipped code | figure's settings | figure shows | why |
|---|---|---|---|---|---|
"""

_WHY = (
    "the code doubles the cell array's area (aimc1_validation_subfunc.py:68); once gives the bar",
    "the code lets only the accumulator's lowest bit take time (dimc_validation_subfunc.py:113); "
    "the general formula gives the bar",
    "the code has weight density 0.9 (dimc_validation.py:50); with 0.5 the model takes 139.3 fJ, "
    "1.53 x the 90.9 fJ on the bar's label and 1.39 x the 100 fJ (20 TOP/s/W) it was divided by",
    "reference is 275 TOP/s/W, the sparse best of a chip of 16.9 to 300; against 16.9 TOP/s/W the "
    "ratio is 0.98",
)

_GENERAL = """
## General macro

Default form, `ideal` scaling, activity of multipliers and trees = input toggle x weight density as
documented for each chip (0.5 x 0.5 where nothing is). Three columns per measure: gates as they
come; three factors on the gates (not on cells and converters) fitted to all chips, *the same for
every chip*; and the chip's own value when the factors are fitted to all other chips.
DIMC4 is compared at the dense end of its range (118.3 fJ/MAC).
"""


_TRENDS = """
### Trends: the same chips at other supplies and precisions

How clock period and energy per MAC change from the condition above (Wang 0.9 V, Jia 1.2 V,
Colonnade 0.8 V and 8 bit), reported against model. Energy of the model goes with C V^2; the delay's
threshold was fitted to Wang. Jia's clock follows its system. Colonnade's energy falls faster than
C V^2; its chain has w + 7 adders per MAC of w bits, where a tree over many rows has w + 1.

"""


def imc_page(found: ImcValidation) -> str:
    """Return the page as Markdown."""
    factors = ", ".join(
        f"{name} x {found.gates[measure]:.2f}"
        for name, measure in (("area", "area_mm2"), ("delay", "clock_ns"), ("energy", "mac_fj"))
    )
    return "".join(
        (
            _INTRODUCTION,
            _STRUCTURE,
            "\n",
            _structure_table(found.structure),
            _DIFFERENCES,
            _difference_rows(found.differences),
            _GENERAL,
            f"Fitted factors on gates: {factors}.\n\n",
            _general_table(found.general, found.reported.loc[list(found.outside)]),
            "\n### Errors, |model / reported - 1|\n\n",
            error_table(found),
            f"\nIf DIMC4 is compared with its sparse best of 275 TOP/s/W, the fitted median of the "
            f"energy is {found.sparse_mac_error:.0%}.\n",
            _TRENDS,
            _trend_table(found.trends),
            "\n### What keeps a chip outside\n\n",
            "".join(f"* **{chip}**: {note}\n" for chip, note in found.notes.items()),
        )
    )


def error_table(found: ImcValidation) -> str:
    """Return median and worst error of the general macro by measure, as Markdown."""
    header = ("measure", *(f"{gates}: median, worst" for gates in GENERAL))
    tables = {gates: found.errors(gates) for gates in GENERAL}
    rows = [
        (LABELS[measure], *(_error(tables[gates], measure) for gates in GENERAL))
        for measure in MEASURES
    ]
    return _markdown(header, rows)


def _error(table: pd.DataFrame, measure: str) -> str:
    median, worst, chip = table.loc[[measure]].to_numpy()[0]
    return f"{median:.0%}, {worst:.0%} ({chip})"


def _structure_table(table: pd.DataFrame) -> str:
    rows = []
    for chip, own in table.groupby("chip", sort=False):
        cells = []
        for row in own.to_dict("records"):
            plotted = "" if pd.isna(row["plotted"]) else f" ({row['plotted']:.2f})"
            sides = f"{row['model']:.4g} / {row['reported']:.4g}"
            cells.append(f"{sides} = {row['ratio']:.2f}{plotted}")
        rows.append((str(chip), *cells))
    return _markdown(("chip", *LABELS.values()), rows)


def _difference_rows(table: pd.DataFrame) -> str:
    lines = []
    for row, why in zip(table.to_dict("records"), _WHY, strict=True):
        ratios = " | ".join(f"{row[name]:.2f}" for name in ("code", "figure", "plotted"))
        lines.append(f"| {row['chip']} | {LABELS[row['measure']]} | {ratios} | {why} |\n")
    return "".join(lines)


def _general_table(table: pd.DataFrame, outside: pd.DataFrame) -> str:
    rows: list[tuple[str, ...]] = []
    for chip, own in table.groupby("chip", sort=False):
        cells = []
        for row in own.to_dict("records"):
            ratios = [f"{row[gates]:.2f}" for gates in GENERAL]
            known = not pd.isna(row["reported"])
            cells.append(f"{row['reported']:.4g}: {', '.join(ratios)}" if known else "-")
        rows.append((str(chip), *cells))
    for name, values in outside.iterrows():
        rows.append((str(name), *("-" if pd.isna(x) else f"{x:.4g}: outside" for x in values)))
    return _markdown(("chip (reported: ratios)", *LABELS.values()), rows)


def _trend_table(table: pd.DataFrame) -> str:
    rows = []
    for row in table.to_dict("records"):
        changes = (
            "-" if pd.isna(row[f"{what}_reported"])
            else f"{row[f'{what}_reported']:.3g}, {row[f'{what}_model']:.3g}"
            for what in ("clock", "energy")
        )  # fmt: skip
        rows.append((str(row["chip"]), str(row["condition"]), *changes))
    return _markdown(("chip", "condition", "clock: reported, model", "energy: same"), rows)


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table."""
    ruler = "|" + "---|" * len(header)
    lines = [f"| {' | '.join(row)} |" for row in (header, *rows)]
    return "\n".join((lines[0], ruler, *lines[1:], ""))
