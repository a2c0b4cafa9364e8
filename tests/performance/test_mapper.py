"""The mapper against every mapping there is, one by one, on tiny layers and machines.

Nothing is reduced: all orders of all prime factors times all allocations of every operand, each
with the energy and the latency of the cost model. Layers have halos, strides, dilations and
groups; machines one to five memories per operand, private and shared ones, bypasses, ports that
transfers share, accesses of part of a word, forced double buffering, macros, all three models.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from brute_force import brute_front, costs, count_mappings, fits, non_dominated
from random_cases import Case, random_case, template_case

from carbonopt.errors import MappingError
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.spatial import array_shape
from carbonopt.mapping.unrollings import promising_unrollings
from carbonopt.performance.choices import SCORES
from carbonopt.performance.explain import best_mapping
from carbonopt.performance.mapper import Solved, solve_layer

pytestmark = pytest.mark.property

EXACT = 1e-12
ROUNDING = 1e-9  # at which the solver takes two latencies for the same
SAMPLES = {  # random machines, machines of the templates, mappings of a case at most
    "few": (50, 40, 6_000),
    "many": (3000, 1500, 60_000),
}


class Answer(NamedTuple):
    """What all mappings of a case reach, and what the solver says; None if nothing fits."""

    where: str
    case: Case
    energy: np.ndarray
    cycles: np.ndarray
    solved: Solved | None


def solved(case: Case, *, supported: bool = False) -> Solved | None:
    """The solver's answer under the case's unrolling; None if it refuses."""
    try:
        return solve_layer(case.task, Plan(case.task.storage), case.unrollings, supported=supported)
    except MappingError:
        return None


@pytest.fixture(scope="module", params=["few", pytest.param("many", marks=pytest.mark.slow)])
def answers(request):
    """Each case of a sample with its two answers."""
    found = []
    machines, templates, most = SAMPLES[request.param]
    cases = [(f"random {seed}", random_case, seed, (6, 4)) for seed in range(machines)]
    cases += [(f"template {seed}", template_case, seed, (7,)) for seed in range(templates)]
    for where, draw, seed, sizes in cases:
        case = draw(np.random.default_rng(seed), *sizes)
        if count_mappings(case.task, case.unrollings.each[0]) <= most:
            front = brute_front(case.task, case.unrollings.each[0])
            found.append(Answer(where, case, *front, solved(case)))
    assert len(found) > (machines + templates) / 2
    return found


@pytest.fixture(scope="module")
def solvable(answers):
    """The cases that some mapping fits."""
    return [answer for answer in answers if answer.solved is not None]


def test_a_layer_is_refused_only_where_nothing_fits(answers):
    for answer in answers:
        assert (answer.solved is None) == (len(answer.energy) == 0), answer.where


def test_least_energy_is_that_of_all_mappings(solvable):
    for where, _, energy, _, found in solvable:
        assert found.complete, where
        assert found.energy_pj.min() == pytest.approx(energy.min(), rel=EXACT), where


def test_no_mapping_lies_below_the_proven_front(solvable):
    for where, _, energy, cycles, found in solvable:
        cheap = found.energy_pj <= energy[:, None] * (1 + EXACT)
        fast = found.cycles <= cycles[:, None] * (1 + ROUNDING)
        assert (cheap & fast).any(axis=1).all(), where


def test_mappings_fit_and_have_the_energy_and_no_less_than_the_cycles_proven(solvable):
    for where, case, _, _, found in solvable:
        for mappings, energy, cycles in zip(
            found.mappings, found.energy_pj, found.cycles, strict=True
        ):
            true_energy, true_cycles = costs(case.task, mappings)
            assert fits(case.task, mappings).all(), where
            assert (true_energy <= energy * (1 + EXACT)).all(), where
            assert (true_cycles >= cycles * (1 - EXACT)).all(), where


def test_front_is_that_of_all_mappings_where_its_latencies_are_reached(solvable):
    reached = 0
    for where, case, energy, cycles, found in solvable:
        least = [costs(case.task, mappings)[1].min() for mappings in found.mappings]
        if (np.array(least) <= found.cycles * (1 + ROUNDING)).all():
            reached += 1
            distinct = distinct_points(found.energy_pj, found.cycles)
            expected = distinct_points(energy, cycles)
            np.testing.assert_allclose(distinct, expected, rtol=ROUNDING, err_msg=where)
    assert reached > len(solvable) / 3


def distinct_points(energy: np.ndarray, cycles: np.ndarray) -> np.ndarray:
    """Non-dominated points, fastest first, without those that save energy by rounding alone."""
    kept: list[int] = []
    for i in non_dominated(energy, cycles):
        if not kept or energy[i] < energy[kept[-1]] * (1 - ROUNDING):
            kept.append(int(i))
    return np.stack([energy[kept], cycles[kept]], axis=1)


def test_supported_points_are_least_by_any_weighting(solvable, rng):
    for where, case, energy, cycles, _ in solvable:
        hull = solved(case, supported=True)
        for weight in 10.0 ** rng.uniform(-3, 5, size=4):
            least = (hull.energy_pj + weight * hull.cycles).min()
            assert least <= (energy + weight * cycles).min() * (1 + ROUNDING), where


@pytest.mark.parametrize("objective", SCORES)
def test_the_best_mapping_is_as_near_to_the_best_of_all_as_its_gap_says(objective):
    score = SCORES[objective]
    for seed in range(8):
        task = template_case(np.random.default_rng(seed), 5).task
        array, variant = array_shape(task.machine, task.layer), task.machine.variant
        unrollings = promising_unrollings(
            task.layer.anonymous, array,
            carbonspot_rules=task.machine.carbonspot_rules, down=variant.whole_units_down,
        )  # fmt: skip
        fronts = [brute_front(task, each) for each in unrollings.each]
        least = min((score(*front).min() for front in fronts if len(front[0])), default=None)
        if least is not None:
            mapped, gap = best_mapping(task, objective)
            reached = float(score(mapped.cost.energy_pj, np.array([mapped.cycles]))[0])
            assert least * (1 - EXACT) <= reached <= least * (1 + gap) * (1 + ROUNDING), seed
