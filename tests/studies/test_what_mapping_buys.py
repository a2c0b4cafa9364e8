"""The study of mappings: numbers of some networks come out again, the page agrees with them."""

from __future__ import annotations

import pytest
from study_files import apart, expected, figures_of, page_of

NAME = "what-mapping-buys"
MEANT = ("energy_j", "latency_s", "edp_js", "carbon_ca_g")


@pytest.mark.study
@pytest.mark.slow
def test_small_networks_save_what_is_expected():
    study, (numbers, tolerance) = figures_of(NAME), expected(NAME)
    networks, layers = study.solve(["resnet8", "ds_cnn", "autoencoder", "mobilenet_v1"])
    found = study.numbers(networks, layers)["times less"]
    assert len(found) == 16
    wanted = {pair: numbers["times less"][pair] for pair in found}
    assert apart(found, wanted, tolerance) == []
    assert layers["tiles"].min() > 1 - 1e-9
    assert (layers["all"] > (1 - 1e-9) * layers["tiles"]).all()
    assert len(study.draw(networks, layers).axes) == 2


def test_the_page_has_the_numbers_that_are_expected():
    page, (numbers, _) = page_of(NAME), expected(NAME)
    for machine, mean in numbers["mean"].items():
        most = max(own["carbon_ca_g"] for pair, own in numbers["times less"].items()
                   if pair.endswith(f" {machine}"))  # fmt: skip
        cells = [f"{mean[name]:.3f}" for name in MEANT]
        assert f"| `{machine}` | {' | '.join(cells)} | {most:.2f} |" in page
    for kind in ("depthwise", "1 x 1", "convolution", "dense", "attention"):
        own = numbers["layers"]
        count, median, most = (own[f"{kind} {each}"] for each in ("count", "median", "max"))
        cells = [f"{each[part]:.2f}" for part in ("tiles", "all") for each in (median, most)]
        assert f"| {kind} | {count['all']:.0f} | {' | '.join(cells)} |" in page
    for share, times in numbers["quantiles"].items():
        assert share in ("0.25", "0.5", "0.75", "0.9", "0.95")
        assert f"{times:.2f}" in page
    for network, best in numbers["best"].items():
        assert f"`{network}`" in page
        assert best == {"reference": "dimc", "optimal": "aimc"}
