from __future__ import annotations

import itertools
from dataclasses import replace

import pandas as pd
import pytest
from matplotlib.figure import Figure

from carbonopt.front.front import Front
from carbonopt.objectives import Metric
from carbonopt.report.columns import exact_hypervolume
from carbonopt.report.figures import (
    panel_pairs,
    plot_carbon,
    plot_front,
    plot_hypervolume,
    plot_run,
)


def panels(figure: Figure) -> list:
    return [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]


def legend_texts(figure: Figure) -> set[str]:
    return {text.get_text() for legend in figure.legends for text in legend.get_texts()}


def test_a_run_gives_four_pngs(front, tmp_path):
    paths = plot_run(front, tmp_path / "figures")
    assert [path.name for path in paths] == [
        "front.png",
        "carbon.png",
        "breakdown.png",
        "hypervolume.png",
    ]
    for path in paths:
        assert path.read_bytes().startswith(b"\x89PNG")


def test_every_panel_of_the_front_names_its_axes_with_units(front):
    figure = plot_front(front)
    labels = [(axes.get_xlabel(), axes.get_ylabel()) for axes in panels(figure)]
    assert labels == [
        ("latency [ms]", "energy [µJ]"),
        ("latency [ms]", "carbon CA [ng]"),
        ("energy [µJ]", "carbon PA [ng]"),
        ("carbon CA [ng]", "carbon PA [ng]"),
    ]
    assert all(axes.get_xscale() == "log" for axes in panels(figure))


def test_the_legend_tells_templates_clouds_and_exact_front_apart(front):
    expected = {"aimc", "dimc", "digital_os", "digital_ws"}
    expected |= {"dominated", "infeasible", "beyond the limit", "exact front"}
    assert legend_texts(plot_front(front)) == expected


def test_the_exact_front_is_drawn_beside_the_found_one(front):
    rings = [
        drawn
        for axes in panels(plot_front(front))
        for drawn in axes.collections
        if drawn.get_label() == "exact front"
    ]
    assert {len(drawn.get_offsets()) for drawn in rings} == {len(front.reference)}


def test_the_shading_starts_at_the_frame_period(front):
    first = panels(plot_front(front))[0]
    shades = [patch for patch in first.patches if patch.get_label() == "beyond the limit"]
    assert [patch.get_x() for patch in shades] == pytest.approx([40.0])


@pytest.mark.parametrize(
    ("objectives", "count"),
    [
        (("carbon_pa_g",), 1),
        (("latency_s", "energy_j"), 1),
        (("latency_s", "energy_j", "area_mm2"), 3),
    ],
)
def test_fewer_objectives_give_fewer_panels(make_front, objectives, count):
    assert len(panels(plot_front(make_front(objectives)))) == count


def test_no_pair_is_drawn_twice_and_none_against_itself():
    names = ["latency_s", "carbon_pa_g", "energy_j", "area_mm2", "embodied_g"]
    pairs = panel_pairs(names)
    assert len({frozenset(pair) for pair in pairs}) == len(pairs) == 4
    assert all({a, b} <= set(names) and a != b for a, b in pairs)


def test_a_path_writes_the_front_figure(front, tmp_path):
    front.plot(tmp_path / "new" / "front.png")
    assert (tmp_path / "new" / "front.png").stat().st_size > 10_000


def test_a_run_without_a_feasible_design_still_has_a_figure(front, tmp_path):
    broken = front.evaluations.assign(feasible=False)
    empty = Front(
        name="empty",
        evaluations=broken,
        metrics=front.metrics,
        variables=front.variables,
        constraint_names=front.constraint_names,
    )
    paths = plot_run(empty, tmp_path)
    assert [path.name for path in paths] == ["front.png"]


def test_a_users_own_problem_needs_no_template_no_carbon_and_no_limits(tmp_path):
    rows = [
        {"x": x, "y": y, "loss": 1.0 / (x + y), "noise_w": 0.001 * x * y + 0.001}
        for x, y in itertools.product(range(1, 6), range(1, 6))
    ]
    own = Front(
        name="own",
        evaluations=pd.DataFrame(rows).assign(status="ok", message="", feasible=True),
        metrics=(Metric("loss", "loss"), Metric("noise_w", "noise")),
        variables=("x", "y"),
    )
    paths = plot_run(own, tmp_path)
    assert [path.name for path in paths] == ["front.png"]
    (only,) = panels(plot_front(own))
    assert (only.get_xlabel(), only.get_ylabel()) == ("loss", "noise [mW]")


def test_carbon_is_coloured_by_capacity_and_marked_by_template(front):
    figure = plot_carbon(front)
    bar = next(axes for axes in figure.axes if axes.get_label() == "<colorbar>")
    ticks = [tick.get_text() for tick in bar.get_yticklabels()]
    assert ticks == ["8 KiB", "32 KiB", "128 KiB", "512 KiB", "1 MiB"]
    assert {"aimc", "dimc", "digital_os", "digital_ws", "on the front"} == legend_texts(figure)


def test_carbon_of_one_capacity_is_coloured_by_template(front):
    one = front.evaluations[front.evaluations["sram_byte"] == 8192]
    figure = plot_carbon(Front("one", one, front.metrics, front.variables))
    assert len(figure.axes) == 1


def test_hypervolume_is_drawn_against_that_of_the_exact_front(front):
    upper, lower = panels(plot_hypervolume(front))
    exact = next(line for line in upper.lines if line.get_label() == "exact front")
    assert exact.get_ydata()[0] == pytest.approx(
        exact_hypervolume(front.reference, front.objectives, front.reference_point)
    )
    assert upper.get_ylabel() == "hypervolume [decades$^4$]"
    assert (lower.get_xlabel(), lower.get_ylabel()) == ("designs evaluated", "feasible [%]")


def test_without_an_exact_front_there_is_no_line_for_it(front):
    alone = Front("alone", front.evaluations, front.metrics, front.variables, history=front.history)
    upper, _ = panels(plot_hypervolume(alone))
    assert [line.get_label() for line in upper.lines] == ["found"]


def test_without_a_reference_point_no_hypervolume_is_drawn(front, tmp_path):
    paths = plot_run(replace(front, reference_point=None), tmp_path)
    assert [path.stem for path in paths] == ["front", "carbon", "breakdown"]
