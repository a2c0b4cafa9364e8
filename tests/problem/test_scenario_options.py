"""Keys of a scenario as options of a command: onto which preset, and every fault at once."""

import pytest

from carbonopt.carbon.presets import load_preset
from carbonopt.errors import SpecError
from carbonopt.problem.scenario import preset_of_options


def test_what_is_not_given_stays_the_runs_own():
    own = load_preset("default").with_values(use_g_per_kwh=25.0, package_g=0.0)
    found = preset_of_options({"lifetime": "5 y", "dies": "4"}, own)
    assert found == own.with_values(lifetime_s=5 * 365.25 * 86400, dies=4)
    assert preset_of_options({}, own) == own
    assert preset_of_options({"preset": "act"}, own) == load_preset("act")


def test_faults_of_form_and_of_meaning_are_told_together():
    options = {"lifetime": "0y", "region": "Tiwan", "package": "", "memory": "lpddr5"}
    with pytest.raises(SpecError) as caught:
        preset_of_options(options)
    assert sorted(fault.partition(":")[0] for fault in caught.value.faults) == [
        *("--lifetime", "--package", "--region")
    ]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"stacking": "stacked"}, "--stacking: got stacked, which one die does not use"),
        ({"volume": "3"}, "--volume: got 3.0, which nothing shares without a design"),
        ({"region": "France", "use_intensity": "9 g/kWh"}, "--region: got France beside an inten"),
        (
            {"carrier": "rdl"},
            "--carrier: got rdl, which one die does not use, allowed: beside dies",
        ),
        ({"design": "1 t"}, "--design: got 1000000.0 without a volume, allowed: beside a volume"),
        ({"package_area": "2"}, "--package-area: got 2.0, which a package by number does not use"),
        ({"memory": "BarraCuda"}, "--memory: got BarraCuda, allowed: ddr3_30nm"),
        ({"memory": "hbm3e", "memory_yield": "0.9"}, "--memory-yield: got 0.9, but the figure of"),
        ({"season": "JJA"}, "--season: got JJA without a profile"),
        ({"utilisation": "0"}, "--utilisation: got 0, allowed: > 0"),
        ({"decarbonisation": "1"}, "--decarbonisation: got 1, allowed: less than 1"),
    ],
)
def test_an_option_that_does_nothing_or_cannot_be_is_a_fault(options, told):
    with pytest.raises(SpecError) as caught:
        preset_of_options(options)
    assert len(caught.value.faults) == 1
    assert str(caught.value).startswith(told)
