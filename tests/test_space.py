"""Variables and index vectors."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonopt.errors import SpecError
from carbonopt.space import Space
from carbonopt.variable import Variable

MIXED = [
    Variable.choice("template", ["os", "ws", "imc"]),
    Variable.pow2("rows", 32, 128),
    Variable.step("cols", 10, 30, 10),
    Variable.integer("banks", 1, 2),
    Variable.real("vdd_v", 0.6, 1.0, 5),
]


@pytest.mark.parametrize(
    ("variable", "values"),
    [
        (MIXED[1], (32, 64, 128)),
        (MIXED[2], (10, 20, 30)),
        (MIXED[3], (1, 2)),
        (MIXED[4], (0.6, 0.7, 0.8, 0.9, 1.0)),
        (Variable.choice("x", [1, 2.5]), (1.0, 2.5)),
        (Variable.step("x", 4.5, 8.5, 1), (4.5, 5.5, 6.5, 7.5, 8.5)),
        (Variable.step("x", 0.6, 1.2, 0.6), (0.6, 1.2)),
        (Variable.step("x", 0.7, 0.9, 0.1), (0.7, 0.8, 0.9)),
        (Variable.step("x", 0.2, 0.8, 0.3), (0.2, 0.5, 0.8)),
        (Variable.step("x", 0.6, 0.6, 0.1), (0.6,)),
    ],
)
def test_values_of_each_kind(variable, values):
    assert variable.values == pytest.approx(values, rel=1e-15)


def test_steps_of_fractions_are_the_numbers_that_one_writes():
    assert Variable.step("x", 0.7, 1.2, 0.1).values == (0.7, 0.8, 0.9, 1.0, 1.1, 1.2)
    assert [type(value) for value in Variable.step("x", 10.0, 30, 10).values] == [int] * 3


@pytest.mark.parametrize(
    ("values", "ordered"),
    [([1, 2, 4], True), ([4, 2, 1], True), ([1, 4, 2], False), (["1", "2"], False), ([7], True)],
)
def test_only_rising_or_falling_numbers_are_ordered(values, ordered):
    assert Variable.choice("x", values).ordered is ordered


@pytest.mark.parametrize(
    "make",
    [
        lambda: Variable.pow2("x", 3, 8),
        lambda: Variable.pow2("x", 8, 4),
        lambda: Variable.pow2("x", -4, 4),
        lambda: Variable.step("x", 1, 10, 4),
        lambda: Variable.step("x", 1, 10, 0),
        lambda: Variable.step("x", 0.6, 1.2, 0.25),
        lambda: Variable.step("x", 1.2, 0.6, 0.1),
        lambda: Variable.step("x", 0.0, float("inf"), 0.1),
        lambda: Variable.integer("x", 3, 2),
        lambda: Variable.real("x", 1.0, 0.5, 3),
        lambda: Variable.real("x", 0.0, 1.0, 1),
        lambda: Variable.choice("x", []),
        lambda: Variable.choice("x", [1, 1]),
    ],
)
def test_a_variable_that_cannot_be_says_what_is_allowed(make):
    with pytest.raises(SpecError, match=r"^x: got .*, allowed: "):
        make()


def test_a_space_needs_variables_with_names_of_their_own():
    for variables in ([], [MIXED[0], MIXED[0]]):
        with pytest.raises(SpecError, match="variables"):
            Space(variables)


def test_blocks_enumerate_every_design_once():
    space = Space(MIXED)
    designs = np.concatenate(list(space.blocks(7)))
    assert len(designs) == space.size == 3 * 3 * 3 * 2 * 5
    assert len(np.unique(designs, axis=0)) == space.size


def test_decoded_designs_encode_back_from_rows_and_from_a_table():
    space = Space(MIXED)
    index = np.concatenate(list(space.blocks()))
    decoded = space.decode(index)
    assert np.array_equal(space.encode(decoded), index)
    assert np.array_equal(space.encode(pd.DataFrame(decoded)), index)


@pytest.mark.parametrize("bad", [[[0, 0]], [[9, 0, 0, 0, 0]], [[-1, 0, 0, 0, 0]], [0], [[0.5] * 5]])
def test_an_index_that_does_not_fit_is_refused(bad):
    with pytest.raises(SpecError, match=r"designs: got .*allowed"):
        Space(MIXED).check(bad)


def test_every_value_that_a_variable_cannot_take_is_named():
    good = Space(MIXED).decode([[0] * 5])[0]
    with pytest.raises(SpecError) as caught:
        Space(MIXED).encode([{**good, "rows": 33}, {k: good[k] for k in good if k != "banks"}])
    assert caught.value.faults == [
        "design 0: rows: got 33, allowed: 32, 64, 128",
        "design 1: banks: got nothing, allowed: 1, 2",
    ]


def branching():
    """A template, a depth of two templates, a cell of one of them, rows of all."""
    depth = Variable.choice("depth", [1, 2, 4]).when("template", ["aimc", "dimc"])
    cell = Variable.choice("cell", ["sram", "rram"]).when("template", ["aimc"])
    template = Variable.choice("template", ["os", "aimc", "dimc"])
    return Space([depth, template, cell, Variable.pow2("rows", 32, 64)])


def test_designs_that_differ_where_nothing_depends_on_it_are_one():
    space = branching()
    assert space.size == 2 * (1 + 3 * 2 + 3)
    every = np.concatenate(list(space.blocks(4)))
    assert len(np.unique(every, axis=0)) == space.size
    assert np.array_equal(space.canonical(every), every)
    assert np.array_equal(space.ravel(every), np.arange(space.size))
    full = np.stack(np.unravel_index(np.arange(36), space.shape), axis=1)
    assert {*map(tuple, space.canonical(full).tolist())} == {*map(tuple, every.tolist())}


def test_what_does_not_matter_is_none_and_encodes_back():
    space = branching()
    every = np.concatenate(list(space.blocks()))
    designs = space.decode(every)
    assert {d["depth"] for d in designs if d["template"] == "os"} == {None}
    assert {d["cell"] for d in designs if d["template"] == "dimc"} == {None}
    assert np.array_equal(space.encode(designs), every)
    assert np.array_equal(space.encode(pd.DataFrame(designs)), every)
    assert space.decode([[2, 0, 1, 1]]) == [
        {"depth": None, "template": "os", "cell": None, "rows": 64}
    ]


def test_a_value_where_it_does_not_matter_is_refused():
    design = {"depth": 4, "template": "os", "cell": None, "rows": 64}
    with pytest.raises(SpecError) as caught:
        branching().encode([design])
    (fault,) = caught.value.faults
    assert fault == "design 0: depth: got 4, allowed: nothing where template is os"


@pytest.mark.parametrize(
    ("name", "values", "fault"),
    [
        ("kind", ["os"], "x: condition: got kind, allowed: template"),
        ("x", [1], "x: condition: got x, allowed: template"),
        ("template", ["ps"], "x: condition: got ps of template, allowed: os, ws"),
        ("template", [], "x: condition: got no value of template, allowed: os, ws"),
    ],
)
def test_a_condition_on_nothing_is_refused(name, values, fault):
    template = Variable.choice("template", ["os", "ws"])
    with pytest.raises(SpecError) as caught:
        Space([template, Variable.choice("x", [1, 2]).when(name, values)])
    assert str(caught.value) == fault


@pytest.mark.property
@given(st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_size_is_the_product_of_the_choices(sizes):
    space = Space([Variable.integer(f"x{i}", 1, size) for i, size in enumerate(sizes)])
    assert space.size == len(np.concatenate(list(space.blocks(3))))
