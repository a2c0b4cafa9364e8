"""Machines: CarbonSpot's published area and clock, parts that add up, knobs that are refused.

Largest relative deviation measured over the 400 published points: 2.2e-16 in area, none in clock.
"""

from __future__ import annotations

import dataclasses

import pytest
from designs import CARBONSPOT_ARRAYS, machine
from hypothesis import given
from hypothesis import strategies as st

from carbonopt.errors import ModelRangeError, SpecError
from carbonopt.hardware.imc import load_form
from carbonopt.hardware.imc_model import macro_leakage_w
from carbonopt.hardware.knob_table import Knobs, MacroOptions
from carbonopt.hardware.machine import OPERANDS
from carbonopt.hardware.technology import load_technology, tree_adders
from carbonopt.hardware.template import TEMPLATES as TEMPLATES_BY_NAME
from carbonopt.hardware.template import build_machine
from carbonopt.hardware.variant import load_variant

RELATIVE = 1e-9
TEMPLATES = tuple(CARBONSPOT_ARRAYS.values())
ADDER_TREES = ("digital_ws", "dimc")
MACROS = ("dimc", "aimc")
VARIANTS = ("carbonspot", "default")

templates = st.sampled_from(TEMPLATES)
powers_of_two = st.integers(5, 10).map(lambda exponent: 2**exponent)


@pytest.mark.reference
@pytest.mark.parametrize("suite", ["tiny", "mobile"])
def test_published_area_and_clock(reference, suite):
    table = reference("carbonspot_carbon.csv")
    table = table[table["suite"] == suite]
    assert len(table) == {"tiny": 280, "mobile": 120}[suite]
    for row in table.itertuples():
        template = CARBONSPOT_ARRAYS[row.array]
        built = machine(template, row.dim, row.dim, 1, row.sram_byte, variant="carbonspot")
        assert built.area_mm2 == pytest.approx(row.area_mm2, rel=RELATIVE), row
        assert built.clock_ns == pytest.approx(row.clock_ns, rel=RELATIVE), row


@pytest.mark.property
@given(
    template=templates,
    rows=powers_of_two,
    cols=st.integers(32, 1024),
    macros=st.integers(1, 8),
    variant=st.sampled_from(VARIANTS),
)
def test_parts_are_not_negative_and_sum_to_the_total(template, rows, cols, macros, variant):
    built = machine(template, rows, cols, macros, 2**25, variant=variant)
    for total, parts in ((built.area_mm2, built.area_parts), (built.clock_ns, built.clock_parts)):
        assert min(parts.values()) >= 0
        assert total == pytest.approx(sum(parts.values()), rel=1e-12)
    assert built.idle_w == sum(built.leakage_parts.values()) > 0
    assert set(built.leakage_parts) <= set(built.area_parts)
    assert built.shape == {"D1": cols, "D2": rows, "D3": macros}
    assert built.area_parts["sram"] > 0


def test_no_array_leaks_so_that_none_is_charged_for_what_another_is_not():
    """128 x 128 with 512 KiB: the SRAM leaks 107 mW, the macro's own 125 mW are left out."""
    built = {name: machine(name, 128, 128, 1, 2**19) for name in TEMPLATES}
    assert {tuple(each.leakage_parts) for each in built.values()} == {("sram",)}
    assert {round(each.idle_w, 4) for each in built.values()} == {0.1073}
    macro = built["dimc"].array
    assert float(macro_leakage_w(load_technology(), macro)) == pytest.approx(0.1255, rel=1e-3)
    array, own = (built[name].area_by_group["array"] for name in ("digital_ws", "dimc"))
    assert array / own == pytest.approx(19.6, rel=1e-2)


@pytest.mark.property
@given(template=templates, rows=powers_of_two, cols=st.integers(32, 256), macros=st.integers(2, 8))
def test_macros_multiply_the_array_and_nothing_else_of_the_clock(template, rows, cols, macros):
    one, many = (machine(template, rows, cols, m, 2**24) for m in (1, macros))
    for part, area in one.area_parts.items():
        if part != "sram":
            assert many.area_parts[part] == pytest.approx(macros * area, rel=1e-12)
    assert many.clock_parts == one.clock_parts
    by_part = {memory.name: memory for memory in many.memories}
    for memory in one.memories:
        wide = by_part[memory.name]
        factor = macros if memory.part in ("sram", "dram") else 1
        assert wide.bandwidth_bits == factor * memory.bandwidth_bits
        assert wide.size_bits == memory.size_bits


@pytest.mark.parametrize("template", TEMPLATES)
def test_rows_and_columns_are_told_apart(template):
    wide, tall = machine(template, 32, 128), machine(template, 128, 32)
    assert wide.shape == {"D1": 128, "D2": 32, "D3": 1}
    assert tall.shape == {"D1": 32, "D2": 128, "D3": 1}
    bandwidth = {each.shape["D1"]: each.memories[-2].bandwidth_bits for each in (wide, tall)}
    assert bandwidth == {128: 128 * 16, 32: 128 * 8}
    assert wide.memories[-1].bandwidth_bits == 128 * 8
    assert wide.area_mm2 != tall.area_mm2
    if template != "digital_os":
        assert tall.clock_ns > wide.clock_ns


def test_trees_are_counted_per_column_and_as_wide_as_a_product():
    technology = load_technology()
    built = machine("digital_ws", 64, 48, 3)
    expected = technology.adder_mm2 * tree_adders(16, 64) * 48 * 3
    assert built.area_parts["adders"] == pytest.approx(expected, rel=1e-12)
    theirs = machine("digital_ws", 64, 48, 3, variant="carbonspot")
    expected = technology.adder_mm2 * tree_adders(64, 64) * 64 * 3
    assert theirs.area_parts["adders"] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("template", TEMPLATES)
def test_variants_differ_in_adders_registers_and_the_macro_form_only(template):
    ours, theirs = (machine(template, 64, 48, 2, variant=v) for v in ("default", "carbonspot"))
    changed = {
        field.name
        for field in dataclasses.fields(ours)
        if getattr(ours, field.name) != getattr(theirs, field.name)
    }
    rows = {"unrolled"} if template == "digital_os" else set()
    form = {"array"} if template in MACROS else set()
    assert changed == {"variant", "area_parts"} | rows | form
    if template in MACROS:
        assert ours.array == dataclasses.replace(theirs.array, form=load_form("default"))
    parts = {part for part in ours.area_parts if ours.area_parts[part] != theirs.area_parts[part]}
    assert parts == {"register"} | ({"adders"} if template == "digital_ws" else set())


@pytest.mark.parametrize("template", TEMPLATES)
def test_register_area(template):
    """CarbonSpot counts one register of each kind, we all of a macro and none beside a PE."""
    bit_mm2 = load_technology().flipflop_mm2
    words = 8 + 16 if template in MACROS else 8 + 8 + 16
    theirs = machine(template, 64, 48, 2, variant="carbonspot").area_parts["register"]
    assert theirs == pytest.approx(words * bit_mm2)
    ours = machine(template, 64, 48, 2).area_parts["register"]
    expected = 2 * (64 * 8 + 48 * 16) * bit_mm2 if template in MACROS else 0.0
    assert ours == pytest.approx(expected)


def test_variants_by_name():
    assert load_variant("default").name == "default"
    with pytest.raises(SpecError, match="got 'ours', allowed: carbonspot, default, zigzag"):
        load_variant("ours")


@pytest.mark.parametrize("template", TEMPLATES)
def test_columns_and_macros_need_not_be_powers_of_two(template):
    assert machine(template, 64, 48, 3).shape == {"D1": 48, "D2": 64, "D3": 3}


@pytest.mark.parametrize("template", sorted(set(TEMPLATES) - set(ADDER_TREES)))
def test_rows_without_an_adder_tree_need_not_be_powers_of_two(template):
    assert machine(template, 48, 32).shape["D2"] == 48


@pytest.mark.parametrize("rows", [1, 33, 48, 1000])
@pytest.mark.parametrize("template", ADDER_TREES)
def test_rows_of_an_adder_tree_must_be_powers_of_two(template, rows):
    with pytest.raises(ModelRangeError) as error:
        machine(template, rows, 32)
    assert str(error.value) == (
        f"{template}: rows: got {rows}, allowed: powers of two from 2 (leaves of an adder tree)"
    )


@pytest.mark.parametrize("template", TEMPLATES)
def test_all_bad_knobs_are_named_at_once(template):
    with pytest.raises(ModelRangeError) as error:
        machine(template, 0, -1, 0, 0.0)
    assert str(error.value).splitlines() == [
        f"{template}: rows: got 0, allowed: whole numbers from 1 to 16777216",
        f"{template}: cols: got -1, allowed: whole numbers from 1 to 16777216",
        f"{template}: macros: got 0, allowed: whole numbers from 1 to 16777216",
        f"{template}: sram: got 0 byte, allowed: > 0",
    ]


@pytest.mark.parametrize(
    ("sram_byte", "message"),
    [
        (-1024.0, "sram: got -1024 byte, allowed: > 0"),
        (float("nan"), "sram: got nan byte, allowed: > 0"),
        (1024.0, "cols: got 32, allowed: cols x macros up to 16, or an sram from 2 KiB (32 words"),
        (2.0**31, "sram: got 2 GiB, allowed: up to 1 GiB in words of 512 bit"),
    ],
)
@pytest.mark.parametrize("template", TEMPLATES)
def test_sram_outside_the_table_is_refused(template, sram_byte, message):
    with pytest.raises(ModelRangeError) as error:
        machine(template, 32, 32, 1, sram_byte)
    assert message in str(error.value)


@pytest.mark.parametrize("template", MACROS)
@pytest.mark.parametrize(
    ("rows", "cols", "message"),
    [
        (16, 32, "rows: got 16, allowed: rows x group_depth from 32 to 16777216"),
        (32, 3, "cols: got 3, allowed: from 4 (words of the cells)"),
    ],
)
def test_macros_below_the_table_are_refused(template, rows, cols, message):
    with pytest.raises(ModelRangeError) as error:
        machine(template, rows, cols)
    assert f"{template}: {message}" in str(error.value)


@pytest.mark.parametrize("template", TEMPLATES)
def test_where_each_operand_lives(template):
    """Weights pass the SRAM by, stay in it if they all fit, or rest beside outputs that do."""

    def names(resident_byte):
        built = machine(template, resident_byte=resident_byte, sram_byte=2**15)
        return {o: [built.memories[m].name for m in built.levels(o)] for o in OPERANDS}

    weights = "cells" if template in MACROS else "register_W"
    streamed, resident = names(2**15), names(2**15 - 1)
    for operand in ("I", "O"):
        assert streamed[operand] == resident[operand] == [f"register_{operand}", "sram", "dram"]
    if template == "digital_os":
        assert streamed["W"] == resident["W"] == [weights, "sram", "dram"]
    else:
        assert (streamed["W"], resident["W"]) == ([weights, "dram"], [weights, "sram"])


def grouped(template, depth, **options):
    knobs = Knobs(64, 32, 1, 2.0**15, MacroOptions(group_depth=depth))
    return build_machine(
        TEMPLATES_BY_NAME[template], knobs, load_variant("default"),
        dram_byte=2.0**20, resident_byte=2.0**20, **options,
    )  # fmt: skip


@pytest.mark.parametrize("template", MACROS)
def test_a_group_of_cells_stores_weights_beside_one_multiplier(template):
    """Four weights of 8 bits per multiplier; turning to one costs 8 (C_wl + 4 C_bl) V^2."""
    one, four = grouped(template, 1), grouped(template, 4)
    assert one == machine(template, 64, 32)
    cells, group = one.memories[0], four.memories[0]
    assert (cells.size_bits, group.size_bits) == (8, 32)
    assert (cells.read_pj, group.read_pj) == (0.0, pytest.approx(8 * 5 * 0.2835e-3))
    assert group.write_pj > cells.write_pj
    larger = {p for p, area in four.area_parts.items() if area != one.area_parts[p]}
    assert larger == {"cells"}
    assert four.area_parts["cells"] > 3 * one.area_parts["cells"]
    assert four.clock_parts == one.clock_parts


def test_only_macros_have_groups_of_cells():
    with pytest.raises(ModelRangeError) as error:
        grouped("digital_ws", 2)
    assert str(error.value) == ("digital_ws: group_depth: got 2, allowed: 1 (a knob of dimc, aimc)")
    with pytest.raises(ModelRangeError, match="dimc: group_depth: got 0, allowed: whole numbers"):
        grouped("dimc", 0)


@pytest.mark.parametrize("template", ["digital_os", "digital_ws"])
def test_digital_arrays_scale_with_node_and_supply_as_gates_do(template):
    """Areas with the square of the node, energies with C V^2, delays with the node and d(V)."""
    measured, plain, small, low = (
        machine(template, 64, 64, 1, 2**16, **options)
        for options in ({}, {"node_nm": 28.0}, {"node_nm": 40.0}, {"supply_v": 0.7})
    )
    assert (plain.area_parts, plain.clock_parts) == (measured.area_parts, measured.clock_parts)
    assert plain.array == measured.array
    assert (plain.own_node_nm, measured.own_node_nm, small.own_node_nm) == (28.0, None, 40.0)
    ratio = 40 / 28
    for part in set(plain.area_parts) - {"sram"}:
        assert small.area_parts[part] == pytest.approx(plain.area_parts[part] * ratio**2)
        assert low.area_parts[part] == plain.area_parts[part]
    slower = (0.7 / (0.7 - 0.33) ** 1.3) / (0.9 / (0.9 - 0.33) ** 1.3)
    for part, clock_ns in plain.clock_parts.items():
        assert small.clock_parts[part] == pytest.approx(clock_ns * ratio)
        assert low.clock_parts[part] == pytest.approx(clock_ns * slower)
    assert small.array.mac_pj == pytest.approx(plain.array.mac_pj * ratio)
    assert low.array.mac_pj == pytest.approx(plain.array.mac_pj * (0.7 / 0.9) ** 2)
    registers = [each.memories[0].write_pj for each in (plain, small, low)]
    assert registers[1:] == pytest.approx([registers[0] * ratio, registers[0] * (0.7 / 0.9) ** 2])
