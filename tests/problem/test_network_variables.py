"""Problems whose networks have bit widths and pruned shares to choose, and a quality."""

import numpy as np
import optuna
import pandas as pd
import pytest
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.operators.repair.rounding import RoundingRepair
from pymoo.optimize import minimize

import carbonopt as co
from carbonopt.carbon.presets import load_preset
from carbonopt.compress.sqnr import sqnr_proxy
from carbonopt.errors import SpecError
from carbonopt.evaluate import evaluate_one
from carbonopt.problem import load_problem
from carbonopt.problem.sample import build_sample
from carbonopt.run.deployment import reprice_run
from carbonopt.search.registry import searcher_names
from carbonopt.workload.compression import compressed, parse_settings
from carbonopt.workload.load import load_network

FILE = """\
name: bits
question: How few bits?
workloads: [autoencoder]
variables:
  template: {choice: [digital_ws]}
  rows: {choice: [32]}
  cols: {choice: [32, 64]}
  sram_byte: {choice: [64 KiB]}
  weight_bits: {choice: [2, 4, 8]}
  activation_bits: {choice: [4, 8]}
quality: {function: "judge:loss"}
objectives: [energy_j, quality_loss]
reference_point: {energy_j: 1 mJ, quality_loss: 100}
"""
JUDGE = """\
from neighbour import WEIGHT

def loss(network, chosen):
    if chosen["weight_bits"] == 2 and chosen["activation_bits"] == 8:
        raise RuntimeError("no such accuracy")
    return WEIGHT / sum(layer.weight_bits for layer in network.layers) / chosen["activation_bits"]
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "judge.py").write_text(JUDGE)
    (tmp_path / "neighbour.py").write_text("WEIGHT = 100.0\n")
    return tmp_path


def written(folder, *changes):
    text = FILE
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    file = folder / "problem.yaml"
    file.write_text(text)
    return file


def faults(folder, *changes):
    with pytest.raises(SpecError) as error:
        load_problem(written(folder, *changes))
    return [fault.replace(f"{folder}/", "") for fault in error.value.faults]


def test_a_design_has_the_bits_and_the_loss_that_it_says(folder):
    problem = load_problem(written(folder))
    assert problem.size == 12
    rows = problem.evaluate(problem.space.encode(
        [{"template": "digital_ws", "rows": 32, "cols": 32, "sram_byte": 65536,
          "weight_bits": bits, "activation_bits": 4} for bits in (8, 4)]))  # fmt: skip
    assert (rows["status"] == "ok").all()
    layers = len(load_network("autoencoder").layers)
    assert rows["quality_loss"].tolist() == [100 / (8 * layers) / 4, 100 / (4 * layers) / 4]
    knobs = {"rows": 32, "cols": 32, "sram": "64KiB", "weight_bits": 4, "activation_bits": 4}
    alone = evaluate_one("autoencoder", "digital_ws", knobs)
    assert rows["energy_j"][1] == pytest.approx(alone["energy_j"], rel=1e-14)
    assert rows["energy_j"][1] < rows["energy_j"][0]


def test_a_function_that_raises_fails_its_designs_and_the_run_goes_on(folder):
    front = co.enumerate_all(load_problem(written(folder)), run_dir=folder / "run", workers=2)
    table = front.evaluations
    failed = table[table["status"] == "error"]
    assert len(table) == 12
    assert len(failed) == 2
    assert set(failed["message"]) == {
        "quality function judge:loss on autoencoder: RuntimeError: no such accuracy"
    }
    assert set(failed["weight_bits"]) == {2}
    assert not failed["feasible"].any()
    assert table[table["status"] == "ok"]["feasible"].all()


@pytest.mark.parametrize(
    "given", ["float('nan')", "'0.1'", "None", "True", "[1.0, 2.0]", "10**400"]
)
def test_what_is_no_finite_number_is_no_loss(folder, given):
    (folder / "judge.py").write_text(f"def loss(network, chosen):\n    return {given}\n")
    rows = load_problem(written(folder)).evaluate([[0] * 6])
    assert rows["status"].tolist() == ["error"]
    assert "allowed: a finite number" in rows["message"][0]


def test_a_function_that_ends_the_program_fails_its_design_alone(folder):
    (folder / "judge.py").write_text(
        "import sys\n\ndef loss(network, chosen):\n"
        "    sys.exit(3) if chosen['weight_bits'] == 2 else None\n    return 1.0\n"
    )
    rows = load_problem(written(folder)).evaluate([[0] * 6, [0, 0, 0, 0, 1, 0]])
    assert rows["status"].tolist() == ["error", "ok"]
    assert rows["message"][0] == "quality function judge:loss on autoencoder: SystemExit: 3"
    (folder / "quits.py").write_text("import sys\nsys.exit(3)\n")
    found = faults(folder, ("judge:loss", "quits:loss"))
    assert "which cannot be imported (SystemExit: 3)" in found[0]


def test_a_function_is_called_once_for_each_choice_whatever_the_hardware(folder):
    (folder / "judge.py").write_text(
        "calls = []\n\ndef loss(network, chosen):\n    calls.append(chosen)\n"
        "    return float(len(calls))\n"
    )
    rows = load_problem(written(folder)).evaluate(
        [[0, 0, 0, 0, 1, 0], [0, 0, 1, 0, 1, 0], [0, 0, 1, 0, 2, 0]]
    )
    assert rows["energy_j"].nunique() == 3
    assert rows["quality_loss"].tolist() == [1.0, 1.0, 2.0]


def test_what_a_function_prints_is_no_part_of_our_output(folder, capsys):
    (folder / "judge.py").write_text(
        "print('imported')\n\ndef loss(network, chosen):\n    print('called')\n    return 1.0\n"
    )
    rows = load_problem(written(folder)).evaluate([[0] * 6])
    assert rows["quality_loss"].tolist() == [1.0]
    assert capsys.readouterr() == ("", "imported\ncalled\n")


@pytest.mark.parametrize("name", [n for n in searcher_names() if n != "gp"])
def test_every_searcher_takes_them(folder, name):
    front = co.search(load_problem(written(folder)), searcher=name, budget=12, seed=1)
    assert len(front.evaluations) == 12
    assert len(front) > 0


def test_a_run_goes_on_where_it_stopped_and_keeps_the_loss_when_priced_again(folder):
    def stop(state):
        raise KeyboardInterrupt

    problem, directory = load_problem(written(folder)), folder / "run"
    with pytest.raises(KeyboardInterrupt):
        co.search(problem, "nsga2", 12, 3, run_dir=directory, progress=stop)
    found = co.resume(directory)  # from the problem file in the run directory, not from ours
    straight = co.search(load_problem(written(folder)), "nsga2", 12, 3)
    pd.testing.assert_frame_equal(found.to_pandas(), straight.to_pandas())
    again, *_ = reprice_run(directory, "CA", preset=load_preset("act"))
    assert again.objectives == ["latency_s", "energy_j", "carbon_ca_g", "quality_loss"]
    assert set(again.to_pandas()["weight_bits"]) == {2, 4, 8}


def test_both_encodings_take_them(folder):
    problem = load_problem(written(folder))
    done = minimize(problem.to_pymoo(), NSGA2(6, repair=RoundingRepair()), ("n_gen", 2), seed=1)
    assert done.F.shape[1] == 2
    study = optuna.create_study(directions=["minimize"] * 2)
    study.optimize(problem.objective(), n_trials=4)
    assert "weight_bits" in study.trials[0].params


def test_one_variable_for_each_layer_or_network(folder):
    each = load_problem(written(
        folder, ("weight_bits: {choice: [2, 4, 8]}", "weight_bits: {choice: [4, 8], per: layer}")
    ))  # fmt: skip
    names = [layer.name for layer in load_network("autoencoder").layers]
    assert [n for n in each.space.names if "@" in n] == [f"weight_bits@{name}" for name in names]
    two = load_problem(written(folder, ("[autoencoder]", "[autoencoder, resnet8]"),
        ("weight_bits: {choice: [2, 4, 8]}", "weight_bits: {choice: [4, 8], per: network}"),
        ("judge:loss", "carbonopt.compress.sqnr:sqnr_proxy")))  # fmt: skip
    assert [n for n in two.space.names if "@" in n] == [
        "weight_bits@autoencoder", "weight_bits@resnet8",
    ]  # fmt: skip
    index = np.zeros((1, len(two.space.names)), dtype=int)
    row = two.evaluate(index).iloc[0]
    design = two.space.decode(index)[0]
    assert design["weight_bits@autoencoder"] == 4
    losses = [sqnr_proxy(each, {}) for each in map(quantised, ("autoencoder", "resnet8"))]
    assert row["quality_loss"] == pytest.approx(np.mean(losses), rel=1e-12)


def quantised(name):
    network = load_network(name)
    bits = {"weight_bits": 4, "activation_bits": 4}
    return compressed(network, *parse_settings(network, bits))


def test_a_table_gives_the_loss(folder):
    rows = [f"{w},{a},{10 / w / a}" for w in (2, 4, 8) for a in (4, 8)]
    table = folder / "loss.csv"
    table.write_text("\n".join(["weight_bits,activation_bits,quality_loss", *rows]))
    said = ('{function: "judge:loss"}', "{table: loss.csv}")
    problem = load_problem(written(folder, said))
    first = problem.evaluate([[0, 0, 0, 0, 1, 1]])
    assert first["quality_loss"].tolist() == [10 / 4 / 8]
    before = problem.hash
    table.write_text(table.read_text().replace("1.25", "1.5"))
    assert load_problem(written(folder, said)).hash != before
    where = "problem.yaml:11: quality.table: loss.csv"
    table.write_text("\n".join(["weight_bits,activation_bits,quality_loss", *rows[:3]]))
    assert faults(folder, said) == [
        f"{where}: got no row for weight_bits 4, activation_bits 8; weight_bits 8, "
        "activation_bits 4; weight_bits 8, activation_bits 8, allowed: a row for each combination"
    ]
    table.write_text("weight_bits,quality_loss\n2,0.1\n")
    assert faults(folder, said) == [
        f"{where}: got columns weight_bits, quality_loss, allowed: also activation_bits"
    ]
    table.write_text("weight_bits,activation_bits,quality_loss\n2,4,x\n4,4,0.5\n4,4,0.6\n")
    assert faults(folder, said) == [
        f"{where}:2: quality_loss: got x, allowed: a finite number",
        f"{where}:4: weight_bits 4, activation_bits 4: got it again, allowed: once",
    ]


def test_a_table_has_the_shares_that_a_file_says_in_levels(folder):
    """The fourth of ten levels from 0 to 0.9 is 0.30000000000000004."""
    rows = [f"{level / 10},{level}" for level in range(10)]
    (folder / "loss.csv").write_text("\n".join(["pruned_share,quality_loss", *rows]))
    problem = load_problem(written(
        folder, ('{function: "judge:loss"}', "{table: loss.csv}"),
        ("weight_bits: {choice: [2, 4, 8]}", "pruned_share: {real: [0, 0.9, 10]}"),
        ("  activation_bits: {choice: [4, 8]}\n", ""),
    ))  # fmt: skip
    assert problem.evaluate([[0, 0, 0, 0, 3]])["quality_loss"].tolist() == [3.0]


def test_every_fault_of_a_file_is_told_at_once(folder):
    found = faults(
        folder,
        ("weight_bits: {choice: [2, 4, 8]}", "weight_bits: {int: [0, 17]}"),
        ("activation_bits: {choice: [4, 8]}", "pruned_share: {choice: [0, 1.0]}"),
        ("rows: {choice: [32]}", "rows: {choice: [32], per: layer}"),
        ('{function: "judge:loss"}', "{function: judge, table: loss.csv}"),
    )
    assert found == [
        "problem.yaml:6: variables.rows.per: got layer, allowed: nothing, it is for weight_bits, "
        "activation_bits, pruned_share",
        "problem.yaml:9: variables.weight_bits.int: got 0, allowed: whole numbers from 1 to 16",
        "problem.yaml:10: variables.pruned_share.choice: got 1.0, allowed: from 0 to below 1",
        "problem.yaml:11: quality: got table loss.csv, function judge, allowed: one of the two",
    ]


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("judge:los", "got judge:los, allowed: a function of judge (did you mean loss?)"),
        ("judge:WEIGHT", "got judge:WEIGHT, allowed: a function of judge"),
        ("loss", "got loss, allowed: module:function, or file.py:function"),
        ("nowhere:loss", "got nowhere:loss, which cannot be imported (ModuleNotFoundError: No "
         "module named 'nowhere'), allowed: module:function"),
        ("broken:loss", "got broken:loss, which cannot be imported (SyntaxError: invalid syntax"),
        ("no.py:loss", "got no.py:loss, there is no"),
    ],
)  # fmt: skip
def test_functions_that_are_none_are_refused(folder, said, fault):
    (folder / "broken.py").write_text("def loss(:\n")
    found = faults(folder, ("judge:loss", said))
    assert len(found) == 1
    assert found[0].startswith(f"problem.yaml:11: quality.function: {fault}")


def test_a_loss_needs_something_that_says_it_and_something_to_say_it_of(folder):
    found = faults(folder, ('quality: {function: "judge:loss"}\n', ""))
    assert found == [
        "problem.yaml:11: objectives: got quality_loss without what says it, allowed: with "
        "quality: {function: m:f} or quality: {table: file.csv}"
    ]
    bare = [
        ("  weight_bits: {choice: [2, 4, 8]}\n", ""),
        ("  activation_bits: {choice: [4, 8]}\n", ""),
    ]
    assert faults(folder, *bare) == [
        "problem.yaml:9: quality: got a quality that is always the same, allowed: with one of "
        "weight_bits, activation_bits, pruned_share among the variables"
    ]
    genes = ("objectives:", "mapping: {mode: genes}\nobjectives:")
    assert faults(folder, genes)[0].startswith(
        "problem.yaml:12: mapping: got genes beside weight_bits, activation_bits, allowed: solved"
    )


def test_a_scenario_free_search_keeps_the_loss(folder):
    text = ("objectives: [energy_j, quality_loss]\nreference_point: {energy_j: 1 mJ, "
            "quality_loss: 100}", "objectives: scenario_free")  # fmt: skip
    assert load_problem(written(folder, text)).objectives[-1] == "quality_loss"


def test_what_is_wider_than_the_array_is_told_before_a_run(folder):
    wide = ("weight_bits: {choice: [2, 4, 8]}", "weight_bits: {choice: [4, 16]}")
    problem = load_problem(written(folder, wide))
    sample = build_sample(problem)
    assert (sample.tried, sample.failed) == (8, 4)
    assert sample.reason.startswith("digital_ws: weight_bits: got 16 in layer")
    row = problem.evaluate([[0, 0, 0, 0, 1, 0]]).iloc[0]
    assert row["status"] == "error"
    assert row["limit.buildable"] == 1.0
    assert "allowed: whole numbers from 1 to 8 (bits of its multipliers)" in row["message"]
