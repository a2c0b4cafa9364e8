"""The Eyeriss chip as it was measured, and the networks that ran on it at 16 bit."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd

from carbonopt.hardware.knobs import parse_knobs
from carbonopt.hardware.machine import Machine
from carbonopt.hardware.template import build_machine, find_template
from carbonopt.hardware.variant import load_variant
from carbonopt.performance.row_stationary import (
    RowStationaryLayer,
    mapped_by_hand,
    row_stationary_fronts,
)
from carbonopt.workload.load import load_network
from carbonopt.workload.network import Network

MEASURED = pd.read_csv(Path(__file__).parents[1] / "reference" / "eyeriss_chip.csv")
MEBI, CYCLES_PER_MS, WORD_BYTE = 2.0**20, 2e5, 2


def measured(name: str) -> pd.DataFrame:
    """The measured convolutions of a network."""
    return MEASURED[MEASURED["network"] == name].reset_index(drop=True)


def eyeriss(**knobs: str | int) -> Machine:
    """The chip, or what becomes of it with other knobs."""
    return build_machine(
        find_template("eyeriss"), parse_knobs("eyeriss", knobs), load_variant("default"),
        dram_byte=2**30, resident_byte=2**30,
    )  # fmt: skip


def convolutions(name: str) -> Network:
    """The convolutions of a network as measured: 16 bit, its batch, its zeros, in sequence."""
    table = measured(name)
    network = load_network(name, batch=int(table["batch"].iloc[0]))
    layers = tuple(
        dataclasses.replace(
            layer, weight_bits=16, input_bits=16, psum_bits=16, output_bits=16, zero_share=zeros,
            predecessors=(i - 1,) if i else (),
        )
        for i, (layer, zeros) in enumerate(zip(network.layers, table["zero_share"], strict=False))
    )  # fmt: skip
    return dataclasses.replace(network, layers=layers)


def on_the_chip(name: str) -> list[RowStationaryLayer]:
    """The convolutions of a network on the chip's own mappings."""
    machine, network, table = eyeriss(), convolutions(name), measured(name)
    zeros = [*table["zero_share"][1:], 0.0]
    return [
        mapped_by_hand(layer, machine, tuple(map(int, mapping.split())), after)
        for layer, mapping, after in zip(network.layers, table["mapping"], zeros, strict=True)
    ]


def by_rule(name: str) -> list[RowStationaryLayer]:
    """The convolutions of a network on the mappings that the chip's rules give."""
    fronts = row_stationary_fronts(convolutions(name), eyeriss(mappings="chip"))
    return [only for (only,) in fronts]


def modelled(layers: list[RowStationaryLayer]) -> pd.DataFrame:
    """What the model says of layers, in the columns and units of the measurement."""
    rows = []
    for each in layers:
        words, parts = each.accesses(), each.energy_parts()
        total_ms = each.cycles / CYCLES_PER_MS
        chip_pj = each.energy_pj - parts["dram"]
        pj_per_byte = 8 * each.machine.array.dram_pj_per_bit
        rows.append({
            "layer": each.layer.name,
            "power_mw": chip_pj * 1e-9 / total_ms * 1e3,
            "total_latency_ms": total_ms,
            "processing_latency_ms": each.processing_cycles / CYCLES_PER_MS,
            "active_pes": each.active_pes,
            "buffer_mib": (words["sram"]["I"] + words["sram"]["O"]) * WORD_BYTE / MEBI,
            "dram_mib": parts["dram"] / pj_per_byte / MEBI,
            "dram_uncoded_mib": sum(words["dram"].values()) * WORD_BYTE / MEBI,
        })  # fmt: skip
    return pd.DataFrame(rows)
