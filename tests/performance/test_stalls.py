"""Waiting for ports against counting cycle by cycle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonopt.performance.stalls import _open_cycles, _port_stall

pytestmark = pytest.mark.property

WINDOWS = st.lists(
    st.tuples(st.integers(1, 24), st.integers(0, 24)).map(lambda x: (x[0], min(x))),
    min_size=1,
    max_size=4,
)


def floats(values):
    return np.array(values, dtype=float)


def open_in(cycle, windows):
    """Whether some window, the first cycles of each of its periods, is open in a cycle."""
    return any(cycle % period < window for period, window in windows)


@given(WINDOWS, st.integers(1, 5))
def test_open_cycles_of_one_longest_period_times_its_repetitions(windows, repetitions):
    period, window = floats(windows).T
    longest = int(period.max())
    counts = np.full(len(windows), float(repetitions))
    expected = repetitions * sum(open_in(cycle, windows) for cycle in range(longest))
    assert _open_cycles(period, window, counts) == expected


@st.composite
def transfers(draw):
    """Transfers through one port whose periods divide the layer's time: (need, period, window)."""
    total = draw(st.sampled_from([12, 24, 36]))
    divisors = [d for d in range(1, total + 1) if total % d == 0]
    count = draw(st.integers(1, 4))
    found = []
    for _ in range(count):
        period = draw(st.sampled_from(divisors))
        window = draw(st.sampled_from([d for d in divisors if period % d == 0]))
        found.append((draw(st.integers(1, 20)), period, window))
    return total, found


def stall(total, found):
    need, period, window = floats(found).T
    return _port_stall(need, period, window, total / period)


@given(transfers())
def test_port_stall_follows_its_definition(case):
    """SS = sum of late transfers + what the others take beyond the time their windows leave."""
    total, found = case
    counts = [total // period for _, period, _ in found]
    slack = [(n - w) * (c - 1) for (n, _, w), c in zip(found, counts, strict=True)]
    if len(found) == 1:
        assert stall(total, found) == slack[0]
        return
    allowed = [w * (c - 1) for (_, _, w), c in zip(found, counts, strict=True)]
    late = sum(s for s in slack if s > 0)
    spare = sum(s for s in slack if s <= 0)
    if any(window == period for _, period, window in found):
        union = total
    else:
        longest = max(period for _, period, _ in found)
        windows = [(period, window) for _, period, window in found]
        union = (total // longest) * sum(open_in(c, windows) for c in range(longest))
    assert stall(total, found) == late + max(0, spare + sum(allowed) - union)


@given(transfers(), st.integers(1, 10))
def test_slower_transfers_never_shorten_the_wait(case, longer):
    total, found = case
    slower = [(found[0][0] + longer, *found[0][1:]), *found[1:]]
    assert stall(total, slower) >= stall(total, found)


@given(transfers())
def test_transfers_within_their_windows_alone_do_not_wait(case):
    """One after the other, each shorter than its own window: nothing waits."""
    total, found = case
    _, period, window = found[0]
    assert stall(total, [(window, period, window)]) == 0
