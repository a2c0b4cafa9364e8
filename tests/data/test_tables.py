"""Data tables: every number has a source, lookups and interpolation say where they end."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from carbonopt.data import tables
from carbonopt.data.tables import (
    FACT_COLUMNS,
    FOLDER,
    LICENCES,
    NOT_GIVEN,
    data_hash,
    describe_facts,
    interpolate_log_log,
    load_facts,
    load_table,
)
from carbonopt.errors import ModelRangeError, SpecError

SHIPPED = sorted(path.name for path in FOLDER.glob("*.csv"))
HEADER = ",".join(FACT_COLUMNS)


@pytest.fixture
def table(tmp_path):
    def write(*lines: str) -> str:
        path = tmp_path / "table.csv"
        path.write_text("\n".join(lines) + "\n")
        return str(path)

    return write


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_row_has_a_source(name):
    shipped = load_table(name)
    assert len(shipped) > 0
    assert (shipped["source"].str.len() > 0).all()


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_row_has_a_licence_that_allows_shipping(name):
    assert set(load_table(name)["licence"]) <= set(LICENCES)


@pytest.mark.parametrize("licence", ["", "ODbL-1.0", "CC-BY-NC-4.0", "none", "AGPL-3.0"])
def test_a_row_that_may_not_be_shipped_is_refused(tmp_path, monkeypatch, licence):
    monkeypatch.setattr(tables, "FOLDER", tmp_path)
    lines = f"x,source,licence\n1,S,MIT\n2,S,{licence}\n3,S,{licence}\n"
    (tmp_path / "grid.csv").write_text(lines)
    with pytest.raises(SpecError, match=r"grid.csv:3: licence: got .*, allowed: BSD-3") as caught:
        load_table("grid.csv")
    assert len(caught.value.faults) == 2
    (tmp_path / "grid.csv").write_text("x,source\n1,S\n")
    with pytest.raises(SpecError, match=r"grid.csv:1: .*required: licence"):
        load_table("grid.csv")


CARBON = (
    *("bom_parts", "carbon_presets", "carbon_priors", "fab_nodes", "grid_intensity"),
    *("literature_fab", "literature_suites", "memory_carbon", "packaging"),
)


@pytest.mark.parametrize("name", CARBON)
def test_every_figure_of_carbon_has_a_unit_a_year_and_a_range_or_a_reason_for_none(name):
    with (FOLDER / f"{name}.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        assert row["unit"], row
        assert 2000 <= int(row["year"]) <= 2026, row
        assert row["range"], row
        for end in ("low", "high"):
            assert row[end] == NOT_GIVEN or float(row[end]) >= 0.0, row


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"year": ""}, "year: got nothing, required: when the source says so"),
        ({"low": ""}, "low: got nothing, required: a number, or not given"),
        ({"high": ""}, "high: got nothing, required: a number, or not given"),
        ({"range": ""}, "range: got nothing, required: what low and high span, or why there are"),
    ],
)
def test_a_shipped_row_that_says_too_little_is_refused(tmp_path, monkeypatch, changes, told):
    monkeypatch.setattr(tables, "FOLDER", tmp_path)
    row = {"x": "1", "low": NOT_GIVEN, "high": "2", "range": "of two papers", "year": "2024"}
    row |= {"source": "S", "licence": "MIT"}
    file = tmp_path / "mine.csv"
    file.write_text(",".join(row) + "\n" + ",".join(row.values()) + "\n")
    table = load_table("mine.csv")
    assert np.isnan(table["low"][0])
    assert table["high"][0] == 2.0
    file.write_text(",".join(row) + "\n" + ",".join((row | changes).values()) + "\n")
    with pytest.raises(SpecError, match=f"mine.csv:2: {told}"):
        load_table("mine.csv")


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_fact_table_is_sound(name):
    if "key" in load_table(name):
        assert load_facts(name)


def test_facts_by_key(table):
    path = table(
        HEADER, "a.b,1.5,g,1,2,Someone 2020,Table 1,MIT,2020,", 'c,-3,-,,,Else,"p. 3, 4",MIT,,x'
    )
    assert dict(load_facts(path)) == {"a.b": 1.5, "c": -3.0}
    fact = describe_facts(path)["c"]
    assert (fact.unit, fact.low, fact.year, fact.locator) == ("-", None, None, "p. 3, 4")


def test_facts_cannot_be_changed_by_a_reader():
    with pytest.raises(TypeError):
        load_facts("carbon_presets.csv")["default.package_g"] = 0.0


def test_numbers_are_read_to_the_last_bit(table):
    path = table("x,name,source", "0.1234567890123456789,a,S", ",b,S")
    read = load_table(path)
    assert read["x"][0] == 0.1234567890123456789
    assert np.isnan(read["x"][1])
    assert list(read["name"]) == ["a", "b"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,1,g,,,,,,,", r"table.csv:2: source: got nothing"),
        ("a,1,g,,,  ,,,,", r"table.csv:2: source: got nothing"),
        ("a,1,g,,,S,,", r"table.csv:2: got a row that does not fit"),
        ("a,1,g,,,S,,,,,more", r"table.csv:2: got a row that does not fit"),
        ("a,one,g,,,S,,,,", r"table.csv:2: a: .*'one'"),
        ("a,inf,g,,,S,,,,", r"table.csv:2: a: value: got inf"),
        ("a,1,,,,S,,,,", r"table.csv:2: a: unit: got nothing"),
        ("a,1,g,2,3,S,,,,", r"table.csv:2: a: value: got 1.0, allowed by its own row: 2.0 to 3.0"),
    ],
)
def test_faulty_rows_are_refused(table, row, message):
    with pytest.raises(SpecError, match=message):
        describe_facts(table(HEADER, row))


def test_all_faults_at_once(table):
    path = table(HEADER, "a,1,g,,,S,,,,", "a,2,g,,,S,,,,", "b,x,g,,,S,,,,", "c,1,,,,S,,,,")
    with pytest.raises(SpecError) as caught:
        describe_facts(path)
    assert len(caught.value.faults) == 3
    assert "a: got the key twice" in caught.value.faults[0]


def test_missing_file_and_columns_are_named(table):
    with pytest.raises(SpecError, match=r"no such table, shipped: .*carbon_presets.csv"):
        load_table("carbon_preset.csv")
    with pytest.raises(SpecError, match=r"required: source"):
        load_table(table("key,value", "a,1"))
    with pytest.raises(SpecError, match=r"missing columns \['value'"):
        describe_facts(table("key,source", "a,S"))


def test_hash_changes_with_any_number(tmp_path, monkeypatch):
    shipped = data_hash()
    assert data_hash() == shipped
    assert len(shipped) == 64
    for name in SHIPPED:
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    monkeypatch.setattr(tables, "FOLDER", tmp_path)
    assert data_hash() == shipped
    presets = tmp_path / "carbon_presets.csv"
    presets.write_text(presets.read_text().replace("0.875", "0.876"))
    assert data_hash() != shipped


def test_interpolation_meets_the_table_and_power_laws(rng):
    xs = np.array([1.0, 2.0, 8.0, 100.0])
    ys = 3.0 * xs**1.7
    x = rng.uniform(1, 100, 40)
    got = interpolate_log_log(x, xs, ys, name="law", unit="row")
    np.testing.assert_allclose(got, 3.0 * x**1.7, rtol=1e-13)
    at_points = interpolate_log_log(xs, xs, [0.1, 0.7, 0.2, 0.3], name="law", unit="row")
    np.testing.assert_array_equal(at_points, [0.1, 0.7, 0.2, 0.3])


@pytest.mark.parametrize("x", [0.99, 100.1, np.nan, -1.0])
def test_interpolation_ends_with_the_table(x):
    with pytest.raises(
        ModelRangeError, match=rf"SRAM rows: got {x:g} rows, allowed: 1 to 100 rows"
    ):
        interpolate_log_log([5.0, x], [1, 10, 100], [1, 2, 3], name="SRAM rows", unit="rows")
