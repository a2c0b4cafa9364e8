"""The figure of overlaid fronts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from carbonopt.front.compare import compare_fronts
from carbonopt.report.compare_figure import plot_comparison


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_fronts_are_drawn_over_each_other(front, tmp_path, ending):
    half = replace(front, evaluations=front.evaluations.head(100))
    found = compare_fronts({"all": front, "half": half}, front.metrics, None, ["half is a half"])
    file = plot_comparison(found, tmp_path / "figures" / f"both.{ending}")
    assert file.stat().st_size > 10_000
    if ending == "svg":
        assert file.read_text().count('<g id="axes_') == 4
        assert "half is a half" in file.read_text()


def test_a_single_objective_is_drawn_too(make_front, tmp_path):
    single = make_front(("energy_j",))
    found = compare_fronts({"a": single, "b": single}, single.metrics, None)
    assert plot_comparison(found, tmp_path / "one.png").exists()
