"""Bills of materials give ACT's carbon, component by component, and say what is wrong."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from carbonopt.carbon.bom import read_bom
from carbonopt.carbon.die import node_carbon
from carbonopt.carbon.grid import grid_intensity
from carbonopt.carbon.memory import find_memory, memory_g
from carbonopt.carbon.operational import operational_g
from carbonopt.errors import SpecError

TO_YAML = {
    "area_mm2": ("area", "{} mm2"),
    "capacity_GB": ("capacity", "{} GB"),
    "weight_g": ("weight", "{} g"),
    "capacity_kWh": ("capacity", "{} kWh"),
}
NOTHING = ("0", "None", "na", "")


def entry(section, inputs):
    """A part of a bill from ACT's inputs."""
    given = dict(pair.split("=") for pair in inputs.split(";"))
    model = given.pop("model")
    part = {"silicon": {"model": model}}.get(section, {"category": model})
    if section != "silicon" and given.get("process") not in NOTHING:
        part["type"] = given["process"]
        given.pop("process")
    for key, text in given.items():
        if text in NOTHING:
            continue
        name, form = TO_YAML.get(key, (key, "{}"))
        part[name] = form.format(float(text)) if key in TO_YAML else yaml.safe_load(text)
    return part


@pytest.mark.reference
@pytest.mark.parametrize("bill", ["dellr740", "test"])
def test_every_component_of_the_published_bills(reference, tmp_path, bill):
    table = reference("act_bom.csv")
    table = table[table["bom"] == bill]
    rows = table[table["section"] != "TOTAL"]
    document = {"name": bill}
    for _, row in rows.iterrows():
        parts = document.setdefault(row["section"], {})
        parts[row["component"]] = entry(row["section"], row["inputs"])
    file = tmp_path / "bom.yaml"
    file.write_text(yaml.safe_dump(document))
    got = read_bom(file)
    keys = ["section", "component", "carbon_type"]
    both = rows.merge(got, on=keys, suffixes=("", "_got"))
    assert len(both) == len(rows) == len(got)
    np.testing.assert_allclose(both["carbon_g_got"], both["carbon_g"], rtol=1e-14)
    total = table.loc[table["section"] == "TOTAL", "carbon_g"].iloc[0]
    assert got["carbon_g"].sum() == pytest.approx(total, rel=1e-14)


@pytest.mark.reference
def test_every_function_of_act(reference, functions):
    table = reference("act_functions.csv")
    done = 0
    for _, row in table.iterrows():
        inputs = dict(pair.split("=") for pair in row["inputs"].split(";") if "=" in pair)
        got = functions[row["function"]](row["process"], inputs)
        assert got == pytest.approx(row["value"], rel=1e-14), row.to_dict()
        done += 1
    assert done == len(table) == 511


def logic(process, inputs):
    node = node_carbon(float(process.removesuffix("nm")), float(inputs["gpa"]))
    return node.g_per_mm2(act_grid(inputs["fab_ci"])) * 100 / float(inputs["yield"])


def act_grid(name):
    try:
        return grid_intensity(f"act/{name} 2022")
    except SpecError:
        return grid_intensity(name)


def memory(kind):
    return lambda process, inputs: memory_g(
        1.0, find_memory(process, kind).g_per_gb, float(inputs["yield"])
    )


def operation(process, inputs):
    energy_j = 1.0 * float(inputs["duty"]) * 3 * 365.25 * 86400
    return operational_g(energy_j, act_grid(inputs["op_ci"]), pue=1.0)


def one_part(tmp, section, part):
    file = tmp / "bom.yaml"
    file.write_text(yaml.safe_dump({"name": "one", section: {"part": part}}))
    return read_bom(file)["carbon_g"].sum()


FUNCTIONS = {
    "logic_cpa": logic,
    "dram_cpg": memory("dram"),
    "ssd_cpg": memory("ssd"),
    "hdd_cpg": memory("hdd"),
    "operation": operation,
}


@pytest.fixture
def functions(tmp_path):
    """ACT's functions by name; some are reached through a bill."""

    def pcb(process, inputs):
        layers = int(process.split("_")[0])
        part = {"category": "pcb", "area": "100 cm2", "layers": layers}
        return one_part(tmp_path, "materials", part)

    def battery(process, inputs):
        part = {"category": "battery", "type": "lfp", "capacity": "10 kWh"}
        return one_part(tmp_path, "materials", part)

    def capacitor(process, inputs):
        part = {"category": "capacitor", "type": "tec", "weight": "0.03 g", "quantity": 10}
        return one_part(tmp_path, "passives", part)

    return FUNCTIONS | {"pcb": pcb, "battery": battery, "capacitor": capacitor}


GOOD = """\
name: small
imports: {board: board.yaml}
silicon:
  chip: {area: 10 mm2, process: 14nm, n_ics: 1, fab_ci: taiwan}
  ram: {model: dram, process: lpddr4, capacity: 2 GB}
passives:
  caps: {category: capacitor, quantity: 2}
"""
BOARD = """\
name: board
materials:
  case: {category: enclosure, type: aluminum, weight: 10 g}
"""


def write(folder, text=GOOD, board=BOARD):
    (folder / "bom.yaml").write_text(text)
    (folder / "board.yaml").write_text(board)
    return folder / "bom.yaml"


def test_a_bill_by_hand(tmp_path):
    got = read_bom(write(tmp_path)).set_index(["component", "carbon_type"])["carbon_g"]
    assert got["chip", "PACKAGING"] == 150.0
    assert got["chip", "FABRICATION"] == pytest.approx(0.1 * (583 * 1.2 + 162.5 + 500) / 0.875)
    assert got["ram", "FABRICATION"] == pytest.approx(2 * 48 / 0.875)
    assert got["caps", "PASSIVES"] == 600.0
    assert got["board.case", "ENCLOSURE"] == pytest.approx(151.0)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("14nm", "14 um", "bom.yaml:4: silicon.chip: process: got 14 um, allowed: 3nm"),
        ("14nm", "2nm", "bom.yaml:4: silicon.chip: process: got 2nm, allowed: 3nm"),
        ("fab_ci: taiwan", "fab_ci: tiwan", "bom.yaml:4: silicon.chip: region: got 'tiwan'"),
        ("fab_ci: taiwan", "fab_yield: 1.5", "bom.yaml:4: silicon.chip.fab_yield: got 1.5"),
        ("fab_ci: taiwan", "fab_yield: 0", "bom.yaml:4: silicon.chip.fab_yield: got 0"),
        ("fab_ci: taiwan", "gpa: 80", "bom.yaml:4: silicon.chip: abatement: got 80 %"),
        ("area: 10 mm2, ", "", "bom.yaml:4: silicon.chip: got model logic, allowed: with area"),
        ("lpddr4", "lpddr", "bom.yaml:5: silicon.ram: memory: got 'lpddr', nearest: lpddr"),
        ("2 GB", "2", "bom.yaml:5: silicon.ram.capacity: got 2, allowed: a number with a unit"),
        ("quantity: 2", "type: film", "bom.yaml:7: passives.caps: got film, allowed: generic"),
        ("board.yaml", "none.yaml", "none.yaml: cannot be read"),
        ("silicon:", "silicium:", "bom.yaml:3: silicium: unknown key"),
    ],
)
def test_faults_are_named_with_their_line(tmp_path, old, new, fault):
    with pytest.raises(SpecError) as caught:
        read_bom(write(tmp_path, GOOD.replace(old, new)))
    assert any(fault in got for got in caught.value.faults), caught.value.faults


def test_faults_of_all_files_at_once_and_one_level_of_imports(tmp_path):
    board = BOARD.replace("aluminum", "brass") + "imports: {more: board.yaml}\n"
    with pytest.raises(SpecError) as caught:
        read_bom(write(tmp_path, GOOD.replace("14nm", "1nm"), board))
    assert len(caught.value.faults) == 3


def test_memory_that_is_good_already_is_not_divided_by_a_yield(tmp_path):
    file = tmp_path / "bom.yaml"
    ram = "silicon: {ram: {model: dram, process: hbm3e, capacity: 2 GB%s}}\n"
    file.write_text("name: one\n" + ram % "")
    assert read_bom(file)["carbon_g"].sum() == pytest.approx(2 * 240.0)
    file.write_text("name: one\n" + ram % ", fab_yield: 0.5")
    assert read_bom(file)["carbon_g"].sum() == pytest.approx(2 * 240.0 / 0.5)


#: as ACT publishes bills: sections in any order, dots in names, comments, units of its own choice
PHONE_MM2 = (
    *(46.4, 0.85, 1.2, 1.2, 35, 0.89, 0.08, 0.25, 18, 11.6, 1.44, 12.96, 1.61, 6.3, 26.88, 0.77),
    *(11.36, 7, 8.69, 11, 9.6),
)
CHIP = "  ics.chip{}: {{area: {} mm2, process: 28nm, gpa: 95, fab_ci: coal, n_ics: 1}}\n"
MEMORIES = """\
  dram: {model: dram, capacity: 4 GB, process: ddr3_50nm, fab_yield: 0.875, n_ics: 1}
  # flash
  ssd: {model: flash, capacity: 64 GB, process: nand_30nm, fab_yield: 0.875, n_ics: 1}
"""
IMPORTED = """\
name: Test Imported BOM
passives: {imported_cap: {category: capacitor, type: mlcc, quantity: 1, weight: 0.1 g}}
silicon: {imported_si: {model: logic, area: 5 mm2, n_ics: 2, fab_ci: taiwan, process: 14nm}}
materials: {imported_mat: {category: enclosure, type: steel, weight: 1 g}}
"""


@pytest.mark.reference
def test_totals_of_the_other_published_bills(tmp_path):
    """Totals that ACT v2 (facebookresearch/ACT abc9fbb, MIT) gives for fairphone3 and imported."""
    phone = tmp_path / "fairphone3.yaml"
    chips = "".join(CHIP.format(place, area) for place, area in enumerate(PHONE_MM2))
    phone.write_text(f"name: Fairphone Model\ndescription: a phone\nsilicon:\n{chips}{MEMORIES}")
    assert read_bom(phone)["carbon_g"].sum() == pytest.approx(11901.223314285713, rel=1e-14)
    imported = tmp_path / "imported.yaml"
    imported.write_text(IMPORTED)
    assert read_bom(imported)["carbon_g"].sum() == pytest.approx(472.17067460317463, rel=1e-14)


def test_a_bill_across_two_literatures_is_warned_of_once(tmp_path):
    chips = "".join(
        f"  chip{i}: {{model: logic, area: 5 mm2, n_ics: 1, fab_ci: taiwan, process: {node}nm}}\n"
        for i, node in enumerate((28, 45, 45))
    )
    told = "bom.yaml: nodes of 28, 45 nm: a comparison lies where two literatures meet"
    with pytest.warns(UserWarning, match=told) as caught:
        read_bom(write(tmp_path, "name: x\nsilicon:\n" + chips))
    assert len(caught) == 1
    read_bom(write(tmp_path, "name: x\nsilicon:\n" + chips.replace("28nm", "65nm")))
