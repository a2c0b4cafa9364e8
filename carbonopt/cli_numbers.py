"""Numbers on the command line."""

from __future__ import annotations

import argparse


def count(text: str) -> int:
    """Read a whole number of at least one."""
    number = natural(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"got {text}, allowed: a whole number >= 1")
    return number


def share(text: str) -> float:
    """Read a share."""
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0.0 <= share < 1.0:
        raise argparse.ArgumentTypeError(f"got {text}, allowed: a number from 0 to below 1")
    return share


def natural(text: str) -> int:
    """Read a whole number of at least zero."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"got {text}, allowed: a whole number >= 0")
    return int(text)
