"""Figure of published accelerators: labels that can be read."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from carbonopt.carbon.literature import literature_carbon, load_chips, load_suites
from carbonopt.carbon.presets import load_preset
from carbonopt.report.literature import NEAR_PT, label_offsets, labelled, plot_literature


def test_labels_lie_on_no_other_point_or_label(rng):
    points = rng.uniform(0.0, 160.0, (30, 2))
    places = points + label_offsets(points)
    for i, place in enumerate(places):
        others = np.vstack([np.delete(points, i, axis=0), np.delete(places, i, axis=0)])
        assert np.linalg.norm(others - place, axis=1).min() >= NEAR_PT


def test_labels_at_one_point_still_have_places_of_their_own():
    offsets = label_offsets(np.zeros((5, 2)))
    gaps = np.linalg.norm(offsets[:, None] - offsets[None], axis=2)[~np.eye(5, dtype=bool)]
    assert gaps.min() > 5.0


@pytest.mark.parametrize("name", ["carbonspot", "default"])
def test_every_chip_of_the_figure_has_its_label(name):
    preset = load_preset(name)
    chips = load_chips()
    tables = {s.title: literature_carbon(chips, s, preset) for s in load_suites(name)}
    figure = plot_literature(tables, preset)
    top = figure.axes[0]
    shown = {text.get_text() for text in top.texts}
    assert len(shown) == len(tables["MLPerf Tiny"])


def test_no_letter_of_a_chip_looks_like_a_number():
    labels = labelled(pd.DataFrame({"number_in_paper": [0.0] * 48}))["label"]
    assert labels.is_unique
    assert labels.str.isalpha().all()
    assert not set(labels) & set("lIoO")
