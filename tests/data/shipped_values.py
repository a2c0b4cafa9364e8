"""Every number of every shipped table, one per line; run this file to write the golden copy.

python tests/data/shipped_values.py
"""

from __future__ import annotations

import csv
from pathlib import Path

from carbonopt.data.tables import FOLDER, NOT_GIVEN

GOLDEN = Path(__file__).parents[1] / "reference" / "shipped_values.csv"
TEXTS = (
    "source",
    "locator",
    "licence",
    "note",
    "unit",
    "description",
    "basis",
    "aliases",
    "iso3",
    "range",
)
NAMES = ("year", "node_nm", "rows")


def shipped_values() -> dict[str, str]:
    """``table: row: column`` to the text that stands there, in the order of the tables."""
    values: dict[str, str] = {}
    for file in sorted(FOLDER.glob("*.csv")):
        with file.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        numbers = [column for column in rows[0] if _is_number(row[column] for row in rows)]
        if "key" not in rows[0]:
            numbers = [column for column in numbers if column not in NAMES]
        names = [column for column in rows[0] if column not in (*numbers, *TEXTS)]
        keys = ["/".join(row[name] for name in names) for row in rows]
        unique = len(set(keys)) == len(keys)
        for i, row in enumerate(rows):
            key = keys[i] if unique else f"{keys[i]}/row {i + 1}"
            values |= {f"{file.name}: {key}: {column}": row[column] for column in numbers}
    return values


def _is_number(texts) -> bool:
    filled = [text for text in texts if text and text != NOT_GIVEN]
    try:
        return bool(filled) and all(float(text) is not None for text in filled)
    except ValueError:
        return False


def read_golden() -> dict[str, str]:
    with GOLDEN.open(newline="", encoding="utf-8") as stream:
        return {row["place"]: row["value"] for row in csv.DictReader(stream)}


if __name__ == "__main__":
    with GOLDEN.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("place", "value"))
        writer.writerows(shipped_values().items())
