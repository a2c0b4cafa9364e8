"""Problems whose mappings are searched: legal in both encodings, never beyond the exact front."""

from __future__ import annotations

import re
from functools import cache, partial
from pathlib import Path

import numpy as np
import optuna
import pytest
import yaml
from designs import layer, machine, of_layers
from every_mapping import every_mapping, front_of
from machine_files import SMALL

import carbonopt as co
from carbonopt.carbon.presets import load_preset
from carbonopt.cli import main
from carbonopt.cli_text import summary_lines
from carbonopt.encoding.optuna_objective import optuna_objective
from carbonopt.encoding.pymoo_problem import PymooProblem
from carbonopt.errors import SpecError
from carbonopt.evaluate import Context, Workload
from carbonopt.mapping.residency import residency
from carbonopt.mapping.task import MappingTask
from carbonopt.problem import Problem, load_problem
from carbonopt.problem.genes import GeneEvaluation
from carbonopt.run.session import reference_of
from carbonopt.variable import is_mapping_variable

FILE = """\
name: {name}
question: Which mapping is best?
workloads: [{{name: autoencoder}}]
{hardware}
mapping: {{mode: genes}}
objectives: [latency_s, energy_j]
reference_point: {{latency_s: 1 s, energy_j: 1 J}}
"""
KNOBS = """\
variables:
  template: {choice: [dimc, digital_os]}
  rows: {choice: [32, 64]}
  cols: {choice: [32]}
  sram_byte: {choice: [32 KiB]}
"""
TWO = ("{name: autoencoder}", "autoencoder, resnet8")


def problem_of(built, *layers):
    """Ask for the fastest and most frugal mappings of some layers on a machine."""
    context = Context(
        (Workload(of_layers(*layers), 2**20, None),), load_preset("default"), "optimal"
    )
    evaluate = GeneEvaluation.of(context, built)
    return Problem(
        "small",
        evaluate.variables,
        evaluate,
        ["latency_s", "energy_j"],
        constraints=["limit.buildable"],
        reference_point={"latency_s": 1e-3, "energy_j": 1e-4},
        exact_rows=partial(evaluate.exact_rows, []),
    )


@cache
def small():
    """Two layers on 256 multipliers; one random mapping in two reaches the reference point."""
    return problem_of(
        machine("digital_os", 16, 16, 1, 2**12),
        layer("convolution", K=48, OX=14, OY=14, C=32, FX=3, FY=3),
        layer("pointwise", K=64, OX=14, OY=14, C=48),
    )


def drawn(problem, count=50, seed=1):
    rng = np.random.default_rng(seed)
    return np.stack([rng.integers(size, size=count) for size in problem.space.shape], axis=1)


@pytest.fixture
def gene_file(tmp_path):
    def write(hardware, old="", new="", name="mapped"):
        file = tmp_path / "problem.yaml"
        file.write_text(FILE.format(name=name, hardware=hardware).replace(old, new))
        return file

    return write


def test_the_shipped_problem_has_only_legal_designs():
    problem = load_problem("resnet8_mapping")
    rows = problem.evaluate(drawn(problem))
    assert rows["feasible"].all()
    assert sum(map(is_mapping_variable, problem.space.names)) == len(problem.space.names) - 4
    assert problem.content["layers"]["layer1"] == ["resnet8/stack1/conv1", "resnet8/stack1/conv2"]
    point = [problem.reference_point[name] for name in problem.objectives]
    better = (rows[problem.objectives] < point).all(axis=1).mean()
    assert 0.2 < better < 0.6, "about the median of random mappings"


def test_both_encodings_give_the_numbers_of_the_problem():
    problem = small()
    index = drawn(problem, 12)
    rows = problem.evaluate(index)
    out = PymooProblem(problem).evaluate(index, return_as_dictionary=True)
    assert np.array_equal(out["F"], rows[problem.objectives].to_numpy())
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(directions=["minimize"] * 2)
    for place in range(len(index)):
        study.enqueue_trial(dict(zip(problem.space.names, index[place].tolist(), strict=True)))
    study.optimize(optuna_objective(problem), n_trials=len(index))
    assert np.array_equal([trial.values for trial in study.trials], out["F"])


BUDGETS = {"nsga2": 500, "tpe": 160}


@pytest.mark.parametrize("searcher", BUDGETS)
def test_searchers_find_better_mappings_than_random(searcher):
    ratios = []
    for seed in (1, 2, 3):
        random, searched = (
            co.search(small(), name, BUDGETS[searcher], seed) for name in ("random", searcher)
        )
        ratios.append(searched.hypervolume() / random.hypervolume())
    assert np.median(ratios) > 1.25


def test_a_search_of_all_mappings_reaches_the_exact_front_and_never_beats_it():
    each, built = layer("tiny", K=8, C=6, OX=6), machine("digital_os", 4, 2, 1, 2**12)
    problem = problem_of(built, each)
    task = MappingTask(each, built, residency(of_layers(each), built)[0])
    parts = every_mapping(task)
    energy_pj, cycles = (np.concatenate([part[i] for part in parts]) for i in (1, 2))
    exact = front_of(energy_pj, cycles)
    front = co.search(problem, "nsga2", 1500, 1)
    for latency_s, energy_j in front.values:
        as_fast = cycles[exact] * built.clock_ns * 1e-9 <= latency_s * (1 + 1e-12)
        assert energy_pj[exact][as_fast].min() * 1e-12 <= energy_j * (1 + 1e-12)
    least = energy_pj.min() * 1e-12, cycles.min() * built.clock_ns * 1e-9
    assert front.values.min(axis=0)[::-1] == pytest.approx(least, rel=0.01)


def test_a_run_is_measured_against_the_exact_front(tmp_path, gene_file, capsys):
    hardware = KNOBS.replace("[dimc, digital_os]", "[digital_os]")
    problem = load_problem(gene_file(hardware))
    front = co.search(problem, "random", 64, run_dir=tmp_path / "run")
    exact = reference_of(problem)
    assert set(exact["rows"]) <= {32, 64}
    stored = co.load_run(tmp_path / "run")
    assert np.array_equal(stored.reference[problem.objectives], exact[problem.objectives])
    ratio = front.compared()["hypervolume_log_ratio"]
    assert stored.compared()["hypervolume_log_ratio"] == ratio
    assert f"{ratio:.1%} of the exact front's" in "\n".join(summary_lines(stored))
    assert main(["front", str(tmp_path / "run")]) == 0
    head = capsys.readouterr().out.splitlines()[0].split()
    assert head[:4] == ["template", "rows", "cols", "sram"]
    assert "layer0.unrolling" not in head


def test_the_machine_of_a_file_stands_in_for_hardware_variables(tmp_path, gene_file):
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(SMALL, sort_keys=False))
    problem = load_problem(gene_file("machine: small.yaml"))
    assert all(map(is_mapping_variable, problem.space.names))
    rows = problem.evaluate(drawn(problem, 20))
    assert rows["feasible"].all()
    assert rows["area_mm2"].unique() == pytest.approx([0.1 + 0.032 + 64 * 1e-4])
    assert len(reference_of(problem))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "problem.yaml").write_text(problem.source)
    assert load_problem(elsewhere).hash == problem.hash
    changed = {**SMALL, "clock": "400 MHz"}
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(changed, sort_keys=False))
    assert load_problem(tmp_path).hash != problem.hash


def test_a_fault_of_the_machine_file_is_told_with_those_of_the_problem(tmp_path, gene_file):
    (tmp_path / "small.yaml").write_text(
        yaml.safe_dump({**SMALL, "clock": "fast"}, sort_keys=False)
    )
    with pytest.raises(SpecError, match=r"small.yaml:\d+: clock: got fast, allowed:"):
        load_problem(gene_file("machine: small.yaml"))
    with pytest.raises(SpecError, match=r"none.yaml"):
        load_problem(gene_file("machine: none.yaml"))


def test_several_networks_have_no_exact_front(gene_file):
    problem = load_problem(gene_file(KNOBS, *TWO))
    assert reference_of(problem) is None
    rows = problem.evaluate(drawn(problem, 10))
    assert rows["feasible"].all()
    assert rows[["latency_s@autoencoder", "latency_s@resnet8"]].notna().all(axis=None)


def test_a_network_that_does_not_fit_is_infeasible_with_its_reason(gene_file):
    few = ("{name: autoencoder}", "{name: autoencoder, dram: 4 KiB}")
    problem = load_problem(gene_file(KNOBS, *few))
    row = problem.evaluate(drawn(problem, 1)).iloc[0]
    assert not row["feasible"]
    assert row["status"] == "error"
    assert "cannot be mapped" in row["message"]
    assert "MappingError" not in row["message"]
    assert reference_of(problem) is None


def test_a_design_tells_its_mapping():
    problem = small()
    design = problem.space.decode(drawn(problem, 1))[0]
    layers = problem.evaluate_row.mapped_layers(design)["made up"]
    assert [each["name"] for each in layers] == ["convolution", "pointwise"]
    assert sum(each["energy_pj"] for each in layers) * 1e-12 == pytest.approx(
        problem.evaluate(drawn(problem, 1))["energy_j"][0], rel=1e-12
    )


def test_nobody_enumerates_all_mappings(tmp_path):
    with pytest.raises(SpecError, match=r"exhaustive for a space of 10\^\d+ designs, allowed: up"):
        co.enumerate_all("resnet8_mapping", run_dir=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_snippet_of_the_guide_runs(capsys):
    guide = Path(__file__).parents[2] / "docs" / "how-to" / "mapping_search.md"
    (snippet,) = re.findall(r"^```python\n(.*?)^```$", guide.read_text(), re.M | re.S)
    exec(compile(snippet, guide.name, "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    ratios = [float(line.split()[1]) for line in lines[1:3]]
    assert ratios[0] < ratios[1] < 1.0
    assert lines[3].startswith("stem ")
