"""Run directories: created once, appended to, read back."""

from carbonopt.store.files import replace
from carbonopt.store.run_store import (
    CHECKPOINT,
    EVALUATIONS,
    FRONT,
    HISTORY,
    MANIFEST,
    PROBLEM,
    REFERENCE_FRONT,
    RunStore,
)
from carbonopt.store.tables import read_rows, read_table, table_bytes

__all__ = [
    "CHECKPOINT",
    "EVALUATIONS",
    "FRONT",
    "HISTORY",
    "MANIFEST",
    "PROBLEM",
    "REFERENCE_FRONT",
    "RunStore",
    "read_rows",
    "read_table",
    "replace",
    "table_bytes",
]
