"""How far a search is: one line that renews itself on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

from carbonopt.search.base import SearchState

BAR_WIDTH = 20
RENEW_S = 0.1
LINE_EVERY_S = 5.0
CLEAR_LINE = "\r\x1b[K"


class ProgressDisplay:
    """Show the states of a search on a stream; hand it to the search as `progress`.

    On a terminal one line renews itself. Elsewhere, in a log or a pipe, a plain line is
    written every few seconds and at the end.

    Parameters
    ----------
    stream
        Where to write, usually standard error.
    exact_hypervolume
        Hypervolume of the exact front, NaN where it is not known.
    clock
        Seconds since some moment.
    """

    def __init__(
        self,
        stream: TextIO,
        exact_hypervolume: float = math.nan,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._exact = exact_hypervolume
        self._clock = clock
        self._is_terminal = stream.isatty()
        self._next_s = -math.inf
        self._line_open = False

    def __enter__(self) -> ProgressDisplay:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __call__(self, state: SearchState) -> None:
        """Show a state, unless one was shown a moment ago and this is not the last."""
        now = self._clock()
        if now < self._next_s and not state.finished:
            return
        text = progress_text(state, self._exact)
        self._next_s = now + (RENEW_S if self._is_terminal else LINE_EVERY_S)
        if not self._is_terminal:
            self._stream.write(text + "\n")
        else:
            width = shutil.get_terminal_size().columns - 1
            bar = f"{bar_text(state.distinct, state.budget)} "
            self._stream.write(
                CLEAR_LINE + (bar + text if len(bar + text) <= width else text[:width])
            )
            self._line_open = True
        self._stream.flush()

    def close(self) -> None:
        """End the line, so that what follows starts on a new one."""
        if self._line_open:
            self._stream.write("\n")
            self._stream.flush()
            self._line_open = False


def progress_text(state: SearchState, exact_hypervolume: float) -> str:
    """Return evaluations, hypervolume, feasible share and time left of a state in one line."""
    parts = [f"{state.distinct:,}/{state.budget:,}"]
    if math.isfinite(state.hypervolume):
        known = math.isfinite(exact_hypervolume) and exact_hypervolume > 0
        share = f" ({state.hypervolume / exact_hypervolume:.1%} of exact)" if known else ""
        parts.append(f"hypervolume {state.hypervolume:.4g}{share}")
    parts.append(f"feasible {state.feasible_share:.0%}")
    if state.finished:
        parts.append(f"took {time_text(state.elapsed_s)}")
    elif state.distinct:
        left_s = state.elapsed_s / state.distinct * (state.budget - state.distinct)
        parts.append(f"{time_text(left_s)} left")
    return " | ".join(parts)


def bar_text(done: int, total: int) -> str:
    """Return a bar of twenty places.

    Examples
    --------
    >>> bar_text(5, 10)
    '[##########..........]'
    """
    filled = min(BAR_WIDTH * done // max(total, 1), BAR_WIDTH)
    return f"[{'#' * filled}{'.' * (BAR_WIDTH - filled)}]"


def time_text(seconds: float) -> str:
    """Return a duration as minutes and seconds, with hours where there are any.

    Examples
    --------
    >>> time_text(75.4), time_text(3700)
    ('1:15', '1:01:40')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
