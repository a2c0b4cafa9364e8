"""Grids: figures by region and year, the hours of the day, and what a user gets wrong."""

from __future__ import annotations

import numpy as np
import pytest

from carbonopt.carbon.deployment import deployed_preset
from carbonopt.carbon.grid import (
    HOURS,
    effective_g_per_kwh,
    grid_intensity,
    hour_weights,
    hourly_profile,
    profile_names,
    region_names,
)
from carbonopt.carbon.operational import mean_over_lifetime
from carbonopt.carbon.presets import load_preset
from carbonopt.data.tables import load_table
from carbonopt.errors import SpecError

YEAR_S = 365.25 * 86400.0


def test_countries_states_and_sources_are_there():
    kinds = load_table("grid_intensity.csv")["kind"].value_counts()
    assert kinds["country"] >= 2 * 190
    assert kinds["state"] == 51
    assert kinds["energy source"] == 8
    assert len(region_names()) >= 280


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("Taiwan", 635.651),
        ("twn", 635.651),
        ("Taiwan 2023", 642.378),
        ("USA", 383.549),
        ("usa/california", 179.064),
        ("coal", 820.0),
        ("World", 472.94),
        ("act/taiwan 2022", 583.0),
    ],
)
def test_figures_by_name(region, expected):
    assert grid_intensity(region) == expected


@pytest.mark.parametrize(
    ("region", "message"),
    [
        ("Tiwan", "nearest: Taiwan"),
        ("california", "nearest: USA/California"),
        ("USA/Texs", "nearest: USA/Texas"),
        ("Taiwan 1990", "got 'Taiwan' 1990, years of this region: 2023, 2024"),
        ("", "nearest: World, USA, Taiwan"),
    ],
)
def test_unknown_regions_get_the_nearest(region, message):
    with pytest.raises(SpecError, match=message):
        grid_intensity(region)


def test_every_grid_has_a_whole_day_in_every_season():
    for name in profile_names():
        for season in ("ALL", "DJF", "MAM", "JJA", "SON"):
            hours = hourly_profile(name, season)
            assert hours.shape == (HOURS,)
            assert (hours > 0).all()


def test_seasons_make_the_year():
    year = hourly_profile("US/CISO")
    days = {"DJF": 90, "MAM": 92, "JJA": 92, "SON": 91}
    mean = sum(n * hourly_profile("US/CISO", season) for season, n in days.items()) / 365
    np.testing.assert_allclose(mean, year, rtol=2e-3)


def test_when_a_device_runs():
    hours = np.arange(24.0)
    assert effective_g_per_kwh(hours, "flat") == 11.5
    assert effective_g_per_kwh(hours, "00:00-04:00") == 1.5
    assert effective_g_per_kwh(hours, "22:00-02:00") == (22 + 23 + 0 + 1) / 4
    assert effective_g_per_kwh(hours, "06:00-06:00") == pytest.approx(11.5)
    assert effective_g_per_kwh(hours[::-1], "best 3 h") == 1.0
    assert hour_weights(hours, "20:00-24:00").nonzero()[0].tolist() == [20, 21, 22, 23]


def test_the_best_hours_are_never_worse_than_any_window():
    for name in profile_names():
        hours = hourly_profile(name)
        best = effective_g_per_kwh(hours, "best 4 h")
        windows = [f"{h}:00-{(h + 4) % 24}:00" for h in range(24)]
        assert best <= min(effective_g_per_kwh(hours, window) for window in windows)
        assert best <= effective_g_per_kwh(hours, "flat")


@pytest.mark.parametrize("when", ["", "night", "25:00-03:00", "6:30-7:00", "best 0 h", "best 25 h"])
def test_unknown_times_are_refused(when):
    with pytest.raises(SpecError, match=r"when: got .*, allowed: flat, a window"):
        hour_weights(np.ones(24), when)


def write(path, rows, head="hour,g_per_kwh"):
    path.write_text("\n".join([head, *rows]) + "\n")
    return str(path)


def test_a_profile_of_the_user(tmp_path):
    rows = [f"{hour},{100 + hour}" for hour in reversed(range(24))]
    hours = hourly_profile(write(tmp_path / "mine.csv", rows))
    assert hours.tolist() == [100.0 + hour for hour in range(24)]
    preset = deployed_preset(profile=str(tmp_path / "mine.csv"), when="best 1 h")
    assert preset.drawn_g_per_kwh == pytest.approx(100.0, rel=1e-15)
    assert preset.use_g_per_kwh == 111.5


def test_a_day_of_23_hours_is_refused_with_all_faults(tmp_path):
    rows = [f"{hour},1" for hour in range(22)] + ["24,1", "3,1", "22,-5", "x,1", "23,one"]
    with pytest.raises(SpecError) as caught:
        hourly_profile(write(tmp_path / "mine.csv", rows))
    faults = [fault.rpartition("mine.csv")[2] for fault in caught.value.faults]
    assert faults[0] == ":24: hour: got 24, allowed: 0 to 23, each once"
    assert len(faults) == 6
    short = [f"{hour},1" for hour in range(23)]
    with pytest.raises(SpecError, match=r"got 23 hours, required: 24; missing: 23"):
        hourly_profile(write(tmp_path / "mine.csv", short))
    with pytest.raises(SpecError, match=r"required: hour, g_per_kwh"):
        hourly_profile(write(tmp_path / "mine.csv", short, head="h,g"))
    with pytest.raises(SpecError, match=r"which is no file"):
        hourly_profile(str(tmp_path / "none.csv"))


def test_a_grid_that_gets_cleaner():
    years = np.linspace(0, 3, 300_001)
    numeric = np.trapezoid(0.9**years, years) / 3
    assert mean_over_lifetime(0.1, 3 * YEAR_S) == pytest.approx(numeric, rel=1e-9)
    assert mean_over_lifetime(0.0, 3 * YEAR_S) == 1.0
    mixed = mean_over_lifetime(np.array([[0.0], [0.1]]), 3 * YEAR_S)
    assert mixed.shape == (2, 1)


@pytest.mark.parametrize(
    ("name", "first"), [("US", "United States"), ("UK", "United Kingdom"), ("de", "Germany")]
)
def test_a_short_name_is_told_the_country_that_it_may_mean(name, first):
    with pytest.raises(SpecError, match=rf"region: got '{name}', nearest: {first}(,|$)"):
        grid_intensity(name)


def test_a_profile_of_the_user_has_no_seasons(tmp_path):
    file = write(tmp_path / "mine.csv", [f"{hour},100" for hour in range(24)])
    with pytest.raises(SpecError, match=r"season: got JJA beside .*, allowed: beside a shipped"):
        hourly_profile(file, "JJA")


@pytest.mark.parametrize("content", [b"hour,g_per_kwh\n\xff\xfe,3\n", b"hour,g_per_kwh\n0,\x803\n"])
def test_a_profile_that_is_no_text_is_refused(tmp_path, content):
    file = tmp_path / "mine.csv"
    file.write_bytes(content)
    with pytest.raises(SpecError, match=r"profile: got .*mine.csv, no UTF-8 text, allowed: a CSV"):
        hourly_profile(str(file))


def test_a_profile_beside_a_region_gives_the_shape_alone():
    hours = hourly_profile("US/CISO")
    ratio = effective_g_per_kwh(hours, "best 4 h") / hours.mean()
    preset = deployed_preset(region="France", profile="US/CISO", when="best 4 h")
    assert preset.drawn_g_per_kwh == pytest.approx(ratio * grid_intensity("France"), rel=1e-14)
    assert preset.use_g_per_kwh == grid_intensity("France")
    level = deployed_preset(use_g_per_kwh=100.0, profile="US/CISO", when="flat")
    assert level.drawn_g_per_kwh == pytest.approx(100.0)


def test_a_profile_alone_keeps_the_level_of_a_preset_that_is_given(tmp_path):
    own = deployed_preset(region="France")
    rows = [f"{hour},{100 if hour < 12 else 300}" for hour in range(24)]
    file = write(tmp_path / "mine.csv", rows)
    night = deployed_preset(own, profile=file, when="00:00-12:00")
    assert night.use_g_per_kwh == own.use_g_per_kwh == grid_intensity("France")
    assert night.drawn_g_per_kwh == pytest.approx(0.5 * grid_intensity("France"), rel=1e-15)
    # by name no level is set yet: the profile's own, 200 g/kWh
    assert deployed_preset("default", profile=file).drawn_g_per_kwh == 200.0
    # a profile of another day takes the place of the first, not a share of it
    again = deployed_preset(night, profile=file, when="12:00-24:00")
    assert again.drawn_g_per_kwh == pytest.approx(1.5 * grid_intensity("France"), rel=1e-15)
    # a new region is drawn all day
    assert deployed_preset(night, region="wind").drawn_g_per_kwh == 11.0
    assert deployed_preset(night, lifetime_s=1.0).drawn_g_per_kwh == night.drawn_g_per_kwh


def test_a_profile_without_carbon_has_no_shape(tmp_path):
    file = write(tmp_path / "clean.csv", [f"{hour},0" for hour in range(24)])
    assert deployed_preset(profile=file, when="best 4 h").drawn_g_per_kwh == 0.0


def test_a_deployment_reports_all_faults_at_once():
    with pytest.raises(SpecError) as caught:
        deployed_preset(region="Tiwan", fab_region="Frence", memory="lpdr5", lifetime_s=0.0, pew=1)
    begins = [
        "region: ",
        "fab_region: ",
        "memory: ",
        "carbon preset: lifetime_s: ",
        "carbon preset: pew: ",
    ]
    assert all(
        fault.startswith(begin) for fault, begin in zip(caught.value.faults, begins, strict=True)
    )


def test_a_deployment_without_a_word_is_the_preset():
    for name in ("act", "carbonspot", "default"):
        assert deployed_preset(name) == load_preset(name)


def test_a_memory_by_name_takes_the_yield_of_the_preset():
    assert deployed_preset("act", memory="ddr4_10nm").dram_g_per_gb("PA") == 65 / 0.875
    assert deployed_preset(memory="hbm3e").dram_g_per_gb("CA") == 240.0
