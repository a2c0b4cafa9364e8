"""What a machine is called, or in which file, in which order, changes nothing."""

from __future__ import annotations

import pytest
import yaml
from designs import layer
from zigzag_files import LINKS, accelerator, write_accelerator

from carbonopt.hardware.file import load_machine
from carbonopt.hardware.machine import OPERANDS
from carbonopt.mapping.task import MappingTask
from carbonopt.performance.choices import SCORES
from carbonopt.performance.explain import best_mapping, explain

pytestmark = pytest.mark.property

HINTS = {"D1": ["K", "OX"], "D2": ["C", "FX", "FY"]}
OPERAND_OF = {memory: operand for operand, memory in LINKS.items()}
MOVES = {"fh": "from_above", "tl": "to_below", "fl": "from_below", "th": "to_above"}
LAYERS = [
    layer("conv", K=48, OX=14, OY=14, C=24, FX=3, FY=3),
    layer("pointwise", K=40, OX=7, OY=7, C=96),
    layer("dense", kind="gemm", K=100, C=512),
]


def in_our_words(name):
    """An accelerator file of ZigZag as a machine file of ours, each width in its own unit."""
    theirs = accelerator(name)
    array = theirs["operational_array"]
    memories = {}
    for title, memory in theirs["memories"].items():
        ports = {}
        for port in memory["ports"]:
            moves = {}
            for operand, direction in (text.split(", ") for text in port["allocation"]):
                moves.setdefault(OPERAND_OF[operand], []).append(MOVES[direction])
            ports[port["name"]] = {
                "kind": port["type"],
                "width": f"{port['bandwidth_max'] / 8} GB/s",  # at 1 GHz
                "least": f"{port['bandwidth_min']} bit",
                "moves": moves,
            }
        (width,) = {port["bandwidth_max"] for port in memory["ports"]}
        memories[title] = {
            "size": f"{memory['size']} bit",
            "read_energy": f"{memory['r_cost'] / width} pJ/bit",
            "write_energy": f"{memory['w_cost'] / width * 1000} fJ/bit",
            "serves": memory["served_dimensions"],
            "ports": ports,
        }
    return {
        "machine": name,
        "clock": "1 GHz",
        "array": {
            "dimensions": dict(zip(array["dimensions"], array["sizes"], strict=True)),
            "unrolled": HINTS,
            "systolic": array["systolic_dimensions"],
            "mac_energy": f"{array['unit_energy']} pJ",
        },
        "memories": memories,
    }


def saved(folder, content, name="ours.yaml"):
    path = folder / name
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def costs(each, built):
    task = MappingTask(each, built, {operand: built.levels(operand) for operand in OPERANDS})
    found = [explain(best_mapping(task, objective)[0]) for objective in SCORES]
    return [(one["energy_pj"], one["cycles"]) for one in found]


@pytest.mark.parametrize("each", LAYERS, ids=lambda each: each.name)
@pytest.mark.parametrize("name", ["tpu_like", "eyeriss_like"])
def test_our_file_and_zigzags_mean_the_same_machine(tmp_path, name, each):
    mapping = [{"name": "default", "memory_operand_links": LINKS, "spatial_mapping_hint": HINTS}]
    theirs = load_machine(
        write_accelerator(tmp_path, name), mapping_path=saved(tmp_path, mapping, "mapping.yaml")
    )
    ours = load_machine(saved(tmp_path, in_our_words(name)), model="zigzag")
    for found, expected in zip(costs(each, ours), costs(each, theirs), strict=True):
        assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("model", ["default", "zigzag"])
@pytest.mark.parametrize("each", LAYERS, ids=lambda each: each.name)
def test_order_and_names_change_nothing(tmp_path, model, each):
    """Memories of different operands in another order, all names new."""
    content = in_our_words("eyeriss_like")
    expected = costs(each, load_machine(saved(tmp_path, content), model=model))
    memories = content["memories"]
    order = ["rf_16B", "rf_64B_W", "sram_64KB", "rf_64B_A", "sram_8KB", "sram_1M", "dram"]
    assert sorted(order) == sorted(memories)
    text = yaml.safe_dump({**content, "memories": {n: memories[n] for n in order}}, sort_keys=False)
    for name, other in (("D1", "columns"), ("D2", "rows"), ("sram", "buffer"), ("rf_", "latch")):
        text = text.replace(name, other)
    path = tmp_path / "renamed.yaml"
    path.write_text(text, encoding="utf-8")
    for found, before in zip(costs(each, load_machine(path, model=model)), expected, strict=True):
        assert found == pytest.approx(before, rel=1e-12)


@pytest.mark.parametrize("each", LAYERS, ids=lambda each: each.name)
@pytest.mark.parametrize("memory", ["sram_2MB", "rf_128B"])
def test_more_room_is_never_worse(tmp_path, memory, each):
    small, large = in_our_words("tpu_like"), in_our_words("tpu_like")
    size = int(small["memories"][memory]["size"].split()[0])
    small["memories"][memory]["size"] = f"{size // 16} bit"
    before, after = (
        costs(each, load_machine(saved(tmp_path, content))) for content in (small, large)
    )
    for (energy_before, cycles_before), (energy, cycles), objective in zip(
        before, after, SCORES, strict=True
    ):
        measure = {
            "edp": energy * cycles <= energy_before * cycles_before * (1 + 1e-9),
            "energy": energy <= energy_before * (1 + 1e-9),
            "latency": cycles <= cycles_before,
        }
        assert measure[objective], objective
