"""Macros over 10,000 random parameter sets: no crash, no negative part, more is never less."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from carbonopt.errors import ModelRangeError, SpecError
from carbonopt.hardware.imc import (
    Activity,
    ImcMacro,
    check_macro,
    derived_adc_bits,
    load_form,
)
from carbonopt.hardware.imc_model import (
    macro_area,
    macro_clock,
    macro_leakage_w,
    macro_peak,
    peak_energy,
    precharge_pj,
)
from carbonopt.hardware.nvm import load_cell
from carbonopt.hardware.scaling import scaled_technology
from carbonopt.hardware.technology import Technology, load_technology

SETS = 10_000
KINDS = ("dimc", "aimc")
CELLS = ("rram", "stt_mram", "pcm", "fefet")
FORMS = ("default", "zigzag-imc", "zigzag")
OPTIONS = ({}, {"pipelined": True}, {"booth": True})


def random_macros(rng: np.random.Generator, kind: str, form: str = "default", **options):
    exponent = rng.uniform(0, 13, SETS)
    rows = 2.0 ** np.floor(exponent) if kind == "dimc" else np.floor(2.0**exponent)
    input_bits, weight_bits = rng.integers(1, 17, (2, SETS)).astype(float)
    macro = ImcMacro(
        kind,
        np.floor(2.0 ** rng.uniform(0, 12, SETS)),
        rows,
        weight_bits,
        input_bits,
        np.floor(rng.uniform(1, input_bits + 1)),
        rng.uniform(1, 12, SETS),
        rng.integers(1, 65, SETS).astype(float),
        rng.integers(1, 33, SETS).astype(float),
        form=load_form(form),
        **options,
    )
    if kind == "aimc":
        macro = dataclasses.replace(
            macro,
            input_slices=np.floor(rng.uniform(1, macro.bits_per_cycle + 1)),
            merged_columns=np.floor(rng.uniform(1, weight_bits + 1)),
            adc_share=rng.integers(1, 17, SETS).astype(float),
        )
    technology = scaled_technology(rng.uniform(22, 65, SETS), rng.uniform(0.6, 1.2, SETS))
    return macro, technology


def parts_of(technology: Technology, macro: ImcMacro) -> dict[str, np.ndarray]:
    activity = Activity.of_data(0.5, 0.5)
    return {
        f"{group} {name}": np.broadcast_to(value, (SETS,))
        for group, parts in (
            ("area", macro_area(technology, macro)),
            ("clock", macro_clock(technology, macro)),
            ("energy", peak_energy(technology, macro, activity)),
        )
        for name, value in (*parts.items(), ("total", sum(parts.values())))
    }


@pytest.mark.property
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_no_part_is_negative_or_undefined(rng, kind, form, options):
    macro, technology = random_macros(rng, kind, form, **options)
    check_macro(macro)
    for name, value in parts_of(technology, macro).items():
        assert np.isfinite(value).all(), name
        assert (value >= 0).all(), name
    for name, value in macro_peak(technology, macro).items():
        assert (np.asarray(value) > 0).all(), name
    assert (np.asarray(macro_leakage_w(technology, macro)) > 0).all()


@pytest.mark.property
@pytest.mark.parametrize(
    "options", [{"survey_adc": True}, *({"cell": load_cell(c)} for c in CELLS)]
)
def test_survey_adcs_and_other_cells_never_crash_or_turn_negative(rng, options):
    macro, technology = random_macros(rng, "aimc", **options)
    macro = dataclasses.replace(macro, adc_bits=rng.uniform(4, 12, SETS))
    check_macro(macro)
    for name, value in parts_of(technology, macro).items():
        assert np.isfinite(value).all(), name
        assert (value >= 0).all(), name
    assert (macro_area(technology, macro)["cells"] > 0).all()
    assert (np.asarray(macro_leakage_w(technology, macro)) > 0).all()


MORE = {
    "rows": ("area", "clock", "energy"),
    "cols": ("area", "clock", "energy"),
    "macros": ("area", "clock", "energy"),
    "weight_bits": ("area", "clock", "energy"),
    "input_bits": ("area", "clock", "energy"),
    "group_depth": ("area", "clock", "energy"),
    "adc_bits": ("area", "clock", "energy"),
}
"""Of what more is never less, in any part."""


@pytest.mark.property
@pytest.mark.parametrize("name", MORE)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_more_is_never_less_in_any_part(rng, kind, form, name):
    macro, technology = random_macros(rng, kind, form)
    fewer = getattr(macro, name)
    if name == "rows" and kind == "dimc":
        more = 2 * fewer
    elif name == "adc_bits":
        more = np.minimum(fewer + rng.uniform(0, 3, SETS), 12)
    else:
        more = fewer + rng.integers(1, 9, SETS)
        more = np.minimum(more, 16) if name in ("weight_bits", "input_bits") else more
    larger = dataclasses.replace(macro, **{name: more})
    check_macro(larger)
    small, large = parts_of(technology, macro), parts_of(technology, larger)
    for part, value in small.items():
        if part.split()[0] in MORE[name]:
            assert (large[part] >= value * (1 - 1e-12)).all(), part


@pytest.mark.property
@pytest.mark.parametrize("kind", KINDS)
def test_pipelining_never_slows_and_always_costs(rng, kind):
    macro, technology = random_macros(rng, kind)
    piped = dataclasses.replace(macro, pipelined=True)
    plain, fast = parts_of(technology, macro), parts_of(technology, piped)
    assert (fast["clock total"] <= plain["clock total"]).all()
    assert (fast["clock total"] >= 0.5 * plain["clock total"] * (1 - 1e-12)).all()
    assert (fast["area total"] > plain["area total"]).all()
    assert (fast["energy total"] > plain["energy total"]).all()


@pytest.mark.property
def test_sharing_an_adc_trades_time_for_area(rng):
    macro, technology = random_macros(rng, "aimc")
    shared = dataclasses.replace(macro, adc_share=macro.adc_share * 2)
    plain, fewer = parts_of(technology, macro), parts_of(technology, shared)
    assert (fewer["area adcs"] <= plain["area adcs"]).all()
    np.testing.assert_allclose(fewer["clock adcs"], 2 * plain["clock adcs"])
    np.testing.assert_array_equal(fewer["energy adcs"], plain["energy adcs"])


def test_merging_the_columns_of_a_weight_leaves_one_conversion_and_no_place_value_adder():
    technology = load_technology()
    macro = ImcMacro("aimc", 64, 64, 8, 8, 1, 4.0)
    merged = dataclasses.replace(macro, merged_columns=8)
    whole, one = macro_area(technology, macro), macro_area(technology, merged)
    assert one["adcs"] == whole["adcs"] / 8
    assert one["adders_place_value"] == 0 < whole["adders_place_value"]
    energy, less = peak_energy(technology, macro), peak_energy(technology, merged)
    assert less["adcs"] == pytest.approx(energy["adcs"] / 8)


@pytest.mark.property
@pytest.mark.parametrize("kind", KINDS)
def test_supply_and_node(rng, kind):
    """Energy goes with the square of the supply, speed rises with it; smaller nodes are better."""
    macro, _ = random_macros(rng, kind)
    low, high = (scaled_technology(28.0, v) for v in (0.8, 1.0))
    slow, fast = parts_of(low, macro), parts_of(high, macro)
    for name in slow:
        if name.startswith("energy"):
            np.testing.assert_allclose(fast[name], slow[name] * 1.5625, rtol=1e-12)
        elif name.startswith("area"):
            np.testing.assert_array_equal(fast[name], slow[name])
        else:
            assert (fast[name] <= slow[name]).all(), name
    small, large = (parts_of(scaled_technology(nm, 0.9), macro) for nm in (22.0, 65.0))
    assert all((small[name] <= large[name]).all() for name in small)


def test_activity_multiplies_its_own_parts():
    technology = load_technology()
    for kind in KINDS:
        macro = ImcMacro(kind, 64, 64, 8, 8, 2, 5.0, pipelined=True)
        full = peak_energy(technology, macro)
        some = peak_energy(technology, macro, Activity(0.5, 0.25, 0.125, 0.75))
        share = {name: some[name] / full[name] for name in full if full[name] > 0}
        expected = {
            "mults": 0.5, "bitlines": 0.5, "adders": 0.25, "adders_place_value": 0.25,
            "accumulators": 0.125, "pipeline": 0.125, "dacs": 1.0, "adcs": 0.75,
        }  # fmt: skip
        assert share == pytest.approx({name: expected[name] for name in share})
    assert Activity.of_data(0.5, 0.5) == Activity(0.25, 0.25, 1.0)


def test_arrays_give_what_scalars_give(rng):
    technology = load_technology()
    for kind in KINDS:
        for form in FORMS:
            rows, cols = 2 ** rng.integers(5, 11, 20), rng.integers(4, 512, 20)
            adc = derived_adc_bits(2, rows)
            many = macro_peak(
                technology, ImcMacro(kind, cols, rows, 8, 8, 2, adc, form=load_form(form))
            )
            for i in range(20):
                one = ImcMacro(
                    kind, int(cols[i]), int(rows[i]), 8, 8, 2, float(adc[i]), form=load_form(form)
                )
                for name, value in macro_peak(technology, one).items():
                    assert value == pytest.approx(many[name][i], rel=1e-13)


@pytest.mark.parametrize("survey", [False, True])
def test_survey_adcs_take_more_than_fitted_ones(survey):
    """At 8 bits and 128 rows: 1332 against 701 fJ, 3100 against 2085 um2 (28 nm, 0.9 V)."""
    macro = ImcMacro("aimc", 1, 128, 1, 8, 8, 8.0, survey_adc=survey)
    energy = float(peak_energy(load_technology(), macro)["adcs"])
    area = float(macro_area(load_technology(), macro)["adcs"])
    assert energy == pytest.approx(1.333 if survey else 0.7011, rel=1e-3)
    assert area == pytest.approx(3.105e-3 if survey else 2.0851e-3, rel=1e-3)


def test_one_weight_bit_works_in_every_form():
    for form in FORMS:
        macro = ImcMacro("aimc", 64, 64, 1, 8, 2, 5.0, form=load_form(form))
        peak = macro_peak(load_technology(), macro)
        assert float(macro_area(load_technology(), macro)["adders_place_value"]) == 0
        assert float(peak["tops"]) > 0


def test_precharging_counts_each_switch_once():
    """B_w V^2 (C_wl + g C_bl) N: 8 bits, g = 4, 0.2835 fJ a cell."""
    technology = load_technology()
    macro = ImcMacro("dimc", 32, 32, 8, 8, 1, group_depth=4)
    assert float(precharge_pj(technology, macro, 1000)) == pytest.approx(8 * 5 * 0.2835)
    alone = dataclasses.replace(macro, group_depth=1)
    assert float(precharge_pj(technology, alone, 1000)) == 0


def test_leakage_of_cells_and_logic():
    """128 rows of 1024 bits at 28 nm: 32 x 0.160019 mW x 0.81, and logic at the cells' density."""
    technology = load_technology()
    macro = ImcMacro("dimc", 128, 128, 8, 8, 1)
    cells_w = 32 * 0.160019e-3 * 0.81
    parts = macro_area(technology, macro)
    density = 0.160019e-3 / 0.00105729
    logic = (sum(parts.values()) - parts["cells"]) * density
    assert float(macro_leakage_w(technology, macro)) == pytest.approx(cells_w + logic, rel=1e-9)
    lower = scaled_technology(28.0, 0.6)
    ratio = macro_leakage_w(lower, macro) / macro_leakage_w(technology, macro)
    assert float(ratio) == pytest.approx(0.6 / 0.9)


def test_smaller_cells_shrink_the_array_but_not_its_periphery():
    technology = load_technology()
    macro = ImcMacro("aimc", 128, 128, 8, 8, 2, 5.5)
    sram = float(macro_area(technology, macro)["cells"])
    rram = float(
        macro_area(technology, dataclasses.replace(macro, cell=load_cell("rram")))["cells"]
    )
    assert sram - rram == pytest.approx(128 * 128 * 8 * (146 - 53) * 28**2 * 1e-12)
    assert 0 < rram < sram


@pytest.mark.parametrize(
    ("kind", "changes", "faults"),
    [
        ("aimc", {"weight_bits": 0}, ["weight_bits: got 0, allowed: whole numbers from 1 to 16"]),
        ("dimc", {"input_bits": 17}, ["input_bits: got 17, allowed: whole numbers from 1 to 16"]),
        ("dimc", {"rows": 48}, ["rows: got 48, allowed: powers of two (leaves of an adder tree)"]),
        (
            "dimc",
            {"bits_per_cycle": 9},
            ["bits_per_cycle: got 9, allowed: whole numbers from 1 to"],
        ),
        ("aimc", {"adc_bits": 13.0}, ["adc_bits: got 13, allowed: 1 to 12 bit"]),
        ("aimc", {"adc_bits": 0.0}, ["adc_bits: got 0, allowed: 1 to 12 bit"]),
        ("aimc", {"adc_bits": 3.0, "survey_adc": True}, ["adc_bits: got 3, allowed: 4 to 12 bit"]),
        ("aimc", {"adc_bits": float("nan")}, ["adc_bits: got nan, allowed: 1 to 12 bit"]),
        ("aimc", {"cols": 0, "rows": -1}, ["cols: got 0, allowed", "rows: got -1, allowed"]),
        (
            "aimc",
            {"merged_columns": 9},
            ["merged_columns: got 9, allowed: whole numbers from 1 to"],
        ),
        ("aimc", {"adc_share": 1.5, "macros": 0}, ["macros: got 0", "adc_share: got 1.5"]),
        ("dimc", {"cols": np.array([8, 0, -3])}, ["cols: got 0, allowed: whole numbers from 1"]),
        ("dimc", {"cell": load_cell("pcm")}, ["cell: got pcm, allowed: SRAM"]),
    ],
)
def test_bad_parameters_are_named_at_once(kind, changes, faults):
    macro = dataclasses.replace(ImcMacro(kind, 64, 64, 8, 8, 1, 4.0), **changes)
    with pytest.raises(ModelRangeError) as error:
        macro_peak(load_technology(), macro)
    lines = str(error.value).splitlines()
    assert len(lines) == len(faults)
    for line, fault in zip(lines, faults, strict=True):
        assert f"{kind}: {fault}" in line


def test_an_adc_of_no_bits_is_legal_in_zigzag_alone():
    macro = ImcMacro("aimc", 64, 64, 8, 8, 1, 0.0, form=load_form("zigzag"))
    technology = load_technology()
    check_macro(macro)
    assert float(macro_area(technology, macro)["adcs"]) == 0
    assert float(peak_energy(technology, macro)["adcs"]) == 0


def test_a_comparator_takes_area_in_the_default_form_alone():
    for form, free in (("default", False), ("zigzag-imc", True), ("zigzag", True)):
        macro = ImcMacro("aimc", 64, 64, 8, 8, 1, 1.0, form=load_form(form))
        assert (float(macro_area(load_technology(), macro)["adcs"]) == 0) is free


@pytest.mark.parametrize(
    ("node", "supply", "message"),
    [
        (7.0, 0.8, "node: got 7 nm, allowed: 22 to 65 nm"),
        (np.array([28.0, 130.0]), 0.9, "node: got 130 nm, allowed: 22 to 65 nm"),
        (28.0, 1.8, "supply: got 1.8 V, allowed: 0.6 to 1.2 V"),
        (28.0, float("nan"), "supply: got nan V, allowed: 0.6 to 1.2 V"),
    ],
)
def test_nodes_and_supplies_outside_the_range_are_refused(node, supply, message):
    with pytest.raises(ModelRangeError) as error:
        scaled_technology(node, supply)
    assert str(error.value) == message


def test_names_that_are_not_there():
    with pytest.raises(SpecError, match="got 'mine', allowed: zigzag-imc, zigzag, default"):
        load_form("mine")
    with pytest.raises(SpecError, match="got 'flash', allowed: rram, stt_mram, pcm, fefet"):
        load_cell("flash")
