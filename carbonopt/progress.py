"""How far a search is: one line that renews itself on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from carbonopt.search.base import SearchState

if TYPE_CHECKING:
    from carbonopt.campaign.plan import Cell
    from carbonopt.campaign.worker import Event

BAR_WIDTH = 20
RENEW_S = 0.1
LINE_EVERY_S = 5.0
CLEAR_LINE = "\r\x1b[K"


class StatusLine:
    """A line that says how far something is.

    On a terminal one line renews itself. Elsewhere, in a log or a pipe, a plain line is
    written every few seconds and at the end.

    Parameters
    ----------
    stream
        Where to write, usually standard error.
    clock
        Seconds since some moment.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._is_terminal = stream.isatty()
        self._next_s = -math.inf
        self._line_open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, bar: str, text: Callable[[], str], *, last: bool) -> None:
        """Write a bar, on a terminal with room for it, and a text; not so soon after another."""
        now = self._clock()
        if now < self._next_s and not last:
            return
        line = text()
        self._next_s = now + (RENEW_S if self._is_terminal else LINE_EVERY_S)
        if not self._is_terminal:
            self._stream.write(line + "\n")
        else:
            width = shutil.get_terminal_size().columns - 1
            both = f"{bar} {line}"
            self._stream.write(CLEAR_LINE + (both if len(both) <= width else line[:width]))
            self._line_open = True
        self._stream.flush()

    def close(self) -> None:
        """End the line, so that what follows starts on a new one."""
        if self._line_open:
            self._stream.write("\n")
            self._stream.flush()
            self._line_open = False


class ProgressDisplay(StatusLine):
    """Show the states of a search on a stream; hand it to the search as `progress`.

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
        super().__init__(stream, clock)
        self._exact = exact_hypervolume
        self._first: SearchState | None = None

    def __call__(self, state: SearchState) -> None:
        """Show a state, unless one was shown a moment ago and this is not the last."""
        first = self._first = self._first or state
        bar = bar_text(state.distinct, state.budget)
        self.write(bar, lambda: progress_text(state, self._exact, first), last=state.finished)


class CampaignDisplay(StatusLine):
    """Show how far a campaign is on a stream; hand it to the campaign as `watch`.

    Parameters
    ----------
    stream
        Where to write, usually standard error.
    sizes
        Designs of each cell that is to be run.
    clock
        Seconds since some moment.
    """

    def __init__(
        self,
        stream: TextIO,
        sizes: Mapping[Cell, int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(stream, clock)
        self._sizes = sizes
        self._designs: dict[Cell, int] = {}
        self._ended: dict[Cell, bool] = {}
        self._start_s = clock()
        self._first = 0

    def __call__(self, event: Event) -> None:
        """Show where the campaign is after an event."""
        if event.cell in self._ended:
            return
        if event.designs and event.cell not in self._designs:
            self._first += event.designs  # of an earlier leg, or nearly nothing
        self._designs[event.cell] = max(event.designs, self._designs.get(event.cell, 0))
        if event.ended:
            self._ended[event.cell] = not event.reason
            self._designs[event.cell] = self._sizes[event.cell]
        bar = bar_text(sum(self._designs.values()), sum(self._sizes.values()))
        self.write(bar, self._text, last=self._is_over)

    @property
    def _is_over(self) -> bool:
        return len(self._ended) == len(self._sizes)

    def _text(self) -> str:
        """Return cells, failures, what runs and time left in one line."""
        failed = sum(not sound for sound in self._ended.values())
        parts = [
            f"{len(self._ended)}/{len(self._sizes)} runs",
            *([f"{failed} failed"] * (failed > 0)),
        ]
        running = [cell for cell in self._designs if cell not in self._ended]
        past_s = self._clock() - self._start_s
        done = sum(self._designs.values())
        if self._is_over:
            return " | ".join([*parts, f"took {time_text(past_s)}"])
        if self._ended and done > self._first:
            left = sum(self._sizes.values()) - done
            parts.append(f"{time_text(past_s / (done - self._first) * left)} left")
        named = (f"{cell.name} {self._designs[cell]}/{self._sizes[cell]}" for cell in running)
        return " | ".join([*parts, *named])


def progress_text(state: SearchState, exact_hypervolume: float, first: SearchState) -> str:
    """Return evaluations, hypervolume, feasible share and time left of a state in one line.

    The time left follows from the designs since the first state: those before it waited for
    compilers and workers, or were evaluated by an earlier leg.
    """
    parts = [f"{state.distinct:,}/{state.budget:,}"]
    if math.isfinite(state.hypervolume):
        known = math.isfinite(exact_hypervolume) and exact_hypervolume > 0
        share = f" ({state.hypervolume / exact_hypervolume:.1%} of exact)" if known else ""
        parts.append(f"hypervolume {state.hypervolume:.4g}{share}")
    parts.append(f"feasible {state.feasible_share:.0%}")
    if state.finished:
        parts.append(f"took {time_text(state.elapsed_s)}")
    elif state.distinct > first.distinct:
        each_s = (state.elapsed_s - first.elapsed_s) / (state.distinct - first.distinct)
        left_s = each_s * (state.budget - state.distinct)
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
