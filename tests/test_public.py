"""The public names: they are few, they are there, and they cost nothing until they are used."""

import subprocess
import sys
from pathlib import Path

import carbonopt as co

ROOT = Path(__file__).parents[1]


def run(code):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    ).stdout


def test_every_public_name_is_there():
    assert all(getattr(co, name) is not None for name in co.__all__)
    assert sorted(co.__all__) == dir(co)


def test_importing_the_package_imports_nothing_heavy():
    heavy = ("numpy", "pandas", "pymoo", "optuna", "matplotlib", "numba", "onnx", "pydantic")
    code = f"import carbonopt, sys; print([m for m in {heavy} if m in sys.modules])"
    assert run(code).strip() == "[]"


def test_functions_stay_functions_when_modules_of_their_name_are_imported():
    code = (
        "import carbonopt.search.base, carbonopt.evaluate, carbonopt as co;"
        "print(callable(co.search), callable(co.evaluate))"
    )
    assert run(code).strip() == "True True"


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(co, "optimise")
