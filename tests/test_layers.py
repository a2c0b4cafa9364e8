"""The house rules that a reader relies on: import order, allotted libraries, sizes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "carbonopt"
MODULES = sorted(PACKAGE.rglob("*.py"))

ORDER = [
    *("errors", "arrays", "units", "data", "catalog", "spec"),
    *("workload", "hardware", "mapping", "performance", "carbon", "objectives", "evaluate"),
    *("compress",),
    *("variable", "conditions", "space", "problem", "encoding", "search", "front", "store"),
    *("run", "report", "database", "monitor", "cluster", "campaign", "progress", "cli"),
]
"""Words of the data-flow sentence: a module imports only its own word and those to its left."""

DEFERRED = {("front", "report"), ("problem", "encoding")}
"""Steps to the right that are allowed inside a function, where the name is a convenience."""

MAX_FILES = {"pymoo": 2, "optuna": 5}
ALLOTTED = {"matplotlib": "report", "onnx": "workload"}
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60


def word(path: Path) -> str:
    """The word of the sentence that a file belongs to: cli_run.py and cli.py are both cli."""
    name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return name.split("_")[0] if name.startswith("cli_") else name


def imports(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """Every imported module (dotted), and whether the import waits inside a function."""
    for node, inside in _walk(tree, inside=False):
        if isinstance(node, ast.Import):
            yield from ((alias.name, inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import"
            if node.module == "carbonopt":
                yield from ((f"carbonopt.{alias.name}", inside) for alias in node.names)
            else:
                yield str(node.module), inside


def _walk(node: ast.AST, *, inside: bool) -> Iterator[tuple[ast.AST, bool]]:
    yield node, inside
    inside = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, inside=inside)


def libraries(path: Path) -> set[str]:
    """Top-level packages that a file imports."""
    return {name.split(".")[0] for name, _ in imports(ast.parse(path.read_text()))}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_only_what_stands_to_the_left(path):
    own = word(path)
    if own in ("__init__", "__main__"):
        return
    assert own in ORDER, f"{own} has no place in the data-flow sentence: give it one in ORDER"
    for name, inside in imports(ast.parse(path.read_text())):
        root, _, rest = name.partition(".")
        other = rest.split(".")[0]
        other = "cli" if other.startswith("cli_") else other
        if root != "carbonopt" or (inside and (own, other) in DEFERRED):
            continue
        assert other in ORDER, f"imports {name}, which has no place in the sentence"
        assert ORDER.index(other) <= ORDER.index(own), f"{own} imports {name}, to its right"


@pytest.mark.parametrize(("library", "limit"), MAX_FILES.items())
def test_search_libraries_stay_in_few_files(library, limit):
    users = [str(path.relative_to(PACKAGE)) for path in MODULES if library in libraries(path)]
    assert len(users) <= limit, f"{library} is imported in {users}, allowed: {limit} files"


@pytest.mark.parametrize(("library", "home"), ALLOTTED.items())
def test_library_stays_in_its_folder(library, home):
    users = [path for path in MODULES if library in libraries(path)]
    strays = [str(path.relative_to(PACKAGE)) for path in users if word(path) != home]
    assert not strays, f"{library} belongs under {home}/, but is imported in {strays}"


def test_files_and_functions_fit_a_reader():
    too_long = []
    for path in MODULES:
        text = path.read_text()
        if text.count("\n") > MAX_FILE_LINES:
            too_long.append(f"{path.name}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                docstring = ast.get_docstring(node, clean=False) or ""
                lines = node.end_lineno - node.lineno + 1 - len(docstring.splitlines())
                if lines > MAX_FUNCTION_LINES:
                    too_long.append(f"{path.name}:{node.lineno} {node.name}: {lines} lines")
    assert not too_long
