"""Row-stationary arrays as the Eyeriss chip is one: register files, buses, buffer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from carbonopt.data.tables import load_facts
from carbonopt.hardware.knob_check import WORD_BITS
from carbonopt.hardware.knob_table import Knobs, RowStationaryOptions
from carbonopt.hardware.machine import Machine
from carbonopt.hardware.memory import SramCost, sram_cost
from carbonopt.hardware.scaling import scaled_technology
from carbonopt.hardware.technology import Technology
from carbonopt.hardware.variant import ModelVariant
from carbonopt.units import UNITS

_BIT_PER_BYTE, _S_PER_NS = 8, UNITS["s"]["ns"]
_SPAD_BITS = 32  # width of the SRAM that keeps the filters of a PE, the least of its table


@dataclass(frozen=True)
class RowStationaryArray:
    """A row-stationary array with all that its mappings depend on.

    Parameters
    ----------
    rows, cols
        Processing elements.
    options
        Words of the register files, widths, gating and compression.
    buffer_words
        Data words that the buffer has for inputs and partial sums.
    bank_words
        Data words of one of its banks.
    input_bus_words
        Words per cycle on the bus of inputs; the others are `options.bus_words` wide.
    mac_pj, rf_pj, noc_pj, buffer_pj
        Energy of a multiply-accumulate and of accesses, of 16 bit each [pJ].
    cycle_pj
        Clock and control of the whole array, per cycle [pJ].
    dram_pj_per_bit
        Energy of the memory beside the chip [pJ/bit].
    dram_bit_per_cycle
        What it moves in a cycle of the array [bit].
    dram_bits
        What it holds [bit].
    """

    rows: int
    cols: int
    options: RowStationaryOptions
    buffer_words: int
    bank_words: int
    input_bus_words: float
    mac_pj: float
    rf_pj: float
    noc_pj: float
    buffer_pj: float
    cycle_pj: float
    dram_pj_per_bit: float
    dram_bit_per_cycle: float
    dram_bits: float

    @property
    def banks(self) -> int:
        """Banks of the buffer for inputs and partial sums."""
        return self.buffer_words // self.bank_words

    @property
    def keeps_chip_rules(self) -> bool:
        """Whether layers take the mapping that the chip would take, not the best."""
        return self.options.mappings == "chip"

    @property
    def passes(self) -> int:
        """Cycles per multiply-accumulate: inputs enter whole, so one."""
        return 1


def chip_sizes() -> dict[str, float]:
    """Return the sizes of the Eyeriss chip by column of the knobs.

    Examples
    --------
    >>> chip_sizes()
    {'rows': 12.0, 'cols': 14.0, 'sram_byte': 110592.0}
    """
    facts = load_facts("eyeriss_chip.csv")
    return {name: facts[name] for name in ("rows", "cols", "sram_byte")}


def chip_node_nm() -> float:
    """Return the node of the Eyeriss chip, at which an array is made unless its knobs say [nm].

    Examples
    --------
    >>> chip_node_nm()
    65.0
    """
    return load_facts("eyeriss_chip.csv")["node_nm"]


def row_stationary_machine(
    name: str, knobs: Knobs, variant: ModelVariant, *, dram_byte: float
) -> Machine:
    """Build a row-stationary machine.

    Energies are those of the chip's node and supply times C V^2 of a gate at its own node (supply
    1.0 V at every node), delays likewise, areas with the square of the node. The memory beside
    the chip is the one that all templates have.

    Parameters
    ----------
    name, knobs, variant, dram_byte
        As in `carbonopt.hardware.template.build_machine`.

    Raises
    ------
    ModelRangeError
        The node or the buffer lies outside its table.

    References
    ----------
    .. [1] Y.-H. Chen et al., IEEE JSSC 52(1), 2017 (tables eyeriss_chip.csv, eyeriss_energy.csv).
    .. [2] M. Horowitz, ISSCC 2014, figure 1.1.9 (energy of a multiply-accumulate).
    """
    facts, units = load_facts("eyeriss_chip.csv"), load_facts("eyeriss_energy.csv")
    node_nm = chip_node_nm() if knobs.options.node_nm is None else knobs.options.node_nm
    chip, own = (scaled_technology(node, facts["supply_v"]) for node in (facts["node_nm"], node_nm))
    pj = facts["mac_pj"] * float(own.nand_pf / chip.nand_pf)
    clock_ns = facts["clock_ns"] * float(own.nand_ns / chip.nand_ns)
    buffer = _buffer(knobs.sram_byte, node_nm)
    larger = _access_pj(_buffer(knobs.sram_byte, facts["node_nm"])) / _access_pj(
        _buffer(facts["sram_byte"], facts["node_nm"])
    )
    speed = knobs.options.dram_bandwidth_byte_per_s or facts["dram_byte_per_s"]
    options, elements = knobs.row_stationary, knobs.rows * knobs.cols
    charged = options.control == "measured"
    kept = 1 - facts["prefetch_byte"] / facts["sram_byte"]
    array = RowStationaryArray(
        knobs.rows, knobs.cols, options,
        buffer_words=int(knobs.sram_byte * kept * _BIT_PER_BYTE // options.data_word_bits),
        bank_words=int(facts["bank_byte"] * _BIT_PER_BYTE // options.data_word_bits),
        input_bus_words=options.bus_words * facts["input_bus_words"] / facts["bus_words"],
        mac_pj=pj * units["mac"], rf_pj=pj * units["rf"], noc_pj=pj * units["noc"],
        buffer_pj=pj * units["buffer"] * larger,
        cycle_pj=pj / facts["mac_pj"] * facts["pe_cycle_pj"] * elements * charged,
        dram_pj_per_bit=load_facts("memory_28nm.csv")["dram_pj_per_bit"],
        dram_bit_per_cycle=speed * _BIT_PER_BYTE * clock_ns * _S_PER_NS,
        dram_bits=dram_byte * _BIT_PER_BYTE,
    )  # fmt: skip
    return Machine(
        name=name, variant=variant, shape={"D1": knobs.cols, "D2": knobs.rows}, array=array,
        memories=(), unrolled={}, diagonal=False,
        area_parts=_area(knobs, node_nm), clock_parts={"pe": clock_ns},
        leakage_parts={"sram": buffer.leakage_w}, technology=own, own_node_nm=node_nm,
    )  # fmt: skip


def _buffer(size_byte: float, node_nm: float) -> SramCost:
    """Return the costs of a buffer."""
    what = f"sram of {size_byte:g} B"
    return _sram(size_byte * _BIT_PER_BYTE, WORD_BITS, what, node_nm)


@lru_cache(maxsize=256)
def _sram(bits: float, width_bits: int, what: str, node_nm: float) -> SramCost:
    """Return the costs of an SRAM, of which a search has few."""
    return sram_cost(bits, width_bits, what=what, node_nm=node_nm)


def _access_pj(cost: SramCost) -> float:
    """Return the mean energy of an access [pJ]."""
    return (cost.read_pj + cost.write_pj) / 2


def _area(knobs: Knobs, node_nm: float) -> dict[str, float]:
    """Return the area by part [mm2]: that of gates and SRAM times what the chip's layout takes.

    The layout factor is the chip's core area over the gates and SRAM that it holds.
    """
    return {part: area * _layout_factor() for part, area in _cell_area(knobs, node_nm).items()}


@cache
def _layout_factor() -> float:
    """Return the chip's core area over that of its gates and SRAM."""
    facts = load_facts("eyeriss_chip.csv")
    chip = Knobs(int(facts["rows"]), int(facts["cols"]), 1, facts["sram_byte"])
    return float(facts["core_mm2"] / sum(_cell_area(chip, facts["node_nm"]).values()))


def _cell_area(knobs: Knobs, node_nm: float) -> Mapping[str, float]:
    """Return the area of gates and SRAM by part [mm2].

    A PE has a multiplier and an adder, registers of inputs and partial sums, and an SRAM of
    filters. The chip's gates that are neither are its NoC and control, which grow with the PEs
    and the width of the buses.
    """
    facts = load_facts("eyeriss_chip.csv")
    own = scaled_technology(node_nm, facts["supply_v"])
    options, elements = knobs.row_stationary, knobs.rows * knobs.cols
    plain, chip_elements = RowStationaryOptions(), facts["rows"] * facts["cols"]
    known = chip_elements * (_pe_mm2(own, plain) + _register_mm2(own, plain))
    others = (facts["gates"] * float(own.nand_mm2) - known) / chip_elements
    wider = options.bus_words / plain.bus_words
    bits = plain.weight_words * plain.weight_word_bits
    spad = _sram(bits, _SPAD_BITS, "filters of a PE", node_nm).area_mm2 / bits
    spad *= options.weight_words * options.weight_word_bits
    return {
        "pe": elements * _pe_mm2(own, options),
        "register": elements * (_register_mm2(own, options) + spad),
        "sram": _buffer(knobs.sram_byte, node_nm).area_mm2,
        "noc": elements * others * wider,
    }


def _pe_mm2(technology: Technology, options: RowStationaryOptions) -> float:
    """Return the area of an array multiplier, w x a full adders, and of its adder [mm2]."""
    adders = options.weight_word_bits * options.data_word_bits + options.data_word_bits
    return float(technology.adder_mm2 * adders)


def _register_mm2(technology: Technology, options: RowStationaryOptions) -> float:
    """Return the area of the flip-flops of a PE's inputs and partial sums [mm2]."""
    bits = (options.input_words + options.psum_words) * options.data_word_bits
    return float(technology.flipflop_mm2 * bits)
