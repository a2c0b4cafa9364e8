"""Energy and latency of networks on a row-stationary array, on their best mappings."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from carbonopt.arrays import Floats, Ints
from carbonopt.data.tables import load_facts
from carbonopt.errors import MappingError
from carbonopt.hardware.eyeriss import RowStationaryArray
from carbonopt.hardware.machine import Machine
from carbonopt.mapping.residency import check_dram
from carbonopt.performance.hull import lower_hull
from carbonopt.performance.row_stationary_chip import banks_of_a_row, chip_mapping
from carbonopt.performance.row_stationary_search import (
    COUNTED,
    CYCLES,
    PARAMETERS,
    account,
    best_mappings,
    fits,
)
from carbonopt.workload.layer import Layer
from carbonopt.workload.network import Network

LEVELS = ("dram", "sram", "noc", "register")
OPERANDS = ("W", "I", "O")
"""In the order in which words are counted."""
_SHOWN = 5
"""Layers that a message names."""


@dataclass(frozen=True)
class RowStationaryLayer:
    """One layer with its row-stationary mapping.

    Parameters
    ----------
    layer
        What is computed.
    machine
        Whose array is a `RowStationaryArray`.
    mapping
        m, n, e, p, q, r and t, see `carbonopt.performance.row_stationary_search` (7,).
    counted
        Words by level and operand, multiply-accumulates, cycles by part (18,).
    unit_pj
        Energy of each of what is counted, and of a cycle [pJ] (14,).
    """

    layer: Layer
    machine: Machine
    mapping: tuple[int, ...]
    counted: Floats
    unit_pj: Floats

    @cached_property
    def energy_pj(self) -> float:
        """Energy of the layer [pJ]."""
        return sum(self.energy_parts().values())

    @property
    def cycles(self) -> float:
        """Latency of the layer [cycles]."""
        return float(self.counted[COUNTED:].sum())

    @property
    def processing_cycles(self) -> float:
        """Latency without the time that only DRAM works [cycles]."""
        parts = self.cycle_parts()
        return parts["compute"] + parts["stall"] + parts["fill"]

    @property
    def active_pes(self) -> int:
        """Processing elements that a full pass uses: kernel rows x e r t."""
        rows = self.layer.loops["FY"]
        pieces = -(-rows // self.machine.shape["D2"])
        _, _, e, _, _, r, t = self.mapping
        return -(-rows // pieces) * e * r * t

    def accesses(self) -> dict[str, dict[str, float]]:
        """Words read and written by level and operand."""
        words = self.counted[: COUNTED - 1].reshape(len(LEVELS), len(OPERANDS))
        return {
            level: dict(zip(OPERANDS, map(float, row), strict=True))
            for level, row in zip(LEVELS, words, strict=True)
        }

    def energy_parts(self) -> dict[str, float]:
        """Energy by part: array, control, register, noc, sram, dram [pJ]."""
        words = self.counted[:COUNTED] * self.unit_pj[:COUNTED]
        by_level = words[:-1].reshape(len(LEVELS), len(OPERANDS)).sum(axis=1)
        parts = dict(zip(LEVELS, map(float, by_level), strict=True))
        control = float(self.counted[COUNTED:].sum() * self.unit_pj[COUNTED])
        return {"array": float(words[-1]), "control": control, **parts}

    def cycle_parts(self) -> dict[str, float]:
        """Latency by part: compute, stall, fill, load, dram [cycles]."""
        return dict(zip(CYCLES, map(float, self.counted[COUNTED:]), strict=True))

    def describe(self) -> dict[str, Any]:
        """Return mapping, energy and cycles as nested names and numbers."""
        named = dict(zip(PARAMETERS, self.mapping, strict=True))
        rows = self.active_pes // (named["e"] * named["r"] * named["t"])
        sides = {"cols": [["OY", named["e"]]],
                 "rows": [["FY", rows], ["C", named["r"]], ["K", named["t"]]]}  # fmt: skip
        return {
            "name": self.layer.name,
            "macs": self.layer.macs,
            "energy_pj": self.energy_pj,
            "energy": self.energy_parts(),
            "cycles": self.cycles,
            "cycles_by_part": self.cycle_parts(),
            "active_pes": self.active_pes,
            "accesses": self.accesses(),
            "mapping": {"spatial": sides, **named},
        }


def row_stationary_fronts(
    network: Network, machine: Machine, solved: dict[Any, list[RowStationaryLayer]] | None = None
) -> list[list[RowStationaryLayer]]:
    """Return, for each layer, the mappings that minimise a weighting of energy and latency.

    Layers follow one another; each takes its inputs from DRAM and leaves its outputs there.
    Fronts that `solved` holds of this machine are not sought again; those found are added.

    Raises
    ------
    MappingError
        A layer needs wider words than the array has, or more buffer for one row, all at once; or
        the DRAM does not hold the network.

    References
    ----------
    .. [1] Y.-H. Chen et al., IEEE JSSC 52(1), 2017, table III (parameters of a mapping).
    """
    array = array_of(machine)
    unfit: dict[str, list[str]] = {}
    for layer in network.layers:
        for reason in _faults(layer, array):
            unfit.setdefault(reason, []).append(layer.name)
    if unfit:
        told = (
            f"{_named(layers)} cannot be mapped onto {machine.name}: {reason}"
            for reason, layers in unfit.items()
        )
        raise MappingError("\n".join(told))
    check_dram(network, machine, array.dram_bits)
    fronts: dict[Any, list[RowStationaryLayer]] = {} if solved is None else solved
    keys = []
    for position, layer in enumerate(network.layers):
        after = [network.layers[i].zero_share for i in network.successors(position)]
        key = (layer.anonymous, min(after, default=0.0))
        if key not in fronts:
            fronts[key] = _front(*key, machine)
        keys.append(key)
    return [
        [dataclasses.replace(mapped, layer=layer) for mapped in fronts[key]]
        for layer, key in zip(network.layers, keys, strict=True)
    ]


def mapped_by_hand(
    layer: Layer, machine: Machine, mapping: tuple[int, ...], output_zero_share: float = 0.0
) -> RowStationaryLayer:
    """Return a layer on a mapping of one's own, (m, n, e, p, q, r, t).

    Raises
    ------
    MappingError
        It does not fit array, register files and buffer.
    """
    array = array_of(machine)
    shape, sizes = shape_of(layer), sizes_of(array)
    unit = units_of(layer, array, output_zero_share)
    chosen = np.array(mapping, dtype=np.int64)
    if len(mapping) != len(PARAMETERS) or chosen.min() < 1 or not fits(shape, sizes, chosen):
        named = dict(zip(PARAMETERS, mapping, strict=False))
        raise MappingError(
            f"layer {layer.name!r} cannot be mapped onto {machine.name}: got {named}, allowed: "
            "what fits its array, register files and buffer"
        )
    counted = account(shape, sizes, unit, chosen)
    return RowStationaryLayer(layer, machine, tuple(mapping), counted, unit)


def _front(layer: Layer, output_zero_share: float, machine: Machine) -> list[RowStationaryLayer]:
    """Return the lower convex hull of a layer's (latency, energy) points, fastest first."""
    array = array_of(machine)
    shape, sizes = shape_of(layer), sizes_of(array)
    unit = units_of(layer, array, output_zero_share)
    if array.keeps_chip_rules:
        return [
            mapped_by_hand(layer, machine, chip_mapping(shape, sizes, array), output_zero_share)
        ]
    points, chosen = best_mappings(shape, sizes, unit)
    return [
        RowStationaryLayer(
            layer, machine, tuple(map(int, chosen[i])), account(shape, sizes, unit, chosen[i]), unit
        )
        for i in lower_hull(points[:, 1], points[:, 0])
    ]


def array_of(machine: Machine) -> RowStationaryArray:
    """Return the array of a row-stationary machine.

    Raises
    ------
    MappingError
        It has another one.
    """
    if not isinstance(machine.array, RowStationaryArray):
        raise MappingError(f"{machine.name}: got another array, allowed: a row-stationary one")
    return machine.array


def _named(layers: list[str]) -> str:
    """Name layers, the first few of many.

    Examples
    --------
    >>> _named(["stem"]), _named([*"abcdefg"])
    ("layer 'stem'", "layers 'a', 'b', 'c', 'd', 'e' and 2 more")
    """
    shown = ", ".join(map(repr, layers[:_SHOWN]))
    rest = f" and {len(layers) - _SHOWN} more" if len(layers) > _SHOWN else ""
    return f"layer{'s' if len(layers) > 1 else ''} {shown}{rest}"


def _faults(layer: Layer, array: RowStationaryArray) -> list[str]:
    """Say why a layer cannot be mapped."""
    options = array.options
    widths = (
        ("weights", layer.weight_bits, options.weight_word_bits, "weight_word_bits"),
        ("inputs", layer.input_bits, options.data_word_bits, "data_word_bits"),
        ("outputs", layer.output_bits, options.data_word_bits, "data_word_bits"),
    )
    faults = [
        f"its {what} have {bits} bit, allowed: whole numbers from 1 to {most} ({knob})"
        for what, bits, most, knob in widths
        if not 1 <= bits <= most
    ]
    needed = row_words(layer, array)
    if needed > array.buffer_words:
        faults.append(
            f"its buffer needs {needed:,} words for a row of outputs and the inputs "
            f"under it, has {array.buffer_words:,}: a larger sram is needed"
        )
    elif array.keeps_chip_rules:
        banks, has = banks_of_a_row(shape_of(layer), sizes_of(array), array), array.banks
        if banks > has:
            faults.append(
                f"its buffer needs {banks} banks of {array.bank_words:,} words, has "
                f"{has}: a larger sram is needed, or mappings=any"
            )
    return faults


def row_words(layer: Layer, array: RowStationaryArray) -> int:
    """Return the words that the smallest mapping of a layer keeps in the buffer."""
    sizes = layer.loops
    pieces = -(-sizes["FY"] // array.rows)
    files = min(array.options.input_words, array.options.weight_words)
    width = -(-sizes["FX"] // -(-sizes["FX"] // files))
    reach = (sizes["OX"] - 1) * layer.stride[0] + (width - 1) * layer.dilation[0] + 1
    return -(-sizes["FY"] // pieces) * min(reach, sizes["OX"] * width) + sizes["OX"]


def shape_of(layer: Layer) -> Ints:
    """Return bounds, strides, dilations and input extents of a layer, as the search reads them."""
    return np.array([*layer.sizes, *layer.stride, *layer.dilation, *layer.input_size], np.int64)


def sizes_of(array: RowStationaryArray) -> Floats:
    """Return the sizes of an array, as the search reads them (9,)."""
    options = array.options
    return np.array([
        array.rows, array.cols, options.weight_words, options.input_words, options.psum_words,
        array.buffer_words, options.bus_words, array.input_bus_words, options.bus_words,
    ], dtype=np.float64)  # fmt: skip


def units_of(layer: Layer, array: RowStationaryArray, output_zero_share: float) -> Floats:
    """Return what energy and time each thing that a mapping counts takes (19,).

    An access costs in proportion to its bits, a multiply-accumulate to both widths; partial sums
    are as wide as the layer says, at most a data word. Where PEs rest, a multiply-accumulate of
    a zero takes neither its weight nor its partial sum from the register files.
    """
    word = load_facts("eyeriss_energy.csv")["word_bits"]
    weight, data = layer.weight_bits / word, layer.input_bits / word
    psum = min(layer.psum_bits, array.options.data_word_bits) / word
    coded = array.options.compression == "rlc"
    fetched = (
        layer.weight_bits,
        layer.input_bits * (_coded(layer.input_bits, layer.zero_share) if coded else 1.0),
        layer.output_bits * (_coded(layer.output_bits, output_zero_share) if coded else 1.0),
    )
    levels = [array.buffer_pj, array.noc_pj, array.rf_pj]
    kept = 1 - layer.pruned_share
    rest = layer.zero_share if array.options.gating == "on" else 0.0
    return np.array([
        *(bits * array.dram_pj_per_bit for bits in fetched),
        *(pj * share for pj in levels for share in (weight, data, psum)),
        array.mac_pj * weight * data, array.cycle_pj, kept * (1 - rest), kept,
        *(bits / array.dram_bit_per_cycle for bits in fetched),
    ])  # fmt: skip


def _coded(bits: int, zero_share: float) -> float:
    """Return what a run-length code leaves of words of which a share is zero, 1 at most.

    Each word that is not zero takes 1/3 of a 64-bit code word with a run of 5 bit beside it, as
    the chip codes 16-bit words; runs longer than 31 zeros are neglected.
    """
    facts = load_facts("eyeriss_chip.csv")
    pair = bits + facts["run_bits"] + 1 / facts["run_pairs"]
    return float(min(1.0, (1 - zero_share) * pair / bits))
