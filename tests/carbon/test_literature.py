"""Published accelerators: CarbonSpot's own figures, what `default` corrects, files of users."""

from __future__ import annotations

import numpy as np
import pytest

from carbonopt.carbon.embodied import embodied_g
from carbonopt.carbon.literature import (
    Suite,
    literature_carbon,
    load_chips,
    load_suites,
    read_chips,
)
from carbonopt.carbon.presets import load_preset
from carbonopt.carbon.wafer import charged_area_mm2
from carbonopt.errors import SpecError
from carbonopt.workload.load import deployment_facts, load_network

SUITES = {
    "mlperf_tiny": ("resnet8", "ds_cnn", "mobilenet_v1", "autoencoder"),
    "mlperf_mobile": ("mobilenet_edgetpu", "ssd_mobilenet_v2", "deeplab_v3", "mobilebert"),
}
HEADER = "name,type,node_nm,tops_per_w,tops,tops_per_mm2,source\n"


def suite(preset: str, name: str) -> Suite:
    return next(entry for entry in load_suites(preset) if entry.name == name)


@pytest.mark.reference
def test_the_preset_carbonspot_gives_the_published_figures(reference):
    expected = reference("literature_tiny.csv")
    found = literature_carbon(
        load_chips(), suite("carbonspot", "mlperf_tiny"), load_preset("carbonspot")
    )
    assert found["source"].tolist() == expected["source"].tolist()
    for name in expected.columns[1:]:
        assert found[name].to_numpy() == pytest.approx(expected[name].to_numpy(), rel=1e-12), name


def test_thirteen_chips_are_in_the_paper():
    numbers = load_chips()["number_in_paper"]
    assert sorted(numbers[numbers > 0]) == list(range(1, 14))


@pytest.mark.parametrize("name", SUITES)
def test_our_tasks_are_the_geometric_means_of_the_networks(name):
    ours = suite("default", name)
    macs = [load_network(network).macs for network in SUITES[name]]
    periods = [deployment_facts(network).period_s for network in SUITES[name]]
    assert ours.op_per_task == pytest.approx(2 * np.exp(np.mean(np.log(macs))), rel=1e-12)
    assert ours.period_s == pytest.approx(np.exp(np.mean(np.log(periods))), rel=1e-12)


def test_a_late_chip_has_no_pa_carbon_but_in_the_preset_carbonspot():
    for preset in ("carbonspot", "default", "act"):
        found = literature_carbon(load_chips(), suite(preset, "mlperf_mobile"), load_preset(preset))
        late = found["latency_s"] > 1 / 25
        assert late.any()
        missing = found["carbon_pa_g"].isna()
        assert missing.tolist() == (late & (preset != "carbonspot")).tolist()
        assert found["carbon_ca_g"].notna().all()


def test_other_presets_charge_silicon_by_area_at_the_node_of_the_chip():
    preset = load_preset("default")
    found = literature_carbon(load_chips(), suite("default", "mlperf_tiny"), preset)
    assert len(found) == len(load_chips())
    for _, chip in found.iterrows():
        at_node = preset.with_values(node_nm=chip["node_nm"], accounting="area")
        parts = embodied_g(chip["area_mm2"], 0.0, at_node)
        silicon = parts["fab_energy"] + parts["fab_gas"] + parts["fab_material"]
        expected = silicon * chip["latency_s"] / preset.lifetime_s
        assert chip["embodied_ca_g"] == pytest.approx(expected, rel=1e-12)
        assert charged_area_mm2(chip["area_mm2"], at_node) < 1.2 * chip["area_mm2"]


def test_chips_of_a_user_are_read(tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text(HEADER + "mine,dimc,28,10,1,2,my paper\n")
    chips = read_chips(file)
    found = literature_carbon(chips, Suite("s", 1e9, 1.0), load_preset("default"))
    assert found["energy_j"][0] == pytest.approx(1e-4)
    assert found["latency_s"][0] == pytest.approx(1e-3)
    assert found["area_mm2"][0] == pytest.approx(0.5)


def test_every_fault_of_a_users_file_is_told_with_its_line(tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text(
        HEADER
        + "a,dimc,28,10,1,2,x\n"
        + "b,dimc,400,-1,one,2,\n"
        + "a,dimc,28,inf,1,2,x\n"
        + "c,dimc,28,1\n"
    )
    with pytest.raises(SpecError) as caught:
        read_chips(file)
    told = [fault.removeprefix(f"{file}:") for fault in caught.value.faults]
    assert told == [
        "3: source: got nothing, required: a text",
        "3: node_nm: got 400, allowed: 3 to 180 nm",
        "3: tops_per_w: got '-1', allowed: a number above 0",
        "3: tops: got 'one', allowed: a number above 0",
        "4: tops_per_w: got 'inf', allowed: a number above 0",
        "5: got a row that does not fit the header's columns",
        "4: name: got a again, allowed: each chip once",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name,type\n", ":1: got no column source, node_nm, tops_per_w, tops, tops_per_mm2"),
        (HEADER, ":1: got no chip"),
        (b"\xff\xfe\xff", "mine.csv: got bytes that are no UTF-8 text, allowed: CSV"),
        (None, "cannot be read"),
    ],
)
def test_a_file_without_chips_is_refused(tmp_path, text, told):
    file = tmp_path / "mine.csv"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SpecError, match=told):
        read_chips(file)
