"""Memory by name: what it costs, which yield applies to it, which kinds a device can have."""

from __future__ import annotations

import pytest

from carbonopt.carbon.deployment import deployed_preset
from carbonopt.carbon.memory import find_memory, memory_g, memory_names
from carbonopt.carbon.presets import load_preset
from carbonopt.data.tables import load_table
from carbonopt.errors import ModelRangeError, SpecError


@pytest.mark.parametrize("preset", ["act", "carbonspot", "default"])
@pytest.mark.parametrize(
    ("name", "g_per_gb"),
    [("lpddr4", 48 / 0.875), ("ddr4_10nm", 65 / 0.875), ("hbm3e", 240.0), ("server_dimm", 950.0)],
)
def test_a_yield_is_applied_once_and_only_to_figures_before_it(preset, name, g_per_gb):
    made = deployed_preset(preset, memory=name)
    for activity in ("CA", "PA"):
        assert made.dram_g_per_gb(activity) == pytest.approx(g_per_gb, rel=1e-15)


def test_the_memory_of_a_preset_is_the_one_of_its_table():
    # ACT's LPDDR4 before yield; the default's LPDDR5 of good memory
    assert load_preset("act").dram_g_per_gb("CA") == pytest.approx(48 / 0.875)
    assert load_preset("default").dram_g_per_gb("PA") == 290.0
    assert deployed_preset("default", memory="lpddr5") == load_preset("default")
    assert deployed_preset("act", memory="lpddr4") == load_preset("act")


def test_a_yield_of_the_user():
    made = deployed_preset(memory="lpddr4", memory_yield=0.96)
    assert made.dram_g_per_gb("CA") == 50.0
    # another memory before yield keeps it, one of good memory drops it
    assert deployed_preset(made, memory="ddr4_10nm").dram_g_per_gb("CA") == 65 / 0.96
    assert deployed_preset(made, memory="hbm3e").dram_g_per_gb("CA") == 240.0
    with pytest.raises(
        SpecError, match=r"memory_yield: got 0\.9, but the figure of hbm3e is of good"
    ):
        deployed_preset(memory="hbm3e", memory_yield=0.9)


@pytest.mark.parametrize("name", ["BarraCuda", "Exos7e8", "nand_10nm"])
def test_a_disk_is_no_dram(name):
    kind = find_memory(name).kind
    with pytest.raises(
        SpecError, match=f"memory: got '{name}', which is {kind}, allowed: ddr3_30nm"
    ):
        deployed_preset(memory=name)


def test_kinds_of_the_table():
    assert len(memory_names("dram")) == 16
    assert set(memory_names()) == {n for k in ("dram", "ssd", "hdd") for n in memory_names(k)}
    assert set(load_table("memory_carbon.csv")["basis"]) == {"before yield", "good memory"}
    # every figure of ACT is before yield, as its own code divides each of them
    table = load_table("memory_carbon.csv")
    act = table["source"].str.startswith("ACT v2 (facebookresearch")
    assert (table["basis"] == "before yield").equals(act)


@pytest.mark.parametrize("values", [(1.0, 10.0, 0.0), (1.0, 10.0, 1.5), (1.0, -1.0, 1.0)])
def test_a_yield_or_figure_that_cannot_be_is_refused(values):
    with pytest.raises(ModelRangeError, match=r"(memory_yield|g_per_gb): got .*, allowed: "):
        memory_g(*values)
