"""The figure of designs in both activities: what is drawn where, what is ringed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from carbonopt.report.activities import plot_activities

DESIGNS = pd.DataFrame({
    "template": ["dimc", "aimc", "dimc", "aimc"],
    "sram_byte": [2**13, 2**13, 2**15, 2**15],
    "carbon_ca_g@resnet8": [4e-9, 3e-9, 2e-9, 1e-9],
    "carbon_pa_g@resnet8": [1e-6, 2e-6, 3e-6, np.nan],
})  # fmt: skip


def test_each_network_and_setting_has_its_panel():
    table = DESIGNS.assign(**{
        f"carbon_{activity}_g@ds_cnn": DESIGNS[f"carbon_{activity}_g@resnet8"]
        for activity in ("ca", "pa")
    })  # fmt: skip
    figure = plot_activities({"before": table, "after": table}, "both")
    assert [panel.get_title(loc="left") for panel in figure.axes] == [
        "before\nresnet8", "ds_cnn", "after\nresnet8", "ds_cnn",
    ]  # fmt: skip
    (legend,) = figure.legends
    assert {text.get_text() for text in legend.get_texts()} == {
        "aimc", "dimc", "SRAM 8 KiB", "SRAM 32 KiB", "least carbon CA", "least carbon PA",
    }  # fmt: skip


def test_the_least_are_ringed_among_those_that_are_allowed():
    (panel,) = plot_activities({"all": DESIGNS}, "one").axes
    rings = {line.get_label(): line.get_xydata().ravel().round(9).tolist() for line in panel.lines}
    assert rings == {"least carbon CA": [2.0, 3.0], "least carbon PA": [4.0, 1.0]}
    sizes = {size for cloud in panel.collections for size in cloud.get_sizes()}
    assert sizes == {6.0, 12.0}
