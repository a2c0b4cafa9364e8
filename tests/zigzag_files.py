"""ZigZag's input files, written from tables of facts, and the layers that it mapped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from carbonopt.hardware.machine import OPERANDS
from carbonopt.workload.layer import DIMS, Layer

REFERENCE = Path(__file__).parent / "reference"
LINKS = {"O": "O", "W": "I2", "I": "I1"}


def table(name: str, **how: Any) -> pd.DataFrame:
    """A table of tests/reference."""
    return pd.read_csv(REFERENCE / name, comment="#", **how)


def accelerator(name: str) -> dict[str, Any]:
    """An accelerator as ZigZag's file says it."""
    as_text = {"dtype": str, "keep_default_na": False}
    arrays = table("zigzag_arrays.csv", **as_text)
    memories = table("zigzag_memories.csv", **as_text)
    return {
        "name": name,
        "operational_array": _array(arrays.set_index("machine").loc[name]),
        "memories": {
            row.memory: {
                "size": int(row.size_bit),
                "r_cost": float(row.read_pj),
                "w_cost": float(row.write_pj),
                "area": 0,
                "latency": 1,
                "operands": row.operands.split(),
                "served_dimensions": row.served.split(),
                "ports": [_port(text) for text in row.ports.split("; ")],
            }
            for row in memories[memories["machine"] == name].itertuples()
        },
    }


def _array(row: pd.Series) -> dict[str, Any]:
    array = {
        "dimensions": row["dimensions"].split(),
        "sizes": [int(size) for size in row["sizes"].split()],
        "systolic_dimensions": row["systolic"].split(),
    }
    if not row["imc_type"]:
        return {**array, "unit_energy": float(row["unit_energy_pj"]), "unit_area": 1}
    return {
        **array,
        "is_imc": True,
        "imc_type": row["imc_type"],
        "input_precision": [int(bits) for bits in row["input_precision"].split()],
        "bit_serial_precision": int(row["bit_serial_precision"]),
        "adc_resolution": float(row["adc_resolution"] or 0),
    }


def _port(text: str) -> dict[str, Any]:
    name, kind, narrow, wide, *served = text.split()
    return {
        "name": name,
        "type": kind,
        "bandwidth_min": int(narrow),
        "bandwidth_max": int(wide),
        "allocation": [each.replace(":", ", ") for each in served],
    }


def write_accelerator(folder: Path, name: str) -> Path:
    """Write an accelerator file."""
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(accelerator(name), sort_keys=False), encoding="utf-8")
    return path


def write_mapping(folder: Path, **entry: Any) -> Path:
    """Write a mapping file with one entry, the default."""
    path = folder / "mapping.yaml"
    content = [{"name": "default", "memory_operand_links": LINKS, **entry}]
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def layer_of(row: Any) -> Layer:
    """The layer of a row of zigzag_layers.csv."""
    sizes = tuple(getattr(row, dim) for dim in DIMS)
    return Layer(
        row.layer, row.kind, sizes, stride=(row.stride,) * 2,
        input_size=(row.input_x, row.input_y),
    )  # fmt: skip


def mapping_of(row: Any) -> tuple[dict[str, tuple[tuple[str, int], ...]], dict[str, Any]]:
    """The unrolling and the nest of a row of zigzag_layers.csv."""
    unrolled: dict[str, tuple[tuple[str, int], ...]] = {}
    for array_dim, dim, size in (text.split(":") for text in row.unrolled.split()):
        unrolled[array_dim] = (*unrolled.get(array_dim, ()), (dim, int(size)))
    nest = {
        operand: [
            [(dim, int(size)) for dim, size in (loop.split(":") for loop in level.split())]
            for level in own.split("|")
        ]
        for operand, own in zip(OPERANDS, row.temporal.split("/"), strict=True)
    }
    return unrolled, nest
