"""The studies on Eyeriss: their numbers come out again, their figures are drawn, pages agree."""

from __future__ import annotations

import pytest
from study_files import apart, expected, figures_of, page_of


@pytest.mark.study
def test_alexnet_on_eyeriss():
    study = figures_of("eyeriss-alexnet")
    numbers, tolerance = expected("eyeriss-alexnet")
    found = study.solve()
    assert apart(study.numbers(found), numbers, tolerance) == []
    assert found["dense"][0].total == 19413479256
    assert found["compressed"][0].total == pytest.approx(5178642000.623875, rel=1e-12)
    assert len(study.draw(found).axes) == 2
    page = page_of("eyeriss-alexnet")
    for name in ("dense", "compressed"):
        assert f"{numbers[name]['energy_j'] * 1e3:.2f} mJ" in page
        assert f"{numbers[name]['latency_s'] * 1e3:.1f} ms" in page


def test_the_page_has_the_correlations_that_are_expected():
    page = page_of("macs-are-not-energy")
    numbers, _ = expected("macs-are-not-energy")
    for machine, own in numbers.items():
        for name, each in own.items():
            if "networks" in each:
                taken, count = name.split("_")[0], name.split()[-1].replace("macs", "MACs")
                cells = [f"{p['spearman']:.2f}, {p['pearson_of_logs']:.2f}"
                         for p in (each["networks"], each["layers"])]  # fmt: skip
                assert f"| `{machine}` | {taken}, {count} | {cells[0]} | {cells[1]} |" in page
