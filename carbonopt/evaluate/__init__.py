"""From designs to their metrics."""

from carbonopt.evaluate.design import (
    Evaluation,
    evaluate_design,
    evaluate_mapped,
)
from carbonopt.evaluate.one import evaluate_one
from carbonopt.evaluate.rows import (
    Context,
    build_design,
    evaluate_row,
    period_constraints,
    row_of,
)
from carbonopt.evaluate.workload import Workload, load_workload

__all__ = [
    "Context",
    "Evaluation",
    "Workload",
    "build_design",
    "evaluate_design",
    "evaluate_mapped",
    "evaluate_one",
    "evaluate_row",
    "load_workload",
    "period_constraints",
    "row_of",
]
