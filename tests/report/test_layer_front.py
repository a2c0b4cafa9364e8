"""The figure of a layer's front: every point in its place, the best product marked."""

from __future__ import annotations

import numpy as np
import pytest

from carbonopt.performance.explain import LayerPoint
from carbonopt.report.layer_front import best_product, plot_layer_front
from carbonopt.report.style import save


def point(energy_j, latency_s, *, rows=2.0, busy=0.5):
    """A mapping that costs so much."""
    dimensions = ({"dimension": "cols", "loops": {}}, {"dimension": "rows", "loops": {"C": rows}})
    told = {
        "layer": "conv1", "machine": "made_up", "model": "default", "macs": 1000,
        "loops": {"K": 10, "C": 100, "B": 1},
        "utilisation": {"array": 1.0, "with_waiting": busy},
        "in_parallel": dimensions,
    }  # fmt: skip
    return LayerPoint(energy_j, latency_s, told)


POINTS = [point(8e-6, 1e-3, rows=4), point(3e-6, 2e-3, busy=0.25), point(2e-6, 5e-3, rows=4)]


def test_points_stand_at_energy_and_latency_with_units():
    upper, lower = plot_layer_front(POINTS).axes
    assert (upper.get_ylabel(), lower.get_xlabel()) == ("energy [µJ]", "latency [ms]")
    drawn = {each.get_label(): each.get_offsets().tolist() for each in upper.collections}
    assert drawn["cols - | rows C4"] == [pytest.approx([1, 8]), pytest.approx([5, 2])]
    assert drawn["cols - | rows C2"] == [pytest.approx([2, 3])]
    assert drawn["least energy x latency: 3 µJ, 2 ms"] == [pytest.approx([2, 3])]
    assert best_product(POINTS) == 1
    busy = lower.lines[-1]
    assert busy.get_ydata().tolist() == [50, 25, 50]
    assert (upper.get_xscale(), upper.get_yscale()) == ("log", "log")


def test_the_dotted_curve_keeps_the_best_product_below_every_point():
    upper, _ = plot_layer_front(POINTS).axes
    curve = upper.lines[-1]
    assert np.asarray(curve.get_xdata()) * curve.get_ydata() == pytest.approx(6)


def test_what_has_no_look_of_its_own_shares_one():
    many = [point(1e-6 / i, 1e-3 * i, rows=float(i)) for i in range(1, 12)]
    upper, _ = plot_layer_front(many).axes
    labels = [each.get_label() for each in upper.collections]
    assert len(labels) == 6 + 1 + 1
    others = upper.collections[labels.index("other unrollings")]
    assert len(others.get_offsets()) == 5


def test_one_point_is_drawn_too():
    figure = plot_layer_front(POINTS[:1])
    assert "1 mapping:" in figure._supxlabel.get_text()


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_files_are_the_same_each_time(tmp_path, suffix):
    first, again = (
        save(plot_layer_front(POINTS), tmp_path / name / f"front.{suffix}") for name in "ab"
    )
    assert first.read_bytes() == again.read_bytes()
