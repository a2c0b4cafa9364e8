"""Machine files: quantities with units, any array and hierarchy, every fault at once."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import pytest
import yaml
from designs import layer as layer_of_sizes
from designs import solved_mappings
from machine_files import SMALL
from zigzag_files import write_accelerator, write_mapping

from carbonopt.errors import SpecError
from carbonopt.hardware.file import load_machine
from carbonopt.hardware.machine import OPERANDS
from carbonopt.hardware.technology import load_technology
from carbonopt.mapping.task import MappingTask
from carbonopt.performance.cost import mapped_cost


def saved(folder, content):
    path = folder / "machine.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def changed(*path, to):
    content = copy.deepcopy(SMALL)
    *outer, last = path
    inner = content
    for step in outer:
        inner = inner[step]
    inner[last] = to
    return content


def test_a_machine_is_what_its_file_says(tmp_path):
    built = load_machine(saved(tmp_path, SMALL))
    assert built.name == "small"
    assert built.variant.name == "default"
    assert built.shape == {"cols": 8, "rows": 4, "banks": 2}
    assert built.unrolled["cols"] == ("K",)
    assert len(built.unrolled["banks"]) == 8
    assert built.systolic == ("rows",)
    assert built.array.mac_pj == pytest.approx(0.2)
    assert built.clock_ns == pytest.approx(2.0)
    weights, buffer, dram = built.memories
    assert (weights.size_bits, weights.read_pj, weights.write_pj) == (128, pytest.approx(0.1), 0)
    assert buffer.double_buffered
    assert not dram.double_buffered
    port = buffer.ports["O"]["from_below"]
    assert (port.narrow_bits, port.wide_bits) == (16, 64)
    assert built.levels("I") == built.levels("O") == (1, 2)
    assert built.levels("W") == (0, 2)


def test_the_machine_of_the_how_to_page_is_one(tmp_path):
    page = Path(__file__).parents[2] / "docs" / "how-to" / "own_machine.md"
    text = page.read_text(encoding="utf-8")
    (block,) = re.findall(r'^```yaml title="chip.yaml"\n(machine: .*?)^```$', text, re.M | re.S)
    path = tmp_path / "machine.yaml"
    path.write_text(block, encoding="utf-8")
    built = load_machine(path)
    assert (built.name, [memory.name for memory in built.memories][-1]) == ("chip", "dram")
    assert built.memories[2].bandwidth_bits == pytest.approx(64)


def test_area_counts_every_instance(tmp_path):
    built = load_machine(saved(tmp_path, SMALL))
    expected = {"pe": 64 * 500e-6, "weights": 64 * 100e-6, "buffer": 0.1, "dram": 0.0}
    assert built.area_parts == pytest.approx(expected)


@pytest.mark.parametrize(("clock", "bits"), [("500 MHz", 64), ("1 GHz", 32), ("250 MHz", 128)])
def test_a_rate_per_second_does_not_depend_on_the_clock(tmp_path, clock, bits):
    built = load_machine(saved(tmp_path, changed("clock", to=clock)))
    buffer, dram = built.memories[1:]
    assert dram.bandwidth_bits == pytest.approx(bits)
    assert (dram.read_pj, dram.write_pj) == (pytest.approx(4 * bits), pytest.approx(5 * bits))
    assert (buffer.bandwidth_bits, buffer.read_pj) == (64, pytest.approx(10))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("clock",), 1e9, "clock: got 1000000000.0, allowed: a number with a unit of: Hz"),
        (("array", "dimensions", "cols"), 0, "array.dimensions.cols: got 0, allowed: greater"),
        (("array", "systolic"), ["D1"], "got D1, allowed: dimensions of the array (cols, rows"),
        (("array", "unrolled"), {"cols": ["Z"]}, "array.unrolled.cols.0: got Z, allowed: 'B'"),
        (("memories", "weights", "size"), "0 byte", "size: got 0 byte, allowed: > 0"),
        (("memories", "dram", "colour"), "red", "memories.dram.colour: unknown key, allowed: size"),
        (("memories", "weights", "ports", "rw", "kind"), "write", "got W to_below on a write port"),
        (("memories", "weights", "ports", "rw", "moves"), {"W": ["to_above"]},
         "got W to_above, allowed: from_above, to_below"),
        (("memories", "weights", "ports", "rw", "moves"), {"W": ["to_below"]},
         "memories.weights: got no port for W from_above, allowed: one for each"),
        (("memories", "buffer", "ports"), {}, "memories.buffer.ports: got {}, allowed: at least 1"),
        (("memories", "dram", "serves"), ["colz"], "memories.dram.serves: got colz, allowed: dim"),
        (("memories", "dram", "read_energy"), "9 pJ",
         "memories.dram.read_energy: got energy of an access whose width depends on the clock"),
        (("memories", "buffer", "ports", "again"), {"width": "8 bit", "moves": {"I": ["to_below"]}},
         "memories.buffer.ports: got I to_below twice, allowed: one port each"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(tmp_path, path, value, message):
    file = saved(tmp_path, changed(*path, to=value))
    with pytest.raises(SpecError) as error:
        load_machine(file)
    (fault,) = error.value.faults
    assert message in fault
    assert fault.startswith(f"{file}:")


def test_a_fault_of_several_memories_is_told_at_its_own_line(tmp_path):
    file = saved(tmp_path, changed("memories", "dram", "serves", to=["colz"]))
    lines = file.read_text().splitlines()
    place = next(n for n, line in enumerate(lines, start=1) if line.strip() == "- colz") - 1
    with pytest.raises(SpecError, match=rf"{file}:{place}: memories\.dram\.serves: got colz"):
        load_machine(file)


@pytest.mark.parametrize(
    ("dimensions", "message"),
    [
        ({"cols": 8}, "adder_tree: got one dimension, allowed: two or more"),
        ({"cols": 8, "rows": 6}, "adder_tree: got 6 along the second dimension, allowed: powers"),
        ({"cols": 8, "rows": 1}, "adder_tree: got 1 along the second dimension, allowed: powers"),
    ],
)
def test_a_tree_needs_rows_to_sum(tmp_path, dimensions, message):
    array = {"dimensions": dimensions, "mac_energy": "1 pJ", "adder_tree": "16 bit"}
    with pytest.raises(SpecError) as error:
        load_machine(saved(tmp_path, changed("array", to=array)))
    assert message in error.value.faults[0]


def test_a_tree_takes_area_and_energy_of_its_adders(tmp_path):
    array = {"dimensions": {"a": 8, "b": 4, "c": 2}, "mac_energy": "1 pJ", "adder_tree": "16 bit"}
    content = changed("array", to=array)
    for memory in content["memories"].values():
        memory["serves"] = ["a", "b", "c"] if "serves" in memory else []
    built = load_machine(saved(tmp_path, content))
    assert (built.array.adder_tree, built.array.tree_bits) == (True, 16)
    adders = 4 * 17 - (16 + 2 + 1)
    expected = load_technology().adder_mm2 * adders * 8 * 2
    assert built.area_parts["adders"] == pytest.approx(expected)
    layer = layer_of_sizes(K=8, C=4, OX=2)
    task = MappingTask(layer, built, {o: built.levels(o) for o in OPERANDS})
    parts = mapped_cost(task, solved_mappings(task)).array_pj
    assert parts["mac"] == pytest.approx(layer.macs)
    full = layer.macs / 4 * adders * load_technology().adder_pj
    assert parts["adders"].min() == pytest.approx(full)


def test_all_faults_are_told_at_once(tmp_path):
    content = changed("clock", to="1 s")
    del content["array"]["mac_energy"]
    content["memories"]["dram"]["size"] = "big"
    with pytest.raises(SpecError) as error:
        load_machine(saved(tmp_path, content))
    assert len(error.value.faults) == 3


def test_files_are_told_apart(tmp_path):
    zigzag = write_accelerator(tmp_path, "tpu_like")
    assert load_machine(zigzag).variant.name == "zigzag"
    assert load_machine(zigzag, model="default").variant.name == "default"
    with pytest.raises(SpecError, match="got no machine, allowed: machine: NAME"):
        load_machine(saved(tmp_path, {"name": "nothing"}))
    with pytest.raises(SpecError, match="got a mapping file, allowed: a mapping file beside"):
        load_machine(saved(tmp_path, SMALL), mapping_path=write_mapping(tmp_path))
