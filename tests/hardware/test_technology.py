"""Adders counted one by one against the closed forms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonopt.hardware.technology import load_technology, tree_adders, tree_pj

powers_of_two = st.integers(1, 10).map(lambda exponent: 2**exponent)
widths = st.integers(1, 64)


def ripple_adders(bits: int, inputs: int) -> int:
    """Count the 1-bit adders of a tree by building it.

    Two words of b bits take one ripple-carry adder of b bits, whose last carry is the next bit.
    """
    words = [bits] * inputs
    count = 0
    while len(words) > 1:
        first, second = words.pop(0), words.pop(0)
        assert first == second
        count += first
        words.append(first + 1)
    return count


@pytest.mark.property
@given(widths, powers_of_two)
def test_tree_adders_equal_an_explicit_count(bits, inputs):
    assert tree_adders(bits, inputs) == ripple_adders(bits, inputs)


@pytest.mark.property
@given(widths, powers_of_two)
def test_a_full_tree_switches_every_adder(bits, inputs):
    technology = load_technology()
    full = tree_adders(bits, inputs) * technology.adder_pj
    assert tree_pj(technology, bits, inputs, inputs) == full


@pytest.mark.property
@given(widths, powers_of_two, st.data())
def test_energy_never_falls_as_more_whole_inputs_are_used(bits, inputs, data):
    technology = load_technology()
    fewer, more = sorted(data.draw(st.integers(0, inputs)) for _ in range(2))
    energies = [tree_pj(technology, bits, inputs, used) for used in (fewer, more)]
    assert 0 <= energies[0] <= energies[1]


def test_one_active_input_ripples_through_half_active_adders():
    """Of a tree over 4 inputs of 8 bit, one input passes one adder of 8 and one of 9 bit."""
    technology = load_technology()
    assert tree_pj(technology, 8, 4, 1) == pytest.approx(17 * technology.half_adder_pj)


def test_three_of_four_inputs_fill_one_pair_and_half_the_other():
    """8 full adders for the pair, 8 half-active for the single one, 9 full for the sum."""
    technology = load_technology()
    expected = 17 * technology.adder_pj + 8 * technology.half_adder_pj
    assert tree_pj(technology, 8, 4, 3) == pytest.approx(expected)


def test_gates_of_28_nm():
    """C V^2 of CarbonSpot's capacitances; an adder is three NAND and two XOR (pJ, mm2, ns)."""
    technology = load_technology()
    assert technology.adder_pj == pytest.approx(3.402e-3)
    assert technology.half_adder_pj == pytest.approx(1.701e-3)
    assert technology.flipflop_pj == pytest.approx(1.701e-3)
    assert technology.adder_mm2 == pytest.approx(4.7892e-6)
    assert technology.sum_ns == pytest.approx(0.22944)
    assert technology.carry_ns == pytest.approx(0.21032)
    assert technology.ripple_ns == pytest.approx(0.0956)
