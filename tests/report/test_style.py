from __future__ import annotations

import matplotlib as mpl
import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

from carbonopt.report import style


def test_the_callers_settings_stay_as_they_were():
    before = mpl.rcParams.copy()
    with style.house_style():
        assert mpl.rcParams["axes.grid"]
    assert mpl.rcParams == before


def test_templates_and_parts_never_share_a_look():
    looks = style.template_looks(["aimc", "dimc", "digital_os", "digital_ws", "mine", "yours"])
    assert len(set(looks.values())) == 6
    colours = style.part_colours(["array", "sram_byte", "dram", "register", "optics", "cooling"])
    assert len(set(colours.values())) == 6


@pytest.mark.parametrize(
    ("values", "scale"),
    [([1.0, 50.0], "log"), ([1.0, 2.0], "linear"), ([0.0, 50.0], "linear"), ([np.nan], "linear")],
)
def test_an_axis_is_logarithmic_where_positive_values_span_it(values, scale):
    axes = Figure().subplots()
    style.scale_axis(axes.yaxis, np.array(values))
    assert axes.get_yscale() == scale


def test_a_long_caption_is_broken_at_the_width_of_its_figure():
    figure = Figure(figsize=(6, 4))
    words = "the runs were priced under different scenarios (period_s@resnet8 40 ms and 20 ms); "
    style.caption(figure, f"short\n{words * 4}")
    (caption,) = figure.texts if figure.texts else (figure._supxlabel,)
    assert caption.get_text().startswith("short\nthe runs")
    assert caption.get_window_extent().x1 <= figure.bbox.x1


def test_ticks_of_printed_figures_keep_their_size_where_they_are_saved(tmp_path):
    with style.printed_style():
        figure = Figure(figsize=(style.COLUMN_IN, 2.0))
        (panel,) = style.panels(figure, 1, 1).flat
    path = style.save(figure, tmp_path / "one.png")
    labels = [*panel.get_xticklabels(), *panel.get_yticklabels()]
    assert {label.get_size() for label in labels} == {style.PRINTED["font.size"]}
    assert mpl.image.imread(path).shape[1] == style.LEAST_PX
