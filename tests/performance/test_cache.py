"""Arrays on disk: whole or absent, whoever writes, dies or fills the disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from designs import machine

from carbonopt.performance import cache
from carbonopt.performance.cache import FOLDER, SWITCH, cache_folder, cached, key_of

KEY = key_of("test")
ARRAYS = {"a": np.arange(5.0), "b": np.ones((2, 3))}
WRITER = """
import pathlib, sys
import numpy as np
from carbonopt.performance.cache import cached, key_of
for i in range({rounds}):
    found = cached(key_of("test", i % 3), lambda: {{"a": np.full(20000, float(i % 3))}})
    assert (found["a"] == i % 3).all() and len(found["a"]) == 20000
    for path in sys.argv[1:]:
        name = key_of("test", i % 3) + ".arrays"
        pathlib.Path(path, name).unlink(missing_ok=True)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER, str(tmp_path / "cache"))
    monkeypatch.delenv(SWITCH, raising=False)
    return tmp_path / "cache"


def never():
    raise AssertionError("computed again")


def same(found):
    return all((found[name] == values).all() for name, values in ARRAYS.items())


def test_is_computed_once(folder):
    assert same(cached(KEY, lambda: ARRAYS))
    assert same(cached(KEY, never))
    assert [path.suffix for path in folder.iterdir()] == [".arrays"]


def test_can_be_switched_off(folder, monkeypatch):
    monkeypatch.setenv(SWITCH, "off")
    assert cache_folder() is None
    assert same(cached(KEY, lambda: ARRAYS))
    assert not folder.exists()


def test_stands_in_the_users_cache_folder(monkeypatch, tmp_path):
    monkeypatch.delenv(FOLDER)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "carbonopt"


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "other"])
def test_a_damaged_file_is_none(folder, damage):
    cached(KEY, lambda: ARRAYS)
    path = next(folder.iterdir())
    content = path.read_bytes()
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 1
    path.write_bytes(
        {"empty": b"", "cut": content[:-40], "flipped": bytes(flipped), "other": b"x" * 999}[damage]
    )
    calls = []
    assert same(cached(KEY, lambda: calls.append(1) or ARRAYS))
    assert calls == [1]
    assert same(cached(KEY, never))


def test_a_folder_that_cannot_be_written_is_no_fault(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(FOLDER, str(tmp_path / "file" / "below"))
    assert same(cached(KEY, lambda: ARRAYS))


def test_those_unused_for_longest_go(folder, monkeypatch):
    for i in range(4):
        cached(key_of("many", i), lambda: ARRAYS)
        path = folder / f"{key_of('many', i)}.arrays"
        os.utime(path, (i, i))
    size = path.stat().st_size
    monkeypatch.setattr(cache, "MOST_BYTE", 3 * size)
    cached(key_of("many", 0), never)
    cached(key_of("many", 9), lambda: ARRAYS)
    left = {path.stem for path in folder.iterdir()}
    assert left == {key_of("many", i) for i in (0, 3, 9)}


def test_writers_at_once_leave_whole_files(folder):
    """Processes that write, read and delete the same files, two of them killed meanwhile."""

    def run(rounds, *delete):
        code = WRITER.format(rounds=rounds)
        return subprocess.Popen([sys.executable, "-c", code, *delete])

    lasting = [run(200), run(200, str(folder))]
    killed = [run(10**6, str(folder)), run(10**6, str(folder))]
    time.sleep(3)
    for process in killed:
        process.send_signal(signal.SIGKILL)
    assert [process.wait() for process in killed] == [-signal.SIGKILL] * 2
    with ThreadPoolExecutor() as pool:
        assert list(pool.map(lambda process: process.wait(), lasting)) == [0, 0]
    for i in range(3):
        found = cached(key_of("test", i), lambda i=i: {"a": np.full(20000, float(i))})
        assert (found["a"] == i).all()


def test_names_are_the_same_in_every_process():
    code = (
        "import sys; sys.path.insert(0, 'tests'); from designs import machine;"
        "from carbonopt.performance.cache import key_of; print(key_of(machine('dimc')))"
    )
    names = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        names.add(done.stdout.strip())
    assert names == {key_of(machine("dimc"))}
    assert key_of(machine("dimc", rows=64)) not in names


def test_what_has_no_plain_text_is_refused():
    with pytest.raises(TypeError, match="cannot be part of a name"):
        key_of(object())
