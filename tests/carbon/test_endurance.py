"""Cells that wear out end a device's life, and its making weighs more on each task."""

from __future__ import annotations

import numpy as np
import pytest

from carbonopt.carbon.endurance import wear_out, worn_preset
from carbonopt.carbon.presets import load_preset
from carbonopt.carbon.scenario import carbon_pa
from carbonopt.errors import ModelRangeError
from carbonopt.hardware.nvm import load_cell

YEAR_S = 365.25 * 86400.0


def test_each_technology_reloaded_every_40_ms():
    """25 inferences a second with one rewrite each; middle of the surveyed ranges."""
    endurance = [load_cell(name).endurance for name in ("rram", "stt_mram", "pcm", "fefet")]
    wear = wear_out(3 * YEAR_S, 0.04, 1.0, endurance)
    days = wear.wear_s / 86400
    np.testing.assert_allclose(days, [1.463, 14630, 65.28, 14.63], rtol=1e-3)
    assert wear.binds.tolist() == [True, False, True, True]
    assert wear.statement() == (
        "endurance binds in 3 of 4 designs: cells are worn out after 1.46 d, of 3 y of use"
    )


def test_weights_that_stay_never_wear_the_cells():
    wear = wear_out(3 * YEAR_S, 0.04, 0.0, 1e4)
    assert not wear.binds
    assert float(wear.lifetime_s) == 3 * YEAR_S
    assert wear.statement() == "endurance does not bind"


def test_a_shorter_life_puts_more_of_the_making_on_each_task():
    preset = load_preset("default")
    wear = wear_out(preset.lifetime_s, 0.04, np.array([0.0, 1.0, 2.0]), 3.16e6)
    worn = worn_preset(preset, wear)
    design = ([1e-6] * 3, [1e-3] * 3, [4.0] * 3, [0.04] * 3, [0.0] * 3)
    plain, short = carbon_pa(*design, preset), carbon_pa(*design, worn)
    ratio = short["fab_energy"] / plain["fab_energy"]
    np.testing.assert_allclose(ratio, preset.lifetime_s / wear.lifetime_s)
    assert ratio[0] == 1.0
    assert ratio[2] == pytest.approx(2 * ratio[1])
    fab_only = ("fab_energy", "fab_gas", "fab_material", "package")
    assert all((short[part] >= plain[part]).all() for part in fab_only)
    np.testing.assert_allclose(short["operational"][0], plain["operational"][0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"endurance": 0.0}, "endurance: got 0.0, allowed: above 0"),
        ({"writes_per_task": -1.0}, "writes_per_task: got -1.0, allowed: 0 or more"),
        ({"interval_s": float("nan")}, "interval_s: got nan, allowed: above 0"),
        ({"used_s": float("inf")}, "used_s: got inf, allowed: above 0, finite"),
    ],
)
def test_bad_input(changes, message):
    given = {"used_s": 1e8, "interval_s": 0.04, "writes_per_task": 1.0, "endurance": 1e6}
    with pytest.raises(ModelRangeError) as error:
        wear_out(**(given | changes))
    assert message in str(error.value)
