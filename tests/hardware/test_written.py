"""Templates written as machine files: read back, every mapping costs the same."""

from __future__ import annotations

import numpy as np
import pytest
from designs import machine, network, solved_mappings

from carbonopt.errors import SpecError
from carbonopt.hardware.file import load_machine
from carbonopt.hardware.write import template_file
from carbonopt.mapping.residency import residency
from carbonopt.mapping.task import MappingTask
from carbonopt.performance.cost import mapped_cost

RESIDENT = {"sram_byte": 2**19, "resident_byte": 1.0}
DESIGNS = [
    ("digital_os", {"rows": 12, "cols": 20, "macros": 3}),
    ("digital_ws", {"rows": 64, "cols": 24, "macros": 2}),
    ("digital_ws", {"rows": 16, "cols": 16, **RESIDENT}),
]


@pytest.fixture(params=DESIGNS, ids=lambda design: "-".join(map(str, design[1].values())))
def pair(request, tmp_path):
    name, knobs = request.param
    made, path = machine(name, **knobs), tmp_path / "machine.yaml"
    path.write_text(template_file(made), encoding="utf-8")
    return made, load_machine(path)


def test_sizes_costs_and_ports_are_read_back(pair):
    made, read = pair
    for name in ("name", "shape", "unrolled", "diagonal", "systolic", "most", "variant"):
        assert getattr(read, name) == getattr(made, name), name
    assert (read.array.mac_pj, read.array.adder_tree) == (made.array.mac_pj, made.array.adder_tree)
    assert not read.array.adder_tree or read.array.tree_bits == made.array.tree_bits
    assert read.area_mm2 == pytest.approx(made.area_mm2, rel=1e-12)
    assert read.clock_ns == pytest.approx(made.clock_ns, rel=1e-12)
    for own, other in zip(read.memories, made.memories, strict=True):
        assert (own.name, own.size_bits, own.served) == (other.name, other.size_bits, other.served)
        assert own.ports == other.ports
        energies = (other.read_pj, other.write_pj)
        assert (own.read_pj, own.write_pj) == pytest.approx(energies, rel=1e-12)


@pytest.mark.parametrize("position", [0, 4, 9])
def test_every_mapping_costs_the_same(pair, position):
    made, read = pair
    net = network("resnet8")
    hierarchy = residency(net, made)[position]
    layer = net.layers[position]
    task, again = (MappingTask(layer, each, hierarchy) for each in (made, read))
    mappings = solved_mappings(task)
    cost, repeated = mapped_cost(task, mappings), mapped_cost(again, mappings)
    assert repeated.energy_pj == pytest.approx(cost.energy_pj, rel=1e-12)
    cycles = cost.cycles(loading=True)
    assert np.array_equal(repeated.cycles(loading=True), cycles)
    assert len(cycles) > 0


def test_macros_are_beyond_a_machine_file():
    with pytest.raises(SpecError, match=r"template: got aimc, allowed: digital_os, digital_ws; a"):
        template_file(machine("aimc"))
