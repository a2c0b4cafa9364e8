"""Weights are written row by row or as they arrive, whichever takes longer."""

from __future__ import annotations

import numpy as np
import pytest

from carbonopt.errors import ModelRangeError
from carbonopt.hardware.imc import ImcMacro
from carbonopt.hardware.imc_loading import loading_j, loading_s
from carbonopt.hardware.nvm import load_cell
from carbonopt.hardware.technology import load_technology


def test_rows_or_bandwidth_limit_the_loading():
    """64 rows x 4 ns = 256 ns; 2 x 32 x 64 weights of 8 bits take 4096 ns at 1 GB/s."""
    macro = ImcMacro("dimc", 32, 64, 8, 8, 1, macros=2)
    bandwidth = np.array([1e9, 16e9, 1e12])
    found = loading_s(macro, 4.0, bandwidth_byte_per_s=bandwidth)
    np.testing.assert_allclose(found, [4.096e-6, 256e-9, 256e-9])


def test_a_group_takes_as_often_and_computing_hides_it():
    macro = ImcMacro("dimc", 32, 64, 8, 8, 1, group_depth=4)
    whole = loading_s(macro, 4.0, bandwidth_byte_per_s=1e12, groups=4)
    assert float(whole) == pytest.approx(4 * 256e-9)
    hidden = loading_s(macro, 4.0, bandwidth_byte_per_s=1e12, groups=4, overlapped_s=1e-6)
    assert float(hidden) == pytest.approx(24e-9)
    assert float(loading_s(macro, 4.0, bandwidth_byte_per_s=1e12, overlapped_s=1.0)) == 0


@pytest.mark.parametrize(("name", "row_ns", "bit_pj"), [("pcm", 190, 16.35), ("rram", 20, 0.6)])
def test_non_volatile_cells_take_their_pulses_and_energies(name, row_ns, bit_pj):
    macro = ImcMacro("aimc", 32, 64, 8, 8, 2, 5.0, cell=load_cell(name))
    found = loading_s(macro, 4.0, bandwidth_byte_per_s=1e12)
    assert float(found) == pytest.approx(64 * row_ns * 1e-9)
    energy = loading_j(load_technology(), macro)
    assert float(energy) == pytest.approx(32 * 64 * 8 * bit_pj * 1e-12)


def test_bad_input():
    macro = ImcMacro("dimc", 32, 64, 8, 8, 1, group_depth=2)
    with pytest.raises(ModelRangeError, match="groups: got 3, allowed: up to 2"):
        loading_s(macro, 4.0, bandwidth_byte_per_s=1e9, groups=3)
    with pytest.raises(ModelRangeError, match="bandwidth: got 0 byte/s, allowed: above 0"):
        loading_s(macro, 4.0, bandwidth_byte_per_s=0)
