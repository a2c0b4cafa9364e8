"""Quantities: what is read, what is refused, what is printed."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonopt.errors import SpecError
from carbonopt.units import UNITS, format_quantity, parse_quantity, unit_of


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("8KiB", "byte", 8192.0),
        ("1 MB", "byte", 1e6),
        ("40ms", "s", 0.04),
        ("1y", "s", 365.25 * 86400),
        ("200 MHz", "Hz", 2e8),
        ("1 kWh", "J", 3.6e6),
        ("3.5pJ", "J", 3.5e-12),
        ("80 mm2", "mm2", 80.0),
        ("150 g", "g", 150.0),
        ("0.4 kg/kWh", "g/kWh", 400.0),
        ("0.8 V", "V", 0.8),
        ("12.7 \u00b5J", "J", 12.7e-6),
        ("12.7 \u03bcs", "s", 12.7e-6),
        ("3 mm²", "mm2", 3.0),
        ("2 cm²", "mm2", 200.0),
        ("5 µm²", "mm2", 5e-6),
        ("-2e-3 s", "s", -0.002),
    ],
)
def test_reads_a_quantity(text, unit, value):
    assert parse_quantity(text, unit) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize("bad", [40, 4.0, True, None, [1], "", "40", "ms", "4 0 s", "nan s", "1 S"])
def test_refuses_what_has_no_unit_or_no_number(bad):
    with pytest.raises(SpecError, match=r"^p\.yaml:3: period: got .*allowed: a number with a unit"):
        parse_quantity(bad, "s", where="p.yaml:3: period")


def test_names_the_unit_that_was_meant():
    with pytest.raises(SpecError, match="did you mean KiB"):
        parse_quantity("8 kib", "byte")


def test_another_dimension_is_refused_with_the_units_that_are_allowed():
    with pytest.raises(SpecError, match="allowed: a number with a unit of: byte, B, kB"):
        parse_quantity("8 ms", "byte")


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("latency_s", "s"),
        ("latency_s@resnet8", "s"),
        ("energy_j.array", "J"),
        ("edp_js", "J*s"),
        ("use_g_per_kwh", "g/kWh"),
        ("sram_byte", "byte"),
        ("macros", ""),
        ("rows", ""),
    ],
)
def test_the_suffix_of_a_name_tells_the_unit(name, unit):
    assert unit_of(name) == unit


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (524288, "byte", "512 KiB"),
        (1000, "byte", "1000 byte"),
        (0.0032, "s", "3.2 ms"),
        (1e-9, "g", "1 ng"),
        (12345.0, "", "12345"),
        (0.0, "s", "0 s"),
        (math.nan, "J", "nan J"),
    ],
)
def test_prints_with_the_prefix_that_suits(value, unit, text):
    assert format_quantity(value, unit, digits=5) == text


@pytest.mark.property
@given(st.sampled_from(sorted(UNITS)), st.floats(1e-18, 1e18))
def test_what_is_printed_reads_back(unit, value):
    read = parse_quantity(format_quantity(value, unit, digits=17), unit)
    assert read == pytest.approx(value, rel=1e-12)
