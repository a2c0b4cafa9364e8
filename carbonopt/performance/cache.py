"""Arrays on disk by what they depend on, shared between processes and runs.

A file holds its own checksum and is put in place by renaming, so that readers see a whole file
or none, whoever else writes or dies meanwhile; whatever else they find is as good as no file. The
name covers the source of the models, so that no file outlives a change of these.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import os
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Set
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from carbonopt.arrays import Floats

Arrays = dict[str, Floats]
FOLDER, SWITCH = "CARBONOPT_CACHE_DIR", "CARBONOPT_CACHE"
"""Environment variables: where the files are; `off` for none at all."""
MOST_BYTE = 2**28
"""Size that the files may have together; beyond it those unused for longest go."""
_DIGEST = hashlib.sha256().digest_size
_MODELS = ("hardware", "mapping", "performance", "data", "workload")


def cache_folder() -> Path | None:
    """Return the folder of the cache, the user's own by the platform's convention; None if off."""
    if os.environ.get(SWITCH, "").lower() == "off":
        return None
    if FOLDER in os.environ:
        return Path(os.environ[FOLDER])
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local"), "carbonopt")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "carbonopt"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "carbonopt")


def key_of(*parts: object) -> str:
    """Return a name for what some values say, the same in every process.

    Examples
    --------
    >>> key_of({"a": 1.5}, frozenset("xy")) == key_of({"a": 1.5}, frozenset("yx"))
    True
    """
    text = repr([_plain(part) for part in parts])
    return hashlib.sha256(f"{_models()} {text}".encode()).hexdigest()


def _plain(value: object) -> object:
    """Return a value without anything whose text depends on addresses or on hashing."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return [type(value).__name__, _plain(fields)]
    if isinstance(value, Mapping):
        return [[_plain(key), _plain(each)] for key, each in value.items()]
    if isinstance(value, Set):
        return sorted(map(repr, map(_plain, value)))
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"cannot be part of a name: {value!r}")


@cache
def _models() -> str:
    """Return a digest of the models' source and data."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for folder in _MODELS:
        for path in sorted((package / folder).iterdir()):
            if path.suffix in (".py", ".csv"):
                digest.update(path.read_bytes())
    return digest.hexdigest()


def cached(key: str, compute: Callable[[], Arrays]) -> Arrays:
    """Return arrays by their name, from disk where they are, else computed and kept there."""
    folder = cache_folder()
    if folder is None:
        return compute()
    path = folder / f"{key}.arrays"
    found = _read(path)
    if found is None:
        found = compute()
        with contextlib.suppress(OSError):
            _write(path, found)
            _drop_oldest(folder)
    return found


def _read(path: Path) -> Arrays | None:
    """Return what a file holds; None if there is none, or not as it was written."""
    try:
        content = path.read_bytes()
        if hashlib.sha256(content[_DIGEST:]).digest() != content[:_DIGEST]:
            return None
        with np.load(io.BytesIO(content[_DIGEST:]), allow_pickle=False) as arrays:
            found = dict(arrays)
    except (OSError, ValueError, zipfile.BadZipFile):
        return None
    with contextlib.suppress(OSError):
        os.utime(path)
    return found


def _write(path: Path, arrays: Mapping[str, Any]) -> None:
    """Put a file in place as a whole."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    content = buffer.getvalue()
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(content).digest() + content)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _drop_oldest(folder: Path) -> None:
    """Delete the files unused for longest, leftovers of crashes among them, beyond the limit."""
    files = []
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            about = path.stat()
            files.append((about.st_mtime_ns, about.st_size, path))
    excess = sum(size for _, size, _ in files) - MOST_BYTE
    for _, size, path in sorted(files):
        if excess <= 0:
            return
        with contextlib.suppress(OSError):
            path.unlink()
            excess -= size
