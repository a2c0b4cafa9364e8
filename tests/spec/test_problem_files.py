"""Problem and study files: what they give, and every fault with its line."""

import inspect
import re
from pathlib import Path

import pytest

from carbonopt.catalog import find_problem, find_study, problem_names, repository_root, study_names
from carbonopt.errors import SpecError
from carbonopt.problem import load_problem
from carbonopt.run import load_study, search

GOOD = """\
name: tiny
question: Which is best?
workloads: [resnet8]
variables:
  template: {choice: [digital_os, aimc]}
  rows: {pow2: [32, 128]}
  cols: {int: [32, 33]}
  macros: {step: [1, 7, 2]}
  sram_byte: {choice: [64 KiB, 0.5 MiB]}
scenario: {preset: default, lifetime: 5 y, use_intensity: 25 g/kWh, package: 100 g}
mapping: reference
objectives: [latency_s, carbon_pa_g, energy_j@resnet8]
limits:
  period: met
  area_mm2: {max: 80 mm2}
reference_point: {latency_s: 10 ms, carbon_pa_g: 1 mg, energy_j@resnet8: 1 mJ}
"""


SCENARIO_KEYS = (
    *("utilisation: 0.5", "late_rule: replicate", "late_rule: fractional", "pue: 1.1"),
    *("decarbonisation: 0.05", "profile: US/CISO, when: best 4 h", "fab_region: TWN 2023"),
    *("profile: US/CISO, season: JJA, when: 22:00-06:00", "abatement: 99"),
    *("yield_model: murphy", "defect_density: 0.1 1/cm2", "line_yield: 0.9", "accounting: area"),
    *("reticle: free", "memory: hbm3e", "board: 10 g"),
    *("design: 1 t, volume: 1000", "memory: lpddr4", "end_of_life: 2 g", "leakage_factor: 0"),
    *(
        "dies: 2",
        "dies: 2, carrier: rdl",
        "dies: 2, stacking: stacked",
        "dies: 2, bonding_yield: 0.9",
    ),
)


@pytest.fixture
def problem_file(tmp_path):
    def write(text):
        file = tmp_path / "problem.yaml"
        file.write_text(text)
        return file

    return write


def faults(problem_file, *changes):
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    with pytest.raises(SpecError) as caught:
        load_problem(problem_file(text))
    return [re.sub(r"^.*/problem.yaml", "problem.yaml", fault) for fault in caught.value.faults]


def test_a_file_becomes_a_problem(problem_file):
    problem = load_problem(problem_file(GOOD))
    values = {v.name: v.values for v in problem.space.variables}
    assert values["cols"] == (32, 33)
    assert values["macros"] == (1, 3, 5, 7)
    assert values["sram_byte"] == (65536, 524288)
    assert problem.objectives == ["latency_s", "carbon_pa_g", "energy_j@resnet8"]
    assert problem.constraint_names == [
        *("limit.buildable", "limit.period@resnet8", "limit.reticle", "limit.area_mm2")
    ]
    assert problem.limits == {"area_mm2": 80.0}
    assert problem.reference_point["latency_s"] == 0.01
    assert problem.content["preset"]["lifetime_s"] == 5 * 365.25 * 86400
    assert problem.content["preset"]["use_g_per_kwh"] == 25.0


def test_every_knob_of_a_macro_can_be_a_variable(problem_file):
    """Words, shares, volts, nanometres, bandwidths: two values each, and a design of each runs."""
    knobs = """\
  group_depth: {choice: [1, 2]}
  stages: {int: [1, 2]}
  bits_per_cycle: {pow2: [1, 2]}
  input_toggle: {real: [0.25, 1, 4]}
  weight_density: {choice: [0, 0.5]}
  flipflop_activity: {choice: [0.5, 1]}
  node_nm: {choice: [22 nm, 28 nm]}
  supply_v: {choice: [700 mV, 0.9 V]}
  cell: {choice: [sram, rram]}
  adc: {choice: [fitted, survey]}
  adc_bits: {choice: [4, 5.5]}
  adc_share: {pow2: [1, 2]}
  loading: {choice: [stopped, overlapped]}
  sram_bandwidth_byte_per_s: {choice: [10 GB/s, 20 GB/s]}
  dram_bandwidth_byte_per_s: {choice: [500 MB/s, 1 GB/s]}
  leakage: {choice: [sram, all]}
"""
    sram = "  sram_byte: {choice: [64 KiB, 0.5 MiB]}\n"
    text = GOOD.replace(sram, sram + knobs).replace("mapping: reference", "mapping: optimal")
    problem = load_problem(problem_file(text))
    values = {v.name: v.values for v in problem.space.variables}
    assert values["input_toggle"] == (0.25, 0.5, 0.75, 1.0)
    assert values["supply_v"] == (0.7, 0.9)
    assert values["dram_bandwidth_byte_per_s"] == (5e8, 1e9)
    last = [len(each) - 1 for each in values.values()]
    designs = problem.evaluate([last])
    assert designs["status"].tolist() == ["ok"], designs["message"].tolist()
    assert load_problem(problem_file(problem.source)).hash == problem.hash


def test_steps_of_fractions_reach_their_last_value(problem_file):
    steps = {"adc_bits": "[4.5, 8.5, 1]", "supply_v": "[0.6 V, 1.2 V, 0.6 V]"}
    lines = "".join(f"\n  {name}: {{step: {value}}}" for name, value in steps.items())
    old = "macros: {step: [1, 7, 2]}"
    problem = load_problem(problem_file(GOOD.replace(old, old + lines)))
    values = {v.name: v.values for v in problem.space.variables}
    assert values["adc_bits"] == (4.5, 5.5, 6.5, 7.5, 8.5)
    assert values["supply_v"] == (0.6, 1.2)


def test_every_key_does_something(problem_file):
    base = load_problem(problem_file(GOOD)).hash
    for old, new in [
        ("[resnet8]", "[{name: resnet8, period: 41 ms}]"),
        ("[resnet8]", "[{name: resnet8, dram: 2 MiB}]"),
        ("lifetime: 5 y", "lifetime: 4 y"),
        ("25 g/kWh", "26 g/kWh"),
        ("100 g", "101 g"),
        ("package: 100 g", "package: 100 g, fab_yield: 0.5"),
        ("package: 100 g", "package_energy: 0.1 kWh/cm2"),
        ("package: 100 g", "package: 100 g, fab_intensity: 1 kg/kWh"),
        ("preset: default", "preset: carbonspot"),
        *(("package: 100 g", f"package: 100 g, {key}") for key in SCENARIO_KEYS),
        ("use_intensity: 25 g/kWh", "region: Taiwan"),
        ("use_intensity: 25 g/kWh", "region: Taiwan 2023"),
        ("mapping: reference", "mapping: optimal"),
        ("mapping: reference", "mapping: genes"),
        ("lifetime: 5 y", "lifetime: 5 y, late_rule: replicate, initiation_interval: 0.5"),
        ("80 mm2", "81 mm2"),
        ("10 ms", "11 ms"),
        ("[32, 33]", "[32, 34]"),
        ("[latency_s, carbon_pa_g", "[carbon_pa_g, latency_s"),
    ]:
        assert old in GOOD
        assert load_problem(problem_file(GOOD.replace(old, new))).hash != base, new


def test_a_node_that_is_not_the_models_is_warned_of(problem_file):
    base = load_problem(problem_file(GOOD)).hash
    text = GOOD.replace("package: 100 g", "package: 100 g, node: 22 nm")
    with pytest.warns(UserWarning, match="node 22 nm: the carbon of the die .* models at 28 nm"):
        assert load_problem(problem_file(text)).hash != base


def test_the_hash_is_of_the_content_not_of_the_form(problem_file):
    base = load_problem(problem_file(GOOD)).hash
    for old, new in [
        ("64 KiB", "65536 byte"),
        ("question: Which is best?", "# a comment\nquestion: Another?"),
        ("5 y", "1826.25 d"),
        ("[32, 33]", "[32,\n    33]"),
        ("cols: {int: ", "cols: {choice: "),
        ("mapping: reference", "mapping: {mode: reference}"),
        ("[resnet8]", "[{name: resnet8, period: 40 ms, dram: 1 MiB}]"),
    ]:
        text = GOOD.replace(old, new)
        assert text != GOOD
        assert load_problem(problem_file(text)).hash == base, new


def test_the_source_makes_the_same_problem_again(problem_file):
    problem = load_problem(problem_file(GOOD))
    assert load_problem(problem_file(problem.source)).hash == problem.hash


FAULTS = [
    [field.replace("\\n", "\n") for field in line.split("\t")]
    for line in (Path(__file__).parent / "faults.tsv").read_text().splitlines()[1:]
]


@pytest.mark.parametrize(("old", "new", "fault"), FAULTS)
def test_a_fault_names_file_line_key_value_and_what_is_allowed(problem_file, old, new, fault):
    pattern = re.escape(f"problem.yaml:{fault}").replace(r"\.\*", ".*")
    found = faults(problem_file, (old, new))
    assert any(re.fullmatch(pattern, one) for one in found), found


def test_all_faults_are_told_at_once(problem_file):
    found = faults(
        problem_file,
        ("mapping: reference", "maping: reference"),
        ("[32, 33]", "[33, 32, 1]"),
        ("64 KiB", "64"),
        ("5 y", "5"),
        ("name: tiny", "name: tiny\nname: tinier"),
        ("[latency_s, ", "[lateness, "),
    )
    assert {fault.split(": ")[1] for fault in found} >= {
        *("maping", "variables.cols.int", "variables.sram_byte.choice", "scenario.lifetime"),
        *("name", "objectives"),
    }


def test_faults_of_keys_and_of_models_are_told_together(problem_file):
    found = faults(
        problem_file,
        ("mapping: reference", "maping: reference"),
        ("{pow2: [32, 128]}", "{pow2: [32, 100]}"),
        ("{step: [1, 7, 2]}", "{step: [1, 7, 4]}"),
        ("64 KiB", "64"),
        ("lifetime: 5 y", "profile: US/NONE"),
        ("[resnet8]", "[llm_decode_block]"),
        ("energy_j@resnet8]", "latency_s]"),
    )
    assert [fault.split(": ")[1] for fault in found] == [
        *("variables.sram_byte.choice", "objectives", "maping"),
        *("variables.rows.pow2", "variables.macros.step", "workloads.0.period"),
        "scenario.profile",
    ]
    assert found[1].endswith("allowed: each objective once")


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n- b\n", "hello\n"])
def test_a_file_without_keys_is_refused(problem_file, text):
    with pytest.raises(SpecError, match=r"problem.yaml:1: got .*allowed: keys with values"):
        load_problem(problem_file(text))


def test_a_limit_and_a_fault_of_the_model_are_not_mixed_up(problem_file):
    in_turns = GOOD.replace("lifetime: 5 y", "late_rule: replicate")
    problem = load_problem(problem_file(in_turns.replace("period: met", "period: free")))
    assert problem.constraint_names == ["limit.buildable", "limit.reticle", "limit.area_mm2"]


def test_what_becomes_of_late_designs_is_one_rule(problem_file):
    def constraints(*changes):
        text = GOOD
        for old, new in changes:
            text = text.replace(old, new)
        return load_problem(problem_file(text)).constraint_names

    period, unsaid = "limit.period@resnet8", ("  period: met\n", "")
    assert period in constraints(unsaid)
    for scenario in ("late_rule: replicate", "late_rule: fractional", "utilisation: 0.9"):
        kept = period in constraints(unsaid, ("lifetime: 5 y", scenario))
        assert kept == scenario.startswith("utilisation")
    assert period not in constraints(unsaid, ("preset: default", "preset: carbonspot"))
    # a deadline that is asked for stays one
    assert period in constraints(("lifetime: 5 y", "late_rule: replicate"))


def test_late_designs_are_not_judged_by_what_they_do_not_have(problem_file):
    assert faults(problem_file, ("period: met", "period: free")) == [
        "problem.yaml:14: limits.period: got free, but a late design has no carbon_pa_g under "
        "late_rule infeasible, allowed: met, or late_rule replicate or fractional"
    ]
    text = GOOD.replace("period: met", "period: free").replace("carbon_pa_g", "carbon_ca_g")
    assert "limit.period@resnet8" not in load_problem(problem_file(text)).constraint_names


@pytest.mark.parametrize("name", problem_names())
def test_shipped_problems_load_and_have_a_reference_point(name):
    problem = load_problem(name)
    assert problem.name == name
    assert problem.question
    assert problem.reference_point is not None
    if problem.reference_front is not None:
        assert problem.reference_front.is_file()


@pytest.mark.parametrize("name", study_names())
def test_shipped_studies_load_with_their_problem(name):
    study = load_study(name)
    assert study.name == name
    assert max(load_problem(problem).size for problem in study.problem) >= max(study.budget)


def test_the_catalog_names_what_it_has():
    assert "mlperf_tiny" in problem_names()
    assert "quickstart" in study_names()
    assert repository_root() is not None
    assert find_problem("mlperf_tiny") == find_problem(find_problem("mlperf_tiny").parent)
    with pytest.raises(
        SpecError, match=r"problem: got mlperf, allowed: .*did you mean mlperf_tiny"
    ):
        find_problem("mlperf")
    with pytest.raises(SpecError, match=r"study: got quickstar, .*did you mean quickstart"):
        find_study("quickstar")


STUDY = "name: s\nquestion: q\nproblem: problem.yaml\nsearcher: nsga2\nbudget: 10\nseed: 1\n"


def test_a_study_finds_a_problem_beside_it(problem_file, tmp_path):
    file = problem_file(GOOD)
    (tmp_path / "study.yaml").write_text(STUDY)
    assert load_study(tmp_path).problem == (str(file),)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("nsga2", "nsg2", "study.yaml:4: searcher: got nsg2, allowed: nsga2, .*did you mean nsga2"),
        ("budget: 10", "budget: 0", "study.yaml:5: budget: got 0, allowed: greater than 0"),
        ("budget: 10", "budget: many", "study.yaml:5: budget: got many, allowed: a whole number"),
        ("seed: 1", "seeds: 1", "study.yaml:6: seeds: unknown key, .*did you mean seed"),
        (
            "problem.yaml",
            "nope",
            "study.yaml:3: problem: got nope, allowed: a file, or one of: ",
        ),
        ("nsga2", "[tpe, tpe]", "study.yaml:4: searcher: got tpe twice, allowed: each value once"),
        ("nsga2", "[tpe, nsg2]", "study.yaml:4: searcher: got nsg2, allowed: nsga2, "),
        ("seed: 1", "seed: []", "study.yaml:6: seed: got \\[\\], allowed: at least 1"),
        ("budget: 10", "budget: [9, -1]", "study.yaml:5: budget.1: got -1, allowed: greater than"),
        ("problem.yaml", "[mlperf_tiny, nope]", "study.yaml:3: problem.1: got nope, allowed: a fi"),
    ],
)
def test_a_fault_of_a_study_is_told(tmp_path, old, new, fault):
    (tmp_path / "study.yaml").write_text(STUDY.replace(old, new))
    with pytest.raises(SpecError, match=fault):
        load_study(tmp_path / "study.yaml")


def test_a_study_has_the_defaults_of_a_search(tmp_path):
    (tmp_path / "study.yaml").write_text("name: short\nproblem: mlperf_tiny\n")
    study = load_study(tmp_path / "study.yaml")
    wanted = {name: p.default for name, p in inspect.signature(search).parameters.items()}
    for name in ("searcher", "budget", "seed"):
        assert getattr(study, name) == (wanted[name],)
    assert study.cells == 1


def test_a_study_may_list_what_it_compares(tmp_path):
    text = "name: s\nproblem: [mlperf_tiny]\nsearcher: [nsga2, tpe]\nbudget: 50\nseed: [1, 2, 3]\n"
    (tmp_path / "study.yaml").write_text(text)
    study = load_study(tmp_path)
    assert (study.searcher, study.budget, study.seed) == (("nsga2", "tpe"), (50,), (1, 2, 3))
    assert study.cells == 6


def test_a_batch_reaches_the_network_and_the_hash(problem_file):
    plain = load_problem(problem_file(GOOD))
    eight = load_problem(problem_file(GOOD.replace("[resnet8]", "[{name: resnet8, batch: 8}]")))
    assert eight.hash != plain.hash
    slow, fast = (p.evaluate([[0] * 5])["latency_s"][0] for p in (eight, plain))
    assert slow > 2 * fast
