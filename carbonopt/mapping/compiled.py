"""Whether compiled functions are at hand, or have to be compiled first, which takes a minute."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def is_compiled(kernel: Any) -> bool:  # noqa: ANN401  numba's functions have no type
    """Whether a function was compiled and kept since its file was written.

    Parameters
    ----------
    kernel
        Function of numba with ``cache=True``; one that runs as plain Python needs no compiling.

    Examples
    --------
    >>> is_compiled(len)
    True
    """
    if not hasattr(kernel, "stats"):
        return True
    source = Path(kernel.py_func.__code__.co_filename)
    kept = Path(kernel.stats.cache_path).glob(f"{source.stem}.{kernel.__name__}-*.nbi")
    return any(index.stat().st_mtime >= source.stat().st_mtime for index in kept)
