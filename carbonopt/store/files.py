"""Files that a kill leaves whole, and locks that a kill releases."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from carbonopt.errors import BusyError, StoreError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_TRIES, _PAUSE_S = 5, 0.02
"""How often, and after how long, a lock is asked for that somebody only looked at."""


def replace(file: Path, content: bytes) -> None:
    """Write a file as a whole: a kill leaves the old one or the new one.

    Raises
    ------
    StoreError
        The directory cannot be written, or is full; the old file is left.
    """
    temporary = file.with_name(file.name + ".tmp")
    try:
        with temporary.open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(file)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise unwritable(file.parent, error) from error


def add(file: Path, text: str) -> None:
    """Add lines to a file, at once.

    Raises
    ------
    StoreError
        The directory cannot be written, or is full; a line may have been cut short.
    """
    try:
        with file.open("ab") as handle:
            handle.write(text.encode())
    except OSError as error:
        raise unwritable(file.parent, error) from error


def sync(file: Path) -> None:
    """Wait until a file is on the disk, where there is one.

    Raises
    ------
    StoreError
        The disk is full, or fails.
    """
    if not file.exists():
        return
    try:
        with file.open("rb+") as handle:
            os.fsync(handle.fileno())
    except OSError as error:
        raise unwritable(file.parent, error) from error


@contextmanager
def locked(file: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold a lock file; the operating system releases it when the process ends, however it ends.

    Parameters
    ----------
    file
        The lock file; made where there is none.
    wait
        Whether to wait for another process, however long it takes.

    Raises
    ------
    BusyError
        Another process holds it.
    StoreError
        It cannot be written.
    """
    try:
        handle = file.open("w")
    except OSError as error:
        raise unwritable(file.parent, error) from error
    with handle:
        for tries_left in reversed(range(_TRIES)):
            if _lock(handle, wait=wait):
                break
            if not tries_left:
                raise BusyError(f"{file.parent}: another process is running this run")
            time.sleep(_PAUSE_S)
        yield


def is_locked(file: Path) -> bool:
    """Whether a process holds a lock file."""
    try:
        with file.open() as handle:
            return not _lock(handle, wait=False)
    except OSError:
        return False


def unwritable(path: Path, error: OSError) -> StoreError:
    """Say that a directory cannot be written, and what to do."""
    if isinstance(error, StoreError):
        return error
    reason = error.strerror or str(error)
    advice = ", allowed: a directory of your own"
    if error.errno in _FULL:
        advice = "; what was evaluated is kept: make room, then go on with carbonopt resume"
    return StoreError(f"{path}: cannot be written ({reason}){advice}")


def _lock(handle: IO[str], *, wait: bool) -> bool:
    """Lock an open file, False where another process has it; without locks on Windows."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True
