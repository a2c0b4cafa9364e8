from __future__ import annotations

import numpy as np
import pytest

from carbonopt.carbon.presets import load_preset
from carbonopt.carbon.task import Deployment
from carbonopt.front.pricing import Scenario
from carbonopt.report.breakdown import plot_breakdown
from carbonopt.report.scenario_map import plot_scenario_map

DEPLOYMENTS = [Deployment("resnet8", 2**20, 0.04)]


def panels(figure) -> list:
    return [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]


@pytest.mark.parametrize(("period", "count"), [(0.04, 2), (None, 1)])
def test_a_panel_per_activity_whose_winners_are_named(front, period, count):
    deployments = [Deployment("resnet8", 2**20, period)]
    figure = plot_scenario_map(front, deployments, Scenario("CA", load_preset("default")))
    shown = panels(figure)
    assert [panel.get_title(loc="left")[:2] for panel in shown] == ["CA", "PA"][:count]
    for panel in shown:
        assert (panel.get_xscale(), panel.get_yscale()) == ("log", "log")
        assert panel.get_xlabel().endswith("[g/kWh]")
    caption = figure.get_supxlabel()
    assert caption.startswith("A  ")
    assert "CA " in caption.splitlines()[0]


def test_letters_of_the_caption_stand_in_the_map(front):
    figure = plot_scenario_map(front, DEPLOYMENTS, Scenario("PA", load_preset("default")))
    letters = {text.get_text() for panel in panels(figure) for text in panel.texts}
    named = {line[0] for line in figure.get_supxlabel().splitlines()}
    assert letters
    assert letters <= named


def test_designs_without_templates_share_one_colour(front):
    from dataclasses import replace

    bare = replace(
        front,
        evaluations=front.evaluations.drop(columns="template"),
        variables=front.variables[1:],
    )
    figure = plot_scenario_map(bare, DEPLOYMENTS, Scenario("CA", load_preset("default")))
    labels = {text.get_text() for legend in figure.legends for text in legend.get_texts()}
    assert labels == {"this scenario", "design"}


def test_parts_that_no_design_has_are_not_drawn(front):
    from dataclasses import replace

    charged = front.evaluations.assign(**{"carbon_ca_g.board": 0.0})
    figure = plot_breakdown(replace(front, evaluations=charged))
    names = {text.get_text() for axes in figure.axes for text in axes.get_legend().get_texts()}
    assert "board" not in names
    assert np.all([name in names for name in ("operational", "package")])
