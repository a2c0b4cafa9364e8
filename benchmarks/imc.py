"""Macros per second and core: area, clock, peak energy and peak figures of random designs.

python benchmarks/imc.py
"""

from __future__ import annotations

from functools import partial

import numpy as np
from timing import least_cpu_s

from carbonopt.hardware.imc import Activity, ImcMacro, derived_adc_bits, load_form
from carbonopt.hardware.imc_model import macro_peak
from carbonopt.hardware.technology import Technology, load_technology

DESIGNS, BLOCK, REPEATS = 1_000_000, 10_000, 5
TARGET = 2e6


def designs(kind: str, count: int, form: str) -> ImcMacro:
    rng = np.random.default_rng(1)
    rows = 2.0 ** rng.integers(5, 12, count)
    applied = rng.choice([1.0, 2.0], count)
    return ImcMacro(
        kind,
        rng.integers(8, 1024, count).astype(float),
        rows,
        rng.choice([2.0, 4.0, 8.0], count),
        rng.choice([4.0, 8.0], count),
        applied,
        derived_adc_bits(applied, rows),
        rng.integers(1, 16, count).astype(float),
        rng.choice([1.0, 2.0, 4.0], count),
        form=load_form(form),
    )


def peaks(technology: Technology, block: ImcMacro, activity: Activity) -> None:
    """Peak figures of all designs, block by block."""
    for _ in range(DESIGNS // BLOCK):
        macro_peak(technology, block, activity)


def main() -> None:
    technology, activity = load_technology(), Activity.of_data(0.5, 0.5)
    for form in ("default", "zigzag-imc", "zigzag"):
        for kind in ("dimc", "aimc"):
            block = designs(kind, BLOCK, form)
            rate = DESIGNS / least_cpu_s(partial(peaks, technology, block, activity), REPEATS)
            print(f"{form}, {kind}: {rate / 1e6:.2f} M macros/s (target {TARGET / 1e6:g} M)")


if __name__ == "__main__":
    main()
