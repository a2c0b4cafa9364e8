"""Carbon of a task for any input: what must rise, what must add up, what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonopt.carbon.die import YIELD_MODELS
from carbonopt.carbon.embodied import embodied_g
from carbonopt.carbon.presets import load_preset, preset_names
from carbonopt.carbon.scenario import ALL_PARTS, PARTS, carbon_ca, carbon_pa, total_ca, total_pa
from carbonopt.errors import ModelRangeError

SCALES = {
    "energy_j": (1e-9, 1e3),
    "latency_s": (1e-6, 1e3),
    "area_mm2": (1e-2, 1e3),
    "period_s": (1e-3, 1e3),
    "dram_gb": (1e-3, 1e2),
}
PRESETS = [load_preset(name) for name in preset_names()]

presets = st.sampled_from(PRESETS)
inputs = st.fixed_dictionaries({name: st.floats(*ends) for name, ends in SCALES.items()})
factors = st.floats(1.001, 1e3)
LARGEST_DIE_MM2 = 5e3


def raised(values, name, factor):
    """One input times a factor; no die outgrows its wafer."""
    value = values[name] * factor
    return values | {name: min(value, LARGEST_DIE_MM2) if name == "area_mm2" else value}


def totals(preset, *, period_s, **values):
    ca = carbon_ca(**values, preset=preset)
    pa = carbon_pa(**values, period_s=period_s, preset=preset)
    return float(sum(ca.values())), float(sum(pa.values()))


@pytest.mark.property
@given(presets, inputs, factors)
@pytest.mark.parametrize("name", SCALES)
def test_carbon_never_falls_when_an_input_rises(name, preset, values, factor):
    before = totals(preset, **values)
    after = totals(preset, **raised(values, name, factor))
    assert after[0] >= before[0]
    assert after[1] >= before[1]


@pytest.mark.property
@given(presets, inputs, factors)
@pytest.mark.parametrize("name", ["energy_j", "latency_s", "area_mm2"])
def test_ca_carbon_rises_part_by_part(name, preset, values, factor):
    values.pop("period_s")
    before = carbon_ca(**values, preset=preset)
    after = carbon_ca(**raised(values, name, factor), preset=preset)
    grown = {
        "energy_j": {"operational"},
        "area_mm2": {"fab_energy", "fab_gas", "fab_material"},
        "latency_s": set(PARTS) - {"operational"},
    }
    assert {part for part in ALL_PARTS if after[part] > before[part]} == grown[name]


@pytest.mark.property
@given(inputs)
def test_ca_is_pa_when_the_period_is_the_latency(values):
    values["period_s"] = values["latency_s"]
    ca, pa = totals(load_preset("default"), **values)
    assert ca == pa


@pytest.mark.property
@given(inputs)
def test_late_rules_differ_only_for_late_designs(values):
    rules = ("infeasible", "replicate", "fractional")
    rules = {rule: load_preset("default").with_values(late_rule=rule) for rule in rules}
    late = values["latency_s"] > values["period_s"]
    energy_area = {name: values[name] for name in ("energy_j", "area_mm2", "dram_gb")}
    for rule, preset in rules.items():
        package = carbon_pa(**values, preset=preset)["package"]
        charged = values["latency_s"] if late and rule == "fractional" else values["period_s"]
        if rule == "replicate":
            charged *= math.ceil(values["latency_s"] / values["period_s"])
        as_ca = carbon_ca(**energy_area, latency_s=charged, preset=preset)["package"]
        assert package == as_ca


@pytest.mark.property
@given(inputs)
def test_embodied_parts_are_the_task_parts_of_a_whole_lifetime(values):
    preset = load_preset("default")
    lifetime = values | {"latency_s": preset.lifetime_s}
    lifetime.pop("period_s")
    task = carbon_ca(**lifetime, preset=preset)
    device = embodied_g(values["area_mm2"], values["dram_gb"], preset)
    assert set(device) == set(ALL_PARTS) - {"operational", "idle"}
    for part, value in device.items():
        assert task[part] == value


def draw(rng, n):
    return {name: 10 ** rng.uniform(*np.log10(ends), n) for name, ends in SCALES.items()}


@pytest.mark.property
@pytest.mark.parametrize("preset", PRESETS, ids=preset_names())
def test_a_design_does_not_depend_on_its_batch(rng, preset):
    batch, order = draw(rng, 50), rng.permutation(50)
    whole = carbon_pa(**batch, preset=preset)
    shuffled = carbon_pa(**{name: value[order] for name, value in batch.items()}, preset=preset)
    alone = carbon_pa(**{name: value[7] for name, value in batch.items()}, preset=preset)
    for part in PARTS:
        np.testing.assert_array_equal(whole[part][order], shuffled[part])
        assert whole[part][7] == alone[part]


def sampled(preset, rng, m):
    """A preset of which many numbers are samples."""
    names = (
        *("lifetime_s", "use_g_per_kwh", "fab_g_per_kwh", "fab_kwh_per_mm2", "gas_g_per_mm2"),
        *("material_g_per_mm2", "defects_per_mm2", "package_g", "dram_ca_g_per_gb"),
        *("dram_pa_g_per_gb", "clustering", "pue", "volume", "wafer_mm"),
    )
    values = {name: getattr(preset, name) * rng.uniform(1, 2, (m, 1)) for name in names}
    for name in (
        "line_yield",
        "utilisation",
        "interval_ratio",
        "memory_yield",
        "decarbonisation_per_year",
    ):
        values[name] = rng.uniform(0.5, 0.9, (m, 1))
    for name in ("board_g", "design_g", "end_of_life_g", "package_kwh_per_mm2"):
        values[name] = rng.uniform(0.0, 9.0, (m, 1))
    return preset.with_values(**values), values


@pytest.mark.property
@pytest.mark.parametrize("rule", ["infeasible", "replicate", "fractional"])
@pytest.mark.parametrize("accounting", ["area", "wafer"])
@pytest.mark.parametrize("model", YIELD_MODELS)
def test_samples_meet_designs_as_one_by_one(rng, rule, accounting, model):
    base = load_preset("default").with_values(
        late_rule=rule, accounting=accounting, yield_model=model
    )
    preset, values = sampled(base, rng, 4)
    designs = draw(rng, 6)
    period_s = designs.pop("period_s")
    more = {"interval_s": designs["latency_s"] / 3, "idle_w": rng.uniform(0, 1e-3, 6)}
    pa = carbon_pa(**designs, period_s=period_s, preset=preset, **more)
    ca = carbon_ca(**designs, preset=preset)
    assert {part.shape for part in (*pa.values(), *ca.values())} == {(4, 6)}
    for i in range(4):
        one = base.with_values(**{name: float(sample[i, 0]) for name, sample in values.items()})
        alone = carbon_pa(**designs, period_s=period_s, preset=one, **more)
        for part in ALL_PARTS:
            np.testing.assert_allclose(pa[part][i], alone[part], rtol=1e-14)
    totals_pa = total_pa(**designs, period_s=period_s, preset=preset, **more)
    np.testing.assert_allclose(totals_pa, sum(pa.values()), rtol=1e-13)
    np.testing.assert_allclose(total_ca(**designs, preset=preset), sum(ca.values()), rtol=1e-13)


def test_idle_and_replicas_by_hand():
    preset = load_preset("default").with_values(late_rule="replicate")
    parts = carbon_pa(0.0, 2.5, 1.0, 1.0, 0.0, preset, idle_w=1.0)
    assert parts["package"] == 150 * 3 / preset.lifetime_s  # three devices take turns
    assert parts["idle"] == pytest.approx(0.5 / 3.6e6 * 473, rel=1e-14)
    pipelined = carbon_pa(0.0, 2.5, 1.0, 1.0, 0.0, preset, interval_s=0.9, idle_w=1.0)
    assert pipelined["package"] == 150 / preset.lifetime_s
    assert pipelined["idle"] == pytest.approx(0.1 / 3.6e6 * 473, rel=1e-14)
    on_time = carbon_pa(0.0, 0.25, 1.0, 1.0, 0.0, load_preset("default"), idle_w=1.0)
    assert on_time["idle"] == pytest.approx(0.75 / 3.6e6 * 473, rel=1e-14)


def test_continuous_activity_counts_the_interval_and_the_share_of_use():
    preset = load_preset("default").with_values(utilisation=0.5)
    parts = carbon_ca(1.0, 2.0, 1.0, 0.0, preset, interval_s=0.5)
    assert parts["package"] == 150 * 0.5 / (0.5 * preset.lifetime_s)


def test_what_is_charged_beside_die_package_and_memory():
    preset = load_preset("default").with_values(
        board_g=10.0,
        design_g=1e6,
        volume=1e4,
        end_of_life_g=3.0,
        package_kwh_per_mm2=0.002,
        package_g=0.0,
    )
    device = embodied_g(10.0, 0.0, preset)
    got = {part: float(device[part]) for part in ("board", "design", "end_of_life", "package")}
    assert got == {"board": 10.0, "design": 100.0, "end_of_life": 3.0, "package": 15.24}


def test_scalars_and_batches_mix():
    preset = load_preset("default")
    parts = carbon_pa(1e-3, np.full(4, 1e-2), 2.0, [0.1, 0.2, 0.3, 0.4], 0.0, preset)
    assert list(parts) == list(ALL_PARTS)
    assert {value.shape for value in parts.values()} == {(4,)}
    parts["package"][0] = 0.0  # results are the caller's own


def test_default_by_hand():
    parts = carbon_pa(3.6e6, 1.0, 100.0, 94672.8, 1.0, load_preset("default"))
    die_with_scribe_mm2 = (10 + 0.1) ** 2
    dies = math.pi * 294**2 / (4 * die_with_scribe_mm2)
    dies -= math.pi * 294 / math.sqrt(2 * die_with_scribe_mm2)
    good = 0.95 * (1 + 100 * 0.0007 / 10) ** -10
    charged_cm2 = math.pi * 300**2 / 4 / 100 / (dies * good)
    expected = {
        "operational": 473.0,
        "fab_energy": 635 * 0.9 * charged_cm2 / 1000,
        "fab_gas": 137.5 * charged_cm2 / 1000,
        "fab_material": 500 * charged_cm2 / 1000,
        "package": 0.150,
        "dram": 0.290,
        **dict.fromkeys(ALL_PARTS[6:], 0.0),
    }
    assert {part: float(value) for part, value in parts.items()} == pytest.approx(expected, 1e-14)


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf])
@pytest.mark.parametrize("name", SCALES)
def test_refuses_what_no_device_has(name, bad):
    values = {key: np.ones(3) for key in SCALES}
    values[name][1] = bad
    with pytest.raises(ModelRangeError, match=rf"^{name}: got {bad} at position 1, allowed: "):
        carbon_pa(**values, preset=load_preset("default"))


@pytest.mark.parametrize("name", ["latency_s", "period_s"])
def test_refuses_zero_time(name):
    values = dict.fromkeys(SCALES, 1.0) | {name: 0.0}
    with pytest.raises(ModelRangeError, match=rf"^{name}: got 0.0, allowed: above 0"):
        carbon_pa(**values, preset=load_preset("default"))


def test_empty_batch_is_empty():
    parts = carbon_ca([], [], [], [], load_preset("default"))
    assert all(value.shape == (0,) for value in parts.values())
