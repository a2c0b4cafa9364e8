"""Studies: which problems are searched, and how."""

from __future__ import annotations

from pathlib import Path

from carbonopt.catalog import find_problem, find_study
from carbonopt.errors import SpecError
from carbonopt.search.registry import searcher_names
from carbonopt.spec.fields import Vocabulary
from carbonopt.spec.load import load_model, read_document
from carbonopt.spec.study import StudySpec


def load_study(name_or_path: str | Path) -> StudySpec:
    """Read a study by its name, its folder or its file.

    Returns
    -------
    StudySpec
        Its problems and ``start_from`` are paths as seen from the working directory.

    Raises
    ------
    SpecError
        With every fault of the file, and where there is no such problem.
    """
    file = find_study(name_or_path)
    _refuse_problem(file)
    study, document = load_model(file, StudySpec, Vocabulary(searchers=tuple(searcher_names())))
    found, faults = [], []
    for place, name in enumerate(study.problem):
        beside = file.parent / name
        try:
            found.append(str(find_problem(beside if beside.exists() else name)))
        except SpecError as error:
            message = str(error).removeprefix("problem: ")
            several = isinstance(document.value(("problem",)), list)
            faults.append(document.fault(("problem", place) if several else ("problem",), message))
    if faults:
        raise SpecError(faults)
    start = str(file.parent / study.start_from) if study.start_from else ""
    return study.model_copy(update={"problem": tuple(found), "start_from": start})


def _refuse_problem(file: Path) -> None:
    """Tell a problem file from a study file, which would be full of faults otherwise."""
    document = read_document(file)
    keys = document.data if isinstance(document.data, dict) else {}
    own = [key for key in ("variables", "machine") if key in keys]
    if own:
        study = f"a study, such as {{name: mine, problem: {file.name}}}"
        fault = f"got a problem, allowed: {study}, or: carbonopt enumerate {file}"
        raise SpecError(document.fault((own[0],), fault))
