"""Carbon of a bill of materials, as ACT v2 counts it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from carbonopt.carbon.die import across_literatures, node_carbon, node_points
from carbonopt.carbon.grid import grid_intensity
from carbonopt.carbon.memory import find_memory
from carbonopt.data.tables import load_facts
from carbonopt.errors import ModelRangeError, SpecError
from carbonopt.spec.bom import BomSpec, MaterialSpec, PassiveSpec, SiliconSpec
from carbonopt.spec.fields import one_of
from carbonopt.spec.load import Document, load_model
from carbonopt.units import UNITS

TABLE = "bom_parts.csv"
COLUMNS = ["section", "component", "carbon_type", "carbon_g"]
_NODE = re.compile(r"(\d+)\s*nm")
_KINDS = {"dram": "dram", "flash": "ssd", "hdd": "hdd"}
_MJ_PER_KWH = UNITS["J"]["kWh"] / UNITS["J"]["MJ"]
_MM2_PER_M2 = 1e6


def read_bom(path: str | Path) -> pd.DataFrame:
    """Read a bill of materials and account for each of its parts.

    Logic ``A (CI_fab EPA + GPA + MPA) / Y``, memory and disks ``M CPS / Y``, packages 150 g each,
    capacitors ``n w E CI``, enclosures ``w k``, boards ``A c(layers)``, batteries ``E k``.

    Parameters
    ----------
    path
        YAML file with `silicon`, `passives`, `materials` and one level of `imports`.

    Returns
    -------
    pandas.DataFrame
        A row per part and kind of carbon: section, component, carbon_type, carbon_g [g CO2e].

    Raises
    ------
    SpecError
        Every fault of the file: unknown keys, units, nodes, memories, grids, materials.

    Warns
    -----
    UserWarning
        Once, where dies are made at nodes of two literatures.

    Notes
    -----
    As ACT has them, its board figures (0.4 to 0.9 kg/m2) and its generic capacitor (300 g) too,
    which other sources contradict by two to three orders of magnitude. Use in operation is left
    out. ACT meets published life-cycle assessments within a factor of 1.05 to 2.2.

    References
    ----------
    ACT, ISCA 2022, and facebookresearch/ACT abc9fbb (MIT).
    """
    file = Path(path)
    bom, document = load_model(file, BomSpec)
    faults: list[str] = []
    rows, nodes = _rows(bom, document, faults), _nodes_nm(bom)
    for name, other in bom.imports.items():
        try:
            inner, inner_document = load_model(file.parent / other, BomSpec)
        except SpecError as error:
            faults += error.faults
            continue
        if inner.imports:
            faults.append(inner_document.fault(("imports",), "got imports of an import, one level"))
        nodes += _nodes_nm(inner)
        rows += [
            (section, f"{name}.{part}", kind, grams)
            for section, part, kind, grams in _rows(inner, inner_document, faults)
        ]
    if faults:
        raise SpecError(faults)
    if mixed := across_literatures(nodes):
        warnings.warn(f"{file}: {mixed}", stacklevel=2)
    return pd.DataFrame(rows, columns=COLUMNS)


def _nodes_nm(bom: BomSpec) -> list[float]:
    """Nodes of the dies of one file [nm]."""
    logic = (part.process for part in bom.silicon.values() if part.model == "logic")
    return [float(match[1]) for text in logic if (match := _NODE.fullmatch(text))]


def _rows(bom: BomSpec, document: Document, faults: list[str]) -> list[tuple[str, str, str, float]]:
    """Account for the parts of one file; note what is wrong with them."""
    rows = []
    parts: dict[str, Mapping[str, SiliconSpec | PassiveSpec | MaterialSpec]] = {
        "silicon": bom.silicon,
        "passives": bom.passives,
        "materials": bom.materials,
    }
    for section, named in parts.items():
        for name, part in named.items():
            try:
                found = _account(part)
            except (SpecError, ModelRangeError, ValueError) as error:
                faults.append(document.fault((section, name), str(error)))
                continue
            rows += [(section, name, kind, grams) for kind, grams in found.items()]
    return rows


def _account(part: SiliconSpec | PassiveSpec | MaterialSpec) -> dict[str, float]:
    """Carbon of one part by kind [g CO2e]."""
    if isinstance(part, SiliconSpec):
        made = _logic_g(part) if part.model == "logic" else _memory_g(part)
        package = load_facts(TABLE)["packaging.ic_package"] * part.n_ics
        return {"PACKAGING": package, "FABRICATION": made}
    if isinstance(part, PassiveSpec):
        return {"PASSIVES": _capacitor_g(part)}
    return {"ENCLOSURE" if part.category == "enclosure" else "FABRICATION": _material_g(part)}


def _logic_g(part: SiliconSpec) -> float:
    """``C = A (CI_fab EPA + GPA + MPA) / Y`` [g CO2e]."""
    facts = load_facts(TABLE)
    match = _NODE.fullmatch(part.process)
    nodes = node_points("epa")[0]
    if match is None or not nodes[0] <= float(match[1]) <= nodes[-1]:
        listed = ", ".join(f"{node:g}nm" for node in nodes)
        raise SpecError(f"process: got {part.process}, allowed: {listed} and between")
    node = node_carbon(float(match[1]), part.gpa or facts["default.gas_abatement_percent"])
    grid = _grid(part.fab_ci, facts["default.fab_g_per_kwh"])
    return (part.area or 0.0) * float(node.g_per_mm2(grid)) / _yield(part)


def _memory_g(part: SiliconSpec) -> float:
    """``C = M CPS / Y``, where the figure is before yield or the bill gives one [g CO2e]."""
    memory = find_memory(part.process, kind=_KINDS[part.model])
    good = memory.usual_yield if part.fab_yield is None else part.fab_yield
    return (part.capacity or 0.0) / UNITS["byte"]["GB"] * memory.g_per_gb / good


def _capacitor_g(part: PassiveSpec) -> float:
    """``C = n w E CI``, 300 g each where the type is generic [g CO2e]."""
    facts = load_facts(TABLE)
    if part.type == "generic":
        return facts["capacitor.generic"] * part.quantity
    kind = one_of(part.type, ("generic", "mlcc", "tec"))
    weight_g = facts["capacitor.default_weight"] if part.weight is None else part.weight
    drawn_kwh = facts[f"capacitor.{kind}"] * weight_g / UNITS["g"]["kg"] / _MJ_PER_KWH
    return drawn_kwh * part.quantity * _grid(part.fab_ci, facts["default.passives_g_per_kwh"])


def _material_g(part: MaterialSpec) -> float:
    """Enclosure ``w k``, board ``A c(layers)``, battery ``E k`` [g CO2e]."""
    facts = load_facts(TABLE)
    if part.category == "enclosure":
        name = {"alumnimum": "aluminium", "aluminum": "aluminium"}.get(part.type or "", part.type)
        return facts[f"material.{one_of(name, ('aluminium', 'steel'))}"] * (part.weight or 0.0)
    if part.category == "pcb":
        layers = part.layers or 1
        other = layers * facts["pcb.per_layer_other"]
        per_m2 = facts.get(f"pcb.{layers}_layers", other) * UNITS["g"]["kg"]
        return per_m2 * (part.area or 0.0) / _MM2_PER_M2
    kind = one_of(part.type or "nmc", ("nmc", "lfp"))
    return facts[f"battery.{kind}"] * UNITS["g"]["kg"] * (part.capacity or 0.0) / UNITS["J"]["kWh"]


def _yield(part: SiliconSpec) -> float:
    return load_facts(TABLE)["default.fab_yield"] if part.fab_yield is None else part.fab_yield


def _grid(name: str | None, default: float) -> float:
    """Intensity of a grid: ACT's own figure of 2022 where ACT knows the name [g/kWh]."""
    if name is None:
        return default
    try:
        return grid_intensity(f"act/{name} 2022")
    except SpecError:
        return grid_intensity(name)
