"""Files that a reader asked for: whole or not at all, in folders made on the way."""

from __future__ import annotations

from pathlib import Path

from carbonopt.errors import SpecError
from carbonopt.store import replace


def write_file(path: str | Path, content: bytes) -> Path:
    """Write a file as a whole and return its path.

    Raises
    ------
    SpecError
        It is a directory.
    StoreError
        It cannot be written.
    """
    file = Path(path)
    if file.is_dir():
        raise SpecError(f"{file}: got a directory, allowed: a file to write")
    file.parent.mkdir(parents=True, exist_ok=True)
    replace(file, content)
    return file
