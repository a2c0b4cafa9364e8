"""All studies in one go: each in a folder of its own, what it took and whether it failed."""

from __future__ import annotations

import importlib.util

import pytest
from study_files import NAMES, STUDIES

PROGRAM = """
import pathlib, sys
assert {beside!r} == '' or (pathlib.Path(sys.argv[2]).parent / {beside!r} / 'done').is_file()
pathlib.Path(sys.argv[2]).mkdir()
(pathlib.Path(sys.argv[2]) / 'done').touch()
print('answer')
sys.exit({status})
"""


@pytest.fixture
def all_studies():
    """The program that runs all studies."""
    spec = importlib.util.spec_from_file_location("all_studies", STUDIES / "all.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_studies_wait_for_those_they_read_and_failures_are_told(all_studies, tmp_path):
    studies = {"performance-versus-carbon": ("carbonspot-mobile", 0), "carbonspot-mobile": ("", 0)}
    studies |= {"carbonspot-tiny": ("", 0), "odd": ("", 3)}
    for name, (beside, status) in studies.items():
        folder = tmp_path / "studies" / name
        folder.mkdir(parents=True)
        folder.joinpath("figures.py").write_text(PROGRAM.format(beside=beside, status=status))
    out = tmp_path / "out"
    found = all_studies.run_all((tmp_path / "studies").iterdir(), out)
    assert {each.program.split("/")[0]: each.status for each in found} == {
        name: status for name, (_, status) in studies.items()
    }
    assert all(each.wall_s > 0 and each.cpu_s > 0 for each in found)
    assert (out / "odd-figures.txt").read_text() == "answer\n"
    lines = all_studies.table(found, 1.0).splitlines()
    assert [line.split()[0] for line in lines[2:-1]] == [each.program for each in found]
    assert lines[2 + [each.status for each in found].index(3)].endswith("FAILED: 3")
    assert lines[-1].startswith("all ")


def test_only_studies_that_there_are_wait(all_studies):
    assert {*all_studies.AFTER, *all_studies.LONG} <= set(NAMES)
    assert all(set(first) <= set(all_studies.LONG) for first in all_studies.AFTER.values())
