"""Gates at other nodes and supplies, by each rule, and where the threshold comes from."""

from __future__ import annotations

import numpy as np
import pytest

from carbonopt.data.tables import load_facts
from carbonopt.errors import ModelRangeError
from carbonopt.hardware.cacti import sram_column
from carbonopt.hardware.scaling import scaled_technology, supply_delay
from carbonopt.hardware.technology import load_technology


def test_nothing_changes_at_the_node_and_supply_of_the_gates():
    for rule in ("ideal", "zigzag-imc"):
        assert scaled_technology(28.0, 0.9, rule) == load_technology()


def test_rules_at_22_nm():
    base, ratio = load_technology(), 22 / 28
    ours, theirs = (scaled_technology(22.0, 0.9, rule) for rule in ("ideal", "zigzag-imc"))
    assert ours.nand_pf == theirs.nand_pf == pytest.approx(base.nand_pf * ratio)
    assert ours.nand_mm2 == pytest.approx(base.nand_mm2 * ratio**2)
    assert theirs.nand_mm2 == pytest.approx(base.nand_mm2 * ratio)
    assert ours.nand_ns == pytest.approx(base.nand_ns * ratio)
    assert theirs.nand_ns == base.nand_ns
    assert ours.converter_area == theirs.converter_area == pytest.approx(ratio)
    assert theirs.converter_energy == theirs.converter_delay == 1


def test_the_threshold_is_that_of_a_chip_measured_at_five_supplies():
    """Wang, JSSC 2022 (22 nm): TOP/s at 0.7 to 1.1 V, as CiMLoop restates them."""
    supply = np.array([0.7, 0.8, 0.9, 1.0, 1.1])
    tops = np.array([0.2947, 0.3544, 0.3968, 0.4459, 0.4887])
    facts = load_facts("imc_scaling.csv")

    def misses(threshold_v: float) -> float:
        slowness = supply_delay(supply, threshold_v, facts["ideal.alpha"]) * tops
        return float(np.std(np.log(slowness)))

    thresholds = np.arange(0.2, 0.5, 0.01)
    best = thresholds[np.argmin([misses(v) for v in thresholds])]
    assert best == pytest.approx(facts["ideal.threshold_v"], abs=0.005)
    assert misses(best) < 0.01


def test_zigzag_delays_do_not_depend_on_the_supply():
    low, high = (scaled_technology(28.0, v, "zigzag-imc") for v in (0.6, 1.2))
    assert low.nand_ns == high.nand_ns
    assert scaled_technology(28.0, 0.6).nand_ns > 1.5 * load_technology().nand_ns


def test_sram_between_two_nodes_lies_between_them():
    small, middle, large = (
        float(sram_column("area_mm2", 100, nm, what="cells")) for nm in (45.0, 55.0, 65.0)
    )
    assert small < middle < large
    many = sram_column("area_mm2", np.array([100.0, 64.0]), np.array([55.0, 28.0]), what="cells")
    assert many[0] == pytest.approx(middle)
    assert many[1] == pytest.approx(0.000599327 * 0.81, rel=1e-12)
    with pytest.raises(ModelRangeError, match="cells: node: got 7 nm, allowed: 22 to 90 nm"):
        sram_column("area_mm2", 64, 7.0, what="cells")
