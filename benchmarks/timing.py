"""CPU seconds of this process alone, which other work on the machine changes least."""

from __future__ import annotations

import time
from collections.abc import Callable


def cpu_s(action: Callable[[], object]) -> float:
    """CPU time of an action [s]."""
    start = time.process_time()
    action()
    return time.process_time() - start


def least_cpu_s(action: Callable[[], object], repeats: int) -> float:
    """Least CPU time of some repeats of an action [s]."""
    return min(cpu_s(action) for _ in range(repeats))
