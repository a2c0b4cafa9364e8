"""A task on a device that leaks: what it draws while it runs and until the next one."""

import numpy as np
import pandas as pd
import pytest

from carbonopt.carbon.presets import load_preset
from carbonopt.carbon.task import Deployment, Task
from carbonopt.errors import SpecError

G_PER_J = 473 / 3.6e6
PERIODIC = Deployment("net", 2.0**20, 0.5)


def test_leakage_counts_while_running_and_while_waiting():
    task = Task(PERIODIC, energy_j=2.0, latency_s=0.1, area_mm2=4.0, idle_w=3.0)
    preset = load_preset("default")
    running, waiting = 3.0 * 0.1, 3.0 * 0.4
    assert task.parts_g("CA", preset)["operational"] == pytest.approx((2 + running) * G_PER_J)
    assert task.parts_g("CA", preset)["idle"] == 0.0
    assert task.parts_g("PA", preset)["operational"] == pytest.approx((2 + running) * G_PER_J)
    assert task.parts_g("PA", preset)["idle"] == pytest.approx(waiting * G_PER_J)
    gated = preset.with_values(leakage_factor=0.01)
    assert task.parts_g("PA", gated)["idle"] == pytest.approx(0.01 * waiting * G_PER_J)


@pytest.mark.parametrize("name", ["act", "carbonspot"])
@pytest.mark.parametrize("activity", ["CA", "PA"])
def test_published_presets_charge_no_leakage(name, activity):
    preset = load_preset(name)
    leaks, tight = (Task(PERIODIC, 2.0, 0.1, 4.0, idle_w) for idle_w in (3.0, 0.0))
    assert leaks.parts_g(activity, preset) == tight.parts_g(activity, preset)


@pytest.mark.parametrize("activity", ["CA", "PA"])
def test_a_faster_task_never_costs_more(activity):
    latency_s = np.geomspace(1e-3, 0.5, 9)
    task = Task(PERIODIC, 2.0, latency_s, 4.0, 3.0)
    carbon = task.carbon_g(activity, load_preset("default"))
    assert (np.diff(carbon) >= -1e-12 * carbon[1:]).all()


def test_totals_are_the_sum_of_the_parts_with_samples():
    preset = load_preset("default").with_values(leakage_factor=np.array([[0.0], [0.5], [1.0]]))
    task = Task(PERIODIC, 2.0, np.array([0.1, 0.2]), 4.0, np.array([3.0, 1.0]))
    for activity in ("CA", "PA"):
        parts = task.parts_g(activity, preset)
        assert task.carbon_g(activity, preset) == pytest.approx(sum(parts.values()), rel=1e-13)


def test_a_task_of_a_table_and_one_of_metrics():
    row = {"energy_j": 1.0, "latency_s": 0.1, "area_mm2": 2.0, "idle_w": 0.5}
    table = pd.DataFrame(
        {"energy_j@net": [1.0], "latency_s@net": [0.1], "area_mm2": [2.0], "idle_w": [0.5]}
    )
    preset = load_preset("default")
    alone = Task.of(PERIODIC, row).carbon_g("PA", preset)
    assert Task.of(PERIODIC, table, "@net").carbon_g("PA", preset) == alone
    assert Task.of(PERIODIC, table.drop(columns="idle_w"), "@net").idle_w == 0.0


def test_pa_needs_a_period():
    task = Task(Deployment("net", 0.0, None), 1.0, 0.1, 2.0)
    with pytest.raises(SpecError, match="period: net: got no period"):
        task.carbon_g("PA", load_preset("default"))


def test_a_pipelined_device_serves_a_task_per_interval():
    task = Task(PERIODIC, energy_j=2.0, latency_s=1.2, area_mm2=4.0, idle_w=3.0)
    preset = load_preset("default").with_values(late_rule="replicate", lifetime_s=1e6)
    pipelined = preset.with_values(interval_ratio=0.25)
    package = {
        activity: [
            float(task.parts_g(activity, p)["package"]) * 1e6 / 150 for p in (preset, pipelined)
        ]
        for activity in ("CA", "PA")
    }
    # CA: tau of 1.2 s or 0.3 s; PA: three devices or one, every 0.5 s
    assert package["CA"] == pytest.approx([1.2, 0.3], rel=1e-14)
    assert package["PA"] == pytest.approx([1.5, 0.5], rel=1e-14)
    pa = task.parts_g("PA", pipelined)
    assert pa["operational"] == pytest.approx((2 + 3.0 * 0.3) * G_PER_J)
    assert pa["idle"] == pytest.approx(3.0 * (0.5 - 0.3) * G_PER_J)
    shared = pipelined.with_values(late_rule="fractional")
    assert task.parts_g("PA", shared)["package"] == pytest.approx(150 * 0.5 / 1e6, rel=1e-14)
