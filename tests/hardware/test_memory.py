"""SRAM costs against CACTI: at the points it was run, and between them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonopt.data.tables import interpolate_log_log
from carbonopt.errors import ModelRangeError
from carbonopt.hardware.imc import imc_macro, load_form
from carbonopt.hardware.imc_cells import cell_write_pj
from carbonopt.hardware.knob_table import MacroOptions
from carbonopt.hardware.memory import sram_cost
from carbonopt.hardware.technology import load_technology

RELATIVE = 1e-9
COSTS = ("area_mm2", "read_pj", "write_pj")
GROWING = (*COSTS, "leakage_w")
FEWEST_ROWS, MOST_ROWS = 32, 2**24


def cost(size_byte: float, width_bit: float):
    return sram_cost(size_byte * 8, width_bit, what="memory")


@pytest.fixture(scope="module")
def cacti(reference):
    return reference("cacti_28nm.csv")


@pytest.mark.reference
def test_costs_at_the_points_where_cacti_was_run(cacti):
    assert len(cacti) == 55
    for row in cacti.itertuples():
        got = cost(row.size_byte, row.width_bit)
        for name in COSTS:
            assert getattr(got, name) == pytest.approx(getattr(row, name), rel=RELATIVE), row


@pytest.mark.reference
def test_leakage_is_cactis_at_32_nm_scaled_as_the_other_outputs():
    """1024 rows of 32 bit leak 1.13286 mW at 32 nm, itrs-hp, 300 K (cacti_g_rows.csv)."""
    assert cost(4096, 32).leakage_w == pytest.approx(1.13286e-3 * 0.81, rel=RELATIVE)
    assert cost(65536, 512).leakage_w == pytest.approx(16 * 1.13286e-3 * 0.81, rel=RELATIVE)


@pytest.mark.reference
@pytest.mark.parametrize("kind", ["dimc", "aimc"])
def test_cost_of_writing_a_weight_into_a_square_macro(cacti, kind):
    cells = cacti.dropna(subset="weight_write_pj")
    assert len(cells) == 6
    for row in cells.itertuples():
        dim = row.width_bit // 8
        macro = imc_macro(kind, dim, dim, 1, MacroOptions(), load_form("zigzag-imc"))
        assert cell_write_pj(load_technology(), macro) == row.weight_write_pj


@pytest.mark.parametrize("name", COSTS)
def test_halfway_between_two_points_lies_their_geometric_mean(cacti, name):
    narrow = cacti[cacti["width_bit"] == 512].sort_values("size_byte")
    sizes, values = narrow["size_byte"].to_numpy(), narrow[name].to_numpy()
    checked = 0
    for small, large, low, high in zip(sizes, sizes[1:], values, values[1:], strict=False):
        if large == 2 * small:
            between = getattr(cost(small * math.sqrt(2), 512), name)
            assert between == pytest.approx(math.sqrt(low * high), rel=1e-5)
            checked += 1
    assert checked > 0


@pytest.mark.parametrize(
    ("name", "bound"), [("area_mm2", 0.07), ("write_pj", 0.15), ("read_pj", 0.23)]
)
def test_interpolation_is_as_good_as_documented(cacti, name, bound):
    """Leave one out: each point of the table from its two neighbours."""
    per_column = (
        cacti.assign(
            rows=cacti["size_byte"] * 8 / cacti["width_bit"],
            value=cacti[name] / cacti["width_bit"],
        )
        .drop_duplicates("rows")
        .sort_values("rows")
    )
    rows, values = per_column["rows"].to_numpy(), per_column["value"].to_numpy()
    for i in range(1, len(rows) - 1):
        around = [i - 1, i + 1]
        guess = interpolate_log_log(rows[i], rows[around], values[around], name="rows", unit="-")
        assert guess == pytest.approx(values[i], rel=bound + 0.005)


rows = st.floats(FEWEST_ROWS, MOST_ROWS)
row_widths = st.integers(32, 2**14)


@pytest.mark.property
@given(rows, rows, row_widths)
def test_costs_grow_with_size(one, other, width):
    small, large = (sram_cost(each * width, width, what="m") for each in sorted((one, other)))
    for name in GROWING:
        assert 0 < getattr(small, name) <= getattr(large, name) * (1 + 1e-12)


@pytest.mark.property
@given(rows, row_widths, st.integers(2, 16))
def test_parallel_columns_cost_in_proportion(depth, width, copies):
    one = sram_cost(depth * width, width, what="m")
    many = sram_cost(depth * width * copies, width * copies, what="m")
    np.testing.assert_allclose(many.read_pj, copies * one.read_pj, rtol=RELATIVE)
    np.testing.assert_allclose(many.write_pj, copies * one.write_pj, rtol=RELATIVE)
    np.testing.assert_allclose(many.leakage_w, copies * one.leakage_w, rtol=RELATIVE)
    np.testing.assert_allclose(many.area_mm2, copies * one.area_mm2, atol=copies * 1e-7)


@pytest.mark.parametrize(
    ("size_byte", "width_bit", "message"),
    [
        (
            1984,
            512,
            "memory: SRAM rows (size / width): got 31 rows, allowed: 32 to 1.67772e+07 rows",
        ),
        (2**31, 512, "got 3.35544e+07 rows, allowed: 32 to 1.67772e+07 rows"),
        (8192, 31, "memory: width: got 31 bit, allowed: at least 32 bit"),
    ],
)
def test_sizes_outside_the_table_are_refused(size_byte, width_bit, message):
    with pytest.raises(ModelRangeError) as error:
        cost(size_byte, width_bit)
    assert message in str(error.value)
