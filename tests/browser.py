"""A headless Chromium: the page as a reader sees it, as its final markup or as a picture."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
_LIMIT_S = 180


def markup(address: str, *, settle_ms: int = 20_000, size: str = "1400,1000") -> str:
    """Open a page, let its scripts run for so long, and return what it has become."""
    return _open(address, ["--dump-dom"], settle_ms, size)


def picture(address: str, file: Path, *, settle_ms: int = 20_000, size: str = "1400,1000") -> None:
    """Open a page and write what it looks like as PNG."""
    _open(address, [f"--screenshot={file}"], settle_ms, size)


def _open(address: str, what: list[str], settle_ms: int, size: str) -> str:
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory() as profile:
        command = [
            *(CHROMIUM, *_FLAGS, *what, f"--user-data-dir={profile}", f"--window-size={size}"),
            *(f"--virtual-time-budget={settle_ms}", address),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S, check=True)
    return done.stdout
