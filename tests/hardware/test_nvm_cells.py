"""Non-volatile cells: each shipped number against what its source's own currents give."""

from __future__ import annotations

import pytest

from carbonopt.data.tables import load_table
from carbonopt.errors import SpecError
from carbonopt.hardware.nvm import cell_names, load_cell

USE_S = 10e-9  # of a cell in one cycle, alike for all technologies


@pytest.fixture(scope="module")
def table():
    return load_table("nvm_cells.csv").set_index("name")


def mean_read_pj(volt: float, on_ohm: float, off_ohm: float) -> float:
    """V^2 t (mean conductance)."""
    return volt**2 * (1 / on_ohm + 1 / off_ohm) / 2 * USE_S * 1e12


def test_numbers_lie_between_their_bounds(table):
    for row in table.itertuples():
        assert row.read_pj_low <= row.read_pj <= row.read_pj_high, row.Index
        write = (row.set_pj + row.reset_pj) / 2
        assert row.write_pj_low <= write <= row.write_pj_high, row.Index
        middle = (row.endurance_low * row.endurance_high) ** 0.5
        assert row.endurance == pytest.approx(middle, rel=5e-3), row.Index


@pytest.mark.parametrize(
    ("name", "column", "pj"),
    [
        ("rram", "read_pj", 0.4**2 / 1e6 * USE_S * 1e12),
        ("rram", "read_pj_low", mean_read_pj(0.4, 1e6, 1e7)),
        ("rram", "read_pj_high", mean_read_pj(0.5, 6e3, 9e5)),
        ("rram", "write_pj_low", 2.0**2 / 1e5 * 10e-9 * 1e12),
        ("stt_mram", "read_pj", 30e-6 * USE_S * 1e12),
        ("stt_mram", "read_pj_low", mean_read_pj(0.25, 3e3, 6e3)),
        ("stt_mram", "set_pj", 80e-6 * 1.25 * 10e-9 * 1e12),
        ("stt_mram", "write_pj_low", (80e-6) ** 2 * 4.5e3 * 10e-9 * 1e12),
        ("pcm", "read_pj", 40e-6 * 1.0 * USE_S * 1e12),
        ("pcm", "read_pj_high", 40e-6 * 1.0 * 50e-9 * 1e12),
        ("pcm", "read_pj_low", mean_read_pj(1.0, 21e3, 1.02e6)),
        ("pcm", "set_pj", 150e-6 * 0.6 * 150e-9 * 1e12),
        ("pcm", "reset_pj", 300e-6 * 1.6 * 40e-9 * 1e12),
        ("pcm", "write_pj_low", (0.2e-6 * 0.6 * 150e-9 + 10e-6 * 1.6 * 40e-9) / 2 * 1e12),
        ("fefet", "read_pj", 0.0014e-6 * USE_S * 1e12),
        ("fefet", "read_pj_high", 0.03**2 / 7e4 * USE_S * 1e12),
        ("fefet", "write_pj_low", 1e-16 * 2.0**2 * 1e12),
    ],
)
def test_energies_are_those_of_the_currents_and_voltages_that_the_sources_state(
    table, name, column, pj
):
    assert table[column][name] == pytest.approx(pj, rel=0.03)


def test_cells_by_name():
    assert cell_names() == ("rram", "stt_mram", "pcm", "fefet")
    pcm = load_cell("pcm")
    assert (pcm.write_pj, pcm.write_ns) == (16.35, 190.0)
    with pytest.raises(SpecError, match="got 'flash', allowed: rram, stt_mram, pcm, fefet"):
        load_cell("flash")
