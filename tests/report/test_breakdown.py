from __future__ import annotations

import pytest

from carbonopt.report.breakdown import plot_breakdown
from carbonopt.report.table import telling_designs


@pytest.fixture(scope="module")
def figure(front):
    return plot_breakdown(front)


def test_one_panel_per_metric_one_bar_per_design(figure, front):
    designs = len(telling_designs(front))
    assert len(figure.axes) == 4
    for axes in figure.axes:
        assert len(axes.get_xticks()) == designs


def test_bars_stack_up_to_the_total(figure, front):
    energy = figure.axes[0]
    assert energy.get_ylabel() == "energy [µJ]"
    tops = [
        max(bar.get_y() + bar.get_height() for bar in group)
        for group in zip(*energy.containers, strict=True)
    ]
    assert tops == pytest.approx(telling_designs(front)["energy_j"].to_numpy() * 1e6)


def test_totals_far_apart_are_drawn_as_shares(figure):
    latency = figure.axes[1]
    assert latency.get_ylabel() == "latency [% of its total]"
    tops = [
        max(bar.get_y() + bar.get_height() for bar in group)
        for group in zip(*latency.containers, strict=True)
    ]
    assert tops == pytest.approx([100.0] * len(tops))


def test_the_caption_says_which_design_is_which(figure):
    caption = figure.get_supxlabel()
    assert caption.splitlines()[0] == (
        "A  lowest carbon CA: digital_os, rows 1024, cols 256, sram 128 KiB"
    )
