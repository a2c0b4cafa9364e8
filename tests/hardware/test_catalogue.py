"""The shipped machines: found by name, and figure by figure what their sources say."""

from __future__ import annotations

import dataclasses
import math
import re
import shlex
from pathlib import Path

import pytest
from designs import layer as layer_of_sizes
from test_cli_model import answer
from zigzag_files import table, write_accelerator

from carbonopt import catalog
from carbonopt.catalog import find_machine, machine_names
from carbonopt.cli import main
from carbonopt.errors import SpecError
from carbonopt.hardware.file import load_machine
from carbonopt.hardware.machine import OPERANDS
from carbonopt.hardware.variant import load_variant
from carbonopt.hardware.zigzag import load_zigzag_machine
from carbonopt.mapping.task import MappingTask
from carbonopt.performance.explain import best_mapping

PUBLISHED = [
    "ascend_like", "edge_tpu_like", "eyeriss_like", "meta_prototype_like", "tesla_npu_like",
    "tpu_like",
]  # fmt: skip
UNROLLED = {
    "ascend_like": "K/C FX FY/OX OY B/OX OY B",
    "edge_tpu_like": "K/C FX FY/OX OY B/OX OY B",
    "eyeriss_like": "OY K C B/FY K C B",
    "meta_prototype_like": "K/C FX FY/OX OY B/OX OY B",
    "tesla_npu_like": "K/OX OY B/OX OY B",
    "tpu_like": "K/C FX FY",
    "common3": "K/C",
}


def test_machines_are_found_by_name_and_by_path():
    assert machine_names() == sorted([*PUBLISHED, "common3"])
    assert find_machine("tpu_like") == find_machine(find_machine("tpu_like"))
    with pytest.raises(SpecError, match=r"machine: got tpu_lik, .*, dimc \(did you mean tpu_like"):
        find_machine("tpu_lik", ["dimc"])


def test_machines_are_found_in_an_installed_package(tmp_path, monkeypatch):
    inside = tmp_path / "_problems" / "hardware"
    inside.mkdir(parents=True)
    (inside / "mine.yaml").touch()
    monkeypatch.setattr(catalog, "_PACKAGE", tmp_path)
    assert machine_names() == ["mine"]
    assert find_machine("mine") == inside / "mine.yaml"


@pytest.mark.reference
@pytest.mark.parametrize("name", PUBLISHED)
def test_sizes_energies_and_ports_are_those_of_zigzag(name, tmp_path):
    ours = load_machine(find_machine(name))
    theirs = load_zigzag_machine(write_accelerator(tmp_path, name), load_variant("default"))
    renamed = dict(zip(theirs.shape, ours.shape, strict=True))
    assert list(ours.shape.values()) == list(theirs.shape.values())
    assert ours.array.mac_pj == pytest.approx(theirs.array.mac_pj, rel=1e-12)
    assert ours.clock_ns == theirs.clock_ns
    assert ours.systolic == tuple(renamed[each] for each in theirs.systolic)
    for own, their in zip(ours.memories, theirs.memories, strict=True):
        facts = (own.size_bits, own.read_pj, own.write_pj)
        assert facts == pytest.approx((their.size_bits, their.read_pj, their.write_pj), rel=1e-12)
        assert ports_of(own) == ports_of(their)
        if (name, own.name) != ("ascend_like", "dram"):
            assert own.served == {renamed[each] for each in their.served}


def ports_of(memory):
    """Widths of each transfer, and which transfers share a port with it."""
    links = [(o, d, port) for o, own in memory.ports.items() for d, port in own.items()]
    return {
        (o, d): (port.narrow_bits, port.wide_bits, {each[:2] for each in links if each[2] == port})
        for o, d, port in links
    }


@pytest.mark.reference
def test_common3_is_the_machine_that_mappers_were_compared_on():
    built = load_machine(find_machine("common3"))
    assert built.shape == {"cols": 16, "rows": 16}
    assert built.array.mac_pj == pytest.approx(0.5)
    facts = table("common3.csv", keep_default_na=False).set_index("memory")
    assert [memory.name for memory in built.memories] == list(facts.index)
    for memory, row in zip(built.memories, facts.itertuples(), strict=True):
        width = memory.bandwidth_bits
        assert (memory.read_pj, memory.write_pj) == (pytest.approx(row.pj_per_bit * width),) * 2
        assert memory.served == (frozenset() if row.private else {"cols", "rows"})
        assert not row.size_byte or memory.size_bits == 8 * int(row.size_byte)
        assert not row.width_bit or width == int(row.width_bit)


@pytest.mark.reference
def test_common3_costs_what_zigzag_said_of_it():
    """zigzag-dse 3.9.1 (LOMA) on a file of the same numbers: 3.728e-4 J for 1 x 1, 128 to 128."""
    built = load_machine(find_machine("common3"))
    bytes_only = {"psum_bits": 8, "output_bits": 8}
    pointwise = dataclasses.replace(layer_of_sizes(K=128, C=128, OX=56, OY=56), **bytes_only)
    task = MappingTask(pointwise, built, {o: built.levels(o) for o in OPERANDS})
    assert best_mapping(task, "energy")[0].energy_pj * 1e-12 == pytest.approx(3.728e-4, abs=5e-8)


@pytest.mark.parametrize("name", UNROLLED)
def test_each_dimension_says_what_may_run_along_it(name):
    built = load_machine(find_machine(name))
    told = "/".join(" ".join(loops) for loops in built.unrolled.values())
    assert told == UNROLLED[name]
    assert set(built.area_parts.values()) == {0}, "no source gives an area with a unit"


@pytest.mark.parametrize("name", UNROLLED)
@pytest.mark.parametrize("layer", ["stem", "stage2/block1/conv1", "19"])
def test_layers_can_be_mapped(name, layer, capsys):
    found = answer(capsys, "map", "--machine", name, "--workload", "resnet18", "--layer", layer)
    assert found["machine"] == name
    assert found["cycles"] * 1e-9 == pytest.approx(found["latency_s"])
    machine = load_machine(find_machine(name))
    dram = machine.memories[-1]
    weights = math.prod(found["loops"][dim] for dim in ("K", "G", "C", "FX", "FY"))
    array_pj = found["macs"] * machine.array.mac_pj
    assert found["energy_by_part_pj"]["array"] == pytest.approx(array_pj)
    once_pj = 8 * weights * dram.read_pj / dram.bandwidth_bits
    assert found["energy_by_part_pj"]["dram"] >= once_pj * (1 - 1e-12)
    assert 0 < found["utilisation"]["array"] <= 1


def test_the_readme_of_the_catalogue_names_every_machine():
    text = (find_machine("tpu_like").parent / "README.md").read_text(encoding="utf-8")
    for name in machine_names():
        assert f"| `{name}` |" in text


def test_its_commands_run(tmp_path, monkeypatch, capsys):
    text = (find_machine("tpu_like").parent / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)
    monkeypatch.chdir(tmp_path)
    for line in block.splitlines():
        command, _, target = line.partition(" > ")
        assert main(shlex.split(command)[1:]) == 0
        told = capsys.readouterr().out
        if target:
            Path(target).write_text(told, encoding="utf-8")
            assert load_machine(Path(target)).name in command
