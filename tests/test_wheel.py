"""The wheel alone, in an environment of its own and an empty folder, has all that is promised."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LARGEST_BYTE = 5_000_000
WITHIN = ("carbonopt/", "carbonopt-")
COMES_WITH = {
    "yaml": "pyyaml",
    "google": "onnx",
    "pydantic_core": "pydantic",
    "sqlalchemy": "optuna",
    "distributed": "dask",
}
"""Which distribution brings a module of another name."""


def said(command: list[str], folder: Path, **variables: str) -> str:
    """What a command says to standard output; it must succeed."""
    own = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        command,
        cwd=folder,
        env=own | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    said([*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT)], folder)
    (found,) = folder.glob("carbonopt-*.whl")
    return found


@pytest.fixture(scope="module")
def bin_dir(wheel, tmp_path_factory):
    """Programs of an environment with the wheel, and with what this environment has beside it."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    to = ["--python", str(home / "bin" / "python")]
    said([*pip, *to, "install", "--no-deps", str(wheel)], home)
    (packages,) = home.glob("lib/python*/site-packages")
    (packages / "beside.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home / "bin"


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_what_ships_with_it_alone(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert wheel.stat().st_size < LARGEST_BYTE
    assert [name for name in names if not name.startswith(WITHIN)] == []
    assert [name for name in names if "__pycache__" in name or "/runs/" in name] == []
    for kind in ("problems", "studies"):
        tracked = said(["git", "ls-files", kind], ROOT).splitlines()
        assert {f"carbonopt/_{name}" for name in tracked} <= set(names)


@pytest.mark.slow
def test_an_installed_wheel_has_commands_problems_and_studies(bin_dir, tmp_path):
    # kernels as plain Python: to compile them takes longer than all of this
    options = {"NUMBA_DISABLE_JIT": "1", "CARBONOPT_CACHE": "off", "MPLBACKEND": "Agg"}

    def ask(*arguments):
        return said([str(bin_dir / "carbonopt"), *arguments], tmp_path, **options)

    python = str(bin_dir / "python")
    place = said([python, "-c", "import carbonopt; print(carbonopt.__file__)"], tmp_path).strip()
    assert Path(place).is_relative_to(bin_dir.parent)
    assert ask("--version").startswith("carbonopt 0.")
    assert "mlperf_tiny" in ask("problems")
    assert "tpu_like" in ask("machines")
    design = ("--template", "digital_ws", "--set", "rows=32", "--set", "cols=32")
    found = ask("evaluate", "--workload", "autoencoder", *design, "--set", "sram=64KiB", "--json")
    assert json.loads(found)["energy_j"] > 0
    ask("run", "quickstart", "--budget", "2", "--workers", "1", "--out", "run")
    assert (tmp_path / "run" / "figures" / "front.png").is_file()
    studies = {study["name"]: study for study in json.loads(ask("studies", "--json"))}
    figures = studies["eyeriss-alexnet"]["figures"]
    assert Path(figures).is_relative_to(bin_dir.parent)
    said([python, figures, "--out", "drawn"], tmp_path, **options)
    assert (tmp_path / "drawn" / "energy.png").is_file()
    assert not list(tmp_path.glob("carbonopt*"))


def test_whatever_is_imported_is_declared():
    """So that the environment beside the wheel hides no dependency that is missing."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *(each for extra in extras.values() for each in extra)]
    declared = {re.match(r"[\w-]+", each).group() for each in asked}
    modules = {
        name.split(".")[0]
        for file in (ROOT / "carbonopt").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        for name in imported(node)
    }
    others = modules - sys.stdlib_module_names - {"carbonopt"}
    assert {COMES_WITH.get(name, name.replace("_", "-")) for name in others} <= declared


def imported(node: ast.AST) -> list[str]:
    """Modules that a statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
