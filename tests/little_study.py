"""A study of six designs, and working in a directory of its own."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from little import PROBLEM

import carbonopt.run.session
from carbonopt.cli import main

STUDY = """\
name: little-study
question: Is a small array good enough?
problem: problem.yaml
searcher: random
budget: 6
seed: 3
"""


def in_folder(place: Path, monkeypatch: pytest.MonkeyPatch, study: str = STUDY) -> Iterator[Path]:
    """Work in a folder with a problem and a study; heed signals as before then."""
    before = signal.getsignal(signal.SIGINT)
    (place / "problem.yaml").write_text(PROBLEM)
    (place / "study.yaml").write_text(study)
    monkeypatch.chdir(place)
    yield place
    signal.signal(signal.SIGINT, before)


def run(*arguments: str) -> int:
    """Run a study in this process."""
    return main([*arguments, "--workers", "1"])


def run_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the study into `early`, interrupted before its first design."""

    def interrupted(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(carbonopt.run.session.Session, "run", interrupted)
        assert run("run", "study.yaml", "--out", "early") == 130
