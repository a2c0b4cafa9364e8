"""Disks that fill up, directories that cannot be written, damaged files: told, and nothing lost."""

from __future__ import annotations

import errno
import itertools
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import toy

import carbonopt as co
from carbonopt.errors import StoreError

ROOT = Path(__file__).parents[2]
RESULTS = ("front.csv", "evaluations.csv")
RUN = {"searcher": "nsga2", "budget": 24, "seed": 2}


class FullDisk:
    """A file that takes half of what is written, and no more."""

    def __init__(self, handle) -> None:
        self.handle = handle

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.handle.close()

    def write(self, content) -> None:
        self.handle.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def fill_at(monkeypatch, place: int) -> None:
    """Let the disk be full from the given write on."""
    written, opened = itertools.count(), Path.open

    def open_file(self, mode="r", *arguments, **options):
        handle = opened(self, mode, *arguments, **options)
        is_write = mode in ("wb", "ab")
        return FullDisk(handle) if is_write and next(written) >= place else handle

    monkeypatch.setattr(Path, "open", open_file)


def results(directory: Path) -> list[bytes]:
    return [(directory / name).read_bytes() for name in RESULTS]


def rows(directory: Path) -> set[str]:
    file = directory / "evaluations.csv"
    return set(file.read_text().split("\n")[1:-1]) if file.exists() else set()


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    directory = tmp_path_factory.mktemp("straight")
    co.search(toy.small(), **RUN, run_dir=directory)
    return directory


@pytest.fixture
def half(tmp_path):
    """A run that was stopped after two batches."""

    def stop(state):
        if state.generation == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        co.search(toy.small(), **RUN, run_dir=tmp_path / "half", progress=stop)
    return tmp_path / "half"


def test_a_disk_that_fills_up_at_any_write_costs_nothing(tmp_path, monkeypatch, straight):
    for place in itertools.count():
        directory = tmp_path / str(place)
        with monkeypatch.context() as patch:
            fill_at(patch, place)
            try:
                co.search(toy.small(), **RUN, run_dir=directory)
                break
            except StoreError as error:
                told = str(error)
        assert told.startswith(
            f"{directory}: cannot be written (No space left on device); what was"
        )
        assert told.endswith("is kept: make room, then go on with carbonopt resume")
        before = rows(directory)
        assert not list(directory.glob("*.tmp"))
        co.search(toy.small(), **RUN, run_dir=directory)
        assert results(directory) == results(straight)
        assert before <= rows(directory)
    assert place > 10


def test_a_disk_that_fails_while_it_is_waited_for_is_told(tmp_path, monkeypatch, straight):
    def fail(descriptor):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(StoreError, match=r"cannot be written \(Input/output error\)"):
            co.search(toy.small(), **RUN, run_dir=tmp_path / "run")
    co.search(toy.small(), **RUN, run_dir=tmp_path / "run")
    assert results(tmp_path / "run") == results(straight)


def test_a_read_only_directory_is_told_and_a_finished_run_in_it_is_read(
    monkeypatch, half, straight
):
    opened = Path.open

    def open_file(self, mode="r", *arguments, **options):
        if mode != "r" and mode != "rb":
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(self))
        return opened(self, mode, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", open_file)
        with pytest.raises(StoreError) as caught:
            co.resume(half, problem=toy.small())
        assert len(co.resume(straight, problem=toy.small())) > 0
    told = "cannot be written (Read-only file system), allowed: a directory of your own"
    assert str(caught.value) == f"{half}: {told}"
    co.resume(half, problem=toy.small())
    assert results(half) == results(straight)


def test_a_damaged_checkpoint_is_told_and_deleting_it_costs_nothing(half, straight):
    file = half / "checkpoint.pkl"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(
        StoreError, match=r"checkpoint.pkl: got a damaged checkpoint, allowed: .*; d"
    ):
        co.resume(half, problem=toy.small())
    file.unlink()
    co.resume(half, problem=toy.small())
    assert results(half) == results(straight)


@pytest.mark.parametrize("damage", ["short", "zeros", "text"])
def test_a_damaged_last_line_is_told_and_deleting_it_costs_nothing(half, straight, damage):
    file = half / "evaluations.csv"
    *sound, last = file.read_text().splitlines(keepends=True)
    fields = last.split(",")
    broken = {
        "short": last[: len(last) // 2] + "\n",
        "zeros": "\0" * len(last) + "\n",
        "text": ",".join([*fields[:6], "1.0e-", *fields[7:]]),
    }
    file.write_text("".join([*sound, broken[damage]]))
    with pytest.raises(StoreError) as caught:
        co.resume(half, problem=toy.small())
    assert str(caught.value).startswith(f"{file}:{len(sound) + 1}: got ")
    assert "delete damaged lines, and resume evaluates their designs again" in str(caught.value)
    file.write_text("".join(sound))
    co.resume(half, problem=toy.small())
    assert results(half) == results(straight)


def test_a_lost_manifest_is_told_and_putting_it_back_costs_nothing(half, straight):
    manifest = (half / "manifest.json").read_bytes()
    (half / "manifest.json").unlink()
    for begin in (
        lambda: co.resume(half, problem=toy.small()),
        lambda: co.search(toy.small(), **RUN, run_dir=half),
        lambda: co.load_run(half),
    ):
        with pytest.raises(
            StoreError, match=r"half: got evaluations.csv without its manifest.json"
        ):
            begin()
    (half / "manifest.json").write_bytes(manifest)
    co.resume(half, problem=toy.small())
    assert results(half) == results(straight)


PROBLEM = """\
name: little
question: Which small array is best?
workloads: [ds_cnn]
variables:
  template: {choice: [dimc]}
  rows: {pow2: [32, 64]}
  cols: {pow2: [32, 64]}
  sram_byte: {choice: [64 KiB, 256 KiB]}
objectives: [latency_s, carbon_pa_g]
"""


def limited() -> None:
    """Allow no file of more than 6 kB: the kernel refuses the rest."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))


@pytest.mark.slow
def test_the_command_line_tells_a_full_disk_and_goes_on_after_it(tmp_path):
    (tmp_path / "problem.yaml").write_text(PROBLEM)
    (tmp_path / "study.yaml").write_text("name: s\nproblem: problem.yaml\nbudget: 8\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    options = {"cwd": tmp_path, "env": environment, "text": True, "capture_output": True}
    command = [sys.executable, "-m", "carbonopt"]
    start = [*command, "run", "study.yaml", "--workers", "1", "--out", "run"]
    told = subprocess.run(start, preexec_fn=limited, check=False, **options)
    assert told.returncode == 2
    last = told.stderr.splitlines()[-1]
    assert last.startswith("carbonopt: run: cannot be written (File too large); what was evaluated")
    kept = rows(tmp_path / "run")
    done = subprocess.run([*command, "resume", "run", "--workers", "1"], check=False, **options)
    assert done.returncode == 0
    assert len(kept) < len(rows(tmp_path / "run")) == 8
