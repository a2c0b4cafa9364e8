"""ZigZag's files: read as they are, refused with every fault and its line."""

from __future__ import annotations

import pytest
import yaml
from designs import layer as layer_of_sizes
from zigzag_files import LINKS, accelerator, write_accelerator, write_mapping

from carbonopt.errors import SpecError
from carbonopt.hardware.variant import load_variant
from carbonopt.hardware.zigzag import load_zigzag_machine, read_mapping
from carbonopt.mapping.parallel import fullest_unrollings
from carbonopt.mapping.spatial import array_shape
from carbonopt.workload.layer import DIMS

CONVOLUTION = layer_of_sizes(K=64, OX=8, OY=8, C=32, FX=3, FY=3)
ZIGZAG = load_variant("zigzag")


def saved(folder, content):
    path = folder / "machine.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def test_a_machine_is_what_its_file_says(tmp_path):
    built = load_zigzag_machine(write_accelerator(tmp_path, "eyeriss_like"), ZIGZAG)
    assert built.name == "eyeriss_like"
    assert built.shape == {"D1": 14, "D2": 12}
    levels = {o: [built.memories[m].name for m in built.levels(o)] for o in "IWO"}
    assert levels == {
        "I": ["rf_64B_A", "sram_1M", "dram"],
        "W": ["rf_64B_W", "sram_64KB", "dram"],
        "O": ["rf_16B", "sram_8KB", "sram_1M", "dram"],
    }
    shared = built.memories[5].ports
    assert shared["I"]["from_above"] is shared["O"]["to_above"]
    assert (shared["I"]["from_above"].narrow_bits, built.memories[5].read_pj) == (384, 100)
    assert built.memories[0].served == frozenset()
    assert built.array.mac_pj == 0.5
    assert built.unrolled == dict.fromkeys(("D1", "D2"), DIMS)


def test_the_last_of_repeated_keys_counts(tmp_path):
    """As in tpu_like.yaml, which says `ports` twice."""
    path = write_accelerator(tmp_path, "tpu_like")
    text = path.read_text(encoding="utf-8")
    first = "  sram_2MB:\n"
    assert first in text
    path.write_text(text.replace(first, f"{first}    ports:\n    - nothing: 1\n"), encoding="utf-8")
    built = load_zigzag_machine(path, ZIGZAG)
    assert built.memories[2].ports["I"]["to_below"].wide_bits == 2048


def test_a_mapping_file_links_operands_and_limits_loops(tmp_path):
    machine = write_accelerator(tmp_path, "dimc")
    hints = {"D1": ["K", "OX"], "D2": ["C", "FX", "FY"]}
    plain = write_mapping(tmp_path, spatial_mapping_hint=hints)
    built = load_zigzag_machine(machine, ZIGZAG, mapping_path=plain)
    assert built.unrolled == {"D1": ("K", "OX"), "D2": ("C", "FX", "FY")}
    swapped = write_mapping(tmp_path, memory_operand_links={**LINKS, "W": "I1", "I": "I2"})
    built = load_zigzag_machine(machine, ZIGZAG, mapping_path=swapped)
    assert set(built.memories[0].ports) == {"I"}


def test_a_layer_may_have_an_entry_of_its_own(tmp_path):
    machine, path = write_accelerator(tmp_path, "tpu_like"), tmp_path / "mapping.yaml"
    entries = [
        {"name": name, "memory_operand_links": LINKS, "spatial_mapping": {"D1": [f"K, {size}"]}}
        for name, size in (("default", 32), ("Conv", 16), ("conv1", 8))
    ]
    path.write_text(yaml.safe_dump(entries), encoding="utf-8")
    for layer, size in ((("conv1", "Conv"), 8), (("conv2", "Conv"), 16), (("fc", "Gemm"), 32)):
        built = load_zigzag_machine(machine, ZIGZAG, mapping_path=path, layer=layer)
        assert built.most == {"D1": {"K": size}}
        wide = fullest_unrollings(CONVOLUTION, array_shape(built, CONVOLUTION), 1)
        assert wide[0, 0, DIMS.index("K")] == size


def test_loops_that_no_layer_has_are_refused(tmp_path):
    path = write_mapping(tmp_path, spatial_mapping={"D1": ["D0, 8"]}, spatial_mapping_hint={})
    with pytest.raises(SpecError, match=r"spatial_mapping\.D1\.0: got D0, 8, allowed: 'B', 'K'"):
        read_mapping(path)


def test_an_order_of_loops_is_refused(tmp_path):
    path = write_mapping(tmp_path, temporal_ordering=[["K", 2]])
    with pytest.raises(SpecError, match="temporal_ordering: got an order, allowed: none"):
        load_zigzag_machine(write_accelerator(tmp_path, "dimc"), ZIGZAG, mapping_path=path)


def test_mapping_entries_are_found_by_name(tmp_path):
    path = write_mapping(tmp_path, spatial_mapping={"D1": ["K, 32"]}, temporal_ordering=[["K", 2]])
    entry = read_mapping(path)["default"]
    assert entry.spatial_mapping == {"D1": [("K", 32)]}
    assert entry.temporal_ordering == [("K", 2)]


def test_every_fault_of_a_file_is_told_with_its_line(tmp_path):
    content = accelerator("tpu_like")
    content["memories"]["rf_2B"]["size"] = -16
    content["memories"]["dram"]["colour"] = "red"
    content["operational_array"]["sizes"] = [32]
    content["memories"]["rf_128B"]["ports"][0]["type"] = "write"
    with pytest.raises(SpecError) as error:
        load_zigzag_machine(saved(tmp_path, content), ZIGZAG)
    told = "\n".join(error.value.faults)
    assert "memories.rf_2B.size: got -16, allowed: greater than 0" in told
    assert "memories.dram.colour: unknown key" in told
    assert "got 2 dimensions and 1 sizes, allowed: as many of each" in told
    assert "got I2, tl on a write port, allowed: a read port" in told
    assert all(f"{tmp_path}/machine.yaml:" in fault for fault in error.value.faults)


def test_a_level_without_a_port_it_needs_is_refused(tmp_path):
    content = accelerator("tpu_like")
    content["memories"]["rf_2B"]["ports"].pop()
    with pytest.raises(SpecError, match="rf_2B: got no port for O from_below, allowed: one"):
        load_zigzag_machine(saved(tmp_path, content), ZIGZAG)


def test_a_mapping_file_needs_a_default(tmp_path):
    path = tmp_path / "mapping.yaml"
    path.write_text("- name: Conv\n  memory_operand_links: {O: O, W: I2, I: I1}\n")
    with pytest.raises(SpecError, match="got Conv, allowed: an entry called default as well"):
        read_mapping(path)
    path.write_text("default: 1\n")
    with pytest.raises(SpecError, match="got no list, allowed: a list of entries"):
        read_mapping(path)


def test_a_macro_beyond_the_model_is_refused_with_every_fault(tmp_path):
    broken = accelerator("dimc")
    array = broken["operational_array"]
    array |= {"input_precision": [17, 8], "bit_serial_precision": 18, "sizes": [32, 48]}
    with pytest.raises(SpecError) as error:
        load_zigzag_machine(saved(tmp_path, broken), ZIGZAG)
    told = [fault.split("operational_array: ")[1] for fault in error.value.faults]
    assert told == [
        "dimc: rows: got 48, allowed: powers of two (leaves of an adder tree)",
        "dimc: input_bits: got 17, allowed: whole numbers from 1 to 16",
        "dimc: bits_per_cycle: got 18, allowed: whole numbers from 1 to input_bits",
    ]
    assert all(str(tmp_path / "machine.yaml:2: ") in fault for fault in error.value.faults)
