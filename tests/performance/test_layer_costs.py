"""Given CarbonSpot's mapping of a layer, the model gives CarbonSpot's energies and cycles.

All 3248 mapped layers of its design points for MLPerf Tiny. Largest relative deviation
measured: 5.1e-16 in energy, none in any number of cycles.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from designs import machine, network

from carbonopt.hardware.machine import OPERANDS
from carbonopt.mapping.candidates import Mappings
from carbonopt.mapping.spatial import Unrolling
from carbonopt.mapping.task import MappingTask
from carbonopt.performance.cost import mapped_cost
from carbonopt.workload.layer import DIMS

RELATIVE = 1e-9
TEMPLATES = ("digital_os", "digital_ws", "dimc", "aimc")
NETWORKS = ("resnet8", "ds_cnn", "mobilenet_v1", "autoencoder")

pytestmark = pytest.mark.reference


@pytest.fixture(scope="module")
def table(reference):
    return reference("carbonspot_layers.csv.gz").fillna({"spatial": "", "temporal": ""})


def loops(text):
    return [tuple(loop.split(":")) for loop in text.split()]


def levels(text, number):
    return [[number(each) for each in operand.split()] for operand in text.split("/")]


def turned(layer):
    """The layer as CarbonSpot sees it, with height and width of the kernel swapped."""
    *outer, width, height = layer.sizes
    return dataclasses.replace(
        layer,
        sizes=(*outer, height, width),
        stride=layer.stride[::-1],
        dilation=layer.dilation[::-1],
    )


def task_and_mapping(row, built):
    """The layer of a row on its machine, and the mapping that the row gives."""
    layer = turned(network(row.workload).layers[row.layer])
    cut = levels(row.cuts, int)
    hierarchy = {
        operand: built.levels(operand)[: len(own)]
        for operand, own in zip(OPERANDS, cut, strict=True)
    }
    spatial = [(array_dim, dim, float(size)) for array_dim, dim, size in loops(row.spatial)]
    unrolling = Unrolling(tuple((a, d, u, math.ceil(round(u, 9))) for a, d, u in spatial), {})
    order = loops(row.temporal)
    cuts = np.zeros((1, len(OPERANDS), max(map(len, cut))), dtype=np.int64)
    for operand, own in enumerate(cut):
        cuts[0, operand, : len(own)] = own
    mapping = Mappings(
        (unrolling,),
        np.zeros(1, dtype=np.int64),
        np.array([[DIMS.index(dim) for dim, _ in order]], dtype=np.int64).reshape(1, -1),
        np.array([[int(size) for _, size in order]], dtype=np.int64).reshape(1, -1),
        cuts,
    )
    return MappingTask(layer, built, hierarchy), mapping


def results(task, mapping):
    cost = mapped_cost(task, mapping)
    memory = [cost.memory_pj[0, o, : task.levels[o]] for o in range(len(OPERANDS))]
    return {
        "energy_pj": cost.energy_pj[0],
        "array_pj": sum(parts[0] for parts in cost.array_pj.values()),
        "memory_pj": np.concatenate(memory),
        "compute_cycles": cost.compute_cycles[0],
        "stall_cycles": cost.stall[0],
        "onload_cycles": cost.onload[0],
        "offload_cycles": cost.offload[0],
        "running_cycles": cost.cycles(loading=False)[0],
        "latency_cycles": cost.cycles(loading=True)[0],
    }


def expected(row, names):
    numbers = {name: getattr(row, name) for name in names}
    numbers["memory_pj"] = np.concatenate(levels(row.memory_pj, float))
    return numbers


def test_every_mapped_layer_is_here(table):
    designs = table.groupby(["workload", "template", "sram_byte", "dim"]).size()
    assert len(table) == 3248
    assert len(designs) == 224
    for (name, *_), layers in designs.items():
        assert layers == len(network(name).layers)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("template", TEMPLATES)
def test_energies_and_cycles_of_every_layer(table, template, name):
    rows = table[(table["template"] == template) & (table["workload"] == name)]
    for (dim, sram_byte), design in rows.groupby(["dim", "sram_byte"]):
        built = machine(
            template, dim, dim, 1, sram_byte,
            variant="carbonspot", resident_byte=network(name).weights,
        )  # fmt: skip
        for row in design.itertuples():
            got = results(*task_and_mapping(row, built))
            for column, value in expected(row, got).items():
                where = f"{row.workload} layer {row.layer}, {template} {dim}, {sram_byte}: {column}"
                np.testing.assert_allclose(got[column], value, rtol=RELATIVE, atol=0, err_msg=where)
