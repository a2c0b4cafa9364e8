"""The list of metrics."""

import pytest

from carbonopt.errors import SpecError
from carbonopt.objectives import GIVEN, METRICS, metric, metric_names


def test_every_metric_has_a_unit_and_a_label():
    ours = [m for m in METRICS.values() if m not in GIVEN]
    assert all(m.unit and m.label and m.unit in m.title for m in ours)


def test_what_users_give_has_the_unit_that_they_mean():
    assert all(m.label == m.title and m.reference == "given by the user" for m in GIVEN)
    with pytest.raises(SpecError, match="got 'quality_loss@resnet8'"):
        metric("quality_loss@resnet8")


def test_a_metric_of_one_network_names_it():
    one = metric("latency_s@resnet8")
    assert (one.name, one.unit, one.label) == (
        "latency_s@resnet8",
        "s",
        "latency per inference, resnet8",
    )


@pytest.mark.parametrize("name", ["latency", "latency_s@", "area_mm2@resnet8", "@resnet8", ""])
def test_an_unknown_metric_is_refused_with_all_that_are_known(name):
    with pytest.raises(SpecError, match="allowed: latency_s, energy_j, carbon_ca_g"):
        metric(name)


def test_names_list_the_networks_too():
    assert "energy_j@kws" in metric_names(["kws"])
    assert "area_mm2@kws" not in metric_names(["kws"])
